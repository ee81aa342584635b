// Owns the status, events and next run that follow from a pass: the one place that makes conditions of a Kustomization
// (flux.md §4.13, §4.15, lockstep.md §2, §3).
import {
  type Kustomization,
  type KustomizationStatus,
  kustomizationKind,
  kustomizationReasons as reasons,
} from '../../api/kustomize/kustomization.ts';
import type { Condition } from '../../api/meta/condition.ts';
import { formatDurationMs } from '../../lib/duration.ts';
import {
  type ConditionStamp,
  concludeReady,
  deleteCondition,
  getCondition,
  markReady,
  markReconciling,
  setCondition,
} from '../../runtime/conditions.ts';
import type { Conclusion, EventDraft, Pass, Requeue, Result } from '../../runtime/controller.ts';
import { failureConditions, failureEvent, failureRequeue } from '../../runtime/failure.ts';
import type { ReconcileError } from '../../runtime/reconcile-error.ts';
import { noLaterThan } from '../../runtime/requeue.ts';
import { deepEqual } from '../../runtime/status.ts';
import { intervalMs, intervalRequeue, retryIntervalMs, timeoutMs } from '../shared/timing.ts';
import { formatChange, isWrite } from './changes.ts';
import { KustomizationError } from './failure.ts';
import { moveHistory, recordHistory } from './history.ts';
import { appliedMessage, conflictMessage, driftMessage, eventMetadata, healthMessage, stepMessage } from './texts.ts';
import { type HealthWait, isHealthWait, type Notes, type Outcome } from './types.ts';

/** How often the health of objects that cannot be watched is looked at, in ms (flux.md §4.12). */
const HEALTH_POLL_MS = 5_000;
/**
 * By then status says that health is waited for, when there was more to do than to say it at once, in ms. Most of a fleet
 * that is deployed at once is healthy before: one write of status less for each.
 */
const TELL_WAIT_MS = 10_000;
/** How long after a fight over a field it is looked whether it goes on, in ms. */
const CALM_MS = 5 * 60_000;

/** Metadata of the events that a commit status is made of. */
export const commitStatusKey = `${kustomizationKind.group}/commit_status`;

type Applied = Extract<Outcome, { type: 'applied' }>;

export function conclude(
  object: Kustomization,
  result: Result<Outcome>,
  nowMs: number,
  pass: Pass<Kustomization>,
): Conclusion<KustomizationStatus> {
  const stamp = { generation: object.metadata.generation ?? 0, nowMs };
  if ('error' in result) return concludeFailure(object, result.error, stamp, pass);
  const { outcome } = result;
  const conclusion = concludeOutcome(object, outcome, stamp, pass);
  if (outcome.delayed === undefined) return conclusion;
  return { ...conclusion, requeue: noLaterThan(outcome.delayed.ms, conclusion.requeue, nowMs) };
}

function concludeOutcome(
  object: Kustomization,
  outcome: Outcome,
  stamp: ConditionStamp,
  pass: Pass<Kustomization>,
): Conclusion<KustomizationStatus> {
  const { nowMs } = stamp;
  switch (outcome.type) {
    case 'nothing':
      return concludeNothing(object, outcome.notes, stamp);
    case 'applied':
      return concludeApplied(object, outcome, stamp, pass);
    case 'moved':
      return concludeMoved(object, outcome, stamp, pass);
    case 'put off':
      return { requeue: { do: 'in background' }, observed: false };
    case 'pruned':
      return concludePruned(object, outcome, nowMs, pass);
    case 'corrected':
      return concludeCorrected(object, outcome, stamp, pass);
    case 'held':
      return { requeue: { do: 'after', ms: outcome.ms }, observed: false };
    case 'waiting':
      return concludeWaiting(object, outcome.wait, stamp);
    case 'healthy':
      return concludeHealthy(object, outcome, stamp);
    default:
      return outcome satisfies never;
  }
}

