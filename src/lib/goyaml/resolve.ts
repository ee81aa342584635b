// Owns what a plain scalar means: null, bool, int, float, timestamp or string, by go-yaml's v2 and v3 rules.
import { YamlError } from './error.ts';
import type { Dialect } from './internal/cursor.ts';
import { parseTimestamp } from './internal/timestamp.ts';

export type { Dialect } from './internal/cursor.ts';

/** A scalar's type and value. Integers that a double cannot hold are bigint; a timestamp is its RFC 3339 text. */
export interface Resolved {
  readonly tag: string;
  readonly value: null | boolean | number | bigint | string;
}

const LONG_PREFIX = 'tag:yaml.org,2002:';

/** `tag:yaml.org,2002:str` → `!!str`. */
export function shortTag(tag: string): string {
  return tag.startsWith(LONG_PREFIX) ? `!!${tag.slice(LONG_PREFIX.length)}` : tag;
}

/** `!!str` → `tag:yaml.org,2002:str`. */
export function longTag(tag: string): string {
  return tag.startsWith('!!') ? LONG_PREFIX + tag.slice(2) : tag;
}

const words = new Map<string, Resolved>();
const oldBools = new Map<string, Resolved>();
function define(into: Map<string, Resolved>, tag: string, value: Resolved['value'], texts: string): void {
  for (const text of texts.split(' ')) into.set(text, { tag, value });
}
define(words, '!!bool', true, 'true True TRUE');
define(words, '!!bool', false, 'false False FALSE');
define(words, '!!null', null, ' ~ null Null NULL');
define(words, '!!float', Number.NaN, '.nan .NaN .NAN');
define(words, '!!float', Number.POSITIVE_INFINITY, '.inf .Inf .INF +.inf +.Inf +.INF');
define(words, '!!float', Number.NEGATIVE_INFINITY, '-.inf -.Inf -.INF');
define(oldBools, '!!bool', true, 'y Y yes Yes YES on On ON');
define(oldBools, '!!bool', false, 'n N no No NO off Off OFF');

/** True for the texts that YAML 1.1 reads as a boolean and 1.2 does not: `yes`, `off`, `y` … */
export function isOldBool(text: string): boolean {
  return oldBools.has(text);
}

const WORD_HINT = 1;
const NUMBER_HINT = 2;
const POINT_HINT = 3;
const hints = new Uint8Array(128);
for (const c of 'yYnNtTfFoO~') hints[c.charCodeAt(0)] = WORD_HINT;
for (const c of '+-0123456789') hints[c.charCodeAt(0)] = NUMBER_HINT;
hints[46] = POINT_HINT;
const LONGEST_WORD = 5;

/** The tag that v3 gives a plain scalar. */
export function plainTag(text: string): string {
  return resolvePlain(text, 'v3')?.tag ?? '!!str';
}

/** Type and value of a plain scalar without a tag; undefined for a string. */
export function resolvePlain(text: string, dialect: Dialect, timestamps = true): Resolved | undefined {
  if (text === '') return words.get('');
  const c = text.charCodeAt(0);
  const hint = c < 128 ? hints[c]! : 0;
  if (hint === 0) return undefined;
  if (text.length <= LONGEST_WORD) {
    const word = words.get(text) ?? (dialect === 'v2' ? oldBools.get(text) : undefined);
    if (word !== undefined) return word;
  }
  if (hint === WORD_HINT) return undefined;
  if (hint === POINT_HINT) return resolvePointed(text);
  if (timestamps) {
    const time = parseTimestamp(text);
    if (time !== undefined) return { tag: '!!timestamp', value: dialect === 'v2' ? text : time };
  }
  return resolveNumber(text, dialect);
}

const POINTED = /^\.\d(?:_?\d)*(?:[eE][+-]?\d(?:_?\d)*)?$/;

function resolvePointed(text: string): Resolved | undefined {
  return POINTED.test(text) ? finite(text.replaceAll('_', '')) : undefined;
}

