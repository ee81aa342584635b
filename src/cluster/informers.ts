// Owns which informers run: one per resource and selection, shared by all who ask, stopped when nobody does.
import type { KubeObject } from '../api/meta/object.ts';
import type { CancelTimer, Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import type { KindReference } from './client.ts';
import type { Discovery, ResourceMapping } from './discovery.ts';
import { Informer } from './informer.ts';
import type { RestClient } from './rest.ts';

/** How what an informer keeps is shaped. Two requests share an informer only if they name the same shape. */
export interface Shape<T extends KubeObject = KubeObject> {
  readonly name: string;
  readonly transform: (object: T) => T;
}

export interface InformerRequest {
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  readonly metadataOnly?: boolean | undefined;
  readonly shape?: Shape | undefined;
}

/** A share in an informer. Release it once; the informer stops some time after the last release. */
export interface InformerLease<T extends KubeObject = KubeObject> {
  readonly informer: Informer<T>;
  release(): void;
}

export interface InformersOptions {
  readonly rest: RestClient;
  readonly discovery: Discovery;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  /** How long an informer goes on without users, so that a kind which comes and goes is not listed anew. @default 60_000 */
  readonly lingerMs?: number;
}

/** Of what is tried until it comes: a kind that the server does not have (yet), a server that is away. */
export interface EventualOptions {
  readonly signal: AbortSignal;
  /** Told of each try that failed. */
  readonly onFailure: (error: unknown) => void;
}

/** Between two of these tries. */
const KIND_RETRY_MS = 5_000;

interface Entry {
  readonly informer: Informer;
  users: number;
  cancelStop: CancelTimer | undefined;
}

/** Shared informers of one API server. */
export class Informers {
  readonly #options: InformersOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #stopping = new Set<Promise<void>>();
  #closed = false;

  constructor(options: InformersOptions) {
    this.#options = options;
  }

  /**
   * A share in the informer of a kind; it is started if none runs. Does not wait for its first list. Throws
   * `NoMatchError` when the server does not serve the kind.
   */
  async acquire<T extends KubeObject = KubeObject>(
    kind: KindReference,
    request: InformerRequest = {},
    signal?: AbortSignal,
  ): Promise<InformerLease<T>> {
    const mapping = await this.#options.discovery.resolve(kind, signal);
    if (this.#closed) throw new Error('informers are stopped');
    const key = keyOf(mapping, request);
    const entry = this.#entries.get(key) ?? this.#start(key, mapping, request);
    entry.users++;
    entry.cancelStop?.();
    entry.cancelStop = undefined;
    let released = false;
    return {
      informer: entry.informer as unknown as Informer<T>,
      release: () => {
        if (released) return;
        released = true;
        this.#release(key, entry);
      },
    };
  }

  /** The same, tried again for as long as it fails. Rejects only when the signal aborts. */
  async acquireEventually<T extends KubeObject = KubeObject>(
    kind: KindReference,
    request: InformerRequest,
    { signal, onFailure }: EventualOptions,
  ): Promise<InformerLease<T>> {
    for (;;) {
      signal.throwIfAborted();
      try {
        return await this.acquire<T>(kind, request, signal);
      } catch (error) {
        signal.throwIfAborted();
        onFailure(error);
        await this.#options.clock.sleep(KIND_RETRY_MS, signal);
      }
    }
  }

  /** Keys of all informers that run, for status pages and tests. */
  running(): string[] {
    return [...this.#entries.keys()];
  }

  /** Stops all of them, and accepts no more. */
  async stop(): Promise<void> {
    this.#closed = true;
    for (const [key, entry] of this.#entries) this.#stopEntry(key, entry);
    await Promise.all(this.#stopping);
  }

  #start(key: string, mapping: ResourceMapping, request: InformerRequest): Entry {
    const { rest, clock, random, log } = this.#options;
    const { shape, ...selection } = request;
    const informer = new Informer({ rest, mapping, clock, random, log, ...selection, transform: shape?.transform });
    const entry: Entry = { informer, users: 0, cancelStop: undefined };
    this.#entries.set(key, entry);
    informer.start();
    return entry;
  }

  #release(key: string, entry: Entry): void {
    entry.users--;
    if (entry.users > 0 || this.#closed) return;
    entry.cancelStop = this.#options.clock.setTimer(this.#options.lingerMs ?? 60_000, () =>
      this.#stopEntry(key, entry),
    );
  }

  #stopEntry(key: string, entry: Entry): void {
    entry.cancelStop?.();
    this.#entries.delete(key);
    const stopped = entry.informer.stop().finally(() => this.#stopping.delete(stopped));
    this.#stopping.add(stopped);
  }
}

function keyOf(mapping: ResourceMapping, request: InformerRequest): string {
  const { namespace = '', labelSelector = '', fieldSelector = '', metadataOnly = false, shape } = request;
  const resource = `${mapping.resource}.${mapping.version}.${mapping.group}`;
  return [resource, namespace, labelSelector, fieldSelector, metadataOnly ? 'metadata' : '', shape?.name ?? ''].join(
    '|',
  );
}
