// Owns `.Field` on a value: methods, struct fields, map entries, and Go's complaints.

import type { Node, OperandNode } from './ast.ts';
import { convertConstant, converterFor, receiverTypeName } from './convert.ts';
import type { State } from './state.ts';
import { type GoMethod, GoObject, type GoType, type GoValue, type TypedMap, typeOf, zeroOf } from './value.ts';

/** An argument of a method call: its node, and how to evaluate it when it is no literal. */
export interface DynamicArgument {
  readonly node: OperandNode;
  readonly evaluate: (state: State) => GoValue;
}

/** The arguments of a field that may turn out to be a method; `final` is the value piped into it. */
export interface CallArguments {
  readonly args: readonly DynamicArgument[];
  readonly hasFinal: boolean;
  readonly final: GoValue;
}

const NO_ARGUMENTS: CallArguments = { args: [], hasFinal: false, final: undefined };

/**
 * The value of a path of fields. Hot: nearly every lookup is in plain maps.
 * @param isInterface whether the first receiver's static type is interface {}
 */
export function fieldPath(state: State, first: GoValue, names: readonly string[], isInterface: boolean): GoValue {
  let value = first;
  for (let i = 0; i < names.length; i++) {
    if (value instanceof Map && (value as TypedMap).type === undefined) {
      const entry = value.get(names[i]!);
      value = entry === undefined ? null : entry;
      isInterface = true;
    } else if (value === undefined) return undefined;
    else {
      const receiver: GoValue = value;
      value = fieldOf(state, receiver, names[i]!, isInterface, NO_ARGUMENTS);
      isInterface = givesInterface(receiver, names[i]!);
    }
  }
  return value;
}

/** As fieldPath, where the last field has arguments. */
export function fieldCall(
  state: State,
  first: GoValue,
  names: readonly string[],
  options: { readonly isInterface: boolean; readonly call: CallArguments },
): GoValue {
  let receiver = first;
  let { isInterface } = options;
  for (const name of names.slice(0, -1)) {
    const value = fieldPath(state, receiver, [name], isInterface);
    isInterface = givesInterface(receiver, name);
    receiver = value;
  }
  if (receiver === undefined) return undefined;
  return fieldOf(state, receiver, names.at(-1)!, isInterface, options.call);
}

function givesInterface(receiver: GoValue, name: string): boolean {
  const type = typeOf(receiver);
  return type?.kind === 'map' && type.elem?.kind === 'interface' && !type.methods?.has(name);
}

function fieldOf(state: State, receiver: GoValue, name: string, isInterface: boolean, call: CallArguments): GoValue {
  if (receiver === null) throw state.fail(`nil pointer evaluating interface {}.${name}`);
  const type = typeOf(receiver)!;
  const method = type.methods?.get(name);
  if (method !== undefined) return callMethod(state, method, receiver, { name, call });
  const hasArguments = call.hasFinal || call.args.length > 0;
  if (receiver instanceof GoObject) {
    const field = receiver.field(name);
    if (field !== undefined) {
      if (hasArguments) throw state.fail(`${name} has arguments but cannot be invoked as function`);
      return field.value;
    }
  } else if (receiver instanceof Map) {
    if (hasArguments) throw state.fail(`${name} is not a method but has arguments`);
    const entry = receiver.get(name);
    return entry === undefined ? zeroOf(type.elem!) : entry;
  }
  throw state.fail(`can't evaluate field ${name} in type ${receiverTypeName(receiver, isInterface)}`);
}

function callMethod(
  state: State,
  method: GoMethod,
  receiver: GoValue,
  { name, call }: { readonly name: string; readonly call: CallArguments },
): GoValue {
  const { params, rest } = method;
  const node = state.node!;
  const count = call.args.length + (call.hasFinal ? 1 : 0);
  if (rest === undefined && count !== params.length) {
    throw state.fail(`wrong number of args for ${name}: want ${params.length} got ${count}`);
  }
  if (count < params.length) {
    throw state.fail(`wrong number of args for ${name}: want at least ${params.length} got ${call.args.length}`);
  }
  const typeAt = (index: number): GoType => params[index] ?? rest!;
  const values = call.args.map((arg, index) => evaluateArgument(state, arg, typeAt(index)));
  if (call.hasFinal) values.push(converterFor(typeAt(count - 1))(state, call.final));
  return invokeMethod(state, method, { node, name, receiver, values });
}

function invokeMethod(
  state: State,
  method: GoMethod,
  call: { readonly node: Node; readonly name: string; readonly receiver: GoValue; readonly values: readonly unknown[] },
): GoValue {
  try {
    return method.call(call.receiver as never, ...(call.values as never[]));
  } catch (error) {
    throw state.callError(call.node, call.name, error);
  }
}

function evaluateArgument(state: State, { node, evaluate }: DynamicArgument, type: GoType): unknown {
  state.node = node;
  const constant = convertConstant(node, type);
  if (constant === undefined) return converterFor(type)(state, evaluate(state));
  if ('received' in constant) return constant.received;
  throw state.fail(constant.complaint);
}
