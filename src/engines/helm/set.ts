// Owns the grammar of --set and its sisters (`a.b[0].c=x,d={1,2}`): each assignment is written into a table of values.
// Which files and flags are read in which order is user-values.ts.
import { type GoValue, int64, typeName } from '../../lang/gotemplate/value.ts';
import { goQuote } from '../../lib/goquote.ts';
import type { Compat } from './compat.ts';
import { HelmError } from './errors.ts';
import { parseGoJson } from './internal/json-prefix.ts';
import { isTable, type Table } from './table.ts';

const MAX_INDEX = 65_536;
const MAX_NESTING = 30;
/** Bounds of our own: indexes in a row, and list elements that one flag may add only to reach an index. */
const MAX_INDEXES = 1000;
const MAX_FILL = 1_000_000;

/** How the text after `=` becomes a value. */
export type SetMode =
  /** --set: true, false, null and integers are typed, all else is text. */
  | { readonly kind: 'typed' }
  /** --set-string */
  | { readonly kind: 'string' }
  /** --set-json: one JSON value each. */
  | { readonly kind: 'json' }
  /** --set-file: the text is a path, `read` gives the contents. */
  | { readonly kind: 'file'; readonly read: (path: string) => string }
  /** --set-literal: one assignment, no escapes, everything after `=`. */
  | { readonly kind: 'literal' };

/**
 * Writes the assignments of one flag into `values`, in place; what precedes an error stays written, as in Helm.
 * Throws HelmError `ValuesInvalid` with Helm's text, without the name of the flag.
 */
export function parseSet(text: string, values: Table, mode: SetMode, compat: Compat = 'helm3'): void {
  const parser = new Parser(text, mode, compat);
  while (!parser.atEnd) parser.parseKey(values, 0);
}

/** Thrown where Go's parser returns io.EOF: the text ends where nothing more had to come. */
class EndOfText extends Error {}

class Parser {
  readonly #runes: readonly string[];
  readonly #mode: SetMode;
  readonly #compat: Compat;
  #at = 0;
  #filled = 0;

  constructor(text: string, mode: SetMode, compat: Compat) {
    this.#runes = Array.from(text);
    this.#mode = mode;
    this.#compat = compat;
  }

  get atEnd(): boolean {
    return this.#at >= this.#runes.length;
  }

  parseKey(table: Table, nesting: number): void {
    try {
      this.#parseKey(table, nesting);
    } catch (error) {
      if (!(error instanceof EndOfText)) throw error;
      this.#at = this.#runes.length;
    }
  }

