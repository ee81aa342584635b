// Owns what a failed pass says when its kind has nothing special to say: conditions, event and requeue by retry class
// (style.md §7, flux.md §1.4).
import { type Condition, conditionTypes } from '../api/meta/condition.ts';
import {
  type ConditionStamp,
  type Conditions,
  deleteCondition,
  markReady,
  markRetrying,
  markStalled,
  setCondition,
} from './conditions.ts';
import type { EventDraft, Requeue } from './controller.ts';
import type { ReconcileError } from './reconcile-error.ts';

/**
 * Conditions after an error: Ready=False, the error's own condition, and Reconciling or Stalled by its class.
 * @param negative types whose True is the bad case: those are set True, all others False
 */
export function failureConditions(
  conditions: Conditions,
  error: ReconcileError,
  stamp: ConditionStamp,
  negative: readonly string[] = [],
): Condition[] {
  const bad = negative.includes(error.condition) ? 'True' : 'False';
  const text = { reason: error.reason, message: error.message };
  const failed = markReady(conditions, 'False', text, stamp);
  const named =
    error.condition === conditionTypes.ready
      ? failed
      : setCondition(failed, { type: error.condition, status: bad, ...text }, stamp);
  if (error.retry === 'stalled') return markStalled(named, error.reason, error.message, stamp);
  return markRetrying(deleteCondition(named, conditionTypes.stalled), 'Reconciliation in progress', stamp);
}

/** The event of an error; none when it is silent. */
export function failureEvent(
  error: ReconcileError,
  metadata?: Readonly<Record<string, string>>,
): EventDraft | undefined {
  if (error.silent) return undefined;
  const type = error.retry === 'transient' || error.retry === 'stalled' ? 'Warning' : 'Normal';
  return { type, reason: error.reason, message: error.message, ...(metadata === undefined ? {} : { metadata }) };
}

export interface FailureDelays {
  /** Of the waiting class: `--requeue-dependency`. */
  readonly waitingMs: number;
  /** Of the transient class where the kind has a retry interval; else back-off. */
  readonly retryMs?: number | undefined;
}

/** When a failed pass runs again. */
export function failureRequeue(error: ReconcileError, delays: FailureDelays): Requeue {
  switch (error.retry) {
    case 'stalled':
      return { do: 'none' };
    case 'superseded':
      return { do: 'now' };
    case 'waiting':
      return { do: 'after', ms: error.retryAfterMs ?? delays.waitingMs };
    case 'transient': {
      const ms = error.retryAfterMs ?? delays.retryMs;
      return ms === undefined ? { do: 'backoff' } : { do: 'after', ms };
    }
    default:
      return error.retry satisfies never;
  }
}
