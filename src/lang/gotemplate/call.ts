// Owns calling the implementation of a function: its arguments, what its result is charged, where its failure is placed.
// Which function it is and how arguments are converted is expression.ts's.
import type { CommandNode, IdentifierNode } from './ast.ts';
import type { GoFunction } from './function.ts';
import type { State } from './state.ts';
import type { GoValue } from './value.ts';

/** Evaluates a command; `final` is the value of the stage before, where there is one. */
export type Command = (state: State, final: GoValue) => GoValue;
/** An argument as written, or the one piped in. */
export type PipedArgument = (state: State, final: GoValue) => unknown;

type Implementation = (...args: unknown[]) => GoValue;

/** Where a call is, for its errors. */
interface CallSite {
  readonly node: CommandNode | IdentifierNode;
  readonly name: string;
}

/** The call of an implementation: one closure per number of arguments, so that common calls build no array. */
export function bindCall(fn: GoFunction, site: CallSite, args: readonly PipedArgument[]): Command {
  const call = fn.call as unknown as Implementation;
  const [first, second, third] = args;
  if (fn.usesExecution || args.length > 3) return bindManyArguments(fn, site, args);
  if (first === undefined) return (state) => attempt(state, site, () => call());
  if (second === undefined) {
    return (state, final) => {
      const a = first(state, final);
      try {
        return charged(state, call(a));
      } catch (error) {
        throw state.callError(site.node, site.name, error);
      }
    };
  }
  if (third === undefined) {
    return (state, final) => {
      const a = first(state, final);
      const b = second(state, final);
      try {
        return charged(state, call(a, b));
      } catch (error) {
        throw state.callError(site.node, site.name, error);
      }
    };
  }
  return (state, final) => {
    const a = first(state, final);
    const b = second(state, final);
    const c = third(state, final);
    try {
      return charged(state, call(a, b, c));
    } catch (error) {
      throw state.callError(site.node, site.name, error);
    }
  };
}

function bindManyArguments(fn: GoFunction, site: CallSite, args: readonly PipedArgument[]): Command {
  const call = fn.call as unknown as Implementation;
  const { usesExecution } = fn;
  return (state, final) => {
    const values: unknown[] = usesExecution ? [state.execution] : [];
    for (const arg of args) values.push(arg(state, final));
    return attempt(state, site, () => call(...values));
  };
}

function attempt(state: State, { node, name }: CallSite, run: () => GoValue): GoValue {
  try {
    return charged(state, run());
  } catch (error) {
    throw state.callError(node, name, error);
  }
}

/** Units charged per list element. */
const ELEMENT_SIZE = 16;
/** Results below this length are not worth counting. */
const UNCOUNTED = 1024;

/** Charges the budget for what a call returned. */
function charged(state: State, result: GoValue): GoValue {
  if (typeof result === 'string') {
    if (result.length > UNCOUNTED) {
      state.budget.checkString(result.length);
      state.budget.allocate(result.length);
    }
  } else if (Array.isArray(result)) state.budget.allocate(result.length * ELEMENT_SIZE);
  return result;
}
