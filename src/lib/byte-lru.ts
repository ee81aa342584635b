// Owns a cache that is bounded by bytes: the least recently used goes first.

/** A bounded cache. Values larger than an eighth of it are not kept. */
export interface ByteLru<Key, Value> {
  get(key: Key): Value | undefined;
  set(key: Key, value: Value, bytes: number): void;
  clear(): void;
}

/** An empty cache of at most `capacity` bytes. */
export function createByteLru<Key, Value>(capacity: number): ByteLru<Key, Value> {
  const entries = new Map<Key, { value: Value; bytes: number }>();
  let total = 0;
  return {
    get(key) {
      const entry = entries.get(key);
      if (entry === undefined) return undefined;
      entries.delete(key);
      entries.set(key, entry);
      return entry.value;
    },
    set(key, value, bytes) {
      if (bytes > capacity / 8) return;
      const old = entries.get(key);
      if (old !== undefined) total -= old.bytes;
      entries.delete(key);
      entries.set(key, { value, bytes });
      total += bytes;
      for (const [oldest, entry] of entries) {
        if (total <= capacity) break;
        entries.delete(oldest);
        total -= entry.bytes;
      }
    },
    clear() {
      entries.clear();
      total = 0;
    },
  };
}
