// Owns which events are the same, similar or too many, by client-go's rules. Writing them is events.ts.
import { createHash } from 'node:crypto';
import type { Clock } from '../lib/clock.ts';
import type { EventObject } from './events.ts';

/** Different messages of one kind within the interval; from this one on they are combined. */
const MAX_SIMILAR = 10;
const SIMILAR_MS = 600_000;
/** Token bucket per source, object and type: so many at once, then one in five minutes. */
const BURST = 25;
const REFILL_MS = 300_000;
/** Entries of each memory; the least recently used goes first. */
const MEMORY = 4_096;

/** What is to be written. */
export interface Correlated {
  readonly event: EventObject;
  /** The event exists already: only count, time and message change. */
  readonly repeats: boolean;
  /** For `stored`. */
  readonly key: string;
}

interface Similar {
  /** Digests of them. */
  readonly messages: Set<string>;
  lastMs: number;
}

interface Known {
  readonly name: string;
  readonly count: number;
  readonly firstTimestamp: string;
}

interface Bucket {
  tokens: number;
  atMs: number;
}

/** Memory of what was said. */
export class EventCorrelator {
  readonly #clock: Clock;
  readonly #similar = new Recent<Similar>();
  readonly #known = new Recent<Known>();
  readonly #buckets = new Recent<Bucket>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** What to write for an event; undefined when its source said too much of late. */
  correlate(event: EventObject): Correlated | undefined {
    const combined = this.#combine(event);
    const key = combined === event ? exactKey(event) : similarKey(event);
    const known = this.#known.get(key);
    const counted: EventObject =
      known === undefined
        ? combined
        : {
            ...combined,
            metadata: { ...combined.metadata, name: known.name },
            count: known.count + 1,
            firstTimestamp: known.firstTimestamp,
          };
    const { name } = counted.metadata;
    this.#known.set(key, { name, count: counted.count, firstTimestamp: counted.firstTimestamp });
    // After counting, as in client-go: what the filter drops still shows in the next count.
    if (!this.#mayPass(event)) return undefined;
    return { event: counted, repeats: known !== undefined, key };
  }

  /** The event was stored under this name (it is another one when the server had forgotten it). */
  stored(key: string, name: string): void {
    const known = this.#known.get(key);
    if (known !== undefined) this.#known.set(key, { ...known, name });
  }

  #combine(event: EventObject): EventObject {
    const key = similarKey(event);
    const now = this.#clock.now();
    const found = this.#similar.get(key);
    const record =
      found !== undefined && now - found.lastMs <= SIMILAR_MS ? found : { messages: new Set<string>(), lastMs: now };
    record.messages.add(digest(event.message));
    record.lastMs = now;
    this.#similar.set(key, record);
    if (record.messages.size < MAX_SIMILAR) return event;
    record.messages.delete(record.messages.values().next().value!);
    const { name, namespace } = event.metadata;
    return {
      ...event,
      // A combined event speaks for many: the metadata of one would be wrong.
      metadata: { name, ...(namespace === undefined ? {} : { namespace }) },
      message: `(combined from similar events): ${event.message}`,
    };
  }

  #mayPass(event: EventObject): boolean {
    const key = digest([event.source.component, ...objectKey(event), event.type].join('\n'));
    const now = this.#clock.monotonic();
    const bucket = this.#buckets.get(key) ?? { tokens: BURST, atMs: now };
    bucket.tokens = Math.min(BURST, bucket.tokens + (now - bucket.atMs) / REFILL_MS);
    bucket.atMs = now;
    this.#buckets.set(key, bucket);
    if (bucket.tokens < 1) return false;
    bucket.tokens--;
    return true;
  }
}

function objectKey(event: EventObject): string[] {
  const { kind, namespace = '', name, uid = '', apiVersion } = event.involvedObject;
  return [kind, namespace, name, uid, apiVersion];
}

function similarKey(event: EventObject): string {
  const { source, type, reason, reportingComponent } = event;
  return digest([source.component, ...objectKey(event), type, reason, reportingComponent].join('\n'));
}

function exactKey(event: EventObject): string {
  return digest(`${similarKey(event)}\n${event.message}`);
}

/** Thousands of names and messages are remembered, of some hundred bytes each. */
function digest(text: string): string {
  return createHash('sha256').update(text).digest('base64');
}

/** A map that forgets what was not used for longest. */
class Recent<V> {
  readonly #entries = new Map<string, V>();

  get(key: string): V | undefined {
    const value = this.#entries.get(key);
    if (value === undefined) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, value);
    return value;
  }

  set(key: string, value: V): void {
    this.#entries.delete(key);
    this.#entries.set(key, value);
    if (this.#entries.size > MEMORY) this.#entries.delete(this.#entries.keys().next().value!);
  }
}
