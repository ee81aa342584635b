// Owns what each operator makes of a value. All of it works on bytes, as the reference does.
import { lowerRune, upperRune } from '../gotemplate/sprig/case.ts';
import { type ByteString, isAscii, runeAt, runesOf, toByteString } from './bytes.ts';
import { removePrefix, removeSuffix } from './glob.ts';
import { SubstitutionError } from './parse.ts';

/** Longest result of one operator and of a whole text, in bytes. */
export const MAX_OUTPUT = 64 * 1024 * 1024;

/** Operators that bring their own value and so allow a variable that is not set. */
const DEFAULTS = new Set(['=', ':=', ':-', ':?', ':+']);

export function suppliesDefault(operator: string): boolean {
  return DEFAULTS.has(operator);
}

/** Applies an operator. `:?` and `:+` act as defaults, an unknown one (`,^`) changes nothing: so does the reference. */
export function applyOperator(operator: string, value: ByteString, args: readonly ByteString[]): ByteString {
  const [first, second] = args;
  switch (operator) {
    case ',':
      return mapFirst(value, lowerRune);
    case ',,':
      return mapAll(value, lowerRune);
    case '^':
      return mapFirst(value, upperRune);
    case '^^':
      return mapAll(value, upperRune);
    case '#':
      return first === undefined ? String(value.length) : removePrefix(value, first, false);
    case '##':
      return removePrefix(value, first!, true);
    case '%':
      return removeSuffix(value, first!, false);
    case '%%':
      return removeSuffix(value, first!, true);
    case ':':
      return substring(value, first!, second);
    case '/':
      return replace(value, first!, second ?? '', 1);
    case '//':
      return replace(value, first!, second ?? '', Number.POSITIVE_INFINITY);
    case '/#':
      return second !== undefined && value.startsWith(first!) ? second + value.slice(first!.length) : value;
    case '/%':
      return second !== undefined && value.endsWith(first!)
        ? value.slice(0, value.length - first!.length) + second
        : value;
    default:
      return value === '' ? args.join('') : value;
  }
}

function mapAll(value: ByteString, map: (rune: string) => string): ByteString {
  return toByteString(runesOf(value).map(map).join(''));
}

function mapFirst(value: ByteString, map: (rune: string) => string): ByteString {
  if (value === '') return value;
  const packed = runeAt(value, 0);
  return toByteString(map(String.fromCodePoint(packed >> 3))) + value.slice(packed & 7);
}

/** `${v:position:length}`; a text that is no number leaves the value as it is. */
function substring(value: ByteString, position: ByteString, length: ByteString | undefined): ByteString {
  let from = atoi(position);
  if (from === undefined) return value;
  if (from < 0) from = Math.max(0, value.length + from);
  if (length === undefined) return value.slice(from);
  const count = atoi(length);
  if (count === undefined) return value;
  const end = count < 0 ? value.length + count : from + count;
  return end < from ? '' : value.slice(from, end);
}

/** Go's Atoi; numbers of that size may lose digits here, but they are past the end of any value. */
function atoi(text: ByteString): number | undefined {
  if (!/^[+-]?\d+$/.test(text)) return undefined;
  const exact = BigInt(text.startsWith('+') ? text.slice(1) : text);
  return BigInt.asIntN(64, exact) === exact ? Number(exact) : undefined;
}

/** Replaces at most `limit` occurrences. An empty text occurs before each rune and at the end. */
function replace(value: ByteString, old: ByteString, replacement: ByteString, limit: number): ByteString {
  if (limit === 1) {
    const at = value.indexOf(old);
    return at < 0 ? value : value.slice(0, at) + replacement + value.slice(at + old.length);
  }
  const pieces = old === '' ? ['', ...runeSlices(value), ''] : value.split(old);
  const size = value.length + (pieces.length - 1) * (replacement.length - old.length);
  if (size > MAX_OUTPUT) throw tooLong();
  if (old !== '') return pieces.join(replacement);
  return value === '' ? replacement : pieces.slice(0, -1).join(replacement) + replacement;
}

function runeSlices(bytes: ByteString): string[] {
  if (isAscii(bytes)) return bytes.split('');
  const slices: string[] = [];
  for (let at = 0; at < bytes.length; ) {
    const width = runeAt(bytes, at) & 7;
    slices.push(bytes.slice(at, at + width));
    at += width;
  }
  return slices;
}

export function tooLong(): SubstitutionError {
  const message = `substitution yields more than ${MAX_OUTPUT / 1024 / 1024} MiB`;
  return new SubstitutionError('SubstitutionLimit', message, {});
}
