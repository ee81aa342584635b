// Owns checking an expression before it runs: unknown names and functions, operands that can never fit, the type of
// the result. It knows the kinds of values, not what lists and maps hold; those parts show up when it runs.
import { CelError } from './errors.ts';
import { dottedName, isMacro, TYPE_NAMES } from './evaluate.ts';
import type { Library, ParameterType } from './function.ts';
import { formatIssue, type Node } from './parse.ts';
import { typeOf } from './value.ts';

/** Names and their types; `any` where only the value can tell. */
export type Variables = ReadonlyMap<string, ParameterType>;

/** The type of an expression's result. Throws CelError `CelInvalid` with the place. */
export function checkExpression(text: string, node: Node, variables: Variables, library: Library): ParameterType {
  return new Checker(text, library).check(node, variables);
}

/** A type as cel-go prints it. */
export function typeText(type: ParameterType): string {
  switch (type) {
    case 'any':
      return 'dyn';
    case 'list':
      return 'list(dyn)';
    case 'map':
      return 'map(string, dyn)';
    case 'null_type':
      return 'null';
    case 'optional_type':
      return 'optional_type(dyn)';
    case 'google.protobuf.Timestamp':
      return 'timestamp';
    case 'google.protobuf.Duration':
      return 'duration';
    default:
      return type;
  }
}

const NUMBERS: readonly ParameterType[] = ['int', 'uint', 'double'];
const TIMES: readonly ParameterType[] = ['google.protobuf.Timestamp', 'google.protobuf.Duration'];

class Checker {
  readonly #text: string;
  readonly #library: Library;

  constructor(text: string, library: Library) {
    this.#text = text;
    this.#library = library;
  }

