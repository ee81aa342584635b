// Owns a local copy of one resource that follows the server: list, watch, resume, list again. Who shares it with whom
// is informers.ts.
import type { KubeObject } from '../api/meta/object.ts';
import { orAborted } from '../lib/abort.ts';
import type { Clock } from '../lib/clock.ts';
import { errorMessage } from '../lib/errors.ts';
import type { Log } from '../lib/log.ts';
import { hasStatus, isExpired, isNotFound } from './api-error.ts';
import type { ResourceMapping } from './discovery.ts';
import { listPages } from './list.ts';
import type { RestClient } from './rest.ts';
import { ObjectStore } from './store.ts';
import { followWatch, type WatchEvent } from './watch.ts';

export interface InformerOptions<T extends KubeObject> {
  readonly rest: RestClient;
  readonly mapping: ResourceMapping;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  /** All namespaces when absent. */
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  /** Keeps only apiVersion, kind and metadata. */
  readonly metadataOnly?: boolean | undefined;
  /** Changes an object before it is stored, e.g. to drop Secret data. May change its argument. */
  readonly transform?: ((object: T) => T) | undefined;
}

/** What is called for each change. Handlers are quick: they put keys into queues. */
export interface InformerHandler<T extends KubeObject> {
  add?(object: T): void;
  /** Called only when the resourceVersion is another one. */
  update?(object: T, old: T): void;
  /** `object` is the last state that was known. */
  delete?(object: T): void;
  /** Called when the server lets itself be followed again after it could not be. */
  recovered?(): void;
}

const BACKOFF_MIN_MS = 800;
const BACKOFF_MAX_MS = 30_000;
/** A watch that lasted this long was a good one: the next failure starts from the shortest delay. */
const GOOD_WATCH_MS = 10_000;

/** A local copy of one resource. Start it once; it tries again for ever until `stop`. */
export class Informer<T extends KubeObject = KubeObject> {
  readonly mapping: ResourceMapping;
  readonly #options: InformerOptions<T>;
  readonly #log: Log;
  readonly #store: ObjectStore<T>;
  readonly #handlers = new Set<InformerHandler<T>>();
  readonly #stopping = new AbortController();
  #running: Promise<void> | undefined;
  #resourceVersion = '';
  #synced = false;
  #error: Error | undefined;
  #failures = 0;
  #changed = Promise.withResolvers<void>();

  constructor(options: InformerOptions<T>) {
    this.#options = options;
    this.mapping = options.mapping;
    this.#log = options.log.with({ resource: options.mapping.resource, group: options.mapping.group });
    this.#store = new ObjectStore<T>();
  }

  /** Begins to follow. */
  start(): void {
    this.#running ??= this.#run();
  }

  /** Ends for good. Resolves when nothing runs any more. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#wakeWaiters();
    await this.#running;
  }

  /** True once a list came through. Stays true when the server goes away later: what is known is then old. */
  get synced(): boolean {
    return this.#synced;
  }

  /** Why following fails at the moment; undefined when it does not. */
  get error(): Error | undefined {
    return this.#error;
  }

