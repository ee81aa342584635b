// Owns the wiring of one controller: its informers, what makes a key run, its workers, its writes. The order of one
// pass is loop.ts.
import { requestedAtAnnotation } from '../api/meta/keys.ts';
import { isConflict, isNotFound } from '../cluster/api-error.ts';
import type { DynamicClient } from '../cluster/client.ts';
import type { EventRecorder } from '../cluster/events.ts';
import type { Informer } from '../cluster/informer.ts';
import type { InformerLease, InformerRequest, Informers } from '../cluster/informers.ts';
import type { Clock } from '../lib/clock.ts';
import { errorMessage } from '../lib/errors.ts';
import type { Log } from '../lib/log.ts';
import type { BackoffOptions } from './backoff.ts';
import {
  type Change,
  type ControlledKind,
  type Controller,
  type Key,
  keyOf,
  type Lookup,
  type Reconcilable,
  splitKey,
  type Watch,
} from './controller.ts';
import type { ControllerMetrics } from './controller-metrics.ts';
import { type LoopPorts, reconcile } from './loop.ts';
import { NewestObjects } from './newest.ts';
import type { AddOptions } from './queue.ts';
import type { KeyShare } from './shards/share.ts';
import { mergePatch } from './status.ts';
import { type EnqueueOptions, Workers } from './worker.ts';

/** What every controller is run with. */
export interface Machine {
  readonly client: DynamicClient;
  readonly informers: Informers;
  readonly events: EventRecorder;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  /** @default 5 */
  readonly jitterPercent?: number | undefined;
  readonly backoff?: BackoffOptions | undefined;
  readonly metrics?: ControllerMetrics | undefined;
  /** Shard: only these primary objects are reconciled. */
  readonly labelSelector?: string | undefined;
  /** Only this namespace; all when absent. */
  readonly namespace?: string | undefined;
  /** Which keys are this replica's at the moment; all when absent. */
  readonly share?: Pick<KeyShare, 'owns' | 'follow'> | undefined;
}

/** A controller at work. */
export interface RunningController<Obj extends Reconcilable> {
  readonly name: string;
  readonly kind: ControlledKind;
  /** Wants a pass for a key, e.g. because an applied object drifted or a waited-for one changed. */
  enqueue(key: Key, options?: EnqueueOptions): void;
  /** The same in `ms`, unless the key runs earlier; for gathering many changes into one pass. */
  enqueueAfter(key: Key, ms: number, options?: AddOptions): void;
  /** The primary objects in cache. */
  readonly objects: Lookup<Obj>;
  /** Resolves when the first lists are in and the workers run. */
  readonly ready: Promise<void>;
  /** What keeps it from being ready, in words; undefined when nothing does. */
  readonly problem: () => string | undefined;
  /** No pass runs or is due at once. */
  readonly idle: () => boolean;
  /** Ends its passes and gives its informers back. */
  stop(): Promise<void>;
}

/** Writes of one status, where the object changes under each of them. */
const STATUS_TRIES = 5;

