// Owns the event being read and the comments waiting for it. Which event comes when is grammar.ts.
import type { NodeStyle } from '../node.ts';
import type { Dialect } from './cursor.ts';
import { Scanner } from './scanner.ts';
import { type Token, tok } from './token.ts';

/** Event types. */
export const ev = Object.freeze({
  none: 0,
  streamEnd: 1,
  documentStart: 2,
  documentEnd: 3,
  alias: 4,
  scalar: 5,
  sequenceStart: 6,
  sequenceEnd: 7,
  mappingStart: 8,
  mappingEnd: 9,
} as const);

/** One event at a time; the fields hold the current one. */
export class Events {
  type: number = ev.none;
  anchor = '';
  /** Tag with its handle resolved; '' for none. */
  tag = '';
  value = '';
  style: NodeStyle['scalar'] = undefined;
  flow = false;
  /** 0-based. */
  line = 0;
  column = 0;
  headComment = '';
  lineComment = '';
  footComment = '';

  protected readonly scanner: Scanner;
  /** Comments of the tokens seen since the last event that took them. */
  #head = '';
  #line = '';
  #foot = '';
  #stem = '';
  protected putOff: unknown;

  constructor(text: string, dialect: Dialect) {
    this.scanner = new Scanner(text, dialect);
    this.peek();
    this.scanner.take();
  }

  protected peek(): Token {
    const scanner = this.scanner;
    const token = scanner.peek();
    if (scanner.commentsHead < scanner.comments.length) this.#collectComments(token);
    return token;
  }

  protected take(): Token {
    this.scanner.take();
    return this.peek();
  }

  #collectComments(token: Token): void {
    const scanner = this.scanner;
    const { comments } = scanner;
    while (scanner.commentsHead < comments.length) {
      const comment = comments[scanner.commentsHead]!;
      if (token.pos < comment.tokenPos) break;
      // No heads on ends: the head is for what follows.
      if (comment.head !== '' && token.type === tok.blockEnd) break;
      if (comment.head !== '') this.#head += (this.#head === '' ? '' : '\n') + comment.head;
      if (comment.foot !== '') this.#foot += (this.#foot === '' ? '' : '\n') + comment.foot;
      if (comment.line !== '') this.#line += (this.#line === '' ? '' : '\n') + comment.line;
      scanner.commentsHead++;
    }
    if (scanner.commentsHead === comments.length) {
      comments.length = 0;
      scanner.commentsHead = 0;
    }
  }

  protected event(type: number, at: Token): void {
    this.type = type;
    this.line = at.line;
    this.column = at.column;
    this.anchor = '';
    this.tag = '';
    this.value = '';
    this.style = undefined;
    this.flow = false;
    this.headComment = '';
    this.lineComment = '';
    this.footComment = '';
  }

  protected giveComments(): void {
    this.headComment = this.#head;
    this.lineComment = this.#line;
    this.footComment = this.#foot;
    this.#head = '';
    this.#line = '';
    this.#foot = '';
    this.#stem = '';
  }

  /** An empty scalar where nothing was written; `endColumn` puts it behind its indicator. */
  protected empty(at: Token, column: number): void {
    this.event(ev.scalar, at);
    this.column = column;
  }

  /** What stands above the last empty line of the first comment is the document's. */
  protected splitDocumentHead(): string {
    const head = this.#head;
    for (let i = head.length - 1; i > 0; i--) {
      if (head.charCodeAt(i) !== 10) continue;
      if (i === head.length - 1) {
        this.#head = '';
        return head.slice(0, i);
      }
      if (head.charCodeAt(i - 1) === 10) {
        this.#head = head.slice(i + 1);
        return head.slice(0, i - 1);
      }
    }
    return '';
  }

  protected giveStem(): void {
    this.headComment = this.#stem;
    this.#stem = '';
  }

  /** Takes a `-`. The comment above it is for the collection that it holds, if it holds one. */
  protected takeEntry(): Token {
    const length = this.#head.length;
    const token = length > 0 ? this.#takeForgiving() : this.take();
    if (length > 0 && (token.type === tok.blockSequenceStart || token.type === tok.blockMappingStart)) {
      this.#stem = this.#head.slice(0, length);
      this.#head = this.#head.slice(length + 1);
    }
    return token;
  }

  /** Behind a commented `-` Go looks ahead, goes on after an error, and reports it only if no other one comes. */
  #takeForgiving(): Token {
    this.scanner.take();
    try {
      return this.peek();
    } catch (error) {
      this.putOff = error;
      return this.peek();
    }
  }
}
