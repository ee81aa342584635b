// Owns the guard against fights over a field: one that is put back again and again is put back more and more slowly
// (lockstep.md §3). Times are those of the monotonic clock: a wall clock that jumps neither ends a fight nor begins one.
import type { Drift } from '../../plan/drift.ts';

/** A drifted object, by its identity, and how it has drifted. */
interface ObservedDrift {
  readonly key: string;
  readonly drift: Drift;
}

/** How often and when a field, or any field of an object, was put back. */
interface Struggle {
  /** Corrections of the last five minutes, newest last, in ms. */
  readonly recent: readonly number[];
  /** How long it is left alone after the newest one, in ms; 0 while it is not fought over. */
  readonly delayMs: number;
}

/** What was put back lately, by object and field. */
export type DriftGuard = Map<string, Struggle>;

const WINDOW_MS = 5 * 60_000;
const FREE_CORRECTIONS = 3;
/** Of any fields of one object: somebody may write another field each time. */
const FREE_OBJECT_CORRECTIONS = 30;
const FIRST_DELAY_MS = 10_000;
const LEAST_DELAY_MS = 1_000;

/**
 * How long to leave a drifted object alone from now on, in ms; 0 when it may be put back at once. A field that nobody
 * fights over is put back at once, and the others along with it.
 */
export function correctionDelayMs(guard: DriftGuard, drift: ObservedDrift, nowMs: number): number {
  const leftOf = (key: string): number => {
    const struggle = currentOf(guard, key, nowMs);
    if (struggle === undefined || struggle.delayMs === 0) return 0;
    return Math.max((struggle.recent.at(-1) ?? 0) + struggle.delayMs - nowMs, 0);
  };
  return Math.max(leftOf(drift.key), Math.min(...fieldKeys(drift).map(leftOf)));
}

/** True when one of the drifted fields is being fought over. */
export function isFoughtOver(guard: DriftGuard, drift: ObservedDrift, nowMs: number): boolean {
  return [drift.key, ...fieldKeys(drift)].some((key) => (currentOf(guard, key, nowMs)?.delayMs ?? 0) > 0);
}

/**
 * Notes that a drift was put back.
 * @param intervalMs the longest delay: what an interval tick without watching would do
 */
export function noteCorrection(guard: DriftGuard, drift: ObservedDrift, nowMs: number, intervalMs: number): void {
  for (const key of guard.keys()) if (currentOf(guard, key, nowMs) === undefined) guard.delete(key);
  const mostMs = Math.max(intervalMs, LEAST_DELAY_MS);
  const note = (key: string, free: number): void => {
    const before = currentOf(guard, key, nowMs) ?? { recent: [], delayMs: 0 };
    const recent = [...before.recent.filter((time) => nowMs - time < WINDOW_MS), nowMs];
    const isFight = before.delayMs > 0 || recent.length >= free;
    const delayMs = isFight ? Math.min(Math.max(before.delayMs * 2, FIRST_DELAY_MS), mostMs) : 0;
    guard.set(key, { recent, delayMs });
  };
  note(drift.key, FREE_OBJECT_CORRECTIONS);
  for (const key of fieldKeys(drift)) note(key, FREE_CORRECTIONS);
}

/** A fight is over when nothing had to be put back for five minutes beyond its delay. */
function currentOf(guard: DriftGuard, key: string, nowMs: number): Struggle | undefined {
  const struggle = guard.get(key);
  const isOver = struggle === undefined || nowMs - (struggle.recent.at(-1) ?? 0) > WINDOW_MS + struggle.delayMs;
  return isOver ? undefined : struggle;
}

function fieldKeys({ key, drift }: ObservedDrift): readonly string[] {
  const fields = drift.fields.length === 0 ? [drift.because] : drift.fields;
  return fields.map((field) => `${key} ${field}`);
}
