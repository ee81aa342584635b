// Owns which keys this replica may act on at the moment, and tells controllers of keys that come and go. Who decides it
// is membership.ts.
import type { Key } from '../controller.ts';
import type { WriteFence } from './fence.ts';
import { slotOf } from './slots.ts';

/** A controller, as the share sees it. */
export interface ShareUser {
  /** Keys have come: those that are owned now and were not before are `isNew`. */
  came(isNew: (key: Key) => boolean): void;
  /** Keys are to go. Resolves when no pass runs for any of them; nothing is kept for them. */
  left(isLeaving: (key: Key) => boolean): Promise<void>;
}

/** The slots that this replica holds. */
export class KeyShare {
  readonly #fence: Pick<WriteFence, 'isOpen'>;
  readonly #users = new Map<ShareUser, string>();
  #slots: ReadonlySet<number> = new Set();

  constructor(fence: Pick<WriteFence, 'isOpen'>) {
    this.#fence = fence;
  }

  /** Whether passes may run for a key now. */
  owns(kind: string, key: Key): boolean {
    return this.#slots.has(slotOf(kind, key)) && this.#fence.isOpen();
  }

  /** The slots that are held. */
  get slots(): ReadonlySet<number> {
    return this.#slots;
  }

  /** Tells a controller of a kind from now on. Returns the way to end that. */
  follow(kind: string, user: ShareUser): () => void {
    this.#users.set(user, kind);
    return () => this.#users.delete(user);
  }

  /** From now on it holds exactly these. Slots that it held before must be among them, or have been drained. */
  hold(slots: ReadonlySet<number>): void {
    const before = this.#slots;
    this.#slots = new Set(slots);
    if ([...slots].every((slot) => before.has(slot))) return;
    for (const [user, kind] of this.#users) {
      user.came((key) => slots.has(slotOf(kind, key)) && !before.has(slotOf(kind, key)));
    }
  }

  /** Stops acting on these. Resolves when nothing is under way for any of their keys. */
  async drain(slots: ReadonlySet<number>): Promise<void> {
    this.#slots = new Set([...this.#slots].filter((slot) => !slots.has(slot)));
    await Promise.all([...this.#users].map(([user, kind]) => user.left((key) => slots.has(slotOf(kind, key)))));
  }
}
