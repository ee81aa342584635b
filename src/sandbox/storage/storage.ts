// Owns the objects: collections ordered by key, one revision counter, a window of past changes per collection, and who
// is told of new ones. Knows no kind and no rule; persistence hangs on `onCommit`.
import { parseJson, stringifyJson } from '../../lib/json.ts';
import type { KubeObject } from '../object.ts';
import { ApiError } from '../rest/errors.ts';

/** One stored state of an object, as value and as JSON text; each is made from the other when first asked for. */
export class Entry {
  readonly key: string;
  readonly revision: number;
  private value: KubeObject | undefined;
  private text: string | undefined;

  constructor(key: string, revision: number, from: KubeObject | string) {
    this.key = key;
    this.revision = revision;
    if (typeof from === 'string') this.text = from;
    else this.value = from;
  }

  get object(): KubeObject {
    this.value ??= parseJson(this.text ?? '') as unknown as KubeObject;
    return this.value;
  }

  get json(): string {
    this.text ??= stringifyJson(this.value);
    return this.text;
  }
}

export interface Change {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly collection: string;
  readonly revision: number;
  /** The new state; of a deletion the last state, carrying the deletion's revision. */
  readonly entry: Entry;
  readonly previous: Entry | undefined;
}

/** What etcd takes in one request unless told otherwise, so that what fits here fits in a cluster. */
const LARGEST_OBJECT = 1.5 * 1024 * 1024;
/** Changes kept per collection; a watch from before them gets 410. */
const HISTORY_LIMIT = 1024;

interface Collection {
  readonly entries: Map<string, Entry>;
  /** Keys in byte order; undefined when they must be sorted again. */
  sorted: string[] | undefined;
  history: Change[];
  /** Revision of the newest change that left the history. */
  forgotten: number;
  readonly listeners: Set<(change: Change) => void>;
}

/** Key of an object in its collection; cluster-scoped objects have namespace ''. */
export function keyOf(namespace: string, name: string): string {
  return namespace === '' ? name : `${namespace}/${name}`;
}

export class Storage {
  private readonly collections = new Map<string, Collection>();
  private current: number;
  private forgottenBefore: number;
  /** Called for each change before anybody is told of it; a throw refuses the change. */
  onCommit: ((change: Change) => void) | undefined;

  constructor(revision = 1) {
    this.current = revision;
    this.forgottenBefore = 0;
  }

  /** Revision of the newest change. */
  get revision(): number {
    return this.current;
  }

  private collection(name: string): Collection {
    let found = this.collections.get(name);
    if (found === undefined) {
      found = { entries: new Map(), sorted: [], history: [], forgotten: this.forgottenBefore, listeners: new Set() };
      this.collections.set(name, found);
    }
    return found;
  }

  /** Puts an object that was read from disk; no history, no listeners. */
  load(name: string, entry: Entry): void {
    const collection = this.collection(name);
    collection.entries.set(entry.key, entry);
    collection.sorted = undefined;
  }

  /** Ends loading. */
  loaded(revision: number): void {
    this.current = Math.max(this.current, revision);
    this.forget();
  }

  /** Earlier revisions than the newest can no longer be watched from. */
  forget(): void {
    this.forgottenBefore = this.current;
    for (const collection of this.collections.values()) collection.forgotten = this.current;
  }

  get(name: string, key: string): Entry | undefined {
    return this.collections.get(name)?.entries.get(key);
  }

  /** Number of objects in a collection. */
  count(name: string): number {
    return this.collections.get(name)?.entries.size ?? 0;
  }

  names(): string[] {
    return [...this.collections.keys()];
  }

  /** Entries in order of their keys whose key starts with the prefix (a namespace and a slash, or ''). */
  list(name: string, prefix = ''): Entry[] {
    const collection = this.collections.get(name);
    if (collection === undefined) return [];
    const keys = (collection.sorted ??= [...collection.entries.keys()].sort());
    const out: Entry[] = [];
    for (let i = prefix === '' ? 0 : lowerBound(keys, prefix); i < keys.length; i++) {
      const key = keys[i]!;
      if (!key.startsWith(prefix)) break;
      out.push(collection.entries.get(key)!);
    }
    return out;
  }

