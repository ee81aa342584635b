// Owns the health of Deployment, ReplicaSet, StatefulSet and DaemonSet (flux.md §4.12).
import type { JsonObject } from '../../lib/json.ts';
import { conditionOf, fieldAt, numberAt, textAt } from '../fields.ts';
import { current, failed, inProgress, type Verdict } from '../verdict.ts';

const NO_DEADLINE = 2_147_483_647;

export function judgeDeployment(object: JsonObject): Verdict {
  const progressing = conditionOf(object, 'Progressing');
  const deadline = numberAt(object, ['spec', 'progressDeadlineSeconds'], NO_DEADLINE);
  if (progressing?.reason === 'ProgressDeadlineExceeded') return failed('Progress deadline exceeded');
  const wanted = numberAt(object, ['spec', 'replicas'], 1);
  const has = (field: string) => numberAt(object, ['status', field], 0);
  if (has('replicas') < wanted) return inProgress(`replicas: ${has('replicas')}/${wanted}`);
  if (has('updatedReplicas') < wanted) return inProgress(`Updated: ${has('updatedReplicas')}/${wanted}`);
  if (has('replicas') > wanted) return inProgress(`Pending termination: ${has('replicas') - wanted}`);
  if (has('availableReplicas') < has('updatedReplicas')) {
    return inProgress(`Available: ${has('availableReplicas')}/${has('updatedReplicas')}`);
  }
  if (has('readyReplicas') < wanted) return inProgress(`Ready: ${has('readyReplicas')}/${wanted}`);
  const complete = progressing?.status === 'True' && progressing.reason === 'NewReplicaSetAvailable';
  if (deadline !== NO_DEADLINE && !complete) return inProgress('ReplicaSet not Available');
  if (conditionOf(object, 'Available')?.status !== 'True') return inProgress('Deployment not Available');
  return current(`Deployment is available. Replicas: ${has('replicas')}`);
}

export function judgeReplicaSet(object: JsonObject): Verdict {
  const failure = conditionOf(object, 'ReplicaFailure');
  if (failure?.status === 'True') return inProgress(failure.message || 'Replica Failure condition. Check Pods');
  const wanted = numberAt(object, ['spec', 'replicas'], 1);
  const has = (field: string) => numberAt(object, ['status', field], 0);
  if (has('fullyLabeledReplicas') < wanted) return inProgress(`Labelled: ${has('fullyLabeledReplicas')}/${wanted}`);
  if (has('availableReplicas') < wanted) return inProgress(`Available: ${has('availableReplicas')}/${wanted}`);
  if (has('readyReplicas') < wanted) return inProgress(`Ready: ${has('readyReplicas')}/${wanted}`);
  if (has('replicas') > wanted) return inProgress(`replicas: ${has('replicas')}/${wanted}`);
  return current(`ReplicaSet is available. Replicas: ${has('replicas')}`);
}

export function judgeStatefulSet(object: JsonObject): Verdict {
  if (textAt(object, 'spec', 'updateStrategy', 'type') === 'OnDelete') {
    return current('StatefulSet is using the ondelete update strategy');
  }
  const wanted = numberAt(object, ['spec', 'replicas'], 1);
  const has = (field: string) => numberAt(object, ['status', field], 0);
  if (has('replicas') < wanted) return inProgress(`Replicas: ${has('replicas')}/${wanted}`);
  if (has('readyReplicas') < wanted) return inProgress(`Ready: ${has('readyReplicas')}/${wanted}`);
  if (has('replicas') > wanted) return inProgress(`Pending termination: ${has('replicas') - wanted}`);
  const partition = numberAt(object, ['spec', 'updateStrategy', 'rollingUpdate', 'partition'], -1);
  if (partition >= 0) {
    const updated = has('updatedReplicas');
    if (updated < wanted - partition) return inProgress(`updated: ${updated}/${wanted - partition}`);
    return current(`Partition rollout complete. updated: ${updated}`);
  }
  if (has('currentReplicas') < wanted) return inProgress(`current: ${has('currentReplicas')}/${wanted}`);
  if (textAt(object, 'status', 'currentRevision') !== textAt(object, 'status', 'updateRevision')) {
    return inProgress('Waiting for updated revision to match current');
  }
  return current(`All replicas scheduled as expected. Replicas: ${has('replicas')}`);
}

export function judgeDaemonSet(object: JsonObject): Verdict {
  if (fieldAt(object, 'status', 'observedGeneration') === undefined) return inProgress('Not observed yet');
  if (fieldAt(object, 'status', 'desiredNumberScheduled') === undefined)
    return inProgress('Missing .status.desiredNumberScheduled');
  const has = (field: string) => numberAt(object, ['status', field], 0);
  const wanted = has('desiredNumberScheduled');
  const checks = [
    ['currentNumberScheduled', 'Current'],
    ['updatedNumberScheduled', 'Updated'],
    ['numberAvailable', 'Available'],
    ['numberReady', 'Ready'],
  ] as const;
  for (const [field, word] of checks) {
    if (has(field) < wanted) return inProgress(`${word}: ${has(field)}/${wanted}`);
  }
  return current(`All replicas scheduled as expected. Replicas: ${wanted}`);
}
