// Owns the numbers of a rollout: surge, unavailability, how far to scale each ReplicaSet. Pure; writes nothing.
import type { Deployment, IntOrString, ReplicaSet } from '../types.ts';
import { MAX_REPLICAS } from './annotations.ts';

/** A count or a percentage of `total`, rounded up or down. */
export function scaledValue(value: IntOrString | undefined, total: number, round: 'up' | 'down'): number {
  if (typeof value !== 'string') return Number(value ?? 0);
  const share = (Number(value.replace(/%$/, '')) * total) / 100;
  return round === 'up' ? Math.ceil(share) : Math.floor(share);
}

export function isRollingUpdate(deployment: Deployment): boolean {
  return deployment.spec.strategy.type === 'RollingUpdate';
}

/** How many pods there may be beyond the wanted ones while rolling. */
export function maxSurge(deployment: Deployment): number {
  return isRollingUpdate(deployment) ? fenceposts(deployment).surge : 0;
}

/** How many pods may be missing while rolling. */
export function maxUnavailable(deployment: Deployment): number {
  if (!isRollingUpdate(deployment) || deployment.spec.replicas === 0) return 0;
  return Math.min(fenceposts(deployment).unavailable, deployment.spec.replicas);
}

// Both may round to zero, with which no rollout could take a step; then one pod may be missing.
function fenceposts({ spec }: Deployment): { surge: number; unavailable: number } {
  const surge = scaledValue(spec.strategy.rollingUpdate?.maxSurge, spec.replicas, 'up');
  const unavailable = scaledValue(spec.strategy.rollingUpdate?.maxUnavailable, spec.replicas, 'down');
  return { surge, unavailable: surge === 0 && unavailable === 0 ? 1 : unavailable };
}

export function wantedReplicas(sets: readonly ReplicaSet[]): number {
  return sets.reduce((sum, { spec }) => sum + spec.replicas, 0);
}

export function availableReplicas(sets: readonly ReplicaSet[]): number {
  return sets.reduce((sum, { status }) => sum + (status?.availableReplicas ?? 0), 0);
}

/** The size that the new ReplicaSet may have next. `others` are the old ones. */
export function nextSizeOfNew(deployment: Deployment, others: readonly ReplicaSet[], currentSize: number): number {
  const wanted = deployment.spec.replicas;
  if (!isRollingUpdate(deployment)) return wanted;
  const room = wanted + maxSurgeAsGiven(deployment) - (wantedReplicas(others) + currentSize);
  if (room <= 0) return currentSize;
  return currentSize + Math.min(room, wanted - currentSize);
}

function maxSurgeAsGiven({ spec }: Deployment): number {
  return scaledValue(spec.strategy.rollingUpdate?.maxSurge, spec.replicas, 'up');
}

/**
 * What each active ReplicaSet should have when a Deployment is scaled in the middle of a rollout: the change is shared
 * out in proportion to their sizes, larger ones first, and the largest takes what is left over.
 */
export function proportionalSizes(deployment: Deployment, active: readonly ReplicaSet[]): Map<ReplicaSet, number> {
  const allowed = deployment.spec.replicas > 0 ? deployment.spec.replicas + maxSurge(deployment) : 0;
  const toAdd = allowed - wantedReplicas(active);
  const ordered = [...active].sort(toAdd > 0 ? bySizeNewer : bySizeOlder);
  const sizes = new Map<ReplicaSet, number>();
  let added = 0;
  for (const set of ordered) {
    const share = toAdd === 0 ? 0 : proportion(set, deployment, toAdd, added);
    sizes.set(set, set.spec.replicas + share);
    added += share;
  }
  const [largest] = ordered;
  if (largest !== undefined && toAdd !== 0) {
    sizes.set(largest, Math.max(0, (sizes.get(largest) ?? 0) + toAdd - added));
  }
  return sizes;
}

function proportion(set: ReplicaSet, deployment: Deployment, toAdd: number, added: number): number {
  if (set.spec.replicas === 0 || toAdd === added) return 0;
  const share = fraction(set, deployment);
  return toAdd > 0 ? Math.min(share, toAdd - added) : Math.max(share, toAdd - added);
}

function fraction(set: ReplicaSet, deployment: Deployment): number {
  if (deployment.spec.replicas === 0) return -set.spec.replicas;
  const before = Number(set.metadata.annotations?.[MAX_REPLICAS] ?? 0) || (deployment.status?.replicas ?? 0);
  if (before === 0) return 0;
  const after = deployment.spec.replicas + maxSurge(deployment);
  return Math.round((set.spec.replicas * after) / before) - set.spec.replicas;
}

/** Oldest first. The name decides between those of one second. */
export function byAge(a: ReplicaSet, b: ReplicaSet): number {
  const [first, second] = [a.metadata.creationTimestamp ?? '', b.metadata.creationTimestamp ?? ''];
  if (first !== second) return first < second ? -1 : 1;
  if (a.metadata.name === b.metadata.name) return 0;
  return a.metadata.name < b.metadata.name ? -1 : 1;
}

function bySizeNewer(a: ReplicaSet, b: ReplicaSet): number {
  return b.spec.replicas - a.spec.replicas || byAge(b, a);
}

function bySizeOlder(a: ReplicaSet, b: ReplicaSet): number {
  return b.spec.replicas - a.spec.replicas || byAge(a, b);
}
