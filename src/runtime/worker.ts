// Owns the workers of one controller: they take keys from the queue, run passes and plan the next ones. The pass itself
// is loop.ts.
import { isUnserved } from '../cluster/api-error.ts';
import type { Clock } from '../lib/clock.ts';
import { CodedError, errorMessage } from '../lib/errors.ts';
import type { Log } from '../lib/log.ts';
import { Backoff, type BackoffOptions } from './backoff.ts';
import { type Key, type Requeue, splitKey } from './controller.ts';
import { type PassEnd, type PassInput, superseded } from './loop.ts';
import { type AddOptions, type QueueItem, type QueueObserver, WorkQueue } from './queue.ts';
import { gathered, jittered } from './requeue.ts';

/** One worker of so many, and one at least, may do work of low priority. */
const LOW_SHARE = 8;

/** What the workers tell of each pass. */
export interface PassReport {
  readonly key: Key;
  readonly end: PassEnd;
  readonly durationMs: number;
}

export interface WorkersOptions {
  /** Runs one pass. */
  readonly run: (input: PassInput) => Promise<PassEnd>;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly concurrent: number;
  /** Of intervals, in percent (flux.md §1.7). */
  readonly jitterPercent: number;
  readonly backoff?: BackoffOptions | undefined;
  readonly queueObserver?: QueueObserver | undefined;
  readonly onPass?: ((report: PassReport) => void) | undefined;
  /** Whether passes may run for a key; what else is asked of it is not heard. @default always */
  readonly mayRun?: ((key: Key) => boolean) | undefined;
  /** Called with the number of workers at work whenever it changes. */
  readonly onActive?: ((workers: number) => void) | undefined;
}

export interface EnqueueOptions extends AddOptions {
  /** A pass that runs for the key is aborted, as its input is out of date. */
  readonly interrupt?: boolean | undefined;
}

/** A controller's queue and its workers. */
export class Workers {
  readonly #options: WorkersOptions;
  readonly #queue: WorkQueue;
  readonly #backoff: Backoff;
  readonly #running = new Map<Key, { readonly abort: AbortController; readonly ended: Promise<void> }>();
  readonly #memories = new Map<Key, unknown>();
  /** Keys whose last pass came to nothing because the API server did not serve it. */
  readonly #unserved = new Set<Key>();
  readonly #loops = new Set<Promise<void>>();
  readonly #stopping = new AbortController();
  /** Loops that will take another key. */
  #hands = 0;
  /** Passes that wait for something outside: so many more loops may run. */
  #aside = 0;
  #passes = 0;

  constructor(options: WorkersOptions) {
    this.#options = options;
    const mostLow = Math.max(1, Math.floor(options.concurrent / LOW_SHARE));
    this.#queue = new WorkQueue(options.clock, options.queueObserver, mostLow);
    this.#backoff = new Backoff(options.backoff);
  }

