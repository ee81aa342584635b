// Owns the patch transformers: telling strategic merges from JSON patches, finding targets, and applying both kinds.
import { goQuote } from '../../../lib/goquote.ts';
import { isJsonObject, parseJson } from '../../../lib/json.ts';
import { applyJsonPatch, type JsonPatchOperation, parseJsonPatch } from '../../../lib/jsonpatch.ts';
import { buildError, wrapError } from '../errors.ts';
import { stringifyGoJson } from './go-json.ts';
import type { PatchEntry, Selector } from './kustomization-fields.ts';
import { type MergeContext, mergePatch } from './merge.ts';
import { formatSelector, selectResources } from './pattern.ts';
import { readResourceFile, readResources } from './read.ts';
import { formatResId } from './resid.ts';
import { getById, type ResMap, rebuild, touch } from './resmap.ts';
import {
  annotation,
  copyResource,
  enable,
  gvkOf,
  identityText,
  inheritMetadata,
  internalAnnotations,
  isEnabled,
  isGone,
  kindOf,
  metadataMap,
  nameOf,
  namespaceOf,
  originalId,
  type Resource,
  setGvk,
  setKind,
  setMetadataMap,
  setName,
  setNamespace,
  storePreviousId,
} from './resource.ts';
import type { Scopes } from './scope.ts';
import type { Transformer } from './transform.ts';
import { convertYaml, jsonToNode, nodeToJson } from './yaml.ts';

/** What patches are read and applied with. */
export interface PatchContext {
  readonly load: (path: string) => string;
  readonly loadBytes: (path: string) => Uint8Array;
  readonly scopes: Scopes;
  readonly schemas: MergeContext;
}

/** Merges a patch into a resource; kind, name and namespace are put back unless the patch may change them. */
function applyMergePatch(resource: Resource, patch: Resource, schemas: MergeContext): void {
  const node = resource.node!;
  const [name, namespace, kind] = [nameOf(node), namespaceOf(node), kindOf(node)];
  const mayRename = isEnabled(patch.node, annotation.allowNameChange);
  const mayRetype = isEnabled(patch.node, annotation.allowKindChange);
  if (mayRename || mayRetype) storePreviousId(resource);
  if (!mergePatch(node, patch.node!, schemas)) resource.node = undefined;
  if (isGone(resource)) return;
  if (!mayRetype) setKind(node, kind);
  if (!mayRename) setName(node, name);
  setNamespace(node, namespace);
}

/** Applies one patch to several resources; it takes on each one's type, and its own labels lose their nulls. */
function applyToSelected(map: ResMap, selected: readonly Resource[], patch: Resource, schemas: MergeContext): void {
  let changed = false;
  for (const resource of selected) {
    const copy = copyResource(patch);
    inheritMetadata(copy, patch);
    setGvk(copy.node!, gvkOf(resource.node));
    setKind(copy.node!, kindOf(patch.node));
    const before = identityText(resource);
    applyMergePatch(resource, copy, schemas);
    changed ||= isGone(resource) || identityText(resource) !== before;
  }
  // Ids that did not change cannot clash.
  if (changed) rebuild(map);
}

function applyJson(resource: Resource, patch: readonly JsonPatchOperation[]): void {
  const node = resource.node!;
  const kept = internalAnnotations(node);
  const value = applyJsonPatch(nodeToJson(node), patch);
  if (!isJsonObject(value)) {
    throw buildError('json: cannot unmarshal array into Go value of type map[string]interface {}');
  }
  resource.node = jsonToNode(value);
  setMetadataMap(resource.node, 'annotations', new Map([...metadataMap(resource.node, 'annotations'), ...kept]));
}

/** Operations of a JSON patch: JSON when it begins with `[`, else the first document of YAML. */
function parseOperations(text: string): readonly JsonPatchOperation[] {
  if (text === '') throw buildError('empty json patch operations');
  return parseJsonPatch(text.startsWith('[') ? parseStrictJson(text) : convertYaml(text));
}

function parseStrictJson(text: string): ReturnType<typeof parseJson> {
  try {
    return parseJson(text);
  } catch {
    throw buildError('invalid character in JSON patch');
  }
}

function attempt<T>(work: () => T): { readonly value: T } | { readonly error: unknown } {
  try {
    return { value: work() };
  } catch (error) {
    return { error };
  }
}

