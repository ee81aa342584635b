// Owns the shape of a controller: what one kind has to say so that the machine can run it. The skeleton that calls it
// is loop.ts, the wiring to queue and watches start.ts. No kind of ours is known here.
import type { Condition } from '../api/meta/condition.ts';
import type { KubeObject } from '../api/meta/object.ts';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import type { ReconcileError } from './reconcile-error.ts';

/** The kind and where it is served. */
export interface ControlledKind {
  /** As written in `apiVersion`, e.g. `source.toolkit.fluxcd.io/v1`: the version that is watched and written. */
  readonly apiVersion: string;
  readonly kind: string;
}

/** A namespaced name, `<namespace>/<name>`: what the queue holds. */
export type Key = string;

/** Status fields that the machine itself reads and writes. */
export interface CommonStatus {
  readonly observedGeneration?: number;
  readonly conditions?: readonly Condition[];
  readonly lastHandledReconcileAt?: string;
}

/** An object that can be reconciled. */
export interface Reconcilable extends KubeObject {
  readonly spec?: object;
  readonly status?: CommonStatus;
}

export type StatusOf<Obj extends Reconcilable> = NonNullable<Obj['status']>;

/** What to say as a Kubernetes Event. */
export interface EventDraft {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
  /** Written as annotations, e.g. `kustomize.toolkit.fluxcd.io/revision`. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** For Kubernetes alone: receivers of events are not told. */
  readonly local?: boolean;
}

/**
 * When the key runs next. Any trigger (watch, request, new generation) runs it earlier.
 * - none: not before something changes
 * - interval: after `ms`, jittered
 * - after: after exactly `ms`
 * - backoff: exponentially later with each failure in a row
 * - now: at once
 * - in background: at once, but after whatever somebody waits for; that pass has `isBackground`
 * - wait: something is under way and watches will bring the key back; at `untilMs` (clock time) it runs in any case.
 *   `memory` is handed to the next pass as `pass.memory`. No worker is held meanwhile.
 */
export type Requeue =
  | { readonly do: 'none' }
  | { readonly do: 'interval'; readonly ms: number }
  | { readonly do: 'after'; readonly ms: number }
  | { readonly do: 'backoff' }
  | { readonly do: 'now' }
  | { readonly do: 'in background' }
  | { readonly do: 'wait'; readonly untilMs: number; readonly memory: unknown };

/** What a pass ends with. */
export interface Conclusion<Status extends CommonStatus = CommonStatus> {
  /**
   * The whole status as it should be; absent = as it is. `observedGeneration` and `lastHandledReconcileAt` are set by
   * the machine. Only the difference is written, and nothing when there is none.
   */
  readonly status?: Status | undefined;
  readonly events?: readonly EventDraft[] | undefined;
  readonly requeue: Requeue;
  /**
   * Whether `status.observedGeneration` becomes `metadata.generation`.
   * @default true after an outcome unless it waits, and after a stalled error; false after other errors
   */
  readonly observed?: boolean | undefined;
  /** Fields for the log line of this pass, e.g. `revision`. */
  readonly log?: Readonly<Record<string, unknown>> | undefined;
}

/** How `act` came out: its outcome, or the error that ended the pass (in observe, decide or act). */
export type Result<Outcome> = { readonly outcome: Outcome } | { readonly error: ReconcileError };

/** One pass for one key, as the steps see it. */
export interface Pass<Obj extends Reconcilable = Reconcilable> {
  readonly key: Key;
  /** Unique per pass; for logs. */
  readonly id: string;
  /** Clock time at the start of the pass, in ms. */
  readonly startedMs: number;
  /**
   * Aborts when the pass is superseded or the process stops; its reason is a `ReconcileError`. What the pass fails with
   * after that is dropped without a word, and the key runs again.
   */
  readonly signal: AbortSignal;
  /**
   * Aborts when the process stops, and not before: for a write that is under way. One that is given up may still arrive,
   * after what the next pass writes.
   */
  readonly stopping: AbortSignal;
  /** Sleeping on it occupies no worker: another key is worked on meanwhile. */
  readonly clock: Clock;
  readonly log: Log;
  /** Waits for something outside of the process without occupying a worker. Whoever uses it bounds how many do. */
  aside<T>(wait: () => Promise<T>): Promise<T>;
  /** What the last pass left with `requeue: wait`; undefined otherwise and after a restart. */
  readonly memory: unknown;
  /** It has been put off already, or nobody waits for it. */
  readonly isBackground: boolean;
  /** Whether other keys are ready to run and have no worker: what is not needed now can come later. */
  othersWait(): boolean;
  /** Value of the requestedAt annotation when it is not yet handled, else undefined. */
  readonly requested: string | undefined;
  /** The object with the newest status this pass has written. */
  current(): Obj;
  /**
   * Writes status before the end (union inventory, begin of a wait). `change` gets the newest status and returns the
   * whole new one. Nothing is written when nothing differs. At most two per pass: the third is the end's.
   */
  writeStatus(change: (status: StatusOf<Obj>) => StatusOf<Obj>): Promise<Obj>;
  /** Says something before the end of the pass. Never blocks. */
  emit(event: EventDraft): void;
}

