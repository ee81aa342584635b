// Owns objects of one resource in memory, by name and by index.
import type { KubeObject } from '../api/meta/object.ts';

interface Index<T> {
  readonly values: (object: T) => readonly string[];
  readonly entries: Map<string, Set<T>>;
}

/** Objects by namespace and name, with indexes. */
export class ObjectStore<T extends KubeObject> {
  readonly #objects = new Map<string, T>();
  readonly #indexes = new Map<string, Index<T>>();

  static keyOf(object: KubeObject): string {
    return `${object.metadata.namespace ?? ''}/${object.metadata.name}`;
  }

  get size(): number {
    return this.#objects.size;
  }

  get(namespace: string | undefined, name: string): T | undefined {
    return this.#objects.get(`${namespace ?? ''}/${name}`);
  }

  list(namespace?: string): T[] {
    const all = [...this.#objects.values()];
    return namespace === undefined ? all : all.filter((object) => object.metadata.namespace === namespace);
  }

  /** Stores the object and returns the one it replaces. */
  put(object: T): T | undefined {
    const key = ObjectStore.keyOf(object);
    const old = this.#objects.get(key);
    this.#objects.set(key, object);
    for (const index of this.#indexes.values()) {
      if (old !== undefined) removeFrom(index, old);
      addTo(index, object);
    }
    return old;
  }

  /** Removes the object of that name and returns it. */
  remove(object: KubeObject): T | undefined {
    const key = ObjectStore.keyOf(object);
    const old = this.#objects.get(key);
    if (old === undefined) return undefined;
    this.#objects.delete(key);
    for (const index of this.#indexes.values()) removeFrom(index, old);
    return old;
  }

  /** Adds an index, or replaces the one of that name. */
  addIndex(name: string, values: (object: T) => readonly string[]): void {
    const index: Index<T> = { values, entries: new Map() };
    this.#indexes.set(name, index);
    for (const object of this.#objects.values()) addTo(index, object);
  }

  /** Objects found by a value of an index. Throws on an index that does not exist: a bug. */
  byIndex(name: string, value: string): T[] {
    const index = this.#indexes.get(name);
    if (index === undefined) throw new Error(`there is no index ${name}`);
    return [...(index.entries.get(value) ?? [])];
  }
}

function addTo<T>(index: Index<T>, object: T): void {
  for (const value of index.values(object)) {
    const entry = index.entries.get(value);
    if (entry === undefined) index.entries.set(value, new Set([object]));
    else entry.add(object);
  }
}

function removeFrom<T>(index: Index<T>, object: T): void {
  for (const value of index.values(object)) {
    const entry = index.entries.get(value);
    if (entry?.delete(object) && entry.size === 0) index.entries.delete(value);
  }
}
