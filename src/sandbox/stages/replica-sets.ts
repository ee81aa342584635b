// Owns the ReplicaSet controller: as many active pods as wanted, and what it says of them.
import { formatTime } from '../../lib/time.ts';
import { ownKey, type StageContext, type StageController } from './loop.ts';
import { claimChildren, controllerReference, keyOfControllerOrSelectors } from './ownership.ts';
import { availableIn, byWorth, generateName, isActive, isFinished, isReady, podFromTemplate } from './pod-template.ts';
import { matchesLabels } from './selector.ts';
import { compact, findCondition, writeStatus } from './status.ts';
import { type Condition, type Pod, RESOURCES, type ReplicaSet } from './types.ts';

const COMPONENT = 'replicaset-controller';

export const replicaSets: StageController = {
  name: 'replicaSets',
  watches: [
    { resource: RESOURCES.replicaSets, keys: ownKey },
    { resource: RESOURCES.pods, keys: keyOfControllerOrSelectors('ReplicaSet', RESOURCES.replicaSets) },
  ],
  reconcile({ namespace, name }, context) {
    const set = context.store.get(RESOURCES.replicaSets, namespace, name) as ReplicaSet | undefined;
    if (set === undefined) return undefined;
    const pods = claimChildren<Pod>(context, RESOURCES.pods, set, set.spec.selector);
    const active = pods.filter(isActive);
    const failure = set.metadata.deletionTimestamp === undefined ? managePods(context, set, active) : undefined;
    const terminating = pods.filter((pod) => pod.metadata.deletionTimestamp !== undefined && !isFinished(pod));
    writeReplicaSetStatus(context, set, active, terminating.length, failure);
    if (failure !== undefined) throw failure.error;
    return nextAvailability(set, active, context.clock.now());
  },
};

interface Failure {
  readonly reason: 'FailedCreate' | 'FailedDelete';
  readonly error: Error;
}

/** Creates what is missing, or deletes what is too much. The pods made or deleted count from the next pass on. */
function managePods(context: StageContext, set: ReplicaSet, active: readonly Pod[]): Failure | undefined {
  const missing = set.spec.replicas - active.length;
  const say = (type: 'Normal' | 'Warning', reason: string, message: string) =>
    context.events.record(COMPONENT, set, type, reason, message);
  try {
    for (let i = 0; i < missing; i++) {
      const base = `${set.metadata.name}-`;
      const naming = { name: generateName(base), generateName: base };
      const pod = podFromTemplate(set.spec.template, set, controllerReference(set), naming);
      say('Normal', 'SuccessfulCreate', `Created pod: ${context.store.create(RESOURCES.pods, pod).metadata.name}`);
    }
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    say('Warning', 'FailedCreate', `Error creating: ${error.message}`);
    return { reason: 'FailedCreate', error };
  }
  for (const pod of [...active].sort(byWorth).slice(0, Math.max(0, -missing))) {
    context.store.delete(RESOURCES.pods, pod.metadata.namespace ?? '', pod.metadata.name);
    say('Normal', 'SuccessfulDelete', `Deleted pod: ${pod.metadata.name}`);
  }
  return undefined;
}

function writeReplicaSetStatus(
  context: StageContext,
  set: ReplicaSet,
  active: readonly Pod[],
  terminating: number,
  failure: Failure | undefined,
): void {
  const now = context.clock.now();
  const minReady = set.spec.minReadySeconds ?? 0;
  const positive = (count: number) => (count > 0 ? count : undefined);
  const conditions = withFailure(set.status?.conditions ?? [], failure, now);
  const status = compact({
    replicas: active.length,
    fullyLabeledReplicas: positive(
      active.filter((pod) => matchesLabels(set.spec.template.metadata?.labels, pod.metadata.labels)).length,
    ),
    readyReplicas: positive(active.filter(isReady).length),
    availableReplicas: positive(active.filter((pod) => availableIn(pod, minReady, now) === 0).length),
    terminatingReplicas: terminating,
    observedGeneration: set.metadata.generation ?? 0,
    conditions: conditions.length > 0 ? conditions : undefined,
  });
  writeStatus(context, RESOURCES.replicaSets, set, status);
}

function withFailure(
  conditions: readonly Condition[],
  failure: Failure | undefined,
  now: number,
): readonly Condition[] {
  const others = conditions.filter(({ type }) => type !== 'ReplicaFailure');
  if (failure === undefined) return others;
  if (findCondition(conditions, 'ReplicaFailure') !== undefined) return conditions;
  const condition = {
    type: 'ReplicaFailure',
    status: 'True' as const,
    lastTransitionTime: formatTime(now),
    reason: failure.reason,
    message: failure.error.message,
  };
  return [...others, condition];
}

/** When the next ready pod becomes available. */
function nextAvailability(set: ReplicaSet, active: readonly Pod[], now: number): number | undefined {
  const waits = active
    .map((pod) => availableIn(pod, set.spec.minReadySeconds ?? 0, now))
    .filter((wait) => wait !== undefined && wait > 0);
  return waits.length > 0 ? Math.min(...(waits as number[])) : undefined;
}
