// A controller whose keys come and go, as replicas hand them over.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CommonStatus, Controller, Reconcilable } from '../../../../src/runtime/controller.ts';
import { KeyShare } from '../../../../src/runtime/shards/share.ts';
import { SLOT_COUNT, slotOf } from '../../../../src/runtime/shards/slots.ts';
import { type RunningController, startController } from '../../../../src/runtime/start.ts';
import { eventually } from '../../../support/client.ts';
import type { FakeClock } from '../../../support/clock.ts';
import { startTinyMachine, type TinyMachine } from '../../../support/tiny-machine.ts';
import { type TinyApi, widgets } from '../../../support/tinyapi.ts';

interface Widget extends Reconcilable {
  readonly spec: { readonly size: number };
  readonly status?: CommonStatus & { readonly size?: number };
}

let tiny: TinyMachine;
let api: TinyApi;
let clock: FakeClock;
let running: RunningController<Widget>;
let share: KeyShare;
let isOpen: boolean;
let passes: string[];
let aborted: string[];
let forgotten: string[];
let beforeEnd: ((key: string) => Promise<void>) | undefined;

const controller: Controller<Widget, number, number, number, Record<string, never>> = {
  name: 'widget',
  kind: { apiVersion: 'example.dev/v1', kind: 'Widget' },
  fieldManager: 'widget-controller',
  eventSource: 'widget-controller',
  finalizer: 'example.dev/finalizer',
  observe: async (object, _ports, pass) => {
    passes.push(pass.key);
    pass.signal.addEventListener('abort', () => aborted.push(pass.key));
    await beforeEnd?.(pass.key);
    return object.spec.size;
  },
  decide: (size) => size,
  act: (size, _ports, pass) => {
    pass.signal.throwIfAborted();
    return Promise.resolve(size);
  },
  conclude: (object, result) => ({
    status: { ...object.status, size: 'outcome' in result ? result.outcome : 0 },
    requeue: { do: 'interval', ms: 60_000 },
  }),
  finalize: () => Promise.resolve({ done: true }),
  forget: (key) => forgotten.push(key),
};

const slot = (name: string) => slotOf('Widget', `default/${name}`);
/** Two names whose slots differ. */
const [one, two] = ['a', 'b'] as const;

beforeEach(async () => {
  tiny = await startTinyMachine([widgets]);
  ({ api, clock } = tiny);
  isOpen = true;
  share = new KeyShare({ isOpen: () => isOpen });
  passes = [];
  aborted = [];
  forgotten = [];
  beforeEnd = undefined;
  for (const name of [one, two]) put(name, 1);
  running = startController(controller, {}, { ...tiny.machine, share });
  await running.ready;
});
afterEach(async () => {
  await running.stop();
  await tiny.stop();
});

function put(name: string, size: number): void {
  const old = api.get('widgets', 'default', name);
  const finalizers = [controller.finalizer];
  const metadata = { ...old?.metadata, name, namespace: 'default', finalizers };
  api.put(widgets, { ...old, metadata, spec: { size } });
}
const get = (name: string) => api.get('widgets', 'default', name) as unknown as Widget;
const writes = () => tiny.writes();
const hasSize = (name: string, size: number) =>
  eventually(() => get(name).status?.size === size && running.idle(), `size ${size} of ${name}`);

