// Owns how fmt's verbs print one scalar: flags, width and precision on booleans, integers, floats and strings.
// A function returns undefined for a verb that does not apply; what is said then is printf.ts's.
import { canBackquote, isPrintable, quote, quoteRune, quoteToAscii, runeCount, toBytes } from './gostring.ts';
import { formatFloat } from './strconv.ts';
import type { GoInt } from './value.ts';

/** The state of one directive: `%+-# 0`, width and precision; plusV and sharpV are `%+v` and `%#v`. */
export interface Flags {
  readonly plus: boolean;
  readonly minus: boolean;
  readonly sharp: boolean;
  readonly space: boolean;
  readonly zero: boolean;
  readonly plusV: boolean;
  readonly sharpV: boolean;
  readonly width: number | undefined;
  readonly precision: number | undefined;
}

export const NO_FLAGS: Flags = {
  plus: false,
  minus: false,
  sharp: false,
  space: false,
  zero: false,
  plusV: false,
  sharpV: false,
  width: undefined,
  precision: undefined,
};

/** Pads to the width, counted in runes; zeros only on the left. */
export function padText(text: string, flags: Flags, zero = flags.zero): string {
  if (flags.width === undefined || flags.width === 0) return text;
  const missing = flags.width - runeCount(text);
  if (missing <= 0) return text;
  if (flags.minus) return text + ' '.repeat(missing);
  return (zero ? '0' : ' ').repeat(missing) + text;
}

export function printBoolean(value: boolean, verb: string, flags: Flags): string | undefined {
  return verb === 't' || verb === 'v' ? padText(String(value), flags) : undefined;
}

export function printString(value: string, verb: string, flags: Flags): string | undefined {
  switch (verb) {
    case 'v':
      return flags.sharpV ? printQuoted(value, flags) : printPlain(value, flags);
    case 's':
      return printPlain(value, flags);
    case 'q':
      return printQuoted(value, flags);
    case 'x':
    case 'X':
      return value === '' ? padText('', flags) : printBytesHex(toBytes(value), verb, flags);
    default:
      return undefined;
  }
}

function printPlain(value: string, flags: Flags): string {
  return padText(truncate(value, flags), flags);
}

function truncate(value: string, { precision }: Flags): string {
  if (precision === undefined || value.length <= precision) return value;
  let end = 0;
  for (let runes = 0; runes < precision && end < value.length; runes++) end += value.codePointAt(end)! > 0xffff ? 2 : 1;
  return value.slice(0, end);
}

function printQuoted(value: string, flags: Flags): string {
  const text = truncate(value, flags);
  if (flags.sharp && canBackquote(text)) return padText(`\`${text}\``, flags);
  return padText(flags.plus ? quoteToAscii(text) : quote(text), flags);
}

/** `%x` and `%X` of bytes; the precision limits the bytes, `% x` separates them. */
export function printBytesHex(bytes: Uint8Array, verb: 'x' | 'X', flags: Flags): string {
  const shown = flags.precision === undefined ? bytes : bytes.subarray(0, flags.precision);
  const prefix = flags.sharp && shown.length > 0 ? '0x' : '';
  const pairs = Array.from(shown, (byte) => byte.toString(16).padStart(2, '0'));
  const text = prefix + pairs.join(flags.space ? ` ${prefix}` : '');
  return padText(verb === 'X' ? text.toUpperCase() : text, flags);
}

export function printInteger(value: GoInt, verb: string, flags: Flags): string | undefined {
  switch (verb) {
    case 'v':
      if (flags.sharpV && value.type.kind.startsWith('u')) {
        return integerText(value.value, 16, verb, { ...flags, sharp: true });
      }
      return integerText(value.value, 10, verb, flags);
    case 'd':
      return integerText(value.value, 10, verb, flags);
    case 'b':
      return integerText(value.value, 2, verb, flags);
    case 'o':
    case 'O':
      return integerText(value.value, 8, verb, flags);
    case 'x':
    case 'X':
      return integerText(value.value, 16, verb, flags);
    case 'c':
      return padText(String.fromCodePoint(runeOf(value.value)), flags);
    case 'q':
      return padText(quoteRune(runeOf(value.value), flags.plus), flags);
    case 'U':
      return unicodeText(BigInt.asUintN(64, value.value), flags);
    default:
      return undefined;
  }
}

