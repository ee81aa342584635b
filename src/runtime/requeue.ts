// Owns the arithmetic of when a key runs next. Holding it until then is queue.ts.

/** An interval with jitter: `ms × (1 ± percent/100)`, uniform, whole milliseconds. `random` is in [0, 1). */
export function jittered(ms: number, percent: number, random: () => number): number {
  if (percent <= 0) return ms;
  const span = percent / 100;
  return Math.max(0, Math.round(ms * (1 - span + 2 * span * random())));
}
