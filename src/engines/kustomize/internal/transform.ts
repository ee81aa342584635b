// Owns the plain transformers: names, namespace, labels, annotations, images and replica counts.
import type { YamlNode } from '../../../lib/goyaml/node.ts';
import { createNode } from '../../../lib/goyaml/node.ts';
import { BuildError, buildError, wrapError } from '../errors.ts';
import { applyFieldSpec, applyFieldSpecs, createSpecIndex, type FieldSpec, type FieldWriter } from './fieldspec.ts';
import type { ReplicaEntry } from './kustomization-fields.ts';
import {
  elementsOf,
  fieldOf,
  isNilOrEmpty,
  isNull,
  lookup,
  lookupCreate,
  nodeValue,
  requireKind,
  scalarNode,
  setField,
  setScalar,
  TAG_STR,
} from './node.ts';
import { resourceJsonText } from './output.ts';
import { compareText, formatGvk, type Gvk, isSelectedByGvk } from './resid.ts';
import { createClashCounter, type ResMap, touch, withCurrentId, withName } from './resmap.ts';
import {
  addPrefix,
  addSuffix,
  allIds,
  annotation,
  annotationOf,
  apiVersionTextOf,
  currentId,
  isGone,
  kindOf,
  originalId,
  storePreviousId,
} from './resource.ts';

/** A configured step that changes the resources of a build. */
export type Transformer = (map: ResMap) => void;

const NEVER_RENAMED: readonly Gvk[] = [
  { group: '', version: '', kind: 'CustomResourceDefinition' },
  { group: 'apiregistration.k8s.io', version: '', kind: 'APIService' },
  { group: '', version: '', kind: 'Namespace' },
];

/** Puts a text before or behind the names that the specs mean. */
export function renameTransformer(where: 'prefix' | 'suffix', text: string, specs: readonly FieldSpec[]): Transformer {
  const writer: FieldWriter = {
    createKind: 'scalar',
    createTag: TAG_STR,
    set: (node) => setScalar(node, scalarNode(where === 'prefix' ? text + node.value : node.value + text)),
  };
  return (map) => {
    for (const resource of [...map.resources]) {
      const id = originalId(resource);
      if (NEVER_RENAMED.some((type) => isSelectedByGvk(id, type))) continue;
      for (const spec of specs) {
        if (!isSelectedByGvk(id, spec)) continue;
        if (spec.path === 'metadata/name' && text !== '') {
          if (where === 'prefix') addPrefix(resource.node!, text);
          else addSuffix(resource.node!, text);
          storePreviousId(resource);
        }
        applyFieldSpec(resource.node!, spec, writer);
      }
    }
    touch(map);
  };
}

/** Sets labels or annotations at the places that the specs mean. */
export function entriesTransformer(entries: ReadonlyMap<string, string>, specs: readonly FieldSpec[]): Transformer {
  const keys = [...entries.keys()].sort(compareText);
  return (map) => {
    if (keys.length === 0) return;
    const specsFor = createSpecIndex(specs);
    for (const resource of map.resources) {
      const root = resource.node!;
      for (const key of keys) applyFieldSpecs(root, specsFor(root), entryWriter(key, entries.get(key)!));
    }
    touch(map);
  };
}

/** Writes one entry of a map; all places of one object share the node, as in the reference. */
function entryWriter(key: string, value: string): FieldWriter {
  const shared = createNode('scalar', TAG_STR, value);
  return {
    createKind: 'mapping',
    createTag: '!!map',
    set: (node) => {
      setField(node, key, shared);
    },
  };
}

const SUBJECT_MODES = ['defaultOnly', 'none', 'allServiceAccounts'] as const;
export type SubjectMode = (typeof SUBJECT_MODES)[number];

/** Checks the mode of a NamespaceTransformer; '' is the default. */
export function parseSubjectMode(text: string): SubjectMode {
  if (text === '') return 'defaultOnly';
  const mode = SUBJECT_MODES.find((one) => one === text);
  if (mode !== undefined) return mode;
  throw buildError(
    `invalid value "${text}" for setRoleBindingSubjects: must be one of "defaultOnly", "none" or "allServiceAccounts"`,
  );
}

export interface NamespaceOptions {
  readonly specs: readonly FieldSpec[];
  /** Only fills what is blank. */
  readonly unsetOnly: boolean;
  readonly subjects: SubjectMode;
}

