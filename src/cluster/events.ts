// Owns Kubernetes Events as client-go writes them: repeated ones are counted, floods combined and cut. What is said is
// the controllers' business.
import { inheritedEventMetadata } from '../api/meta/event-metadata.ts';
import type { KubeObject } from '../api/meta/object.ts';
import type { Clock } from '../lib/clock.ts';
import { errorMessage } from '../lib/errors.ts';
import type { Log } from '../lib/log.ts';
import { formatTime } from '../lib/time.ts';
import { ApiError, isNotFound } from './api-error.ts';
import type { DynamicClient } from './client.ts';
import { EventCorrelator } from './event-correlator.ts';

/** One thing to say about an object. */
export interface RecordedEvent {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
  /** Component that says it. */
  readonly source: string;
  /** Written as annotations. */
  readonly metadata?: Readonly<Record<string, string>> | undefined;
  /** For Kubernetes alone: receivers are not told. */
  readonly local?: boolean | undefined;
}

/** Sees every event as it was said, before counting and combining; e.g. to notify. Must not throw. */
export type EventListener = (object: KubeObject, event: RecordedEvent) => void;

export interface EventRecorderOptions {
  readonly client: DynamicClient;
  readonly clock: Clock;
  readonly log: Log;
  /** Events that wait to be written; more are dropped and counted. @default 1_000 */
  readonly capacity?: number | undefined;
}

/** core/v1 Event, as far as it is written here. */
export interface EventObject extends KubeObject {
  readonly involvedObject: {
    readonly apiVersion: string;
    readonly kind: string;
    readonly name: string;
    readonly namespace?: string;
    readonly uid?: string;
    readonly resourceVersion?: string;
  };
  readonly type: string;
  readonly reason: string;
  readonly message: string;
  readonly count: number;
  readonly firstTimestamp: string;
  readonly lastTimestamp: string;
  readonly source: { readonly component: string };
  readonly reportingComponent: string;
  readonly reportingInstance: string;
}

const RETRY_MS = 10_000;
const MAX_TRIES = 12;

/** Writes events in the background, one after the other, so that their order and counts are right. */
export class EventRecorder {
  readonly #options: EventRecorderOptions;
  readonly #correlator: EventCorrelator;
  readonly #listeners = new Set<EventListener>();
  readonly #queue: EventObject[] = [];
  readonly #stopping = new AbortController();
  #sending: Promise<void> | undefined;
  #names = 0;
  #dropped = 0;

  constructor(options: EventRecorderOptions) {
    this.#options = options;
    this.#correlator = new EventCorrelator(options.clock);
  }

  /** Says something about an object. Returns at once. */
  record(object: KubeObject, event: RecordedEvent): void {
    for (const listener of this.#listeners) listener(object, event);
    if (this.#stopping.signal.aborted) return;
    if (this.#queue.length >= (this.#options.capacity ?? 1_000)) {
      this.#dropped++;
      return;
    }
    this.#queue.push(this.#toObject(object, event));
    this.#sending ??= this.#send();
  }

  /** Adds a listener; returns its removal. */
  listen(listener: EventListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Events that were lost because too many waited. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Resolves when everything said so far is written or given up. */
  async flush(): Promise<void> {
    while (this.#sending !== undefined) await this.#sending;
  }

  /** Writes what waits, for at most `ms`, and accepts no more. */
  async stop(ms = 2_000): Promise<void> {
    const cancel = this.#options.clock.setTimer(ms, () => this.#stopping.abort());
    await this.flush();
    cancel();
    this.#stopping.abort();
  }

  async #send(): Promise<void> {
    for (let event = this.#queue.shift(); event !== undefined; event = this.#queue.shift()) {
      if (this.#stopping.signal.aborted) break;
      await this.#write(event);
    }
    this.#sending = undefined;
  }

  async #write(event: EventObject): Promise<void> {
    const correlated = this.#correlator.correlate(event);
    if (correlated === undefined) return;
    const { signal } = this.#stopping;
    for (let tries = 1; ; tries++) {
      try {
        const stored = await this.#store(correlated.event, correlated.repeats, signal);
        this.#correlator.stored(correlated.key, stored.metadata.name);
        return;
      } catch (error) {
        if (signal.aborted) return;
        const unanswered = error instanceof ApiError && error.data.status === 0;
        if (!unanswered || tries >= MAX_TRIES) {
          this.#options.log.info('event was not written', { reason: event.reason, error: errorMessage(error) });
          return;
        }
        await this.#options.clock.sleep(RETRY_MS, signal).catch(() => {});
      }
    }
  }

  async #store(event: EventObject, repeats: boolean, signal: AbortSignal): Promise<KubeObject> {
    const { client } = this.#options;
    if (!repeats) return client.create(event, { signal });
    const { count, lastTimestamp, message } = event;
    const { name, namespace } = event.metadata;
    const ref = { apiVersion: 'v1', kind: 'Event', name, ...(namespace === undefined ? {} : { namespace }) };
    try {
      return await client.patch(ref, { type: 'strategic', body: { count, lastTimestamp, message } }, { signal });
    } catch (error) {
      // The server forgets events after an hour.
      if (isNotFound(error)) return client.create(event, { signal });
      throw error;
    }
  }

  #toObject(object: KubeObject, event: RecordedEvent): EventObject {
    const { name, namespace, uid, resourceVersion } = object.metadata;
    const nowMs = this.#options.clock.now();
    const time = formatTime(nowMs);
    const annotations = { ...inheritedEventMetadata(object.metadata), ...event.metadata };
    // client-go appends the time in nanoseconds; the counter stands for those below a millisecond.
    const suffix = (BigInt(nowMs) * 1_000_000n + BigInt(this.#names++ % 1_000_000)).toString(16);
    return {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: {
        name: `${name}.${suffix}`,
        namespace: namespace ?? 'default',
        ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
      },
      involvedObject: {
        apiVersion: object.apiVersion,
        kind: object.kind,
        name,
        ...(namespace === undefined ? {} : { namespace }),
        ...(uid === undefined ? {} : { uid }),
        ...(resourceVersion === undefined ? {} : { resourceVersion }),
      },
      type: event.type,
      reason: event.reason,
      message: event.message,
      count: 1,
      firstTimestamp: time,
      lastTimestamp: time,
      source: { component: event.source },
      reportingComponent: event.source,
      reportingInstance: '',
    };
  }
}
