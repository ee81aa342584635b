// Owns walking over the tokens of a text, forth and back, for the parser.
import { type Token, tokenize } from './lexer.ts';

/** A place among the tokens of a text. */
export class TokenCursor {
  readonly #tokens: readonly Token[];
  /** Index of the next token. Set it to go back. */
  position = 0;
  /** Index of the furthest token looked at. */
  #furthest = 0;

  constructor(text: string) {
    this.#tokens = tokenize(text);
  }

  /** Line of the furthest token looked at: the one that Go's messages give. */
  get line(): number {
    return this.#tokens[this.#furthest]!.line;
  }

  /** The next token, which stays; the last one (end or error) never goes away. */
  peek(): Token {
    if (this.position > this.#furthest) this.#furthest = this.position;
    return this.#tokens[this.position]!;
  }

  take(): Token {
    const token = this.peek();
    if (this.position < this.#tokens.length - 1) this.position++;
    return token;
  }

  takeNonSpace(): Token {
    let token = this.take();
    while (token.type === 'space') token = this.take();
    return token;
  }

  /** Skips space and gives the token behind it, which stays. */
  peekNonSpace(): Token {
    while (this.peek().type === 'space') this.position++;
    return this.peek();
  }
}
