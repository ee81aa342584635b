import { describe, expect, it } from 'vitest';
import { type Log, silentLog } from '../../../src/lib/log.ts';
import type {
  Conclusion,
  Controller,
  EventDraft,
  Pass,
  Reconcilable,
  Requeue,
} from '../../../src/runtime/controller.ts';
import { type LoopPorts, reconcile, superseded } from '../../../src/runtime/loop.ts';
import { ReconcileError } from '../../../src/runtime/reconcile-error.ts';
import { mergePatch } from '../../../src/runtime/status.ts';
import { FakeClock } from '../../support/clock.ts';

interface Status {
  readonly observedGeneration?: number;
  readonly lastHandledReconcileAt?: string;
  readonly size?: number;
}
interface Widget extends Reconcilable {
  readonly spec: { readonly size: number; readonly suspend?: boolean };
  readonly status?: Status;
}
type WidgetController = Controller<Widget, number, number, number, { read(): number }>;

const finalizer = 'example.dev/finalizer';
const widget = (more: Partial<Widget> = {}, metadata: Partial<Widget['metadata']> = {}): Widget => ({
  apiVersion: 'example.dev/v1',
  kind: 'Widget',
  metadata: { name: 'w', namespace: 'default', uid: 'u', generation: 2, finalizers: [finalizer], ...metadata },
  spec: { size: 3 },
  status: { observedGeneration: -1 },
  ...more,
});

/** A world of one object; writes are applied to it and kept. */
function createWorld(initial: Widget | undefined) {
  let object = initial;
  const writes: object[] = [];
  const events: EventDraft[] = [];
  const change = (path: 'status' | 'metadata', patch: object): Widget | undefined => {
    writes.push({ [path]: patch });
    if (object === undefined) return undefined;
    const merged = { ...object[path] } as Record<string, unknown>;
    for (const [key, value] of Object.entries(patch)) {
      if (value === null) delete merged[key];
      else merged[key] = value;
    }
    object = { ...object, [path]: merged };
    return object;
  };
  const ports: LoopPorts<Widget> = {
    clock: new FakeClock(),
    get: () => object,
    patchStatus: (_object, patch) => Promise.resolve(change('status', patch)),
    patchMetadata: (_object, patch) => Promise.resolve(change('metadata', patch)),
    emit: (_object, event) => events.push(event),
  };
  return { ports, writes, events, object: () => object };
}

const interval: Requeue = { do: 'interval', ms: 60_000 };
function controllerOf(more: Partial<WidgetController> = {}): WidgetController {
  return {
    name: 'widget',
    kind: { apiVersion: 'example.dev/v1', kind: 'Widget' },
    fieldManager: 'widget-controller',
    eventSource: 'widget-controller',
    finalizer,
    observe: (object, ports) => Promise.resolve(object.spec.size + ports.read()),
    decide: (observed) => observed * 2,
    act: (decision) => Promise.resolve(decision + 1),
    conclude: (object, result): Conclusion<Status> =>
      'outcome' in result
        ? { status: { ...object.status, size: result.outcome }, requeue: interval }
        : { requeue: { do: 'backoff' } },
    finalize: () => Promise.resolve({ done: true }),
    ...more,
  };
}

function run(
  controller: WidgetController,
  world: ReturnType<typeof createWorld>,
  more: { signal?: AbortSignal; memory?: unknown; log?: Log } = {},
) {
  const signal = more.signal ?? new AbortController().signal;
  const aside = <T>(wait: () => Promise<T>): Promise<T> => wait();
  const input = {
    key: 'default/w',
    id: '1',
    signal,
    stopping: new AbortController().signal,
    log: more.log ?? silentLog,
    memory: more.memory,
    isBackground: false,
    othersWait: () => false,
    aside,
  };
  return reconcile(controller, { read: () => 10 }, world.ports, input);
}

