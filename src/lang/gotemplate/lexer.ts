// Owns splitting template text into tokens by the rules of Go's text/template, trim markers and comments included.
// What the tokens mean together is the parser's.
import { quote } from './gostring.ts';

export type TokenType =
  | 'text'
  | 'leftDelim'
  | 'rightDelim'
  | 'space'
  | 'pipe'
  | 'leftParen'
  | 'rightParen'
  | 'assign'
  | 'declare'
  | 'char'
  | 'bool'
  | 'charConstant'
  | 'complex'
  | 'number'
  | 'string'
  | 'rawString'
  | 'field'
  | 'variable'
  | 'identifier'
  | 'keyword'
  | 'error'
  | 'eof';

/** One token. `pos` is a UTF-16 index into the text, `line` is 1-based; for `error` the value is the message. */
export interface Token {
  readonly type: TokenType;
  readonly pos: number;
  readonly value: string;
  readonly line: number;
}

const KEYWORDS: ReadonlySet<string> = new Set([
  'block',
  'break',
  'continue',
  'define',
  'else',
  'end',
  'if',
  'nil',
  'range',
  'template',
  'with',
]);

const LEFT = '{{';
const RIGHT = '}}';
const TRIM_MARKER_LENGTH = 2;

/** All tokens of a text; the last one is `eof` or `error`. */
export function tokenize(text: string): Token[] {
  const lexer = new Lexer(text);
  lexer.run();
  return lexer.tokens;
}

/** How Go's parser names a token in its messages. */
export function describeToken(token: Token): string {
  if (token.type === 'eof') return 'EOF';
  if (token.type === 'error') return token.value;
  if (token.type === 'keyword') return `<${token.value}>`;
  const runes = [...token.value];
  // Longer than ten bytes: the first ten runes of it.
  return Buffer.byteLength(token.value) > 10 ? `${quote(runes.slice(0, 10).join(''))}...` : quote(token.value);
}

class Lexer {
  readonly tokens: Token[] = [];
  readonly #text: string;
  #pos = 0;
  #line = 1;
  /** The first newline that is not counted in `#line`. */
  #newline: number;
  #parens = 0;

  constructor(text: string) {
    this.#text = text;
    this.#newline = this.#find(0);
  }

  run(): void {
    let state = this.#lexText();
    while (state) state = this.#lexAction() && this.#lexText();
  }

