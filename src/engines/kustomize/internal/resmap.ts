// Owns the ordered set of resources of a build: ids are unique, lookups by id are indexed. Whoever changes ids of
// members says so with `touch`.
import { buildError } from '../errors.ts';
import { mergeDataFrom } from './configmap-data.ts';
import { resourceJsonText } from './output.ts';
import {
  effectiveNamespace,
  formatResId,
  formatResIdGo,
  gvkEquals,
  type ResId,
  resIdEquals,
  resIdKey,
} from './resid.ts';
import {
  allIds,
  annotation,
  annotationOf,
  currentId,
  inheritMetadata,
  isGone,
  metadataMap,
  type Resource,
  setMetadataMap,
} from './resource.ts';

/** Ordered resources with unique ids. */
export interface ResMap {
  resources: Resource[];
  /** Current id → how many members have it; undefined when it has to be built again. */
  byId: Map<string, number> | undefined;
  /** Name in any id → members that have or had it, in order. */
  byName: Map<string, Resource[]> | undefined;
}

export function createResMap(resources: readonly Resource[] = []): ResMap {
  const map: ResMap = { resources: [], byId: undefined, byName: undefined };
  for (const resource of resources) append(map, resource);
  return map;
}

/** To be called when ids of members may have changed. */
export function touch(map: ResMap): void {
  map.byId = undefined;
  map.byName = undefined;
}

function idIndex(map: ResMap): Map<string, number> {
  if (map.byId === undefined) {
    map.byId = new Map();
    for (const resource of map.resources) {
      const key = resIdKey(currentId(resource));
      map.byId.set(key, (map.byId.get(key) ?? 0) + 1);
    }
  }
  return map.byId;
}

function nameIndex(map: ResMap): Map<string, Resource[]> {
  if (map.byName === undefined) {
    map.byName = new Map();
    for (const resource of map.resources) indexNames(map.byName, resource);
  }
  return map.byName;
}

function indexNames(index: Map<string, Resource[]>, resource: Resource): void {
  if (isGone(resource)) return;
  for (const name of new Set(allIds(resource).map((id) => id.name))) {
    const list = index.get(name);
    if (list === undefined) index.set(name, [resource]);
    else list.push(resource);
  }
}

/** Members that have or had this name. */
export function withName(map: ResMap, name: string): readonly Resource[] {
  return nameIndex(map).get(name) ?? [];
}

/** Members of which the current or a previous id equals this one. */
function withAnyId(map: ResMap, id: ResId): readonly Resource[] {
  return withName(map, id.name).filter((resource) => allIds(resource).some((other) => resIdEquals(id, other)));
}

export function append(map: ResMap, resource: Resource): void {
  const id = currentId(resource);
  const key = resIdKey(id);
  const index = idIndex(map);
  if (index.has(key)) {
    throw buildError(`may not add resource with an already registered id: ${formatResId(id)}`);
  }
  index.set(key, 1);
  if (map.byName !== undefined) indexNames(map.byName, resource);
  map.resources.push(resource);
}

export function appendAll(map: ResMap, resources: readonly Resource[]): void {
  for (const resource of resources) append(map, resource);
}

/** Drops what patches emptied; fails when the ids of the rest clash. */
export function rebuild(map: ResMap): void {
  const { resources } = map;
  map.resources = [];
  touch(map);
  appendAll(
    map,
    resources.filter((resource) => !isGone(resource)),
  );
}

/** Drops resources without content. */
export function dropEmpties(map: ResMap): void {
  if (!map.resources.some(isGone)) return;
  map.resources = map.resources.filter((resource) => !isGone(resource));
  touch(map);
}

/** The one member that a patch's id means. */
export function getById(map: ResMap, id: ResId): Resource {
  const found = withAnyId(map, id);
  if (found.length === 1) return found[0]!;
  const text = formatResId(id);
  throw buildError(
    `${found.length > 1 ? 'multiple' : 'no'} matches for Id ${text}; failed to find unique target for patch ${text}`,
  );
}

/** Adds what a generator made: new, or merged into or put in place of the member with that id. */
export function absorbAll(map: ResMap, resources: readonly Resource[]): void {
  for (const resource of resources) absorb(map, resource);
}

function absorb(map: ResMap, resource: Resource): void {
  const id = currentId(resource);
  const behavior = annotationOf(resource.node, annotation.generatorBehavior) ?? '';
  const replaces = behavior === 'merge' || behavior === 'replace';
  const matches = withAnyId(map, id);
  if (matches.length === 0) {
    if (replaces) throw buildError(`id ${formatResIdGo(id)} does not exist; cannot merge or replace`);
    append(map, resource);
    return;
  }
  if (matches.length > 1) {
    const texts = matches.map(resourceJsonText).join(' ');
    throw buildError(`found multiple objects [${texts}] that could accept merge of ${formatResId(id)}`);
  }
  if (!replaces) {
    const word = behavior === 'create' ? 'create' : 'unspecified';
    throw buildError(
      `id ${formatResIdGo(id)} exists; can not use behavior: '${word}', behavior must be merge or replace`,
    );
  }
  const older = matches[0]!;
  const origin = annotationOf(older.node, annotation.origin);
  inheritMetadata(resource, older);
  if (behavior === 'merge') {
    mergeDataFrom(resource.node!, older.node!);
    if (origin !== undefined) {
      const annotations = metadataMap(resource.node, 'annotations');
      annotations.set(annotation.origin, origin);
      setMetadataMap(resource.node!, 'annotations', annotations);
    }
  }
  // The new content goes into the old member: its ids are the same, so the indexes stay right.
  older.node = resource.node;
  older.refVarNames = resource.refVarNames;
}

/** True when exactly one member has the current id of this resource. Counts, so that a loop over all stays linear. */
export function createClashCounter(map: ResMap): {
  /** To be called before a member's id changes. */
  forget(resource: Resource): void;
  /** To be called after; answers how many members have its id now. */
  learn(resource: Resource): number;
} {
  const counts = new Map(idIndex(map));
  return {
    forget: (resource) => {
      const key = resIdKey(currentId(resource));
      counts.set(key, (counts.get(key) ?? 1) - 1);
    },
    learn: (resource) => {
      const key = resIdKey(currentId(resource));
      const count = (counts.get(key) ?? 0) + 1;
      counts.set(key, count);
      return count;
    },
  };
}

/** Members whose current id equals this one. */
export function withCurrentId(map: ResMap, id: ResId): readonly Resource[] {
  return map.resources.filter((resource) => {
    const other = currentId(resource);
    return other.name === id.name && gvkEquals(other, id) && effectiveNamespace(other) === effectiveNamespace(id);
  });
}
