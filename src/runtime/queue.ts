// Owns which keys run next: each key at most once in the queue and once in work, later ones at their time. Running
// them is worker.ts.
import type { CancelTimer, Clock } from '../lib/clock.ts';
import { DelayHeap } from './delay-heap.ts';

/**
 * `low` is for work that nobody waits for; it is served after the rest, yet never starved, and few of it at once: what
 * comes meanwhile, and what runs, is not to share the API server with all of it.
 */
export type Priority = 'normal' | 'low';

export interface AddOptions {
  /** Why, for logs only: a key that is added twice keeps the first reason. */
  readonly trigger?: string | undefined;
  readonly priority?: Priority | undefined;
}

/** A key that was handed out. Give it back with `done`. */
export interface QueueItem {
  readonly key: string;
  readonly trigger: string;
  readonly priority: Priority;
  /** How long it waited in the queue, in ms. */
  readonly waitedMs: number;
}

export interface QueueObserver {
  added?(): void;
  depth?(keys: number): void;
  waited?(ms: number): void;
  worked?(ms: number): void;
  /** A key waits longer after each failure in a row. */
  retried?(): void;
}

interface Entry {
  trigger: string;
  priority: Priority;
  readonly since: number;
}

/** One of so many is taken from the low ones, if there are any, even when others wait. */
const LOW_SHARE = 8;

/**
 * A work queue of keys.
 *
 *   add ──▶ dirty+ready ──next──▶ processing ──done──▶ (gone)
 *             ▲                      │ add meanwhile: dirty
 *             └────────done──────────┘
 *
 * A key never runs twice at the same time. Added while it runs, it runs once more afterwards. Of several delays the
 * earliest counts. Handing a key out drops its delay: the pass sees the newest state and says itself when to run next.
 */
export class WorkQueue {
  readonly #clock: Clock;
  readonly #observer: QueueObserver;
  /** Keys that want to run, in work or not. */
  readonly #dirty = new Map<string, Entry>();
  readonly #processing = new Map<string, { readonly since: number; readonly priority: Priority }>();
  readonly #ready: Record<Priority, Set<string>> = { normal: new Set(), low: new Set() };
  readonly #delayed = new DelayHeap<AddOptions>();
  readonly #waiting: ((item: QueueItem | undefined) => void)[] = [];
  #cancelTimer: CancelTimer | undefined;
  #timerAt = Number.POSITIVE_INFINITY;
  readonly #mostLow: number;
  #lowInWork = 0;
  #served = 0;
  #closed = false;

  /** @param mostLow so many keys of low priority may be in work at once */
  constructor(clock: Clock, observer: QueueObserver = {}, mostLow = Number.POSITIVE_INFINITY) {
    this.#clock = clock;
    this.#observer = observer;
    this.#mostLow = mostLow;
  }

  /** Wants the key to run as soon as a worker is free. */
  add(key: string, options: AddOptions = {}): void {
    if (this.#closed) return;
    const { trigger = '', priority = 'normal' } = options;
    const known = this.#dirty.get(key);
    if (known !== undefined) {
      if (priority === 'normal' && known.priority === 'low') this.#raise(key, known);
      return;
    }
    this.#dirty.set(key, { trigger, priority, since: this.#clock.monotonic() });
    this.#observer.added?.();
    if (!this.#processing.has(key)) this.#offer(key, priority);
  }

  /** Wants the key to run in `ms`, unless it does earlier. */
  addAfter(key: string, ms: number, options: AddOptions = {}): void {
    if (this.#closed) return;
    if (!(ms > 0)) {
      this.add(key, options);
      return;
    }
    this.#delayed.put(key, this.#clock.monotonic() + ms, options);
    this.#arm();
  }

  /** The next key; waits for one. Undefined when the queue was closed. */
  async next(): Promise<QueueItem | undefined> {
    if (this.#closed) return undefined;
    const key = this.#pick();
    if (key !== undefined) return this.#take(key);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Gives a key back. It runs again if it was added meanwhile. */
  done(key: string): void {
    const work = this.#processing.get(key);
    if (work === undefined) return;
    this.#processing.delete(key);
    if (work.priority === 'low') this.#lowInWork--;
    this.#observer.worked?.(this.#clock.monotonic() - work.since);
    if (this.#closed) return;
    const entry = this.#dirty.get(key);
    if (entry !== undefined) this.#ready[entry.priority].add(key);
    this.#serve();
  }

  /** Drops whatever is planned for a key that is gone. A pass that runs is not touched. */
  forget(key: string): void {
    this.#delayed.remove(key);
    if (this.#processing.has(key)) return;
    this.#dirty.delete(key);
    this.#ready.normal.delete(key);
    this.#ready.low.delete(key);
  }

  isProcessing(key: string): boolean {
    return this.#processing.has(key);
  }

  /** When the key runs next by its delay, in ms of the monotonic clock. */
  dueAt(key: string): number | undefined {
    return this.#delayed.dueAt(key);
  }

  /** Keys that are ready to run. */
  get depth(): number {
    return this.#ready.normal.size + this.#ready.low.size;
  }

  /** Hands out nothing more. Passes that run go on. */
  close(): void {
    this.#closed = true;
    this.#cancelTimer?.();
    for (const resolve of this.#waiting.splice(0)) resolve(undefined);
  }

  #raise(key: string, entry: Entry): void {
    entry.priority = 'normal';
    if (this.#ready.low.delete(key)) this.#offer(key, 'normal');
  }

  #offer(key: string, priority: Priority): void {
    this.#ready[priority].add(key);
    this.#serve();
  }

  /** Hands out what may run to whoever waits for it. */
  #serve(): void {
    while (this.#waiting.length > 0) {
      const key = this.#pick();
      if (key === undefined) break;
      this.#waiting.shift()!(this.#take(key));
    }
    this.#observer.depth?.(this.depth);
  }

  #pick(): string | undefined {
    const { normal, low } = this.#ready;
    if (this.#lowInWork >= this.#mostLow) return normal.values().next().value;
    const first = low.size > 0 && (normal.size === 0 || this.#served % LOW_SHARE === LOW_SHARE - 1) ? low : normal;
    return first.values().next().value;
  }

  #take(key: string): QueueItem {
    this.#served++;
    const entry = this.#dirty.get(key)!;
    this.#ready[entry.priority].delete(key);
    this.#dirty.delete(key);
    this.#delayed.remove(key);
    const now = this.#clock.monotonic();
    this.#processing.set(key, { since: now, priority: entry.priority });
    if (entry.priority === 'low') this.#lowInWork++;
    this.#observer.waited?.(now - entry.since);
    this.#observer.depth?.(this.depth);
    return { key, trigger: entry.trigger, priority: entry.priority, waitedMs: now - entry.since };
  }

  /** Keeps one timer, for the earliest delay. */
  #arm(): void {
    const at = this.#delayed.earliest;
    if (at === undefined || at >= this.#timerAt) return;
    this.#cancelTimer?.();
    this.#timerAt = at;
    this.#cancelTimer = this.#clock.setTimer(Math.max(0, at - this.#clock.monotonic()), () => {
      this.#timerAt = Number.POSITIVE_INFINITY;
      const now = this.#clock.monotonic();
      for (const { key, value } of this.#delayed.takeDue(now)) this.add(key, value);
      this.#arm();
    });
  }
}