/** Sets the namespace of everything that can have one. */
export function namespaceTransformer(namespace: string, options: NamespaceOptions): Transformer {
  return (map) => {
    if (namespace === '') return;
    const clashes = createClashCounter(map);
    const write = createNamespaceWriter(namespace, options);
    for (const resource of [...map.resources]) {
      if (isGone(resource) || annotationOf(resource.node, annotation.helmGenerated) === 'true') continue;
      clashes.forget(resource);
      storePreviousId(resource);
      write(resource.node!, currentId(resource).clusterScoped);
      if (clashes.learn(resource) !== 1) {
        const matches = withCurrentId(map, currentId(resource)).map(resourceJsonText);
        throw buildError(`namespace transformation produces ID conflict: [${matches.join(' ')}]`);
      }
    }
    touch(map);
  };
}

const ownNamespace: FieldSpec = { group: '', version: '', kind: '', path: 'metadata/namespace', create: true };

/** Writes a namespace to one object at a time. */
export function createNamespaceWriter(
  namespace: string,
  { specs, unsetOnly, subjects }: NamespaceOptions,
): (root: YamlNode, clusterScoped: boolean) => void {
  const set = (node: YamlNode): void => {
    if (unsetOnly && !isNilOrEmpty(node) && node.kind === 'scalar' && nodeValue(node) !== '') return;
    setScalar(node, createNode('scalar', TAG_STR, namespace));
  };
  const isBinding = (kind: string): boolean => kind === 'RoleBinding' || kind === 'ClusterRoleBinding';
  const general = specs.filter((spec) => spec.path !== 'metadata/namespace');
  return (root, clusterScoped) => {
    if (!clusterScoped) applyFieldSpec(root, ownNamespace, { createKind: 'scalar', set });
    let used = apiVersionTextOf(root) === 'v1' ? general : general.filter((spec) => spec.path !== 'metadata/name');
    if (isBinding(kindOf(root))) {
      used = used.filter((spec) => !(isBinding(spec.kind) && spec.path === 'subjects/namespace'));
      setSubjectNamespaces(root, subjects, set);
    }
    try {
      applyFieldSpecs(root, used, { createKind: 'scalar', createTag: TAG_STR, set });
    } catch (error) {
      const wrongKind =
        error instanceof BuildError && error.code === 'WrongNodeKind' && error.data.actualKind !== 'scalar';
      throw wrapError(
        error,
        wrongKind ? 'namespace field specs must target scalar nodes' : 'namespace transformation failed',
      );
    }
  };
}

function setSubjectNamespaces(root: YamlNode, mode: SubjectMode, set: (node: YamlNode) => void): void {
  if (mode === 'none') return;
  const [field, wanted] = mode === 'defaultOnly' ? ['name', 'default'] : ['kind', 'ServiceAccount'];
  const subjects = lookup(root, ['subjects']);
  if (isNull(subjects)) return;
  try {
    for (const subject of elementsOf(subjects)) {
      const node = lookup(subject, [field!]);
      requireKind(node, 'scalar');
      if (isNull(node) || node!.value !== wanted) continue;
      set(lookupCreate(subject, ['namespace'], 'scalar')!);
    }
  } catch (error) {
    throw wrapError(error, 'setting namespace on (cluster)role binding subjects');
  }
}

/** Sets replica counts of the resources that have, or ever had, the name. */
export function replicasTransformer({ name, count }: ReplicaEntry, specs: readonly FieldSpec[]): Transformer {
  const writer: FieldWriter = {
    createKind: 'scalar',
    createTag: '!!int',
    set: (node) => setScalar(node, createNode('scalar', '!!int', String(count))),
  };
  return (map) => {
    let found = false;
    for (const spec of specs) {
      for (const resource of withName(map, name)) {
        if (!allIds(resource).some((id) => id.name === name && isSelectedByGvk(id, spec))) continue;
        found = true;
        applyFieldSpec(resource.node!, spec, writer);
      }
    }
    if (found) return;
    const types = specs.map(formatGvk).join(' ');
    throw buildError(`resource with name ${name} does not match a config with the following GVK [${types}]`);
  };
}

/** True for types whose images are never touched. */
export function isCrd(node: YamlNode): boolean {
  return nodeValue(fieldOf(node, 'kind')) === 'CustomResourceDefinition';
}
