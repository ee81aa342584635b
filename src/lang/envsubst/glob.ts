// Owns `${v#…}` and its family: removing the shortest or longest beginning or end that a glob matches. The matcher has
// the reference's rules, in which `*` takes `/` too and a pattern is only refused where a text reaches the mistake.
import { type ByteString, isAscii, runeAt, runesOf, toByteString } from './bytes.ts';
import { SubstitutionError } from './parse.ts';

/** Comparisons of one removal. The reference needs the square of the value's length, so a large value would take hours. */
const MAX_STEPS = 5_000_000;

/** Removes a matching beginning; the value as it is when none matches or the pattern is malformed. */
export function removePrefix(value: ByteString, pattern: ByteString, longest: boolean): ByteString {
  const end = isPlain(value, pattern) ? plainEnd(value, pattern, longest) : generalEnd(value, pattern, longest);
  return value.slice(end);
}

/** Removes a matching end. The reference turns both texts round, rune by rune, brackets of classes included. */
export function removeSuffix(value: ByteString, pattern: ByteString, longest: boolean): ByteString {
  return reverse(removePrefix(reverse(value), reverse(pattern), longest));
}

function reverse(bytes: ByteString): ByteString {
  return toByteString(runesOf(bytes).reverse().join(''));
}

/** True when every character of the pattern stands for exactly one byte or is `*`: then one walk is enough. */
function isPlain(value: ByteString, pattern: ByteString): boolean {
  return !/[[\\]/.test(pattern) && (!pattern.includes('?') || isAscii(value));
}

/** End of the beginning that a plain pattern matches; 0 for none. */
function plainEnd(value: ByteString, pattern: ByteString, longest: boolean): number {
  const chunks = pattern.split(/\*+/);
  const steps = new Steps();
  const first = chunks[0]!;
  if (!fits(value, 0, first, steps)) return 0;
  if (chunks.length === 1) return first.length;
  let at = first.length;
  for (const chunk of chunks.slice(1, -1)) {
    at = findForward(value, chunk, at, steps);
    if (at < 0) return 0;
    at += chunk.length;
  }
  const last = chunks.at(-1)!;
  if (last === '') return longest ? value.length : Math.min(Math.max(1, at), value.length);
  const found = longest ? findBackward(value, last, at, steps) : findForward(value, last, at, steps);
  return found < 0 ? 0 : found + last.length;
}

function findForward(value: ByteString, chunk: ByteString, from: number, steps: Steps): number {
  if (!chunk.includes('?')) return value.indexOf(chunk, from);
  for (let at = from; at + chunk.length <= value.length; at++) if (fits(value, at, chunk, steps)) return at;
  return -1;
}

function findBackward(value: ByteString, chunk: ByteString, from: number, steps: Steps): number {
  for (let at = value.length - chunk.length; at >= from; at--) if (fits(value, at, chunk, steps)) return at;
  return -1;
}

function fits(value: ByteString, at: number, chunk: ByteString, steps: Steps): boolean {
  if (at + chunk.length > value.length) return false;
  for (let i = 0; i < chunk.length; i++) {
    steps.spend();
    if (chunk[i] !== '?' && chunk[i] !== value[at + i]) return false;
  }
  return true;
}

/** As the reference does it: every beginning is tried, the longest first. */
function generalEnd(value: ByteString, pattern: ByteString, longest: boolean): number {
  const steps = new Steps();
  let found = 0;
  for (let end = value.length; end > 0; end--) {
    const matched = match(pattern, value.slice(0, end), steps);
    if (matched === undefined) return 0;
    if (!matched) continue;
    if (longest) return end;
    found = end;
  }
  return found;
}

/** Whether a pattern matches a whole name; undefined for a malformed pattern. */
function match(pattern: ByteString, name: ByteString, steps: Steps): boolean | undefined {
  let rest = pattern;
  let at = 0;
  while (rest !== '') {
    const { star, chunk, after } = splitChunk(rest);
    rest = after;
    if (star && chunk === '') return true;
    const isLast = rest === '';
    let end = matchChunk(chunk, name, at, steps);
    if (end === undefined) return undefined;
    if (end < 0 || (isLast && end < name.length)) {
      if (!star) return false;
      const later = matchLater(chunk, name, at, isLast, steps);
      if (later === undefined || later < 0) return later === undefined ? undefined : false;
      end = later;
    }
    at = end;
  }
  return at === name.length;
}

function matchLater(
  chunk: ByteString,
  name: ByteString,
  from: number,
  isLast: boolean,
  steps: Steps,
): number | undefined {
  for (let at = from + 1; at <= name.length; at++) {
    const end = matchChunk(chunk, name, at, steps);
    if (end === undefined) return undefined;
    if (end >= 0 && (!isLast || end === name.length)) return end;
  }
  return -1;
}

/** The next piece of a pattern without stars, and whether stars stand before it. */
function splitChunk(pattern: ByteString): { star: boolean; chunk: ByteString; after: ByteString } {
  const start = /^\**/.exec(pattern)![0].length;
  let inClass = false;
  let at = start;
  for (; at < pattern.length; at++) {
    const character = pattern[at];
    if (character === '\\') at += at + 1 < pattern.length ? 1 : 0;
    else if (character === '[') inClass = true;
    else if (character === ']') inClass = false;
    else if (character === '*' && !inClass) break;
  }
  return { star: start > 0, chunk: pattern.slice(start, at), after: pattern.slice(at) };
}

/** Where a chunk that begins at a position ends; -1 when it does not match, undefined when it is malformed. */
function matchChunk(chunk: ByteString, name: ByteString, from: number, steps: Steps): number | undefined {
  let at = from;
  for (let i = 0; i < chunk.length; ) {
    steps.spend();
    if (at >= name.length) return -1;
    const character = chunk[i];
    if (character === '[') {
      const packed = runeAt(name, at);
      const result = matchClass(chunk, i + 1, packed >> 3, steps);
      if (result === undefined) return undefined;
      if (!result.matched) return -1;
      at += packed & 7;
      i = result.end;
      continue;
    }
    if (character === '?') {
      at += runeAt(name, at) & 7;
      i++;
      continue;
    }
    if (character === '\\') {
      i++;
      if (i >= chunk.length) return undefined;
    }
    if (chunk[i] !== name[at]) return -1;
    at++;
    i++;
  }
  return at;
}

/** A character class behind its `[`; undefined when it is malformed. */
function matchClass(
  chunk: ByteString,
  from: number,
  rune: number,
  steps: Steps,
): { matched: boolean; end: number } | undefined {
  const negated = chunk[from] === '^';
  let at = negated ? from + 1 : from;
  let matched = false;
  for (let ranges = 0; ; ranges++) {
    steps.spend();
    if (chunk[at] === ']' && ranges > 0) return { matched: matched !== negated, end: at + 1 };
    const low = classRune(chunk, at);
    if (low === undefined) return undefined;
    at = low.end;
    let high = low;
    if (chunk[at] === '-') {
      const end = classRune(chunk, at + 1);
      if (end === undefined) return undefined;
      high = end;
      at = end.end;
    }
    if (low.rune <= rune && rune <= high.rune) matched = true;
  }
}

/** One character of a class, possibly escaped; the class must go on behind it. */
function classRune(chunk: ByteString, from: number): { rune: number; end: number } | undefined {
  let at = from;
  if (at >= chunk.length || chunk[at] === '-' || chunk[at] === ']') return undefined;
  if (chunk[at] === '\\') {
    at++;
    if (at >= chunk.length) return undefined;
  }
  const packed = runeAt(chunk, at);
  const end = at + (packed & 7);
  const isBroken = packed >> 3 === 0xfffd && (packed & 7) === 1;
  return isBroken || end >= chunk.length ? undefined : { rune: packed >> 3, end };
}

class Steps {
  #left = MAX_STEPS;

  spend(): void {
    if (--this.#left >= 0) return;
    throw new SubstitutionError('SubstitutionLimit', 'a pattern needs too many steps for the value it is given', {});
  }
}
