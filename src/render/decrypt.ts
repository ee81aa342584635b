// Owns SOPS in a Kustomization (flux.md §4.6): which files are decrypted before the build, which objects after it, and
// the refusal of encrypted Secrets that reach the apply. Formats and keys are in sops/.
import type { KustomizationSpec } from '../api/kustomize/kustomization.ts';
import { decryptAnnotation } from '../api/meta/keys.ts';
import { CodedError, errorCode, errorMessage } from '../lib/errors.ts';
import type { FileTree } from '../lib/filetree.ts';
import { fromYaml } from '../lib/goyaml/sigs.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../lib/json.ts';
import { overlayFiles } from '../lib/overlay-tree.ts';
import { normalizeTreePath, resolveTreePath } from '../lib/tree-path.ts';
import { annotationsOf, formatObjectId, groupOf, type Manifest, namespaceOf, versionOf } from '../objects/manifest.ts';
import { prepareKustomization } from './generate.ts';
import { type DecryptionKeys, findDataKey } from './sops/data-key.ts';
import {
  detectFormat,
  emitPlain,
  formatForPath,
  formatNames,
  fromJsonValue,
  hasMarker,
  loadEncrypted,
  type SopsFormat,
  toJsonValue,
} from './sops/formats.ts';
import { decryptTree, type EncryptionRules, type SopsBranch, SopsError, sopsInvalid } from './sops/tree.ts';

/** Decryption failed. The message is Flux's, apart from its cause; it carries neither plaintext nor keys. */
export class DecryptError extends CodedError<'DecryptFailed', { readonly path?: string; readonly object?: string }> {}

/** Largest file that is decrypted. */
const MAX_FILE = 5 * 1024 * 1024;
const FILE_NAMES = ['kustomization.yaml', 'kustomization.yml', 'Kustomization'];

/**
 * Decrypts the files that the kustomizations of a build refer to: `secretGenerator` files and envs, paths of patches.
 * The plain files are laid over the tree; a tree without encrypted files comes back as it is. Throws DecryptError
 * `error decrypting sources: …`.
 */
export async function decryptSources(
  tree: FileTree,
  spec: KustomizationSpec,
  keys: DecryptionKeys,
  onPlain: (text: string) => void = () => {},
): Promise<FileTree> {
  const prepared = prepareKustomization(tree, spec);
  const plain = new Map<string, Uint8Array>();
  for (const [path, format] of referencedFiles(prepared.tree, prepared.target)) {
    const bytes = prepared.tree.read(path);
    if (bytes === undefined) continue;
    try {
      if (bytes.length > MAX_FILE) {
        throw new Error(`cannot decrypt file with size (${bytes.length} bytes) exceeding limit (${MAX_FILE})`);
      }
      if (hasMarker(bytes, format)) plain.set(path, await decryptFile(bytes, format, format, keys));
    } catch (error) {
      const message = `error decrypting sources: ${path}: ${errorMessage(error)}`;
      throw new DecryptError('DecryptFailed', message, { path }, { cause: error });
    }
  }
  for (const bytes of plain.values()) onPlain(Buffer.from(bytes).toString('utf8'));
  return plain.size === 0 ? tree : overlayFiles(tree, plain);
}

/** Files with the format that they are read in, of all kustomizations that can be reached without leaving the tree. */
function referencedFiles(tree: FileTree, target: string): Map<string, SopsFormat> {
  const files = new Map<string, SopsFormat>();
  const visited = new Set<string>();
  const pending = [target];
  for (let folder = pending.pop(); folder !== undefined; folder = pending.pop()) {
    if (visited.has(folder)) continue;
    visited.add(folder);
    const file = readKustomization(tree, folder);
    if (file === undefined) continue;
    for (const [reference, format] of fileReferences(file)) {
      const path = resolve(tree, folder, reference);
      if (path !== undefined && !files.has(path)) files.set(path, format);
    }
    for (const field of ['resources', 'components']) {
      for (const reference of textsOf(file[field])) {
        const path = resolve(tree, folder, reference);
        if (path !== undefined && (path === '' || tree.stat(path)?.kind === 'dir')) pending.push(path);
      }
    }
  }
  return files;
}