function concludeNothing(object: Kustomization, notes: Notes, stamp: ConditionStamp): Conclusion<KustomizationStatus> {
  const told = [...notes.warned, ...(notes.delayed?.drifts ?? [])];
  const wanted = getCondition(object.status?.conditions, reasons.ownershipConflict) !== undefined;
  let conditions: readonly Condition[] = object.status?.conditions ?? [];
  conditions = noteDrift(conditions, told.length === 0 ? undefined : driftMessage(told), stamp);
  if (wanted || notes.contested.length > 0) {
    conditions = noteConflict(conditions, conflictMessage(notes.contested, []), stamp);
  }
  return { status: { ...object.status, conditions }, requeue: intervalRequeue(object.spec!) };
}

function concludeApplied(
  object: Kustomization,
  outcome: Applied,
  stamp: ConditionStamp,
  pass: Pass<Kustomization>,
): Conclusion<KustomizationStatus> {
  const metadata = eventMetadata(object, outcome.revision, outcome.originRevision);
  const events: EventDraft[] = [];
  const written = outcome.changes.filter(isWrite);
  const say = (lines: readonly string[]) => {
    if (lines.length === 0) return;
    events.push({ type: 'Normal', reason: reasons.progressing, message: lines.join('\n'), metadata });
  };
  say(written.map(formatChange));
  say(outcome.pruned.map(({ id, action }) => `${id} ${action}`));
  const changed = written.length > 0 || outcome.pruned.some((item) => item.action === 'deleted');
  const status: KustomizationStatus = {
    ...object.status,
    inventory: { entries: outcome.inventory },
    lastAttemptedRevision: outcome.revision,
  };
  let conditions: readonly Condition[] = noteDrift(status.conditions ?? [], undefined, stamp);
  conditions = noteConflict(conditions, conflictMessage([], outcome.conflicts), stamp);
  if (outcome.health.state === 'waiting') {
    const { wait } = outcome.health;
    // The inventory is not put off: what it says is all that the next process knows.
    const isKnown = deepEqual(object.status?.inventory, status.inventory);
    if (isKnown && pass.othersWait()) {
      const untold: HealthWait = { ...wait, tellAtMs: stamp.nowMs + TELL_WAIT_MS };
      const noted = { ...object.status, conditions };
      return { status: noted, events, requeue: waitRequeue(untold, stamp.nowMs), observed: false };
    }
    const told = tellWait(object, { ...status, conditions }, wait, stamp);
    return { ...told, events };
  }
  if (outcome.health.state === 'none') conditions = deleteCondition(conditions, 'Healthy');
  else if (changed || getCondition(conditions, 'Healthy')?.status !== 'True') {
    const took = formatDurationMs(Math.max(stamp.nowMs - pass.startedMs, 0));
    conditions = markHealthy(conditions, took, stamp);
    if (outcome.newRevision && changed) events.push(healthEvent(took, metadata));
  }
  const done = { revision: outcome.revision, originRevision: outcome.originRevision, digest: outcome.digest };
  return concludeSuccess(
    object,
    { ...status, conditions },
    done,
    changed || outcome.newRevision,
    events,
    stamp,
    pass.startedMs,
  );
}

/** How the wait goes on; its beginning is told when that is due. */
function concludeWaiting(
  object: Kustomization,
  { tellAtMs, ...wait }: HealthWait,
  stamp: ConditionStamp,
): Conclusion<KustomizationStatus> {
  if (tellAtMs === undefined) return { requeue: waitRequeue(wait, stamp.nowMs), observed: false };
  if (stamp.nowMs >= tellAtMs) return tellWait(object, object.status ?? {}, wait, stamp);
  return { requeue: waitRequeue({ ...wait, tellAtMs }, stamp.nowMs), observed: false };
}

function tellWait(
  object: Kustomization,
  status: KustomizationStatus,
  wait: HealthWait,
  stamp: ConditionStamp,
): Conclusion<KustomizationStatus> {
  const message = healthMessage(wait.revision, timeoutMs(object.spec!));
  const conditions = waitConditions(status.conditions ?? [], message, stamp);
  return {
    status: { ...status, conditions, lastAttemptedRevision: wait.revision },
    requeue: waitRequeue(wait, stamp.nowMs),
    observed: false,
  };
}

