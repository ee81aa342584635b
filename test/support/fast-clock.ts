// Owns a clock for tests that runs faster than the machine's and whose wall time can jump: a time limit of a minute is
// reached in seconds, without a word in what is tested.
import type { Clock } from '../../src/lib/clock.ts';
import { systemClock } from '../../src/runtime/clock.ts';

export interface FastClock extends Clock {
  /** Moves the wall time alone, forth or back, as an administrator or NTP does. */
  jump(ms: number): void;
}

/** A clock that begins now and runs `speed` times as fast. */
export function createFastClock(speed: number): FastClock {
  const startedWall = systemClock.now();
  const started = systemClock.monotonic();
  let jumped = 0;
  const passed = (): number => (systemClock.monotonic() - started) * speed;
  return {
    now: () => Math.round(startedWall + passed() + jumped),
    monotonic: () => started + passed(),
    sleep: (ms, signal) => systemClock.sleep(ms / speed, signal),
    setTimer: (ms, run) => systemClock.setTimer(ms / speed, run),
    jump: (ms) => {
      jumped += ms;
    },
  };
}
