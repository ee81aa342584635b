// Owns regular expressions that users write: RE2 syntax and Go's regexp semantics in linear time (engine: re2js).
// Go back-reference and look-around refusals, match rules and error texts included. Our own fixed patterns use JavaScript's RegExp.
import { RE2JS, RE2JSSyntaxException } from 're2js';
import { CodedError } from './errors.ts';

/**
 * Largest compiled program, in instructions. Go allows some three million, which here would be hundreds of MiB;
 * a pattern people write has under a thousand.
 */
const MAX_PROGRAM = 40_000;
/** Largest pattern text, in UTF-16 units. */
const MAX_PATTERN = 64 * 1024;
/**
 * Work of one call, in characters read times the program's size in hundreds of instructions: about a second at worst.
 * One search is linear, but "all matches" is quadratic where each match must look at the rest of the text (`a.*b|a`).
 */
const MAX_WORK = 4_000_000;

/** A pattern that RE2 refuses, or a search beyond the cost limits. Messages are Go's (`error parsing regexp: …`). */
export class RegexpError extends CodedError<'InvalidRegexp' | 'RegexpTooExpensive', { readonly pattern: string }> {}

/** How a pattern is read. */
export interface RegexpOptions {
  /** As `(?i)` before the pattern. @default false */
  readonly ignoreCase?: boolean;
  /** Go's `Longest()`: leftmost-longest instead of leftmost-first. @default false */
  readonly longest?: boolean;
}

/**
 * A compiled pattern. Positions are UTF-16 indices into the text; `n < 0` means all matches, as in Go.
 * Immutable to the caller; searches may throw RegexpError `RegexpTooExpensive` on texts far beyond ordinary sizes.
 */
export class Regexp {
  /** The pattern as written. */
  readonly source: string;
  /** Name of each group by number; '' for group 0 and for unnamed groups (Go's SubexpNames). */
  readonly groupNames: readonly string[];
  readonly #engine: ReturnType<RE2JS['re2']>;
  readonly #cost: number;

  /** Use `compileRegexp`. */
  constructor(source: string, compiled: RE2JS, groupNames: readonly string[]) {
    this.source = source;
    this.#engine = compiled.re2();
    this.#cost = Math.max(1, compiled.programSize() / 100);
    this.groupNames = groupNames;
  }

  /** True if the pattern matches anywhere in the text (Go's MatchString). */
  test(text: string): boolean {
    return this.#engine.executeEngine(this.#input(text), 0, UNANCHORED, 0) !== null;
  }

  /** True if the pattern matches the whole text. */
  testExact(text: string): boolean {
    return this.#engine.executeEngine(this.#input(text), 0, ANCHOR_BOTH, 0) !== null;
  }

  /** Text of the leftmost match, or undefined. */
  find(text: string): string | undefined {
    const [match] = this.#matches(text, 1);
    return match && text.slice(match[0], match[1]);
  }

  /** Groups of the leftmost match (0 = whole match; undefined for a group that took no part), or undefined. */
  findSubmatch(text: string): (string | undefined)[] | undefined {
    const [match] = this.#matches(text, 1);
    return match && groupsOf(text, match);
  }

  /** Index pairs of the leftmost match and its groups (-1 for none), or undefined (Go's FindStringSubmatchIndex). */
  findSubmatchIndex(text: string): readonly number[] | undefined {
    return this.#matches(text, 1)[0];
  }

  /** Texts of successive non-overlapping matches, at most `n` of them. */
  findAll(text: string, n = -1): string[] {
    return this.#matches(text, n).map((match) => text.slice(match[0], match[1]));
  }

  /** Groups of successive matches, as `findSubmatch` gives them. */
  findAllSubmatch(text: string, n = -1): (string | undefined)[][] {
    return this.#matches(text, n).map((match) => groupsOf(text, match));
  }

  /** Index pairs of successive matches and their groups. */
  findAllSubmatchIndex(text: string, n = -1): (readonly number[])[] {
    return this.#matches(text, n);
  }