/** Starts a controller. Its ports come ready-made: they are the only way by which its steps reach the world. */
export function startController<Obj extends Reconcilable, Observed, Decision, Outcome, Ports>(
  controller: Controller<Obj, Observed, Decision, Outcome, Ports>,
  ports: Ports,
  machine: Machine,
): RunningController<Obj> {
  const log = machine.log.with({ controller: controller.name });
  const newest = new NewestObjects<Obj>();
  const primary = new Primary<Obj>(controller, newest);
  const world = loopPorts(controller, machine, primary, newest);
  const concurrent = controller.concurrent ?? 4;
  machine.metrics?.started(controller.name, concurrent);
  const { kind } = controller.kind;
  const { share } = machine;
  const confirmed = new Set<Key>();
  const workers = new Workers({
    run: async (input) => {
      if (share !== undefined && !confirmed.has(input.key) && share.owns(kind, input.key)) {
        await confirm(controller.kind, input.key, machine.client, newest);
        confirmed.add(input.key);
      }
      return reconcile(controller, ports, world, input);
    },
    mayRun: share && ((key) => share.owns(kind, key)),
    clock: machine.clock,
    random: machine.random,
    log,
    concurrent,
    jitterPercent: machine.jitterPercent ?? 5,
    backoff: machine.backoff,
    queueObserver: machine.metrics?.queue(controller.name),
    onActive: (count) => machine.metrics?.active(controller.name, count),
    onPass: ({ key, end, durationMs }) => {
      machine.metrics?.passed(controller.name, end.result, durationMs);
      const { namespace, name } = splitKey(key);
      machine.metrics?.reconciled(kind, { namespace, name }, durationMs);
    },
  });
  const stopping = new AbortController();
  const releases: (() => void)[] = [];
  let problem: string | undefined = 'starting';
  const follow = async (kind: Watch<Obj>['kind'], request: InformerRequest): Promise<InformerLease> => {
    const onFailure = (error: unknown): void => {
      log.info('kind cannot be watched, trying again', { watched: kind.kind, error: errorMessage(error) });
      if (kind === controller.kind) problem = errorMessage(error);
    };
    const lease = await machine.informers.acquireEventually(kind, request, { signal: stopping.signal, onFailure });
    releases.push(() => lease.release());
    stopping.signal.throwIfAborted();
    return lease;
  };
  const forget = (key: Key): void => {
    newest.forget(key);
    confirmed.delete(key);
    workers.forget(key);
    const { namespace, name } = splitKey(key);
    machine.metrics?.forget(kind, { namespace, name });
    controller.forget?.(key, ports);
  };
  const enqueueAll = (isMeant: (key: Key) => boolean): void => {
    for (const key of primary.list().map(keyOf)) if (isMeant(key)) workers.enqueue(key, { trigger: 'taken over' });
  };
  const letGo = async (isLeaving: (key: Key) => boolean): Promise<void> => {
    await workers.interrupt(isLeaving, 'another replica');
    for (const key of primary.list().map(keyOf)) if (isLeaving(key)) forget(key);
  };
  if (share !== undefined) releases.push(share.follow(kind, { came: enqueueAll, left: letGo }));
  const begin = async (): Promise<void> => {
    const { labelSelector, namespace } = machine;
    const lease = await follow(controller.kind, { labelSelector, namespace });
    primary.attach(lease.informer as unknown as Informer<Obj>);
    releases.push(lease.informer.addHandler(primaryHandler(workers, forget)));
    await lease.informer.waitForSync({ signal: stopping.signal });
    await Promise.all((controller.watches ?? []).map((watch) => beginWatch(watch)));
    problem = undefined;
    workers.start();
  };
  // A watched kind that is missing holds nobody up: its objects cannot be referred to with success anyway.
  const beginWatch = async (watch: Watch<Obj>): Promise<void> => {
    const { metadataOnly, labelSelector } = watch;
    const known = await machine.client.discovery.resolve(watch.kind, stopping.signal).catch(() => undefined);
    const connect = async (): Promise<void> => {
      const { informer } = await follow(watch.kind, { metadataOnly, labelSelector, namespace: machine.namespace });
      releases.push(informer.addHandler(watchHandler(watch, primary, workers)));
      // Whoever may not watch it goes on without; the informer tries again by itself.
      await informer.waitForSync({ signal: stopping.signal, failFast: true });
    };
    const connected = connect().catch((error: unknown) => {
      if (stopping.signal.aborted) return;
      log.info('kind cannot be watched at the moment', { watched: watch.kind.kind, error: errorMessage(error) });
    });
    if (known !== undefined) await connected;
  };
  const ready = begin();
  // Whoever does not wait for it must not bring the process down when it is stopped early.
  ready.catch(() => {});
  return {
    name: controller.name,
    kind: controller.kind,
    enqueue: (key, options) => workers.enqueue(key, options),
    enqueueAfter: (key, ms, options) => workers.enqueueAfter(key, ms, options),
    objects: primary,
    ready,
    problem: () => (problem === undefined ? undefined : (primary.error ?? problem)),
    idle: () => problem === undefined && workers.idle,
    stop: async () => {
      stopping.abort(new Error(`controller ${controller.name} was stopped`));
      await workers.stop();
      await ready.catch(() => {});
      for (const release of releases.reverse()) release();
    },
  };
}

/** The primary objects: the cache, and on top of it what was just written. */
class Primary<Obj extends Reconcilable> implements Lookup<Obj> {
  readonly #controller: Pick<Controller<Obj, unknown, unknown, unknown, unknown>, 'name' | 'indexes'>;
  readonly #newest: NewestObjects<Obj>;
  #informer: Informer<Obj> | undefined;

  constructor(
    controller: Pick<Controller<Obj, unknown, unknown, unknown, unknown>, 'name' | 'indexes'>,
    newest: NewestObjects<Obj>,
  ) {
    this.#controller = controller;
    this.#newest = newest;
  }

  attach(informer: Informer<Obj>): void {
    const { name, indexes = {} } = this.#controller;
    // Informers are shared: the controller's name keeps indexes of two users apart.
    for (const [index, values] of Object.entries(indexes)) informer.addIndex(`${name}/${index}`, values);
    this.#informer = informer;
  }

  /** Why the objects cannot be followed at the moment. */
  get error(): string | undefined {
    return this.#informer?.error?.message;
  }

  get(key: Key): Obj | undefined {
    const { namespace, name } = splitKey(key);
    return this.#newest.pick(key, this.#informer?.get(namespace, name));
  }

