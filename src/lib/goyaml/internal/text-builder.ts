// Owns putting long texts together. A plain `+=` keeps a node for each piece until the end: gigabytes for a text of
// a hundred megabytes with an escape at each second character.

const PIECE = 1 << 14;

/** Collects text in pieces that are flattened as they fill up. */
export class TextBuilder {
  #tail = '';
  /** Kept, so that the engine cannot leave out the read that flattens. */
  #last = 0;
  #pieces: string[] | undefined;

  append(text: string): void {
    this.#tail += text;
    if (this.#tail.length >= PIECE) this.#flush();
  }

  #flush(): void {
    // Reading a character flattens a string that was made by concatenation.
    this.#last ^= this.#tail.charCodeAt(this.#tail.length - 1);
    (this.#pieces ??= []).push(this.#tail);
    this.#tail = '';
  }

  toString(): string {
    return this.#pieces === undefined ? this.#tail : this.#pieces.join('') + this.#tail;
  }
}