  /** Replaces every match; `$1`, `${1}`, `$name`, `$$` in the template are expanded by Go's rules. */
  replaceAll(text: string, template: string): string {
    if (!template.includes('$')) return this.replaceAllLiteral(text, template);
    const parts = parseTemplate(template, this.groupNames);
    return this.#replace(text, (match) => expand(parts, text, match));
  }

  /** Replaces every match by the same text, taken as it is. */
  replaceAllLiteral(text: string, replacement: string): string {
    return this.#replace(text, () => replacement);
  }

  /** Replaces every match by what the function makes of its groups. */
  replaceAllFunc(text: string, replacement: (groups: readonly (string | undefined)[]) => string): string {
    return this.#replace(text, (match) => replacement(groupsOf(text, match)));
  }

  /** Text between matches, at most `n` pieces (Go's Split: 0 gives none, negative gives all). */
  split(text: string, n = -1): string[] {
    if (n === 0) return [];
    if (this.source !== '' && text === '') return [''];
    const pieces: string[] = [];
    let begin = 0;
    let end = 0;
    for (const match of this.#matches(text, n)) {
      if (n > 0 && pieces.length === n - 1) break;
      end = match[0]!;
      if (match[1] !== 0) pieces.push(text.slice(begin, end));
      begin = match[1]!;
    }
    if (end !== text.length) pieces.push(text.slice(begin));
    return pieces;
  }

  #replace(text: string, replacement: (match: readonly number[]) => string): string {
    let out = '';
    let last = 0;
    for (const match of this.#matches(text, -1)) {
      out += text.slice(last, match[0]) + replacement(match);
      last = match[1]!;
    }
    return last === 0 && out === '' ? text : out + text.slice(last);
  }

  /** Go's rule for successive matches: an empty match directly after the one before does not count. */
  #matches(text: string, n: number): number[][] {
    const found: number[][] = [];
    const input = this.#input(text);
    const width = this.groupNames.length * 2;
    let position = 0;
    let previousEnd = -1;
    while ((n < 0 || found.length < n) && position <= text.length) {
      const match = this.#engine.executeEngine(input, position, UNANCHORED, width) as number[] | null;
      if (match === null) break;
      const start = match[0]!;
      const end = match[1]!;
      if (end > position) position = end;
      else position += (text.codePointAt(position) ?? 0) > 0xffff ? 2 : 1;
      if (start !== end || start !== previousEnd) {
        while (match.length < width) match.push(-1);
        found.push(match);
      }
      previousEnd = end;
    }
    return found;
  }

  #input(text: string): MeteredText {
    return new MeteredText(text, this.source, this.#cost);
  }
}

const UNANCHORED = 0;
const ANCHOR_BOTH = 2;
/** What the engine reads past the end of the text. */
const END_OF_TEXT = -8;

/**
 * The text under search, in the form that the engine reads (the methods of re2js's own inputs), which counts what is
 * read: the only way to stop a search that costs too much without a clock.
 */
class MeteredText {
  readonly #text: string;
  readonly #pattern: string;
  readonly #cost: number;
  #left = MAX_WORK;

  constructor(text: string, pattern: string, cost: number) {
    this.#text = text;
    this.#pattern = pattern;
    this.#cost = cost;
  }

  /** The code point at a position and its width, packed as `point << 3 | width`. */
  step(position: number): number {
    this.#spend(this.#cost);
    const text = this.#text;
    if (position >= text.length) return END_OF_TEXT;
    const unit = text.charCodeAt(position);
    if (unit < 0xd800 || unit > 0xdbff) return (unit << 3) | 1;
    const point = text.codePointAt(position)!;
    return point > 0xffff ? (point << 3) | 2 : (unit << 3) | 1;
  }

  /** Distance to the next occurrence of the literal that every match starts with, or -1. */
  index(engine: { readonly prefix: string }, position: number): number {
    const at = this.#text.indexOf(engine.prefix, position);
    this.#spend(((at < 0 ? this.#text.length : at) - position) / 16);
    return at < 0 ? -1 : at - position;
  }