  #parseKey(table: Table, nesting: number): void {
    const { text: key, stop } = this.#readUntil(this.#mode.kind === 'literal' ? '=[.' : '=[,.');
    switch (stop) {
      case '':
        if (key === '') throw new EndOfText();
        throw invalid(`key ${goQuote(key)} has no value`);
      case '[':
        this.#assignList(table, key, nesting);
        return;
      case '=':
        this.#assignKey(table, key);
        return;
      case ',':
        assign(table, key, '');
        throw invalid(`key ${goQuote(key)} has no value (cannot end with ,)`);
      default:
        this.#assignTable(table, key, nesting + 1);
    }
  }

  #assignTable(table: Table, key: string, nesting: number): void {
    if (nesting > MAX_NESTING) {
      throw invalid(`value name nested level is greater than maximum supported nested level of ${MAX_NESTING}`);
    }
    const inner = table.get(key) ?? (table.has(key) ? null : new Map());
    if (!isTable(inner)) throw invalid(`unable to parse key: ${conversion(inner, 'map[string]interface {}')}`);
    let ended = false;
    try {
      this.#parseKey(inner, nesting);
    } catch (error) {
      if (inner.size > 0) assign(table, key, inner);
      if (!(error instanceof EndOfText)) throw error;
      ended = true;
    }
    if (!ended && inner.size === 0) throw invalid(`key map ${goQuote(key)} has no value`);
    if (inner.size > 0) assign(table, key, inner);
    if (ended) throw new EndOfText();
  }

  #assignList(table: Table, key: string, nesting: number): void {
    const index = this.#readIndex();
    const list = table.get(key) ?? (table.has(key) ? null : []);
    if (!Array.isArray(list)) throw invalid(`unable to parse key: ${conversion(list, '[]interface {}')}`);
    // The list is there even when the text ends before its element has a value: `a[0].b=` makes an empty list.
    assign(table, key, list);
    this.#assignElement(list, index, nesting, 1);
  }

  #assignElement(list: GoValue[], index: number, nesting: number, indexes: number): void {
    if (indexes > MAX_INDEXES) throw invalid(`more than ${MAX_INDEXES} list indexes in a row`);
    if (index < 0) throw invalid(`negative ${index} index not allowed`);
    const { text, stop } = this.#readUntil('[.=');
    if (text !== '') throw invalid(`unexpected data at end of array index: ${goQuote(text)}`);
    if (stop === '') throw new EndOfText();
    if (stop === '=') this.#setIndex(list, index, this.#readValue().value);
    else if (stop === '[') this.#setIndex(list, index, this.#nestedList(list[index] ?? [], nesting, indexes));
    else {
      const existing = list[index];
      const inner: Table = isTable(existing) ? existing : new Map();
      if (index < list.length) list[index] = inner;
      this.#parseKey(inner, nesting);
      this.#setIndex(list, index, inner);
    }
  }

  #nestedList(list: GoValue, nesting: number, indexes: number): GoValue[] {
    const index = this.#readIndex();
    if (!Array.isArray(list)) throw invalid(`unable to parse key: ${conversion(list, '[]interface {}')}`);
    this.#assignElement(list, index, nesting, indexes + 1);
    return list;
  }

  #setIndex(list: GoValue[], index: number, value: GoValue): void {
    if (index > MAX_INDEX) {
      throw invalid(`index of ${index} is greater than maximum supported index of ${MAX_INDEX}`);
    }
    this.#filled += Math.max(0, index - list.length);
    if (this.#filled > MAX_FILL) throw invalid(`lists grow by more than ${MAX_FILL} empty elements`);
    while (list.length <= index) list.push(null);
    list[index] = value;
  }

  #assignKey(table: Table, key: string): void {
    const { value, ended } = this.#readValue();
    assign(table, key, value);
    if (ended) throw new EndOfText();
  }

  /** Reads what follows `=`; `ended` when there was nothing at all. */
  #readValue(): { readonly value: GoValue; readonly ended: boolean } {
    const { kind } = this.#mode;
    if (kind === 'json') return { value: this.#readJson(), ended: false };
    if (kind === 'literal') {
      const value = this.#runes.slice(this.#at).join('');
      this.#at = this.#runes.length;
      return { value, ended: false };
    }
    if (this.atEnd) return { value: '', ended: true };
    const isList = this.#runes[this.#at] === '{';
    return { value: isList ? this.#readList() : this.#toValue(this.#readUntil(',').text), ended: false };
  }

  #readJson(): GoValue {
    if (this.#skipToValue()) return null;
    const rest = this.#runes.slice(this.#at).join('');
    const { value, length } = parseGoJson(rest);
    this.#at += Array.from(rest.slice(0, length)).length;
    this.#skipToValue();
    return value;
  }

  /** Skips blanks and one comma; true when there was no value before the comma or the end. */
  #skipToValue(): boolean {
    for (; this.#at < this.#runes.length; this.#at++) {
      if (this.#runes[this.#at] === ',') {
        this.#at++;
        return true;
      }
      if (!/\s/.test(this.#runes[this.#at]!)) return false;
    }
    return true;
  }

  #readList(): GoValue[] {
    this.#at++;
    const list: GoValue[] = [];
    for (;;) {
      const { text, stop } = this.#readUntil(',}');
      if (stop === '') throw invalid("list must terminate with '}'");
      list.push(this.#toValue(text));
      if (stop === ',') continue;
      if (this.#runes[this.#at] === ',') this.#at++;
      return list;
    }
  }

  #readIndex(): number {
    const { text, stop } = this.#readUntil(']');
    if (stop === '') {
      // Helm 4 takes this error for the end of the text, which is none.
      if (this.#compat === 'helm4') throw new EndOfText();
      throw invalid('error parsing index: EOF');
    }
    const isNumber = /^[+-]?[0-9]+$/.test(text);
    const index = Number(text);
    if (isNumber && Math.abs(index) < 2 ** 63) return index;
    const problem = isNumber ? 'value out of range' : 'invalid syntax';
    throw invalid(`error parsing index: strconv.Atoi: parsing ${goQuote(text)}: ${problem}`);
  }

  /** Text up to one of the stops, which is consumed; `stop` is empty at the end. `\` takes the next rune as it is. */
  #readUntil(stops: string): { text: string; stop: string } {
    let text = '';
    while (this.#at < this.#runes.length) {
      const rune = this.#runes[this.#at++]!;
      if (stops.includes(rune)) return { text, stop: rune };
      if (rune !== '\\' || this.#mode.kind === 'literal') text += rune;
      else text += this.#runes[this.#at++] ?? '';
    }
    return { text, stop: '' };
  }

  #toValue(text: string): GoValue {
    if (this.#mode.kind === 'file') return this.#mode.read(text);
    return this.#mode.kind === 'string' ? text : typedValue(text);
  }
}

function typedValue(text: string): GoValue {
  const lower = text.length <= 5 ? text.toLowerCase() : '';
  if (lower === 'true') return true;
  if (lower === 'false') return false;
  if (lower === 'null') return null;
  if (text === '0') return int64(0);
  if (text.length < 64 && /^(?:[1-9]|[+-][0-9])[0-9]*$/.test(text)) {
    const value = BigInt(text.replace('+', ''));
    if (value === BigInt.asIntN(64, value)) return int64(value);
  }
  return text;
}

function assign(table: Table, key: string, value: GoValue): void {
  if (key !== '') table.set(key, value);
}

function conversion(value: GoValue, wanted: string): string {
  return `interface conversion: interface {} is ${value === null ? 'nil' : typeName(value)}, not ${wanted}`;
}

function invalid(message: string): HelmError {
  return new HelmError('ValuesInvalid', message, {});
}
