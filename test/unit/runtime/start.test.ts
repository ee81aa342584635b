import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { EventRecorder } from '../../../src/cluster/events.ts';
import { setCondition } from '../../../src/runtime/conditions.ts';
import type { CommonStatus, Controller, Reconcilable } from '../../../src/runtime/controller.ts';
import { type RunningController, startController } from '../../../src/runtime/start.ts';
import { checkStatusRules } from '../../../src/runtime/status.ts';
import { eventually } from '../../support/client.ts';
import type { FakeClock } from '../../support/clock.ts';
import { startTinyMachine, type TinyMachine } from '../../support/tiny-machine.ts';
import { events, type TinyApi, type TinyKind, widgets } from '../../support/tinyapi.ts';

interface Widget extends Reconcilable {
  readonly spec: { readonly size: number; readonly source?: string; readonly suspend?: boolean };
  readonly status?: CommonStatus & { readonly size?: number };
}
const sources: TinyKind = { ...widgets, kind: 'Source', resource: 'sources' };
const finalizer = 'example.dev/finalizer';
const MOST_BACKOFF_MS = 15 * 60_000;

let tiny: TinyMachine;
let api: TinyApi;
let clock: FakeClock;
let recorder: EventRecorder;
let running: RunningController<Widget>;
let passes: string[];
let gate: Promise<void> | undefined;
let forgotten: string[];

const controller: Controller<Widget, number, number, number, Record<string, never>> = {
  name: 'widget',
  kind: { apiVersion: 'example.dev/v1', kind: 'Widget' },
  fieldManager: 'widget-controller',
  eventSource: 'widget-controller',
  finalizer,
  indexes: { source: (object) => (object.spec.source ? [object.spec.source] : []) },
  watches: [
    {
      kind: { apiVersion: 'example.dev/v1', kind: 'Source' },
      trigger: 'source',
      keys: ({ type, object }, lookup) =>
        type === 'delete'
          ? []
          : lookup
              .byIndex('source', object.metadata.name)
              .map(({ metadata }) => `${metadata.namespace}/${metadata.name}`),
    },
  ],
  observe: (object, _ports, pass) => {
    passes.push(pass.key);
    return Promise.resolve(object.spec.size);
  },
  decide: (size) => size,
  act: async (size) => {
    await gate;
    return size;
  },
  conclude: (object, result, nowMs) => {
    const size = 'outcome' in result ? result.outcome : 0;
    const stamp = { generation: object.metadata.generation ?? 0, nowMs };
    const draft = { type: 'Ready', status: 'True', reason: 'Succeeded', message: `size ${size}` } as const;
    const changed = object.status?.size !== size;
    return {
      status: { ...object.status, size, conditions: setCondition(object.status?.conditions, draft, stamp) },
      events: changed ? [{ type: 'Normal', reason: 'Resized', message: `size ${size}` }] : [],
      requeue: { do: 'interval', ms: 60_000 },
    };
  },
  finalize: () => Promise.resolve({ done: true }),
  forget: (key) => forgotten.push(key),
};

beforeEach(async () => {
  tiny = await startTinyMachine([widgets, sources]);
  ({ api, clock, recorder } = tiny);
  passes = [];
  gate = undefined;
  forgotten = [];
});
afterEach(async () => {
  await running.stop();
  await tiny.stop();
});

async function start(): Promise<void> {
  running = startController(controller, {}, tiny.machine);
  await running.ready;
}
const widget = (name: string, spec: object, annotations: Record<string, string> = {}) => {
  const old = api.get('widgets', 'default', name);
  const metadata = { ...old?.metadata, name, namespace: 'default', annotations };
  return api.put(widgets, { ...old, metadata, spec });
};
const get = (name = 'w') => api.get('widgets', 'default', name) as unknown as Widget;
const settled = (name: string, size: number) =>
  eventually(() => get(name)?.status?.size === size && running.idle(), `size ${size}`);
const writes = () => tiny.writes();