  /** Which of `^ $ \A \z \b \B` hold at a position, as the engine's bit set. */
  context(position: number): number {
    const text = this.#text;
    const before = position > 0 ? text.charCodeAt(position - 1) : -1;
    const after = position < text.length ? text.charCodeAt(position) : -1;
    let flags = 0;
    if (before < 0) flags |= 0b101;
    else if (before === 0x0a) flags |= 0b001;
    if (after < 0) flags |= 0b1010;
    else if (after === 0x0a) flags |= 0b0010;
    return flags | (isWordUnit(before) !== isWordUnit(after) ? 0b010000 : 0b100000);
  }

  endPos(): number {
    return this.#text.length;
  }

  canCheckPrefix(): boolean {
    return true;
  }

  prefixLength(engine: { readonly prefix: string }): number {
    return engine.prefix.length;
  }

  /** False only if no match is possible because a literal that each match has is missing from here on. */
  hasString(literal: { readonly str: string }, position: number): boolean {
    const at = this.#text.indexOf(literal.str, position);
    this.#spend(((at < 0 ? this.#text.length : at) - position) / 16);
    return at >= 0;
  }

  hasAnyString(): boolean {
    return true;
  }

  #spend(work: number): void {
    this.#left -= work;
    if (this.#left >= 0) return;
    const message = `regexp: search for \`${this.#pattern}\` in a text of ${this.#text.length} characters is too expensive`;
    throw new RegexpError('RegexpTooExpensive', message, { pattern: this.#pattern });
  }
}

function isWordUnit(unit: number): boolean {
  return (
    (unit >= 0x61 && unit <= 0x7a) || (unit >= 0x41 && unit <= 0x5a) || (unit >= 0x30 && unit <= 0x39) || unit === 0x5f
  );
}

/**
 * Compiles a pattern of RE2 syntax (Go's `regexp.Compile`).
 * Throws RegexpError with Go's message: ``error parsing regexp: missing closing ]: `[` ``.
 */
export function compileRegexp(pattern: string, options: RegexpOptions = {}): Regexp {
  if (pattern.length > MAX_PATTERN) throw invalid(pattern, 'expression too large');
  if (estimateSize(pattern) > MAX_PROGRAM) throw invalid(pattern, 'expression too large');
  if (!pattern.isWellFormed()) throw invalid(pattern, `invalid UTF-8: \`${pattern}\``);
  const flags = (options.ignoreCase ? RE2JS.CASE_INSENSITIVE : 0) | (options.longest ? RE2JS.LONGEST_MATCH : 0);
  let compiled: RE2JS;
  let names: string[] | undefined;
  try {
    compiled = RE2JS.compile(pattern, flags);
  } catch (error) {
    if (!(error instanceof RE2JSSyntaxException)) throw error;
    const description = error.getDescription();
    if (description !== DUPLICATE_NAME) {
      const noCulprit = description.startsWith('trailing backslash') ? '' : undefined;
      const culprit = error.getPattern() ?? noCulprit;
      throw invalid(pattern, culprit === undefined ? description : `${description}: \`${culprit}\``);
    }
    names = [''];
    compiled = RE2JS.compile(withoutGroupNames(pattern, names), flags);
  }
  if (compiled.programSize() > MAX_PROGRAM) throw invalid(pattern, 'expression too large');
  return new Regexp(pattern, compiled, names ?? namesOf(compiled));
}

/** Quoted runs, escapes, classes, group ends and repetitions: what the size of a program depends on. */
const SIZE_SYNTAX =
  /\\Q.*?(?:\\E|$)|\\[xpP]\{[^}]*\}|\\.|\[\^?\]?(?:\\.|\[:\^?\w+:\]|[^\]\\])*\]|\((?:\?[^:()]*:)?|\)|\{(\d+)(?:,(\d*))?\}|./gsu;