  list(): Obj[] {
    return this.#informer?.list() ?? [];
  }

  byIndex(name: string, value: string): Obj[] {
    return this.#informer?.byIndex(`${this.#controller.name}/${name}`, value) ?? [];
  }
}

/** What makes an object run by itself (flux.md §1.2): create, new generation, new request, deletion. */
function primaryHandler(workers: Workers, forget: (key: Key) => void) {
  return {
    add: (object: Reconcilable) => workers.enqueue(keyOf(object), { trigger: 'created' }),
    update: (object: Reconcilable, old: Reconcilable) => {
      const key = keyOf(object);
      if (object.metadata.deletionTimestamp !== old.metadata.deletionTimestamp) {
        workers.enqueue(key, { trigger: 'deleted', interrupt: true });
      } else if (object.metadata.generation !== old.metadata.generation) {
        workers.enqueue(key, { trigger: 'generation', interrupt: true });
      } else if (requestOf(object) !== requestOf(old)) {
        workers.enqueue(key, { trigger: 'requested' });
      }
    },
    delete: (object: Reconcilable) => forget(keyOf(object)),
    recovered: () => workers.retryUnserved(),
  };
}

function requestOf(object: Reconcilable): string | undefined {
  return object.metadata.annotations?.[requestedAtAnnotation];
}

function watchHandler<Obj extends Reconcilable>(watch: Watch<Obj>, lookup: Lookup<Obj>, workers: Workers) {
  const priority = watch.background ? 'low' : 'normal';
  const pass = (change: Change): void => {
    for (const key of watch.keys(change, lookup)) {
      workers.enqueue(key, { trigger: watch.trigger, priority, interrupt: watch.interrupts });
    }
  };
  return {
    add: (object: Reconcilable) => pass({ type: 'add', object }),
    update: (object: Reconcilable, old: Reconcilable) => pass({ type: 'update', object, old }),
    delete: (object: Reconcilable) => pass({ type: 'delete', object }),
  };
}

/**
 * Reads the newest state of an object that has come from another replica: the cache may lag behind that one's last
 * write, which the next pass must build on.
 */
async function confirm<Obj extends Reconcilable>(
  kind: ControlledKind,
  key: Key,
  client: DynamicClient,
  newest: NewestObjects<Obj>,
): Promise<void> {
  const found = await client.find<Obj>({ ...kind, ...splitKey(key) });
  if (found !== undefined) newest.remember(key, found);
}

function loopPorts<Obj extends Reconcilable>(
  controller: Pick<Controller<Obj, unknown, unknown, unknown, unknown>, 'fieldManager' | 'eventSource' | 'kind'>,
  machine: Machine,
  primary: Primary<Obj>,
  newest: NewestObjects<Obj>,
): LoopPorts<Obj> {
  const { fieldManager } = controller;
  const { share } = machine;
  const patch = async (object: Obj, body: object, subresource?: 'status'): Promise<Obj | undefined> => {
    const { namespace, name, uid } = object.metadata;
    const key = keyOf(object);
    // An object that was replaced by another of the same name must not get this one's status.
    if (primary.get(key)?.metadata.uid !== uid) return undefined;
    const ref = { ...controller.kind, name, ...(namespace === undefined ? {} : { namespace }) };
    try {
      const stored = await machine.client.patch<Obj>(ref, { type: 'merge', body }, { fieldManager, subresource });
      newest.remember(key, stored);
      return stored;
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  };
  /** A status that another replica has written since must not be written over; anything else of the object may change. */
  const patchUnchanged = async (object: Obj, status: object): Promise<Obj | undefined> => {
    for (let current = object, tries = 1; ; tries++) {
      const { resourceVersion, uid } = current.metadata;
      try {
        return await patch(object, { metadata: { resourceVersion }, status }, 'status');
      } catch (error) {
        if (!isConflict(error) || tries >= STATUS_TRIES) throw error;
        const found = await machine.client.find<Obj>({ ...controller.kind, ...splitKey(keyOf(object)) });
        if (found === undefined || found.metadata.uid !== uid) return undefined;
        newest.remember(keyOf(object), found);
        if (mergePatch(object.status ?? {}, found.status ?? {}) !== undefined) throw error;
        current = found;
      }
    }
  };
  return {
    clock: machine.clock,
    get: (key) => (share === undefined || share.owns(controller.kind.kind, key) ? primary.get(key) : undefined),
    patchStatus: (object, status) =>
      share === undefined ? patch(object, { status }, 'status') : patchUnchanged(object, status),
    patchMetadata: (object, metadata) => {
      const { resourceVersion, uid } = object.metadata;
      return patch(object, { metadata: { resourceVersion, uid, ...metadata } });
    },
    emit: (object, event) => machine.events.record(object, { ...event, source: controller.eventSource }),
  };
}