  #emit(type: TokenType, start: number, value: string): void {
    const { line } = this.#countTo(start);
    this.tokens.push({ type, pos: start, value, line });
  }

  /** Ends the scan; the message takes the line that the failing token starts on. */
  #fail(start: number, message: string): false {
    this.#emit('error', start, message);
    return false;
  }

  #countTo(position: number): { line: number } {
    while (this.#newline < position) {
      this.#line++;
      this.#newline = this.#find(this.#newline + 1);
    }
    return { line: this.#line };
  }

  /** Next newline from a position on; past any position if there is none. */
  #find(from: number): number {
    const at = this.#text.indexOf('\n', from);
    return at < 0 ? Number.POSITIVE_INFINITY : at;
  }

  /** Text up to the next action; true if an action follows. */
  #lexText(): boolean {
    const text = this.#text;
    for (;;) {
      const start = this.#pos;
      const delimiter = text.indexOf(LEFT, start);
      if (delimiter < 0) {
        if (start < text.length) this.#emit('text', start, text.slice(start));
        this.#emit('eof', text.length, 'EOF');
        return false;
      }
      const trims = this.#hasLeftTrim(delimiter + LEFT.length);
      const end = trims ? this.#trimmedEnd(start, delimiter) : delimiter;
      if (end > start) this.#emit('text', start, text.slice(start, end));
      const inside = delimiter + LEFT.length + (trims ? TRIM_MARKER_LENGTH : 0);
      if (!text.startsWith('/*', inside)) {
        this.#emit('leftDelim', delimiter, LEFT);
        this.#pos = inside;
        this.#parens = 0;
        return true;
      }
      if (!this.#skipComment(inside)) return false;
    }
  }

  #skipComment(start: number): boolean {
    const close = this.#text.indexOf('*/', start + 2);
    if (close < 0) return this.#fail(start, 'unclosed comment');
    const end = close + 2;
    const width = this.#rightDelimWidth(end);
    if (width === 0) return this.#fail(start, 'comment ends before closing delimiter');
    this.#pos = end + width;
    if (width > RIGHT.length) this.#skipSpaces();
    return true;
  }

  /** The tokens of one action; true if it closed. */
  #lexAction(): boolean {
    for (;;) {
      const start = this.#pos;
      const width = this.#rightDelimWidth(start);
      if (width > 0) {
        if (this.#parens > 0) return this.#fail(start, 'unclosed left paren');
        this.#emit('rightDelim', start + width - RIGHT.length, RIGHT);
        this.#pos = start + width;
        if (width > RIGHT.length) this.#skipSpaces();
        return true;
      }
      if (!this.#lexToken(start)) return false;
    }
  }

  #lexToken(start: number): boolean {
    const unit = this.#text.charCodeAt(start);
    if (Number.isNaN(unit)) return this.#fail(start, 'unclosed action');
    if (isSpace(unit)) return this.#lexSpace(start);
    switch (unit) {
      case 0x3d: // =
        return this.#single('assign', start);
      case 0x3a: // :
        if (this.#text[start + 1] !== '=') return this.#fail(start, 'expected :=');
        this.#emit('declare', start, ':=');
        this.#pos = start + 2;
        return true;
      case 0x7c: // |
        return this.#single('pipe', start);
      case 0x22: // "
        return this.#lexQuoted(start, '"', 'string', 'unterminated quoted string');
      case 0x27: // '
        return this.#lexQuoted(start, "'", 'charConstant', 'unterminated character constant');
      case 0x60: // `
        return this.#lexRawString(start);
      case 0x24: // $
        return this.#lexName(start, 'variable');
      case 0x28: // (
        this.#parens++;
        return this.#single('leftParen', start);
      case 0x29: // )
        if (--this.#parens < 0) return this.#fail(start, 'unexpected right paren');
        return this.#single('rightParen', start);
      case 0x2e: // .
        // A dot before a digit starts a number; at the very end of the text too, as in Go.
        if (start + 1 < this.#text.length && !isDigit(this.#text.charCodeAt(start + 1)))
          return this.#lexName(start, 'field');
        return this.#lexNumber(start);
      case 0x2b: // +
      case 0x2d: // -
        return this.#lexNumber(start);
      default:
        return this.#lexOther(start, unit);
    }
  }

  #lexOther(start: number, unit: number): boolean {
    if (isDigit(unit)) return this.#lexNumber(start);
    if (this.#wordWidth(start) > 0) return this.#lexName(start, 'identifier');
    if (unit > 0x20 && unit < 0x7f) return this.#single('char', start);
    return this.#fail(start, `unrecognized character in action: ${codePointText(this.#text.codePointAt(start)!)}`);
  }

  #single(type: TokenType, start: number): true {
    this.#emit(type, start, this.#text[start]!);
    this.#pos = start + 1;
    return true;
  }

  /** A run of spaces; the last one may belong to a ` -}}` that follows. */
  #lexSpace(start: number): true {
    let end = start;
    while (isSpace(this.#text.charCodeAt(end))) end++;
    if (this.#rightDelimWidth(end - 1) > RIGHT.length) end--;
    if (end > start) this.#emit('space', start, this.#text.slice(start, end));
    this.#pos = end;
    return true;
  }

  #lexQuoted(start: number, delimiter: string, type: TokenType, unterminated: string): boolean {
    const text = this.#text;
    for (let at = start + 1; at < text.length; at++) {
      const char = text[at]!;
      if (char === delimiter) {
        this.#emit(type, start, text.slice(start, at + 1));
        this.#pos = at + 1;
        return true;
      }
      if (char === '\\') at++;
      if (text[at] === '\n') break;
    }
    return this.#fail(start, unterminated);
  }

  #lexRawString(start: number): boolean {
    const end = this.#text.indexOf('`', start + 1);
    if (end < 0) return this.#fail(start, 'unterminated raw quoted string');
    this.#emit('rawString', start, this.#text.slice(start, end + 1));
    this.#pos = end + 1;
    return true;
  }

  /** `.field`, `$variable` (either may be the bare sign), or a word. */
  #lexName(start: number, type: 'field' | 'variable' | 'identifier'): boolean {
    let end = type === 'identifier' ? start : start + 1;
    if (type !== 'identifier' && this.#atTerminator(end)) {
      this.#pos = end;
      // A lone dot is the keyword for the cursor.
      this.#emit(type === 'variable' ? 'variable' : 'keyword', start, this.#text[start]!);
      return true;
    }
    for (let width = this.#wordWidth(end); width > 0; width = this.#wordWidth(end)) end += width;
    if (!this.#atTerminator(end)) {
      return this.#fail(start, `bad character ${codePointText(this.#text.codePointAt(end)!)}`);
    }
    const word = this.#text.slice(start, end);
    this.#pos = end;
    if (type !== 'identifier') this.#emit(type, start, word);
    else if (KEYWORDS.has(word)) this.#emit('keyword', start, word);
    else this.#emit(word === 'true' || word === 'false' ? 'bool' : 'identifier', start, word);
    return true;
  }

  #lexNumber(start: number): boolean {
    let end = this.#scanNumber(start);
    if (end < 0) return this.#badNumber(start, -end);
    const sign = this.#text[end];
    if (sign !== '+' && sign !== '-') {
      this.#emit('number', start, this.#text.slice(start, end));
      this.#pos = end;
      return true;
    }
    end = this.#scanNumber(end);
    if (end < 0 || this.#text[end - 1] !== 'i') return this.#badNumber(start, Math.abs(end));
    this.#emit('complex', start, this.#text.slice(start, end));
    this.#pos = end;
    return true;
  }

  #badNumber(start: number, end: number): false {
    return this.#fail(start, `bad number syntax: ${quote(this.#text.slice(start, end))}`);
  }

  /** End of the number that starts here; negated when a letter or digit is glued to it (and then one rune past it). */
  #scanNumber(start: number): number {
    NUMBER.lastIndex = start;
    NUMBER.test(this.#text);
    const end = NUMBER.lastIndex;
    const glued = this.#wordWidth(end);
    return glued > 0 ? -(end + glued) : end;
  }

  #atTerminator(position: number): boolean {
    const unit = this.#text.charCodeAt(position);
    if (Number.isNaN(unit) || isSpace(unit)) return true;
    // . , | : ) (
    if (unit === 0x2e || unit === 0x2c || unit === 0x7c || unit === 0x3a || unit === 0x29 || unit === 0x28) return true;
    return this.#text.startsWith(RIGHT, position);
  }

  /** Units of the letter, digit or underscore at a position, else 0. */
  #wordWidth(position: number): number {
    const unit = this.#text.charCodeAt(position);
    if (unit < 0x80) return isDigit(unit) || ((unit | 0x20) >= 0x61 && (unit | 0x20) <= 0x7a) || unit === 0x5f ? 1 : 0;
    if (Number.isNaN(unit)) return 0;
    const rune = String.fromCodePoint(this.#text.codePointAt(position)!);
    return /^[\p{L}\p{Nd}]$/u.test(rune) ? rune.length : 0;
  }

  #hasLeftTrim(position: number): boolean {
    return this.#text[position] === '-' && isSpace(this.#text.charCodeAt(position + 1));
  }

  /** Length of `}}` or ` -}}` at a position, else 0. */
  #rightDelimWidth(position: number): number {
    const text = this.#text;
    if (text.startsWith(RIGHT, position)) return RIGHT.length;
    const trims = isSpace(text.charCodeAt(position)) && text.startsWith('-}}', position + 1);
    return trims ? TRIM_MARKER_LENGTH + RIGHT.length : 0;
  }

  #trimmedEnd(start: number, end: number): number {
    while (end > start && isSpace(this.#text.charCodeAt(end - 1))) end--;
    return end;
  }

  #skipSpaces(): void {
    while (isSpace(this.#text.charCodeAt(this.#pos))) this.#pos++;
  }
}

/** As lenient as Go's scanner: what it accepts wrongly the parser refuses. */
const NUMBER =
  /[+-]?(?:0[xX][0-9a-fA-F_]*(?:\.[0-9a-fA-F_]*)?(?:[pP][+-]?[0-9_]*)?|0[oO][0-7_]*(?:\.[0-7_]*)?|0[bB][01_]*(?:\.[01_]*)?|[0-9_]*(?:\.[0-9_]*)?(?:[eE][+-]?[0-9_]*)?)i?/y;

function isSpace(unit: number): boolean {
  return unit === 0x20 || unit === 0x0a || unit === 0x09 || unit === 0x0d;
}

function isDigit(unit: number): boolean {
  return unit >= 0x30 && unit <= 0x39;
}

/** Go's `%#U`. */
function codePointText(point: number): string {
  const rune = String.fromCodePoint(point);
  const code = `U+${point.toString(16).toUpperCase().padStart(4, '0')}`;
  return /[\p{L}\p{M}\p{N}\p{P}\p{S} ]/u.test(rune) ? `${code} '${rune}'` : code;
}
