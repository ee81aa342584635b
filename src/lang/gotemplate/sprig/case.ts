// Owns splitting identifiers into words for snakecase, kebabcase and camelcase, by the rules of xstrings 1.5.

/** Go maps rune by rune: where JavaScript makes several letters of one (`ß`), the rune stays. */
export function upperRune(rune: string): string {
  const upper = rune.toUpperCase();
  return [...upper].length === 1 ? upper : rune;
}

/** Go's unicode.ToLower. */
export function lowerRune(rune: string): string {
  const lower = rune === 'İ' ? 'i' : rune.toLowerCase();
  return [...lower].length === 1 ? lower : rune;
}

type WordKind = 'none' | 'number' | 'upper' | 'letters' | 'connector' | 'punctuation' | 'other';

interface Word {
  readonly kind: WordKind;
  readonly text: string;
}

const CONNECTOR = /^[-_\t\n\v\f\r \u0085\p{Zs}\p{Zl}\p{Zp}]$/u;
const PUNCTUATION = /^\p{P}$/u;
const UPPER = /^\p{Lu}$/u;
const NUMBER = /^\p{N}$/u;
/** Letters but for the scripts without case. */
const ALPHABET = /^(?!\p{Script=Han}|\p{Script=Hangul}|\p{Script=Hiragana}|\p{Script=Katakana})\p{L}$/u;

/** Words of a text, one after the other. Bytes that are not UTF-8 belong to the rune behind them. */
class Words {
  readonly #texts: readonly string[];
  readonly #runes: readonly string[];
  #at = 0;

  constructor(text: string) {
    this.#texts = text.match(/[\udc80-\udcff]*./gsu) ?? [];
    this.#runes = this.#texts.map((piece) => [...piece].at(-1)!);
  }

  get hasMore(): boolean {
    return this.#at < this.#runes.length;
  }

  next(): Word {
    const start = this.#at;
    const first = this.#runes[start];
    if (first === undefined) return { kind: 'none', text: '' };
    this.#at++;
    const kind = this.#scan(first);
    return { kind, text: this.#texts.slice(start, this.#at).join('') };
  }

  #scan(first: string): WordKind {
    if (CONNECTOR.test(first)) return this.#while('connector', (rune) => CONNECTOR.test(rune));
    if (PUNCTUATION.test(first)) return this.#while('punctuation', (rune) => PUNCTUATION.test(rune));
    if (UPPER.test(first)) return this.#scanUpper();
    if (ALPHABET.test(first)) return this.#while('letters', isLowerLetter);
    if (NUMBER.test(first)) return this.#while('number', (rune) => NUMBER.test(rune));
    return this.#while('other', (rune) => ![CONNECTOR, ALPHABET, NUMBER, PUNCTUATION].some((set) => set.test(rune)));
  }

  /** `HTTPStatus` is `HTTP` and `Status`: the last capital belongs to the letters behind it. */
  #scanUpper(): WordKind {
    const second = this.#runes[this.#at];
    if (second === undefined) return 'upper';
    if (!UPPER.test(second)) {
      if (ALPHABET.test(second)) this.#while('upper', isLowerLetter);
      return 'upper';
    }
    this.#while('upper', (rune) => UPPER.test(rune));
    const after = this.#runes[this.#at];
    if (after !== undefined && ALPHABET.test(after)) this.#at--;
    return 'upper';
  }

  #while(kind: WordKind, belongs: (rune: string) => boolean): WordKind {
    while (this.#at < this.#runes.length && belongs(this.#runes[this.#at]!)) this.#at++;
    return kind;
  }
}

function isLowerLetter(rune: string): boolean {
  return ALPHABET.test(rune) && !UPPER.test(rune);
}

/** snakecase (`_`) and kebabcase (`-`). */
export function toSeparatedCase(text: string, connector: string): string {
  return new Separator(text, connector).convert();
}

class Separator {
  readonly #words: Words;
  readonly #connector: string;
  #out = '';
  #word: Word;

  constructor(text: string, connector: string) {
    this.#words = new Words(text);
    this.#connector = connector;
    this.#word = this.#words.next();
  }

  convert(): string {
    while (this.#words.hasMore) {
      const before = this.#word;
      if (before.kind !== 'connector') this.#write(before);
      this.#word = this.#words.next();
      if (before.kind === 'number') this.#joinWordsAndConnect();
      else if (before.kind === 'connector') this.#write(before);
      else if (before.kind !== 'punctuation') this.#afterWord();
    }
    this.#write(this.#word);
    return this.#out;
  }

  #write({ kind, text }: Word): void {
    if (kind !== 'upper' && kind !== 'connector') this.#out += text;
    else for (const rune of text) this.#out += CONNECTOR.test(rune) ? this.#connector : lowerRune(rune);
  }

  #connectUnless(...kinds: WordKind[]): void {
    if (!kinds.includes(this.#word.kind)) this.#out += this.#connector;
  }

  /** Letters and numbers behind a number stay joined to it. */
  #joinWordsAndConnect(): void {
    while (this.#word.kind === 'letters' || this.#word.kind === 'number') {
      this.#write(this.#word);
      this.#word = this.#words.next();
    }
    this.#connectUnless('none', 'punctuation', 'connector');
  }

  /** A number behind a word belongs to the word (`Bld4`), unless lower case letters follow it (`HTTP2xx`). */
  #afterWord(): void {
    if (this.#word.kind !== 'number') {
      this.#connectUnless('connector', 'punctuation');
      return;
    }
    if (!this.#words.hasMore) return;
    const number = this.#word;
    this.#word = this.#words.next();
    if (this.#word.kind !== 'letters') {
      this.#write(number);
      this.#connectUnless('connector', 'punctuation');
      return;
    }
    this.#out += this.#connector;
    this.#write(number);
    this.#joinWordsAndConnect();
  }
}

/** camelcase: words joined with capitals, leading connectors kept, of several in a row all but the last. */
export function toPascalCase(text: string): string {
  const runes = [...text.toWellFormed()];
  const start = runes.findIndex((rune) => !CONNECTOR.test(rune));
  // Nothing but connectors: the library writes the last one twice.
  if (start < 0) return text + (runes.at(-1) ?? '');
  let out = runes.slice(0, start).join('');
  let current = runes[start]!;
  let firstIsUpper = UPPER.test(current);
  current = upperRune(current);
  for (const rune of runes.slice(start + 1)) {
    const before = current;
    current = rune;
    if (CONNECTOR.test(current) && CONNECTOR.test(before)) {
      out += before;
      continue;
    }
    if (CONNECTOR.test(before)) {
      firstIsUpper = UPPER.test(current);
      current = upperRune(current);
      continue;
    }
    if (firstIsUpper && UPPER.test(current)) current = lowerRune(current);
    else if (firstIsUpper) firstIsUpper = false;
    out += before;
  }
  return out + current;
}
