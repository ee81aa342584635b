// Owns the health of Pod and Job (flux.md §4.12).
import type { JsonObject } from '../../lib/json.ts';
import { conditionOf, fieldAt, listAt, textAt } from '../fields.ts';
import { current, failed, inProgress, type Verdict } from '../verdict.ts';

/** How long a pod may be unschedulable before it counts as failed, milliseconds. */
const UNSCHEDULABLE_GRACE_MS = 15_000;

export function judgePod(object: JsonObject, nowMs: number): Verdict {
  const phase = textAt(object, 'status', 'phase');
  switch (phase) {
    case 'Succeeded':
      return current('Pod has completed successfully');
    case 'Failed':
      return current('Pod has completed, but not successfully');
    case 'Running':
      return judgeRunning(object);
    case 'Pending': {
      const scheduled = conditionOf(object, 'PodScheduled');
      if (scheduled?.status === 'False' && scheduled.reason === 'Unschedulable') {
        const since = Date.parse(scheduled.lastTransitionTime);
        if (nowMs - since > UNSCHEDULABLE_GRACE_MS) return failed(scheduled.message || 'Pod could not be scheduled');
        return inProgress('Pod has not been scheduled');
      }
      return inProgress(waitingReason(object) ?? 'Pod is in the Pending phase');
    }
    default:
      return inProgress('Pod phase not available');
  }
}

function judgeRunning(object: JsonObject): Verdict {
  if (conditionOf(object, 'Ready')?.status === 'True') return current('Pod is Ready');
  const crashing = containerStatuses(object).filter(
    (status) => textAt(status, 'state', 'waiting', 'reason') === 'CrashLoopBackOff',
  );
  if (crashing.length > 0) {
    return failed(`Containers in CrashLoop state: ${crashing.map((status) => textAt(status, 'name')).join(',')}`);
  }
  return inProgress(waitingReason(object) ?? 'Pod is running but is not Ready');
}

function containerStatuses(object: JsonObject): readonly JsonObject[] {
  return [...listAt(object, 'status', 'initContainerStatuses'), ...listAt(object, 'status', 'containerStatuses')];
}

/** Why a container of the pod does not run: `container "web": ImagePullBackOff: Back-off pulling image …`. */
export function waitingReason(pod: JsonObject): string | undefined {
  for (const status of containerStatuses(pod)) {
    const reason = textAt(status, 'state', 'waiting', 'reason');
    if (reason === '' || reason === 'ContainerCreating' || reason === 'PodInitializing') continue;
    const message = textAt(status, 'state', 'waiting', 'message');
    return `container "${textAt(status, 'name')}": ${reason}${message === '' ? '' : `: ${message}`}`;
  }
  return undefined;
}

/** True for a Job that Kubernetes removes by itself once it has finished: its absence is no failure. */
export function isShortLived(job: JsonObject | undefined): boolean {
  return job?.['kind'] === 'Job' && fieldAt(job, 'spec', 'ttlSecondsAfterFinished') !== undefined;
}

/** True for a Job that has come to its end, good or bad. */
export function isFinished(job: JsonObject): boolean {
  return ['Complete', 'Failed'].some((type) => conditionOf(job, type)?.status === 'True');
}

/** Flux's own rule for Jobs: done means complete, and a failed one has failed. */
export function judgeJob(object: JsonObject): Verdict {
  if (fieldAt(object, 'spec', 'suspend') === true) return current('Job is suspended');
  const complete = conditionOf(object, 'Complete');
  if (complete?.status === 'True') return current('Job Completed');
  const failure = conditionOf(object, 'Failed');
  if (failure?.status === 'True') {
    return failed(`Job Failed: ${[failure.reason, failure.message].filter((text) => text !== '').join(': ')}`);
  }
  return inProgress(textAt(object, 'status', 'startTime') === '' ? 'Job not started' : 'Job in progress');
}
