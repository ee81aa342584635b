// Owns keys ordered by the time they fall due: a binary heap with one entry per key.

interface Slot<V> {
  readonly key: string;
  at: number;
  /** Keeps keys that fall due together in the order they came. */
  order: number;
  value: V;
  position: number;
}

/** Keys by due time. Of several times for a key the earliest counts. */
export class DelayHeap<V> {
  readonly #heap: Slot<V>[] = [];
  readonly #slots = new Map<string, Slot<V>>();
  #order = 0;

  /** Adds a key, or moves it earlier; a later time changes nothing. */
  put(key: string, at: number, value: V): void {
    const slot = this.#slots.get(key);
    if (slot !== undefined) {
      if (at >= slot.at) return;
      slot.at = at;
      slot.value = value;
      this.#up(slot);
      return;
    }
    const added: Slot<V> = { key, at, order: this.#order++, value, position: this.#heap.length };
    this.#slots.set(key, added);
    this.#heap.push(added);
    this.#up(added);
  }

  remove(key: string): void {
    const slot = this.#slots.get(key);
    if (slot === undefined) return;
    this.#slots.delete(key);
    const last = this.#heap.pop()!;
    if (last === slot) return;
    this.#place(last, slot.position);
    this.#up(last);
    this.#down(last);
  }

  dueAt(key: string): number | undefined {
    return this.#slots.get(key)?.at;
  }

  get earliest(): number | undefined {
    return this.#heap[0]?.at;
  }

  get size(): number {
    return this.#heap.length;
  }

  /** Removes and returns what is due at `now`, in order. */
  takeDue(now: number): { readonly key: string; readonly value: V }[] {
    const due: { key: string; value: V }[] = [];
    for (let top = this.#heap[0]; top !== undefined && top.at <= now; top = this.#heap[0]) {
      this.remove(top.key);
      due.push({ key: top.key, value: top.value });
    }
    return due;
  }

  #before(a: Slot<V>, b: Slot<V>): boolean {
    return a.at < b.at || (a.at === b.at && a.order < b.order);
  }

  #place(slot: Slot<V>, position: number): void {
    this.#heap[position] = slot;
    slot.position = position;
  }

  #up(slot: Slot<V>): void {
    while (slot.position > 0) {
      const parent = this.#heap[(slot.position - 1) >> 1]!;
      if (!this.#before(slot, parent)) return;
      this.#swap(slot, parent);
    }
  }

  #down(slot: Slot<V>): void {
    for (;;) {
      const left = this.#heap[2 * slot.position + 1];
      const right = this.#heap[2 * slot.position + 2];
      if (left === undefined) return;
      const child = right !== undefined && this.#before(right, left) ? right : left;
      if (!this.#before(child, slot)) return;
      this.#swap(child, slot);
    }
  }

  #swap(a: Slot<V>, b: Slot<V>): void {
    const position = a.position;
    this.#place(a, b.position);
    this.#place(b, position);
  }
}
