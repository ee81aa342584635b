// Owns where comments go: which are heads of what follows, feet of what precedes, or stand on a token's line.
import { isBlank, isBreak, isBreakOrEnd } from './chars.ts';
import type { Cursor } from './cursor.ts';
import { tok } from './token.ts';

/** How far Go looks ahead for a `#`, and thus how many blanks may stand before a comment. */
const REACH = 512;

/** Takes a comment that stands on the line of the token that begins at `tokenPos`. */
export function scanLineComment(cursor: Cursor, tokenPos: number): void {
  if (cursor.newlines > 0) return;
  const { text } = cursor;
  const from = cursor.pos;
  let peek = 0;
  while (peek < REACH && isBlank(text.charCodeAt(from + peek))) peek++;
  if (peek === REACH || text.charCodeAt(from + peek) !== 35) return;
  cursor.advance(from + peek);
  const { pos, line, column } = cursor;
  cursor.comments.push({
    scanPos: 0,
    tokenPos,
    startPos: pos,
    startLine: line,
    startColumn: column,
    endPos: 0,
    head: '',
    line: takeComment(cursor),
    foot: '',
  });
}

/** Reads from `#` to the end of the line. */
function takeComment(cursor: Cursor): string {
  const { text, pos } = cursor;
  let i = pos;
  while (!isBreakOrEnd(text.charCodeAt(i))) i++;
  cursor.advance(i);
  cursor.newlines = 0;
  return text.slice(pos, i);
}

/** Steps over blanks and breaks up to `to`. */
function skipTo(cursor: Cursor, to: number): void {
  while (cursor.pos < to) {
    if (isBreak(cursor.code())) cursor.skipLine();
    else cursor.pos++;
  }
}

/**
 * Takes a run of comment lines. A run is split where an empty line or a smaller indentation shows that its first part
 * belongs to what stands before. `scan` is where the run of blanks began.
 */
export function scanComments(cursor: Cursor, scan: { pos: number; line: number }): void {
  const { text, tokens } = cursor;
  let token = tokens[tokens.length - 1]!;
  if (token.type === tok.flowEntry && tokens.length > 1) token = tokens[tokens.length - 2]!;

  let scanPos = scan.pos;
  let tokenPos = token.pos;
  let start = { pos: 0, line: 0, column: 0 };
  let nextIndent = Math.max(cursor.indent, 0);
  let recentEmpty = false;
  let firstEmpty = cursor.newlines <= 1;
  let { line, column } = cursor;
  let body = '';

  // A comment that starts on this line is still a foot of what stands before it.
  let footLine = -1;
  if (scan.line > 0) {
    footLine = cursor.line - cursor.newlines + 1;
    if (cursor.newlines === 0 && cursor.column > 1) footLine++;
  }
  const push = (head: string, foot: string, tokenAt: number, endPos: number): void => {
    cursor.comments.push({
      scanPos,
      tokenPos: tokenAt,
      startPos: start.pos,
      startLine: start.line,
      startColumn: start.column,
      endPos,
      head,
      line: '',
      foot,
    });
  };
  const pushFoot = (at: number): void => {
    push('', body, tokenPos, at);
    scanPos = at;
    tokenPos = at;
    body = '';
  };

  // Go walks bytes here, does not get past a break of several bytes, and takes its second byte for dedented content.
  const stopInsideBreak = (at: number): void => {
    if (body !== '' && nextIndent > 0 && start.column !== 1) pushFoot(at);
  };

  let peek = 0;
  for (; peek < REACH; peek++) {
    const at = cursor.pos + peek;
    const c = text.charCodeAt(at);
    column++;
    if (isBlank(c)) continue;
    const closesFlow = cursor.flowLevel > 0 && (c === 93 || c === 125);
    if (closesFlow || isBreakOrEnd(c)) {
      if (closesFlow || !recentEmpty) {
        const dedented = start.column - 1 < nextIndent;
        if (closesFlow || (firstEmpty && ((start.line === footLine && token.type !== tok.value) || dedented))) {
          if (body !== '') {
            if (dedented) tokenPos = start.pos;
            pushFoot(at);
          }
        } else if (body !== '' && c !== 0) {
          body += '\n';
        }
      }
      if (!isBreak(c)) break;
      firstEmpty = false;
      recentEmpty = true;
      column = 0;
      line++;
      if (c > 127) {
        stopInsideBreak(at + 1);
        peek++;
        break;
      }
      continue;
    }
    if (body !== '' && column - 1 < nextIndent && column !== start.column) pushFoot(at);
    if (c !== 35) break;

    if (body === '') start = { pos: at, line, column };
    else body += '\n';
    recentEmpty = false;
    skipTo(cursor, at);
    body += takeComment(cursor);
    peek = 0;
    column = 0;
    line = cursor.line;
    nextIndent = Math.max(cursor.indent, 0);
    if (text.charCodeAt(cursor.pos) > 127) {
      stopInsideBreak(cursor.pos + 1);
      peek = 1;
      break;
    }
  }
  if (body !== '') push(body, '', start.pos, cursor.pos + peek - 1);
}
