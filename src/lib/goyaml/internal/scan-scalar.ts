// Owns the text of scalars: plain, quoted, literal and folded. Values are slices of the input wherever nothing is folded.
import { endsFlowPlain, hexValue, isBlank, isBlankOrEnd, isBreak, isBreakOrEnd, isDigit, isHex } from './chars.ts';
import type { Cursor } from './cursor.ts';
import { TextBuilder } from './text-builder.ts';
import { type Token, tok } from './token.ts';

/** `---` or `...` alone at the beginning of a line. */
export function atDocumentIndicator(cursor: Cursor): boolean {
  if (cursor.column !== 0) return false;
  const c = cursor.code();
  if (c !== 45 && c !== 46) return false;
  return cursor.code(1) === c && cursor.code(2) === c && isBlankOrEnd(cursor.code(3));
}

/** Line breaks between two lines of a flow scalar: one is a space, more lose the first. */
function foldBreaks(first: string, more: string): string {
  if (first !== '\n') return first + more;
  return more === '' ? ' ' : more;
}

export function scanPlain(cursor: Cursor): Token {
  const { text, flowLevel } = cursor;
  const token = cursor.token(tok.scalar);
  const indent = cursor.indent + 1;
  let value = '';
  let folded: TextBuilder | undefined;
  let first = '';
  let more = '';
  let folding = false;
  for (;;) {
    if (atDocumentIndicator(cursor) || cursor.code() === 35) break;
    const lineFrom = cursor.pos;
    const lineTo = plainLineEnd(text, lineFrom, flowLevel > 0);
    if (lineTo > lineFrom) {
      if (folding) {
        if (folded === undefined) (folded = new TextBuilder()).append(value);
        folded.append(foldBreaks(first, more));
        folded.append(text.slice(lineFrom, lineTo));
      } else {
        value = text.slice(lineFrom, lineTo);
      }
      cursor.advance(lineTo);
      cursor.newlines = 0;
      folding = false;
      first = '';
      more = '';
    }
    const stop = skipPlainBlanks(cursor, token, indent, folding);
    if (stop === undefined) break;
    if (stop !== '') {
      if (folding) more += stop;
      else {
        first = stop[0]!;
        more = stop.slice(1);
      }
      folding = true;
    }
    if (cursor.pos === lineFrom) break;
    if (flowLevel === 0 && cursor.column < indent) break;
  }
  token.value = folded === undefined ? value : folded.toString();
  // A new line may begin with a key.
  if (folding) cursor.keyAllowed = true;
  return token;
}

/** Where the words of a plain scalar end on this line; blanks inside belong to it, blanks at the end do not. */
function plainLineEnd(text: string, from: number, inFlow: boolean): number {
  let i = from;
  let last = from;
  for (;;) {
    let c = text.charCodeAt(i);
    if (c === 35 && i > last) return last;
    const word = i;
    while (!isBlankOrEnd(c)) {
      if (c === 58 && isBlankOrEnd(text.charCodeAt(i + 1))) break;
      if (inFlow && endsFlowPlain(c)) break;
      c = text.charCodeAt(++i);
    }
    if (i > word) last = i;
    if (!isBlank(c)) return last;
    while (isBlank(c)) c = text.charCodeAt(++i);
    if (isBreakOrEnd(c)) return last;
  }
}

/** Steps over blanks and breaks behind a word; the breaks, or undefined when there is neither blank nor break. */
function skipPlainBlanks(cursor: Cursor, token: Token, indent: number, folding: boolean): string | undefined {
  const { text } = cursor;
  let c = text.charCodeAt(cursor.pos);
  if (!isBlank(c) && !isBreak(c)) return undefined;
  let breaks = '';
  while (isBlank(c) || isBreak(c)) {
    if (isBlank(c)) {
      if (c === 9 && (folding || breaks !== '') && cursor.column < indent) {
        cursor.fail('found a tab character that violates indentation', token);
      }
      cursor.pos++;
    } else {
      breaks += cursor.readLine();
    }
    c = text.charCodeAt(cursor.pos);
  }
  return breaks;
}

const SINGLE = 39;
const DOUBLE = 34;

