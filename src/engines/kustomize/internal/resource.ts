// Owns one resource of a build: its node, its ids now and before, and the build's own annotations on it. The
// annotations live in the node because patches, selectors and replacements see them there, as in the reference.
import type { YamlNode } from '../../../lib/goyaml/node.ts';
import { buildError } from '../errors.ts';
import {
  clearField,
  copyNode,
  fieldOf,
  isNilOrEmpty,
  isNull,
  lookupCreate,
  nodeValue,
  scalarNode,
  setField,
  setMetadataEntry,
  stringNode,
} from './node.ts';
import { apiVersionOf, effectiveNamespace, type Gvk, parseApiVersion, type ResId } from './resid.ts';
import type { Scopes } from './scope.ts';

/** A resource on its way through the build. */
export interface Resource {
  /** Undefined once a patch deleted the whole object. */
  node: YamlNode | undefined;
  readonly scopes: Scopes;
  /** Names of the variables that take their value from here. */
  refVarNames: string[];
  /** Ids of the resources whose references led here; shown in one error only, never written to the node. */
  readonly referredBy: string[];
}

const INTERNAL = 'internal.config.kubernetes.io/';
/** The build's own annotations. */
export const annotation = {
  previousKinds: `${INTERNAL}previousKinds`,
  previousNames: `${INTERNAL}previousNames`,
  previousNamespaces: `${INTERNAL}previousNamespaces`,
  prefixes: `${INTERNAL}prefixes`,
  suffixes: `${INTERNAL}suffixes`,
  refBy: `${INTERNAL}refBy`,
  generatorBehavior: `${INTERNAL}generatorBehavior`,
  needsHashSuffix: `${INTERNAL}needsHashSuffix`,
  allowNameChange: `${INTERNAL}allowNameChange`,
  allowKindChange: `${INTERNAL}allowKindChange`,
  helmGenerated: `${INTERNAL}helm-generated`,
  origin: 'config.kubernetes.io/origin',
  transformations: 'alpha.config.kubernetes.io/transformations',
  localConfig: 'config.kubernetes.io/local-config',
} as const;

const ENABLED = 'enabled';
const LEGACY_INTERNAL = ['config.kubernetes.io/path', 'config.kubernetes.io/index', 'config.k8s.io/id'];

/** Annotations that never reach the output. */
export const buildAnnotations: readonly string[] = [
  annotation.previousKinds,
  annotation.previousNames,
  annotation.prefixes,
  annotation.suffixes,
  annotation.previousNamespaces,
  annotation.allowNameChange,
  annotation.allowKindChange,
  annotation.refBy,
  annotation.generatorBehavior,
  annotation.needsHashSuffix,
  `${INTERNAL}path`,
  `${INTERNAL}index`,
  `${INTERNAL}seqindent`,
  `${INTERNAL}id`,
  `${INTERNAL}annotations-migration-resource-id`,
  ...LEGACY_INTERNAL,
  annotation.helmGenerated,
];

export function createResource(node: YamlNode, scopes: Scopes): Resource {
  return { node, scopes, refVarNames: [], referredBy: [] };
}

export function copyResource(resource: Resource): Resource {
  const copy = createResource(copyNode(resource.node!), resource.scopes);
  copy.refVarNames = [...resource.refVarNames];
  return copy;
}

export function isGone(resource: Resource): boolean {
  return isNilOrEmpty(resource.node);
}

function metadataOf(node: YamlNode | undefined): YamlNode | undefined {
  const metadata = fieldOf(node, 'metadata');
  return isNilOrEmpty(metadata) ? undefined : metadata;
}

function metadataText(node: YamlNode | undefined, field: string): string {
  const value = fieldOf(metadataOf(node), field);
  return isNilOrEmpty(value) ? '' : value!.value;
}

export function kindOf(node: YamlNode | undefined): string {
  return fieldOf(node, 'kind')?.value ?? '';
}

export function apiVersionTextOf(node: YamlNode | undefined): string {
  return fieldOf(node, 'apiVersion')?.value ?? '';
}

export function nameOf(node: YamlNode | undefined): string {
  return metadataText(node, 'name');
}

export function namespaceOf(node: YamlNode | undefined): string {
  return metadataText(node, 'namespace');
}