function fileReferences(file: JsonObject): [string, SopsFormat][] {
  const references: [string, SopsFormat][] = [];
  for (const generator of objectsOf(file['secretGenerator'])) {
    for (const source of textsOf(generator['files'])) {
      const equals = source.indexOf('=');
      const key = equals < 0 ? source : source.slice(0, equals);
      references.push([source.slice(equals + 1), formatForPath(key)]);
    }
    const single = generator['env'];
    for (const path of [...textsOf(generator['envs']), ...(typeof single === 'string' ? [single] : [])]) {
      const format = formatForPath(path);
      references.push([path, format === 'binary' ? 'dotenv' : format]);
    }
  }
  for (const patch of objectsOf(file['patches'])) {
    const path = patch['path'];
    if (typeof path === 'string' && path !== '' && !/^[a-z][a-z0-9+.-]*:\/\/[^/]/i.test(path)) {
      references.push([path, formatForPath(path)]);
    }
  }
  return references;
}

/** A reference as a path of the tree; undefined for what leads out of it: the build says what is wrong with that. */
function resolve(tree: FileTree, folder: string, reference: string): string | undefined {
  try {
    return resolveTreePath(tree, normalizeTreePath(reference, folder));
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
    return undefined;
  }
}

/** The kustomization file of a folder; one that cannot be read is the build's to complain about. */
function readKustomization(tree: FileTree, folder: string): JsonObject | undefined {
  for (const name of FILE_NAMES) {
    const bytes = tree.read(folder === '' ? name : `${folder}/${name}`);
    if (bytes === undefined) continue;
    try {
      const value = fromYaml(Buffer.from(bytes).toString('utf8'));
      return isJsonObject(value) ? value : undefined;
    } catch (error) {
      if (errorCode(error) === undefined) throw error;
      return undefined;
    }
  }
  return undefined;
}

function textsOf(value: JsonValue | undefined): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}

function objectsOf(value: JsonValue | undefined): JsonObject[] {
  return Array.isArray(value) ? value.filter(isJsonObject) : [];
}

/**
 * Decrypts built objects: whole ones that carry `sops`, and values of Secrets that are encrypted files. Throws
 * DecryptError `decryption failed for 'Secret.v1.[noGrp]/name': …`.
 */
export async function decryptObjects(objects: readonly JsonObject[], keys: DecryptionKeys): Promise<JsonObject[]> {
  const results: JsonObject[] = [];
  for (const object of objects) {
    try {
      results.push(await decryptObject(object, keys));
    } catch (error) {
      const name = describe(object);
      const message = `decryption failed for '${name}': ${errorMessage(error)}`;
      throw new DecryptError('DecryptFailed', message, { object: name }, { cause: error });
    }
  }
  return results;
}

async function decryptObject(object: JsonObject, keys: DecryptionKeys): Promise<JsonObject> {
  if (isDisabled(object)) return object;
  const { sops, kind } = object;
  const where = `'${nameOf(object, 'namespace')}/${nameOf(object, 'name')}'`;
  if (isJsonObject(sops) && sops['mac'] !== undefined && sops['mac'] !== '') {
    return withContext(`failed to decrypt and format ${where} ${String(kind)} data`, async () => {
      const { sops: _sops, ...rest } = object;
      const key = await findDataKey(sops, keys);
      const tree = withTreeContext(() => decryptTree(fromJsonValue(rest) as SopsBranch, rulesOf(sops), key));
      return toJsonValue(tree) as JsonObject;
    });
  }
  const { data } = object;
  if (kind !== 'Secret' || !isJsonObject(data)) return object;
  const entries: [string, JsonValue][] = [];
  for (const [key, value] of Object.entries(data)) {
    const bytes = typeof value === 'string' ? decodeBase64(value) : undefined;
    const format = bytes === undefined ? undefined : detectFormat(bytes);
    if (bytes === undefined || format === undefined) entries.push([key, value]);
    else {
      const plain = await withContext(`failed to decrypt and format ${where} Secret field '${key}'`, () =>
        decryptFile(bytes, format, formatForPath(key), keys),
      );
      entries.push([key, Buffer.from(plain).toString('base64')]);
    }
  }
  return { ...object, data: Object.fromEntries(entries) };
}