describe('a controller that shares its keys', () => {
  it('acts on nothing before it holds slots, whatever triggers there are', async () => {
    expect(slot(one)).not.toBe(slot(two));
    put(one, 2);
    running.enqueue(`default/${one}`);
    running.enqueueAfter(`default/${one}`, 10);
    await clock.advance(1_000);

    expect(passes).toEqual([]);
    expect(writes()).toEqual([]);
  });

  it('runs the keys that come, and those alone', async () => {
    share.hold(new Set([slot(one)]));
    await hasSize(one, 1);

    expect(new Set(passes)).toEqual(new Set([`default/${one}`]));
    share.hold(new Set([slot(one), slot(two)]));
    await hasSize(two, 1);
    expect(passes).toEqual([`default/${one}`, `default/${two}`]);
  });

  it('has let go of keys only when their passes have ended, and keeps nothing of them', async () => {
    const gate = Promise.withResolvers<void>();
    beforeEnd = () => gate.promise;
    share.hold(new Set([slot(one)]));
    await eventually(() => passes.length === 1, 'the pass');
    let isDrained = false;
    const drained = share.drain(new Set([slot(one)])).then(() => {
      isDrained = true;
    });
    await eventually(() => aborted.length === 1, 'the abort');
    put(one, 2);
    expect(isDrained).toBe(false);

    gate.resolve();
    await drained;
    await clock.advance(3_600_000);

    expect(forgotten).toEqual([`default/${one}`]);
    expect(passes).toHaveLength(1);
    expect(writes()).toEqual([]);
  });

  it('runs a key again that comes back', async () => {
    share.hold(new Set([slot(one)]));
    await hasSize(one, 1);
    await share.drain(new Set([slot(one)]));
    put(one, 3);

    share.hold(new Set([slot(one)]));

    await hasSize(one, 3);
  });

  it('does nothing more when the fence is closed', async () => {
    share.hold(new Set([slot(one)]));
    await hasSize(one, 1);
    isOpen = false;

    put(one, 2);
    await clock.advance(3_600_000);

    expect(get(one).status?.size).toBe(1);
    expect(passes).toHaveLength(1);
  });

  it('begins with the state that its former holder has left on the server, not with that of a late watch', async () => {
    api.fault = (request, response) => {
      if (request.method !== 'GET' || !request.url?.endsWith(`/widgets/${one}`)) return false;
      api.fault = undefined;
      const newer = { ...get(one), spec: { size: 7 } };
      const resourceVersion = String(Number(newer.metadata.resourceVersion) + 1);
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ ...newer, metadata: { ...newer.metadata, resourceVersion } }));
      return true;
    };
    const sizes: number[] = [];
    beforeEnd = async () => void sizes.push(running.objects.get(`default/${one}`)!.spec.size);

    share.hold(new Set([slot(one)]));
    await eventually(() => sizes.length > 0, 'the pass');

    expect(sizes[0]).toBe(7);
  });

  it('does not write over a status that another one has written meanwhile', async () => {
    let isFirst = true;
    beforeEnd = async () => {
      if (!isFirst) return;
      isFirst = false;
      api.put(widgets, { ...get(one), status: { size: 99 } } as never);
    };
    share.hold(new Set([slot(one)]));
    await eventually(() => api.calls.some((call) => call.startsWith('PATCH')), 'the first attempt');

    expect(get(one).status?.size).toBe(99);
  });

  it('writes its status although somebody has changed the rest of the object meanwhile', async () => {
    beforeEnd = async () => {
      beforeEnd = undefined;
      api.put(widgets, { ...get(one), metadata: { ...get(one).metadata, labels: { team: 'a' } } } as never);
    };
    share.hold(new Set([slot(one)]));

    await hasSize(one, 1);
    expect(passes).toHaveLength(1);
  });
});

describe('KeyShare', () => {
  it('tells of slots that come, once', () => {
    const came: string[][] = [];
    const keys = ['default/a', 'default/b'];
    const other = new KeyShare({ isOpen: () => true });
    const end = other.follow('Widget', {
      came: (isNew) => void came.push(keys.filter(isNew)),
      left: () => Promise.resolve(),
    });
    const all = new Set(Array.from({ length: SLOT_COUNT }, (_, index) => index));

    other.hold(new Set([slot(one)]));
    other.hold(new Set([slot(one)]));
    other.hold(all);
    end();
    other.hold(new Set());
    other.hold(all);

    expect(came).toEqual([['default/a'], ['default/b']]);
  });
});
