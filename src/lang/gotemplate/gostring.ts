// Owns Go strings as JavaScript strings: bytes and lengths, quoting and unquoting.
// Bytes that are not UTF-8 stand as lone surrogates U+DC80…U+DCFF, so every byte string has a text and comes back whole.
import { goQuote } from '../../lib/goquote.ts';
import { GoError } from './value.ts';

const RAW_BASE = 0xdc00;
const ASCII_ONLY = /^[\x00-\x7f]*$/;
const LONE_SURROGATE = /\p{Surrogate}/u;
const utf8 = new TextEncoder();
const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** True if bytes and UTF-16 units coincide. */
export function isAscii(text: string): boolean {
  return ASCII_ONLY.test(text);
}

/** Go's len of a string. */
export function byteLength(text: string): number {
  if (ASCII_ONLY.test(text)) return text.length;
  let length = 0;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) length += 1;
    else if (unit < 0x800) length += 2;
    else if (isRawByte(unit) && !isSecondOfPair(text, i)) length += 1;
    else if (isSecondOfPair(text, i)) length += 1;
    else length += 3;
  }
  return length;
}

/** The bytes of a string. */
export function toBytes(text: string): Uint8Array {
  if (!LONE_SURROGATE.test(text)) return utf8.encode(text);
  const chunks: Uint8Array[] = [];
  for (const piece of text.split(/([\udc80-\udcff]+)/u)) {
    if (piece !== '' && LONE_SURROGATE.test(piece) && isRawByte(piece.charCodeAt(0))) {
      chunks.push(Uint8Array.from(piece, (unit) => unit.charCodeAt(0) - RAW_BASE));
    } else chunks.push(utf8.encode(piece));
  }
  return Buffer.concat(chunks);
}

/** The string of some bytes. */
export function fromBytes(bytes: Uint8Array): string {
  try {
    return strictUtf8.decode(bytes);
  } catch {
    return decodeLossless(bytes);
  }
}

function decodeLossless(bytes: Uint8Array): string {
  let out = '';
  for (let i = 0; i < bytes.length; ) {
    const width = sequenceWidth(bytes, i);
    if (width === 0) {
      out += String.fromCharCode(RAW_BASE + bytes[i]!);
      i += 1;
    } else {
      out += strictUtf8.decode(bytes.subarray(i, i + width));
      i += width;
    }
  }
  return out;
}

/** Length of the well-formed UTF-8 sequence at an index, 0 if there is none. */
function sequenceWidth(bytes: Uint8Array, index: number): number {
  const first = bytes[index]!;
  if (first < 0x80) return 1;
  const width = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || index + width > bytes.length) return 0;
  const second = bytes[index + 1]!;
  const low = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
  const high = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
  if (second < low || second > high) return 0;
  for (let i = 2; i < width; i++) if ((bytes[index + i]! & 0xc0) !== 0x80) return 0;
  return width;
}

/** Go's s[from:to] by bytes; the bounds must be in range. A cut rune leaves raw bytes. */
export function sliceBytes(text: string, from: number, to?: number): string {
  if (isAscii(text)) return text.slice(from, to);
  return fromBytes(toBytes(text).subarray(from, to));
}

/** The text with every raw byte replaced by U+FFFD, as Go's JSON encoder and rune loops see it. */
export function toValidText(text: string): string {
  return LONE_SURROGATE.test(text) ? text.toWellFormed() : text;
}

/** Number of runes; each raw byte counts as one. */
export function runeCount(text: string): number {
  if (isAscii(text)) return text.length;
  let count = 0;
  for (const _ of text) count++;
  return count;
}

/** True for a unit that stands for a raw byte (unless it is the second half of a pair). */
export function isRawByte(unit: number): boolean {
  return unit >= 0xdc80 && unit <= 0xdcff;
}

function isSecondOfPair(text: string, index: number): boolean {
  const unit = text.charCodeAt(index);
  if (unit < 0xdc00 || unit > 0xdfff || index === 0) return false;
  const before = text.charCodeAt(index - 1);
  return before >= 0xd800 && before <= 0xdbff;
}

// ---- quoting ------------------------------------------------------------------------------------

/** Go's strconv.Quote, raw bytes as `\xNN`. */
export function quote(text: string): string {
  return LONE_SURROGATE.test(text) ? `"${escapeRunes(text, '"', false)}"` : goQuote(text);
}

/** Go's strconv.QuoteToASCII. */
export function quoteToAscii(text: string): string {
  return `"${escapeRunes(text, '"', true)}"`;
}

/** Go's strconv.QuoteRune and QuoteRuneToASCII. */
export function quoteRune(point: number, asciiOnly = false): string {
  const valid = point <= 0x10ffff && (point < 0xd800 || point > 0xdfff) ? point : 0xfffd;
  return `'${escapeRunes(String.fromCodePoint(valid), "'", asciiOnly)}'`;
}

