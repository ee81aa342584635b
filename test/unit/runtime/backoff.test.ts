import { describe, expect, it } from 'vitest';
import { Backoff } from '../../../src/runtime/backoff.ts';
import { gathered, jittered } from '../../../src/runtime/requeue.ts';

describe('Backoff', () => {
  it('doubles from 750 ms to 15 minutes', () => {
    const backoff = new Backoff();

    const delays = Array.from({ length: 12 }, () => backoff.next('a'));

    expect(delays).toEqual([
      750, 1_500, 3_000, 6_000, 12_000, 24_000, 48_000, 96_000, 192_000, 384_000, 768_000, 900_000,
    ]);
  });

  it('counts each key for itself and forgets success', () => {
    const backoff = new Backoff();
    backoff.next('a');
    backoff.next('a');

    expect(backoff.next('b')).toBe(750);
    backoff.forget('a');
    expect(backoff.failures('a')).toBe(0);
    expect(backoff.next('a')).toBe(750);
  });

  it('stays at the cap after thousands of failures', () => {
    const backoff = new Backoff();
    for (let at = 0; at < 5_000; at++) backoff.next('a');

    expect(backoff.next('a')).toBe(900_000);
  });
});

describe('jittered', () => {
  it.each([
    [0, 95_000],
    [0.5, 100_000],
    [0.999999, 105_000],
  ])('random %s of 5 percent gives %s', (random, want) => {
    expect(jittered(100_000, 5, () => random)).toBe(want);
  });

  it('leaves an interval alone at 0 percent', () => {
    expect(jittered(1_234, 0, () => 0.9)).toBe(1_234);
  });
});

describe('gathered', () => {
  it.each([
    ['a hundredth of the interval', 9_870, 10_000, 1_234, 9_966],
    ['a second where that is less', 3_600_000, 3_600_000, 1_234, 3_600_766],
    ['its own time where that is on the grid', 10_000, 10_000, 300, 10_000],
  ])('ends a delay on a multiple of %s', (_name, delay, interval, now, want) => {
    expect(gathered(delay, interval, 5, now)).toBe(want);
  });

  it('leaves intervals without jitter as they are', () => {
    expect(gathered(1_234, 1_234, 0, 55)).toBe(1_234);
  });
});
