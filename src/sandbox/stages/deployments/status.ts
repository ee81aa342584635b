// Owns the status of a Deployment: counts, Available, Progressing, ReplicaFailure, in the words of the real controller.
import { formatTime, parseTime } from '../../../lib/time.ts';
import { findCondition } from '../status.ts';
import type { Condition, Deployment, DeploymentStatus, ReplicaSet } from '../types.ts';
import { availableReplicas, maxUnavailable, wantedReplicas } from './arithmetic.ts';

const NO_DEADLINE = 2_147_483_647;

export function hasProgressDeadline({ spec }: Deployment): boolean {
  return spec.progressDeadlineSeconds !== undefined && spec.progressDeadlineSeconds !== NO_DEADLINE;
}

/** The status with a condition set; unchanged when that has the same status and reason already. */
export function withCondition(
  status: DeploymentStatus,
  now: number,
  type: string,
  value: Condition['status'],
  reason: string,
  message: string,
): DeploymentStatus {
  const current = findCondition(status.conditions, type);
  if (current?.status === value && current.reason === reason) return status;
  const time = formatTime(now);
  const lastTransitionTime = current?.status === value ? (current.lastTransitionTime ?? time) : time;
  const condition = { type, status: value, lastUpdateTime: time, lastTransitionTime, reason, message };
  return { ...status, conditions: [...without(status, type), condition] };
}

function without(status: DeploymentStatus, type: string): Condition[] {
  return (status.conditions ?? []).filter((condition) => condition.type !== type);
}

function withoutCondition(status: DeploymentStatus, type: string): DeploymentStatus {
  const { conditions: _, ...rest } = status;
  const kept = without(status, type);
  return kept.length > 0 ? { ...rest, conditions: kept } : rest;
}

/** Counts and the Available condition; whatever else was set stays. */
export function countReplicas(
  deployment: Deployment,
  sets: readonly ReplicaSet[],
  newSet: ReplicaSet | undefined,
  now: number,
): DeploymentStatus {
  const available = availableReplicas(sets);
  const status: DeploymentStatus = {
    observedGeneration: deployment.metadata.generation ?? 0,
    ...count('replicas', sum(sets, 'replicas')),
    ...count('updatedReplicas', newSet === undefined ? 0 : sum([newSet], 'replicas')),
    ...count('readyReplicas', sum(sets, 'readyReplicas')),
    ...count('availableReplicas', available),
    ...count('unavailableReplicas', wantedReplicas(sets) - available),
    terminatingReplicas: sum(sets, 'terminatingReplicas'),
    ...(deployment.status?.collisionCount === undefined ? {} : { collisionCount: deployment.status.collisionCount }),
    ...(deployment.status?.conditions === undefined ? {} : { conditions: deployment.status.conditions }),
  };
  return available >= deployment.spec.replicas - maxUnavailable(deployment)
    ? withCondition(
        status,
        now,
        'Available',
        'True',
        'MinimumReplicasAvailable',
        'Deployment has minimum availability.',
      )
    : withCondition(
        status,
        now,
        'Available',
        'False',
        'MinimumReplicasUnavailable',
        'Deployment does not have minimum availability.',
      );
}

type Count = 'replicas' | 'updatedReplicas' | 'readyReplicas' | 'availableReplicas' | 'unavailableReplicas';

// The API leaves counts of zero out.
function count(field: Count, value: number): DeploymentStatus {
  return value > 0 ? { [field]: value } : {};
}

function sum(sets: readonly ReplicaSet[], field: 'replicas' | 'readyReplicas' | 'terminatingReplicas'): number {
  return sets.reduce((total, { status }) => total + (status?.[field] ?? 0), 0);
}

/** All wanted replicas are updated and available, and no old ones are left. */
export function isComplete(deployment: Deployment, status: DeploymentStatus): boolean {
  const wanted = deployment.spec.replicas;
  return (
    (status.updatedReplicas ?? 0) === wanted &&
    (status.replicas ?? 0) === wanted &&
    (status.availableReplicas ?? 0) === wanted &&
    (status.observedGeneration ?? 0) >= (deployment.metadata.generation ?? 0)
  );
}

