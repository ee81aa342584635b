// Owns the token stream: indentation, flow levels, keys without `?`. Scalars, tags and comments are scanned elsewhere.
import { isBlankOrEnd, isBreak, isBreakOrEnd } from './chars.ts';
import { Cursor } from './cursor.ts';
import { scanComments, scanLineComment } from './scan-comment.ts';
import { atDocumentIndicator, scanBlock, scanPlain, scanQuoted } from './scan-scalar.ts';
import { scanAnchor, scanDirective, scanTag } from './scan-tag.ts';
import { createToken, type Token, tok } from './token.ts';

const MAX_DEPTH = 10_000;
/** A key without `?` is at most this many characters long, and on one line. */
const MAX_KEY = 1024;

/** Turns text into tokens, on demand. */
export class Scanner extends Cursor {
  #started = false;

  /** The next token, without taking it. */
  peek(): Token {
    const head = this.tokens[this.head];
    if (head !== undefined && head.keyLevel < 0 && this.tokens.length - this.head > 2) return head;
    while (this.#needsMore()) this.#fetch();
    return this.tokens[this.head]!;
  }

  /** Takes the token that `peek` gave. */
  take(): void {
    this.head++;
    this.taken++;
  }

  /**
   * A token may be handed out once nothing can be put before it. v3 also looks two tokens ahead, so that comments are
   * known in time; errors behind a token may therefore be reported before the grammar sees it.
   */
  #needsMore(): boolean {
    const waiting = this.tokens.length - this.head;
    const ended = this.#ended();
    if ((this.dialect === 'v3' ? waiting <= 2 : waiting === 0) && !ended) return true;
    const head = this.tokens[this.head]!;
    if (head.keyLevel < 0) return false;
    // The level's key may be another token by now, if this one turned out to be none; Go looks at the level.
    const key = this.keys[head.keyLevel];
    return key !== undefined && this.#isKeyValid(key) && !ended;
  }

