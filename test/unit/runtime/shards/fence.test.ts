import { beforeEach, describe, expect, it } from 'vitest';
import { WriteFence } from '../../../../src/runtime/shards/fence.ts';
import { FakeClock } from '../../../support/clock.ts';

let clock: FakeClock;
let fence: WriteFence;
beforeEach(() => {
  clock = new FakeClock();
  fence = new WriteFence(clock);
});

describe('WriteFence', () => {
  it('is open before the first Lease, and then until a deadline that renewals move on', async () => {
    await clock.advance(100_000);
    expect(fence.isOpen()).toBe(true);

    fence.extend(fence.mark(), 30_000);
    await clock.advance(20_000);
    fence.extend(fence.mark(), 30_000);
    await clock.advance(29_999);
    expect(fence.isOpen()).toBe(true);
    expect(fence.leftMs).toBe(1);

    await clock.advance(1);
    expect(fence.isOpen()).toBe(false);
    expect(() => fence.check()).toThrow(expect.objectContaining({ code: 'FenceClosed' }));
  });

  it('counts from before the renewal was sent, not from its answer', async () => {
    const mark = fence.mark();
    await clock.advance(20_000);
    fence.extend(mark, 30_000);

    await clock.advance(10_000);
    expect(fence.isOpen()).toBe(false);
  });

  it('tells by itself when it closes, and never opens again', async () => {
    fence.extend(fence.mark(), 30_000);

    await clock.advance(30_000);
    expect(fence.signal.aborted).toBe(true);

    fence.extend(fence.mark(), 30_000);
    expect(fence.isOpen()).toBe(false);
  });

  it('closes for a machine that slept while its monotonic clock stood still', () => {
    fence.extend(fence.mark(), 30_000);

    clock.jump(30_000);

    expect(fence.isOpen()).toBe(false);
  });

  it('is not held open by a wall clock that is set back', async () => {
    fence.extend(fence.mark(), 30_000);
    clock.jump(-3_600_000);

    await clock.advance(30_000);
    expect(fence.signal.aborted).toBe(true);
  });
});
