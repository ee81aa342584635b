// Owns the newest known state of objects between a watch cache and the answers to our own writes: a cache lags behind
// a write, and a pass that saw the old state would write again or decide wrongly.
import type { KubeObject } from '../api/meta/object.ts';

/** Answers to own writes, until the cache has caught up. */
export class NewestObjects<T extends KubeObject> {
  readonly #written = new Map<string, T>();

  /** Remembers the answer to a write. */
  remember(key: string, object: T): void {
    const known = this.#written.get(key);
    if (known === undefined || !isNewer(known, object)) this.#written.set(key, object);
  }

  /** The newer of what the cache has and what was written. A key that the cache lacks is gone. */
  pick(key: string, cached: T | undefined): T | undefined {
    const written = this.#written.get(key);
    if (written === undefined) return cached;
    if (cached !== undefined && cached.metadata.uid === written.metadata.uid && isNewer(written, cached))
      return written;
    this.#written.delete(key);
    return cached;
  }

  forget(key: string): void {
    this.#written.delete(key);
  }
}

/** True when `a` is a later state than `b`. Resource versions of Kubernetes are decimal numbers of any length. */
export function isNewer(a: KubeObject, b: KubeObject): boolean {
  const left = a.metadata.resourceVersion ?? '';
  const right = b.metadata.resourceVersion ?? '';
  if (!/^\d+$/.test(left) || !/^\d+$/.test(right)) return false;
  return left.length === right.length ? left > right : left.length > right.length;
}
