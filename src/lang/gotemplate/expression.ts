// Owns compiling pipelines, commands and operands to closures. Statements are statement.ts's.
//
// Each closure writes `state.node` exactly where Go's evaluator marks its position: error messages quote the node that
// was looked at last, which may be an argument of an earlier stage.
import {
  type ChainNode,
  type CommandNode,
  type FieldNode,
  formatNode,
  type IdentifierNode,
  type OperandNode,
  type PipeNode,
  type VariableNode,
} from './ast.ts';
import { bindCall, type Command, type PipedArgument } from './call.ts';
import { convertConstant, converterFor, idealConstant } from './convert.ts';
import { type DynamicArgument, fieldCall, fieldPath } from './field.ts';
import type { FunctionTable, GoFunction } from './function.ts';
import type { Scope } from './scope.ts';
import type { State } from './state.ts';
import { ANY, type GoValue, isTrue, VALUE } from './value.ts';

/** Evaluates something to a Go value. */
export type Expression = (state: State) => GoValue;
/** Evaluates an argument to the form that an implementation receives. */
type Argument = (state: State) => unknown;

/** What compiling needs: the functions, and the variables at this point. */
export interface Compilation {
  readonly functions: FunctionTable;
  readonly scope: Scope;
}

/** A pipeline: its value, nil interfaces turned into "no value", declared variables set. */
export function compilePipe(pipe: PipeNode, compilation: Compilation): Expression {
  const evaluate = compileStages(pipe, compilation);
  const setters = pipe.declarations.map((variable) => {
    return compileSetter(variable.names[0]!, compilation.scope, { isAssign: pipe.isAssign });
  });
  return withSetters(evaluate, setters);
}

/** Gives a variable a value. */
export type Setter = (state: State, value: GoValue) => void;

function withSetters(evaluate: Expression, setters: readonly Setter[]): Expression {
  const [first, ...others] = setters;
  if (first === undefined) return evaluate;
  return (state) => {
    const value = evaluate(state);
    first(state, value);
    for (const set of others) set(state, value);
    return value;
  };
}

/** Assigns the nearest variable of that name (`=`) or declares one (`:=`), with a range's `flag` if it has one. */
export function compileSetter(
  name: string,
  scope: Scope,
  { isAssign, flag }: { readonly isAssign: boolean; readonly flag?: number },
): Setter {
  const slot = isAssign ? scope.find(name) : scope.declare(name, flag);
  if (slot === undefined) {
    return (state) => {
      throw state.fail(`undefined variable: ${name}`);
    };
  }
  const { index } = slot;
  return (state, value) => {
    state.vars[index] = value;
  };
}

/** The value of a pipeline's commands, without regard to the variables it declares. */
export function compileStages(pipe: PipeNode, compilation: Compilation): Expression {
  const stages = pipe.commands.map((command, index) => compileCommand(command, index > 0, compilation));
  const [first, second, ...others] = stages as [Command, ...Command[]];
  if (second === undefined) {
    return (state) => {
      state.node = pipe;
      const value = first(state, undefined);
      return value === null ? undefined : value;
    };
  }
  return (state) => {
    state.node = pipe;
    let value = first(state, undefined);
    value = second(state, value === null ? undefined : value);
    for (const stage of others) value = stage(state, value === null ? undefined : value);
    return value === null ? undefined : value;
  };
}

function compileCommand(command: CommandNode, hasFinal: boolean, compilation: Compilation): Command {
  const word = command.args[0]!;
  switch (word.type) {
    case 'field':
    case 'variable':
    case 'chain':
      return compilePathCommand(word, command, hasFinal, compilation);
    case 'identifier':
      return compileCall(word, command, { hasFinal, compilation });
    default:
      if (hasFinal || command.args.length > 1) return refuseArguments(word);
      return word.type === 'pipe' ? compilePipe(word, compilation) : compileLiteral(word);
  }
}

function refuseArguments(word: OperandNode): Command {
  return (state) => {
    if (word.type !== 'pipe') state.node = word;
    throw state.fail(`can't give argument to non-function ${formatNode(word)}`);
  };
}