/** About how many instructions a pattern compiles to; known before compiling, which may take all memory. */
function estimateSize(pattern: string): number {
  if (!pattern.includes('{')) return 0;
  const outer: number[] = [];
  let size = 0;
  let atom = 0;
  for (const [token, low, high] of pattern.matchAll(SIZE_SYNTAX)) {
    if (low !== undefined) {
      const times = Math.max(Number(low), Number(high ?? 0), 1);
      // Refused for a better reason by the parser.
      if (times > 1000) return 0;
      size += atom * (times - 1);
      atom *= times;
    } else if (token.startsWith('(')) {
      outer.push(size);
      size = 0;
    } else if (token === ')') {
      atom = size + 2;
      size = (outer.pop() ?? 0) + atom;
    } else {
      atom = token.startsWith('\\Q') ? token.length : 1;
      size += atom;
    }
  }
  return size + outer.reduce((sum, each) => sum + each, 0);
}

/** What re2js says of a name used twice, which Go allows, and of names such as `constructor`. */
const DUPLICATE_NAME = 'duplicate capture group name';

function namesOf(compiled: RE2JS): string[] {
  const names = new Array<string>(compiled.groupCount() + 1).fill('');
  for (const [name, index] of Object.entries(compiled.namedGroups())) names[index] = name;
  return names;
}

/** Escapes, quoted runs, classes and group openings: what must be told apart to see which parentheses open a group. */
const GROUP_SYNTAX =
  /\\Q.*?(?:\\E|$)|\\.|\[\^?\]?(?:\\.|\[:\^?\w+:\]|[^\]\\])*\]|\(\?P?<([\p{L}\p{Nd}_]+)>|\((?!\?)/gsu;

/** Turns named groups into plain ones and puts the names, by group number, into `names`. */
function withoutGroupNames(pattern: string, names: string[]): string {
  return pattern.replace(GROUP_SYNTAX, (token, name: string | undefined) => {
    if (name === undefined && token !== '(') return token;
    names.push(name ?? '');
    return '(';
  });
}

/** Escapes every metacharacter, so that the result matches the text literally (Go's QuoteMeta). */
export function quoteMeta(text: string): string {
  return text.replace(/[\\.+*?()|[\]{}^$]/g, '\\$&');
}

function invalid(pattern: string, detail: string): RegexpError {
  return new RegexpError('InvalidRegexp', `error parsing regexp: ${detail}`, { pattern });
}

function groupsOf(text: string, match: readonly number[]): (string | undefined)[] {
  const groups: (string | undefined)[] = [];
  for (let i = 0; i < match.length; i += 2) groups.push(match[i]! < 0 ? undefined : text.slice(match[i], match[i + 1]));
  return groups;
}

/** A piece of a replacement template: literal text, or the groups it may stand for (the first that took part). */
type TemplatePart = string | readonly number[];

/** `$name` takes the longest run of letters, digits and `_`; a malformed `$` is literal text. */
const REFERENCE = /\$(?:\$|\{([\p{L}\p{Nd}_]+)\}|([\p{L}\p{Nd}_]+))/gu;

function parseTemplate(template: string, groupNames: readonly string[]): TemplatePart[] {
  const parts: TemplatePart[] = [];
  let last = 0;
  for (const match of template.matchAll(REFERENCE)) {
    parts.push(template.slice(last, match.index));
    last = match.index + match[0].length;
    const name = match[1] ?? match[2];
    parts.push(name === undefined ? '$' : groupsNamed(name, groupNames));
  }
  parts.push(template.slice(last));
  return parts;
}

function groupsNamed(name: string, groupNames: readonly string[]): number[] {
  if (/^(?:0|[1-9]\d*)$/.test(name)) return Number(name) < groupNames.length ? [Number(name)] : [];
  return groupNames.flatMap((groupName, index) => (groupName === name ? [index] : []));
}

function expand(parts: readonly TemplatePart[], text: string, match: readonly number[]): string {
  let out = '';
  for (const part of parts) {
    if (typeof part === 'string') {
      out += part;
      continue;
    }
    const group = part.find((index) => match[index * 2]! >= 0);
    if (group !== undefined) out += text.slice(match[group * 2], match[group * 2 + 1]);
  }
  return out;
}