/** A `patches` entry. `config` is the entry as YAML, which some faults show. */
export function patchTransformer(entry: PatchEntry, config: string, context: PatchContext): Transformer {
  const { target, options } = entry;
  const { text, source } = patchText(entry, config, context);
  const merge = attempt(() => readResources(text, context.scopes));
  if ('value' in merge) {
    const patches = merge.value;
    for (const patch of patches) {
      if (options?.allowNameChange === true) enable(patch.node!, annotation.allowNameChange);
      if (options?.allowKindChange === true) enable(patch.node!, annotation.allowKindChange);
    }
    if (patches.length === 0) return () => {};
    if (target !== undefined) return mergeIntoTarget(patches, target, source, context);
    return (map) => mergeEach(map, patches, context);
  }
  // What reads as resources is no list of operations, so the other reading is tried only now.
  const json = attempt(() => parseOperations(text));
  if (!('value' in json)) throw buildError(`unable to parse SM or JSON patch from ${source}`);
  const operations = json.value;
  return (map) => {
    if (target === undefined) throw buildError(`must specify a target for JSON patch ${source}`);
    for (const resource of selectResources(map.resources, target)) {
      storePreviousId(resource);
      applyJson(resource, operations);
    }
    touch(map);
  };
}

function patchText(
  entry: PatchEntry,
  config: string,
  context: PatchContext,
): { readonly text: string; readonly source: string } {
  const inline = entry.patch.trim();
  if (inline === '' && entry.path === '') throw buildError(`must specify one of patch and path in\n${config}`);
  if (inline !== '' && entry.path !== '') throw buildError(`patch and path can't be set at the same time\n${config}`);
  if (inline !== '') return { text: inline, source: `[patch: ${goQuote(inline)}]` };
  try {
    return { text: context.load(entry.path), source: `[path: ${goQuote(entry.path)}]` };
  } catch (error) {
    throw wrapError(error, `failed to get the patch file from path(${entry.path})`);
  }
}

function mergeIntoTarget(
  patches: readonly Resource[],
  target: Selector,
  source: string,
  context: PatchContext,
): Transformer {
  return (map) => {
    if (patches.length > 1) {
      throw buildError(
        `Multiple Strategic-Merge Patches in one \`patches\` entry is not allowed to set \`patches.target\` field: ${source}`,
      );
    }
    let selected: readonly Resource[];
    try {
      selected = selectResources(map.resources, target);
    } catch (error) {
      throw wrapError(error, `unable to find patch target ${goQuote(formatSelector(target))} in \`resources\``);
    }
    applyToSelected(map, selected, patches[0]!, context.schemas);
  };
}

function mergeEach(map: ResMap, patches: readonly Resource[], context: PatchContext): void {
  for (const patch of patches) {
    const id = originalId(patch);
    let target: Resource;
    try {
      target = getById(map, id);
    } catch (error) {
      throw wrapError(error, `no resource matches strategic merge patch ${goQuote(formatResId(id))}`);
    }
    const before = identityText(target);
    applyMergePatch(target, patch, context.schemas);
    // A deleted resource stays until the transformer is done, and is found no more.
    if (isGone(target) || identityText(target) !== before) touch(map);
  }
}

/** `patchesStrategicMerge`: each entry is YAML or, failing that, a path. */
export function strategicMergeTransformer(
  entries: readonly string[],
  inline: string,
  context: PatchContext,
): Transformer {
  if (entries.length === 0 && inline === '') throw buildError('empty file path and empty patch content');
  const patches = entries.flatMap((entry) => {
    const read = attempt(() => readResources(entry, context.scopes));
    return 'value' in read ? read.value : readResourceFile(context.loadBytes(entry), entry, context.scopes);
  });
  if (inline !== '') patches.push(...readResources(inline, context.scopes));
  if (patches.length === 0) {
    throw buildError(`patch appears to be empty; files=[${entries.join(' ')}], Patch=${inline}`);
  }
  return (map) => {
    for (const patch of patches) applyToSelected(map, [getById(map, originalId(patch))], patch, context.schemas);
  };
}

/** `patchesJson6902`. */
export function json6902Transformer(
  entry: { readonly target: Selector | undefined; readonly path: string; readonly jsonOp: string },
  context: PatchContext,
): Transformer {
  const { target, path } = entry;
  if (target === undefined || target.name === '') throw buildError('must specify the target name');
  if (path === '' && entry.jsonOp === '') throw buildError('empty file path and empty jsonOp');
  if (path !== '' && entry.jsonOp !== '') throw buildError('must specify a file path or jsonOp, not both');
  let text = entry.jsonOp;
  if (path !== '') {
    text = context.load(path);
    if (text === '') throw buildError(`patch file '${path}' empty seems to be empty`);
  }
  const value = text.startsWith('[') ? parseStrictJson(text) : convertYaml(text);
  let operations: readonly JsonPatchOperation[];
  try {
    operations = parseJsonPatch(value);
  } catch (error) {
    throw wrapError(error, `decoding ${stringifyGoJson(value)}`);
  }
  if (operations.length === 0) throw buildError(`patch appears to be empty; file=${path}, JsonOp=${text}`);
  return (map) => {
    for (const resource of selectResources(map.resources, target)) applyJson(resource, operations);
    touch(map);
  };
}
