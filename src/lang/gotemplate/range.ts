// Owns `range`: what can be iterated over, in which order, and how the loop variables get their values.
import type { BranchNode } from './ast.ts';
import { type Compilation, compileSetter, compileStages, type Setter } from './expression.ts';
import { formatValue } from './printf.ts';
import { BREAK, type State, type Statement, step } from './state.ts';
import {
  GoInt,
  type GoType,
  type GoValue,
  INT,
  int,
  listItems,
  sortedKeys,
  type TypedMap,
  TypedSlice,
} from './value.ts';

/** Evaluates the collection and runs the body over it; false if there was nothing to iterate over. */
export type Loop = (state: State, body: Statement) => boolean;

/** Compiles the head of a range. Its variables are declared in the scope for the body to be compiled next. */
export function compileLoop({ pipe }: BranchNode, compilation: Compilation): Loop {
  // The expression comes first: it does not see the variables that it fills.
  const evaluate = compileStages(pipe, compilation);
  const { scope } = compilation;
  const [first, second] = pipe.declarations.map((variable) => variable.names[0]!);
  const flag = first === undefined ? 0 : scope.allocate();
  const set = (name: string, isElement: boolean): Setter =>
    compileSetter(name, scope, { isAssign: pipe.isAssign, ...(isElement && { flag }) });
  const setIndex = second === undefined ? undefined : set(first!, false);
  const elementName = second ?? first;
  const setElement = elementName === undefined ? undefined : set(elementName, true);
  return (state, body) => {
    const collection = evaluate(state);
    setIndex?.(state, collection);
    setElement?.(state, collection);
    const { dot, dotIsInterface } = state;
    const iteration = new Iteration(state, body, { setIndex, setElement, flag });
    const ran = iteration.over(collection);
    state.dot = dot;
    state.dotIsInterface = dotIsInterface;
    return ran;
  };
}

interface LoopVariables {
  readonly setIndex: Setter | undefined;
  readonly setElement: Setter | undefined;
  /** Slot that tells whether elements are of static type interface {}; 0 for none. */
  readonly flag: number;
}

/** One execution of a range. */
class Iteration {
  readonly #state: State;
  readonly #body: Statement;
  readonly #variables: LoopVariables;

  constructor(state: State, body: Statement, variables: LoopVariables) {
    this.#state = state;
    this.#body = body;
    this.#variables = variables;
  }

  over(collection: GoValue): boolean {
    if (collection === undefined || collection === null) return false;
    if (Array.isArray(collection)) return this.#overItems(collection, true);
    if (collection instanceof Map) return this.#overMap(collection);
    if (collection instanceof TypedSlice) return this.#overItems(collection.items, isInterface(collection.type));
    if (collection instanceof GoInt) return this.#overInteger(collection);
    if (collection instanceof Uint8Array) return this.#overItems(listItems(collection)!, false);
    throw this.#state.fail(`range can't iterate over ${formatValue(collection)}`);
  }

  #overItems(items: readonly GoValue[], areInterfaces: boolean): boolean {
    this.#setFlag(areInterfaces);
    for (let i = 0; i < items.length; i++) if (!this.#once(int(i), items[i])) break;
    return items.length > 0;
  }

  /** Keys and values are those of the start: the body may change the map. */
  #overMap(map: Map<string, GoValue>): boolean {
    const type: GoType | undefined = (map as TypedMap).type;
    this.#setFlag(type === undefined || isInterface(type));
    const keys = sortedKeys(map);
    const values = keys.map((key) => map.get(key));
    for (let i = 0; i < keys.length; i++) if (!this.#once(keys[i], values[i])) break;
    return keys.length > 0;
  }

  #overInteger({ value, type }: GoInt): boolean {
    if (this.#variables.setIndex) {
      throw this.#state.fail(`can't use ${value} to iterate over more than one variable`);
    }
    this.#setFlag(false);
    const count = Number(value);
    for (let i = 0; i < count; i++) {
      if (!this.#once(undefined, type === INT ? int(i) : new GoInt(BigInt(i), type))) break;
    }
    return count > 0;
  }

  #setFlag(areInterfaces: boolean): void {
    this.#state.dotIsInterface = areInterfaces;
    if (this.#variables.flag > 0) this.#state.vars[this.#variables.flag] = areInterfaces;
  }

  /** One iteration; false after a break. */
  #once(index: GoValue, element: GoValue): boolean {
    const state = this.#state;
    step(state);
    state.dot = element;
    this.#variables.setIndex?.(state, index);
    this.#variables.setElement?.(state, element);
    return this.#body(state) !== BREAK;
  }
}

function isInterface(type: GoType): boolean {
  return type.elem?.kind === 'interface';
}