  #ended(): boolean {
    const { tokens } = this;
    return tokens.length > this.head && tokens[tokens.length - 1]!.type === tok.streamEnd;
  }

  #isKeyValid(key: Token): boolean {
    if (!key.possibleKey) return false;
    if (key.line === this.line && this.pos - key.pos <= MAX_KEY) return true;
    // Characters are counted, not UTF-16 units; pairs on the key's line make the difference.
    if (key.line === this.line && this.column - key.column <= MAX_KEY) return true;
    if (key.requiredKey) this.fail("could not find expected ':'", key);
    key.possibleKey = false;
    return false;
  }

  #fetch() {
    if (!this.#started) {
      this.#started = true;
      this.append(this.token(tok.streamStart));
      return;
    }
    const scanPos = this.pos;
    const { line: scanLine, column: scanColumn } = this;
    this.#skipToToken();
    this.#unroll(this.column, scanPos, scanLine, scanColumn);
    this.checkInput(4);
    const c = this.code();
    if (c === 0) return this.#fetchStreamEnd();
    if (this.column === 0) {
      if (c === 37) {
        this.#reset();
        return this.append(scanDirective(this));
      }
      if ((c === 45 || c === 46) && atDocumentIndicator(this)) return this.#fetchDocumentIndicator(c);
    }
    if (this.dialect === 'v2') return this.#fetchContent(c);

    // A comment behind `:` or `,` belongs to what stands before it.
    const last = this.tokens[this.tokens.length - 1]!;
    const commentPos = c === (this.flowLevel === 0 ? 58 : 44) ? last.pos : this.pos;
    this.#fetchContent(c);
    // `-` alone has no comment of its own: it is the head of what follows.
    if (this.tokens[this.tokens.length - 1]!.type !== tok.blockEntry) scanLineComment(this, commentPos);
  }

  #fetchContent(c: number) {
    switch (c) {
      case 91: // [
        return this.#fetchFlowStart(tok.flowSequenceStart);
      case 123: // {
        return this.#fetchFlowStart(tok.flowMappingStart);
      case 93: // ]
        return this.#fetchFlowEnd(tok.flowSequenceEnd);
      case 125: // }
        return this.#fetchFlowEnd(tok.flowMappingEnd);
      case 44: // ,
        this.#removeKey();
        this.keyAllowed = true;
        return this.#appendIndicator(tok.flowEntry);
      case 45: // -
        if (isBlankOrEnd(this.code(1))) return this.#fetchBlockEntry();
        break;
      case 63: // ?
        if (this.flowLevel > 0 || isBlankOrEnd(this.code(1))) return this.#fetchKey();
        break;
      case 58: // :
        if (this.flowLevel > 0 || isBlankOrEnd(this.code(1))) return this.#fetchValue();
        break;
      case 42: // *
        return this.#fetchKeyable(() => scanAnchor(this, tok.alias));
      case 38: // &
        return this.#fetchKeyable(() => scanAnchor(this, tok.anchor));
      case 33: // !
        return this.#fetchKeyable(() => scanTag(this));
      case 124: // |
      case 62: // >
        if (this.flowLevel === 0) return this.#fetchBlockScalar(c === 124);
        break;
      case 39: // '
      case 34: // "
        return this.#fetchKeyable(() => scanQuoted(this, c));
    }
    if (!this.#startsPlain(c)) this.fail('found character that cannot start any token', this);
    this.#fetchKeyable(() => scanPlain(this));
  }

  #startsPlain(c: number): boolean {
    switch (c) {
      case 45:
        return this.code(1) !== 32 && this.code(1) !== 9;
      case 63:
      case 58:
        return this.flowLevel === 0 && !isBlankOrEnd(this.code(1));
      case 35:
      case 124:
      case 62:
      case 37:
      case 64:
      case 96:
        return false;
      default:
        return !isBlankOrEnd(c);
    }
  }

  #skipToToken(): void {
    const { text } = this;
    const scan = { pos: this.pos, line: this.line };
    for (;;) {
      if (this.pos === 0 && text.charCodeAt(0) === 0xfeff) {
        this.pos++;
        this.newlines = 0;
      }
      let c = text.charCodeAt(this.pos);
      // A tab may not indent a block.
      while (c === 32 || (c === 9 && (this.flowLevel > 0 || !this.keyAllowed))) c = text.charCodeAt(++this.pos);
      if (this.comments.length > 0) this.#raiseLineComment(c);
      if (c === 35) {
        if (this.dialect === 'v3') {
          scanComments(this, scan);
        } else {
          let i = this.pos;
          while (!isBreakOrEnd(text.charCodeAt(i))) i++;
          this.advance(i);
        }
        c = text.charCodeAt(this.pos);
      }
      if (!isBreak(c)) return;
      this.skipLine();
      if (this.flowLevel === 0) this.keyAllowed = true;
    }
  }

  /** `- # note` with the first entry's content below: the note is the head of that content. */
  #raiseLineComment(c: number): void {
    const { comments, tokens } = this;
    const comment = comments[comments.length - 1];
    if (comment === undefined || comment.line === '' || tokens.length < 2 || isBreak(c)) return;
    if (tokens[tokens.length - 2]!.type !== tok.blockSequenceStart) return;
    if (tokens[tokens.length - 1]!.type !== tok.blockEntry) return;
    comment.head = comment.line;
    comment.line = '';
    if (comment.startLine === this.line - 1) comment.tokenPos = this.pos;
  }

  #fetchStreamEnd(): void {
    if (this.column !== 0) {
      this.line++;
      this.lineStart = this.pos;
    }
    this.#reset();
    this.append(this.token(tok.streamEnd));
  }

  /** Ends all blocks and forgets a possible key: a document begins or ends. */
  #reset(): void {
    this.#unroll(-1, this.pos, this.line, this.column);
    this.#removeKey();
    this.keyAllowed = false;
  }

  #fetchDocumentIndicator(c: number): void {
    this.#reset();
    const token = this.token(c === 45 ? tok.documentStart : tok.documentEnd);
    this.pos += 3;
    this.newlines = 0;
    this.append(token);
  }

  #appendIndicator(type: number): void {
    const token = this.token(type);
    this.pos++;
    this.newlines = 0;
    token.endColumn++;
    this.append(token);
  }

  #fetchFlowStart(type: number): void {
    const keyState = this.#claimKey();
    this.#appendIndicator(type);
    const opener = this.tokens[this.tokens.length - 1]!;
    this.#setKey(keyState, opener);
    this.openers.push(opener);
    this.keys.push(undefined);
    if (++this.flowLevel > MAX_DEPTH) {
      this.pos--;
      this.fail(`exceeded max depth of ${MAX_DEPTH}`, this, 'YamlLimit');
    }
    this.keyAllowed = true;
  }

  #fetchFlowEnd(type: number): void {
    this.#removeKey();
    if (this.flowLevel > 0) {
      this.flowLevel--;
      const opener = this.openers.pop()!;
      // Go watches by number, and a level without a key of its own has the number of its opener.
      (this.keys.pop() ?? opener).keyLevel = -1;
    }
    this.keyAllowed = false;
    this.#appendIndicator(type);
  }

  #fetchBlockEntry(): void {
    if (this.flowLevel === 0) {
      if (!this.keyAllowed) this.fail('block sequence entries are not allowed in this context', this);
      this.#roll(this.column, tok.blockSequenceStart);
    }
    this.#removeKey();
    this.keyAllowed = true;
    this.#appendIndicator(tok.blockEntry);
  }

  #fetchKey(): void {
    if (this.flowLevel === 0) {
      if (!this.keyAllowed) this.fail('mapping keys are not allowed in this context', this);
      this.#roll(this.column, tok.blockMappingStart);
    }
    this.#removeKey();
    this.keyAllowed = this.flowLevel === 0;
    this.#appendIndicator(tok.key);
  }

  #fetchValue(): void {
    const key = this.keys[this.keys.length - 1];
    if (key !== undefined && this.#isKeyValid(key)) {
      const { number } = key;
      this.insert(number, createToken(tok.key, key.pos, key.line, key.column, key.column));
      this.#roll(key.column, tok.blockMappingStart, key, number);
      key.possibleKey = false;
      key.keyLevel = -1;
      this.keyAllowed = false;
    } else {
      if (this.flowLevel === 0) {
        if (!this.keyAllowed) this.fail('mapping values are not allowed in this context', this);
        this.#roll(this.column, tok.blockMappingStart);
      }
      this.keyAllowed = this.flowLevel === 0;
    }
    this.#appendIndicator(tok.value);
  }

  /** Scans a token that may be a key without `?`. */
  #fetchKeyable(scan: () => Token): void {
    const keyState = this.#claimKey();
    this.keyAllowed = false;
    const { pos, line, column } = this;
    let token: Token;
    try {
      token = scan();
    } catch (error) {
      // Should the grammar go on regardless, the key is still expected here.
      this.#setKey(keyState, createToken(tok.scalar, pos, line, column, column));
      throw error;
    }
    this.#setKey(keyState, token);
    this.append(token);
  }

  #fetchBlockScalar(literal: boolean): void {
    this.#removeKey();
    this.keyAllowed = true;
    const lineComment = this.dialect === 'v3' ? (pos: number) => scanLineComment(this, pos) : () => {};
    this.append(scanBlock(this, literal, lineComment));
  }

  /** Makes room for a key that begins here: 0 none may begin, 1 one may, 2 one must. */
  #claimKey(): 0 | 1 | 2 {
    if (!this.keyAllowed) return 0;
    this.#removeKey();
    return this.flowLevel === 0 && this.indent === this.column ? 2 : 1;
  }

  #setKey(state: 0 | 1 | 2, token: Token): void {
    if (state === 0) return;
    token.possibleKey = true;
    token.requiredKey = state === 2;
    token.keyLevel = this.keys.length - 1;
    this.keys[this.keys.length - 1] = token;
  }

  #removeKey(): void {
    const key = this.keys[this.keys.length - 1];
    if (key === undefined || !key.possibleKey) return;
    if (key.requiredKey) this.fail("could not find expected ':'", key);
    key.possibleKey = false;
    key.keyLevel = -1;
  }

  /** Begins a block if this column is deeper than the current one. */
  #roll(column: number, type: number, at?: Token, number?: number): void {
    if (this.flowLevel > 0 || this.indent >= column) return;
    this.indents.push(this.indent);
    this.indent = column;
    if (this.indents.length > MAX_DEPTH) {
      this.fail(`exceeded max depth of ${MAX_DEPTH}`, this.keys[this.keys.length - 1] ?? { line: 0 }, 'YamlLimit');
    }
    if (at === undefined || number === undefined) {
      this.append(this.token(type));
    } else {
      this.insert(number, createToken(type, at.pos, at.line, at.column, at.column));
    }
  }

  /** Ends all blocks deeper than `column`. */
  #unroll(column: number, scanPos: number, scanLine: number, scanColumn: number): void {
    if (this.flowLevel > 0 || this.indent <= column) return;
    const token = this.dialect === 'v2' ? this.token(tok.blockEnd) : undefined;
    let at = { pos: scanPos - 1, line: scanLine, column: scanColumn };
    while (this.indent > column) {
      if (token === undefined) at = this.#beforeFootComments(at);
      this.append(
        token === undefined ? createToken(tok.blockEnd, at.pos, at.line, at.column, at.column) : { ...token },
      );
      this.indent = this.indents.pop()!;
    }
  }

  /** Where a block ends: before comments at its own indentation, which are feet of what holds it. */
  #beforeFootComments(at: { pos: number; line: number; column: number }): typeof at {
    let stop = at.pos;
    for (let i = this.comments.length - 1; i >= 0; i--) {
      const comment = this.comments[i]!;
      if (comment.endPos < stop) break;
      if (comment.startColumn === this.indent + 1) {
        at = { pos: comment.startPos, line: comment.startLine, column: comment.startColumn };
      }
      stop = comment.scanPos;
    }
    return at;
  }
}
