// Owns the skeleton of one reconcile: get → deleted? finalize → ensure finalizer → suspended? → observe → decide → act
// → conclude → patch status → emit. When a key runs is queue.ts and worker.ts; what a kind does is its controller.
import { requestedAtAnnotation } from '../api/meta/keys.ts';
import { isUnserved } from '../cluster/api-error.ts';
import type { Clock } from '../lib/clock.ts';
import { errorMessage } from '../lib/errors.ts';
import type { Log } from '../lib/log.ts';
import type {
  CommonStatus,
  Conclusion,
  Controller,
  EventDraft,
  Key,
  Pass,
  Reconcilable,
  Requeue,
  Result,
  StatusOf,
} from './controller.ts';
import { ReconcileError, toReconcileError } from './reconcile-error.ts';
import { mergePatch } from './status.ts';

/** What a pass needs of the world. The real ones are made in start.ts. */
export interface LoopPorts<Obj extends Reconcilable> {
  readonly clock: Clock;
  /** The newest state that is known, own writes included; undefined when the object is gone. */
  get(key: Key): Obj | undefined;
  /** Merge patch of the status subresource. Undefined when the object is gone. */
  patchStatus(object: Obj, status: object): Promise<Obj | undefined>;
  /** Merge patch of metadata, on condition that nobody changed the object meanwhile. Undefined when it is gone. */
  patchMetadata(object: Obj, metadata: object): Promise<Obj | undefined>;
  /** Records an event. Never blocks, never throws. */
  emit(object: Obj, event: EventDraft): void;
}

/** What a pass is told by the one who runs it. */
export interface PassInput {
  readonly key: Key;
  readonly id: string;
  readonly signal: AbortSignal;
  readonly stopping: AbortSignal;
  readonly log: Log;
  readonly memory: unknown;
  readonly isBackground: boolean;
  /** Whether other keys have no worker. */
  othersWait(): boolean;
  /** Waits without occupying a worker. */
  aside<T>(wait: () => Promise<T>): Promise<T>;
}

/** How a pass ended. */
export interface PassEnd {
  readonly requeue: Requeue;
  /** For metrics: as controller-runtime names them. */
  readonly result: 'success' | 'error' | 'requeue' | 'requeue_after';
  /** Something was written. */
  readonly changed: boolean;
  /** It came to nothing because the API server did not serve it: worth another try as soon as it does. @default false */
  readonly isUnserved?: boolean;
  /** Fields for the log line. */
  readonly log: Readonly<Record<string, unknown>>;
}

/** Status writes of one pass, the last one included (lockstep.md §2). */
const MAX_STATUS_WRITES = 3;
const DONE: PassEnd = { requeue: { do: 'none' }, result: 'success', changed: false, log: {} };

/** Runs one pass. Throws only when the API server cannot be written to, or on a bug: the caller backs off. */
export async function reconcile<Obj extends Reconcilable, Observed, Decision, Outcome, Ports>(
  controller: Controller<Obj, Observed, Decision, Outcome, Ports>,
  ports: Ports,
  world: LoopPorts<Obj>,
  input: PassInput,
): Promise<PassEnd> {
  const object = world.get(input.key);
  if (object === undefined) return DONE;
  const mask = (text: string): string => controller.mask?.(input.key, ports)(text) ?? text;
  const pass = new RunningPass<Obj>(object, world, input, mask);
  const { finalizers = [], deletionTimestamp } = object.metadata;
  const ours = finalizers.includes(controller.finalizer);
  if (deletionTimestamp !== undefined) return ours ? finalize(controller, ports, world, pass) : DONE;
  if (controller.isStatic?.(object) === true) {
    if (!ours) return DONE;
    await pass.write(() => ({}));
    return finalize(controller, ports, world, pass);
  }
  if (!ours) {
    // A pass of its own: whatever follows must find the finalizer in place, also after a crash.
    await world.patchMetadata(object, { finalizers: [...finalizers, controller.finalizer] });
    return { ...DONE, requeue: { do: 'now' }, result: 'requeue', changed: true };
  }
  if (isSuspended(controller, object, input.key, ports)) return { ...DONE, log: { suspended: true } };
  const result = await run(controller, ports, world, pass);
  const aborted = abortReason(input.signal);
  // What an aborted pass fails with says nothing of the object; the next pass will. One that came through counts.
  if (aborted !== undefined && 'error' in result) return { ...DONE, changed: pass.wrote, log: { aborted } };
  const conclusion = controller.conclude(pass.current(), result, world.clock.now(), pass);
  try {
    await pass.finish(conclusion, result);
  } catch (error) {
    controller.forgetPass?.(input.key, ports);
    throw error;
  }
  return endOf(conclusion.requeue, result, pass.wrote, conclusion.log);
}

