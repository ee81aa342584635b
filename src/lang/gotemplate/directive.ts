// Owns reading fmt's directives: flags, argument indexes, width, precision and verb, with Go's leniencies. What a verb
// prints is verbs.ts, the complaints about verbs are printf.ts.
import { GoInt, type GoValue } from './value.ts';
import { type Flags, NO_FLAGS } from './verbs.ts';

/** Largest width or precision, as in Go; beyond it the verb prints a complaint. */
const MAX_WIDTH = 1_000_000;
/** Flags as they are read. */
export interface MutableFlags extends Flags {
  plus: boolean;
  minus: boolean;
  sharp: boolean;
  space: boolean;
  zero: boolean;
  plusV: boolean;
  sharpV: boolean;
  width: number | undefined;
  precision: number | undefined;
}

/** One directive of a format. */
export interface Directive {
  /** '' when the format ends before the verb. */
  readonly verb: string;
  readonly flags: MutableFlags;
  readonly argument: number;
  readonly goodArgument: boolean;
  readonly reordered: boolean;
  /** What a bad `*` prints before the verb. */
  readonly complaints: string;
  /** Index behind the verb. */
  readonly end: number;
}

/** Reads flags, `[index]`, width, `.precision` and the verb, in Go's order and with its leniencies. */
export function parseDirective(
  format: string,
  start: number,
  nextArgument: number,
  values: readonly GoValue[],
): Directive {
  const flags: MutableFlags = { ...NO_FLAGS };
  let complaints = '';
  let at = parseFlags(format, start, flags);
  const index = new ArgumentIndex(format, nextArgument, values.length);
  at = index.read(at);
  if (format[at] === '*') {
    at++;
    flags.width = starValue(values, index.argument++);
    if (flags.width === undefined) complaints += '%!(BADWIDTH)';
    else if (flags.width < 0) {
      flags.width = -flags.width;
      flags.minus = true;
      flags.zero = false;
    }
    index.justRead = false;
  } else {
    const width = parseNumber(format, at);
    flags.width = width.value;
    at = width.end;
    if (index.justRead && width.value !== undefined) index.good = false;
  }
  if (format[at] === '.' && at + 1 < format.length) {
    at++;
    if (index.justRead) index.good = false;
    at = index.read(at);
    if (format[at] === '*') {
      at++;
      const precision = starValue(values, index.argument++);
      flags.precision = precision !== undefined && precision < 0 ? undefined : precision;
      if (flags.precision === undefined) complaints += '%!(BADPREC)';
      index.justRead = false;
    } else {
      const precision = parseNumber(format, at);
      flags.precision = precision.value ?? 0;
      at = precision.end;
    }
  }
  if (!index.justRead) at = index.read(at);
  const verb = at < format.length ? String.fromCodePoint(format.codePointAt(at)!) : '';
  const { argument, good, reordered } = index;
  return { verb, flags, argument, goodArgument: good, reordered, complaints, end: at + verb.length };
}

function parseFlags(format: string, start: number, flags: MutableFlags): number {
  let at = start;
  for (; at < format.length; at++) {
    const char = format[at];
    if (char === '#') flags.sharp = true;
    else if (char === '0') flags.zero = true;
    else if (char === '+') flags.plus = true;
    else if (char === '-') flags.minus = true;
    else if (char === ' ') flags.space = true;
    else break;
  }
  return at;
}

/** The `[n]` of a directive: which argument comes next. */
class ArgumentIndex {
  argument: number;
  good = true;
  reordered = false;
  /** The element before was an index. */
  justRead = false;
  readonly #format: string;
  readonly #count: number;

  constructor(format: string, argument: number, count: number) {
    this.#format = format;
    this.argument = argument;
    this.#count = count;
  }

  /** Reads an index at a position, if there is one; returns the position behind it. */
  read(at: number): number {
    this.justRead = false;
    if (this.#format[at] !== '[') return at;
    this.reordered = true;
    const close = this.#format.indexOf(']', at + 1);
    if (close < 0 || this.#format.length - at < 3) {
      this.good = false;
      return at + 1;
    }
    const number = parseNumber(this.#format.slice(0, close), at + 1);
    const isNumber = number.value !== undefined && number.end === close;
    if (isNumber && number.value! >= 1 && number.value! <= this.#count) {
      this.argument = number.value! - 1;
      this.justRead = true;
    } else {
      this.good = false;
      this.justRead = isNumber;
    }
    return close + 1;
  }
}

/** Decimal digits; a number beyond the limit swallows the rest of the format, as in Go. */
function parseNumber(format: string, start: number): { value: number | undefined; end: number } {
  let value: number | undefined;
  let at = start;
  for (; at < format.length; at++) {
    const digit = format.charCodeAt(at) - 0x30;
    if (digit < 0 || digit > 9) break;
    if ((value ?? 0) > MAX_WIDTH) return { value: undefined, end: format.length };
    value = (value ?? 0) * 10 + digit;
  }
  return { value, end: at };
}

function starValue(values: readonly GoValue[], index: number): number | undefined {
  const value = values[index];
  if (!(value instanceof GoInt)) return undefined;
  const number = Number(value.value);
  return Math.abs(number) > MAX_WIDTH ? undefined : number;
}
