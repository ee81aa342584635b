// Owns how template functions are declared: a signature of Go types and an implementation typed by it.
import type { Execution } from './execution.ts';
import type { GoMethod, GoType, GoValue, Signature } from './value.ts';

/** A function callable from templates. */
export interface GoFunction extends Signature {
  /** True: `call` gets the running Execution before the arguments. */
  readonly usesExecution: boolean;
  /** For `call`: the source text of the first argument comes before the arguments. */
  readonly usesSource?: boolean;
  /** For `and` (false) and `or` (true): arguments after the first one with this truth are not evaluated. */
  readonly shortCircuit?: boolean;
  /**
   * Gets the arguments in the form of their types' `T`. What it throws as GoError (or RegexpError, or any CodedError)
   * fails the template with `error calling NAME: message`; the thrown error is the `cause`.
   */
  readonly call: (...args: never[]) => GoValue;
}

/** Functions by name, as templates see them. Templates are compiled against one table and keep it. */
export type FunctionTable = ReadonlyMap<string, GoFunction>;

type ArgOf<P> = P extends GoType<infer T> ? T : never;
type ArgsOf<P extends readonly GoType[]> = { [K in keyof P]: ArgOf<P[K]> };

/** Declares a function of fixed arity: `func([STRING, INT], (text, count) => …)`. */
export function func<const P extends readonly GoType[]>(params: P, call: (...args: ArgsOf<P>) => GoValue): GoFunction {
  return { params, usesExecution: false, call: call as unknown as GoFunction['call'] };
}

/** Declares a variadic function: `variadic([STRING], ANY, (format, ...values) => …)`. */
export function variadic<const P extends readonly GoType[], R extends GoType>(
  params: P,
  rest: R,
  call: (...args: [...ArgsOf<P>, ...ArgOf<R>[]]) => GoValue,
): GoFunction {
  return { params, rest, usesExecution: false, call: call as unknown as GoFunction['call'] };
}

/** As `func`, for functions that need the running execution (include, tpl, now, random ones). */
export function funcWith<const P extends readonly GoType[]>(
  params: P,
  call: (execution: Execution, ...args: ArgsOf<P>) => GoValue,
): GoFunction {
  return { params, usesExecution: true, call: call as unknown as GoFunction['call'] };
}

/** As `variadic`, for functions that need the running execution. */
export function variadicWith<const P extends readonly GoType[], R extends GoType>(
  params: P,
  rest: R,
  call: (execution: Execution, ...args: [...ArgsOf<P>, ...ArgOf<R>[]]) => GoValue,
): GoFunction {
  return { params, rest, usesExecution: true, call: call as unknown as GoFunction['call'] };
}

/** Declares a method of a Go type; the receiver is the value it is called on. */
export function method<Receiver, const P extends readonly GoType[]>(
  params: P,
  call: (receiver: Receiver, ...args: ArgsOf<P>) => GoValue,
): GoMethod {
  return { params, call: call as unknown as GoMethod['call'] };
}
