// Owns Go's encoding/json as templates use it: values to text with Go's escapes and number forms, text to values.
import type { Budget } from './execution.ts';
import { toBytes, toValidText } from './gostring.ts';
import {
  GoError,
  GoInt,
  type GoMap,
  GoObject,
  type GoValue,
  sortedKeys,
  TypedMap,
  TypedSlice,
  typeName,
} from './value.ts';
import { fromJson } from './value-json.ts';

/** How JSON text is written. */
export interface JsonOptions {
  /** `<`, `>` and `&` as \u003c, \u003e, \u0026, as json.Marshal does. */
  readonly escapeHtml: boolean;
  /** Spaces per level; 0 for one line. */
  readonly indent: number;
  readonly budget: Budget;
}

/** Go's json.Marshal and MarshalIndent. Throws GoError `json: unsupported value: NaN` and the like. */
export function marshalJson(value: GoValue, options: JsonOptions): string {
  return new JsonWriter(options).write(value, '\n');
}

/** Shared subtrees can make a small value exponentially large. */
const MAX_NODES = 500_000;

class JsonWriter {
  readonly #options: JsonOptions;
  #length = 0;
  #nodes = 0;

  constructor(options: JsonOptions) {
    this.#options = options;
  }

  write(value: GoValue, lineStart: string): string {
    if (++this.#nodes > MAX_NODES) throw new RangeError(`value has more than ${MAX_NODES} nodes`);
    if (typeof value === 'string') return this.#counted(this.#string(value));
    if (typeof value === 'number') return this.#counted(jsonNumber(value));
    if (typeof value === 'boolean') return this.#counted(String(value));
    if (value === null || value === undefined) return this.#counted('null');
    return this.#writeObject(value, lineStart);
  }

  #writeObject(value: object & GoValue, lineStart: string): string {
    if (value instanceof GoInt) return this.#counted(value.value.toString());
    if (value instanceof Map) return value instanceof TypedMap && value.isNil ? 'null' : this.#map(value, lineStart);
    if (value instanceof Uint8Array) return this.#counted(`"${Buffer.from(value).toString('base64')}"`);
    if (Array.isArray(value)) return this.#list(value, lineStart);
    if (value instanceof TypedSlice) return value.isNil ? 'null' : this.#list(value.items, lineStart);
    if (value instanceof GoObject) return this.#object(value, lineStart);
    throw new GoError(`json: unsupported type: ${typeName(value)}`);
  }

  /** Struct fields keep their order. */
  #object(object: GoObject, lineStart: string): string {
    const form = object.toJson();
    return form instanceof Map ? this.#entries([...form.keys()], form, lineStart) : this.write(form, lineStart);
  }

  #map(map: GoMap, lineStart: string): string {
    return this.#entries(sortedKeys(map), map, lineStart);
  }

  #entries(keys: readonly string[], map: GoMap, lineStart: string): string {
    if (keys.length === 0) return '{}';
    const inner = this.#deeper(lineStart);
    const colon = this.#options.indent > 0 ? ': ' : ':';
    const parts = keys.map((key) => inner + this.#string(key) + colon + this.write(map.get(key), inner || lineStart));
    return this.#counted(`{${parts.join(',')}${inner && lineStart}}`);
  }

  #list(items: readonly GoValue[], lineStart: string): string {
    if (items.length === 0) return '[]';
    const inner = this.#deeper(lineStart);
    const parts = items.map((item) => inner + this.write(item, inner || lineStart));
    return this.#counted(`[${parts.join(',')}${inner && lineStart}]`);
  }

  #deeper(lineStart: string): string {
    const { indent } = this.#options;
    return indent > 0 ? lineStart + ' '.repeat(indent) : '';
  }

  #string(text: string): string {
    return quoteJson(text, this.#options.escapeHtml);
  }

  /** Containers count what is inside them again: a rough measure that grows with depth, enough for a limit. */
  #counted(text: string): string {
    this.#length += text.length;
    this.#options.budget.checkString(this.#length / 8);
    return text;
  }
}

const PLAIN = /^[\x20\x21\x23-\x25\x27-\x3b\x3d\x3f-\x5b\x5d-\x7f]*$/;
const SPECIAL = /["\\\x00-\x1f<>&\u2028\u2029]|\p{Surrogate}/gu;
const SHORT: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
};

/** A JSON string as Go writes it; a byte that is not UTF-8 becomes the escape \\ufffd. */
export function quoteJson(text: string, escapeHtml: boolean): string {
  if (PLAIN.test(text)) return `"${text}"`;
  return `"${text.replace(SPECIAL, (char) => escapeJson(char, escapeHtml))}"`;
}

function escapeJson(char: string, escapeHtml: boolean): string {
  const short = SHORT[char];
  if (short !== undefined) return short;
  if (!escapeHtml && (char === '<' || char === '>' || char === '&')) return char;
  const unit = char.charCodeAt(0);
  return unit >= 0xd800 && unit <= 0xdfff ? '\\ufffd' : `\\u${unit.toString(16).padStart(4, '0')}`;
}

/** Go's JSON form of a float64: exponents below 1e-6 and from 1e21 on, as JavaScript's own, and a negative zero. */
export function jsonNumber(value: number): string {
  if (Number.isFinite(value)) return Object.is(value, -0) ? '-0' : String(value);
  throw new GoError(`json: unsupported value: ${Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf'}`);
}

