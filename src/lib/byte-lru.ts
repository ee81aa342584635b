// Owns a cache that is bounded by bytes: the least recently used goes first.

/** A bounded cache. Values larger than an eighth of it are not kept. */
export interface ByteLru<Key, Value> {
  get(key: Key): Value | undefined;
  set(key: Key, value: Value, bytes: number): void;
  /** Drops what was neither set nor got since the last call. */
  age(): void;
  clear(): void;
}

/** An empty cache of at most `capacity` bytes. */
export function createByteLru<Key, Value>(capacity: number): ByteLru<Key, Value> {
  const entries = new Map<Key, { value: Value; bytes: number; used: number }>();
  let total = 0;
  /** Calls of `age` so far. */
  let ages = 0;
  return {
    get(key) {
      const entry = entries.get(key);
      if (entry === undefined) return undefined;
      entries.delete(key);
      entries.set(key, entry);
      entry.used = ages;
      return entry.value;
    },
    set(key, value, bytes) {
      if (bytes > capacity / 8) return;
      const old = entries.get(key);
      if (old !== undefined) total -= old.bytes;
      entries.delete(key);
      entries.set(key, { value, bytes, used: ages });
      total += bytes;
      for (const [oldest, entry] of entries) {
        if (total <= capacity) break;
        entries.delete(oldest);
        total -= entry.bytes;
      }
    },
    age() {
      for (const [oldest, entry] of entries) {
        if (entry.used === ages) break;
        entries.delete(oldest);
        total -= entry.bytes;
      }
      ages += 1;
    },
    clear() {
      entries.clear();
      total = 0;
    },
  };
}
