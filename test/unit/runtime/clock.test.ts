import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/runtime/clock.ts';

describe('systemClock', () => {
  it('ends a sleep by its signal, with the reason', async () => {
    const abort = new AbortController();
    const slept = systemClock.sleep(60_000, abort.signal);

    abort.abort(new Error('enough'));

    await expect(slept).rejects.toThrow('enough');
    await expect(systemClock.sleep(1, abort.signal)).rejects.toThrow('enough');
  });

  it('does not fire early for waits longer than a timer can hold', async () => {
    let fired = false;
    const cancel = systemClock.setTimer(2 ** 31 + 1_000, () => {
      fired = true;
    });

    await systemClock.sleep(5);

    expect(fired).toBe(false);
    cancel();
  });

  it('does not fire when cancelled', async () => {
    let fired = false;
    const cancel = systemClock.setTimer(0, () => {
      fired = true;
    });

    cancel();
    await systemClock.sleep(2);

    expect(fired).toBe(false);
  });
});