/** A literal or the cursor as a whole command. */
function compileLiteral(word: OperandNode): Expression {
  switch (word.type) {
    case 'bool':
    case 'string': {
      const { value } = word;
      return (state) => {
        state.node = word;
        return value;
      };
    }
    case 'number': {
      const constant = idealConstant(word);
      if ('received' in constant) return constantAt(word, constant.received as GoValue);
      return failAt(word, constant.complaint);
    }
    case 'nil':
      return failAt(word, 'nil is not a command');
    default:
      return (state) => {
        state.node = word;
        return state.dot;
      };
  }
}

function constantAt<T>(node: OperandNode, value: T): (state: State) => T {
  return (state) => {
    state.node = node;
    return value;
  };
}

function failAt(node: OperandNode, detail: string): (state: State) => never {
  return (state) => {
    state.node = node;
    throw state.fail(detail);
  };
}

// ---- paths: .a.b, $x.a, (pipe).a ----------------------------------------------------------------

type PathNode = FieldNode | VariableNode | ChainNode;

function compilePathCommand(
  node: PathNode,
  command: CommandNode,
  hasFinal: boolean,
  compilation: Compilation,
): Command {
  if (!hasFinal && command.args.length === 1) return compilePath(node, compilation);
  const args = command.args.slice(1).map((arg) => compileDynamic(arg, compilation));
  const { receiver, names, isInterface } = compileReceiver(node, compilation);
  if (names.length === 0) return refuseArguments(node);
  return (state, final) => {
    state.node = node;
    const first = receiver(state);
    const call = { args, hasFinal, final };
    return fieldCall(state, first, names, { isInterface: isInterface(state), call });
  };
}

function compilePath(node: PathNode, compilation: Compilation): Expression {
  const { receiver, names, isInterface } = compileReceiver(node, compilation);
  if (node.type === 'field') {
    return (state) => {
      state.node = node;
      return fieldPath(state, state.dot, names, state.dotIsInterface);
    };
  }
  if (names.length === 0) return receiver;
  return (state) => {
    const first = receiver(state);
    return fieldPath(state, first, names, isInterface(state));
  };
}

interface Receiver {
  /** Evaluates what the fields are looked up on, with `state.node` at the path. */
  readonly receiver: Expression;
  readonly names: readonly string[];
  readonly isInterface: (state: State) => boolean;
}

const NEVER = (): boolean => false;

function compileReceiver(node: PathNode, compilation: Compilation): Receiver {
  if (node.type === 'field') {
    return { receiver: (state) => state.dot, names: node.names, isInterface: (state) => state.dotIsInterface };
  }
  if (node.type === 'variable') return compileVariable(node, compilation.scope);
  if (node.node.type === 'nil') {
    const detail = `indirection through explicit nil in ${formatNode(node)}`;
    return { receiver: failAt(node, detail), names: node.names, isInterface: NEVER };
  }
  const inner = compileAny(node.node, compilation);
  const receiver: Expression = (state) => {
    state.node = node;
    return inner(state);
  };
  // A pipeline gives what is inside an interface, and functions without arguments have concrete results.
  return { receiver, names: node.names, isInterface: NEVER };
}

function compileVariable(node: VariableNode, scope: Scope): Receiver {
  const [name, ...names] = node.names as [string, ...string[]];
  const slot = scope.find(name);
  if (slot === undefined) return { receiver: failAt(node, `undefined variable: ${name}`), names, isInterface: NEVER };
  const { index, flag } = slot;
  const receiver: Expression = (state) => {
    state.node = node;
    return state.vars[index];
  };
  return { receiver, names, isInterface: flag === undefined ? NEVER : (state) => state.vars[flag] === true };
}

// ---- arguments ----------------------------------------------------------------------------------