/** Bytes of a base64 text; undefined when it is none, which shows when the object is applied. */
function decodeBase64(text: string): Uint8Array | undefined {
  const plain = text.replaceAll(/[\r\n]/g, '');
  return /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(plain)
    ? Buffer.from(plain, 'base64')
    : undefined;
}

/** Decrypts one file, from one format to another. Throws SopsError. */
export async function decryptFile(
  bytes: Uint8Array,
  from: SopsFormat,
  to: SopsFormat,
  keys: DecryptionKeys,
): Promise<Uint8Array> {
  const file = withContextSync(`failed to load encrypted ${formatNames[from]} data`, () => loadEncrypted(bytes, from));
  const key = await findDataKey(file.metadata, keys);
  const rules = rulesOf(file.metadata);
  const branches = withTreeContext(() => file.branches.map((branch) => decryptTree(branch, rules, key)));
  const what = `failed to emit encrypted ${formatNames[from]} file as decrypted ${formatNames[to]}`;
  return withContextSync(what, () => emitPlain(branches, to));
}

function withTreeContext<T>(run: () => T): T {
  return withContextSync('error decrypting sops tree', run);
}

function withContextSync<T>(context: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw inContext(context, error);
  }
}

async function withContext<T>(context: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw inContext(context, error);
  }
}

function inContext(context: string, error: unknown): unknown {
  if (error instanceof RangeError) return sopsInvalid(`${context}: it is nested too deeply`);
  if (!(error instanceof SopsError)) return error;
  return new SopsError(error.code, `${context}: ${error.message}`, {}, { cause: error });
}

/** Without any rule, values are encrypted unless their key ends in `_unencrypted`. */
function rulesOf(metadata: JsonObject): EncryptionRules {
  const text = (field: string): string => {
    const value = metadata[field];
    return typeof value === 'string' ? value : '';
  };
  const rules = {
    unencryptedSuffix: text('unencrypted_suffix'),
    encryptedSuffix: text('encrypted_suffix'),
    unencryptedRegex: text('unencrypted_regex'),
    encryptedRegex: text('encrypted_regex'),
    unencryptedCommentRegex: text('unencrypted_comment_regex'),
    encryptedCommentRegex: text('encrypted_comment_regex'),
  };
  const hasRule = Object.values(rules).some((rule) => rule !== '');
  return hasRule ? rules : { ...rules, unencryptedSuffix: '_unencrypted' };
}

/** The refusal of an encrypted Secret that is about to be applied; undefined when the object may be. */
export function sopsRefusal(object: Manifest): string | undefined {
  const isEncrypted = object.kind === 'Secret' && object.apiVersion === 'v1' && Object.hasOwn(object, 'sops');
  if (!isEncrypted || annotationsOf(object)[decryptAnnotation]?.toLowerCase() === 'disabled') return undefined;
  const { kind, metadata } = object;
  const id = formatObjectId({ kind, namespace: namespaceOf(object), name: metadata.name });
  return `${id} is SOPS encrypted, configuring decryption is required for this secret to be reconciled`;
}

function isDisabled(object: JsonObject): boolean {
  const { metadata } = object;
  const annotations = isJsonObject(metadata) ? metadata['annotations'] : undefined;
  const value = isJsonObject(annotations) ? annotations[decryptAnnotation] : undefined;
  return typeof value === 'string' && value.toLowerCase() === 'disabled';
}

function nameOf(object: JsonObject, field: 'name' | 'namespace'): string {
  const { metadata } = object;
  const value = isJsonObject(metadata) ? metadata[field] : undefined;
  return typeof value === 'string' ? value : '';
}

function describe(object: JsonObject): string {
  const apiVersion = String(object['apiVersion'] ?? '');
  const group = groupOf(apiVersion) || '[noGrp]';
  return `${String(object['kind'])}.${versionOf(apiVersion)}.${group}/${nameOf(object, 'name')}`;
}
