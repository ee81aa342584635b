import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { WorkQueue } from '../../../src/runtime/queue.ts';
import { FakeClock, settle } from '../../support/clock.ts';

async function takeAll(queue: WorkQueue): Promise<string[]> {
  const keys: string[] = [];
  while (queue.depth > 0) {
    const item = await queue.next();
    keys.push(item!.key);
    queue.done(item!.key);
  }
  return keys;
}

describe('WorkQueue', () => {
  it('hands out keys in the order they came, each once', async () => {
    const queue = new WorkQueue(new FakeClock());

    for (const key of ['a', 'b', 'a', 'c', 'b']) queue.add(key);

    expect(await takeAll(queue)).toEqual(['a', 'b', 'c']);
  });

  it('runs a key that was added in work once more, and not at the same time', async () => {
    const queue = new WorkQueue(new FakeClock());
    queue.add('a');
    await queue.next();

    queue.add('a');
    queue.add('a');

    expect(queue.depth).toBe(0);
    queue.done('a');
    expect(await takeAll(queue)).toEqual(['a']);
  });

  it('gives a key to a worker that waits', async () => {
    const queue = new WorkQueue(new FakeClock());
    const waiting = queue.next();

    queue.add('a', { trigger: 'created' });

    expect(await waiting).toEqual({ key: 'a', trigger: 'created', priority: 'normal', waitedMs: 0 });
  });

  it('serves delays when they are due, the earliest first', async () => {
    const clock = new FakeClock();
    const queue = new WorkQueue(clock);
    queue.addAfter('late', 2_000);
    queue.addAfter('soon', 1_000);

    await clock.advance(999);
    expect(queue.depth).toBe(0);
    await clock.advance(1);
    expect(await takeAll(queue)).toEqual(['soon']);
    await clock.advance(1_000);
    expect(await takeAll(queue)).toEqual(['late']);
  });

  it('lets the earliest of several delays count', async () => {
    const clock = new FakeClock();
    const queue = new WorkQueue(clock);

    queue.addAfter('a', 5_000);
    queue.addAfter('a', 1_000);
    queue.addAfter('a', 9_000);

    await clock.advance(1_000);
    expect(await takeAll(queue)).toEqual(['a']);
    await clock.advance(20_000);
    expect(queue.depth).toBe(0);
  });

  it('drops the delay of a key that runs anyway, and keeps one that is set while it runs', async () => {
    const clock = new FakeClock();
    const queue = new WorkQueue(clock);
    queue.addAfter('a', 5_000);
    queue.add('a');
    await queue.next();
    queue.addAfter('a', 7_000);
    queue.done('a');

    await clock.advance(6_999);
    expect(queue.depth).toBe(0);
    await clock.advance(1);
    expect(queue.depth).toBe(1);
  });

  it('serves low priority after the rest, but one in eight at the latest', async () => {
    const queue = new WorkQueue(new FakeClock());
    queue.add('low', { priority: 'low' });
    for (let at = 0; at < 10; at++) queue.add(`n${at}`);

    const order = await takeAll(queue);

    expect(order).toEqual(['n0', 'n1', 'n2', 'n3', 'n4', 'n5', 'n6', 'low', 'n7', 'n8', 'n9']);
  });

  it('has no more keys of low priority in work at once than it may', async () => {
    const queue = new WorkQueue(new FakeClock(), {}, 2);
    for (const key of ['a', 'b', 'c']) queue.add(key, { priority: 'low' });
    const taken: string[] = [];
    const take = async () => taken.push((await queue.next())!.key);

    await take();
    await take();
    const third = take();
    await Promise.resolve();
    expect(taken).toEqual(['a', 'b']);

    const fourth = take();
    queue.add('normal');
    await third;
    expect(taken).toEqual(['a', 'b', 'normal']);

    queue.done('a');
    await fourth;
    expect(taken).toEqual(['a', 'b', 'normal', 'c']);
  });

  it('hands a key that is raised to whoever waits', async () => {
    const queue = new WorkQueue(new FakeClock(), {}, 1);
    queue.add('a', { priority: 'low' });
    queue.add('b', { priority: 'low' });
    await queue.next();
    const waiting = queue.next();

    queue.add('b');

    expect(await waiting).toMatchObject({ key: 'b', priority: 'normal' });
  });

  it('raises the priority of a key that is added again', async () => {
    const queue = new WorkQueue(new FakeClock());
    queue.add('a', { priority: 'low' });
    queue.add('b');
    queue.add('a');

    expect(await takeAll(queue)).toEqual(['b', 'a']);
  });

  it('forgets what is planned for a key', async () => {
    const clock = new FakeClock();
    const queue = new WorkQueue(clock);
    queue.add('a');
    queue.addAfter('b', 10);

    queue.forget('a');
    queue.forget('b');

    await clock.advance(100);
    expect(queue.depth).toBe(0);
  });

  it('lets waiting workers go when it is closed', async () => {
    const queue = new WorkQueue(new FakeClock());
    const waiting = queue.next();

    queue.close();
    queue.add('a');

    expect(await waiting).toBeUndefined();
    expect(await queue.next()).toBeUndefined();
  });

  it('keeps one timer for all delays', () => {
    const clock = new FakeClock();
    const queue = new WorkQueue(clock);

    for (let at = 100; at > 0; at--) queue.addAfter(`k${at}`, at * 10);

    expect(clock.pending).toBe(1);
  });

  it('ends the same whatever the order of triggers: every key runs, none twice at a time, none too early', async () => {
    const action = fc.oneof(
      fc.record({ do: fc.constant('add' as const), key: fc.nat(4) }),
      fc.record({ do: fc.constant('after' as const), key: fc.nat(4), ms: fc.integer({ min: 1, max: 50 }) }),
      fc.record({ do: fc.constant('take' as const) }),
      fc.record({ do: fc.constant('done' as const) }),
      fc.record({ do: fc.constant('advance' as const), ms: fc.integer({ min: 1, max: 30 }) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(action, { maxLength: 60 }), async (actions) => {
        const clock = new FakeClock();
        const queue = new WorkQueue(clock);
        const inWork: string[] = [];
        const lastAdded = new Map<string, number>();
        const lastTaken = new Map<string, number>();
        let step = 0;
        const take = async (): Promise<void> => {
          const { key } = (await queue.next())!;
          expect(inWork).not.toContain(key);
          inWork.push(key);
          lastTaken.set(key, ++step);
        };
        for (const item of actions) {
          if (item.do === 'add' || item.do === 'after') lastAdded.set(`k${item.key}`, ++step);
          if (item.do === 'add') queue.add(`k${item.key}`);
          if (item.do === 'after') queue.addAfter(`k${item.key}`, item.ms);
          if (item.do === 'take' && queue.depth > 0) await take();
          if (item.do === 'done' && inWork.length > 0) queue.done(inWork.shift()!);
          if (item.do === 'advance') await clock.advance(item.ms);
        }
        await clock.advance(100);
        for (const key of inWork.splice(0)) queue.done(key);
        while (queue.depth > 0) {
          await take();
          for (const key of inWork.splice(0)) queue.done(key);
        }
        await settle();
        for (const [key, added] of lastAdded) expect(lastTaken.get(key)).toBeGreaterThan(added);
      }),
      { numRuns: 200 },
    );
  });
});