/** Go's strconv.CanBackquote. */
export function canBackquote(text: string): boolean {
  return !/[\x00-\x08\x0a-\x1f`\x7f\ufeff]|\p{Surrogate}/u.test(text);
}

/** True for runes that Go's unicode.IsPrint accepts. */
export function isPrintable(rune: string): boolean {
  return /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]/u.test(rune);
}

const SHORT_ESCAPES: ReadonlyMap<string, string> = new Map([
  ['\x07', '\\a'],
  ['\b', '\\b'],
  ['\f', '\\f'],
  ['\n', '\\n'],
  ['\r', '\\r'],
  ['\t', '\\t'],
  ['\v', '\\v'],
]);

function escapeRunes(text: string, delimiter: string, asciiOnly: boolean): string {
  let out = '';
  for (const rune of text) out += escapeRune(rune, delimiter, asciiOnly);
  return out;
}

function escapeRune(rune: string, delimiter: string, asciiOnly: boolean): string {
  if (rune === delimiter || rune === '\\') return `\\${rune}`;
  const point = rune.codePointAt(0)!;
  if (isRawByte(point)) return `\\x${(point - RAW_BASE).toString(16)}`;
  if (point < 0x80 || !asciiOnly) {
    if (isPrintable(rune)) return rune;
  }
  const short = SHORT_ESCAPES.get(rune);
  if (short !== undefined) return short;
  if (point < 0x20 || point === 0x7f) return `\\x${point.toString(16).padStart(2, '0')}`;
  if (point >= 0xd800 && point <= 0xdfff) return asciiOnly ? '\\ufffd' : '\ufffd';
  return point < 0x10000 ? `\\u${point.toString(16).padStart(4, '0')}` : `\\U${point.toString(16).padStart(8, '0')}`;
}

// ---- unquoting ----------------------------------------------------------------------------------

const ESCAPE = /\\(?:([abfnrtv\\'"])|x([0-9a-fA-F]{2})|([0-7]{3})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8}))|\\|[^\\]+/gy;

const UNESCAPES: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  "'": "'",
  '"': '"',
};

/**
 * Go's strconv.Unquote for `"…"` and `` `…` `` tokens (the lexer has seen to the delimiters).
 * Throws GoError `invalid syntax`.
 */
export function unquote(token: string): string {
  const body = token.slice(1, -1);
  if (token.startsWith('`')) return body.replaceAll('\r', '');
  if (!body.includes('\\')) return body;
  return unescapeText(body, '"');
}

/** The rune of a character constant token `'x'`. Throws GoError with the text Go's template parser gives. */
export function unquoteRune(token: string): number {
  const body = token.slice(1, -1);
  if (body === '') throw new GoError('invalid syntax');
  const first = body.startsWith('\\')
    ? (body.match(/^\\(?:[abfnrtv\\'"]|x..|[0-7]{3}|u.{4}|U.{8})/s)?.[0] ?? body)
    : firstRune(body);
  const text = first.startsWith('\\') ? unescapeText(first, "'") : first;
  if (first.length !== body.length) throw new GoError(`malformed character constant: ${token}`);
  const point = text.codePointAt(0)!;
  return isRawByte(point) ? point - RAW_BASE : point;
}

function firstRune(text: string): string {
  return String.fromCodePoint(text.codePointAt(0)!);
}

function unescapeText(body: string, delimiter: string): string {
  let out = '';
  let raw = false;
  for (const match of body.matchAll(ESCAPE)) {
    const [token, short, hex, octal, shortUnicode, longUnicode] = match;
    if (short !== undefined) {
      if ((short === "'" || short === '"') && short !== delimiter) throw new GoError('invalid syntax');
      out += UNESCAPES[short]!;
    } else if (hex !== undefined || octal !== undefined) {
      const byte = hex === undefined ? Number.parseInt(octal!, 8) : Number.parseInt(hex, 16);
      if (byte > 255) throw new GoError('invalid syntax');
      // In a character constant the number is the rune itself; in a string it is one byte.
      if (byte < 0x80) out += String.fromCharCode(byte);
      else {
        out += String.fromCharCode(RAW_BASE + byte);
        raw = true;
      }
    } else if (shortUnicode !== undefined || longUnicode !== undefined) {
      const point = Number.parseInt(shortUnicode ?? longUnicode!, 16);
      if (point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) throw new GoError('invalid syntax');
      out += String.fromCodePoint(point);
    } else if (token === '\\') throw new GoError('invalid syntax');
    else out += token;
  }
  // Bytes written one by one may form a rune.
  return raw ? fromBytes(toBytes(out)) : out;
}