interface Done {
  readonly revision: string;
  readonly originRevision: string | undefined;
  readonly digest: string;
}

/** The end of a pass that applied a revision whole; `didWork` says whether there is anything to tell. */
function concludeSuccess(
  object: Kustomization,
  status: KustomizationStatus,
  done: Done,
  didWork: boolean,
  events: EventDraft[],
  stamp: ConditionStamp,
  startedMs: number,
): Conclusion<KustomizationStatus> {
  const took = formatDurationMs(Math.max(stamp.nowMs - startedMs, 0));
  const interval = intervalMs(object.spec!);
  if (didWork) {
    events.push({
      type: 'Normal',
      reason: reasons.reconciliationSucceeded,
      message: `Reconciliation finished in ${took}, next run in ${formatDurationMs(interval)}`,
      metadata: {
        ...eventMetadata(object, done.revision, done.originRevision),
        [commitStatusKey]: 'update',
      },
    });
  }
  const next: KustomizationStatus = {
    ...status,
    conditions: concludeReady(status.conditions, reasons.reconciliationSucceeded, appliedMessage(done.revision), stamp),
    lastAppliedRevision: done.revision,
    lastAttemptedRevision: done.revision,
    ...(done.originRevision === undefined ? {} : { lastAppliedOriginRevision: done.originRevision }),
    history: recordHistory(status.history, {
      ...done,
      outcome: reasons.reconciliationSucceeded,
      took,
      nowMs: stamp.nowMs,
      didWork,
    }),
  };
  return {
    status: next,
    events,
    requeue: intervalRequeue(object.spec!),
    log: { revision: done.revision, changed: didWork },
  };
}

function concludeHealthy(
  object: Kustomization,
  outcome: Extract<Outcome, { type: 'healthy' }>,
  stamp: ConditionStamp,
): Conclusion<KustomizationStatus> {
  const { wait, digest, originRevision } = outcome;
  const took = formatDurationMs(Math.max(stamp.nowMs - wait.startedMs, 0));
  const events = [healthEvent(took, eventMetadata(object, wait.revision, originRevision))];
  const status = { ...object.status, conditions: markHealthy(object.status?.conditions ?? [], took, stamp) };
  const done = { revision: wait.revision, originRevision, digest };
  return concludeSuccess(object, status, done, wait.changed || wait.newRevision, events, stamp, wait.startedMs);
}

function concludeMoved(
  object: Kustomization,
  outcome: Extract<Outcome, { type: 'moved' }>,
  stamp: ConditionStamp,
  pass: Pass<Kustomization>,
): Conclusion<KustomizationStatus> {
  const { revision, originRevision } = outcome;
  const took = formatDurationMs(Math.max(stamp.nowMs - pass.startedMs, 0));
  const interval = intervalMs(object.spec!);
  return {
    status: {
      ...object.status,
      conditions: concludeReady(
        object.status?.conditions,
        reasons.reconciliationSucceeded,
        appliedMessage(revision),
        stamp,
      ),
      lastAppliedRevision: revision,
      lastAttemptedRevision: revision,
      ...(originRevision === undefined ? {} : { lastAppliedOriginRevision: originRevision }),
      history: moveHistory(object.status?.history, revision, originRevision),
    },
    events: [
      {
        type: 'Normal',
        reason: reasons.reconciliationSucceeded,
        message: `Reconciliation finished in ${took}, next run in ${formatDurationMs(interval)}`,
        metadata: {
          ...eventMetadata(object, revision, originRevision),
          [commitStatusKey]: 'update',
        },
      },
    ],
    requeue: outcome.hasDrift ? { do: 'now' } : intervalRequeue(object.spec!),
    log: { revision, untouched: true },
  };
}