export function scanQuoted(cursor: Cursor, quote: number): Token {
  const token = cursor.token(tok.scalar);
  token.style = quote === SINGLE ? 'single' : 'double';
  cursor.pos++;
  const from = cursor.pos;
  const to = simpleQuoteEnd(cursor.text, from, quote);
  if (to >= 0) {
    token.value = cursor.text.slice(from, to);
    cursor.advance(to);
  } else {
    token.value = scanQuotedLines(cursor, token, quote);
  }
  cursor.pos++;
  cursor.newlines = 0;
  return token;
}

/** Where a quoted text ends that has neither escapes nor line breaks; -1 for all others. */
function simpleQuoteEnd(text: string, from: number, quote: number): number {
  for (let i = from; ; i++) {
    const c = text.charCodeAt(i);
    if (c === quote) return quote === SINGLE && text.charCodeAt(i + 1) === SINGLE ? -1 : i;
    if (c === 92 ? quote === DOUBLE : isBreakOrEnd(c)) return -1;
  }
}

function scanQuotedLines(cursor: Cursor, token: Token, quote: number): string {
  const { text } = cursor;
  const value = new TextBuilder();
  for (;;) {
    if (atDocumentIndicator(cursor)) cursor.fail('found unexpected document indicator', token);
    if (cursor.code() === 0) cursor.fail('found unexpected end of stream', token);
    const escapedBreak = scanQuotedLine(cursor, token, quote, value);
    if (text.charCodeAt(cursor.pos) === quote && !escapedBreak) return value.toString();
    value.append(foldQuoted(cursor, escapedBreak));
    if (cursor.code() === quote) return value.toString();
  }
}

/** Takes what stands on this line, up to the quote or the break; true if the break is escaped (and taken). */
function scanQuotedLine(cursor: Cursor, token: Token, quote: number, value: TextBuilder): boolean {
  const { text } = cursor;
  let from = cursor.pos;
  let i = from;
  for (;;) {
    const c = text.charCodeAt(i);
    if (c === quote) {
      if (quote === DOUBLE || text.charCodeAt(i + 1) !== SINGLE) break;
      value.append(text.slice(from, i + 1));
      i += 2;
      from = i;
    } else if (c === 92 && quote === DOUBLE) {
      if (i > from) value.append(text.slice(from, i));
      cursor.advance(i);
      if (isBreak(text.charCodeAt(i + 1))) {
        cursor.pos++;
        cursor.skipLine();
        return true;
      }
      value.append(scanEscape(cursor, token));
      i = cursor.pos;
      from = i;
    } else if (isBreakOrEnd(c)) {
      break;
    } else {
      i++;
    }
  }
  let to = i;
  if (text.charCodeAt(i) !== quote) while (to > from && isBlank(text.charCodeAt(to - 1))) to--;
  value.append(text.slice(from, to));
  cursor.advance(i);
  return false;
}

/** Steps over breaks and indentation inside quotes and gives what they fold to. */
function foldQuoted(cursor: Cursor, escapedBreak: boolean): string {
  let first = '';
  let more = '';
  let c = cursor.code();
  while (isBlank(c) || isBreak(c)) {
    if (isBlank(c)) cursor.pos++;
    else if (first === '' && !escapedBreak) first = cursor.readLine();
    else more += cursor.readLine();
    c = cursor.code();
  }
  return first === '' ? more : foldBreaks(first, more);
}

const ESCAPES: Record<string, string | undefined> = Object.assign(Object.create(null) as object, {
  '0': '\0',
  a: '\x07',
  b: '\b',
  t: '\t',
  '\t': '\t',
  n: '\n',
  v: '\v',
  f: '\f',
  r: '\r',
  e: '\x1b',
  ' ': ' ',
  '"': '"',
  "'": "'",
  '\\': '\\',
  N: '\u0085',
  _: '\u00a0',
  L: '\u2028',
  P: '\u2029',
});

function scanEscape(cursor: Cursor, token: Token): string {
  const { text, pos } = cursor;
  cursor.checkInput(2);
  const letter = text[pos + 1]!;
  const simple = ESCAPES[letter];
  if (simple !== undefined) {
    cursor.pos += 2;
    return simple;
  }
  const width = letter === 'x' ? 2 : letter === 'u' ? 4 : letter === 'U' ? 8 : 0;
  if (width === 0) cursor.fail('found unknown escape character', token);
  cursor.pos += 2;
  let value = 0;
  for (let k = 0; k < width; k++) {
    const c = cursor.code(k);
    if (c === 0) cursor.checkInput(k + 1);
    if (!isHex(c)) cursor.fail('did not find expected hexdecimal number', token);
    value = value * 16 + hexValue(c);
  }
  if ((value >= 0xd800 && value <= 0xdfff) || value > 0x10ffff) {
    cursor.fail('found invalid Unicode character escape code', token);
  }
  cursor.pos += width;
  return String.fromCodePoint(value);
}