/** What a finished finalization wants. `again` keeps the finalizer and runs again. */
export type Finalized<Status extends CommonStatus = CommonStatus> =
  | { readonly done: true; readonly events?: readonly EventDraft[] }
  | {
      readonly done: false;
      readonly requeue: Requeue;
      readonly status?: Status;
      readonly events?: readonly EventDraft[];
    };

/** A change of a watched object. `old` is the state before an update; for a deletion `object` is the last state. */
export interface Change<T extends KubeObject = KubeObject> {
  readonly type: 'add' | 'update' | 'delete';
  readonly object: T;
  readonly old?: T | undefined;
}

/** The primary objects in cache, for mapping other objects to keys. */
export interface Lookup<Obj extends Reconcilable> {
  /** Objects whose index `name` holds `value`. */
  byIndex(name: string, value: string): Obj[];
  get(key: Key): Obj | undefined;
  list(): Obj[];
}

/** Another kind whose changes concern this controller's objects. */
export interface Watch<Obj extends Reconcilable> {
  readonly kind: ControlledKind;
  readonly labelSelector?: string;
  /** Only metadata is fetched and kept. */
  readonly metadataOnly?: boolean;
  /** Name of the trigger in logs. */
  readonly trigger: string;
  /** Keys to run. Pure; called for each change, also for the adds of the first list. */
  keys(change: Change, lookup: Lookup<Obj>): Iterable<Key>;
  /** Whether a pass that is running for the key is to be aborted. @default false */
  readonly interrupts?: boolean;
  /** Served after everything else. @default false */
  readonly background?: boolean;
}

/**
 * One kind's controller. All functions but observe, act and finalize are pure; a port is a plain object of functions.
 */
export interface Controller<Obj extends Reconcilable, Observed, Decision, Outcome, Ports> {
  /** Lower-case kind: name in metrics and logs. */
  readonly name: string;
  readonly kind: ControlledKind;
  /** Component of events and field manager of the status. */
  readonly fieldManager: string;
  readonly eventSource: string;
  readonly finalizer: string;
  /** Workers. @default 4 */
  readonly concurrent?: number;
  /** Every read that the decision needs. Absence is a value. */
  observe(object: Obj, ports: Ports, pass: Pass<Obj>): Promise<Observed>;
  /** An ordered list of checks. Writes nothing, not even to its input. */
  decide(observed: Observed, nowMs: number): Decision;
  /** A straight line of stages. */
  act(decision: Decision, ports: Ports, pass: Pass<Obj>): Promise<Outcome>;
  /** The one place that makes conditions, for good and bad ends. `object` has the newest status. */
  conclude(object: Obj, result: Result<Outcome>, nowMs: number, pass: Pass<Obj>): Conclusion<StatusOf<Obj>>;
  /** Cleans up a deleted object, before the finalizer goes. */
  finalize(object: Obj, ports: Ports, pass: Pass<Obj>): Promise<Finalized<StatusOf<Obj>>>;
  /** Asked of an object whose spec.suspend is true: what is under way for it may have to come to its end first. @default always */
  isSuspended?(key: Key, ports: Ports): boolean;
  /**
   * Objects that are only read by others, never reconciled: they get neither finalizer nor status, and what an earlier
   * life left behind goes. @default never
   */
  isStatic?(object: Obj): boolean;
  /** Called when an object is gone from the cluster: drop what is kept in memory for the key. */
  forget?(key: Key, ports: Ports): void;
  /**
   * Called when the end of a pass could not be written: drop what memory holds of that pass, as the status does not say
   * it. The next pass would take it for told, and the status would stay as it is for ever.
   */
  forgetPass?(key: Key, ports: Ports): void;
  /**
   * Hides secret values that a pass for the key has to do with. Errors and warnings may quote what they refuse: they
   * go through it before they reach status, events and logs. Asked for when the pass has failed.
   */
  mask?(key: Key, ports: Ports): (text: string) => string;
  readonly indexes?: Readonly<Record<string, (object: Obj) => readonly string[]>>;
  readonly watches?: readonly Watch<Obj>[];
}

/** The key of an object. */
export function keyOf(object: KubeObject): Key {
  return `${object.metadata.namespace ?? ''}/${object.metadata.name}`;
}

/** Namespace ('' when cluster-scoped) and name of a key. */
export function splitKey(key: Key): { readonly namespace: string; readonly name: string } {
  const slash = key.indexOf('/');
  return { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}