function madeProgress(before: DeploymentStatus, after: DeploymentStatus): boolean {
  const old = ({ replicas = 0, updatedReplicas = 0 }: DeploymentStatus) => replicas - updatedReplicas;
  return (
    (after.updatedReplicas ?? 0) > (before.updatedReplicas ?? 0) ||
    old(after) < old(before) ||
    (after.readyReplicas ?? 0) > (before.readyReplicas ?? 0) ||
    (after.availableReplicas ?? 0) > (before.availableReplicas ?? 0)
  );
}

/** The whole status during a rollout: counts, how it progresses, and what keeps ReplicaSets from making pods. */
export function rolloutStatus(
  deployment: Deployment,
  sets: readonly ReplicaSet[],
  newSet: ReplicaSet | undefined,
  now: number,
): DeploymentStatus {
  const counted = countReplicas(deployment, sets, newSet, now);
  const progressed = hasProgressDeadline(deployment)
    ? withProgress(deployment, counted, newSet, now)
    : withoutCondition(counted, 'Progressing');
  const failure = [...(newSet === undefined ? [] : [newSet]), ...sets]
    .map(({ status }) => findCondition(status?.conditions, 'ReplicaFailure'))
    .find((condition) => condition !== undefined);
  if (failure === undefined) return withoutCondition(progressed, 'ReplicaFailure');
  const { status, reason = '', message = '' } = failure;
  return withCondition(progressed, now, 'ReplicaFailure', status, reason, message);
}

function withProgress(
  deployment: Deployment,
  status: DeploymentStatus,
  newSet: ReplicaSet | undefined,
  now: number,
): DeploymentStatus {
  const current = findCondition(deployment.status?.conditions, 'Progressing');
  const isDone =
    (status.replicas ?? 0) === (status.updatedReplicas ?? 0) && current?.reason === 'NewReplicaSetAvailable';
  if (isDone) return status;
  const subject =
    newSet === undefined ? `Deployment "${deployment.metadata.name}"` : `ReplicaSet "${newSet.metadata.name}"`;
  if (isComplete(deployment, status)) {
    const message = `${subject} has successfully progressed.`;
    return withCondition(status, now, 'Progressing', 'True', 'NewReplicaSetAvailable', message);
  }
  if (madeProgress(deployment.status ?? {}, status)) {
    return withUpdate(status, current, now, `${subject} is progressing.`);
  }
  if (isTimedOut(deployment, status, now)) {
    const message = `${subject} has timed out progressing.`;
    return withCondition(status, now, 'Progressing', 'False', 'ProgressDeadlineExceeded', message);
  }
  return status;
}

// Progress counts from the last update, so this condition is written anew each time, with the same reason too.
function withUpdate(
  status: DeploymentStatus,
  current: Condition | undefined,
  now: number,
  message: string,
): DeploymentStatus {
  const fresh = withCondition(
    withoutCondition(status, 'Progressing'),
    now,
    'Progressing',
    'True',
    'ReplicaSetUpdated',
    message,
  );
  if (current?.status !== 'True' || current.lastTransitionTime == null) return fresh;
  const { lastTransitionTime } = current;
  const conditions = (fresh.conditions ?? []).map((condition) =>
    condition.type === 'Progressing' ? { ...condition, lastTransitionTime } : condition,
  );
  return { ...fresh, conditions };
}

function isTimedOut(deployment: Deployment, status: DeploymentStatus, now: number): boolean {
  const condition = findCondition(status.conditions, 'Progressing');
  if (condition === undefined || condition.reason === 'NewReplicaSetAvailable') return false;
  if (condition.reason === 'ProgressDeadlineExceeded') return true;
  return deadline(deployment, condition) < now;
}

/** Milliseconds until the rollout may have timed out; undefined when that cannot happen. */
export function progressCheckIn(deployment: Deployment, now: number): number | undefined {
  const condition = findCondition(deployment.status?.conditions, 'Progressing');
  if (!hasProgressDeadline(deployment) || condition === undefined) return undefined;
  if (isComplete(deployment, deployment.status ?? {}) || condition.reason === 'ProgressDeadlineExceeded')
    return undefined;
  // A second more, because the times in conditions are whole seconds.
  return Math.max(0, deadline(deployment, condition) - now) + 1000;
}

function deadline(deployment: Deployment, progressing: Condition): number {
  return (parseTime(progressing.lastUpdateTime) ?? 0) + (deployment.spec.progressDeadlineSeconds ?? 0) * 1000;
}