export function gvkOf(node: YamlNode | undefined): Gvk {
  const { group, version } = parseApiVersion(apiVersionTextOf(node));
  return { group, version, kind: kindOf(node) };
}

/** Labels or annotations as text by key; of double keys the last counts. */
export function metadataMap(node: YamlNode | undefined, field: 'labels' | 'annotations'): Map<string, string> {
  const result = new Map<string, string>();
  const content = fieldOf(metadataOf(node), field)?.content ?? [];
  for (let i = 0; i + 1 < content.length; i += 2) result.set(content[i]!.value, content[i + 1]!.value);
  return result;
}

/** One annotation, or undefined. */
export function annotationOf(node: YamlNode | undefined, key: string): string | undefined {
  return fieldOf(fieldOf(metadataOf(node), 'annotations'), key)?.value;
}

/** Replaces all labels or annotations: values become strings, an empty map removes the field, metadata is made. */
export function setMetadataMap(
  node: YamlNode,
  field: 'labels' | 'annotations',
  entries: ReadonlyMap<string, string>,
): void {
  const metadata = lookupCreate(node, ['metadata'], 'mapping');
  clearField(metadata, field);
  if (entries.size === 0 || metadata === undefined) return;
  const map = lookupCreate(metadata, [field], 'mapping');
  if (map === undefined) return;
  const content: YamlNode[] = [];
  for (const key of [...entries.keys()].sort()) content.push(scalarNode(key), stringNode(entries.get(key)!));
  map.content = content;
}

export function setName(node: YamlNode, name: string): void {
  const metadata = lookupCreate(node, ['metadata'], 'mapping');
  if (metadata !== undefined) setField(metadata, 'name', scalarNode(name));
}

export function setNamespace(node: YamlNode, namespace: string): void {
  if (namespace === '') {
    clearField(lookupCreate(node, ['metadata'], undefined), 'namespace');
    return;
  }
  const metadata = lookupCreate(node, ['metadata'], 'mapping');
  if (metadata !== undefined) setField(metadata, 'namespace', scalarNode(namespace));
}

export function setKind(node: YamlNode, kind: string): void {
  setField(node, 'kind', scalarNode(kind));
}

export function setGvk(node: YamlNode, gvk: Gvk): void {
  setKind(node, gvk.kind);
  setField(node, 'apiVersion', scalarNode(apiVersionOf(gvk)));
}

/** The id as it stands in the node now. */
export function currentId(resource: Resource): ResId {
  const { node } = resource;
  const apiVersion = apiVersionTextOf(node);
  const { group, version } = parseApiVersion(apiVersion);
  const kind = kindOf(node);
  const clusterScoped = resource.scopes.isClusterScoped(apiVersion, kind);
  return { group, version, kind, name: nameOf(node), namespace: namespaceOf(node), clusterScoped };
}

/** Ids the resource had before it was renamed, oldest first. They have today's group and version. */
export function previousIds(node: YamlNode | undefined): readonly ResId[] {
  const annotations = fieldOf(metadataOf(node), 'annotations');
  const names = fieldOf(annotations, annotation.previousNames)?.value.split(',');
  if (names === undefined) return [];
  const namespaces = (fieldOf(annotations, annotation.previousNamespaces)?.value ?? '').split(',');
  const kinds = (fieldOf(annotations, annotation.previousKinds)?.value ?? '').split(',');
  if (names.length !== namespaces.length || names.length !== kinds.length) {
    throw buildError('number of previous names, number of previous namespaces, number of previous kinds not equal');
  }
  const { group, version } = parseApiVersion(apiVersionTextOf(node));
  return names.map((name, index) => ({
    group,
    version,
    kind: kinds[index]!,
    name,
    namespace: namespaces[index]!,
    clusterScoped: false,
  }));
}

/** The oldest id. */
export function originalId(resource: Resource): ResId {
  const annotations = fieldOf(metadataOf(resource.node), 'annotations');
  const names = fieldOf(annotations, annotation.previousNames)?.value;
  if (names === undefined) return currentId(resource);
  const { group, version } = parseApiVersion(apiVersionTextOf(resource.node));
  return {
    group,
    version,
    kind: firstOf(fieldOf(annotations, annotation.previousKinds)?.value ?? ''),
    name: firstOf(names),
    namespace: firstOf(fieldOf(annotations, annotation.previousNamespaces)?.value ?? ''),
    clusterScoped: false,
  };
}

