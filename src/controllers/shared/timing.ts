// Owns the durations of a spec in milliseconds, with Flux's defaults (flux.md §1.7, §4.1).
import type { KustomizationSpec } from '../../api/kustomize/kustomization.ts';
import { parseDurationMs } from '../../lib/duration.ts';
import type { Requeue } from '../../runtime/controller.ts';

/** Least timeout of a Kustomization, and what is taken off the interval when none is given, in ms. */
const TIMEOUT_FLOOR_MS = 30_000;
/** An interval shorter than this counts as this long: what a tenant writes must not keep a worker busy. */
const SHORTEST_INTERVAL_MS = 100;
/** A failure is tried again after this long where the spec says `0s`. */
const RETRY_WITHOUT_INTERVAL_MS = 30_000;
/** Durations beyond what Go can hold, and so beyond any clock: some 292 years. */
const LONGEST_MS = 2 ** 63 / 1e6;
/** `AbortSignal.timeout` takes no more. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** A Go duration in whole milliseconds. The schema lets through what is too long for Go: that is cut (CVE-2022-39272). */
export function durationMs(text: string): number {
  try {
    return Math.max(Math.round(parseDurationMs(text)), 0);
  } catch {
    return LONGEST_MS;
  }
}

/** A duration that one timer can hold, in ms: at least 1. */
export function timerMs(text: string): number {
  return Math.min(Math.max(durationMs(text), 1), LONGEST_TIMER_MS);
}

/** Timeout of a source that the API server did not default, in ms. */
const SOURCE_TIMEOUT_MS = 60_000;

/** How long one poll or fetch of a source may take, in ms. */
export function sourceTimeoutMs({ timeout }: { readonly timeout?: string }): number {
  return timeout === undefined ? SOURCE_TIMEOUT_MS : timerMs(timeout);
}

/** The interval in ms; 0 for none. */
export function intervalMs(spec: Pick<KustomizationSpec, 'interval'>): number {
  const ms = durationMs(spec.interval);
  return ms === 0 ? 0 : Math.max(ms, SHORTEST_INTERVAL_MS);
}

/** When a pass that has nothing left to do runs again. As in Flux an interval of 0 means: only when something changes. */
export function intervalRequeue(spec: Pick<KustomizationSpec, 'interval'>): Requeue {
  const ms = intervalMs(spec);
  return ms === 0 ? { do: 'none' } : { do: 'interval', ms };
}

/** How long to wait after a failure. */
export function retryIntervalMs(spec: Pick<KustomizationSpec, 'interval' | 'retryInterval'>): number {
  const ms = durationMs(spec.retryInterval ?? spec.interval);
  return ms === 0 ? RETRY_WITHOUT_INTERVAL_MS : Math.max(ms, SHORTEST_INTERVAL_MS);
}

/** How long health checks and termination may take: interval less 30 s, and 30 s at the least in both cases. */
export function timeoutMs(spec: Pick<KustomizationSpec, 'interval' | 'timeout'>): number {
  const wanted = spec.timeout === undefined ? intervalMs(spec) - TIMEOUT_FLOOR_MS : durationMs(spec.timeout);
  return Math.max(wanted, TIMEOUT_FLOOR_MS);
}
