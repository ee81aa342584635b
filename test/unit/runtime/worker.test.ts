import { describe, expect, it } from 'vitest';
import { ApiError } from '../../../src/cluster/api-error.ts';
import { silentLog } from '../../../src/lib/log.ts';
import type { Requeue } from '../../../src/runtime/controller.ts';
import type { PassEnd, PassInput } from '../../../src/runtime/loop.ts';
import { ReconcileError } from '../../../src/runtime/reconcile-error.ts';
import { Workers, type WorkersOptions } from '../../../src/runtime/worker.ts';
import { FakeClock, settle } from '../../support/clock.ts';

function endWith(requeue: Requeue): PassEnd {
  return { requeue, result: 'success', changed: false, log: {} };
}

function createWorkers(run: (input: PassInput) => Promise<PassEnd>, more: Partial<WorkersOptions> = {}) {
  const clock = new FakeClock();
  const workers = new Workers({
    run,
    clock,
    random: () => 0.5,
    log: silentLog,
    concurrent: 2,
    jitterPercent: 5,
    ...more,
  });
  workers.start();
  return { clock, workers };
}

describe('Workers', () => {
  it.each([
    [{ do: 'none' }, undefined],
    [{ do: 'interval', ms: 60_000 }, 60_000],
    [{ do: 'after', ms: 500 }, 500],
    [{ do: 'backoff' }, 750],
    [{ do: 'wait', untilMs: Date.UTC(2026, 0, 1, 0, 0, 7), memory: 1 }, 7_000],
  ] as const)('plans the next pass after %j', async (requeue, want) => {
    let retries = 0;
    const queueObserver = { retried: () => retries++ };
    const { workers } = createWorkers(() => Promise.resolve(endWith(requeue)), { queueObserver });

    workers.enqueue('ns/a');
    await settle();

    expect(workers.dueAt('ns/a')).toBe(want);
    expect(retries).toBe(requeue.do === 'backoff' ? 1 : 0);
    await workers.stop();
  });

  it('runs at once again when told so', async () => {
    let passes = 0;
    const { workers } = createWorkers(() => Promise.resolve(endWith({ do: ++passes < 3 ? 'now' : 'none' })));

    workers.enqueue('ns/a');
    await settle();

    expect(passes).toBe(3);
  });

  it('puts a key off until the others had their turn, and runs one in eight of those at once', async () => {
    const order: string[] = [];
    const gates = new Map<string, () => void>();
    const run = async ({ key, isBackground }: PassInput): Promise<PassEnd> => {
      if (key === 'ns/touched' || isBackground) {
        order.push(isBackground ? `background ${key}` : key);
        await new Promise<void>((resolve) => gates.set(key, resolve));
        return endWith({ do: 'none' });
      }
      return endWith({ do: 'in background' });
    };
    const { workers } = createWorkers(run, { concurrent: 8 });

    for (const key of ['ns/a', 'ns/b', 'ns/c', 'ns/touched']) workers.enqueue(key);
    await settle();
    expect(order).toEqual(['ns/touched', 'background ns/a']);

    for (const key of ['ns/a', 'ns/b', 'ns/c']) {
      gates.get(key)?.();
      await settle();
    }
    expect(order).toEqual(['ns/touched', 'background ns/a', 'background ns/b', 'background ns/c']);
    gates.get('ns/touched')?.();
    await workers.stop();
  });

  it('backs off from an exception, key by key, and forgets it after success', async () => {
    let fail = true;
    const { clock, workers } = createWorkers(({ key }) =>
      fail && key === 'ns/a' ? Promise.reject(new Error('api down')) : Promise.resolve(endWith({ do: 'none' })),
    );
    workers.enqueue('ns/a');
    workers.enqueue('ns/b');
    await clock.advance(750);
    expect(workers.dueAt('ns/a')).toBe(750 + 1_500);
    expect(workers.dueAt('ns/b')).toBeUndefined();

    fail = false;
    await clock.advance(1_500);
    fail = true;
    workers.enqueue('ns/a');
    await settle();

    expect(workers.dueAt('ns/a')).toBe(clock.monotonic() + 750);
    await workers.stop();
  });

  it('runs different keys beside each other, up to its limit', async () => {
    const running: string[] = [];
    const gates = new Map<string, () => void>();
    const { workers } = createWorkers(async ({ key }) => {
      running.push(key);
      await new Promise<void>((resolve) => gates.set(key, resolve));
      return endWith({ do: 'none' });
    });
    for (const key of ['ns/a', 'ns/b', 'ns/c']) workers.enqueue(key);
    await settle();
    expect(running).toEqual(['ns/a', 'ns/b']);

    gates.get('ns/a')!();
    await settle();

    expect(running).toEqual(['ns/a', 'ns/b', 'ns/c']);
    for (const open of gates.values()) open();
    await settle();
    expect(workers.idle).toBe(true);
  });

  it('holds no worker while a key waits, and hands its memory over once', async () => {
    const memories: unknown[] = [];
    const { clock, workers } = createWorkers(({ memory }) => {
      memories.push(memory);
      const untilMs = clock.now() + 30_000;
      return Promise.resolve(
        endWith(memories.length === 1 ? { do: 'wait', untilMs, memory: 'health' } : { do: 'none' }),
      );
    });
    workers.enqueue('ns/a');
    await settle();
    expect(workers.idle).toBe(true);

    workers.enqueue('ns/a', { trigger: 'deployment changed' });
    await settle();
    workers.enqueue('ns/a');
    await settle();

    expect(memories).toEqual([undefined, 'health', undefined]);
    expect(workers.dueAt('ns/a')).toBeUndefined();
  });

  it('keeps the memory of a wait when a pass cannot reach the API server', async () => {
    const memories: unknown[] = [];
    const { clock, workers } = createWorkers(({ memory }) => {
      memories.push(memory);
      if (memories.length === 1)
        return Promise.resolve(endWith({ do: 'wait', untilMs: clock.now() + 1_000, memory: 'health' }));
      return memories.length === 2 ? Promise.reject(new Error('api down')) : Promise.resolve(endWith({ do: 'none' }));
    });
    workers.enqueue('ns/a');
    await clock.advance(1_750);

    expect(memories).toEqual([undefined, 'health', 'health']);
  });

  it('aborts a pass whose input is out of date, and runs it again', async () => {
    const reasons: unknown[] = [];
    let passes = 0;
    const { workers } = createWorkers(async ({ signal }) => {
      if (++passes > 1) return endWith({ do: 'none' });
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
      reasons.push(signal.reason);
      return endWith({ do: 'interval', ms: 1 });
    });
    workers.enqueue('ns/a');
    await settle();

    workers.enqueue('ns/a', { interrupt: true, trigger: 'generation' });
    await settle();

    expect(reasons).toEqual([expect.any(ReconcileError)]);
    expect(reasons[0]).toMatchObject({ retry: 'superseded', message: 'superseded by generation' });
    expect(passes).toBe(2);
    await workers.stop();
  });

  it('tries again at once what the API server did not serve, when it answers again; the rest sits its back-off out', async () => {
    const data = { status: 0, reason: '', causes: [], request: 'PATCH /w/status' };
    const passes: string[] = [];
    let isAway = true;
    const { clock, workers } = createWorkers(async ({ key }) => {
      passes.push(key);
      if (key === 'ns/refused') throw new ApiError('ApiForbidden', 'not allowed', { ...data, status: 403 });
      if (isAway) throw new ApiError('ApiUnreachable', 'connection refused', data);
      return endWith({ do: 'none' });
    });
    for (const key of ['ns/cut off', 'ns/refused']) workers.enqueue(key);
    await clock.advance(3_600_000);
    passes.length = 0;
    expect(workers.dueAt('ns/cut off')! - clock.monotonic()).toBeGreaterThan(60_000);

    isAway = false;
    workers.retryUnserved();
    await settle();
    expect(passes).toEqual(['ns/cut off']);
    workers.retryUnserved();
    await settle();

    expect(passes).toEqual(['ns/cut off']);
    expect(workers.dueAt('ns/cut off')).toBeUndefined();
    await workers.stop();
  });

  it('waits for the end of its passes when it stops', async () => {
    let ended = false;
    const { workers } = createWorkers(async ({ signal }) => {
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
      ended = true;
      return endWith({ do: 'none' });
    });
    workers.enqueue('ns/a');
    await settle();

    await workers.stop();

    expect(ended).toBe(true);
  });

  it('works on other keys while a pass waits aside, and on no more than before afterwards', async () => {
    let passes = 0;
    let now = 0;
    let most = 0;
    const run = async ({ key, aside }: PassInput): Promise<PassEnd> => {
      passes += 1;
      now += 1;
      most = Math.max(most, now);
      await clock.sleep(1);
      now -= 1;
      if (key.startsWith('ns/waits')) await aside(() => clock.sleep(1_000));
      return endWith({ do: 'none' });
    };
    const { clock, workers } = createWorkers(run);
    const keys = Array.from({ length: 10 }, (_, index) => `ns/${index}`);

    for (const name of ['waits-a', 'waits-b', 'waits-c']) workers.enqueue(`ns/${name}`);
    for (const key of keys) workers.enqueue(key);
    await clock.advance(500);
    expect(passes).toBe(13);
    expect(workers.idle).toBe(false);
    expect(most).toBe(2);
    await clock.advance(1_000);
    expect(workers.idle).toBe(true);
    for (const key of keys) workers.enqueue(key);
    await clock.advance(1_000);

    expect(workers.idle).toBe(true);
    // The hands that stood in for the waiting ones take one key more.
    expect(most).toBeLessThanOrEqual(5);
    await workers.stop();
  });
});
