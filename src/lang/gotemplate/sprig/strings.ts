// Owns sprig's text functions. Lengths and positions are in bytes, as in Go.

import type { Execution } from '../execution.ts';
import { func, funcWith, type GoFunction, variadic, variadicWith } from '../function.ts';
import { byteLength, isAscii, quote, sliceBytes, toBytes } from '../gostring.ts';
import { sprintf } from '../printf.ts';
import {
  ANY,
  compareStrings,
  GoError,
  type GoValue,
  INT,
  listItems,
  STRING,
  STRING_LIST,
  STRING_MAP,
  stringList,
  TypedMap,
  TypedSlice,
} from '../value.ts';
import { lowerRune, toPascalCase, toSeparatedCase, upperRune } from './case.ts';
import { toText } from './cast.ts';
import { wrapText } from './wrap.ts';

export function stringFunctions(): [string, GoFunction][] {
  return [
    ['hello', func([], () => 'Hello!')],
    ['trim', func([STRING], trimSpace)],
    ['trimAll', func([STRING, STRING], (cut, text) => trimSet(text, cut))],
    ['trimall', func([STRING, STRING], (cut, text) => trimSet(text, cut))],
    ['trimSuffix', func([STRING, STRING], (suffix, text) => trimSuffix(text, suffix))],
    [
      'trimPrefix',
      func([STRING, STRING], (prefix, text) => (text.startsWith(prefix) ? text.slice(prefix.length) : text)),
    ],
    ['upper', func([STRING], (text) => mapRunes(text, upperRune))],
    ['lower', func([STRING], (text) => mapRunes(text, lowerRune))],
    ['title', func([STRING], titleCase)],
    ['untitle', func([STRING], untitle)],
    ['swapcase', func([STRING], swapCase)],
    ['snakecase', func([STRING], (text) => toSeparatedCase(text, '_'))],
    ['kebabcase', func([STRING], (text) => toSeparatedCase(text, '-'))],
    ['camelcase', func([STRING], toPascalCase)],
    ['nospace', func([STRING], withoutSpace)],
    ['initials', func([STRING], initials)],
    ['repeat', funcWith([INT, STRING], repeat)],
    ['indent', funcWith([INT, STRING], indent)],
    ['nindent', funcWith([INT, STRING], (execution, width, text) => `\n${indent(execution, width, text)}`)],
    ['substr', func([INT, INT, STRING], substring)],
    ['trunc', func([INT, STRING], truncate)],
    ['abbrev', func([INT, STRING], (width, text) => (width < 4 ? text : abbreviate(text, 0, width)))],
    ['abbrevboth', func([INT, INT, STRING], abbreviateBoth)],
    [
      'wrap',
      funcWith([INT, STRING], (execution, width, text) =>
        wrapText(text, { width, breakWords: false }, execution.budget),
      ),
    ],
    [
      'wrapWith',
      funcWith([INT, STRING, STRING], (execution, width, newline, text) =>
        wrapText(text, { width, newline, breakWords: true }, execution.budget),
      ),
    ],
    ['contains', func([STRING, STRING], (part, text) => text.includes(part))],
    ['hasPrefix', func([STRING, STRING], (prefix, text) => text.startsWith(prefix))],
    ['hasSuffix', func([STRING, STRING], (suffix, text) => text.endsWith(suffix))],
    ['replace', funcWith([STRING, STRING, STRING], replaceText)],
    ['plural', func([STRING, STRING, INT], (one, many, count) => (count === 1 ? one : many))],
    [
      'quote',
      variadic([], ANY, (...values) =>
        present(values)
          .map((value) => quote(toText(value)))
          .join(' '),
      ),
    ],
    [
      'squote',
      variadic([], ANY, (...values) =>
        present(values)
          .map((value) => sprintf("'%v'", [value]))
          .join(' '),
      ),
    ],
    ['cat', variadicWith([], ANY, catenate)],
    ['toString', func([ANY], toText)],
    ['toStrings', func([ANY], (value) => stringList(textList(value)))],
    ['join', funcWith([STRING, ANY], joinTexts)],
    ['sortAlpha', func([ANY], sortAlpha)],
    ['split', func([STRING, STRING], (separator, text) => numbered(splitText(text, separator)))],
    ['splitn', func([STRING, INT, STRING], (separator, count, text) => numbered(splitLimited(text, separator, count)))],
    ['splitList', func([STRING, STRING], (separator, text) => stringList(splitText(text, separator)))],
  ];
}

