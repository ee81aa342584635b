// Owns what a pass ends with: status, events and when the key runs again (helm.md §21.5). What a run says of itself is
// report.ts; here it is only carried over.
import { type HelmRelease, type HelmReleaseStatus, helmReleaseReasons as reasons } from '../../api/helm/helmrelease.ts';
import type { ConditionStamp } from '../../runtime/conditions.ts';
import type { Conclusion, EventDraft, Pass, Requeue, Result } from '../../runtime/controller.ts';
import { failureConditions, failureEvent, failureRequeue } from '../../runtime/failure.ts';
import type { ReconcileError } from '../../runtime/reconcile-error.ts';
import { intervalRequeue } from '../shared/timing.ts';
import type { Outcome, RunEnd, Settled } from './types.ts';

export function conclude(
  object: HelmRelease,
  result: Result<Outcome>,
  nowMs: number,
  _pass: Pass<HelmRelease>,
): Conclusion<HelmReleaseStatus> {
  const stamp: ConditionStamp = { generation: object.metadata.generation ?? 0, nowMs };
  if ('error' in result) return concludeFailure(object, result.error, stamp);
  const { outcome } = result;
  const interval = intervalRequeue(object.spec!);
  switch (outcome.type) {
    case 'nothing':
      return { requeue: requeueUntil(outcome.until, interval, nowMs) };
    case 'chart synced':
      return concludeChart(object, outcome, stamp);
    case 'waiting':
      return {
        status: outcome.status,
        events: outcome.events,
        requeue: { do: 'wait', untilMs: outcome.untilMs, memory: undefined },
        observed: false,
      };
    case 'ended':
      return {
        status: outcome.status,
        events: outcome.events,
        requeue: requeueOf(outcome.end, interval),
        observed: outcome.end.isRetry !== true && outcome.end.requeue !== 'now',
        log: {
          revision: outcome.status.lastAttemptedRevision,
          ...(outcome.end.problem === undefined ? {} : { problem: outcome.end.problem }),
        },
      };
    default:
      return outcome satisfies never;
  }
}

function requeueUntil(until: Settled['until'], interval: Requeue, nowMs: number): Requeue {
  if (until === 'interval') return interval;
  return until === 'change' ? { do: 'none' } : { do: 'after', ms: Math.max(until - nowMs, 0) };
}

function requeueOf({ requeue, ms = 0 }: RunEnd, interval: Requeue): Requeue {
  switch (requeue) {
    case 'interval':
      return interval;
    case 'backoff':
      return { do: 'backoff' };
    case 'after':
      return { do: 'after', ms };
    case 'now':
      return { do: 'now' };
    case 'none':
      return { do: 'none' };
    default:
      return requeue satisfies never;
  }
}

/** The HelmChart was written: the watch tells when it has an artifact. */
function concludeChart(
  object: HelmRelease,
  { events, helmChart }: Extract<Outcome, { type: 'chart synced' }>,
  stamp: ConditionStamp,
): Conclusion<HelmReleaseStatus> {
  const { helmChart: _old, ...rest } = object.status ?? {};
  const status: HelmReleaseStatus = { ...rest, ...(helmChart === undefined ? {} : { helmChart }) };
  if (helmChart === undefined) return { status, events, requeue: { do: 'now' }, observed: false };
  const message = `HelmChart '${helmChart}' is not ready: latest generation of object has not been reconciled`;
  const error = { reason: reasons.sourceNotReady, message, retry: 'waiting', condition: 'Ready' } as ReconcileError;
  return {
    status: { ...status, conditions: failureConditions(status.conditions, error, stamp) },
    events,
    // The watch may have told of the artifact before this pass had an end.
    requeue: { do: 'now' },
    observed: false,
  };
}

function concludeFailure(
  object: HelmRelease,
  error: ReconcileError,
  stamp: ConditionStamp,
): Conclusion<HelmReleaseStatus> {
  const event = failureEvent(error);
  const events: EventDraft[] = event === undefined ? [] : [event];
  return {
    status: { ...object.status, conditions: failureConditions(object.status?.conditions, error, stamp) },
    events,
    requeue: failureRequeue(error, { waitingMs: 30_000 }),
    log: { reason: error.reason },
  };
}
