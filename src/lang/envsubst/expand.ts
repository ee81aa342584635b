// Owns variable substitution in a text, as Flux's envsubst does it (flux.md §4.7). Which texts and which variables is
// render/substitute.ts.
import { goQuote } from '../../lib/goquote.ts';
import { type ByteString, toByteString } from './bytes.ts';
import { applyOperator, MAX_OUTPUT, suppliesDefault, tooLong } from './operators.ts';
import { type Expansion, type Part, parseSubstitutions, SubstitutionError } from './parse.ts';

/** How to substitute. */
export interface ExpandOptions {
  /** Refuse variables that are not set, unless their operator supplies a default; else they are empty. */
  readonly strict: boolean;
}

/**
 * Replaces every `${…}` of a text and collapses `$$` to `$`. The result is bytes: byte offsets may cut a letter.
 * Throws SubstitutionError with the reference's text.
 */
export function expand(text: string, variables: ReadonlyMap<string, string>, options: ExpandOptions): Uint8Array {
  const values = new Map<string, ByteString | undefined>();
  const lookUp = (name: string): ByteString | undefined => {
    if (!values.has(name)) {
      const value = variables.get(name);
      values.set(name, value === undefined ? undefined : toByteString(value));
    }
    return values.get(name);
  };
  const parts = parseSubstitutions(toByteString(text));
  return Buffer.from(new Evaluation(lookUp, options.strict).join(parts), 'latin1');
}

class Evaluation {
  readonly #lookUp: (name: string) => ByteString | undefined;
  readonly #strict: boolean;

  constructor(lookUp: (name: string) => ByteString | undefined, strict: boolean) {
    this.#lookUp = lookUp;
    this.#strict = strict;
  }

  join(parts: readonly Part[]): ByteString {
    let out = '';
    for (const part of parts) {
      out += this.#valueOf(part);
      if (out.length > MAX_OUTPUT) throw tooLong();
    }
    return out;
  }

  #valueOf(part: Part): ByteString {
    if (typeof part === 'string') return part;
    const { name, operator } = part;
    // Arguments first: the reference reports their mistakes before it looks at the variable.
    const args = this.#argumentsOf(part);
    const value = this.#lookUp(name);
    if (value === undefined && this.#strict && !suppliesDefault(operator)) {
      const message = `variable not set (strict mode): ${goQuote(name)}`;
      throw new SubstitutionError('VariableNotSet', message, { variable: name });
    }
    return applyOperator(operator, value ?? '', args);
  }

  #argumentsOf(expansion: Expansion): readonly ByteString[] {
    let length = 0;
    return expansion.args.map((part) => {
      const value = this.#valueOf(part);
      length += value.length;
      if (length > MAX_OUTPUT) throw tooLong();
      return value;
    });
  }
}
