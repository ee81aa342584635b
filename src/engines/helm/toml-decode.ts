// Owns reading TOML 1.0 as Helm's decoder does, with its error texts. Tables become maps, integers int64.
import { quote } from '../../lang/gotemplate/gostring.ts';
import type { GoMap, GoValue } from '../../lang/gotemplate/value.ts';
import { CodedError } from '../../lib/errors.ts';
import { parseTomlFloat, parseTomlInteger } from './toml-number.ts';
import { parseTomlTime } from './toml-time.ts';

/** A document that is not TOML; the message is the decoder's, `toml: line 1 (last key "a"): …`. */
export class TomlError extends CodedError<'InvalidToml', { readonly line: number }> {}

const MAX_DEPTH = 500;

/** Reads a document. Throws TomlError. */
export function parseToml(text: string): GoMap {
  return new Parser(text.replace(/^\ufeff/, '')).document();
}

/** How a table came to be, which decides who may add to it. */
type Origin = 'implicit' | 'header' | 'dotted' | 'inline' | 'element';

class Parser {
  readonly #text: string;
  readonly #root: GoMap = new Map();
  readonly #origins = new Map<GoMap, Origin>([[this.#root, 'header']]);
  /** Lists made by `[[x]]`, to which more tables may be added. */
  readonly #tableLists = new Set<GoValue[]>();
  #at = 0;
  #context: readonly string[] = [];
  /** The table that is being filled, header or inline. */
  #table: readonly string[] = [];
  #key = '';

  constructor(text: string) {
    this.#text = text;
  }

  document(): GoMap {
    let table = this.#root;
    for (;;) {
      this.#skipBlank(true);
      const character = this.#peek();
      if (character === '') return this.#root;
      if (character === '[') table = this.#header();
      else {
        this.#assignment(table, 0);
        this.#key = '';
      }
      this.#endOfLine();
    }
  }

  // --- tables --------------------------------------------------------------------------------