describe('reconcile', () => {
  it('observes, decides, acts, concludes and writes the difference', async () => {
    const world = createWorld(widget());

    const end = await run(controllerOf(), world);

    expect(world.writes).toEqual([{ status: { size: 27, observedGeneration: 2 } }]);
    expect(end).toEqual({ requeue: interval, result: 'requeue_after', changed: true, log: {} });
  });

  it('writes nothing the second time', async () => {
    const world = createWorld(widget());
    await run(controllerOf(), world);
    world.writes.length = 0;

    await run(controllerOf(), world);

    expect(world.writes).toEqual([]);
  });

  it('does nothing for an object that is gone', async () => {
    expect(await run(controllerOf(), createWorld(undefined))).toMatchObject({ requeue: { do: 'none' } });
  });

  it('adds the finalizer in a pass of its own', async () => {
    const world = createWorld(widget({}, { finalizers: ['other'] }));

    const end = await run(controllerOf(), world);

    expect(world.writes).toEqual([{ metadata: { finalizers: ['other', finalizer] } }]);
    expect(end.requeue).toEqual({ do: 'now' });
  });

  it('leaves a suspended object alone', async () => {
    const world = createWorld(
      widget({ spec: { size: 1, suspend: true } }, { annotations: { 'reconcile.fluxcd.io/requestedAt': 'x' } }),
    );

    const end = await run(controllerOf(), world);

    expect(world.writes).toEqual([]);
    expect(end.requeue).toEqual({ do: 'none' });
  });

  it('hands a failure to conclude, leaves observedGeneration behind and emits what it says', async () => {
    const world = createWorld(widget());
    const failure = new ReconcileError('BuildFailed', 'bad file', { retry: 'transient' });
    const event: EventDraft = { type: 'Warning', reason: 'BuildFailed', message: 'bad file' };
    const controller = controllerOf({
      act: () => Promise.reject(failure),
      conclude: (_object, result) => {
        expect(result).toEqual({ error: failure });
        return { requeue: { do: 'after', ms: 5 }, events: [event] };
      },
    });

    const end = await run(controller, world);

    expect(world.writes).toEqual([]);
    expect(world.events).toEqual([event]);
    expect(end).toEqual({
      requeue: { do: 'after', ms: 5 },
      result: 'requeue_after',
      changed: false,
      log: { reason: 'BuildFailed', problem: 'bad file' },
    });
  });

  it('makes a ReconcileError of any exception', async () => {
    const controller = controllerOf({
      decide: () => {
        throw new TypeError('oops');
      },
      conclude: (_object, result) => {
        expect('error' in result && result.error).toMatchObject({
          reason: 'ReconciliationFailed',
          message: 'oops',
          isBug: true,
        });
        return { requeue: { do: 'backoff' } };
      },
    });

    expect((await run(controller, createWorld(widget()))).result).toBe('error');
  });

  it('sets observedGeneration when it stalls', async () => {
    const world = createWorld(widget());
    const controller = controllerOf({
      observe: () => Promise.reject(new ReconcileError('Bad', 'bad', { retry: 'stalled' })),
      conclude: () => ({ requeue: { do: 'none' } }),
    });

    await run(controller, world);

    expect(world.writes).toEqual([{ status: { observedGeneration: 2 } }]);
  });

  it.each(['now', '', ' '])('marks the request %j as handled, with one write', async (token) => {
    const world = createWorld(
      widget(
        { status: { observedGeneration: 2, size: 27 } },
        { annotations: { 'reconcile.fluxcd.io/requestedAt': token } },
      ),
    );
    const seen: (string | undefined)[] = [];
    const controller = controllerOf({
      observe: (object, ports, pass) => {
        seen.push(pass.requested);
        return Promise.resolve(object.spec.size + ports.read());
      },
    });

    await run(controller, world);
    await run(controller, world);

    expect(world.writes).toEqual([{ status: { lastHandledReconcileAt: token } }]);
    expect(seen).toEqual([token, undefined]);
  });

  it('marks the request as handled after a failure too, but not while it waits', async () => {
    const request = { annotations: { 'reconcile.fluxcd.io/requestedAt': 'x' } };
    const failing = createWorld(widget({}, request));
    const waiting = createWorld(widget({}, request));

    await run(controllerOf({ act: () => Promise.reject(new Error('x')) }), failing);
    await run(controllerOf({ conclude: () => ({ requeue: { do: 'wait', untilMs: 9, memory: 'm' } }) }), waiting);

    expect(failing.writes).toEqual([{ status: { lastHandledReconcileAt: 'x' } }]);
    expect(waiting.writes).toEqual([]);
  });

  it('hands memory of a wait to the next pass', async () => {
    const seen: unknown[] = [];
    const controller = controllerOf({
      observe: (_object, _ports, pass) => {
        seen.push(pass.memory);
        return Promise.resolve(1);
      },
    });

    await run(controller, createWorld(widget()), { memory: { since: 5 } });

    expect(seen).toEqual([{ since: 5 }]);
  });

  it('writes status on the way, at most twice before the end', async () => {
    const world = createWorld(widget());
    const controller = controllerOf({
      act: async (_decision, _ports, pass: Pass<Widget>) => {
        await pass.writeStatus((status) => ({ ...status, size: 1 }));
        await pass.writeStatus((status) => ({ ...status, size: 1 }));
        await pass.writeStatus((status) => ({ ...status, size: 2 }));
        expect(pass.current().status?.size).toBe(2);
        await pass.writeStatus((status) => ({ ...status, size: 3 }));
        return 0;
      },
      conclude: (_object, result) => {
        expect('error' in result && result.error.message).toBe(
          'a pass writes status at most 3 times, the end included',
        );
        return { requeue: { do: 'backoff' } };
      },
    });

    await run(controller, world);

    expect(world.writes).toEqual([{ status: { size: 1 } }, { status: { size: 2 } }]);
  });

  it('handles the generation it acted on, not one that came meanwhile', async () => {
    const world = createWorld(widget());
    const controller = controllerOf({
      act: async (_decision, _ports, pass) => {
        await pass.writeStatus((status) => ({ ...status, size: 1 }));
        return 1;
      },
    });
    const { patchStatus } = world.ports;
    const ports = {
      ...world.ports,
      patchStatus: async (object: Widget, patch: object) => {
        const stored = await patchStatus(object, patch);
        return stored && { ...stored, metadata: { ...stored.metadata, generation: 9 } };
      },
    };

    await run(controller, { ...world, ports });

    expect(world.writes.at(-1)).toEqual({ status: { observedGeneration: 2 } });
  });

  it('does not conclude a pass that failed because it was aborted', async () => {
    const abort = new AbortController();
    const world = createWorld(widget());
    const controller = controllerOf({
      act: () => {
        abort.abort(superseded('generation'));
        return Promise.reject(new TypeError('fetch failed'));
      },
    });

    const end = await run(controller, world, { signal: abort.signal });

    expect(world.writes).toEqual([]);
    expect(end).toMatchObject({ requeue: { do: 'none' }, log: { aborted: 'superseded by generation' } });
  });

  it('concludes a pass that came through although it was aborted', async () => {
    const abort = new AbortController();
    const world = createWorld(widget());
    const controller = controllerOf({
      act: () => {
        abort.abort(superseded('generation'));
        return Promise.resolve(7);
      },
    });

    await run(controller, world, { signal: abort.signal });

    expect(world.writes).toEqual([{ status: { size: 7, observedGeneration: 2 } }]);
  });

  it('lets the controller forget a pass whose end could not be written', async () => {
    const world = createWorld(widget());
    const refused = new Error('the object has been modified');
    const ports = { ...world.ports, patchStatus: () => Promise.reject(refused) };
    const forgotten: string[] = [];
    const controller = controllerOf({ forgetPass: (key) => forgotten.push(key) });

    const pass = run(controller, { ...world, ports });

    await expect(pass).rejects.toBe(refused);
    expect(forgotten).toEqual(['default/w']);
    await run(controller, world);
    expect(forgotten).toHaveLength(1);
  });

  it('says what was done although the end could not be written', async () => {
    const world = createWorld(widget());
    const ports = { ...world.ports, patchStatus: () => Promise.reject(new Error('connection refused')) };
    const event: EventDraft = { type: 'Normal', reason: 'Progressing', message: 'Deployment/default/web created' };
    const controller = controllerOf({ conclude: () => ({ status: { size: 1 }, events: [event], requeue: interval }) });

    await expect(run(controller, { ...world, ports })).rejects.toThrow('connection refused');

    expect(world.events).toEqual([event]);
  });

  it('hides secret values in what a pass fails with, and in warnings', async () => {
    const world = createWorld(widget());
    const lines: object[] = [];
    const log: Log = { ...silentLog, error: (_message, fields) => lines.push(fields ?? {}) };
    const controller = controllerOf({
      act: () => Promise.reject(new TypeError('cannot use canary-1')),
      conclude: (object, result) => ({
        status: { ...object.status, ...('error' in result ? { lastHandledReconcileAt: result.error.message } : {}) },
        events: [{ type: 'Warning', reason: 'Failed', message: 'no canary-1' }],
        requeue: interval,
      }),
      mask: () => (text) => text.replaceAll('canary-1', '*****'),
    });

    const end = await run(controller, world, { log });

    expect(world.writes).toEqual([{ status: { lastHandledReconcileAt: 'cannot use *****' } }]);
    expect(world.events.map(({ message }) => message)).toEqual(['no *****']);
    expect(end.log).toMatchObject({ problem: 'cannot use *****' });
    const [{ error }] = lines as [{ error: Error }];
    expect(`${error.message} ${error.stack}`).not.toContain('canary-1');
  });

  it('lets decide and conclude work on frozen input', async () => {
    const world = createWorld(deepFreeze(widget()));

    await run(controllerOf(), world);

    expect(world.writes).toHaveLength(1);
  });
});

