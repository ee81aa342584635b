// Owns finding the charts of an index in JSON without parsing the whole: one pass over the bytes, so that an index of
// tens of megabytes never exists as objects all at once.
import { invalidIndex } from './index-error.ts';

/** Where the versions of one chart stand in the bytes. */
export interface ChartRange {
  readonly name: string;
  /** Offset of the value (a list, when the index is as it should be), and of what follows it. */
  readonly start: number;
  readonly end: number;
}

/** An index cut into its parts. */
export interface JsonIndex {
  readonly apiVersion: string;
  readonly charts: readonly ChartRange[];
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const COMMA = 0x2c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;

/** Cuts an index. Throws RepositoryError `IndexInvalid` where the bytes are no JSON object. */
export function splitJsonIndex(bytes: Buffer): JsonIndex {
  const scanner = new Scanner(bytes);
  let apiVersion = '';
  let charts: ChartRange[] = [];
  for (const { name, start, end } of scanner.members(0)) {
    const text = () => JSON.parse(bytes.toString('utf8', start, end)) as unknown;
    if (name === 'apiVersion') apiVersion = String(text() ?? '');
    else if (name === 'entries')
      charts = bytes[start] === OPEN_BRACE ? [...scanner.members(start)] : emptyEntries(text());
  }
  return { apiVersion, charts };
}

function emptyEntries(value: unknown): [] {
  if (value === null) return [];
  throw invalidIndex('json: cannot unmarshal the entries of an index: they are no object');
}

class Scanner {
  readonly #bytes: Buffer;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** The members of the object that begins at an offset, blanks before it allowed. */
  *members(from: number): Generator<ChartRange> {
    let at = this.#expect(this.#skipBlanks(from), OPEN_BRACE);
    at = this.#skipBlanks(at);
    if (this.#bytes[at] === CLOSE_BRACE) return;
    for (;;) {
      at = this.#skipBlanks(at);
      const keyEnd = this.#skipString(at);
      const name = this.#readString(at, keyEnd);
      const start = this.#skipBlanks(this.#expect(this.#skipBlanks(keyEnd), COLON));
      const end = this.#skipValue(start);
      yield { name, start, end };
      at = this.#skipBlanks(end);
      if (this.#bytes[at] === CLOSE_BRACE) return;
      at = this.#expect(at, COMMA);
    }
  }

  #readString(start: number, end: number): string {
    try {
      return JSON.parse(this.#bytes.toString('utf8', start, end)) as string;
    } catch (cause) {
      throw invalidIndex(`invalid JSON at byte ${start}`, cause);
    }
  }

  #skipBlanks(from: number): number {
    let at = from;
    while (this.#bytes[at] === 0x20 || this.#bytes[at] === 0x0a || this.#bytes[at] === 0x0d || this.#bytes[at] === 9)
      at++;
    return at;
  }

  #expect(at: number, byte: number): number {
    if (this.#bytes[at] === byte) return at + 1;
    throw this.#unexpected(at);
  }

  #skipString(from: number): number {
    let at = this.#expect(from, QUOTE);
    for (;;) {
      const quote = this.#bytes.indexOf(QUOTE, at);
      if (quote < 0) throw this.#unexpected(this.#bytes.length);
      let slashes = 0;
      while (this.#bytes[quote - 1 - slashes] === BACKSLASH) slashes++;
      at = quote + 1;
      if (slashes % 2 === 0) return at;
    }
  }

  /** Nesting is counted, not followed: what is inside is parsed by JSON.parse when it is read. */
  #skipValue(from: number): number {
    const first = this.#bytes[from];
    if (first === QUOTE) return this.#skipString(from);
    if (first !== OPEN_BRACE && first !== OPEN_BRACKET) return this.#skipWord(from);
    let depth = 0;
    for (let at = from; at < this.#bytes.length; ) {
      const byte = this.#bytes[at];
      if (byte === QUOTE) {
        at = this.#skipString(at);
        continue;
      }
      if (byte === OPEN_BRACE || byte === OPEN_BRACKET) depth++;
      else if ((byte === CLOSE_BRACE || byte === CLOSE_BRACKET) && --depth === 0) return at + 1;
      at++;
    }
    throw this.#unexpected(this.#bytes.length);
  }

  #skipWord(from: number): number {
    let at = from;
    while (at < this.#bytes.length && /[\w.+-]/.test(String.fromCharCode(this.#bytes[at]!))) at++;
    if (at === from) throw this.#unexpected(from);
    return at;
  }

  #unexpected(at: number) {
    return invalidIndex(at >= this.#bytes.length ? 'unexpected end of JSON input' : `invalid JSON at byte ${at}`);
  }
}