function runeOf(value: bigint): number {
  const rune = value < 0n || value > 0x10ffffn ? 0xfffd : Number(value);
  return rune >= 0xd800 && rune <= 0xdfff ? 0xfffd : rune;
}

function integerText(value: bigint, base: number, verb: string, flags: Flags): string {
  if (flags.precision === 0 && value === 0n) return padText('', flags, false);
  const negative = value < 0n;
  const signed = negative || flags.plus || flags.space;
  let digits = (negative ? -value : value).toString(base);
  let minimum = flags.precision ?? 0;
  if (flags.precision === undefined && flags.zero && !flags.minus && flags.width !== undefined) {
    minimum = flags.width - (signed ? 1 : 0);
  }
  digits = digits.padStart(minimum, '0');
  if (flags.sharp) digits = basePrefix(base, digits) + digits;
  if (verb === 'O') digits = `0o${digits}`;
  if (verb === 'X') digits = digits.toUpperCase();
  const sign = negative ? '-' : flags.plus ? '+' : flags.space ? ' ' : '';
  return padText(sign + digits, flags, false);
}

function basePrefix(base: number, digits: string): string {
  if (base === 2) return '0b';
  if (base === 8) return digits.startsWith('0') ? '' : '0';
  return base === 16 ? '0x' : '';
}

function unicodeText(point: bigint, flags: Flags): string {
  const digits = point
    .toString(16)
    .toUpperCase()
    .padStart(Math.max(flags.precision ?? 4, 4), '0');
  const rune = point <= 0x10ffffn ? String.fromCodePoint(Number(point)) : '';
  const shown = flags.sharp && rune !== '' && isPrintable(rune) ? ` '${rune}'` : '';
  return padText(`U+${digits}${shown}`, flags, false);
}

export function printFloat(value: number, verb: string, flags: Flags): string | undefined {
  switch (verb) {
    case 'v':
      return floatText(value, 'g', flags.precision ?? -1, flags);
    case 'b':
    case 'g':
    case 'G':
    case 'x':
    case 'X':
      return floatText(value, verb, flags.precision ?? -1, flags);
    case 'f':
    case 'e':
    case 'E':
      return floatText(value, verb, flags.precision ?? 6, flags);
    case 'F':
      return floatText(value, 'f', flags.precision ?? 6, flags);
    default:
      return undefined;
  }
}

type FloatVerb = 'b' | 'g' | 'G' | 'x' | 'X' | 'f' | 'e' | 'E';

function floatText(value: number, verb: FloatVerb, precision: number, flags: Flags): string {
  const formatted = formatFloat(value, verb, precision);
  const signed = formatted.startsWith('-') || formatted.startsWith('+');
  const sign = signed ? formatted[0]! : flags.space && !flags.plus ? ' ' : '+';
  let body = signed ? formatted.slice(1) : formatted;
  if (!Number.isFinite(value)) {
    const isBare = Number.isNaN(value) && !flags.space && !flags.plus;
    const shownSign = sign === '+' && flags.space && !flags.plus ? ' ' : sign;
    return padText(isBare ? body : shownSign + body, flags, false);
  }
  if (flags.sharp && verb !== 'b') body = withDecimalPoint(body, verb, precision);
  if (!flags.plus && sign === '+') return padText(body, flags);
  const missing = (flags.width ?? 0) - body.length - 1;
  if (flags.zero && !flags.minus && missing > 0) return sign + '0'.repeat(missing) + body;
  return padText(sign + body, flags);
}

/** The `#` flag: always a decimal point, and for %g the trailing zeros. */
function withDecimalPoint(body: string, verb: FloatVerb, precision: number): string {
  const isHex = verb === 'x' || verb === 'X';
  const tailAt = body.search(isHex ? /[pP]/ : /[eE]/);
  const tail = tailAt < 0 ? '' : body.slice(tailAt);
  let number = tailAt < 0 ? body : body.slice(0, tailAt);
  let digits = verb === 'g' || verb === 'G' || verb === 'x' ? (precision === -1 ? 6 : precision) : 0;
  const significant = number.replace('.', '').replace(/^0+/, '');
  digits -= significant.length;
  if (!number.includes('.')) {
    if (number === '0') digits--;
    number += '.';
  }
  return number + '0'.repeat(Math.max(digits, 0)) + tail;
}
