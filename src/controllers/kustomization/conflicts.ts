// Owns who wants an object that another Kustomization keeps (lockstep.md §3). Losing it costs one pass of each.
import type { Kustomization } from '../../api/kustomize/kustomization.ts';
import { keyOf } from '../../runtime/controller.ts';
import { objectIdsOf } from './moves.ts';
import type { OwnershipConflict } from './types.ts';

/** Conflicts between Kustomizations, by the key of the one that gave way. */
export class Conflicts {
  readonly #wanted = new Map<string, readonly OwnershipConflict[]>();
  readonly #enqueue: (key: string, trigger: string) => void;

  constructor(enqueue: (key: string, trigger: string) => void) {
    this.#enqueue = enqueue;
  }

  /** Replaces what the Kustomization `key` wants of others; the owners concerned get a pass to say so. */
  set(key: string, conflicts: readonly OwnershipConflict[]): void {
    const old = this.#wanted.get(key) ?? [];
    if (conflicts.length === 0) this.#wanted.delete(key);
    else this.#wanted.set(key, conflicts);
    const print = (list: readonly OwnershipConflict[]) => list.map(({ owner, id }) => `${owner} ${id}`).join();
    if (print(old) === print(conflicts)) return;
    for (const owner of new Set([...old, ...conflicts].map((conflict) => conflict.owner)))
      this.#enqueue(owner, 'conflict');
  }

  /** What a Kustomization wants is free already: it gets a pass to take it. */
  retry(key: string): void {
    this.#enqueue(key, 'handed over');
  }

  /** The owner lets go of objects (`Kind/namespace/name`): whoever wants one of them gets a pass to take it. */
  release(owner: string, ids: readonly string[]): void {
    const free = new Set(ids);
    this.#wake((conflict) => conflict.owner === owner && free.has(conflict.id));
  }

  /** A Kustomization changed or went: whoever wants an object that it does not have any more gets a pass. */
  seen(owner: Kustomization, exists: boolean): void {
    if (this.#wanted.size === 0) return;
    const key = keyOf(owner);
    const has = new Set(exists ? objectIdsOf(owner.status?.inventory?.entries ?? []) : []);
    this.#wake((conflict) => conflict.owner === key && !has.has(conflict.id));
  }

  #wake(concerns: (conflict: OwnershipConflict) => boolean): void {
    for (const [key, conflicts] of this.#wanted) if (conflicts.some(concerns)) this.#enqueue(key, 'handed over');
  }

  /** Objects of the Kustomization that others want; `owner` is the other's key. */
  against(key: string): readonly OwnershipConflict[] {
    const found: OwnershipConflict[] = [];
    for (const [other, conflicts] of this.#wanted) {
      for (const conflict of conflicts) if (conflict.owner === key) found.push({ id: conflict.id, owner: other });
    }
    return found;
  }
}