/** Evaluates an operand that is not a literal, without regard to the type that is wanted. */
function compileAny(node: OperandNode, compilation: Compilation): Expression {
  switch (node.type) {
    case 'pipe':
      return compilePipe(node, compilation);
    case 'identifier':
      return compileCallWithoutArguments(node, compilation);
    case 'field':
    case 'variable':
    case 'chain':
      return compilePath(node, compilation);
    default:
      return compileLiteral(node);
  }
}

function compileDynamic(node: OperandNode, compilation: Compilation): DynamicArgument {
  return { node, evaluate: compileAny(node, compilation) };
}

function compileArgument(node: OperandNode, type: GoFunction['params'][number], compilation: Compilation): Argument {
  const constant = convertConstant(node, type);
  if (constant !== undefined) {
    return 'received' in constant ? constantAt(node, constant.received) : failAt(node, constant.complaint);
  }
  const evaluate = compileAny(node, compilation);
  if (type === VALUE) {
    return (state) => {
      state.node = node;
      return evaluate(state);
    };
  }
  if (type === ANY) {
    return (state) => {
      state.node = node;
      const value = evaluate(state);
      return value === undefined ? null : value;
    };
  }
  const convert = converterFor(type);
  return (state) => {
    state.node = node;
    return convert(state, evaluate(state));
  };
}

// ---- calls --------------------------------------------------------------------------------------

interface CallOptions {
  readonly hasFinal: boolean;
  readonly compilation: Compilation;
}

function compileCallWithoutArguments(identifier: IdentifierNode, compilation: Compilation): Expression {
  return compileFunction(identifier, identifier, [], { hasFinal: false, compilation }) as Expression;
}

function compileCall(identifier: IdentifierNode, command: CommandNode, options: CallOptions): Command {
  return compileFunction(identifier, command, command.args.slice(1), options);
}

/** @param node what a failing call is reported at */
function compileFunction(
  identifier: IdentifierNode,
  node: CommandNode | IdentifierNode,
  args: readonly OperandNode[],
  options: CallOptions,
): Command {
  const { hasFinal, compilation } = options;
  const { name } = identifier;
  const fn = compilation.functions.get(name);
  if (fn === undefined) return failAt(identifier, `${JSON.stringify(name)} is not a defined function`);
  const complaint = arityComplaint(name, fn, args.length, hasFinal);
  if (complaint !== undefined) return failAt(identifier, complaint);
  const { params, rest } = fn;
  const typeAt = (index: number) => params[index] ?? rest!;
  const compiled = args.map((arg, index) => compileArgument(arg, typeAt(index), compilation));
  if (fn.shortCircuit !== undefined) {
    return compileShortCircuit(identifier, compiled as Expression[], { stopAt: fn.shortCircuit, hasFinal });
  }
  const piped: PipedArgument[] = fn.usesSource ? [() => (args[0] === undefined ? '' : formatNode(args[0]))] : [];
  piped.push(...compiled);
  if (hasFinal) piped.push(converterFor(typeAt(args.length)));
  const call = bindCall(fn, { node, name }, piped);
  return (state, final) => {
    state.node = identifier;
    return call(state, final);
  };
}

function arityComplaint(name: string, fn: GoFunction, argCount: number, hasFinal: boolean): string | undefined {
  const count = argCount + (hasFinal ? 1 : 0);
  const wanted = fn.params.length;
  if (fn.rest !== undefined) {
    return count < wanted ? `wrong number of args for ${name}: want at least ${wanted} got ${argCount}` : undefined;
  }
  return count === wanted ? undefined : `wrong number of args for ${name}: want ${wanted} got ${count}`;
}

/** `and` and `or` stop at the first argument that decides and return it; the piped value is the last argument. */
function compileShortCircuit(
  identifier: IdentifierNode,
  args: readonly Expression[],
  { stopAt, hasFinal }: { readonly stopAt: boolean; readonly hasFinal: boolean },
): Command {
  return (state, final) => {
    state.node = identifier;
    let value: GoValue;
    for (const arg of args) {
      value = arg(state);
      if (isTrue(value) === stopAt) return value;
    }
    return hasFinal ? final : value;
  };
}