function abortReason(signal: AbortSignal): string | undefined {
  return signal.aborted ? errorMessage(signal.reason) : undefined;
}

function isSuspended<Obj extends Reconcilable, Ports>(
  controller: Pick<Controller<Obj, unknown, unknown, unknown, Ports>, 'isSuspended'>,
  object: Obj,
  key: Key,
  ports: Ports,
): boolean {
  if ((object.spec as { suspend?: unknown } | undefined)?.suspend !== true) return false;
  return controller.isSuspended?.(key, ports) ?? true;
}

async function run<Obj extends Reconcilable, Observed, Decision, Outcome, Ports>(
  controller: Controller<Obj, Observed, Decision, Outcome, Ports>,
  ports: Ports,
  world: LoopPorts<Obj>,
  pass: RunningPass<Obj>,
): Promise<Result<Outcome>> {
  try {
    const observed = await controller.observe(pass.object, ports, pass);
    const decision = controller.decide(observed, world.clock.now());
    return { outcome: await controller.act(decision, ports, pass) };
  } catch (thrown) {
    const error = pass.masked(toReconcileError(thrown, 'ReconciliationFailed'));
    if (error.isBug && !pass.signal.aborted) pass.log.error('unexpected error', { error: pass.maskedCause(error) });
    return { error };
  }
}

async function finalize<Obj extends Reconcilable, Observed, Decision, Outcome, Ports>(
  controller: Controller<Obj, Observed, Decision, Outcome, Ports>,
  ports: Ports,
  world: LoopPorts<Obj>,
  pass: RunningPass<Obj>,
): Promise<PassEnd> {
  try {
    const finalized = await controller.finalize(pass.object, ports, pass);
    if (!finalized.done) {
      await pass.write(() => finalized.status);
      for (const event of finalized.events ?? []) pass.emit(event);
      return endOf(finalized.requeue, { outcome: undefined }, pass.wrote, { deleting: true });
    }
    for (const event of finalized.events ?? []) pass.emit(event);
  } catch (thrown) {
    const aborted = abortReason(pass.signal);
    if (aborted !== undefined) return { ...DONE, changed: pass.wrote, log: { aborted } };
    const error = pass.masked(toReconcileError(thrown, 'FinalizeFailed'));
    if (error.isBug) pass.log.error('unexpected error while finalizing', { error: pass.maskedCause(error) });
    if (!error.silent) pass.emit({ type: 'Warning', reason: error.reason, message: error.message });
    const requeue: Requeue =
      error.retryAfterMs === undefined ? { do: 'backoff' } : { do: 'after', ms: error.retryAfterMs };
    return { ...endOf(requeue, { error }, pass.wrote, { deleting: true }), isUnserved: isUnserved(error.cause) };
  }
  const current = pass.current();
  const finalizers = (current.metadata.finalizers ?? []).filter((name) => name !== controller.finalizer);
  await world.patchMetadata(current, { finalizers });
  return { ...DONE, changed: true, log: { deleted: true } };
}

function endOf(
  requeue: Requeue,
  result: Result<unknown>,
  changed: boolean,
  log: Readonly<Record<string, unknown>> = {},
): PassEnd {
  const failed = 'error' in result ? { reason: result.error.reason, problem: errorMessage(result.error) } : {};
  return { requeue, result: resultOf(requeue), changed, log: { ...failed, ...log } };
}

function resultOf(requeue: Requeue): PassEnd['result'] {
  switch (requeue.do) {
    case 'none':
      return 'success';
    case 'backoff':
      return 'error';
    case 'now':
    case 'in background':
      return 'requeue';
    case 'interval':
    case 'after':
    case 'wait':
      return 'requeue_after';
    default:
      return requeue satisfies never;
  }
}