function firstOf(list: string): string {
  const comma = list.indexOf(',');
  return comma < 0 ? list : list.slice(0, comma);
}

/** Previous ids, then the current one. */
export function allIds(resource: Resource): readonly ResId[] {
  return [...previousIds(resource.node), currentId(resource)];
}

function listAnnotation(node: YamlNode | undefined, key: string): readonly string[] {
  return annotationOf(node, key)?.split(',') ?? [];
}

function appendToAnnotation(node: YamlNode, key: string, value: string): void {
  if (value === '') return;
  const current = annotationOf(node, key);
  setMetadataEntry(node, 'annotations', key, current === undefined ? value : `${current},${value}`);
}

/** Remembers the current id, before the name, namespace or kind changes. */
export function storePreviousId(resource: Resource): void {
  const id = currentId(resource);
  const node = resource.node!;
  appendToAnnotation(node, annotation.previousNames, id.name);
  appendToAnnotation(node, annotation.previousNamespaces, effectiveNamespace(id));
  appendToAnnotation(node, annotation.previousKinds, id.kind);
}

export function addPrefix(node: YamlNode, prefix: string): void {
  appendToAnnotation(node, annotation.prefixes, prefix);
}

export function addSuffix(node: YamlNode, suffix: string): void {
  appendToAnnotation(node, annotation.suffixes, suffix);
}

export function prefixesOf(node: YamlNode | undefined): readonly string[] {
  return listAnnotation(node, annotation.prefixes);
}

export function suffixesOf(node: YamlNode | undefined): readonly string[] {
  return listAnnotation(node, annotation.suffixes);
}

export function isEnabled(node: YamlNode | undefined, key: string): boolean {
  return annotationOf(node, key) === ENABLED;
}

export function enable(node: YamlNode, key: string): void {
  const annotations = metadataMap(node, 'annotations');
  annotations.set(key, ENABLED);
  setMetadataMap(node, 'annotations', annotations);
}

/** The annotations that a JSON patch may not lose. */
export function internalAnnotations(node: YamlNode): ReadonlyMap<string, string> {
  const result = new Map<string, string>();
  const annotations = fieldOf(metadataOf(node), 'annotations');
  if (annotations?.kind !== 'mapping') return result;
  for (const [key] of metadataMap(node, 'annotations')) {
    if (key.startsWith(INTERNAL) || LEGACY_INTERNAL.includes(key))
      result.set(key, nodeValue(fieldOf(annotations, key)));
  }
  return result;
}

/**
 * Takes name, namespace, labels and annotations over from an older version of the resource. Own labels and annotations
 * win, the build's own annotations come from the older one, and a hash is wanted only when both want it.
 */
export function inheritMetadata(resource: Resource, older: Resource): void {
  const node = resource.node!;
  const mine = metadataMap(node, 'annotations');
  const labels = new Map([...metadataMap(older.node, 'labels'), ...metadataMap(node, 'labels')]);
  setMetadataMap(node, 'labels', labels);
  const theirs = metadataMap(older.node, 'annotations');
  const merged = new Map([...theirs, ...mine]);
  for (const key of buildAnnotations) {
    const inherited = theirs.get(key);
    if (inherited === undefined) merged.delete(key);
    else merged.set(key, inherited);
  }
  if (!mine.has(annotation.needsHashSuffix)) merged.delete(annotation.needsHashSuffix);
  setMetadataMap(node, 'annotations', merged);
  setName(node, nameOf(older.node));
  setNamespace(node, namespaceOf(older.node));
  resource.refVarNames = [...older.refVarNames];
}

/** Text of everything that ids depend on; two equal texts mean that no id changed. */
export function identityText(resource: Resource): string {
  const { node } = resource;
  if (isNull(node)) return '';
  const annotations = fieldOf(metadataOf(node), 'annotations');
  const previous = fieldOf(annotations, annotation.previousNames)?.value ?? '';
  const namespaces = fieldOf(annotations, annotation.previousNamespaces)?.value ?? '';
  const kinds = fieldOf(annotations, annotation.previousKinds)?.value ?? '';
  return `${apiVersionTextOf(node)}\0${kindOf(node)}\0${nameOf(node)}\0${namespaceOf(node)}\0${previous}\0${namespaces}\0${kinds}`;
}
