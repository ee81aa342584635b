// Owns making ConfigMaps and Secrets, and the hash suffix of their names.
import { createHash } from 'node:crypto';
import { createNode, type YamlNode } from '../../../lib/goyaml/node.ts';
import type { JsonObject, JsonValue } from '../../../lib/json.ts';
import { isJsonObject } from '../../../lib/json.ts';
import { buildError } from '../errors.ts';
import { loadConfigMapData, loadSecretData } from './configmap-data.ts';
import { stringifyGoJson } from './go-json.ts';
import type { GeneratorArgs, GeneratorOptions } from './kustomization-fields.ts';
import { loadPairs } from './kv.ts';
import { lookup, scalarNode, setField, setMetadataEntry, stringNode } from './node.ts';
import { annotation, createResource, enable, kindOf, metadataMap, type Resource, setMetadataMap } from './resource.ts';
import type { Scopes } from './scope.ts';
import { nodeToJson } from './yaml.ts';

export type GeneratedKind = 'ConfigMap' | 'Secret';

/** Makes the object that a generator entry describes. */
export function generateObject(
  kind: GeneratedKind,
  args: GeneratorArgs,
  context: { readonly load: (path: string) => Uint8Array; readonly scopes: Scopes },
): Resource {
  if (args.name === '') throw buildError('a configmap must have a name');
  const metadata = [scalarNode('name'), stringNode(args.name)];
  if (args.namespace !== '') metadata.push(scalarNode('namespace'), stringNode(args.namespace));
  const root = createNode('mapping', '!!map', '', [
    scalarNode('apiVersion'),
    stringNode('v1'),
    scalarNode('kind'),
    stringNode(kind),
    scalarNode('metadata'),
    createNode('mapping', '', '', metadata),
  ]);
  const data = loadPairs(args, context.load);
  if (kind === 'Secret') {
    setField(root, 'type', stringNode(args.type || 'Opaque'));
    loadSecretData(root, data);
  } else {
    loadConfigMapData(root, data);
  }
  applyOptions(root, args.options);
  if (args.options?.disableNameSuffixHash !== true) enable(root, annotation.needsHashSuffix);
  const annotations = metadataMap(root, 'annotations');
  annotations.set(annotation.generatorBehavior, behaviorWord(args.behavior));
  setMetadataMap(root, 'annotations', annotations);
  return createResource(root, context.scopes);
}

function behaviorWord(text: string): string {
  return text === 'replace' || text === 'merge' || text === 'create' ? text : 'unspecified';
}

function applyOptions(root: YamlNode, options: GeneratorOptions | undefined): void {
  if (options === undefined) return;
  for (const field of ['labels', 'annotations'] as const) {
    const entries = options[field];
    for (const key of [...entries.keys()].sort()) setMetadataEntry(root, field, key, entries.get(key)!);
  }
  if (options.immutable) setField(root, 'immutable', createNode('scalar', '!!bool', 'true'));
}

/** Options of one entry with the file's `generatorOptions` below them. */
export function mergeGeneratorOptions(
  own: GeneratorOptions | undefined,
  common: GeneratorOptions | undefined,
): GeneratorOptions | undefined {
  if (common === undefined) return own;
  return {
    labels: new Map([...common.labels, ...(own?.labels ?? [])]),
    annotations: new Map([...common.annotations, ...(own?.annotations ?? [])]),
    disableNameSuffixHash: common.disableNameSuffixHash || own?.disableNameSuffixHash === true,
    immutable: common.immutable || own?.immutable === true,
  };
}

/** The suffix of a generated object's name. */
export function hashSuffix(node: YamlNode): string {
  const content = kindOf(node) === 'Secret' ? hashedSecret(node) : hashedConfigMap(node);
  const hex = createHash('sha256').update(stringifyGoJson(content)).digest('hex').slice(0, 10);
  return hex.replace(/[013ae]/g, (digit) => HASH_LETTERS[digit]!);
}

/** Digits that could spell words or be mistaken for letters. */
const HASH_LETTERS: Readonly<Record<string, string>> = { 0: 'g', 1: 'h', 3: 'k', a: 'm', e: 't' };

// `name` is always empty: the reference looks it up under a path that no object has.
function hashedConfigMap(node: YamlNode): JsonObject {
  const binary = hashedField(node, 'binaryData');
  const content: JsonObject = { kind: 'ConfigMap', name: '', data: hashedField(node, 'data') };
  return isJsonObject(binary) ? { ...content, binaryData: binary } : content;
}

function hashedSecret(node: YamlNode): JsonObject {
  const strings = hashedField(node, 'stringData');
  const content: JsonObject = {
    kind: 'Secret',
    type: hashedField(node, 'type'),
    name: '',
    data: hashedField(node, 'data'),
  };
  return isJsonObject(strings) ? { ...content, stringData: strings } : content;
}

function hashedField(node: YamlNode, field: string): JsonValue {
  const value = lookup(node, [field]);
  if (value === undefined) return '';
  if (value.kind === 'scalar') return value.value;
  const json = nodeToJson(value);
  return isJsonObject(json) ? json : null;
}
