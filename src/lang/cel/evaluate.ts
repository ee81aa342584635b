// Owns running a syntax tree: names, macros, short circuits with cel-go's error rules, and the work limit.
import { CelError, failed, limitExceeded, noSuchOverload } from './errors.ts';
import { type Call, createRegexpCache, type Library } from './function.ts';
import { applyBinary, index, negate, select, toInt } from './operators.ts';
import type { Node } from './parse.ts';
import { type CelMap, type CelValue, isList, isMap, type MapKey, mapKey, NONE, Optional, TypeValue } from './value.ts';

/** Steps of one evaluation; a thousand of them take about a tenth of a millisecond. */
const MAX_STEPS = 1_000_000;

/** Gives the value of a top-level variable; undefined when there is none. */
export type LookUp = (name: string) => CelValue | undefined;

/** Counts the steps of several evaluations. */
export interface Meter {
  spent: number;
}

/** Evaluates an expression. Throws CelError. */
export function evaluate(node: Node, lookUp: LookUp, library: Library, meter?: Meter): CelValue {
  const evaluation = new Evaluation(library, lookUp);
  try {
    return evaluation.run(node, undefined);
  } catch (error) {
    if (error instanceof RangeError) throw limitExceeded('nesting');
    throw error;
  } finally {
    if (meter) meter.spent += evaluation.spent;
  }
}

/** A variable of a macro. */
interface Scope {
  readonly name: string;
  readonly value: CelValue;
  readonly outer: Scope | undefined;
}

type CallNode = Extract<Node, { op: 'call' }>;

export const TYPE_NAMES = new Set([
  'bool',
  'int',
  'uint',
  'double',
  'string',
  'bytes',
  'list',
  'map',
  'null_type',
  'type',
  'optional_type',
  'google.protobuf.Timestamp',
  'google.protobuf.Duration',
]);

class Evaluation implements Call {
  readonly regexp = createRegexpCache();
  readonly #library: Library;
  readonly #lookUp: LookUp;
  #left = MAX_STEPS;

  constructor(library: Library, lookUp: LookUp) {
    this.#library = library;
    this.#lookUp = lookUp;
  }

  get spent(): number {
    return MAX_STEPS - this.#left;
  }

  readonly spend = (cost: number): void => {
    this.#left -= cost;
    if (this.#left < 0) throw limitExceeded('cost');
  };

  run(node: Node, scope: Scope | undefined): CelValue {
    this.spend(1);
    switch (node.op) {
      case 'literal':
        return node.value;
      case 'name':
        return this.#name(node.name, scope);
      case 'select':
        return this.#select(node, scope);
      case 'index':
        return index(this.run(node.target, scope), this.run(node.key, scope), node.optional);
      case 'call':
        return this.#call(node, scope);
      case 'list':
        return node.items.map((item) => this.run(item, scope));
      case 'map':
        return this.#map(node.entries, scope);
      case 'unary':
        return this.#unary(node.sign, this.run(node.arg, scope));
      case 'choice':
        return this.run(this.#bool(this.run(node.condition, scope)) ? node.yes : node.no, scope);
      case 'binary':
        if (node.sign === '&&' || node.sign === '||') return this.#logic(node.sign, node.left, node.right, scope);
        return applyBinary(node.sign, this.run(node.left, scope), this.run(node.right, scope), this.spend);
    }
  }

  #name(name: string, scope: Scope | undefined): CelValue {
    for (let here = scope; here !== undefined; here = here.outer) if (here.name === name) return here.value;
    const value = this.#lookUp(name);
    if (value !== undefined) return value;
    if (TYPE_NAMES.has(name)) return new TypeValue(name);
    throw failed(`no such attribute(s): ${name}`);
  }

  /** A dotted name may be the name of a type. */
  #select(node: Extract<Node, { op: 'select' }>, scope: Scope | undefined): CelValue {
    const dotted = dottedName(node);
    if (dotted !== undefined && TYPE_NAMES.has(dotted)) return new TypeValue(dotted);
    return select(this.run(node.target, scope), node.field, node.optional);
  }

