// Owns the kustomization file that a build begins with: the folder's own or a generated one, with the fields of the
// Kustomization object merged in (flux.md §4.5). Building it is kustomization.ts.
import type { Json6902Operation, KustomizationSpec } from '../api/kustomize/kustomization.ts';
import { errorMessage } from '../lib/errors.ts';
import type { FileTree } from '../lib/filetree.ts';
import { parseDocuments } from '../lib/goyaml/parse.ts';
import { fromYaml, toYaml } from '../lib/goyaml/sigs.ts';
import { nodeToValue } from '../lib/goyaml/value.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../lib/json.ts';
import { overlayFiles } from '../lib/overlay-tree.ts';
import { normalizeTreePath, resolveTreePath } from '../lib/tree-path.ts';
import { RenderError } from './render-error.ts';

const FILE_NAMES = ['kustomization.yaml', 'kustomization.yml', 'Kustomization'] as const;

/** A tree whose folder `target` has the kustomization file to build. */
export interface PreparedTree {
  readonly tree: FileTree;
  readonly target: string;
}

/**
 * Lays the kustomization file over the tree. Throws `RenderError`: `PathNotFound` when the folder is not there,
 * `GenerateFailed` when its files are not manifests.
 */
export function prepareKustomization(tree: FileTree, spec: KustomizationSpec): PreparedTree {
  const target = findTarget(tree, spec.path ?? '');
  const existing = findFile(tree, target);
  const file = existing === undefined ? generateFile(tree, target) : readFile(tree, existing);
  mergeSpec(file, spec, tree, target);
  const path = existing ?? join(target, FILE_NAMES[0]);
  return { tree: overlayFiles(tree, { [path]: toYaml(file) }), target };
}

function findTarget(tree: FileTree, path: string): string {
  const target = resolveTarget(tree, path);
  const kind = target === '' ? 'dir' : tree.stat(target)?.kind;
  if (kind === 'dir') return target;
  const problem = kind === undefined ? `stat ${path}: no such file or directory` : `${path} is not a directory`;
  throw new RenderError('PathNotFound', `kustomization path not found: ${problem}`, { path });
}

function resolveTarget(tree: FileTree, path: string): string {
  try {
    return resolveTreePath(tree, normalizeTreePath(path));
  } catch (error) {
    const message = `kustomization path not found: ${errorMessage(error)}`;
    throw new RenderError('PathNotFound', message, { path }, { cause: error });
  }
}

function findFile(tree: FileTree, folder: string): string | undefined {
  return FILE_NAMES.map((name) => join(folder, name)).find((path) => tree.stat(path)?.kind === 'file');
}

function readFile(tree: FileTree, path: string): JsonObject {
  let value: JsonValue;
  try {
    value = fromYaml(Buffer.from(tree.read(path)!).toString('utf8'));
  } catch (error) {
    throw new RenderError(
      'GenerateFailed',
      `failed to decode ${path}: ${errorMessage(error)}`,
      { path },
      { cause: error },
    );
  }
  if (value !== null && !isJsonObject(value)) {
    throw new RenderError('GenerateFailed', `failed to decode ${path}: it is not a mapping`, { path });
  }
  const file: JsonObject = { ...(value ?? {}) };
  // Kustomize refuses a file without resources; with a build metadata option it yields nothing instead.
  const resources = file['resources'];
  if (!Array.isArray(resources) || resources.length === 0) file['buildMetadata'] ??= ['originAnnotations'];
  return file;
}

/** The file for a folder that has none: every manifest below it, folders with a file of their own as one. */
function generateFile(tree: FileTree, target: string): JsonObject {
  const resources: string[] = [];
  const walk = (folder: string): void => {
    for (const entry of tree.list(folder) ?? []) {
      const path = join(folder, entry.name);
      if (entry.kind === 'dir') {
        if (findFile(tree, path) === undefined) walk(path);
        else resources.push(relative(target, path));
      } else if (entry.kind === 'file' && /\.ya?ml$/.test(entry.name)) {
        checkManifests(tree, path);
        resources.push(relative(target, path));
      }
    }
  };
  walk(target);
  const file: JsonObject = { apiVersion: 'kustomize.config.k8s.io/v1beta1', kind: 'Kustomization' };
  // A file without anything would fail the build; a placeholder makes it yield no objects.
  return resources.length === 0 ? { ...file, namespace: '_placeholder' } : { ...file, resources };
}

