// Owns reading the YAML that most manifests are made of, line by line and five times as fast as the whole parser does:
// block maps and lists of plain and quoted one-line scalars, literal blocks, comments. Whatever else turns up, and every
// mistake, is left to the parser: this reader never errs, it gives up. The property test holds both equal.
import type { JsonObject, JsonValue } from '../../json.ts';
import { resolvePlain } from '../resolve.ts';

/** The value of a text by sigs.k8s.io/yaml's rules; undefined for a text that needs the parser. */
export function readPlainYaml(text: string): JsonObject | readonly JsonValue[] | undefined {
  // Tabs, carriage returns, controls and everything beyond ASCII have rules of their own.
  if (OTHER_CHARACTER.test(text)) return undefined;
  const reader = new PlainReader(text);
  try {
    return reader.read();
  } catch (error) {
    if (error === gaveUp) return undefined;
    throw error;
  }
}

const OTHER_CHARACTER = /[^\n\x20-\x7e]/;
const MAX_DEPTH = 100;
const gaveUp = Symbol('needs the parser');

const SPACE = 0x20;
const DOUBLE_QUOTE = 0x22;
const HASH = 0x23;
const SINGLE_QUOTE = 0x27;
const DASH = 0x2d;
const COLON = 0x3a;
const PIPE = 0x7c;

