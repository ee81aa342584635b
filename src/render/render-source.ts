// Owns one Kustomization's whole way from files to objects: decrypt, build, decrypt again, substitute, label. Plain data
// in, plain data out, so that it runs on the event loop and in a worker thread alike; the loop around what a build misses
// is offload/renderer.ts.
import { createHash } from 'node:crypto';
import type { Kustomization } from '../api/kustomize/kustomization.ts';
import type { Fetched, Missing } from '../engines/kustomize/missing.ts';
import type { FileTree } from '../lib/filetree.ts';
import { isJsonObject, type JsonObject, type JsonValue, stringifyJson } from '../lib/json.ts';
import type { Manifest } from '../objects/manifest.ts';
import { createMask } from '../objects/redact.ts';
import { decryptObjects, decryptSources } from './decrypt.ts';
import { type AgeSecret, decryptionSecret, type InputReference, type Inputs, inputKey } from './inputs.ts';
import { buildObjects, labelObjects } from './kustomization.ts';
import { RenderError } from './render-error.ts';
import { type DecryptionKeys, readDecryptionKeys } from './sops/data-key.ts';
import { collectVariables, type SubstitutionVariables, substituteObjects, unreadableSource } from './substitute.ts';

/** What a build made of a source. */
export interface RenderedObjects {
  readonly objects: readonly Manifest[];
  /** `sha256:<hex>` of what was built. */
  readonly digest: string;
  /** Values that must not be shown to anybody. */
  readonly secrets: readonly string[];
}

/** The objects, or what has to be fetched before the build can go on. */
export type SourceRender =
  | { readonly state: 'built'; readonly rendered: RenderedObjects }
  | { readonly state: 'missing'; readonly missing: readonly Missing[] };

/** What is the same for all builds of a process. */
export interface RenderSettings {
  /** Refuse variables that are not set (gate StrictPostBuildSubstitutions). */
  readonly strict: boolean;
  readonly ageSecret: AgeSecret;
}

/** How one build is made. */
interface RenderOptions {
  readonly settings: RenderSettings;
  readonly fetched?: Fetched | undefined;
}

/** Builds once. Throws the errors of this room; nothing that was decrypted is in their messages. */
export async function renderSource(
  tree: FileTree,
  object: Kustomization,
  inputs: Inputs,
  options: RenderOptions,
): Promise<SourceRender> {
  const plain: string[] = [];
  try {
    return await render(tree, object, inputs, options, plain);
  } catch (error) {
    if (error instanceof Error) error.message = createMask(plain)(error.message);
    throw error;
  }
}

/** @param plain takes what is decrypted on the way */
async function render(
  tree: FileTree,
  object: Kustomization,
  inputs: Inputs,
  { settings, fetched }: RenderOptions,
  plain: string[],
): Promise<SourceRender> {
  // Nothing is waited for where nothing is decrypted: such a build is one synchronous piece, and can be timed.
  const keys = object.spec?.decryption === undefined ? undefined : await readKeys(object, inputs, settings.ageSecret);
  const onPlain = (text: string) => plain.push(text, ...valuesOfLines(text));
  const source = keys === undefined ? tree : await decryptSources(tree, object.spec!, keys, onPlain);
  const built = buildObjects(source, object, fetched);
  if (built.state === 'missing') return built;
  const decrypted = keys === undefined ? built.objects : await decryptObjects(built.objects, keys);
  plain.push(...changedTexts(built.objects, decrypted));
  const variables = readVariables(object, inputs);
  const always = object.spec!.postBuild?.substituteStrategy === 'Always';
  const substituted =
    variables === undefined ? decrypted : substituteObjects(decrypted, { variables, strict: settings.strict, always });
  const objects = labelObjects(substituted, object);
  const text = substituted === built.objects ? built.yaml : stringifyJson(substituted);
  const digest = `sha256:${createHash('sha256').update(text).digest('hex')}`;
  return { state: 'built', rendered: { objects, digest, secrets: [...secretValues(objects, variables), ...plain] } };
}

/** What stands behind `=` or `:` in the lines of a decrypted file: messages quote values without their names. */
function valuesOfLines(text: string): string[] {
  return text.split('\n').flatMap((line) => {
    const at = line.search(/[=:]/);
    const value = at < 0 ? '' : line.slice(at + 1).trim();
    return value.length < 4 ? [] : [value, value.replace(/^["']|["']$/g, '')];
  });
}

/** Texts that decryption put in the place of others. */
function changedTexts(before: JsonValue | undefined, after: JsonValue): string[] {
  if (before === after) return [];
  if (typeof after === 'string') return [after];
  if (Array.isArray(after)) {
    const old = Array.isArray(before) ? before : [];
    return after.flatMap((item, index) => changedTexts(old[index], item));
  }
  if (!isJsonObject(after)) return [];
  const old = isJsonObject(before) ? before : {};
  return Object.entries(after).flatMap(([key, value]) => changedTexts(Object.hasOwn(old, key) ? old[key] : '', value));
}

async function readKeys(object: Kustomization, inputs: Inputs, ageSecret: AgeSecret): Promise<DecryptionKeys> {
  const data = new Map<string, Uint8Array>();
  const reference = decryptionSecret(object, ageSecret);
  if (reference !== undefined) {
    const secret = expectInput(reference, object, inputs);
    for (const [key, value] of Object.entries((secret['data'] ?? {}) as JsonObject)) {
      // The Secret of all holds age keys alone.
      const isWanted = reference.namespace === undefined || key.endsWith('.agekey');
      if (isWanted && typeof value === 'string') data.set(key, Buffer.from(value, 'base64'));
    }
  }
  return readDecryptionKeys(data);
}

function expectInput(reference: InputReference, object: Kustomization, inputs: Inputs): JsonObject {
  const found = inputs.get(inputKey(reference));
  if (found !== undefined) return found;
  const name = `${reference.namespace ?? object.metadata.namespace}/${reference.name}`;
  throw new RenderError('BuildFailed', `cannot get decryption Secret '${name}': ${notFound(reference)}`, {});
}

function notFound({ kind, name }: InputReference): string {
  return `${kind === 'Secret' ? 'secrets' : 'configmaps'} "${name}" not found`;
}

function readVariables(object: Kustomization, inputs: Inputs): SubstitutionVariables | undefined {
  const { postBuild } = object.spec!;
  if (postBuild === undefined) return undefined;
  const sources = (postBuild.substituteFrom ?? []).map((reference) => {
    const found = inputs.get(inputKey(reference));
    if (found === undefined && reference.optional !== true) {
      throw unreadableSource(reference, new Error(notFound(reference)));
    }
    return { reference, object: found };
  });
  return collectVariables(sources, postBuild.substitute);
}

/** Values that must not leave in messages: those of Secrets that are applied, and of Secrets that were substituted. */
function secretValues(objects: readonly Manifest[], variables: SubstitutionVariables | undefined): readonly string[] {
  const values = new Set(variables?.secretValues ?? []);
  for (const object of objects) {
    if (object.kind !== 'Secret' || object.apiVersion !== 'v1') continue;
    for (const field of ['data', 'stringData']) {
      for (const value of Object.values((object[field] ?? {}) as JsonObject)) {
        if (typeof value !== 'string') continue;
        values.add(value);
        if (field === 'data') values.add(Buffer.from(value, 'base64').toString('utf8'));
      }
    }
  }
  return [...values];
}
