import { expect, it } from 'vitest';
import { silentLog } from '../../../../src/lib/log.ts';
import { createApi } from '../../../../src/sandbox/api.ts';
import { createEventRecorder } from '../../../../src/sandbox/stages/events.ts';
import { ownKey, runLoop, type StageController } from '../../../../src/sandbox/stages/loop.ts';
import { RESOURCES } from '../../../../src/sandbox/stages/types.ts';
import { FakeClock } from '../../../support/clock.ts';

async function turn(): Promise<void> {
  for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve));
}

/** Moves the clock from timer to timer, with a turn of the event loop after each. */
async function pass(clock: FakeClock, ms: number): Promise<void> {
  let left = ms;
  for (let next = clock.untilNext; next !== undefined && next <= left; next = clock.untilNext) {
    left -= next;
    await clock.advance(next);
    await turn();
  }
  await clock.advance(left);
}

function start(reconcile: StageController['reconcile']) {
  const clock = new FakeClock();
  const api = createApi({ now: () => new Date(clock.now()) });
  const bugs: string[] = [];
  const log = { ...silentLog, error: (message: string) => void bugs.push(message) };
  const controller = { name: 'test', watches: [{ resource: RESOURCES.configMaps, keys: ownKey }], reconcile };
  const context = { store: api.store, clock, log, events: createEventRecorder(api.store, clock) };
  const loop = runLoop([controller], context);
  const create = (name: string) =>
    api.store.create(RESOURCES.configMaps, {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name, namespace: 'default' },
    });
  return { clock, api, bugs, loop, create };
}

it('works on a key once however often it changed', async () => {
  const seen: string[] = [];
  const { api, create, loop } = start(({ name }) => {
    if (name === 'one') seen.push(name);
    return undefined;
  });
  await turn();

  create('one');
  const one = api.store.get(RESOURCES.configMaps, 'default', 'one');
  if (one !== undefined) api.store.update(RESOURCES.configMaps, { ...one, data: { a: 'b' } });
  await turn();

  expect(seen).toEqual(['one']);
  loop.close();
});

it('tries again after a failure, ever later, and calls an unknown one a bug', async () => {
  const times: number[] = [];
  const { clock, create, bugs, loop } = start(({ name }) => {
    if (name !== 'one') return undefined;
    times.push(clock.monotonic());
    if (times.length < 4) throw new Error('not yet');
    return undefined;
  });
  create('one');
  await turn();

  await pass(clock, 60_000);

  expect(times).toEqual([0, 5, 15, 35]);
  expect(bugs).toEqual(['stage failed', 'stage failed', 'stage failed']);
  loop.close();
});

it('comes back when it was asked to, and not after it is closed', async () => {
  let runs = 0;
  const { clock, create, loop } = start(({ name }) => {
    if (name !== 'one') return undefined;
    runs++;
    return 1000;
  });
  create('one');
  await turn();
  expect(runs).toBe(1);

  await pass(clock, 1000);
  expect(runs).toBe(2);
  loop.close();
  await pass(clock, 10_000);

  expect(runs).toBe(2);
  expect(clock.pending).toBe(0);
});