/** What a plain key is made of, and what a plain scalar may begin with. */
const KEY = 1;
const FIRST = 2;
const classes = new Uint8Array(128);
for (const c of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_') classes[c.charCodeAt(0)] = KEY | FIRST;
for (const c of '0123456789./') classes[c.charCodeAt(0)] = KEY | FIRST;
for (const c of '-') classes[c.charCodeAt(0)] = KEY;
for (const c of '$(+~') classes[c.charCodeAt(0)] = FIRST;

class PlainReader {
  readonly #text: string;
  /** Where the next line begins. */
  #next = 0;
  /** The line at hand: its column, where its content begins and ends. Column -1 is the end of the text. */
  #column = 0;
  #at = 0;
  #end = 0;

  constructor(text: string) {
    this.#text = text;
  }

  read(): JsonObject | readonly JsonValue[] {
    this.#advance();
    if (this.#column < 0) throw gaveUp;
    const value = this.#block(this.#column, 0);
    if (this.#column >= 0) throw gaveUp;
    return value;
  }

  /** Goes on to the next line that holds something. */
  #advance(): void {
    const text = this.#text;
    while (this.#next < text.length) {
      const start = this.#next;
      const newline = text.indexOf('\n', start);
      const end = newline < 0 ? text.length : newline;
      this.#next = end + 1;
      let at = start;
      while (at < end && text.charCodeAt(at) === SPACE) at++;
      if (at === end) continue;
      const c = text.charCodeAt(at);
      if (c === HASH) continue;
      // Directives and the marks of documents.
      if (at === start && (c === 0x25 || text.startsWith('---', at) || text.startsWith('...', at))) throw gaveUp;
      this.#column = at - start;
      this.#at = at;
      this.#end = end;
      return;
    }
    this.#column = -1;
  }

  #block(column: number, depth: number): JsonObject | JsonValue[] {
    if (depth > MAX_DEPTH) throw gaveUp;
    return this.#isDash(this.#at) ? this.#list(column, depth) : this.#map(column, depth);
  }

  /** A dash that begins an item of a list. */
  #isDash(at: number): boolean {
    if (this.#text.charCodeAt(at) !== DASH) return false;
    return at + 1 === this.#end || this.#text.charCodeAt(at + 1) === SPACE;
  }

  #list(column: number, depth: number): JsonValue[] {
    const items: JsonValue[] = [];
    while (this.#column === column && this.#isDash(this.#at)) {
      const from = this.#skipSpaces(this.#at + 1);
      if (from === this.#end) items.push(this.#below(column, depth));
      else if (this.#startsCollection(from)) {
        // `- a: 1` begins a map whose column is that of its first key.
        this.#column += from - this.#at;
        this.#at = from;
        items.push(this.#block(this.#column, depth + 1));
      } else items.push(this.#scalar(from, column));
    }
    if (this.#column > column) throw gaveUp;
    return items;
  }

  #startsCollection(from: number): boolean {
    return this.#isDash(from) || this.#keyEnd(from) >= 0;
  }

  #map(column: number, depth: number): JsonObject {
    const map: JsonObject = {};
    while (this.#column === column) {
      const key = this.#key();
      if (key === '__proto__' || Object.hasOwn(map, key)) throw gaveUp;
      const from = this.#skipSpaces(this.#at);
      if (from < this.#end) map[key] = this.#scalar(from, column);
      else map[key] = this.#valueBelow(column, depth);
    }
    if (this.#column > column) throw gaveUp;
    return map;
  }

  /** The key at hand; the line then goes on behind its colon. */
  #key(): string {
    const end = this.#keyEnd(this.#at);
    if (end < 0) throw gaveUp;
    const c = this.#text.charCodeAt(this.#at);
    const isQuoted = c === DOUBLE_QUOTE || c === SINGLE_QUOTE;
    const key = isQuoted ? this.#text.slice(this.#at + 1, end - 1) : this.#text.slice(this.#at, end);
    if (!isQuoted && resolvePlain(key, 'v2') !== undefined) throw gaveUp;
    this.#at = end + 1;
    return key;
  }

  /** Where the colon of a key stands; -1 where there is none. */
  #keyEnd(from: number): number {
    const text = this.#text;
    let at = from;
    const c = text.charCodeAt(at);
    if (c === DOUBLE_QUOTE || c === SINGLE_QUOTE) {
      at = this.#closingQuote(from);
      if (at < 0) return -1;
      at++;
    } else {
      if ((classes[c]! & FIRST) === 0 || (classes[c]! & KEY) === 0) return -1;
      while (at < this.#end && (classes[text.charCodeAt(at)]! & KEY) !== 0) at++;
    }
    if (at >= this.#end || text.charCodeAt(at) !== COLON || at - from > 128) return -1;
    return at + 1 === this.#end || text.charCodeAt(at + 1) === SPACE ? at : -1;
  }

  /** The closing quote on this line of a text without escapes; -1 where there is none. */
  #closingQuote(from: number): number {
    const text = this.#text;
    const quote = text.charCodeAt(from);
    for (let at = from + 1; at < this.#end; at++) {
      const c = text.charCodeAt(at);
      if (c === 0x5c && quote === DOUBLE_QUOTE) return -1;
      if (c === quote) return quote === SINGLE_QUOTE && text.charCodeAt(at + 1) === SINGLE_QUOTE ? -1 : at;
    }
    return -1;
  }

  /** Spaces, and a comment behind them up to the end of the line. */
  #skipSpaces(from: number): number {
    let at = from;
    while (at < this.#end && this.#text.charCodeAt(at) === SPACE) at++;
    return at < this.#end && at > from && this.#text.charCodeAt(at) === HASH ? this.#end : at;
  }

  /** What a list item without content on its line holds. */
  #below(column: number, depth: number): JsonValue {
    this.#advance();
    return this.#column > column ? this.#block(this.#column, depth + 1) : null;
  }

  /** What a key without a value on its line has: a list may stand at the key's own column. */
  #valueBelow(column: number, depth: number): JsonValue {
    this.#advance();
    if (this.#column > column) return this.#block(this.#column, depth + 1);
    return this.#column === column && this.#isDash(this.#at) ? this.#list(column, depth + 1) : null;
  }

  /** A scalar that begins here and ends on this line, or a literal block below a line of `column`. */
  #scalar(from: number, column: number): JsonValue {
    const text = this.#text;
    const c = text.charCodeAt(from);
    if (c === PIPE) return this.#literal(from, column);
    let value: JsonValue;
    if (c === DOUBLE_QUOTE || c === SINGLE_QUOTE) {
      const close = this.#closingQuote(from);
      if (close < 0 || this.#skipSpaces(close + 1) !== this.#end) throw gaveUp;
      value = text.slice(from + 1, close);
    } else value = this.#plain(from, c);
    this.#advance();
    // More of the scalar, or a mistake.
    if (this.#column > column) throw gaveUp;
    return value;
  }

  #plain(from: number, c: number): JsonValue {
    const line = this.#text.slice(from, this.#end);
    if (c === 0x7b || c === 0x5b) {
      if (line === '{}') return {};
      if (line === '[]') return [];
      throw gaveUp;
    }
    const isDashed = c === DASH && from + 1 < this.#end && this.#text.charCodeAt(from + 1) !== SPACE;
    if ((classes[c]! & FIRST) === 0 && !isDashed) throw gaveUp;
    const comment = line.indexOf(' #');
    const value = (comment < 0 ? line : line.slice(0, comment)).trimEnd();
    if (value.includes(': ') || value.endsWith(':')) throw gaveUp;
    const resolved = resolvePlain(value, 'v2');
    if (resolved === undefined) return value;
    if (
      typeof resolved.value === 'bigint' ||
      (typeof resolved.value === 'number' && !Number.isFinite(resolved.value))
    ) {
      throw gaveUp;
    }
    return resolved.value;
  }

  /** `|` and `|-` with the indentation of their first line. */
  #literal(from: number, column: number): string {
    const text = this.#text;
    const header = text.slice(from, this.#end).trimEnd();
    if (header !== '|' && header !== '|-') throw gaveUp;
    const lines: string[] = [];
    let indent = -1;
    let isOpen = false;
    for (let start = this.#next; start < text.length; ) {
      const newline = text.indexOf('\n', start);
      const end = newline < 0 ? text.length : newline;
      let at = start;
      while (at < end && text.charCodeAt(at) === SPACE) at++;
      if (at === end) {
        // A blank line may be deeper than the block; before its first line that would be a mistake.
        if (indent < 0 && at > start) throw gaveUp;
        lines.push(indent >= 0 && at - start > indent ? text.slice(start + indent, end) : '');
      } else {
        if (at - start <= column) break;
        if (indent < 0) indent = at - start;
        if (at - start < indent) throw gaveUp;
        lines.push(text.slice(start + indent, end));
      }
      isOpen = newline < 0;
      start = end + 1;
      this.#next = start;
    }
    if (indent < 0) throw gaveUp;
    let last = lines.length;
    while (lines[last - 1] === '') last--;
    const content = lines.slice(0, last).join('\n');
    this.#advance();
    if (this.#column > column) throw gaveUp;
    // A text that ends with its last line leaves the block without a line break.
    return header === '|-' || (isOpen && last === lines.length) ? content : `${content}\n`;
  }
}