const FLOAT = /^[-+]?(?:\.\d+|\d+(?:\.\d*)?)(?:[eE][-+]?\d+)?$/;

function resolveNumber(text: string, dialect: Dialect): Resolved | undefined {
  const plain = text.includes('_') ? text.replaceAll('_', '') : text;
  const int = parseGoInt(plain);
  if (int !== undefined) return { tag: '!!int', value: int };
  if (FLOAT.test(plain)) {
    const float = finite(plain);
    if (float !== undefined) return float;
  }
  // Go strips the prefix and parses what is left, sign and all: `0b-1` is a number.
  const odd = /^0b([+-][01]+)$/.exec(plain) ?? (dialect === 'v3' ? /^0o([+-][0-7]+)$/.exec(plain) : null);
  if (odd === null || odd[1]!.length > MAX_DIGITS) return undefined;
  const magnitude = BigInt(plain.slice(0, 2) + odd[1]!.slice(1));
  const value = odd[1]!.startsWith('-') ? -magnitude : magnitude;
  return fitsInt64(value) ? { tag: '!!int', value: narrow(value) } : undefined;
}

/** Go refuses a float that overflows; the text stays a string then. */
function finite(text: string): Resolved | undefined {
  const value = Number(text);
  return Number.isFinite(value) ? { tag: '!!float', value } : undefined;
}

const MAX_DIGITS = 66;
const INT = /^([+-]?)(0[xX][\da-fA-F]+|0[bB][01]+|0[oO][0-7]+|0[0-7]*|[1-9]\d*)$/;

function fitsInt64(value: bigint): boolean {
  return value >= -(1n << 63n) && value < 1n << 63n;
}

function narrow(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

/** An integer as Go's strconv reads it with base 0; undefined if it is none or fits neither int64 nor uint64. */
function parseGoInt(text: string): number | bigint | undefined {
  const match = INT.exec(text);
  if (match === null) return undefined;
  const sign = match[1]!;
  let digits = match[2]!;
  if (digits.charCodeAt(0) === 48 && digits.length > 1 && digits.charCodeAt(1) <= 57) digits = `0o${digits.slice(1)}`;
  if (digits.length <= 15) {
    const value = Number(digits);
    return sign === '-' && value !== 0 ? -value : value;
  }
  // BigInt takes quadratic time for long texts; no more than 64 digits of any base can fit.
  const prefix = /^0[xXbBoO]/.test(digits) ? digits.slice(0, 2) : '';
  digits = prefix + digits.slice(prefix.length).replace(/^0+(?=.)/, '');
  if (digits.length > MAX_DIGITS) return undefined;
  const magnitude = BigInt(digits);
  const value = sign === '-' ? -magnitude : magnitude;
  // Only an unsigned text may use the upper half of uint64.
  if (!fitsInt64(value) && !(sign === '' && value < 1n << 64n)) return undefined;
  return narrow(value);
}

const RESOLVABLE = new Set(['', '!!str', '!!bool', '!!int', '!!float', '!!null', '!!timestamp']);

/**
 * Type and value of a scalar with a tag, or of a plain one with tag ''.
 * Throws YamlError if the text is not of that type; an unknown tag leaves the text as it is.
 */
export function resolveScalar(tag: string, text: string, dialect: Dialect): Resolved {
  if (!RESOLVABLE.has(tag)) return { tag, value: text };
  if (tag === '!!str') return { tag, value: text };
  const guess = resolvePlain(text, dialect, tag === '' || tag === '!!timestamp') ?? { tag: '!!str', value: text };
  if (tag === '' || tag === guess.tag) return guess;
  if (tag === '!!float' && guess.tag === '!!int') {
    const { value } = guess;
    if (typeof value !== 'bigint' || fitsInt64(value)) return { tag, value: Number(value) };
  }
  throw new YamlError('YamlValue', `yaml: cannot decode ${guess.tag} \`${text}\` as a ${tag}`);
}
