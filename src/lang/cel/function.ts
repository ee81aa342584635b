// Owns how a function of CEL is declared and found. The functions themselves are in functions/.
import { compileRegexp, type Regexp, RegexpError } from '../../lib/regexp.ts';
import { failed, limitExceeded, noSuchOverload } from './errors.ts';
import type { Spend } from './operators.ts';
import { type CelValue, type TypeName, typeOf } from './value.ts';

/** `any` takes every value; as a result it says that the type is only known when the function has run. */
export type ParameterType = TypeName | 'any';

/** What a running function may use. */
export interface Call {
  readonly spend: Spend;
  /** A compiled pattern, from this evaluation's cache. */
  regexp(pattern: string): Regexp;
}

/** One overload. For a method the first parameter is the receiver. */
export interface CelFunction {
  readonly name: string;
  readonly method: boolean;
  readonly parameters: readonly ParameterType[];
  readonly result: ParameterType;
  // biome-ignore lint/suspicious/noExplicitAny: the arguments have the declared types, which TypeScript cannot express
  readonly run: (call: Call, ...args: any[]) => CelValue;
}

/** Declares a global function. */
export function fn(
  name: string,
  parameters: readonly ParameterType[],
  result: ParameterType,
  run: CelFunction['run'],
): CelFunction {
  return { name, method: false, parameters, result, run };
}

/** Declares a method; the first parameter is the receiver. */
export function method(
  name: string,
  parameters: readonly ParameterType[],
  result: ParameterType,
  run: CelFunction['run'],
): CelFunction {
  return { name, method: true, parameters, result, run };
}

/** Functions by name. */
export class Library {
  readonly #byName = new Map<string, CelFunction[]>();

  constructor(functions: Iterable<CelFunction>) {
    for (const one of functions) {
      const list = this.#byName.get(one.name);
      if (list === undefined) this.#byName.set(one.name, [one]);
      else list.push(one);
    }
  }

  /** The overloads of a name, as functions or as methods. */
  overloads(name: string, asMethod: boolean): readonly CelFunction[] {
    return this.#byName.get(name)?.filter((one) => one.method === asMethod) ?? [];
  }

  has(name: string): boolean {
    return this.#byName.has(name);
  }

  /** Runs the overload that takes the arguments. Throws CelError `no such overload` when there is none. */
  call(name: string, asMethod: boolean, args: readonly CelValue[], call: Call): CelValue {
    for (const one of this.#byName.get(name) ?? []) {
      if (one.method !== asMethod || !accepts(one, args)) continue;
      for (const arg of args) if (typeof arg === 'string' || arg instanceof Uint8Array) call.spend(arg.length / 10);
      try {
        return one.run(call, ...args);
      } catch (error) {
        throw error instanceof RegexpError ? limitExceeded('a pattern search') : error;
      }
    }
    throw noSuchOverload();
  }
}

function accepts({ parameters }: CelFunction, args: readonly CelValue[]): boolean {
  return (
    parameters.length === args.length &&
    parameters.every((type, i) => type === 'any' || type === typeOf(args[i] as CelValue))
  );
}

/** Patterns of one evaluation, compiled once. */
export function createRegexpCache(): (pattern: string) => Regexp {
  const cache = new Map<string, Regexp>();
  return (pattern) => {
    let compiled = cache.get(pattern);
    if (compiled === undefined) {
      try {
        compiled = compileRegexp(pattern);
      } catch (error) {
        throw error instanceof RegexpError ? failed(error.message) : error;
      }
      cache.set(pattern, compiled);
    }
    return compiled;
  };
}
