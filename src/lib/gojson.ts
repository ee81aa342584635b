// Owns encoding/json as Go has it where its texts show: parse errors, and output with HTML characters escaped.
// Plain JSON without those is json.ts.
import { CodedError } from './errors.ts';
import { type JsonValue, stringifyJson } from './json.ts';

/** JSON that does not parse; the message is Go's. */
export class GoJsonError extends CodedError<'InvalidJson', { readonly offset: number }> {}

const MAX_DEPTH = 10_000;
/** Where the end of the text is refused as the blank that Go's scanner puts there. */
const WITHIN_TOKEN = /^(?:in literal|in numeric|after decimal|in exponent|in string escape|in \\u)/;

/**
 * Parses JSON as Go decodes it into `interface{}`: every number a float64, invalid code units replaced.
 * Throws GoJsonError.
 */
export function parseGoJson(text: string): JsonValue {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new Scanner(text).findError() ?? error;
  }
  // Only texts with an exponent or very long numbers can hold what no float64 can.
  if (/[0-9][eE]|[0-9]{300}/.test(text)) new Scanner(text).checkNumbers();
  return value as JsonValue;
}

const HTML = /[<>&\u2028\u2029]/g;
const LONE = /\\u(d[89a-f][0-9a-f]{2})/g;

/** Writes JSON on one line as Go's Marshal: `<`, `>`, `&` and line separators escaped, broken text as U+FFFD. */
export function formatGoJson(
  value: JsonValue,
  options: { readonly escapeHtml?: boolean; readonly indent?: number } = {},
): string {
  const text = stringifyJson(value, options.indent).replace(LONE, replaceLone);
  const toEscape = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return options.escapeHtml === false ? text.replace(/[\u2028\u2029]/g, toEscape) : text.replace(HTML, toEscape);
}

/** JSON.stringify writes lone surrogates as escapes; an escaped backslash before the `u` is none. */
function replaceLone(match: string, _digits: string, offset: number, whole: string): string {
  let backslashes = 0;
  while (whole[offset - 1 - backslashes] === '\\') backslashes++;
  return backslashes % 2 === 0 ? '\ufffd' : match;
}

/** Walks a text that JSON.parse refused (or that may hold too large a number) to say what Go would. */
class Scanner {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  findError(): GoJsonError | undefined {
    try {
      this.#value(0, false);
      this.#skipSpace();
      if (this.#at < this.#text.length) this.#unexpected('after top-level value');
      return undefined;
    } catch (error) {
      if (error instanceof GoJsonError) return error;
      throw error;
    }
  }

  checkNumbers(): void {
    this.#value(0, true);
  }

