// Owns directives, tags and anchors.
import { hexValue, isBlank, isBlankOrEnd, isBreakOrEnd, isDigit, isHex, isUri, isWord } from './chars.ts';
import type { Cursor } from './cursor.ts';
import { type Token, tok } from './token.ts';

function takeWord(cursor: Cursor): string {
  const { text, pos } = cursor;
  let i = pos;
  while (isWord(text.charCodeAt(i))) i++;
  cursor.pos = i;
  return text.slice(pos, i);
}

function skipBlanks(cursor: Cursor): void {
  while (isBlank(cursor.code())) cursor.pos++;
}

/** Scans `%YAML 1.1` and `%TAG ! prefix`. */
export function scanDirective(cursor: Cursor): Token {
  const token = cursor.token(tok.versionDirective);
  cursor.newlines = 0;
  cursor.pos++;
  const name = takeWord(cursor);
  if (name === '') cursor.fail('could not find expected directive name', token);
  if (!isBlankOrEnd(cursor.code())) cursor.fail('found unexpected non-alphabetical character', token);
  if (name === 'YAML') scanVersion(cursor, token);
  else if (name === 'TAG') scanTagDirective(cursor, token);
  else cursor.fail('found unknown directive name', token);

  skipBlanks(cursor);
  if (cursor.code() === 35) {
    let i = cursor.pos;
    while (!isBreakOrEnd(cursor.text.charCodeAt(i))) i++;
    cursor.advance(i);
  }
  if (!isBreakOrEnd(cursor.code())) cursor.fail('did not find expected comment or line break', token);
  cursor.skipLine();
  return token;
}

function scanVersion(cursor: Cursor, token: Token): void {
  skipBlanks(cursor);
  const major = scanVersionNumber(cursor, token);
  if (cursor.code() !== 46) cursor.fail("did not find expected digit or '.' character", token);
  cursor.pos++;
  token.suffix = `${major}.${scanVersionNumber(cursor, token)}`;
}

function scanVersionNumber(cursor: Cursor, token: Token): number {
  let value = 0;
  let length = 0;
  for (; isDigit(cursor.code()); cursor.pos++) {
    if (++length > 2) cursor.fail('found extremely long version number', token);
    value = value * 10 + cursor.code() - 48;
  }
  if (length === 0) cursor.fail('did not find expected version number', token);
  return value;
}

function scanTagDirective(cursor: Cursor, token: Token): void {
  token.type = tok.tagDirective;
  skipBlanks(cursor);
  token.value = scanTagHandle(cursor, token, true);
  if (!isBlank(cursor.code())) cursor.fail('did not find expected whitespace', token);
  skipBlanks(cursor);
  token.suffix = scanTagUri(cursor, token, '');
  if (!isBlankOrEnd(cursor.code())) cursor.fail('did not find expected whitespace or line break', token);
}

/** Scans `&name` and `*name`. */
export function scanAnchor(cursor: Cursor, type: number): Token {
  const token = cursor.token(type);
  cursor.newlines = 0;
  cursor.pos++;
  token.value = takeWord(cursor);
  const c = cursor.code();
  const ends = isBlankOrEnd(c) || '?:,]}%@`'.includes(String.fromCharCode(c));
  if (token.value === '' || !ends) cursor.fail('did not find expected alphabetic or numeric character', token);
  return token;
}

/** Scans `!`, `!suffix`, `!handle!suffix` and `!<verbatim>`. */
export function scanTag(cursor: Cursor): Token {
  const token = cursor.token(tok.tag);
  cursor.newlines = 0;
  if (cursor.code(1) === 60) {
    cursor.pos += 2;
    token.suffix = scanTagUri(cursor, token, '');
    if (cursor.code() !== 62) cursor.fail("did not find the expected '>'", token);
    cursor.pos++;
  } else {
    const handle = scanTagHandle(cursor, token, false);
    if (handle.length > 1 && handle.endsWith('!')) {
      token.value = handle;
      token.suffix = scanTagUri(cursor, token, '');
    } else {
      token.value = '!';
      token.suffix = scanTagUri(cursor, token, handle);
      if (token.suffix === '') {
        token.value = '';
        token.suffix = '!';
      }
    }
  }
  if (!isBlankOrEnd(cursor.code())) cursor.fail('did not find expected whitespace or line break', token);
  return token;
}

function scanTagHandle(cursor: Cursor, token: Token, directive: boolean): string {
  if (cursor.code() !== 33) cursor.fail("did not find expected '!'", token);
  cursor.pos++;
  const handle = `!${takeWord(cursor)}`;
  if (cursor.code() === 33) {
    cursor.pos++;
    return `${handle}!`;
  }
  if (directive && handle !== '!') cursor.fail("did not find expected '!'", token);
  return handle;
}

/** Scans the rest of a tag; `head` is a handle that turned out to be none, with its `!`. */
function scanTagUri(cursor: Cursor, token: Token, head: string): string {
  let uri = head.slice(1);
  let found = head !== '';
  for (;;) {
    const c = cursor.code();
    if (!isUri(c)) break;
    found = true;
    if (c === 37) {
      uri += scanUriEscapes(cursor, token);
    } else {
      uri += String.fromCharCode(c);
      cursor.pos++;
    }
  }
  if (!found) cursor.fail('did not find expected tag URI', token);
  return uri;
}

/** One character written as `%XX` for each of its bytes. */
function scanUriEscapes(cursor: Cursor, token: Token): string {
  const bytes: number[] = [];
  let width = 1;
  while (bytes.length < width) {
    if (cursor.code() !== 37 || !isHex(cursor.code(1)) || !isHex(cursor.code(2))) {
      cursor.fail('did not find URI escaped octet', token);
    }
    const octet = hexValue(cursor.code(1)) * 16 + hexValue(cursor.code(2));
    if (bytes.length === 0) {
      width =
        octet < 0x80 ? 1 : (octet & 0xe0) === 0xc0 ? 2 : (octet & 0xf0) === 0xe0 ? 3 : (octet & 0xf8) === 0xf0 ? 4 : 0;
      if (width === 0) cursor.fail('found an incorrect leading UTF-8 octet', token);
    } else if ((octet & 0xc0) !== 0x80) {
      cursor.fail('found an incorrect trailing UTF-8 octet', token);
    }
    bytes.push(octet);
    cursor.pos += 3;
  }
  return new TextDecoder().decode(Uint8Array.from(bytes));
}