  check(node: Node, scope: Variables): ParameterType {
    switch (node.op) {
      case 'literal':
        return typeOf(node.value);
      case 'name': {
        const type = scope.get(node.name) ?? (TYPE_NAMES.has(node.name) ? 'type' : undefined);
        return type ?? this.#fail(node, `undeclared reference to '${node.name}' (in container '')`);
      }
      case 'select':
        return this.#select(node, scope);
      case 'index':
        return this.#index(node, scope);
      case 'list':
        this.#sameType(node.items, scope);
        return 'list';
      case 'map':
        this.#sameType(
          node.entries.map(([key]) => key),
          scope,
        );
        this.#sameType(
          node.entries.map(([, value]) => value),
          scope,
        );
        return 'map';
      case 'unary':
        return this.#unary(node, scope);
      case 'choice':
        return this.#choice(node, scope);
      case 'binary':
        return this.#binary(node, scope);
      case 'call':
        return this.#call(node, scope);
    }
  }

  #fail(node: Node, message: string): never {
    throw new CelError('CelInvalid', formatIssue(this.#text, node.at, message), { expression: this.#text });
  }

  #select(node: Extract<Node, { op: 'select' }>, scope: Variables): ParameterType {
    const dotted = dottedName(node);
    if (dotted !== undefined && TYPE_NAMES.has(dotted)) return 'type';
    const target = this.check(node.target, scope);
    if (target === 'optional_type' || (node.optional && (target === 'map' || target === 'any'))) return 'optional_type';
    if (target !== 'map' && target !== 'any') {
      this.#fail(node, `type '${typeText(target)}' does not support field selection`);
    }
    return 'any';
  }

  #index(node: Extract<Node, { op: 'index' }>, scope: Variables): ParameterType {
    const target = this.check(node.target, scope);
    const key = this.check(node.key, scope);
    if (target === 'optional_type' || node.optional) return 'optional_type';
    const fits =
      target === 'any' || target === 'map' || (target === 'list' && (key === 'any' || NUMBERS.includes(key)));
    if (!fits) this.#noOverload(node, '_[_]', [target, key]);
    return 'any';
  }

  #sameType(nodes: readonly Node[], scope: Variables): void {
    let type: ParameterType = 'any';
    for (const node of nodes) {
      const own = this.check(node, scope);
      if (type === 'any') type = own;
      else if (own !== 'any' && own !== type) {
        this.#fail(node, `expected type '${typeText(type)}' but found '${typeText(own)}'`);
      }
    }
  }

  #noOverload(node: Node, name: string, types: readonly ParameterType[]): never {
    const list = types.map(typeText).join(', ');
    return this.#fail(node, `found no matching overload for '${name}' applied to '(${list})'`);
  }

  #unary(node: Extract<Node, { op: 'unary' }>, scope: Variables): ParameterType {
    const type = this.check(node.arg, scope);
    const allowed: readonly ParameterType[] = node.sign === '!' ? ['bool'] : ['int', 'double'];
    if (type === 'any') return node.sign === '!' ? 'bool' : 'any';
    return allowed.includes(type) ? type : this.#noOverload(node, `${node.sign}_`, [type]);
  }

  #choice(node: Extract<Node, { op: 'choice' }>, scope: Variables): ParameterType {
    const condition = this.check(node.condition, scope);
    const yes = this.check(node.yes, scope);
    const no = this.check(node.no, scope);
    const fits = (condition === 'bool' || condition === 'any') && (yes === no || yes === 'any' || no === 'any');
    if (!fits) this.#noOverload(node, '_?_:_', [condition, yes, no]);
    return yes === no ? yes : 'any';
  }

  #binary(node: Extract<Node, { op: 'binary' }>, scope: Variables): ParameterType {
    const left = this.check(node.left, scope);
    const right = this.check(node.right, scope);
    const result = binaryResult(node.sign, left, right);
    return result ?? this.#noOverload(node, node.sign === 'in' ? '@in' : `_${node.sign}_`, [left, right]);
  }

  #call(node: Extract<Node, { op: 'call' }>, scope: Variables): ParameterType {
    const { name, target, args } = node;
    if (target === undefined && name === 'has' && args.length === 1) {
      const [field] = args;
      if (field!.op !== 'select') this.#fail(field!, 'invalid argument to has() macro');
      this.check(field!, scope);
      return 'bool';
    }
    if (target?.op === 'name' && target.name === 'cel' && name === 'bind' && args.length === 3) {
      const bound = this.check(args[1]!, scope);
      return this.check(args[2]!, new Map([...scope, [this.#variable(args[0]!), bound]]));
    }
    if (target !== undefined && isMacro(name, args.length)) return this.#macro(node, target, scope);
    const qualified = target?.op === 'name' ? `${target.name}.${name}` : '';
    if (this.#library.has(qualified)) return this.#overload(node, qualified, false, this.#all(args, scope));
    if (target === undefined) return this.#overload(node, name, false, this.#all(args, scope));
    return this.#overload(node, name, true, [this.check(target, scope), ...this.#all(args, scope)]);
  }

  #all(nodes: readonly Node[], scope: Variables): ParameterType[] {
    return nodes.map((node) => this.check(node, scope));
  }

  #variable(node: Node): string {
    return node.op === 'name' ? node.name : this.#fail(node, 'argument must be a simple name');
  }

  #macro({ name, args }: Extract<Node, { op: 'call' }>, target: Node, scope: Variables): ParameterType {
    const range = this.check(target, scope);
    const inner = new Map([...scope, [this.#variable(args[0]!), 'any' as const]]);
    const types = args.slice(1).map((arg) => this.check(arg, inner));
    if (name === 'optMap' || name === 'optFlatMap') return 'optional_type';
    if (range !== 'list' && range !== 'map' && range !== 'any') {
      const message = `expression of type '${typeText(range)}' cannot be range of a comprehension (must be list, map, or dynamic)`;
      this.#fail(target, message);
    }
    const isTransform = name === 'map';
    const predicate = isTransform && types.length === 1 ? undefined : types[0];
    if (predicate !== undefined && predicate !== 'bool' && predicate !== 'any') {
      this.#fail(args[1]!, `expected type 'bool' but found '${typeText(predicate)}'`);
    }
    return isTransform || name === 'filter' ? 'list' : 'bool';
  }

  #overload(node: Node, name: string, asMethod: boolean, types: readonly ParameterType[]): ParameterType {
    const overloads = this.#library.overloads(name, asMethod);
    if (overloads.length === 0) this.#fail(node, `undeclared reference to '${name}' (in container '')`);
    const fitting = overloads.filter(
      ({ parameters }) =>
        parameters.length === types.length &&
        parameters.every((type, i) => type === 'any' || types[i] === 'any' || type === types[i]),
    );
    if (fitting.length === 0) {
      const [receiver, ...rest] = types;
      const shown = rest.map(typeText).join(', ');
      if (!asMethod) this.#noOverload(node, name, types);
      this.#fail(node, `found no matching overload for '${name}' applied to '${typeText(receiver!)}.(${shown})'`);
    }
    const results = new Set(fitting.map(({ result }) => result));
    return results.size === 1 ? fitting[0]!.result : 'any';
  }
}

/** The type of an operator's result; undefined when it can take no such operands. */
function binaryResult(sign: string, left: ParameterType, right: ParameterType): ParameterType | undefined {
  const hasAny = left === 'any' || right === 'any';
  const areNumbers = NUMBERS.includes(left) && NUMBERS.includes(right);
  switch (sign) {
    case '&&':
    case '||':
      return (left === 'bool' || left === 'any') && (right === 'bool' || right === 'any') ? 'bool' : undefined;
    case '==':
    case '!=':
      // A null may be compared with what can be absent.
      return hasAny || left === right || isNullable(left, right) || isNullable(right, left) ? 'bool' : undefined;
    case '<':
    case '<=':
    case '>':
    case '>=':
      return hasAny || areNumbers || (left === right && isOrdered(left)) ? 'bool' : undefined;
    case 'in':
      return right === 'list' || right === 'map' || right === 'any' ? 'bool' : undefined;
    default:
      return arithmeticResult(sign, left, right);
  }
}

function isNullable(absent: ParameterType, other: ParameterType): boolean {
  return absent === 'null_type' && (TIMES.includes(other) || other === 'optional_type');
}

function isOrdered(type: ParameterType): boolean {
  return type === 'string' || type === 'bytes' || type === 'bool' || TIMES.includes(type);
}

function arithmeticResult(sign: string, left: ParameterType, right: ParameterType): ParameterType | undefined {
  if (left === 'any' || right === 'any') return 'any';
  if (left === right && NUMBERS.includes(left)) return sign === '%' && left === 'double' ? undefined : left;
  if (sign === '+' && left === right && (left === 'string' || left === 'bytes' || left === 'list')) return left;
  if ((sign !== '+' && sign !== '-') || !TIMES.includes(left) || !TIMES.includes(right)) return undefined;
  const [timestamp, duration] = TIMES;
  if (left === duration && right === duration) return duration;
  if (sign === '-') return left === timestamp ? (right === timestamp ? duration : timestamp) : undefined;
  return left === right ? undefined : timestamp;
}