/** What had to wait for others is gone, or theirs. Nothing else was looked at: that pass follows at once. */
function concludePruned(
  object: Kustomization,
  outcome: Extract<Outcome, { type: 'pruned' }>,
  nowMs: number,
  pass: Pass<Kustomization>,
): Conclusion<KustomizationStatus> {
  const message = outcome.pruned.map(({ id, action }) => `${id} ${action}`).join('\n');
  const metadata = eventMetadata(object, outcome.revision, outcome.originRevision);
  return {
    status: { ...object.status, inventory: { entries: outcome.inventory } },
    events: message === '' ? [] : [{ type: 'Normal', reason: reasons.progressing, message, metadata }],
    requeue: isHealthWait(pass.memory) ? lookRequeue(pass.memory, nowMs) : { do: 'now' },
    log: { revision: outcome.revision, pruned: outcome.pruned.length },
  };
}

function concludeCorrected(
  object: Kustomization,
  outcome: Extract<Outcome, { type: 'corrected' }>,
  stamp: ConditionStamp,
  pass: Pass<Kustomization>,
): Conclusion<KustomizationStatus> {
  const revision = object.status?.lastAppliedRevision ?? '';
  const written = outcome.changes.filter(isWrite);
  const metadata = eventMetadata(object, revision, object.status?.lastAppliedOriginRevision);
  const interval = intervalMs(object.spec!);
  const took = formatDurationMs(Math.max(stamp.nowMs - pass.startedMs, 0));
  const events: EventDraft[] =
    written.length === 0
      ? []
      : [
          { type: 'Normal', reason: reasons.progressing, message: written.map(formatChange).join('\n'), metadata },
          {
            type: 'Normal',
            reason: reasons.reconciliationSucceeded,
            message: `Reconciliation finished in ${took}, next run in ${formatDurationMs(interval)}`,
            metadata,
          },
        ];
  const told = [...outcome.warned, ...(outcome.delayed?.drifts ?? []), ...outcome.fought];
  const message = told.length === 0 ? undefined : driftMessage(told);
  return {
    status: { ...object.status, conditions: noteDrift(object.status?.conditions ?? [], message, stamp) },
    events,
    ...correctedRequeue(object, outcome, stamp.nowMs),
    log: { revision, corrected: written.length },
  };
}

function correctedRequeue(
  object: Kustomization,
  { pending, fought }: Extract<Outcome, { type: 'corrected' }>,
  nowMs: number,
): Pick<Conclusion, 'requeue' | 'observed'> {
  if (pending?.type === 'health') return { requeue: lookRequeue(pending, nowMs), observed: false };
  if (pending !== undefined) return { requeue: { do: 'after', ms: pending.leftMs }, observed: false };
  const requeue = intervalRequeue(object.spec!);
  if (fought.length === 0) return { requeue };
  // The condition Drifted goes when the fight is over, however long the interval.
  return { requeue: { do: 'after', ms: requeue.do === 'interval' ? Math.min(CALM_MS, requeue.ms) : CALM_MS } };
}

function concludeFailure(
  object: Kustomization,
  error: ReconcileError,
  stamp: ConditionStamp,
  pass: Pass<Kustomization>,
): Conclusion<KustomizationStatus> {
  const revision = error instanceof KustomizationError ? error.revision : (object.status?.lastAttemptedRevision ?? '');
  const event = failureEvent(error, eventMetadata(object, revision));
  const requeue = failureRequeue(error, {
    waitingMs: 30_000,
    ...(error instanceof KustomizationError ? { retryMs: retryIntervalMs(object.spec!) } : {}),
  });
  let conditions = failureConditions(object.status?.conditions, error, stamp);
  const status: KustomizationStatus = { ...object.status };
  if (!(error instanceof KustomizationError)) {
    const events = event === undefined ? [] : [dependencyEvent(event, error)];
    return { status: { ...status, conditions }, events, requeue, log: { reason: error.reason } };
  }
  conditions = markReconciling(
    conditions,
    reasons.progressingWithRetry,
    stepMessage(error.step, error.revision, timeoutMs(object.spec!)),
    stamp,
  );
  if (error.step === 'health') {
    const text = { reason: reasons.healthCheckFailed, message: error.message };
    conditions = setCondition(conditions, { type: 'Healthy', status: 'False', ...text }, stamp);
  }
  const took = formatDurationMs(Math.max(stamp.nowMs - pass.startedMs, 0));
  const history =
    error.digest === undefined
      ? status.history
      : recordHistory(status.history, {
          revision: error.revision,
          originRevision: undefined,
          digest: error.digest,
          outcome: error.reason,
          took,
          nowMs: stamp.nowMs,
          didWork: true,
        });
  return {
    status: {
      ...status,
      conditions,
      ...(history === undefined ? {} : { history }),
      ...(error.step === 'fetch' ? {} : { lastAttemptedRevision: error.revision }),
    },
    events: event === undefined ? [] : [event],
    requeue,
    log: { revision: error.revision, reason: error.reason },
  };
}

