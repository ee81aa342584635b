// Owns the grammar of `${…}`: text → parts, with the refusals of Flux's envsubst. Evaluating them is expand.ts.
import { CodedError } from '../../lib/errors.ts';
import { type ByteString, fromByteString, runeAt } from './bytes.ts';

/**
 * A text that cannot be substituted. Codes: `InvalidSubstitution` (the text does not parse), `VariableNotSet` (strict
 * mode), `SubstitutionLimit` (nesting, work or output beyond bounds; the bounds are ours, the reference has none).
 */
export class SubstitutionError extends CodedError<
  'InvalidSubstitution' | 'VariableNotSet' | 'SubstitutionLimit',
  { readonly variable?: string }
> {}

/** `${name operator args…}`; the operator is '' for a bare reference. */
export interface Expansion {
  readonly name: string;
  readonly operator: string;
  readonly args: readonly Part[];
}

/** Literal bytes, or something to expand. */
export type Part = ByteString | Expansion;

/** Deepest `${…:=${…}}`. */
const MAX_DEPTH = 500;

/** Parses a text into parts. A NUL ends it, as in the reference. Throws SubstitutionError. */
export function parseSubstitutions(text: ByteString): readonly Part[] {
  return new Parser(text).parse();
}

/** True for a character that a literal ends before. Takes the rune. */
type Stop = (rune: number) => boolean;

const isClosing: Stop = (rune) => rune === CLOSE;
const isColonOrClosing: Stop = (rune) => rune === COLON || rune === CLOSE;
const isSlash: Stop = (rune) => rune === SLASH;

const DOLLAR = 0x24;
const COLON = 0x3a;
const SLASH = 0x2f;
const BACKSLASH = 0x5c;
const CLOSE = 0x7d;
const NAME_RUNE = /^[\p{L}\p{Nd}]$/u;

class Parser {
  readonly #text: ByteString;
  #at = 0;
  #depth = 0;

  constructor(text: ByteString) {
    this.#text = text;
  }

