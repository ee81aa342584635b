// Owns the scanner's state: place in the text, token queue, indentation, errors. What is scanned is elsewhere.
import type { YamlErrorCode } from '../error.ts';
import { YamlError } from '../error.ts';
import { isBreak } from './chars.ts';
import { type Comment, createToken, type Token } from './token.ts';

/** Which go-yaml is followed: v3 keeps comments and looks further ahead; the two disagree on lines in errors. */
export type Dialect = 'v2' | 'v3';

const FORBIDDEN = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufffe\uffff]/;
/** Go reads its input in pieces of this many bytes and refuses a character when its piece is read. */
const INPUT_CHUNK = 512;
const CONTROL_CHARACTERS = 'control characters are not allowed';

/** Scanner state over one text. Columns count characters, not UTF-16 units. */
export class Cursor {
  readonly dialect: Dialect;
  /** The text, closed by NULs, so that looking ahead needs no bounds check. */
  readonly text: string;
  /** Length of the text without the NULs. */
  readonly end: number;
  readonly hasAstral: boolean;
  /** A forbidden character stands behind `end`. */
  readonly #truncated: boolean;

  pos = 0;
  line = 0;
  /** `pos - lineStart` is the column; moved forward by each surrogate pair on the line. */
  lineStart = 0;
  /** Surrogate pairs before `pos`. */
  pairs = 0;

  tokens: Token[] = [];
  head = 0;
  /** Tokens that the parser has taken. */
  taken = 0;

  indent = -1;
  readonly indents: number[] = [];
  flowLevel = 0;
  /** The token that may be a key, for each flow level. */
  readonly keys: (Token | undefined)[] = [undefined];
  /** The tokens that opened the flow levels. */
  readonly openers: Token[] = [];
  keyAllowed = true;

  /** Line breaks since the last character that is not blank. */
  newlines = 0;
  comments: Comment[] = [];
  commentsHead = 0;

  constructor(text: string, dialect: Dialect) {
    this.dialect = dialect;
    // UTF-8 has no half of a surrogate pair.
    text = text.toWellFormed();
    if (text.charCodeAt(0) === 0xfeff) text = text.slice(1);
    const forbidden = text.search(FORBIDDEN);
    this.#truncated = forbidden >= 0;
    if (forbidden >= 0) text = text.slice(0, chunkStart(text, forbidden));
    this.end = text.length;
    this.text = `${text}\0\0\0\0`;
    this.hasAstral = /[\ud800-\udbff]/.test(text);
  }

  get column(): number {
    return this.pos - this.lineStart;
  }

  code(ahead = 0): number {
    return this.text.charCodeAt(this.pos + ahead);
  }

  /** Throws if the end of the text is there only because Go would have refused what follows. */
  checkInput(ahead: number): void {
    if (this.#truncated && this.pos + ahead > this.end) {
      throw new YamlError('YamlSyntax', `yaml: ${CONTROL_CHARACTERS}`, {
        line: this.line + 1,
        column: this.column + 1,
      });
    }
  }

  /** Moves on to `to` on the same line. */
  advance(to: number): void {
    if (this.hasAstral) {
      for (let i = this.pos; i < to; i++) {
        if ((this.text.charCodeAt(i) & 0xfc00) !== 0xd800) continue;
        this.pairs++;
        this.lineStart++;
      }
    }
    this.pos = to;
  }

  /** Steps over a line break; CR LF is one. */
  skipLine(): void {
    const c = this.text.charCodeAt(this.pos);
    if (c === 13 && this.text.charCodeAt(this.pos + 1) === 10) this.pos += 2;
    else if (isBreak(c)) this.pos++;
    else return;
    this.line++;
    this.lineStart = this.pos;
    this.newlines++;
  }

  /** Steps over a line break and gives it as YAML counts it: LS and PS stay, all others become LF. */
  readLine(): string {
    const c = this.text.charCodeAt(this.pos);
    this.skipLine();
    return c === 0x2028 ? '\u2028' : c === 0x2029 ? '\u2029' : '\n';
  }

  /** A token that starts here. */
  token(type: number): Token {
    const column = this.column;
    return createToken(type, this.pos, this.line, column, column);
  }

  append(token: Token): void {
    if (this.head >= 256) {
      this.tokens = this.tokens.slice(this.head);
      this.head = 0;
    }
    token.number = this.taken + this.tokens.length - this.head;
    this.tokens.push(token);
  }

  /** Puts a token before the one with this number; at the end if that one is gone. */
  insert(number: number, token: Token): void {
    const { tokens } = this;
    tokens.push(token);
    if (number < this.taken) return;
    const at = this.head + number - this.taken;
    for (let i = tokens.length - 1; i > at; i--) tokens[i] = tokens[i - 1]!;
    tokens[at] = token;
  }

  /** The scanner's error: `context` is where the thing began, the cursor where it went wrong. */
  fail(problem: string, context: { line: number }, code: YamlErrorCode = 'YamlSyntax'): never {
    this.checkInput(1);
    const first = this.dialect === 'v3' ? context.line : this.line;
    const second = this.dialect === 'v3' ? this.line : context.line;
    // Go adds one to the first choice always, to the second only in v3.
    const line = first !== 0 ? first + 1 : second !== 0 ? second + (this.dialect === 'v3' ? 1 : 0) : 0;
    throw this.#error(code, problem, line);
  }

  /** The grammar's error. Its line is one too small in Go, and so it is here; `data` has the right one. */
  failGrammar(problem: string, at: Token, context?: Token): never {
    const contextLine = context?.line ?? 0;
    const [first, second] = this.dialect === 'v3' ? [contextLine, at.line] : [at.line, contextLine];
    const line = first !== 0 ? first : second;
    const where = line === 0 ? '' : `line ${line}: `;
    throw new YamlError('YamlSyntax', `yaml: ${where}${problem}`, { line: at.line + 1, column: at.column + 1 });
  }

  #error(code: YamlErrorCode, problem: string, line: number): YamlError {
    const where = line === 0 ? '' : `line ${line}: `;
    return new YamlError(code, `yaml: ${where}${problem}`, { line: this.line + 1, column: this.column + 1 });
  }
}

/** Where the piece of input begins that holds the character at `at`. */
function chunkStart(text: string, at: number): number {
  const bytes = utf8Length(text, 0, at) + (text.charCodeAt(0) === 0xfeff ? 3 : 0);
  const limit = Math.floor(bytes / INPUT_CHUNK) * INPUT_CHUNK;
  let seen = 0;
  let i = 0;
  while (i < at && seen < limit) {
    const width = utf8Width(text.charCodeAt(i));
    if (seen + width > limit) break;
    seen += width;
    i++;
  }
  return i;
}

function utf8Width(c: number): number {
  // Two for each half of a surrogate pair.
  return c < 0x80 ? 1 : c < 0x800 || (c & 0xf800) === 0xd800 ? 2 : 3;
}

function utf8Length(text: string, from: number, to: number): number {
  let length = 0;
  for (let i = from; i < to; i++) length += utf8Width(text.charCodeAt(i));
  return length;
}