/** A dependency that is not met has an event of its own words. */
function dependencyEvent(event: EventDraft, error: ReconcileError): EventDraft {
  if (error.reason !== reasons.dependencyNotReady) return event;
  const delay = formatDurationMs(error.retryAfterMs ?? 30_000);
  return { ...event, message: `Dependencies do not meet ready condition, retrying in ${delay}` };
}

function waitRequeue(wait: HealthWait, nowMs: number): Requeue {
  const { deadlineMs, isPolled, tellAtMs = Number.POSITIVE_INFINITY } = wait;
  const untilMs = Math.min(deadlineMs, tellAtMs, isPolled ? nowMs + HEALTH_POLL_MS : Number.POSITIVE_INFINITY);
  return { do: 'wait', untilMs, memory: wait };
}

/**
 * Looks at health at once: this pass did something else, and what woke it may have been that the last object is well.
 */
function lookRequeue(wait: HealthWait, nowMs: number): Requeue {
  return { do: 'wait', untilMs: nowMs, memory: wait };
}

function waitConditions(
  conditions: readonly Condition[],
  message: string,
  stamp: ConditionStamp,
): readonly Condition[] {
  const text = { reason: reasons.progressing, message };
  const waiting = setCondition(conditions, { type: 'Healthy', status: 'Unknown', ...text }, stamp);
  return markProgressing(waiting, message, stamp);
}

/** What the union inventory is written with: one that is not Ready is on its way then, whatever was before. */
export function applyConditions(
  object: Kustomization,
  revision: string,
  stamp: ConditionStamp,
): readonly Condition[] | undefined {
  const { conditions } = object.status ?? {};
  if (getCondition(conditions, 'Ready')?.status === 'True') return conditions;
  return markProgressing(conditions, stepMessage('apply', revision, timeoutMs(object.spec!)), stamp);
}

function markProgressing(
  conditions: readonly Condition[] | undefined,
  message: string,
  stamp: ConditionStamp,
): readonly Condition[] {
  const running = markReconciling(conditions, reasons.progressing, message, stamp);
  return markReady(running, 'Unknown', { reason: reasons.progressing, message: 'Reconciliation in progress' }, stamp);
}

function markHealthy(conditions: readonly Condition[], took: string, stamp: ConditionStamp): readonly Condition[] {
  const text = { reason: reasons.healthCheckSucceeded, message: `Health check passed in ${took}` };
  return setCondition(conditions, { type: 'Healthy', status: 'True', ...text }, stamp);
}

function healthEvent(took: string, metadata: Readonly<Record<string, string>>): EventDraft {
  return { type: 'Normal', reason: reasons.progressing, message: `Health check passed in ${took}`, metadata };
}

/** The neutral condition Drifted, or none. */
function noteDrift(
  conditions: readonly Condition[],
  message: string | undefined,
  stamp: ConditionStamp,
): readonly Condition[] {
  if (message === undefined) return deleteCondition(conditions, reasons.drifted);
  return setCondition(conditions, { type: reasons.drifted, status: 'True', reason: reasons.drifted, message }, stamp);
}

/** The neutral condition OwnershipConflict, or none. */
function noteConflict(conditions: readonly Condition[], message: string, stamp: ConditionStamp): readonly Condition[] {
  const type = reasons.ownershipConflict;
  if (message === '') return deleteCondition(conditions, type);
  return setCondition(conditions, { type, status: 'True', reason: type, message }, stamp);
}
