// Owns the durations of a spec in milliseconds, with Flux's defaults (flux.md §1.7, §4.1).
import type { KustomizationSpec } from '../../api/kustomize/kustomization.ts';
import { parseDurationMs } from '../../lib/duration.ts';

/** Least timeout of a Kustomization, and what is taken off the interval when none is given, in ms. */
const TIMEOUT_FLOOR_MS = 30_000;
/** Timers beyond this many ms overflow and fire at once: longer ones are cut to it. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** A Go duration in whole milliseconds, at least 0 and no longer than a timer can be. */
export function durationMs(text: string): number {
  return Math.min(Math.max(Math.round(parseDurationMs(text)), 0), LONGEST_TIMER_MS);
}

export function intervalMs(spec: Pick<KustomizationSpec, 'interval'>): number {
  return durationMs(spec.interval);
}

/** How long to wait after a failure. */
export function retryIntervalMs(spec: Pick<KustomizationSpec, 'interval' | 'retryInterval'>): number {
  return durationMs(spec.retryInterval ?? spec.interval);
}

/** How long health checks and termination may take: interval less 30 s, and 30 s at the least in both cases. */
export function timeoutMs(spec: Pick<KustomizationSpec, 'interval' | 'timeout'>): number {
  const wanted = spec.timeout === undefined ? intervalMs(spec) - TIMEOUT_FLOOR_MS : durationMs(spec.timeout);
  return Math.max(wanted, TIMEOUT_FLOOR_MS);
}
