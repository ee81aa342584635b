// Owns who wants an object that another Kustomization keeps (lockstep.md §3). Losing it costs one pass of each.
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

  /** Objects of the Kustomization that others want; `owner` is the other's key. */
  against(key: string): readonly OwnershipConflict[] {
    const found: OwnershipConflict[] = [];
    for (const [other, conflicts] of this.#wanted) {
      for (const conflict of conflicts) if (conflict.owner === key) found.push({ id: conflict.id, owner: other });
    }
    return found;
  }
}