describe('a running controller', () => {
  it('brings an object to its state: finalizer, status, event', async () => {
    widget('w', { size: 3 });
    await start();
    await settled('w', 3);
    await recorder.flush();

    expect(get().metadata.finalizers).toEqual([finalizer]);
    expect(checkStatusRules(get(), 'finished')).toEqual([]);
    expect(writes()).toEqual([
      'PATCH /apis/example.dev/v1/namespaces/default/widgets/w?fieldManager=widget-controller',
      'PATCH /apis/example.dev/v1/namespaces/default/widgets/w/status?fieldManager=widget-controller',
      'POST /api/v1/namespaces/default/events',
    ]);
  });

  it('sends no request on an interval tick when nothing changed', async () => {
    widget('w', { size: 3 });
    await start();
    await settled('w', 3);
    await recorder.flush();
    const before = api.requests.length;

    for (let tick = 1; tick <= 10; tick++) {
      await clock.advance(60_000);
      await eventually(() => passes.length === 1 + tick && running.idle(), 'the tick');
    }

    expect(api.requests.length).toBe(before);
  });

  it('costs one status write for a request', async () => {
    widget('w', { size: 3 });
    await start();
    await settled('w', 3);
    await recorder.flush();
    const before = writes().length;

    widget('w', { size: 3 }, { 'reconcile.fluxcd.io/requestedAt': 'now' });
    await eventually(() => get().status?.lastHandledReconcileAt === 'now' && running.idle(), 'the request');
    await recorder.flush();

    expect(writes().slice(before)).toEqual([
      'PATCH /apis/example.dev/v1/namespaces/default/widgets/w/status?fieldManager=widget-controller',
    ]);
  });

  it('runs on a new generation, not on labels or its own status', async () => {
    widget('w', { size: 3 });
    await start();
    await settled('w', 3);
    const before = passes.length;
    const old = get();
    api.put(widgets, { ...old, metadata: { ...old.metadata, labels: { a: 'b' } } } as Parameters<TinyApi['put']>[1]);
    await eventually(() => running.objects.get('default/w')?.metadata.labels?.['a'] === 'b', 'the label');
    expect(passes.length).toBe(before);

    widget('w', { size: 4 });
    await settled('w', 4);

    expect(passes.length).toBe(before + 1);
  });

  it('runs the objects of a source that changed, by index', async () => {
    widget('a', { size: 1, source: 'one' });
    widget('b', { size: 1, source: 'two' });
    await start();
    await settled('a', 1);
    await settled('b', 1);
    passes.length = 0;

    api.put(sources, { metadata: { name: 'one', namespace: 'default' } });
    await eventually(() => passes.length > 0, 'the trigger');

    expect(passes).toEqual(['default/a']);
  });

  it('finalizes a deleted object, and forgets it', async () => {
    widget('w', { size: 3 });
    await start();
    await settled('w', 3);

    api.delete(widgets, 'default', 'w');
    await eventually(() => get() === undefined && forgotten.length > 0, 'the end');

    expect(forgotten).toEqual(['default/w']);
  });

  it('leaves a suspended object alone until it is resumed', async () => {
    widget('w', { size: 3 });
    await start();
    await settled('w', 3);
    passes.length = 0;

    widget('w', { size: 5, suspend: true });
    await eventually(() => running.objects.get('default/w')?.spec.suspend === true && running.idle(), 'the suspension');
    expect(passes).toEqual([]);
    widget('w', { size: 5 });

    await settled('w', 5);
  });

  it('starts without a watched kind, and watches it when it comes', async () => {
    api.kinds = [widgets, events];
    widget('a', { size: 1, source: 'one' });
    await start();
    await settled('a', 1);
    passes.length = 0;

    api.kinds.push(sources);
    api.put(sources, { metadata: { name: 'one', namespace: 'default' } });
    await eventually(() => clock.untilNext === 5_000, 'the wait');
    await clock.advance(5_000);
    await eventually(() => passes.length > 0, 'the trigger');

    expect(passes).toEqual(['default/a']);
  });

  it('starts although it may not watch another kind, and tries on', async () => {
    let forbidden = true;
    api.fault = (request, response) => {
      if (!forbidden || !request.url?.includes('/sources')) return false;
      api.fail(response, 403, 'Forbidden', 'sources is forbidden');
      return true;
    };
    widget('a', { size: 1, source: 'one' });
    await start();
    await settled('a', 1);
    passes.length = 0;

    forbidden = false;
    api.put(sources, { metadata: { name: 'one', namespace: 'default' } });
    await clock.advance(1_000);
    await eventually(() => passes.length > 0, 'the trigger');

    expect(passes).toEqual(['default/a']);
  });

  it('says why its own objects cannot be listed', async () => {
    api.fault = (request, response) => {
      if (!request.url?.includes('/widgets')) return false;
      api.fail(response, 403, 'Forbidden', 'widgets.example.dev is forbidden');
      return true;
    };
    running = startController(controller, {}, tiny.machine);

    await eventually(() => running.problem() === 'widgets.example.dev is forbidden', 'the problem');
  });

  it('can be stopped and started again in one process', async () => {
    widget('w', { size: 3 });
    await start();
    await settled('w', 3);
    await running.stop();
    widget('w', { size: 4 });
    await start();

    await settled('w', 4);
  });

  it('does not write the status of an object into another of the same name', async () => {
    const opened = Promise.withResolvers<void>();
    gate = opened.promise;
    widget('w', { size: 3 });
    const { uid } = get().metadata;
    await start();
    await eventually(() => passes.length === 1, 'the pass');

    api.put(widgets, { ...get(), metadata: { ...get().metadata, finalizers: [] } } as Parameters<TinyApi['put']>[1]);
    api.delete(widgets, 'default', 'w');
    widget('w', { size: 4 });
    await eventually(() => (running.objects.get('default/w')?.metadata.uid ?? uid) !== uid, 'the new object');
    opened.resolve();
    await settled('w', 4);

    const written = api.requests
      .filter(({ url }) => url.includes('/w/status'))
      .map(({ body }) => JSON.parse(body).status.size);
    expect(written).toEqual([4]);
  });

  it('writes as soon as the API server is back what it could not be told, however long it was away', async () => {
    widget('w', { size: 3 });
    await start();
    await settled('w', 3);
    let refusedWatches = 0;
    let isAway = false;
    api.fault = (request, response) => {
      if (request.method !== 'PATCH' && !isAway) return false;
      if (request.url?.includes('/widgets?') && request.url.includes('watch=true')) refusedWatches++;
      api.fail(response, 503, 'ServiceUnavailable', 'etcd has no leader');
      return true;
    };
    widget('w', { size: 4 });
    for (let tries = 2; tries <= 12; tries++) {
      await eventually(() => passes.length >= tries && running.idle() && clock.pending > 0, 'a try');
      await clock.advance(MOST_BACKOFF_MS);
    }
    isAway = true;
    api.closeWatches();
    const moving = async (done: () => boolean): Promise<boolean> => {
      if (!done()) await clock.advance(1_000);
      return done();
    };
    await eventually(() => moving(() => refusedWatches > 0), 'a watch that fails');
    const before = { passes: passes.length, ms: clock.monotonic() };

    api.fault = undefined;
    await eventually(() => moving(() => get().status?.size === 4 && running.idle()), 'size 4');

    expect(clock.monotonic() - before.ms).toBeLessThan(MOST_BACKOFF_MS / 2);
    expect(passes.length).toBe(before.passes + 1);
  });

  it('says what it waits for when its own kind is missing', async () => {
    api.kinds = [events];
    running = startController(controller, {}, tiny.machine);
    await eventually(() => running.problem() !== 'starting', 'the problem');
    expect(running.problem()).toBe('no matches for kind "Widget" in version "example.dev/v1"');
    await eventually(() => clock.untilNext === 5_000, 'the wait');

    api.kinds = [widgets, sources, events];
    await clock.advance(5_000);
    await running.ready;

    expect(running.problem()).toBeUndefined();
  });

  it('ends with the same state whatever order its triggers come in', async () => {
    await start();
    for (const size of [1, 2, 3, 4, 5]) {
      widget('w', { size }, { 'reconcile.fluxcd.io/requestedAt': String(size) });
      running.enqueue('default/w', { trigger: 'test' });
    }

    await settled('w', 5);
    await eventually(() => get().status?.lastHandledReconcileAt === '5', 'the last request');

    expect(checkStatusRules(get(), 'finished')).toEqual([]);
  });
});