  /**
   * Resolves when the first list is in.
   * @param options.failFast rejects with the error of a list that failed, instead of waiting for a later one
   */
  async waitForSync(options: { signal?: AbortSignal; failFast?: boolean } = {}): Promise<void> {
    while (!this.#synced) {
      options.signal?.throwIfAborted();
      if (this.#stopping.signal.aborted) throw new Error('informer was stopped');
      if (options.failFast && this.#error !== undefined) throw this.#error;
      await orAborted(this.#changed.promise, options.signal);
    }
  }

  get(namespace: string | undefined, name: string): T | undefined {
    return this.#store.get(namespace, name);
  }

  /** All objects, of one namespace if given. */
  list(namespace?: string): T[] {
    return this.#store.list(namespace);
  }

  get size(): number {
    return this.#store.size;
  }

  /**
   * Adds an index, or replaces the one of that name: `values` of an object are what it is found by. Existing objects
   * are indexed at once.
   */
  addIndex(name: string, values: (object: T) => readonly string[]): void {
    this.#store.addIndex(name, values);
  }

  byIndex(name: string, value: string): T[] {
    return this.#store.byIndex(name, value);
  }

  /** Adds a handler; it gets an add for each object that is there already. Returns its removal. */
  addHandler(handler: InformerHandler<T>): () => void {
    this.#handlers.add(handler);
    if (handler.add !== undefined) {
      for (const object of this.#store.list()) this.#call(() => handler.add?.(object));
    }
    return () => this.#handlers.delete(handler);
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      try {
        if (this.#resourceVersion === '') await this.#relist();
        await this.#watch();
      } catch (error) {
        if (signal.aborted) return;
        await this.#recover(error);
      }
    }
  }

  async #recover(error: unknown): Promise<void> {
    if (isExpired(error)) {
      this.#log.debug('watch expired, listing again');
      this.#resourceVersion = '';
      // Straight away the first time; a server that expires every list is not asked in a loop.
      if (this.#failures++ === 0) return;
    } else {
      this.#failures++;
      // Outages, overload and lost rights leave the state good to resume from; a list for each would make them worse.
      if (isNotFound(error) || hasStatus(error, 400)) this.#resourceVersion = '';
      if (isNotFound(error)) this.#replaceAll(new Set());
      this.#log.info('watch failed, trying again', { error: errorMessage(error), failures: this.#failures });
    }
    this.#error = error instanceof Error ? error : new Error(String(error));
    this.#wakeWaiters();
    const delay =
      Math.min(BACKOFF_MIN_MS * 2 ** (this.#failures - 1), BACKOFF_MAX_MS) * (0.5 + this.#options.random() / 2);
    await this.#options.clock.sleep(Math.max(delay, BACKOFF_MIN_MS), this.#stopping.signal).catch(() => {});
  }

  async #relist(): Promise<void> {
    const { rest, mapping, namespace, labelSelector, fieldSelector, metadataOnly } = this.#options;
    const seen = new Set<string>();
    let resourceVersion = '';
    const scope = { namespace, labelSelector, fieldSelector, metadataOnly, signal: this.#stopping.signal };
    // After a list that expired midway everything is asked for in one page, as it cannot expire.
    const limit = this.#failures > 1 && isExpired(this.#error) ? 0 : undefined;
    for await (const page of listPages<T>(rest, mapping, { ...scope, limit })) {
      for (const item of page.items) {
        const object = this.#options.transform?.(item) ?? item;
        seen.add(ObjectStore.keyOf(object));
        this.#put(object);
      }
      resourceVersion = page.resourceVersion;
    }
    this.#replaceAll(seen);
    this.#resourceVersion = resourceVersion;
    this.#synced = true;
    this.#works();
    this.#wakeWaiters();
  }

  /** The server answers: what failed before does no longer. */
  #works(): void {
    if (this.#error === undefined) return;
    this.#error = undefined;
    for (const handler of this.#handlers) this.#call(() => handler.recovered?.());
  }

  async #watch(): Promise<void> {
    const { rest, mapping, clock, random, namespace, labelSelector, fieldSelector, metadataOnly } = this.#options;
    const started = clock.monotonic();
    let events = 0;
    const options = {
      namespace,
      labelSelector,
      fieldSelector,
      metadataOnly,
      resourceVersion: this.#resourceVersion,
      timeoutSeconds: Math.round(300 + 300 * random()),
      signal: this.#stopping.signal,
      onOpen: () => this.#works(),
    };
    try {
      await followWatch<T>(rest, mapping, options, (event) => {
        events++;
        this.#receive(event);
      });
    } finally {
      if (events > 0 || clock.monotonic() - started > GOOD_WATCH_MS) this.#failures = 0;
    }
    // A server or proxy that closes at once would otherwise be asked in a loop.
    if (events === 0 && clock.monotonic() - started < 1_000) {
      await clock.sleep(BACKOFF_MIN_MS, this.#stopping.signal).catch(() => {});
    }
  }

  #receive(event: WatchEvent<T>): void {
    const version = event.object.metadata.resourceVersion ?? this.#resourceVersion;
    if (event.type === 'BOOKMARK') {
      this.#resourceVersion = version;
      return;
    }
    const object = this.#options.transform?.(event.object) ?? event.object;
    if (event.type === 'DELETED') this.#remove(object);
    else this.#put(object);
    this.#resourceVersion = version;
  }

  #put(object: T): void {
    const old = this.#store.put(object);
    if (old === undefined) {
      for (const handler of this.#handlers) this.#call(() => handler.add?.(object));
    } else if (old.metadata.resourceVersion !== object.metadata.resourceVersion) {
      this.#replaced(object, old);
    }
  }

  #replaced(object: T, old: T): void {
    const recreated = old.metadata.uid !== object.metadata.uid;
    for (const handler of this.#handlers) {
      // Deleted and created anew while nobody watched: two different objects.
      if (recreated) this.#call(() => handler.delete?.(old));
      this.#call(() => (recreated ? handler.add?.(object) : handler.update?.(object, old)));
    }
  }

  #remove(object: T): void {
    if (this.#store.remove(object) === undefined) return;
    for (const handler of this.#handlers) this.#call(() => handler.delete?.(object));
  }

  /** Removes what the server no longer has. */
  #replaceAll(seen: ReadonlySet<string>): void {
    for (const object of this.#store.list()) {
      if (!seen.has(ObjectStore.keyOf(object))) this.#remove(object);
    }
  }

  #call(run: () => void): void {
    try {
      run();
    } catch (error) {
      // A bug of the handler's owner must not stop the others from seeing changes.
      this.#log.error('handler of a watch failed', { error });
    }
  }

  #wakeWaiters(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers<void>();
  }
}
