// Owns the real clock. Nothing else of this program reads time.
import type { CancelTimer, Clock } from '../lib/clock.ts';

/** setTimeout takes 31 bits of milliseconds; longer waits are made of several. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

function arm(ms: number, run: () => void, keepsAlive: boolean): CancelTimer {
  let handle: NodeJS.Timeout;
  const step = (rest: number): void => {
    const next = Math.min(Math.max(rest, 0), LONGEST_TIMER_MS);
    handle = setTimeout(() => (rest > LONGEST_TIMER_MS ? step(rest - next) : run()), next);
    if (!keepsAlive) handle.unref();
  };
  step(ms);
  return () => clearTimeout(handle);
}

/** The clock of the machine. */
export const systemClock: Clock = Object.freeze({
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimer: (ms: number, run: () => void) => arm(ms, run, false),
  sleep: (ms: number, signal?: AbortSignal) =>
    new Promise<void>((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const onAbort = (): void => {
        cancel();
        reject(signal?.reason);
      };
      // Somebody waits for it: the process must not end meanwhile for want of anything else to do.
      const cancel = arm(
        ms,
        () => {
          signal?.removeEventListener('abort', onAbort);
          resolve();
        },
        true,
      );
      signal?.addEventListener('abort', onAbort, { once: true });
    }),
});