  start(): void {
    while (this.#hands < this.#allowed) this.#startLoop();
  }

  /** Wants a pass for the key as soon as a worker is free. */
  enqueue(key: Key, options: EnqueueOptions = {}): void {
    if (this.#options.mayRun?.(key) === false) return;
    this.#queue.add(key, options);
    if (options.interrupt) this.#running.get(key)?.abort.abort(superseded(options.trigger ?? 'newer work'));
  }

  enqueueAfter(key: Key, ms: number, options: AddOptions = {}): void {
    if (this.#options.mayRun?.(key) === false) return;
    this.#queue.addAfter(key, ms, options);
  }

  /** The API server answers again: what it has kept waiting need not sit out its back-off, which may have become long. */
  retryUnserved(): void {
    for (const key of this.#unserved) {
      this.#backoff.forget(key);
      this.enqueue(key, { trigger: 'API server is back' });
    }
  }

  /** Aborts the passes of some keys and waits for their end. */
  async interrupt(isMeant: (key: Key) => boolean, why: string): Promise<void> {
    const meant = [...this.#running].filter(([key]) => isMeant(key)).map(([, running]) => running);
    for (const { abort } of meant) abort.abort(superseded(why));
    await Promise.all(meant.map(({ ended }) => ended));
  }

  /** The object is gone: nothing of it is kept. */
  forget(key: Key): void {
    this.#queue.forget(key);
    this.#backoff.forget(key);
    this.#memories.delete(key);
    this.#unserved.delete(key);
  }

  /** No key is ready or in work. Keys with a delay do not count. */
  get idle(): boolean {
    return this.#queue.depth === 0 && this.#running.size === 0;
  }

  /** When the key runs next by its delay, in ms of the monotonic clock. */
  dueAt(key: Key): number | undefined {
    return this.#queue.dueAt(key);
  }

  /** Aborts the passes that run and waits for their end. */
  async stop(): Promise<void> {
    this.#queue.close();
    const reason = superseded('the end of the process');
    this.#stopping.abort(reason);
    for (const { abort } of this.#running.values()) abort.abort(reason);
    await Promise.all(this.#loops);
  }

  get #allowed(): number {
    return this.#options.concurrent + this.#aside;
  }

  #startLoop(): void {
    this.#hands += 1;
    const loop = this.#work().finally(() => this.#loops.delete(loop));
    this.#loops.add(loop);
  }

  /** One worker more, for as long as a pass waits. It ends after its first key beyond that. */
  async #waitAside<T>(wait: () => Promise<T>): Promise<T> {
    this.#aside += 1;
    if (this.#hands < this.#allowed) this.#startLoop();
    try {
      return await wait();
    } finally {
      this.#aside -= 1;
    }
  }

  async #work(): Promise<void> {
    for (let item = await this.#queue.next(); item !== undefined; item = await this.#queue.next()) {
      await this.#pass(item);
      if (this.#hands <= this.#allowed) continue;
      this.#hands -= 1;
      return;
    }
  }

  async #pass(item: QueueItem): Promise<void> {
    const { clock } = this.#options;
    const { key } = item;
    const abort = new AbortController();
    const started = clock.monotonic();
    const id = String(++this.#passes);
    const log = this.#options.log.with({ ...splitKey(key), reconcileId: id, trigger: item.trigger });
    const ended = Promise.withResolvers<void>();
    this.#running.set(key, { abort, ended: ended.promise });
    this.#options.onActive?.(this.#running.size);
    try {
      const end = await this.#run({
        key,
        id,
        log,
        signal: abort.signal,
        stopping: this.#stopping.signal,
        memory: this.#takeMemory(key),
        isBackground: item.priority === 'low',
        othersWait: () => this.#queue.depth > 0,
        aside: (wait) => this.#waitAside(wait),
      });
      if (end.isUnserved) this.#unserved.add(key);
      else this.#unserved.delete(key);
      const durationMs = clock.monotonic() - started;
      const nextMs = this.#plan(key, end.requeue);
      const fields = {
        result: end.result,
        durationMs: Math.round(durationMs),
        nextMs: nextMs && Math.round(nextMs),
        ...end.log,
      };
      if (end.changed || 'problem' in end.log) log.info('reconciled', fields);
      else log.debug('reconciled', fields);
      this.#options.onPass?.({ key, end, durationMs });
    } finally {
      this.#running.delete(key);
      this.#options.onActive?.(this.#running.size);
      this.#queue.done(key);
      ended.resolve();
    }
  }

  async #run(input: PassInput): Promise<PassEnd> {
    try {
      return await this.#options.run(input);
    } catch (error) {
      if (input.signal.aborted)
        return { requeue: { do: 'none' }, result: 'error', changed: false, log: { aborted: true } };
      // What a controller fails with is its conclusion's business; here only writes to the API server and bugs arrive.
      if (input.memory !== undefined) this.#memories.set(input.key, input.memory);
      if (!(error instanceof CodedError)) input.log.error('reconcile broke', { error });
      const log = { problem: errorMessage(error) };
      return { requeue: { do: 'backoff' }, result: 'error', changed: false, isUnserved: isUnserved(error), log };
    }
  }

  #takeMemory(key: Key): unknown {
    const memory = this.#memories.get(key);
    this.#memories.delete(key);
    return memory;
  }

  /** Plans the next pass; returns the delay in ms, undefined for none. */
  #plan(key: Key, requeue: Requeue): number | undefined {
    if (requeue.do === 'backoff') {
      this.#options.queueObserver?.retried?.();
      return this.#after(key, this.#backoff.next(key), 'backoff');
    }
    this.#backoff.forget(key);
    switch (requeue.do) {
      case 'none':
        return undefined;
      case 'now':
        this.#queue.add(key, { trigger: 'requeue' });
        return 0;
      case 'in background':
        this.#queue.add(key, { trigger: 'background', priority: 'low' });
        return 0;
      case 'interval':
        return this.#after(key, this.#intervalOf(requeue.ms), 'interval');
      case 'after':
        return this.#after(key, requeue.ms, 'retry');
      case 'wait':
        this.#memories.set(key, requeue.memory);
        return this.#after(key, Math.max(0, requeue.untilMs - this.#options.clock.now()), 'wait over');
      default:
        return requeue satisfies never;
    }
  }

  #intervalOf(ms: number): number {
    const { clock, jitterPercent, random } = this.#options;
    return gathered(jittered(ms, jitterPercent, random), ms, jitterPercent, clock.monotonic());
  }

  #after(key: Key, ms: number, trigger: string): number {
    this.#queue.addAfter(key, ms, { trigger });
    return ms;
  }
}
