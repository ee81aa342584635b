// Owns garbage collection by ownerReferences: dependents of absent owners go, foreground deletion waits for them, orphan
// deletion cuts them loose. Works from the store's changes and an index of dependents by owner uid.
import { type Core, systemWrite } from '../core.ts';
import type { KubeObject, ObjectMeta, OwnerReference } from '../object.ts';
import { parseApiVersion, type Resource } from '../registry.ts';
import { ApiError } from '../rest/errors.ts';
import { patchObject } from '../rest/mutate.ts';
import { bodyFault } from '../rest/prepare.ts';
import { isReleased, removeObject } from '../rest/remove.ts';
import { type Change, type Entry, keyOf } from '../storage/storage.ts';

const FOREGROUND = 'foregroundDeletion';
const ORPHAN = 'orphan';

const OWNERS = '"ownerReferences"';
const DELETED = '"deletionTimestamp"';

/** Looks in the text: after a restart most objects need not be parsed for it. */
function mentions(entry: Entry, field: string): boolean {
  return entry.json.includes(field);
}

interface Dependent {
  readonly resource: Resource;
  readonly key: string;
}

/** Starts collecting. Returns a function that stops it. */
export function startGarbageCollector(core: Core, later: (task: () => void) => void): () => void {
  /** Dependents by owner uid, each under `collection key`. */
  const dependents = new Map<string, Map<string, Dependent>>();
  const stops: (() => void)[] = [];
  const watched = new Set<string>();

  const index = (resource: Resource, object: KubeObject, add: boolean): void => {
    const key = keyOf(object.metadata.namespace ?? '', object.metadata.name);
    for (const { uid } of object.metadata.ownerReferences ?? []) {
      let group = dependents.get(uid);
      if (group === undefined) dependents.set(uid, (group = new Map()));
      if (add) group.set(`${resource.collection} ${key}`, { resource, key });
      else group.delete(`${resource.collection} ${key}`);
      if (group.size === 0) dependents.delete(uid);
    }
  };
  const collector: Collector = { core, dependents };
  const onChange = (resource: Resource, change: Change): void => {
    if (change.previous?.object.metadata.ownerReferences) index(resource, change.previous.object, false);
    const { object, key } = change.entry;
    if (change.type !== 'DELETED') {
      if (object.metadata.ownerReferences) {
        index(resource, object, true);
        later(() => checkOwners(collector, resource, key));
      }
      if (object.metadata.deletionTimestamp) later(() => checkDeletion(collector, resource, key));
      return;
    }
    const { uid } = object.metadata;
    if (uid && dependents.has(uid)) later(() => collectDependents(collector, uid));
    for (const owner of object.metadata.ownerReferences ?? [])
      later(() => checkOwnerDeletion(collector, owner, object.metadata.namespace ?? ''));
  };
  const watchAll = (): void => {
    for (const resource of core.registry.all()) {
      if (watched.has(resource.collection) || !resource.verbs.includes('watch')) continue;
      watched.add(resource.collection);
      for (const entry of core.storage.list(resource.collection)) {
        if (mentions(entry, OWNERS) && entry.object.metadata.ownerReferences) index(resource, entry.object, true);
      }
      stops.push(core.storage.subscribe(resource.collection, (change) => onChange(resource, change)));
      // Owners may have gone while nobody collected: before a restart, before the CRD was served.
      later(() => sweep(collector, resource));
    }
  };
  watchAll();
  stops.push(core.storage.subscribe('apiextensions.k8s.io/customresourcedefinitions', () => later(watchAll)));
  return () => {
    for (const stop of stops) stop();
  };
}

interface Collector {
  readonly core: Core;
  readonly dependents: ReadonlyMap<string, ReadonlyMap<string, Dependent>>;
}

function sweep(collector: Collector, resource: Resource): void {
  for (const entry of collector.core.storage.list(resource.collection)) {
    if (!mentions(entry, OWNERS) && !mentions(entry, DELETED)) continue;
    const { object, key } = entry;
    if (object.metadata.ownerReferences) checkOwners(collector, resource, key);
    if (object.metadata.deletionTimestamp) checkDeletion(collector, resource, key);
  }
}

/** The live owner that a reference means; 'unknown' when its kind is not served, so nobody can tell. */
function findOwner(core: Core, owner: OwnerReference, namespace: string): KubeObject | 'absent' | 'unknown' {
  const { group } = parseApiVersion(owner.apiVersion);
  const resource = core.registry.findKind(group, owner.kind);
  if (resource === undefined) return 'unknown';
  const found = core.storage.get(resource.collection, keyOf(resource.namespaced ? namespace : '', owner.name))?.object;
  return found?.metadata.uid === owner.uid ? found : 'absent';
}

