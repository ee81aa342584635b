// Owns which slot a template variable lives in. Names are resolved when a template is compiled, never when it runs.

/** A declared variable. */
export interface Slot {
  readonly index: number;
  /**
   * For the element variable of a range: the slot that tells at run time whether elements are of static type
   * interface {}, which only error messages show.
   */
  readonly flag?: number;
}

/** The variables visible at a point of a template, innermost last. Slots of a closed scope are used again. */
export class Scope {
  readonly #visible: { readonly name: string; readonly slot: Slot }[] = [{ name: '$', slot: { index: 0 } }];
  #next = 1;
  #highest = 1;

  /** Number of slots that the compiled template needs. */
  get frameSize(): number {
    return this.#highest;
  }

  declare(name: string, flag?: number): Slot {
    const slot = flag === undefined ? { index: this.allocate() } : { index: this.allocate(), flag };
    this.#visible.push({ name, slot });
    return slot;
  }

  /** A slot without a name. */
  allocate(): number {
    const index = this.#next++;
    this.#highest = Math.max(this.#highest, this.#next);
    return index;
  }

  find(name: string): Slot | undefined {
    return this.#visible.findLast((variable) => variable.name === name)?.slot;
  }

  /** Compiles something whose variables end with it. */
  nested<T>(compile: () => T): T {
    const visible = this.#visible.length;
    const next = this.#next;
    const result = compile();
    this.#visible.length = visible;
    this.#next = next;
    return result;
  }
}
