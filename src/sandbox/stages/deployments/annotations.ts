// Owns the annotations by which a Deployment and its ReplicaSets remember revisions and sizes. Pure.
import type { Deployment, Labels, ReplicaSet } from '../types.ts';

export const REVISION = 'deployment.kubernetes.io/revision';
export const REVISION_HISTORY = 'deployment.kubernetes.io/revision-history';
export const DESIRED_REPLICAS = 'deployment.kubernetes.io/desired-replicas';
export const MAX_REPLICAS = 'deployment.kubernetes.io/max-replicas';

/** A Deployment's annotations are copied to its new ReplicaSet, but for these. */
const NOT_COPIED = new Set([
  'kubectl.kubernetes.io/last-applied-configuration',
  REVISION,
  REVISION_HISTORY,
  DESIRED_REPLICAS,
  MAX_REPLICAS,
  'deprecated.deployment.rollback.to',
]);
const HISTORY_LIMIT = 2000;

/** The revision that an object carries; 0 when it has none that is a number. */
export function revisionOf(object: { metadata: { annotations?: Labels } }): number {
  const revision = Number(object.metadata.annotations?.[REVISION] ?? 0);
  return Number.isInteger(revision) ? revision : 0;
}

/**
 * The annotations that the new ReplicaSet should have: the Deployment's own, and `revision` when that is higher than
 * what it had. A ReplicaSet that is rolled back to keeps its former revision in the history.
 */
export function annotationsOfNew(deployment: Deployment, existing: Labels, revision: number): Record<string, string> {
  const annotations: Record<string, string> = { ...existing };
  for (const [key, value] of Object.entries(deployment.metadata.annotations ?? {})) {
    if (!NOT_COPIED.has(key)) annotations[key] = value;
  }
  const former = existing[REVISION];
  const formerNumber = Number(former ?? 0);
  if (!Number.isInteger(formerNumber) || formerNumber >= revision) return annotations;
  annotations[REVISION] = String(revision);
  if (former !== undefined) annotations[REVISION_HISTORY] = appendHistory(existing[REVISION_HISTORY], former);
  return annotations;
}

function appendHistory(history: string | undefined, revision: string): string {
  if (history === undefined || history === '') return revision;
  const entries = [...history.split(','), revision];
  while (entries.length > 1 && entries.join(',').length > HISTORY_LIMIT) entries.shift();
  return entries.join(',');
}

/** The annotations with the sizes that the Deployment had when it last scaled the ReplicaSet. */
export function withSizes(annotations: Labels, desired: number, max: number): Record<string, string> {
  return { ...annotations, [DESIRED_REPLICAS]: String(desired), [MAX_REPLICAS]: String(max) };
}

/** The size that the Deployment wanted when it last scaled the ReplicaSet, if that is known. */
export function desiredWhenScaled(set: ReplicaSet): number | undefined {
  const text = set.metadata.annotations?.[DESIRED_REPLICAS];
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}