describe('deletion', () => {
  const deleted = (finalizers: string[]) =>
    widget({ spec: { size: 1, suspend: true } }, { finalizers, deletionTimestamp: '2026-01-01T00:00:00Z' });

  it('finalizes, says so and removes only its own finalizer, suspended or not', async () => {
    const world = createWorld(deleted(['other', finalizer]));
    const event: EventDraft = { type: 'Normal', reason: 'Succeeded', message: 'collected' };

    await run(controllerOf({ finalize: () => Promise.resolve({ done: true, events: [event] }) }), world);

    expect(world.writes).toEqual([{ metadata: { finalizers: ['other'] } }]);
    expect(world.events).toEqual([event]);
  });

  it('leaves an object without its finalizer to others', async () => {
    const world = createWorld(deleted(['other']));

    await run(controllerOf({ finalize: () => Promise.reject(new Error('must not run')) }), world);

    expect(world.writes).toEqual([]);
  });

  it('keeps the finalizer when cleaning up fails, with a warning and back-off', async () => {
    const world = createWorld(deleted([finalizer]));
    const failure = new ReconcileError('PruneFailed', 'cannot delete');

    const end = await run(controllerOf({ finalize: () => Promise.reject(failure) }), world);

    expect(world.writes).toEqual([]);
    expect(world.events).toEqual([{ type: 'Warning', reason: 'PruneFailed', message: 'cannot delete' }]);
    expect(end.requeue).toEqual({ do: 'backoff' });
  });

  it('keeps the finalizer while there is more to wait for', async () => {
    const world = createWorld(deleted([finalizer]));
    const requeue: Requeue = { do: 'after', ms: 2_000 };

    const end = await run(controllerOf({ finalize: () => Promise.resolve({ done: false, requeue }) }), world);

    expect(world.writes).toEqual([]);
    expect(end.requeue).toEqual(requeue);
  });
});

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) for (const item of Object.values(value)) deepFreeze(item);
  return Object.freeze(value);
}

describe('the test world', () => {
  it('applies patches as the loop means them', () => {
    const patch = mergePatch({ a: 1 }, { b: 2 });

    expect(patch).toEqual({ a: null, b: 2 });
  });
});