  #header(): GoMap {
    this.#at++;
    const isList = this.#take('[');
    this.#key = '';
    const path = this.#tableName();
    if (isList && !this.#take(']')) {
      this.#failBehind(`expected end of table array name delimiter ']', but got ${this.#rune()} instead`);
    }
    const parent = this.#descend(this.#root, path.slice(0, -1), 'implicit');
    const name = path.at(-1)!;
    this.#context = path.slice(0, -1);
    const table = isList ? this.#appendTable(parent, name, path) : this.#openTable(parent, name, path);
    this.#context = path;
    this.#table = path;
    return table;
  }

  #openTable(parent: GoMap, name: string, path: readonly string[]): GoMap {
    const existing = parent.get(name);
    if (existing === undefined) return this.#newTable(parent, name, 'header');
    if (!(existing instanceof Map) || !/^(?:dotted|implicit)$/.test(this.#origins.get(existing)!)) this.#defined(path);
    this.#origins.set(existing as GoMap, 'header');
    return existing as GoMap;
  }

  #appendTable(parent: GoMap, name: string, path: readonly string[]): GoMap {
    let list = parent.get(name);
    if (list === undefined) {
      list = [];
      this.#tableLists.add(list);
      parent.set(name, list);
    }
    if (!Array.isArray(list) || !this.#tableLists.has(list)) {
      this.#fail(`Key '${keyText(path)}' was already created and cannot be used as an array.`);
    }
    const table: GoMap = new Map();
    this.#origins.set(table, 'element');
    (list as GoValue[]).push(table);
    return table;
  }

  /** Walks to a table below another, making what is missing. */
  #descend(from: GoMap, path: readonly string[], origin: Origin): GoMap {
    let here = from;
    for (const [index, name] of path.entries()) {
      const next = here.get(name);
      if (next === undefined) here = this.#newTable(here, name, origin);
      else if (Array.isArray(next) && this.#tableLists.has(next)) here = next.at(-1) as GoMap;
      else if (next instanceof Map && this.#origins.get(next) !== 'inline') here = next;
      else {
        const names = origin === 'dotted' ? [...this.#table, ...path.slice(0, index + 1)] : path.slice(0, index + 1);
        this.#fail(
          `Key '${keyText(names)}' ${origin === 'dotted' ? 'has already been defined' : 'was already created as a hash'}.`,
        );
      }
    }
    return here;
  }

  #newTable(parent: GoMap, name: string, origin: Origin): GoMap {
    const table: GoMap = new Map();
    this.#origins.set(table, origin);
    parent.set(name, table);
    return table;
  }

  #tableName(): string[] {
    const path: string[] = [];
    for (;;) {
      this.#skipBlank(false);
      const character = this.#peek();
      if (character === ']' || character === '') {
        this.#fail('unexpected end of table name (table names cannot be empty)');
      }
      if (character === '.') this.#fail('unexpected table separator (table names cannot be empty)');
      path.push(this.#keyPart());
      this.#skipBlank(false);
      if (this.#take(']')) return path;
      if (!this.#take('.')) this.#failBehind(`expected '.' or ']' to end table name, but got ${this.#rune()} instead`);
    }
  }

  // --- keys ----------------------------------------------------------------------------------

  #assignment(table: GoMap, depth: number): void {
    const path = this.#keyPath();
    const outer = this.#context;
    this.#context = [...outer, ...path.slice(0, -1)];
    this.#key = path.at(-1)!;
    const target = this.#descend(table, path.slice(0, -1), 'dotted');
    const value = this.#value(depth);
    const existing = target.get(this.#key);
    // What only dotted keys or deeper headers implied may be stated once; the decoder then drops the new value.
    if (existing instanceof Map && /^(?:dotted|implicit)$/.test(this.#origins.get(existing)!)) {
      this.#origins.set(existing, 'header');
    } else if (existing !== undefined) this.#defined([...this.#context, this.#key]);
    else target.set(this.#key, value);
    this.#context = outer;
  }

  #keyPath(): string[] {
    const first = this.#peek();
    if (first === '=' || first === '') this.#fail("unexpected '=': key name appears blank");
    if (first === '.') this.#fail("unexpected '.': keys cannot start with a '.'");
    const path: string[] = [];
    for (;;) {
      this.#skipBlank(false);
      const character = this.#peek();
      if (character === '=' || character === '') this.#fail("unexpected '='");
      if (character === '.') this.#fail("unexpected '.'");
      path.push(this.#keyPart());
      this.#skipBlank(false);
      if (this.#take('=')) return path;
      if (this.#at >= this.#text.length) this.#fail("unexpected EOF; expected key separator '='");
      if (!this.#take('.')) this.#fail(`expected '.' or '=', but got ${this.#rune()} instead`);
    }
  }

  #keyPart(): string {
    const character = this.#peek();
    if (character === '"' || character === "'") {
      this.#at++;
      return this.#string(character, false);
    }
    return this.#match(/[A-Za-z0-9_-]*/y);
  }

  // --- values --------------------------------------------------------------------------------

  #value(depth: number): GoValue {
    if (depth > MAX_DEPTH) this.#fail('value is nested too deep');
    this.#skipBlank(false);
    const character = this.#peek();
    if (character === '[') return this.#array(depth);
    if (character === '{') return this.#inlineTable(depth);
    if (character === '"' || character === "'") return this.#anyString(character);
    if (character === '.') this.#fail("floats must start with a digit, not '.'");
    if (character === '') this.#fail('unexpected EOF; expected value');
    if (/[0-9]/.test(character)) return this.#numberOrDate();
    if (character === '-' || character === '+') return this.#signedNumber();
    const word = this.#match(/\p{L}*/uy);
    if (word === 'true' || word === 'false') return word === 'true';
    if (word === 'inf' || word === 'nan') return word === 'inf' ? Number.POSITIVE_INFINITY : Number.NaN;
    this.#fail(`expected value but found ${word === '' ? this.#rune() : quote(word)} instead`);
  }

  #array(depth: number): GoValue[] {
    this.#at++;
    const items: GoValue[] = [];
    for (;;) {
      this.#skipBlank(true);
      if (this.#take(']')) return items;
      if (this.#peek() === ',') this.#fail('unexpected comma');
      items.push(this.#value(depth + 1));
      this.#skipBlank(true);
      if (this.#take(']')) return items;
      if (!this.#take(',')) {
        this.#fail(`expected a comma (',') or array terminator (']'), but got ${this.#runeOrEnd()}`);
      }
    }
  }

  #inlineTable(depth: number): GoMap {
    this.#at++;
    const table: GoMap = new Map();
    this.#origins.set(table, 'inline');
    const [outerContext, outerKey, outerTable] = [this.#context, this.#key, this.#table];
    this.#context = [...outerContext, outerKey];
    this.#table = this.#context;
    this.#key = '';
    for (;;) {
      this.#skipBlank(true);
      if (this.#take('}')) break;
      if (this.#peek() === ',') this.#fail('unexpected comma');
      this.#assignment(table, depth + 1);
      this.#skipBlank(true);
      if (this.#take('}')) break;
      if (!this.#take(',')) {
        this.#fail(`expected a comma or an inline table terminator '}', but got ${this.#runeOrEnd()} instead`);
      }
    }
    [this.#context, this.#key, this.#table] = [outerContext, outerKey, outerTable];
    // What dotted keys made inside belongs to the inline table and is closed with it.
    for (const item of table.values()) if (item instanceof Map) this.#origins.set(item, 'inline');
    return table;
  }

  #anyString(delimiter: '"' | "'"): string {
    if (!this.#text.startsWith(delimiter.repeat(3), this.#at)) {
      this.#at++;
      return this.#string(delimiter, false);
    }
    this.#at += 3;
    if (!this.#take('\n')) this.#takeText('\r\n');
    return this.#string(delimiter, true);
  }

  /** Reads up to the closing delimiter, which is consumed. */
  #string(delimiter: '"' | "'", multiline: boolean): string {
    const start = this.#at;
    const closing = delimiter.repeat(multiline ? 3 : 1);
    let result = '';
    for (;;) {
      const character = this.#peek();
      if (character === '')
        this.#fail(`unexpected EOF; expected ${delimiter === '"' ? `'${closing}'` : `"${closing}"`}`);
      if (!multiline && (character === '\n' || character === '\r')) this.#fail('strings cannot contain newlines');
      if (this.#text.startsWith(closing, this.#at)) {
        // Up to two more quotes belong to the text.
        const extra = multiline ? this.#match(delimiter === '"' ? /"{3,5}/y : /'{3,5}/y).length - 3 : 0;
        if (!multiline) this.#at++;
        return result + delimiter.repeat(extra);
      }
      if (character === '\\' && delimiter === '"') result += this.#escape(multiline, start);
      else result += this.#nextRune();
    }
  }

  /** `start` is where the string's text begins, which messages repeat from there. */
  #escape(multiline: boolean, start: number): string {
    if (multiline && this.#match(/\\[ \t]*\r?\n[ \t\r\n]*/y) !== '') return '';
    this.#at++;
    const letter = this.#peek();
    const simple = { b: '\b', t: '\t', n: '\n', f: '\f', r: '\r', e: '\x1b', '"': '"', '\\': '\\' }[letter];
    if (simple !== undefined) {
      this.#at++;
      return simple;
    }
    const width = { x: 2, u: 4, U: 8 }[letter];
    if (width === undefined) this.#fail(`invalid escape in string '\\${this.#nextRune()}'`);
    this.#at++;
    const digits = /^[0-9a-fA-F]*/.exec(this.#text.slice(this.#at, this.#at + width))![0];
    this.#at += digits.length;
    if (digits.length < width) {
      const words = { 2: 'two', 4: 'four', 8: 'eight' }[width];
      const read = quote(this.#text.slice(start, this.#at + 1));
      this.#fail(`expected ${words} hexadecimal digits after '\\${letter}', but got ${read} instead`);
    }
    const point = Number.parseInt(digits, 16);
    if (point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) {
      this.#fail(`Escaped character '\\u${digits}' is not valid UTF-8.`);
    }
    return String.fromCodePoint(point);
  }

  #signedNumber(): GoValue {
    const sign = this.#text[this.#at]!;
    const special = this.#match(/[+-](?:inf|nan)/y);
    if (special !== '') return special.endsWith('nan') ? Number.NaN : Number(`${sign}Infinity`);
    if (!/[0-9]/.test(this.#text[this.#at + 1] ?? '')) {
      this.#at++;
      if (this.#peek() === '.') this.#fail("floats must start with a digit, not '.'");
      this.#fail(`expected a digit but got ${this.#rune()}`);
    }
    const based = /^0[box]/.exec(this.#text.slice(this.#at + 1, this.#at + 3))?.[0];
    if (based !== undefined) this.#fail(`cannot use sign with non-decimal numbers: '${sign}${based}'`);
    return this.#number();
  }

  #numberOrDate(): GoValue {
    const date = /[0-9]+[-:][-0-9:TtZz .+]*/y;
    const text = this.#match(date);
    if (text === '') return this.#number();
    return parseTomlTime(text.trim()) ?? this.#fail(`invalid datetime: ${quote(text.trim())}`);
  }

  #number(): GoValue {
    const based = this.#match(/0(?:x[0-9a-fA-F_]*|o[0-7_]*|b[01_]*)/y);
    if (based.length === 2) {
      const kind = { x: 'a hexadecimal', o: 'an octal', b: 'a binary' }[based[1]!];
      this.#fail(`not ${kind} number: '${based}${this.#text[this.#at] ?? '\0'}'`);
    }
    if (based !== '') return this.#integer(based);
    const text = this.#match(/[+-]?[0-9][0-9_]*(?:[.eE][0-9_.eE+-]*)?/y);
    return /[.eE]/.test(text) ? this.#float(text) : this.#integer(text);
  }

  #integer(text: string): GoValue {
    const read = parseTomlInteger(text);
    return 'value' in read ? read.value : this.#fail(read.problem);
  }

  #float(text: string): number {
    const read = parseTomlFloat(text);
    return 'value' in read ? read.value : this.#fail(read.problem);
  }

  // --- characters ----------------------------------------------------------------------------

  #peek(): string {
    const character = this.#text[this.#at] ?? '';
    if (/[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]/.test(character)) {
      const code = character.charCodeAt(0).toString(16).padStart(2, '0');
      this.#fail(`TOML files cannot contain control characters: '0x${code}'`);
    }
    return character;
  }

  #nextRune(): string {
    this.#peek();
    const rune = String.fromCodePoint(this.#text.codePointAt(this.#at) ?? 0);
    this.#at += rune.length;
    return rune;
  }

  #take(character: string): boolean {
    return this.#takeText(character);
  }

  #takeText(text: string): boolean {
    if (!this.#text.startsWith(text, this.#at)) return false;
    this.#at += text.length;
    return true;
  }

  #match(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const text = pattern.exec(this.#text)?.[0] ?? '';
    this.#at += text.length;
    return text;
  }

  /** Skips blanks; with `lines` also line breaks and comments. */
  #skipBlank(lines: boolean): void {
    this.#match(lines ? /(?:[ \t]|\r?\n|#[^\n]*)*/y : /[ \t]*/y);
  }

  #endOfLine(): void {
    this.#match(/[ \t]*(?:#[^\n]*)?/y);
    if (this.#peek() === '' || this.#take('\n') || this.#takeText('\r\n')) return;
    this.#fail(`expected a top-level item to end with a newline, comment, or EOF, but got ${this.#rune()} instead`);
  }

  /** The rune at hand in Go's `%q` of a rune. */
  #rune(): string {
    const point = this.#text.codePointAt(this.#at) ?? 0;
    const rune = String.fromCodePoint(point);
    if (rune === '"') return `'"'`;
    if (rune === "'") return `'\\''`;
    return `'${quote(rune).slice(1, -1)}'`;
  }

  #runeOrEnd(): string {
    const point = this.#text.codePointAt(this.#at);
    return point === undefined ? 'end of file' : `'${String.fromCodePoint(point)}'`;
  }

  #defined(path: readonly string[]): never {
    this.#fail(`Key '${keyText(path)}' has already been defined.`);
  }

  /** Fails at a character that the decoder has already read: a line break counts. */
  #failBehind(message: string): never {
    if (this.#peek() !== '') this.#at++;
    this.#fail(message);
  }

  #fail(message: string): never {
    const before = this.#text.slice(0, this.#at);
    let line = before.split('\n').length;
    if (this.#at >= this.#text.length && before.endsWith('\n')) line--;
    const last = [...this.#context.map(quoteKey), ...(this.#key === '' ? [] : [this.#key])].join('.');
    const where = last === '' ? `line ${line}` : `line ${line} (last key ${quote(last)})`;
    throw new TomlError('InvalidToml', `toml: ${where}: ${message}`, { line });
  }
}

function keyText(path: readonly string[]): string {
  return path.map(quoteKey).join('.');
}

function quoteKey(name: string): string {
  return /^[A-Za-z0-9_-]+$/.test(name) ? name : quote(name);
}