/** Deletes an object all of whose owners are gone; drops references to those that are. */
function checkOwners({ core }: Collector, resource: Resource, key: string): void {
  const object = core.storage.get(resource.collection, key)?.object;
  const owners = object?.metadata.ownerReferences;
  if (object === undefined || owners === undefined || owners.length === 0 || object.metadata.deletionTimestamp) return;
  const namespace = object.metadata.namespace ?? '';
  const states = owners.map((owner) => ({ owner, found: findOwner(core, owner, namespace) }));
  const solid = states.filter(({ found }) => found !== 'absent' && !isWaiting(found));
  if (solid.length > 0) {
    const left = states.filter(({ found }) => found !== 'absent').map(({ owner }) => owner);
    if (left.length < owners.length) writeMeta(core, resource, key, { ownerReferences: left });
    return;
  }
  const waiting = states.some(({ found }) => isWaiting(found));
  // Below an owner deleted in the foreground the dependents go in the foreground too.
  const policy = waiting || (object.metadata.finalizers ?? []).includes(FOREGROUND) ? 'Foreground' : 'Background';
  removeObject(core, resource, { namespace, name: object.metadata.name }, { propagationPolicy: policy });
}

function isWaiting(found: KubeObject | 'absent' | 'unknown'): boolean {
  return (
    typeof found === 'object' &&
    found.metadata.deletionTimestamp !== undefined &&
    (found.metadata.finalizers ?? []).includes(FOREGROUND)
  );
}

function collectDependents(collector: Collector, uid: string): void {
  for (const { resource, key } of [...(collector.dependents.get(uid)?.values() ?? [])])
    checkOwners(collector, resource, key);
}

/** An object that is going and waits for its dependents: orphans them, or deletes them and goes when they are gone. */
function checkDeletion(collector: Collector, resource: Resource, key: string): void {
  const { core } = collector;
  const object = core.storage.get(resource.collection, key)?.object;
  if (object?.metadata.deletionTimestamp === undefined) return;
  const finalizers = object.metadata.finalizers ?? [];
  const uid = object.metadata.uid ?? '';
  if (finalizers.includes(ORPHAN)) {
    for (const dependent of [...(collector.dependents.get(uid)?.values() ?? [])]) disown(core, dependent, uid);
    dropFinalizer(core, resource, key, ORPHAN);
  } else if (finalizers.includes(FOREGROUND)) {
    const group = [...(collector.dependents.get(uid)?.values() ?? [])];
    for (const dependent of group) checkOwners(collector, dependent.resource, dependent.key);
    const blocking = group.some((dependent) => blocks(core, dependent, uid));
    if (!blocking) dropFinalizer(core, resource, key, FOREGROUND);
  }
}

function blocks(core: Core, { resource, key }: Dependent, uid: string): boolean {
  const owners = core.storage.get(resource.collection, key)?.object.metadata.ownerReferences ?? [];
  return owners.some((owner) => owner.uid === uid && owner.blockOwnerDeletion === true);
}

function checkOwnerDeletion(collector: Collector, owner: OwnerReference, namespace: string): void {
  const { group } = parseApiVersion(owner.apiVersion);
  const resource = collector.core.registry.findKind(group, owner.kind);
  if (resource) checkDeletion(collector, resource, keyOf(resource.namespaced ? namespace : '', owner.name));
}

function disown(core: Core, { resource, key }: Dependent, uid: string): void {
  const owners = core.storage.get(resource.collection, key)?.object.metadata.ownerReferences ?? [];
  writeMeta(core, resource, key, { ownerReferences: owners.filter((owner) => owner.uid !== uid) });
}

function dropFinalizer(core: Core, resource: Resource, key: string, finalizer: string): void {
  const finalizers = core.storage.get(resource.collection, key)?.object.metadata.finalizers ?? [];
  writeMeta(core, resource, key, { finalizers: finalizers.filter((name) => name !== finalizer) });
}

/** Writes metadata as the collector of a real cluster does: like any client, so that ownership follows. */
function writeMeta(
  core: Core,
  resource: Resource,
  key: string,
  change: Partial<Pick<ObjectMeta, 'ownerReferences' | 'finalizers'>>,
): void {
  const live = core.storage.get(resource.collection, key)?.object;
  const version = resource.versions.get(resource.storageVersion) ?? [...resource.versions.values()][0];
  if (live === undefined || version === undefined) return;
  const { namespace = '', name } = live.metadata;
  const write = systemWrite({ resource, version, namespace, name }, 'kube-controller-manager');
  const changed = (object: KubeObject): KubeObject => ({ ...object, metadata: { ...object.metadata, ...change } });
  try {
    patchObject(core, write, changed, bodyFault(write));
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    // Stored under other rules than those of today: it is let go all the same.
    const next = changed(live);
    if (isReleased(next)) core.storage.remove(resource.collection, key);
    else core.storage.put(resource.collection, key, next);
  }
}