  #value(depth: number, numbers: boolean): void {
    this.#skipSpace();
    const character = this.#text[this.#at];
    if (depth > MAX_DEPTH) throw new GoJsonError('InvalidJson', 'exceeded max depth', { offset: this.#at });
    if (character === '{') this.#object(depth, numbers);
    else if (character === '[') this.#array(depth, numbers);
    else if (character === '"') this.#string();
    else if (character === 't') this.#literal('true');
    else if (character === 'f') this.#literal('false');
    else if (character === 'n') this.#literal('null');
    else if (character !== undefined && /[-0-9]/.test(character)) this.#number(numbers);
    else this.#unexpected('looking for beginning of value');
  }

  #object(depth: number, numbers: boolean): void {
    this.#at++;
    this.#skipSpace();
    if (this.#take('}')) return;
    for (;;) {
      this.#skipSpace();
      if (this.#text[this.#at] !== '"') this.#unexpected('looking for beginning of object key string');
      this.#string();
      this.#skipSpace();
      if (!this.#take(':')) this.#unexpected('after object key');
      this.#value(depth + 1, numbers);
      this.#skipSpace();
      if (this.#take('}')) return;
      if (!this.#take(',')) this.#unexpected('after object key:value pair');
    }
  }

  #array(depth: number, numbers: boolean): void {
    this.#at++;
    this.#skipSpace();
    if (this.#take(']')) return;
    for (;;) {
      this.#value(depth + 1, numbers);
      this.#skipSpace();
      if (this.#take(']')) return;
      if (!this.#take(',')) this.#unexpected('after array element');
    }
  }

  #string(): void {
    this.#at++;
    for (;;) {
      const code = this.#text.charCodeAt(this.#at);
      if (Number.isNaN(code) || code < 0x20) this.#unexpected('in string literal');
      this.#at++;
      if (code === 0x22) return;
      if (code !== 0x5c) continue;
      if (this.#take('u')) {
        for (let i = 0; i < 4; i++) {
          if (!/[0-9a-fA-F]/.test(this.#text[this.#at] ?? '')) this.#unexpected('in \\u hexadecimal character escape');
          this.#at++;
        }
      } else if (!/["\\/bfnrt]/.test(this.#text[this.#at] ?? '')) this.#unexpected('in string escape code');
      else this.#at++;
    }
  }

  #literal(word: string): void {
    for (const [index, letter] of [...word].entries()) {
      if (this.#text[this.#at] !== letter)
        this.#unexpected(index === 0 ? '' : `in literal ${word} (expecting '${letter}')`);
      this.#at++;
    }
  }

  #number(check: boolean): void {
    const start = this.#at;
    if (this.#take('-') && !this.#isDigit()) this.#unexpected('in numeric literal');
    if (!this.#take('0')) this.#digits();
    if (this.#take('.')) {
      if (!this.#isDigit()) this.#unexpected('after decimal point in numeric literal');
      this.#digits();
    }
    if (this.#take('e') || this.#take('E')) {
      if (!this.#take('+')) this.#take('-');
      if (!this.#isDigit()) this.#unexpected('in exponent of numeric literal');
      this.#digits();
    }
    const digits = this.#text.slice(start, this.#at);
    if (!check || Number.isFinite(Number(digits))) return;
    const message = `json: cannot unmarshal number ${digits} into Go value of type float64`;
    throw new GoJsonError('InvalidJson', message, { offset: start });
  }

  #digits(): void {
    while (this.#isDigit()) this.#at++;
  }

  #isDigit(): boolean {
    const code = this.#text.charCodeAt(this.#at);
    return code >= 0x30 && code <= 0x39;
  }

  #take(character: string): boolean {
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  #skipSpace(): void {
    while (/[ \t\r\n]/.test(this.#text[this.#at] ?? '')) this.#at++;
  }

  #unexpected(context: string): never {
    const offset = this.#at;
    const point = this.#text.codePointAt(offset);
    if (point === undefined && !WITHIN_TOKEN.test(context)) {
      throw new GoJsonError('InvalidJson', 'unexpected end of JSON input', { offset });
    }
    throw new GoJsonError('InvalidJson', `invalid character ${quoteByte(point ?? 0x20)} ${context}`, { offset });
  }
}

/** Go names the offending byte, so of a character beyond ASCII only the first one, read as Latin-1. */
function quoteByte(point: number): string {
  // Go strings may hold bytes that are no text; the template language keeps those as U+DC80 to U+DCFF.
  const isRaw = point >= 0xdc80 && point <= 0xdcff;
  const byte = isRaw ? point - 0xdc00 : Buffer.from(String.fromCodePoint(point), 'utf8')[0]!;
  if (byte === 0x27) return `'\\''`;
  if (byte === 0x22) return `'"'`;
  const escapes: Record<number, string> = {
    7: '\\a',
    8: '\\b',
    9: '\\t',
    10: '\\n',
    11: '\\v',
    12: '\\f',
    13: '\\r',
    92: '\\\\',
  };
  const hex = (value: number) => `\\x${value.toString(16).padStart(2, '0')}`;
  const text =
    escapes[byte] ??
    (byte < 0x20 || byte === 0x7f
      ? hex(byte)
      : byte > 0x7f && byte < 0xa1
        ? `\\u00${byte.toString(16)}`
        : String.fromCharCode(byte));
  return `'${text}'`;
}