  #map(entries: readonly (readonly [Node, Node])[], scope: Scope | undefined): CelMap {
    const map = new Map<MapKey, CelValue>();
    for (const [keyNode, valueNode] of entries) {
      const key = mapKey(this.run(keyNode, scope));
      if (key === undefined) throw failed('unsupported key type');
      map.set(key, this.run(valueNode, scope));
    }
    return map;
  }

  #unary(sign: '!' | '-', value: CelValue): CelValue {
    return sign === '!' ? !this.#bool(value) : negate(value);
  }

  #bool(value: CelValue): boolean {
    if (typeof value !== 'boolean') throw noSuchOverload();
    return value;
  }

  /** An error on one side does not count when the other side decides. */
  #logic(sign: '&&' | '||', left: Node, right: Node, scope: Scope | undefined): boolean {
    const decisive = sign === '||';
    const first = this.#attempt(() => this.#bool(this.run(left, scope)));
    if (first === decisive) return decisive;
    const second = this.#attempt(() => this.#bool(this.run(right, scope)));
    if (second === decisive) return decisive;
    if (first instanceof CelError) throw first;
    if (second instanceof CelError) throw second;
    return !decisive;
  }

  #attempt(run: () => boolean): boolean | CelError {
    try {
      return run();
    } catch (error) {
      if (error instanceof CelError && error.code === 'CelFailed') return error;
      throw error;
    }
  }

  #call(node: CallNode, scope: Scope | undefined): CelValue {
    const { name, target, args } = node;
    if (target === undefined) {
      if (name === 'has' && args.length === 1) return this.#has(args[0]!, scope);
      return this.#library.call(name, false, this.#all(args, scope), this);
    }
    if (target.op === 'name') {
      if (target.name === 'cel' && name === 'bind' && args.length === 3) return this.#bind(args, scope);
      const full = `${target.name}.${name}`;
      if (this.#library.has(full)) return this.#library.call(full, false, this.#all(args, scope), this);
    }
    const macro = this.#macro(node, target, scope);
    if (macro !== undefined) return macro;
    const receiver = this.run(target, scope);
    if (receiver instanceof Optional && (name === 'or' || name === 'orValue') && args.length === 1) {
      // The alternative is only looked at when it is needed.
      if (receiver.value !== undefined) return name === 'or' ? receiver : receiver.value;
      return this.run(args[0]!, scope);
    }
    // cel-go lets a value that is not optional pass.
    if (name === 'orValue' && args.length === 1 && !(receiver instanceof Optional)) return receiver;
    return this.#library.call(name, true, [receiver, ...this.#all(args, scope)], this);
  }

  #all(nodes: readonly Node[], scope: Scope | undefined): CelValue[] {
    return nodes.map((node) => this.run(node, scope));
  }

  #has(node: Node, scope: Scope | undefined): boolean {
    if (node.op !== 'select') throw failed('invalid argument to has() macro');
    const target = this.run(node.target, scope);
    const inner = target instanceof Optional ? target.value : target;
    if (inner === undefined) return false;
    if (!isMap(inner)) throw noSuchOverload();
    return inner.has(node.field);
  }

  #bind(args: readonly Node[], scope: Scope | undefined): CelValue {
    return this.run(args[2]!, { name: variableOf(args[0]!), value: this.run(args[1]!, scope), outer: scope });
  }

  #macro({ name, args }: CallNode, target: Node, scope: Scope | undefined): CelValue | undefined {
    if (!isMacro(name, args.length)) return undefined;
    const variable = variableOf(args[0]!);
    const range = this.run(target, scope);
    const at = (value: CelValue): Scope => ({ name: variable, value, outer: scope });
    const body = args[1]!;
    if (name === 'optMap' || name === 'optFlatMap') {
      if (!(range instanceof Optional)) throw noSuchOverload();
      if (range.value === undefined) return NONE;
      const value = this.run(body, at(range.value));
      return name === 'optMap' ? new Optional(value) : value;
    }
    const items = this.#itemsOf(range);
    const holds = (item: CelValue): boolean => this.#bool(this.run(body, at(item)));
    switch (name) {
      case 'all':
        return !this.#any(items, (item) => !holds(item));
      case 'exists':
        return this.#any(items, holds);
      case 'exists_one':
      case 'existsOne':
        return items.filter(holds).length === 1;
      case 'filter':
        return items.filter(holds);
      default:
        return args.length === 2
          ? items.map((item) => this.run(body, at(item)))
          : items.filter(holds).map((item) => this.run(args[2]!, at(item)));
    }
  }

  /** True when one item fits; an error counts only when none does. */
  #any(items: readonly CelValue[], fits: (item: CelValue) => boolean): boolean {
    let error: CelError | undefined;
    for (const item of items) {
      const result = this.#attempt(() => fits(item));
      if (result === true) return true;
      if (result instanceof CelError) error ??= result;
    }
    if (error !== undefined) throw error;
    return false;
  }

  #itemsOf(range: CelValue): readonly CelValue[] {
    if (isList(range)) return range;
    if (isMap(range)) return [...range.keys()].map((key) => (typeof key === 'bigint' ? toInt(key) : key));
    throw noSuchOverload();
  }
}

const MACROS = new Map<string, readonly number[]>([
  ['all', [2]],
  ['exists', [2]],
  ['exists_one', [2]],
  ['existsOne', [2]],
  ['filter', [2]],
  ['map', [2, 3]],
  ['optMap', [2]],
  ['optFlatMap', [2]],
]);

export function isMacro(name: string, args: number): boolean {
  return MACROS.get(name)?.includes(args) === true;
}

export function variableOf(node: Node): string {
  if (node.op !== 'name') throw failed('argument must be a simple name');
  return node.name;
}

/** `a.b.c` as text; undefined for anything else. */
export function dottedName(node: Node): string | undefined {
  if (node.op === 'name') return node.name;
  if (node.op !== 'select' || node.optional) return undefined;
  const before = dottedName(node.target);
  return before === undefined ? undefined : `${before}.${node.field}`;
}
