// Owns the arithmetic of when a key runs next. Holding it until then is queue.ts.
import type { Requeue } from './controller.ts';

const MAX_GRID_MS = 1000;

/** An interval with jitter: `ms × (1 ± percent/100)`, uniform, whole milliseconds. `random` is in [0, 1). */
export function jittered(ms: number, percent: number, random: () => number): number {
  if (percent <= 0) return ms;
  const span = percent / 100;
  return Math.max(0, Math.round(ms * (1 - span + 2 * span * random())));
}

/**
 * A delay that ends on a multiple of a hundredth of the interval, of a second at the most, where jitter leaves the exact
 * time open anyway: keys whose turn comes about then wake the process once. Waking it costs as much as ten passes
 * without news.
 * @param nowMs of the clock that the delay is counted on
 */
export function gathered(delayMs: number, intervalMs: number, percent: number, nowMs: number): number {
  if (percent <= 0) return delayMs;
  const grid = Math.min(MAX_GRID_MS, Math.max(1, Math.round(intervalMs / 100)));
  return Math.ceil((nowMs + delayMs) / grid) * grid - nowMs;
}

/** The run that was planned, in `ms` at the latest. */
export function noLaterThan(ms: number, requeue: Requeue, nowMs: number): Requeue {
  switch (requeue.do) {
    case 'none':
      return { do: 'after', ms };
    case 'interval':
    case 'after':
      return { do: 'after', ms: Math.min(ms, requeue.ms) };
    case 'wait':
      return { ...requeue, untilMs: Math.min(requeue.untilMs, nowMs + ms) };
    case 'now':
    case 'in background':
    case 'backoff':
      return requeue;
    default:
      return requeue satisfies never;
  }
}
