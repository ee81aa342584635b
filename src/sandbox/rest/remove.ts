// Owns deleting: preconditions, finalizers, graceful deletion and the final removal. Deleting dependents is gc/.
import type { Core } from '../core.ts';
import { timestamp } from '../core.ts';
import { isRecord, type KubeObject, readPath } from '../object.ts';
import type { Resource } from '../registry.ts';
import { rulesOf } from '../schema/kinds.ts';
import { keyOf } from '../storage/storage.ts';
import { conflict, notFound } from './errors.ts';

export interface RemoveOptions {
  readonly propagationPolicy?: 'Background' | 'Foreground' | 'Orphan';
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly gracePeriodSeconds?: number;
  readonly dryRun?: boolean;
}

export interface Removed {
  /** The object as it is now or, when gone, as it last was. */
  readonly object: KubeObject;
  /** True when it is gone, false when finalizers or a grace period hold it. */
  readonly gone: boolean;
}

const FOREGROUND = 'foregroundDeletion';
const ORPHAN = 'orphan';

/** Deletes one object. Throws ApiError 404 or, for preconditions, 409. */
export function removeObject(
  core: Core,
  resource: Resource,
  place: { namespace: string; name: string },
  options: RemoveOptions = {},
): Removed {
  const named = { group: resource.group, resource: resource.plural };
  const key = keyOf(place.namespace, place.name);
  const entry = core.storage.get(resource.collection, key);
  if (entry === undefined) throw notFound(named, place.name);
  checkPreconditions(resource, entry.object, options);
  const marked = markDeleted(core, resource, entry.object, options);
  if (options.dryRun) return { object: marked, gone: !isHeld(marked) };
  if (isHeld(marked)) {
    if (marked === entry.object) return { object: marked, gone: false };
    const stored = core.storage.put(resource.collection, key, marked);
    return { object: stored.object, gone: false };
  }
  const last = core.storage.remove(resource.collection, key)?.object ?? entry.object;
  if (!rulesOf(resource).graceful) return { object: last, gone: true };
  // Kinds that are stopped gently say when, even where it is at once.
  const { generation, deletionTimestamp = timestamp(core.now()) } = last.metadata;
  const counted = generation === undefined || last.metadata.deletionTimestamp ? {} : { generation: generation + 1 };
  const metadata = { ...last.metadata, deletionTimestamp, deletionGracePeriodSeconds: 0, ...counted };
  return { object: { ...last, metadata }, gone: true };
}

function checkPreconditions(resource: Resource, { metadata }: KubeObject, options: RemoveOptions): void {
  // Here the API server names the kind where elsewhere it names the resource.
  const named = { group: resource.group, resource: resource.kind };
  if (options.uid !== undefined && options.uid !== metadata.uid) {
    const why = `the UID in the precondition (${options.uid}) does not match the UID in record (${metadata.uid}). The object might have been deleted and then recreated`;
    throw conflict(named, metadata.name, why);
  }
  if (options.resourceVersion !== undefined && options.resourceVersion !== metadata.resourceVersion) {
    const why = `the ResourceVersion in the precondition (${options.resourceVersion}) does not match the ResourceVersion in record (${metadata.resourceVersion}). The object might have been modified`;
    throw conflict(named, metadata.name, why);
  }
}

/** The object with what its deletion writes: time, grace period, the finalizer of the propagation policy. */
function markDeleted(core: Core, resource: Resource, object: KubeObject, options: RemoveOptions): KubeObject {
  const own = rulesOf(resource).deletion;
  const added = own && !object.metadata.deletionTimestamp ? [own.finalizer] : [];
  const present = (object.metadata.finalizers ?? []).filter((name) => !added.includes(name));
  const finalizers = withPropagation([...present, ...added], options.propagationPolicy);
  const grace = gracePeriod(resource, object, options);
  const before = object.metadata;
  const held = finalizers.length > 0 || grace > 0 || hasSpecFinalizers(object);
  if (!held) return { ...object, metadata: { ...before, deletionGracePeriodSeconds: 0 } };
  const sameFinalizers = finalizers.length === (before.finalizers ?? []).length;
  if (before.deletionTimestamp && sameFinalizers && grace >= (before.deletionGracePeriodSeconds ?? 0)) return object;
  const deadline = new Date(core.now().getTime() + grace * 1000);
  const { finalizers: _, ...metadata } = before;
  return {
    ...object,
    metadata: {
      ...metadata,
      ...(finalizers.length > 0 ? { finalizers } : {}),
      deletionTimestamp: before.deletionTimestamp && grace > 0 ? before.deletionTimestamp : timestamp(deadline),
      ...(rulesOf(resource).deletionPhase === undefined ? { deletionGracePeriodSeconds: grace } : {}),
      ...(before.generation !== undefined && !before.deletionTimestamp ? { generation: before.generation + 1 } : {}),
    },
    ...deletedStatus(core, resource, object),
  };
}

/** The status of an object whose kind says there that it is going. */
function deletedStatus(core: Core, resource: Resource, object: KubeObject): { status?: unknown } {
  const status = isRecord(object['status']) ? object['status'] : {};
  const { deletion, deletionPhase } = rulesOf(resource);
  if (deletionPhase !== undefined) return { status: { ...status, phase: deletionPhase } };
  if (deletion === undefined || object.metadata.deletionTimestamp) return {};
  const conditions = Array.isArray(status['conditions']) ? status['conditions'] : [];
  const condition = { lastTransitionTime: timestamp(core.now()), ...deletion.condition };
  return { status: { ...status, conditions: [...conditions, condition] } };
}

function withPropagation(finalizers: readonly string[], policy: RemoveOptions['propagationPolicy']): string[] {
  const others = finalizers.filter((name) => policy === undefined || (name !== FOREGROUND && name !== ORPHAN));
  if (policy === 'Foreground') others.push(FOREGROUND);
  if (policy === 'Orphan') others.push(ORPHAN);
  return others;
}

function gracePeriod(resource: Resource, object: KubeObject, options: RemoveOptions): number {
  if (!rulesOf(resource).graceful) return 0;
  // A pod that no node runs has nobody to stop it gently.
  if (readPath(object, ['spec', 'nodeName']) === undefined) return 0;
  const phase = readPath(object, ['status', 'phase']);
  if (phase === 'Succeeded' || phase === 'Failed') return 0;
  const own = readPath(object, ['spec', 'terminationGracePeriodSeconds']);
  return options.gracePeriodSeconds ?? (typeof own === 'number' ? own : 30);
}

function hasSpecFinalizers(object: KubeObject): boolean {
  if (object.kind !== 'Namespace' || object.apiVersion !== 'v1') return false;
  const finalizers = readPath(object, ['spec', 'finalizers']);
  return Array.isArray(finalizers) && finalizers.length > 0;
}

/** Something still has to happen before the object may go. */
function isHeld(object: KubeObject): boolean {
  if ((object.metadata.finalizers ?? []).length > 0 || hasSpecFinalizers(object)) return true;
  return object.metadata.deletionTimestamp !== undefined && (object.metadata.deletionGracePeriodSeconds ?? 0) > 0;
}

/** A write took the last finalizer of a deleted object: instead of being stored, the object goes. */
export function isReleased(next: KubeObject): boolean {
  return next.metadata.deletionTimestamp !== undefined && !isHeld(next);
}