/** Go's json.Unmarshal into interface {}: numbers are float64. Throws GoError with Go's text. */
export function unmarshalJson(text: string): GoValue {
  try {
    return fromJson(JSON.parse(toValidText(text)));
  } catch (error) {
    if (error instanceof RangeError) throw error;
    throw new GoError(jsonSyntaxError(text), { cause: error });
  }
}

/** Where and why Go's scanner stops: the first character that no JSON text could have there. */
function jsonSyntaxError(text: string): string {
  return new JsonScanner(text).complaint();
}

/** A recogniser that only finds the first offence, in Go's words. */
class JsonScanner {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  complaint(): string {
    try {
      this.#space();
      this.#value('looking for beginning of value');
      this.#space();
      if (this.#at < this.#text.length) this.#fail('after top-level value');
    } catch (error) {
      if (error instanceof GoError) return error.message;
      throw error;
    }
    return 'unexpected end of JSON input';
  }

  #fail(context: string): never {
    if (this.#at >= this.#text.length) {
      // The scanner is told of the end by a space, which some states refuse.
      if (!/literal (?:true|false|null)|numeric|escape/.test(context))
        throw new GoError('unexpected end of JSON input');
      throw new GoError(`invalid character ' ' ${context}`);
    }
    // The scanner reads bytes and shows the offending one as a character.
    const [byte = 0] = toBytes(String.fromCodePoint(this.#text.codePointAt(this.#at)!));
    throw new GoError(`invalid character ${quoteChar(String.fromCharCode(byte))} ${context}`);
  }

  #space(): void {
    while (/[ \t\r\n]/.test(this.#text[this.#at] ?? '')) this.#at++;
  }

  #value(context: string): void {
    const char = this.#text[this.#at] ?? '';
    if (char === '{') this.#object();
    else if (char === '[') this.#array();
    else if (char === '"') this.#string();
    else if (char === '-' || (char >= '0' && char <= '9')) this.#number();
    else if (char === 't') this.#literal('true');
    else if (char === 'f') this.#literal('false');
    else if (char === 'n') this.#literal('null');
    else this.#fail(context);
  }

  #literal(word: string): void {
    for (let i = 1; i < word.length; i++) {
      this.#at++;
      if (this.#text[this.#at] !== word[i]) this.#fail(`in literal ${word} (expecting ${quoteChar(word[i]!)})`);
    }
    this.#at++;
  }

  #digits(context: string): void {
    if (!/[0-9]/.test(this.#text[this.#at] ?? '')) this.#fail(context);
    while (/[0-9]/.test(this.#text[this.#at] ?? '')) this.#at++;
  }

  #number(): void {
    if (this.#text[this.#at] === '-') this.#at++;
    if (this.#text[this.#at] === '0') this.#at++;
    else this.#digits('in numeric literal');
    if (this.#text[this.#at] === '.') {
      this.#at++;
      this.#digits('after decimal point in numeric literal');
    }
    if (/[eE]/.test(this.#text[this.#at] ?? '')) {
      this.#at++;
      if (/[+-]/.test(this.#text[this.#at] ?? '')) this.#at++;
      this.#digits('in exponent of numeric literal');
    }
  }

  #string(): void {
    for (this.#at++; this.#text[this.#at] !== '"'; this.#at++) {
      const char = this.#text[this.#at] ?? '';
      if (char < ' ') this.#fail('in string literal');
      if (char !== '\\') continue;
      this.#at++;
      const code = this.#text[this.#at] ?? '';
      if (code === 'u') {
        for (let i = 0; i < 4; i++) {
          this.#at++;
          if (!/[0-9a-fA-F]/.test(this.#text[this.#at] ?? '')) this.#fail('in \\u hexadecimal character escape');
        }
      } else if (code === '' || !'bfnrt\\/"'.includes(code)) this.#fail('in string escape code');
    }
    this.#at++;
  }

  #object(): void {
    this.#at++;
    this.#space();
    if (this.#text[this.#at] === '}') {
      this.#at++;
      return;
    }
    for (;;) {
      this.#space();
      if (this.#text[this.#at] !== '"') this.#fail('looking for beginning of object key string');
      this.#string();
      this.#space();
      if (this.#text[this.#at] !== ':') this.#fail('after object key');
      this.#at++;
      this.#space();
      this.#value('looking for beginning of value');
      this.#space();
      const char = this.#text[this.#at];
      if (char !== ',' && char !== '}') this.#fail('after object key:value pair');
      this.#at++;
      if (char === '}') return;
    }
  }

  #array(): void {
    this.#at++;
    this.#space();
    if (this.#text[this.#at] === ']') {
      this.#at++;
      return;
    }
    for (;;) {
      this.#space();
      this.#value('looking for beginning of value');
      this.#space();
      const char = this.#text[this.#at];
      if (char !== ',' && char !== ']') this.#fail('after array element');
      this.#at++;
      if (char === ']') return;
    }
  }
}

function quoteChar(rune: string): string {
  if (rune === "'") return "'\\''";
  if (rune === '"') return "'\"'";
  const code = rune.codePointAt(0)!;
  const shorts: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t', '\\': '\\\\' };
  const short = shorts[rune];
  if (short !== undefined) return `'${short}'`;
  return code < 0x20 || code === 0x7f ? `'\\x${code.toString(16).padStart(2, '0')}'` : `'${rune}'`;
}