/** What the line of `|` or `>` says. */
interface BlockHeader {
  readonly chomp: '' | '-' | '+';
  readonly increment: number;
}

/** Scans `|` and `>`; `lineComment` takes a comment behind the indicator. */
export function scanBlock(cursor: Cursor, literal: boolean, lineComment: (pos: number) => void): Token {
  const token = cursor.token(tok.scalar);
  token.style = literal ? 'literal' : 'folded';
  cursor.pos++;
  cursor.newlines = 0;
  const header = scanBlockHeader(cursor, token, lineComment);
  let indent = header.increment === 0 ? 0 : Math.max(cursor.indent, 0) + header.increment;
  const state = { indent, breaks: '' };
  scanBlockBreaks(cursor, token, state);
  indent = state.indent;

  const { text } = cursor;
  const value = new TextBuilder();
  let lead = '';
  let wasBlank = false;
  while (cursor.column === indent && text.charCodeAt(cursor.pos) !== 0) {
    const blank = isBlank(text.charCodeAt(cursor.pos));
    if (!literal && !wasBlank && !blank && lead === '\n') {
      if (state.breaks === '') value.append(' ');
    } else if (lead !== '') {
      value.append(lead);
    }
    if (state.breaks !== '') value.append(state.breaks);
    state.breaks = '';
    wasBlank = blank;
    value.append(takeBlockLine(cursor));
    lead = isBreak(text.charCodeAt(cursor.pos)) ? cursor.readLine() : '';
    scanBlockBreaks(cursor, token, state);
  }
  if (header.chomp !== '-') value.append(lead);
  if (header.chomp === '+') value.append(state.breaks);
  token.value = value.toString();
  return token;
}

function takeBlockLine(cursor: Cursor): string {
  const { text, pos } = cursor;
  let i = pos;
  let c = text.charCodeAt(i);
  let allBlank = true;
  while (!isBreakOrEnd(c)) {
    if (allBlank && !isBlank(c)) allBlank = false;
    c = text.charCodeAt(++i);
  }
  cursor.advance(i);
  if (!allBlank) cursor.newlines = 0;
  return text.slice(pos, i);
}

function scanBlockHeader(cursor: Cursor, token: Token, lineComment: (pos: number) => void): BlockHeader {
  let chomp: BlockHeader['chomp'] = '';
  let increment = 0;
  const takeChomp = (): void => {
    const c = cursor.code();
    if (c !== 43 && c !== 45) return;
    chomp = c === 43 ? '+' : '-';
    cursor.pos++;
  };
  const takeIncrement = (): void => {
    const c = cursor.code();
    if (!isDigit(c)) return;
    if (c === 48) cursor.fail('found an indentation indicator equal to 0', token);
    increment = c - 48;
    cursor.pos++;
  };
  takeChomp();
  takeIncrement();
  if (chomp === '') takeChomp();
  while (isBlank(cursor.code())) cursor.pos++;
  if (cursor.code() === 35) {
    lineComment(token.pos);
    let i = cursor.pos;
    while (!isBreakOrEnd(cursor.text.charCodeAt(i))) i++;
    cursor.advance(i);
  }
  if (!isBreakOrEnd(cursor.code())) cursor.fail('did not find expected comment or line break', token);
  cursor.skipLine();
  return { chomp, increment };
}

/** Steps over indentation and empty lines; sets the indentation on first use if the header did not. */
function scanBlockBreaks(cursor: Cursor, token: Token, state: { indent: number; breaks: string }): void {
  const { text } = cursor;
  let deepest = 0;
  for (;;) {
    while ((state.indent === 0 || cursor.column < state.indent) && text.charCodeAt(cursor.pos) === 32) cursor.pos++;
    if (cursor.column > deepest) deepest = cursor.column;
    const c = text.charCodeAt(cursor.pos);
    if (c === 9 && (state.indent === 0 || cursor.column < state.indent)) {
      cursor.fail('found a tab character where an indentation space is expected', token);
    }
    if (!isBreak(c)) break;
    state.breaks += cursor.readLine();
  }
  if (state.indent === 0) state.indent = Math.max(deepest, cursor.indent + 1, 1);
}