function present(values: readonly GoValue[]): GoValue[] {
  return values.filter((value) => value !== null && value !== undefined);
}

// ---- white space and cutting --------------------------------------------------------------------

/** Go's unicode.IsSpace; unlike JavaScript's it leaves U+FEFF alone and takes U+0085. */
const SPACE = '\\t\\n\\v\\f\\r \\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000';
const LEADING_SPACE = new RegExp(`^[${SPACE}]+`);
const TRAILING_SPACE = new RegExp(`(?<![${SPACE}])[${SPACE}]+$`);
const IS_SPACE = new RegExp(`[${SPACE}]`);

/** Go's strings.TrimSpace. */
export function trimSpace(text: string): string {
  return text.replace(LEADING_SPACE, '').replace(TRAILING_SPACE, '');
}

function trimSet(text: string, cut: string): string {
  const runes = new Set(cut);
  const letters = [...text];
  let from = 0;
  let to = letters.length;
  while (from < to && runes.has(letters[from]!)) from++;
  while (to > from && runes.has(letters[to - 1]!)) to--;
  return from === 0 && to === letters.length ? text : letters.slice(from, to).join('');
}

function trimSuffix(text: string, suffix: string): string {
  return suffix !== '' && text.endsWith(suffix) ? text.slice(0, -suffix.length) : text;
}

/** The Go function looks at bytes: those of a rune are kept one by one, as Latin-1 characters, once any space goes. */
function withoutSpace(text: string): string {
  const bytes = [...toBytes(text)];
  const kept = bytes.filter((byte) => !IS_SPACE.test(String.fromCharCode(byte)));
  return kept.length === bytes.length ? text : String.fromCharCode(...kept);
}

function initials(text: string): string {
  let out = '';
  let afterGap = true;
  for (const byte of toBytes(text)) {
    const char = String.fromCharCode(byte);
    if (IS_SPACE.test(char)) afterGap = true;
    else if (afterGap) {
      out += char;
      afterGap = false;
    }
  }
  return out;
}

function repeat({ budget }: Execution, count: number, text: string): string {
  if (count < 0) throw new GoError('strings: negative Repeat count');
  budget.checkString(count * text.length);
  return text.repeat(count);
}

function indent({ budget }: Execution, width: number, text: string): string {
  if (width < 0) throw new GoError('strings: negative Repeat count');
  budget.checkString(width);
  const pad = ' '.repeat(width);
  if (!text.includes('\n')) return pad + text;
  if (width > 64) budget.checkString(width * text.split('\n').length);
  return pad + text.replaceAll('\n', `\n${pad}`);
}

function replaceText({ budget }: Execution, from: string, to: string, text: string): string {
  if (to.length > 64 && text.length > 64) budget.checkString((text.length * to.length) / Math.max(from.length, 1));
  if (from !== '') return text.split(from).join(to);
  // An empty pattern matches before every rune and at the end.
  return to + [...text].map((rune) => rune + to).join('');
}

/** Go's s[from:to] with the panics of its bounds. */
function cut(text: string, from: number, to: number): string {
  const length = byteLength(text);
  if (to < 0 || to > length) {
    throw new GoError(`runtime error: slice bounds out of range [:${to}]${to < 0 ? '' : ` with length ${length}`}`);
  }
  if (from > to) throw new GoError(`runtime error: slice bounds out of range [${from}:${to}]`);
  return sliceBytes(text, from, to);
}

function substring(start: number, end: number, text: string): string {
  if (start < 0) return cut(text, 0, end);
  const length = byteLength(text);
  return cut(text, start, end < 0 || end > length ? length : end);
}

function truncate(count: number, text: string): string {
  const length = isAscii(text) ? text.length : byteLength(text);
  if (count < 0) return length + count > 0 ? sliceBytes(text, length + count) : text;
  return length > count ? sliceBytes(text, 0, count) : text;
}

