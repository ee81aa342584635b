// Owns setting and reading status conditions by Flux's rules (flux.md §1.3). Pure; which conditions a kind has and what
// they say is the kind's conclude.ts.
import { type Condition, type ConditionStatus, conditionTypes, metaReasons } from '../api/meta/condition.ts';
import { formatTime } from '../lib/time.ts';

/** What one condition is to say. */
export interface ConditionDraft {
  readonly type: string;
  readonly status: ConditionStatus;
  readonly reason: string;
  readonly message: string;
}

/** Generation and time that a condition is set for. */
export interface ConditionStamp {
  /** `metadata.generation` */
  readonly generation: number;
  readonly nowMs: number;
}

export type Conditions = readonly Condition[] | undefined;

const MAX_MESSAGE_BYTES = 32_768;
const FIRST = [conditionTypes.stalled, conditionTypes.reconciling, conditionTypes.ready] as const;

export function getCondition(conditions: Conditions, type: string): Condition | undefined {
  return conditions?.find((condition) => condition.type === type);
}

export function isTrue(conditions: Conditions, type: string): boolean {
  return getCondition(conditions, type)?.status === 'True';
}

/** Status of Ready; undefined when the condition is absent. */
export function readiness(conditions: Conditions): ConditionStatus | undefined {
  return getCondition(conditions, conditionTypes.ready)?.status;
}

/** The conditions with one set. `lastTransitionTime` moves when status, reason or message changes. */
export function setCondition(conditions: Conditions, draft: ConditionDraft, stamp: ConditionStamp): Condition[] {
  const old = getCondition(conditions, draft.type);
  const message = capMessage(draft.message);
  const same =
    old !== undefined && old.status === draft.status && old.reason === draft.reason && old.message === message;
  const next: Condition = {
    type: draft.type,
    status: draft.status,
    reason: draft.reason,
    message,
    lastTransitionTime: same ? old.lastTransitionTime : formatTime(stamp.nowMs),
    observedGeneration: stamp.generation,
  };
  return sortConditions([...deleteCondition(conditions, draft.type), next]);
}

/** The conditions without one. */
export function deleteCondition(conditions: Conditions, ...types: readonly string[]): Condition[] {
  return (conditions ?? []).filter((condition) => !types.includes(condition.type));
}

/** Sets Reconciling=True, which excludes Stalled. */
export function markReconciling(
  conditions: Conditions,
  reason: string,
  message: string,
  stamp: ConditionStamp,
): Condition[] {
  const draft = { type: conditionTypes.reconciling, status: 'True', reason, message } as const;
  return setCondition(deleteCondition(conditions, conditionTypes.stalled), draft, stamp);
}

/** Sets Stalled=True, which excludes Reconciling. */
export function markStalled(
  conditions: Conditions,
  reason: string,
  message: string,
  stamp: ConditionStamp,
): Condition[] {
  const draft = { type: conditionTypes.stalled, status: 'True', reason, message } as const;
  return setCondition(deleteCondition(conditions, conditionTypes.reconciling), draft, stamp);
}

/** Sets Ready. */
export function markReady(
  conditions: Conditions,
  status: ConditionStatus,
  text: { readonly reason: string; readonly message: string },
  stamp: ConditionStamp,
): Condition[] {
  return setCondition(conditions, { type: conditionTypes.ready, status, ...text }, stamp);
}

/** The conditions after success: Ready=True, neither Reconciling nor Stalled. */
export function concludeReady(
  conditions: Conditions,
  reason: string,
  message: string,
  stamp: ConditionStamp,
): Condition[] {
  const rest = deleteCondition(conditions, conditionTypes.reconciling, conditionTypes.stalled);
  return markReady(rest, 'True', { reason, message }, stamp);
}

/**
 * The Reconciling condition of a pass that failed and will be tried again: the message stays, the reason becomes
 * `ProgressingWithRetry`.
 */
export function markRetrying(conditions: Conditions, message: string, stamp: ConditionStamp): Condition[] {
  const text = getCondition(conditions, conditionTypes.reconciling)?.message ?? message;
  return markReconciling(conditions, metaReasons.progressingWithRetry, text, stamp);
}

/** Stalled, Reconciling, Ready; then the rest by higher observedGeneration, then by type. */
export function sortConditions(conditions: readonly Condition[]): Condition[] {
  const rank = (condition: Condition): number => {
    const place = (FIRST as readonly string[]).indexOf(condition.type);
    return place < 0 ? FIRST.length : place;
  };
  return [...conditions].sort((a, b) => {
    const byRank = rank(a) - rank(b);
    if (byRank !== 0 || rank(a) < FIRST.length) return byRank;
    const byGeneration = (b.observedGeneration ?? 0) - (a.observedGeneration ?? 0);
    if (byGeneration !== 0) return byGeneration;
    return a.type < b.type ? -1 : a.type > b.type ? 1 : 0;
  });
}

/** A message of at most 32768 bytes; a longer one is cut between characters and ends in `...`. */
export function capMessage(message: string): string {
  if (message.length * 3 <= MAX_MESSAGE_BYTES) return message;
  const bytes = new TextEncoder().encode(message);
  if (bytes.length <= MAX_MESSAGE_BYTES) return message;
  let end = MAX_MESSAGE_BYTES - 3;
  while ((bytes[end]! & 0xc0) === 0x80) end--;
  return `${new TextDecoder().decode(bytes.subarray(0, end))}...`;
}

/** Which conditions Ready is made of. */
export interface SummaryRules {
  /** Types in order of priority. */
  readonly priority: readonly string[];
  /** Types whose True is the bad case. */
  readonly negative: readonly string[];
}

/**
 * Ready as a summary of other conditions (flux.md §1.3): the first group that is not empty of negative True, positive
 * False, positive True, negative False, Unknown; and in it the type that stands first in the list. Undefined when none
 * of the types is present.
 */
export function summarizeReady(conditions: Conditions, rules: SummaryRules): ConditionDraft | undefined {
  let best: { readonly condition: Condition; readonly group: number } | undefined;
  for (const type of rules.priority) {
    const condition = getCondition(conditions, type);
    if (condition === undefined) continue;
    const group = groupOf(condition, rules.negative.includes(type));
    if (best === undefined || group < best.group) best = { condition, group };
  }
  if (best === undefined) return undefined;
  const { reason, message } = best.condition;
  return { type: conditionTypes.ready, status: STATUS_OF_GROUP[best.group]!, reason, message };
}

const STATUS_OF_GROUP = ['False', 'False', 'True', 'True', 'Unknown'] as const;

function groupOf(condition: Condition, negative: boolean): number {
  if (condition.status === 'Unknown') return 4;
  if (negative) return condition.status === 'True' ? 0 : 3;
  return condition.status === 'False' ? 1 : 2;
}
