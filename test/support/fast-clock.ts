// Owns a clock for tests that runs faster than the machine's, can skip time and whose wall time can jump: a time limit of
// minutes is reached in seconds, without a word in what is tested. Time in which the process gets no turn does not count: on a busy
// machine a minute would else be over before anybody could answer.
import type { CancelTimer, Clock } from '../../src/lib/clock.ts';
import { systemClock } from '../../src/runtime/clock.ts';

export interface FastClock extends Clock {
  /** Moves the wall time alone, forth or back, as an administrator or NTP does. */
  jump(ms: number): void;
  /** Lets time pass at once: what falls due meanwhile runs now. For when nothing is under way that it would cut short. */
  skip(ms: number): void;
}

/** A time limit that nothing reaches before it is skipped, however busy the machine, in ms. */
export const FAR_LIMIT_MS = 300_000;

/** How often a process that has nothing else to do gets a turn, in ms. */
const TURN_MS = 20;
/** What is longer than this between two turns is not the clock's time, in ms. */
const MOST_MS = 2 * TURN_MS;

/** A clock that begins now and runs `speed` times as fast. */
export function createFastClock(speed: number): FastClock {
  const startedWall = systemClock.now();
  const started = systemClock.monotonic();
  let turn = started;
  let counted = 0;
  let jumped = 0;
  const passed = (): number => {
    const now = systemClock.monotonic();
    counted += Math.min(now - turn, MOST_MS);
    turn = now;
    return counted * speed;
  };
  setInterval(passed, TURN_MS).unref();
  const armed = new Set<() => void>();
  const setTimer = (ms: number, run: () => void): CancelTimer => {
    const end = passed() + ms;
    let cancel: CancelTimer = () => {};
    const arm = (): void => {
      cancel();
      cancel = systemClock.setTimer(Math.max(end - passed(), 0) / speed, () => {
        if (passed() < end) return arm();
        armed.delete(arm);
        run();
      });
    };
    arm();
    armed.add(arm);
    return () => {
      armed.delete(arm);
      cancel();
    };
  };
  return {
    now: () => Math.round(startedWall + passed() + jumped),
    monotonic: () => started + passed(),
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        signal?.throwIfAborted();
        const aborted = (): void => {
          cancel();
          reject(signal?.reason as Error);
        };
        const cancel = setTimer(ms, () => {
          signal?.removeEventListener('abort', aborted);
          resolve();
        });
        signal?.addEventListener('abort', aborted, { once: true });
      }),
    setTimer,
    jump: (ms) => {
      jumped += ms;
    },
    skip: (ms) => {
      passed();
      counted += ms / speed;
      for (const arm of [...armed]) arm();
    },
  };
}