/** Refuses a file whose documents are no Kubernetes objects: the build would fail later, with less said. */
function checkManifests(tree: FileTree, path: string): void {
  const fail = (problem: string, cause?: unknown): never => {
    const message = `failed to decode Kubernetes YAML from ${path}: ${problem}`;
    throw new RenderError('GenerateFailed', message, { path }, { cause });
  };
  let documents: JsonValue[] = [];
  try {
    documents = parseDocuments(Buffer.from(tree.read(path)!).toString('utf8')).map(nodeToValue);
  } catch (error) {
    fail(`MalformedYAMLError: ${errorMessage(error)}`, error);
  }
  for (const document of documents) {
    if (document === null) continue;
    if (!isJsonObject(document) || typeof document['kind'] !== 'string' || document['kind'] === '') {
      fail('missing Resource metadata');
    }
    const object = document as JsonObject;
    const isList = (object['kind'] as string).endsWith('List');
    const metadata = object['metadata'];
    if (!isList && !isJsonObject(metadata)) fail('missing Resource metadata');
  }
}

/** Merges the fields of the object into the file, as the reference does: some replace, some are appended. */
function mergeSpec(file: JsonObject, spec: KustomizationSpec, tree: FileTree, target: string): void {
  if (spec.targetNamespace) file['namespace'] = spec.targetNamespace;
  if (spec.namePrefix) file['namePrefix'] = spec.namePrefix;
  if (spec.nameSuffix) file['nameSuffix'] = spec.nameSuffix;
  if (spec.buildMetadata !== undefined) file['buildMetadata'] = [...spec.buildMetadata];
  append(file, 'patches', (spec.patches ?? []).map(toPatch));
  append(
    file,
    'patchesStrategicMerge',
    (spec.patchesStrategicMerge ?? []).map((patch) => toYaml(patch as JsonValue)),
  );
  append(
    file,
    'patchesJson6902',
    (spec.patchesJson6902 ?? []).map((item) => ({
      patch: toYaml(item.patch.map(toOperation)),
      target: item.target as unknown as JsonObject,
    })),
  );
  append(file, 'components', findComponents(spec, tree, target));
  mergeImages(file, spec);
}

function append(file: JsonObject, key: string, items: readonly JsonValue[]): void {
  if (items.length === 0) return;
  const own = file[key];
  file[key] = [...(Array.isArray(own) ? own : []), ...items];
}

function toPatch(patch: NonNullable<KustomizationSpec['patches']>[number]): JsonObject {
  return patch.target === undefined
    ? { patch: patch.patch }
    : { patch: patch.patch, target: patch.target as unknown as JsonObject };
}

function toOperation(operation: Json6902Operation): JsonObject {
  return operation as unknown as JsonObject;
}

function findComponents(spec: KustomizationSpec, tree: FileTree, target: string): string[] {
  const components = spec.components ?? [];
  for (const component of components) {
    if (/^[a-z]+:\/\/|^\/|@|^[\w.-]+:/.test(component)) {
      throw new RenderError('GenerateFailed', `component path '${component}' must be local and relative`, {
        path: component,
      });
    }
  }
  if (spec.ignoreMissingComponents !== true) return [...components];
  return components.filter((component) => tree.stat(normalizeTreePath(component, target)) !== undefined);
}

/** Images by name: a new name overrides alone; a new tag or digest replaces both. */
function mergeImages(file: JsonObject, spec: KustomizationSpec): void {
  const own = file['images'];
  const images = Array.isArray(own) ? own.map((image) => (isJsonObject(image) ? { ...image } : image)) : [];
  for (const { name, newName, newTag, digest } of spec.images ?? []) {
    let image = images.find((item): item is JsonObject => isJsonObject(item) && item['name'] === name);
    if (image === undefined) images.push((image = { name }));
    if (newName) image['newName'] = newName;
    if (!newTag && !digest) continue;
    delete image['newTag'];
    delete image['digest'];
    if (newTag) image['newTag'] = newTag;
    if (digest) image['digest'] = digest;
  }
  if (images.length > 0) file['images'] = images;
}

function join(folder: string, name: string): string {
  return folder === '' ? name : `${folder}/${name}`;
}

function relative(folder: string, path: string): string {
  return `./${folder === '' ? path : path.slice(folder.length + 1)}`;
}
