// Owns the status of PodDisruptionBudgets: how many of their pods may go away now.
import { formatTime } from '../../lib/time.ts';
import type { KubeObject } from '../object.ts';
import { scaledValue } from './deployments/arithmetic.ts';
import { type Key, ownKey, type StageContext, type StageController } from './loop.ts';
import { controllerOf } from './ownership.ts';
import { isActive, isReady } from './pod-template.ts';
import { matchesSelector } from './selector.ts';
import { findCondition, writeStatus } from './status.ts';
import { type Condition, type IntOrString, type LabelSelector, type Pod, RESOURCES } from './types.ts';

interface Budget extends KubeObject {
  spec: { selector?: LabelSelector; minAvailable?: IntOrString; maxUnavailable?: IntOrString };
  status?: { conditions?: Condition[] };
}

const SCALABLE = {
  ReplicaSet: RESOURCES.replicaSets,
  StatefulSet: RESOURCES.statefulSets,
  Deployment: RESOURCES.deployments,
} as const;

export const disruptionBudgets: StageController = {
  name: 'disruptionBudgets',
  watches: [
    { resource: RESOURCES.podDisruptionBudgets, keys: ownKey },
    { resource: RESOURCES.pods, keys: keysOfBudgets },
  ],
  reconcile({ namespace, name }, context) {
    const budget = context.store.get(RESOURCES.podDisruptionBudgets, namespace, name) as Budget | undefined;
    if (budget === undefined) return undefined;
    const pods = (context.store.list(RESOURCES.pods, { namespace }) as readonly Pod[]).filter(
      (pod) => isActive(pod) && matchesSelector(budget.spec.selector, pod.metadata.labels),
    );
    const { expectedPods, desiredHealthy } = expectations(context, budget, pods);
    const currentHealthy = pods.filter(isReady).length;
    const disruptionsAllowed = expectedPods > 0 ? Math.max(0, currentHealthy - desiredHealthy) : 0;
    const observedGeneration = budget.metadata.generation ?? 0;
    writeStatus(context, RESOURCES.podDisruptionBudgets, budget, {
      observedGeneration,
      disruptionsAllowed,
      currentHealthy,
      desiredHealthy,
      expectedPods,
      conditions: [allowance(budget, disruptionsAllowed > 0, observedGeneration, context.clock.now())],
    });
    return undefined;
  },
};

function keysOfBudgets(pod: KubeObject, { store }: StageContext): readonly Key[] {
  const namespace = pod.metadata.namespace ?? '';
  const budgets = store.list(RESOURCES.podDisruptionBudgets, { namespace }) as readonly Budget[];
  return budgets.filter(({ spec }) => matchesSelector(spec.selector, pod.metadata.labels)).flatMap(ownKey);
}

/** A plain number counts the pods that are there; anything else asks their controllers how many there should be. */
function expectations(context: StageContext, { spec }: Budget, pods: readonly Pod[]) {
  if (spec.maxUnavailable !== undefined) {
    const expectedPods = expectedScale(context, pods);
    const desiredHealthy = Math.max(0, expectedPods - scaledValue(spec.maxUnavailable, expectedPods, 'up'));
    return { expectedPods, desiredHealthy };
  }
  if (typeof spec.minAvailable === 'string') {
    const expectedPods = expectedScale(context, pods);
    return { expectedPods, desiredHealthy: scaledValue(spec.minAvailable, expectedPods, 'up') };
  }
  return { expectedPods: pods.length, desiredHealthy: Number(spec.minAvailable ?? 0) };
}

function expectedScale({ store }: StageContext, pods: readonly Pod[]): number {
  const scales = new Map<string, number>();
  for (const pod of pods) {
    const namespace = pod.metadata.namespace ?? '';
    let owner = controllerOf(pod);
    let replicas = 0;
    while (owner !== undefined && Object.hasOwn(SCALABLE, owner.kind)) {
      const object = store.get(SCALABLE[owner.kind as keyof typeof SCALABLE], namespace, owner.name);
      if (object === undefined) break;
      replicas = (object['spec'] as { replicas: number }).replicas;
      scales.set(owner.uid, replicas);
      const parent = controllerOf(object);
      if (parent === undefined) break;
      scales.delete(owner.uid);
      owner = parent;
    }
  }
  return [...scales.values()].reduce((sum, replicas) => sum + replicas, 0);
}

function allowance(budget: Budget, allowed: boolean, observedGeneration: number, now: number): Condition {
  const status = allowed ? 'True' : 'False';
  const former = findCondition(budget.status?.conditions, 'DisruptionAllowed');
  const lastTransitionTime = former?.status === status ? (former.lastTransitionTime ?? null) : formatTime(now);
  const reason = allowed ? 'SufficientPods' : 'InsufficientPods';
  return { type: 'DisruptionAllowed', status, observedGeneration, lastTransitionTime, reason, message: '' };
}
