// Owns the guard against fights over a field: an object that is put back again and again is put back more and more
// slowly (lockstep.md §3).

/** Times (epoch ms) at which each object was put back, newest last. */
export type DriftGuard = Map<string, number[]>;

const WINDOW_MS = 5 * 60_000;
const FREE_CORRECTIONS = 3;
const FIRST_DELAY_MS = 10_000;

/** How long to leave the object alone from now on, in ms; 0 when it may be put back at once. */
export function correctionDelayMs(guard: DriftGuard, key: string, nowMs: number, intervalMs: number): number {
  const recent = (guard.get(key) ?? []).filter((time) => nowMs - time < WINDOW_MS && time <= nowMs);
  if (recent.length < FREE_CORRECTIONS) return 0;
  const delay = Math.min(FIRST_DELAY_MS * 2 ** (recent.length - FREE_CORRECTIONS), Math.max(intervalMs, 1_000));
  return Math.max((recent.at(-1) ?? 0) + delay - nowMs, 0);
}

/** True when the object is being fought over. */
export function isFoughtOver(guard: DriftGuard, key: string, nowMs: number): boolean {
  return (guard.get(key) ?? []).filter((time) => nowMs - time < WINDOW_MS).length >= FREE_CORRECTIONS;
}

/** Notes that an object was put back. */
export function noteCorrection(guard: DriftGuard, key: string, nowMs: number): void {
  const recent = (guard.get(key) ?? []).filter((time) => nowMs - time < WINDOW_MS);
  guard.set(key, [...recent, nowMs]);
}