function abbreviateBoth(left: number, right: number, text: string): string {
  return right < 4 || (left > 0 && right < 7) ? text : abbreviate(text, left, right);
}

function abbreviate(text: string, offset: number, width: number): string {
  const length = byteLength(text);
  if (width < 4 || length === 0) return '';
  if (length <= width) return text;
  let from = Math.min(offset, length);
  if (length - from < width - 3) from = length - (width - 3);
  if (from <= 4) return `${sliceBytes(text, 0, width - 3)}...`;
  if (width < 7) return '';
  if (from + width - 3 < length) return `...${abbreviate(sliceBytes(text, from), 0, width - 3)}`;
  return `...${sliceBytes(text, length - (width - 3))}`;
}

// ---- case ---------------------------------------------------------------------------------------

function mapRunes(text: string, map: (rune: string) => string): string {
  if (isAscii(text)) return map === upperRune ? text.toUpperCase() : text.toLowerCase();
  let out = '';
  // A byte that is not UTF-8 becomes U+FFFD.
  for (const rune of text.toWellFormed()) out += map(rune);
  return out;
}

/** Go's strings.Title: upper case after anything that is no letter, digit, underscore or (beyond ASCII) non-space. */
function titleCase(text: string): string {
  let out = '';
  let previous = ' ';
  for (const rune of text.toWellFormed()) {
    out += isTitleSeparator(previous) ? upperRune(rune) : rune;
    previous = rune;
  }
  return out;
}

function isTitleSeparator(rune: string): boolean {
  if (rune <= '\x7f') return !/[0-9A-Za-z_]/.test(rune);
  if (/[\p{L}\p{Nd}]/u.test(rune)) return false;
  return IS_SPACE.test(rune);
}

function untitle(text: string): string {
  let out = '';
  let atStart = true;
  for (const rune of text.toWellFormed()) {
    if (IS_SPACE.test(rune)) atStart = true;
    out += atStart && !IS_SPACE.test(rune) ? lowerRune(rune) : rune;
    if (!IS_SPACE.test(rune)) atStart = false;
  }
  return out;
}

/** goutils' rule has title case after a space, which is upper case but for a handful of digraphs. */
function swapCase(text: string): string {
  let out = '';
  for (const rune of text.toWellFormed()) {
    if (/\p{Lu}|\p{Lt}/u.test(rune)) out += lowerRune(rune);
    else out += /\p{Ll}/u.test(rune) ? upperRune(rune) : rune;
  }
  return out;
}

// ---- lists of texts -----------------------------------------------------------------------------

/** A value as texts: lists without their nils, a scalar as one, nil as none. */
export function textList(value: GoValue): string[] {
  if (value instanceof TypedSlice && value.type === STRING_LIST) return value.items as string[];
  const items = listItems(value);
  if (items !== undefined) return present(items).map(toText);
  return value === null || value === undefined ? [] : [toText(value)];
}

function joinTexts({ budget }: Execution, separator: string, value: GoValue): string {
  const texts = textList(value);
  if (separator.length > 64) budget.checkString(separator.length * texts.length);
  return texts.join(separator);
}

function sortAlpha(value: GoValue): GoValue {
  if (listItems(value) === undefined) return stringList([toText(value)]);
  return stringList(textList(value).toSorted(compareStrings));
}

function catenate({ budget }: Execution, ...values: GoValue[]): string {
  const shown = present(values);
  return sprintf(shown.map(() => '%v').join(' '), shown, budget);
}

/** Go's strings.Split: an empty separator splits into runes. */
function splitText(text: string, separator: string): string[] {
  return separator === '' ? [...text] : text.split(separator);
}

/** Go's strings.SplitN: at most `count` pieces, the last one unsplit; 0 gives none, negative all. */
function splitLimited(text: string, separator: string, count: number): string[] {
  if (count === 0) return [];
  const pieces = splitText(text, separator);
  if (count < 0 || pieces.length <= count) return pieces;
  return [...pieces.slice(0, count - 1), pieces.slice(count - 1).join(separator)];
}

function numbered(pieces: readonly string[]): TypedMap {
  return new TypedMap(
    STRING_MAP,
    pieces.map((piece, index) => [`_${index}`, piece] as const),
  );
}