  parse(): readonly Part[] {
    const parts: Part[] = [];
    while (!this.#isEnd()) {
      if (this.#takeOpening()) parts.push(this.#expansion());
      else parts.push(this.#plainText());
    }
    return parts;
  }

  /** Text outside of expansions: `$$` stands for `$`. */
  #plainText(): ByteString {
    const text = this.#text;
    let out = '';
    for (;;) {
      const stop = nextOf(text, this.#at);
      out += text.slice(this.#at, stop);
      this.#at = stop;
      if (text[stop] !== '$' || text[stop + 1] === '{') return out;
      out += '$';
      this.#at += text[stop + 1] === '$' ? 2 : 1;
    }
  }

  #expansion(): Expansion {
    if (this.#depth === MAX_DEPTH) {
      throw new SubstitutionError('SubstitutionLimit', `substitutions nested more than ${MAX_DEPTH} deep`, {});
    }
    this.#depth++;
    const expansion = this.#take('#') ? this.#length() : this.#named();
    this.#depth--;
    return expansion;
  }

  #length(): Expansion {
    const name = this.#name();
    if (name === '') throw bad();
    this.#close();
    return { name, operator: '#', args: [] };
  }

  #named(): Expansion {
    const name = this.#name();
    if (name === '') throw invalid('unable to parse variable name');
    switch (this.#text[this.#at]) {
      case ':':
        return '=-?+'.includes(this.#text[this.#at + 1] ?? ' ') ? this.#default(name, 2) : this.#substring(name);
      case '=':
        return this.#default(name, 1);
      case ',':
      case '^':
        return this.#casing(name);
      case '/':
        return this.#replacement(name);
      case '#':
      case '%':
        return this.#removal(name);
      default:
        if (!this.#take('}')) throw invalid('missing closing brace');
        return { name, operator: '', args: [] };
    }
  }

  /** `${name:=…}` and its like: any number of literals and expansions up to the first `}`. */
  #default(name: string, width: number): Expansion {
    const operator = this.#text.slice(this.#at, this.#at + width);
    this.#at += width;
    const args: Part[] = [];
    while (!this.#take('}')) args.push(this.#argument(isClosing));
    return { name, operator, args };
  }

  #substring(name: string): Expansion {
    this.#at++;
    // The reference steps back by the width of what follows the colon, and so loses its way at these.
    const followed = this.#at < this.#text.length && (runeAt(this.#text, this.#at) & 7) === 1;
    if (!followed) throw bad();
    const args = [this.#argument(isColonOrClosing)];
    if (this.#take('}')) return { name, operator: ':', args };
    if (!this.#takeRun(':')) throw bad();
    args.push(this.#argument(isClosing));
    this.#close();
    return { name, operator: ':', args };
  }

  #casing(name: string): Expansion {
    const text = this.#text;
    const width = text[this.#at + 1] === ',' || text[this.#at + 1] === '^' ? 2 : 1;
    const operator = text.slice(this.#at, this.#at + width);
    this.#at += width;
    this.#close();
    return { name, operator, args: [] };
  }

  #removal(name: string): Expansion {
    const sign = this.#text[this.#at]!;
    const operator = this.#text[this.#at + 1] === sign ? sign + sign : sign;
    this.#at += operator.length;
    const args = [this.#argument(isClosing)];
    this.#close();
    return { name, operator, args };
  }

  #replacement(name: string): Expansion {
    const second = this.#text[this.#at + 1];
    const operator = second === '/' || second === '#' || second === '%' ? `/${second}` : '/';
    this.#at += operator.length;
    const args = [this.#argument(isSlash, true)];
    if (!this.#takeRun('/')) throw bad();
    if (this.#take('}')) return { name, operator, args };
    args.push(this.#argument(isClosing, true));
    this.#close();
    return { name, operator, args };
  }

  /** A nested expansion, or literal text of at least one character. With `escapes`, `$$`, `\/` and `\\` are one. */
  #argument(isStop: Stop, escapes = false): Part {
    if (this.#takeOpening()) return this.#expansion();
    const text = this.#text;
    const start = this.#at;
    let out = '';
    let from = start;
    while (!this.#isEnd() && !text.startsWith('${', this.#at)) {
      const packed = runeAt(text, this.#at);
      const rune = packed >> 3;
      if (escapes && isEscape(rune, text[this.#at + 1])) {
        out += text.slice(from, this.#at);
        from = this.#at + 1;
        this.#at += 2;
      } else if (isStop(rune)) break;
      else this.#at += packed & 7;
    }
    if (this.#at === start) throw invalid('unable to parse substitution within function');
    return out + text.slice(from, this.#at);
  }

  #name(): string {
    const start = this.#at;
    const text = this.#text;
    while (this.#at < text.length) {
      if (isAsciiName(text.charCodeAt(this.#at))) {
        this.#at++;
        continue;
      }
      const packed = runeAt(text, this.#at);
      if (packed >> 3 < 0x80 || !NAME_RUNE.test(String.fromCodePoint(packed >> 3))) break;
      this.#at += packed & 7;
    }
    return fromByteString(text.slice(start, this.#at));
  }

  #isEnd(): boolean {
    return this.#at >= this.#text.length || this.#text[this.#at] === '\0';
  }

  #takeOpening(): boolean {
    const found = this.#text.startsWith('${', this.#at);
    if (found) this.#at += 2;
    return found;
  }

  #take(character: string): boolean {
    const found = this.#text[this.#at] === character;
    if (found) this.#at++;
    return found;
  }

  /** The reference swallows a run of delimiters where one would do. */
  #takeRun(character: string): boolean {
    const found = this.#take(character);
    while (this.#take(character));
    return found;
  }

  #close(): void {
    if (!this.#take('}')) throw bad();
  }
}

function isAsciiName(code: number): boolean {
  return (
    (code >= 0x61 && code <= 0x7a) || (code >= 0x41 && code <= 0x5a) || (code >= 0x30 && code <= 0x39) || code === 0x5f
  );
}

/** Position of the next `$` or NUL, or the length. */
function nextOf(text: ByteString, from: number): number {
  const dollar = text.indexOf('$', from);
  const end = dollar < 0 ? text.length : dollar;
  const nul = text.slice(from, end).indexOf('\0');
  return nul < 0 ? end : from + nul;
}

function isEscape(rune: number, next: string | undefined): boolean {
  if (rune === DOLLAR) return next === '$';
  return rune === BACKSLASH && (next === '/' || next === '\\');
}

function invalid(message: string): SubstitutionError {
  return new SubstitutionError('InvalidSubstitution', message, {});
}

function bad(): SubstitutionError {
  return invalid('bad substitution');
}