/** State of one pass: the object it began with, the newest one, and how often status was written. */
class RunningPass<Obj extends Reconcilable> implements Pass<Obj> {
  readonly key: Key;
  readonly id: string;
  readonly startedMs: number;
  readonly signal: AbortSignal;
  readonly stopping: AbortSignal;
  readonly clock: Clock;
  readonly log: Log;
  readonly memory: unknown;
  readonly isBackground: boolean;
  readonly requested: string | undefined;
  /** As it was at the start: what is acted on, and what generation and request are handled. */
  readonly object: Obj;
  readonly #world: LoopPorts<Obj>;
  readonly #mask: (text: string) => string;
  readonly #input: PassInput;
  #current: Obj;
  #writes = 0;

  constructor(object: Obj, world: LoopPorts<Obj>, input: PassInput, mask: (text: string) => string) {
    this.#mask = mask;
    this.object = object;
    this.#current = object;
    this.#world = world;
    this.key = input.key;
    this.id = input.id;
    this.signal = input.signal;
    this.stopping = input.stopping;
    const { clock } = world;
    this.#input = input;
    this.clock = {
      now: () => clock.now(),
      monotonic: () => clock.monotonic(),
      setTimer: (ms, run) => clock.setTimer(ms, run),
      sleep: (ms, signal) => this.aside(() => clock.sleep(ms, signal)),
    };
    this.log = input.log;
    this.memory = input.memory;
    this.isBackground = input.isBackground;
    this.startedMs = world.clock.now();
    const requested = object.metadata.annotations?.[requestedAtAnnotation];
    this.requested = requested === object.status?.lastHandledReconcileAt ? undefined : requested;
  }

  current(): Obj {
    return this.#current;
  }

  aside<T>(wait: () => Promise<T>): Promise<T> {
    return this.#input.aside(wait);
  }

  othersWait(): boolean {
    return this.#input.othersWait();
  }

  get wrote(): boolean {
    return this.#writes > 0;
  }

  async writeStatus(change: (status: StatusOf<Obj>) => StatusOf<Obj>): Promise<Obj> {
    if (this.#writes >= MAX_STATUS_WRITES - 1) {
      throw new Error(`a pass writes status at most ${MAX_STATUS_WRITES} times, the end included`);
    }
    this.signal.throwIfAborted();
    await this.write(change);
    return this.#current;
  }

  emit(event: EventDraft): void {
    // What is said of success is made of names and revisions alone; a refusal may quote what it refuses.
    const said = event.type === 'Warning' ? { ...event, message: this.#mask(event.message) } : event;
    this.#world.emit(this.#current, said);
  }

  /** The error without secret values in its message. */
  masked(error: ReconcileError): ReconcileError {
    error.message = this.#mask(error.message);
    return error;
  }

  /** What a bug is logged with. */
  maskedCause({ cause }: ReconcileError): unknown {
    if (!(cause instanceof Error)) return typeof cause === 'string' ? this.#mask(cause) : cause;
    const told = new Error(this.#mask(cause.message));
    told.stack = this.#mask(cause.stack ?? '');
    return told;
  }

  /** Writes the difference to the newest status, if there is one. */
  async write(change: (status: StatusOf<Obj>) => CommonStatus | undefined): Promise<void> {
    const before = (this.#current.status ?? {}) as StatusOf<Obj>;
    const after = change(before);
    const patch = after === undefined ? undefined : mergePatch(before, after);
    if (patch === undefined) return;
    this.#writes++;
    const stored = await this.#world.patchStatus(this.#current, patch);
    if (stored !== undefined) this.#current = stored;
  }

  async finish(conclusion: Conclusion<StatusOf<Obj>>, result: Result<unknown>): Promise<void> {
    const { generation } = this.object.metadata;
    const waits = conclusion.requeue.do === 'wait';
    const observed = conclusion.observed ?? ('error' in result ? result.error.retry === 'stalled' : !waits);
    const requested = this.object.metadata.annotations?.[requestedAtAnnotation];
    try {
      await this.write((status) => ({
        ...(conclusion.status ?? status),
        ...(observed && generation !== undefined ? { observedGeneration: generation } : {}),
        // A wait has not handled the request yet; its last pass has.
        ...(requested === undefined || waits ? {} : { lastHandledReconcileAt: requested }),
      }));
    } finally {
      // Also when the status could not be written: the next pass finds done what this one did, and says nothing of it.
      for (const event of conclusion.events ?? []) this.emit(event);
    }
  }
}

/** Ends a running pass because something newer arrived. */
export function superseded(trigger: string): ReconcileError {
  return new ReconcileError('Superseded', `superseded by ${trigger}`, { retry: 'superseded', silent: true });
}