  /** Entries as they were at a past revision; undefined when that is forgotten. */
  listAt(name: string, prefix: string, revision: number): Entry[] | undefined {
    const collection = this.collection(name);
    if (revision < collection.forgotten) return undefined;
    const now = this.list(name, prefix);
    const undo = new Map<string, Entry | undefined>();
    for (const change of collection.history) {
      if (change.revision <= revision || !change.entry.key.startsWith(prefix) || undo.has(change.entry.key)) continue;
      undo.set(change.entry.key, change.previous);
    }
    if (undo.size === 0) return now;
    const then = now.filter((entry) => !undo.has(entry.key));
    for (const previous of undo.values()) if (previous) then.push(previous);
    return then.sort((a, b) => (a.key < b.key ? -1 : 1));
  }

  /** Stores a new state under the next revision, which is written into `metadata.resourceVersion`. */
  put(name: string, key: string, object: KubeObject): Entry {
    const collection = this.collection(name);
    const previous = collection.entries.get(key);
    const revision = this.current + 1;
    const metadata = orderMeta({ ...object.metadata, resourceVersion: String(revision) });
    const entry = new Entry(key, revision, { ...object, metadata });
    // Made before anything changes: an object that has no text (nested too deep), or too much of it, must not get in.
    if (entry.json.length > LARGEST_OBJECT) throw new ApiError(500, '', 'etcdserver: request is too large');
    const type = previous ? 'MODIFIED' : 'ADDED';
    this.commit(collection, { type, collection: name, revision, entry, previous });
    return entry;
  }

  /** Removes an object; undefined when it is absent. The answer carries the deletion's revision. */
  remove(name: string, key: string): Entry | undefined {
    const collection = this.collection(name);
    const previous = collection.entries.get(key);
    if (previous === undefined) return undefined;
    const revision = this.current + 1;
    const last = previous.object;
    const stamped = { ...last, metadata: { ...last.metadata, resourceVersion: String(revision) } };
    const entry = new Entry(key, revision, stamped);
    this.commit(collection, { type: 'DELETED', collection: name, revision, entry, previous });
    return entry;
  }

  private commit(collection: Collection, change: Change): void {
    this.onCommit?.(change);
    this.current = change.revision;
    if (change.type === 'DELETED') collection.entries.delete(change.entry.key);
    else collection.entries.set(change.entry.key, change.entry);
    if (change.type !== 'MODIFIED') collection.sorted = undefined;
    collection.history.push(change);
    // Cut in blocks: shifting one by one would move the whole array on each write.
    if (collection.history.length > HISTORY_LIMIT * 2) {
      collection.forgotten = collection.history[HISTORY_LIMIT - 1]!.revision;
      collection.history = collection.history.slice(HISTORY_LIMIT);
    }
    for (const listener of collection.listeners) listener(change);
  }

  /**
   * Past changes after a revision, then nothing: callers subscribe in the same turn, so none is missed.
   * Undefined when the revision is older than what is kept.
   */
  since(name: string, revision: number): Change[] | undefined {
    const collection = this.collection(name);
    if (revision < collection.forgotten) return undefined;
    return collection.history.filter((change) => change.revision > revision);
  }

  /** Calls the listener within each commit. It must not write; returns a function that ends it. */
  subscribe(name: string, listener: (change: Change) => void): () => void {
    const { listeners } = this.collection(name);
    listeners.add(listener);
    return () => listeners.delete(listener);
  }
}

const META_ORDER = [
  'name',
  'generateName',
  'namespace',
  'uid',
  'resourceVersion',
  'generation',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'labels',
  'annotations',
  'ownerReferences',
  'finalizers',
  'managedFields',
] as const;

/** The fields of `metadata` in the order in which the API server writes them. */
function orderMeta(metadata: KubeObject['metadata']): KubeObject['metadata'] {
  const out: Record<string, unknown> = {};
  for (const field of META_ORDER) if (metadata[field] !== undefined) out[field] = metadata[field];
  return { ...out, ...metadata };
}

/** Index of the first key not below the wanted one. */
function lowerBound(keys: readonly string[], wanted: string): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (keys[middle]! < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}
