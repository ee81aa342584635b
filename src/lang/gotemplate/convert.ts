// Owns passing arguments: which values and constants a parameter of some Go type accepts, and the form in which the
// implementation receives them.
import { formatNode, type NumberNode, type OperandNode } from './ast.ts';
import type { State } from './state.ts';
import {
  ANY,
  BOOL,
  FLOAT64,
  GoComplex,
  GoInt,
  type GoType,
  type GoValue,
  INT,
  isIntKind,
  STRING,
  TypedSlice,
  typeName,
  typeOf,
  VALUE,
  zeroOf,
} from './value.ts';

/** Turns an evaluated argument into what the implementation receives; throws the error for a wrong type. */
export type Converter = (state: State, value: GoValue) => unknown;

/** The converter for a parameter type. */
export function converterFor(type: GoType): Converter {
  switch (type) {
    case ANY:
      return (_state, value) => (value === undefined ? null : value);
    case VALUE:
      return (_state, value) => value;
    case STRING:
      return (state, value) => (typeof value === 'string' ? value : convertOther(state, value, STRING));
    case FLOAT64:
      return (state, value) => (typeof value === 'number' ? value : convertOther(state, value, FLOAT64));
    case BOOL:
      return (state, value) => (typeof value === 'boolean' ? value : convertOther(state, value, BOOL));
    default:
      return (state, value) => convertOther(state, value, type);
  }
}

function convertOther(state: State, value: GoValue, type: GoType): unknown {
  if (value === undefined) {
    if (canBeNil(type)) return receivedForm(zeroOf(type));
    throw state.fail(`invalid value; expected ${type.name}`);
  }
  const actual = typeOf(value);
  if (actual !== undefined && isAssignable(actual, type)) return receivedForm(value);
  throw state.fail(`wrong type for value; expected ${type.name}; got ${actual?.name ?? 'interface {}'}`);
}

function isAssignable(actual: GoType, type: GoType): boolean {
  return actual === type || actual.underlying === type || type.kind === 'interface';
}

/** Integers as number or bigint, nil `[]interface {}` as an empty array; all else as it is. */
function receivedForm(value: GoValue): unknown {
  if (value instanceof GoInt) return value.type.kind.endsWith('64') ? value.value : Number(value.value);
  if (value instanceof TypedSlice && value.type.elem === ANY) return value.items;
  return value;
}

function canBeNil(type: GoType): boolean {
  const { kind } = type;
  return (
    kind === 'interface' || kind === 'map' || kind === 'slice' || kind === 'ptr' || kind === 'func' || type === VALUE
  );
}

/** A constant node's value for a parameter type: what is received, or the complaint to fail with. */
export type ConstantResult = { readonly received: unknown } | { readonly complaint: string };

/** Converts a literal; undefined for nodes that are not literals. */
export function convertConstant(node: OperandNode, type: GoType): ConstantResult | undefined {
  switch (node.type) {
    case 'nil':
      if (canBeNil(type)) return { received: type === VALUE ? undefined : receivedForm(zeroOf(type)) };
      return { complaint: `cannot assign nil to ${type.name}` };
    case 'bool':
      if (type === ANY || type === VALUE || type.kind === 'bool') return { received: node.value };
      break;
    case 'string':
      if (type === ANY || type === VALUE || type.kind === 'string') return { received: node.value };
      break;
    case 'number':
      return convertNumber(node, type);
    default:
      return undefined;
  }
  return { complaint: mismatch(node, type) };
}

function convertNumber(node: NumberNode, type: GoType): ConstantResult {
  if (type === ANY || type === VALUE) return idealConstant(node);
  const { kind } = type;
  if (isIntKind(kind)) {
    const value = kind.startsWith('u') ? node.uint : node.int;
    if (value !== undefined) return { received: kind.endsWith('64') ? value : Number(value) };
  } else if (kind.startsWith('float')) {
    if (node.float !== undefined) return { received: node.float };
  } else if (kind.startsWith('complex')) {
    if (node.complex) return { received: new GoComplex(node.complex.real, node.complex.imaginary) };
  }
  return { complaint: mismatch(node, type) };
}

function mismatch(node: OperandNode, { name, kind }: GoType): string {
  const text = formatNode(node);
  if (kind === 'bool' || kind === 'string') return `expected ${kind}; found ${text}`;
  if (isIntKind(kind)) return `expected ${kind.startsWith('u') ? 'unsigned integer' : 'integer'}; found ${text}`;
  if (kind.startsWith('float')) return `expected float; found ${text}`;
  if (kind.startsWith('complex')) return `expected complex; found ${text}`;
  return `can't handle ${text} for arg of type ${name}`;
}

/** The value of a number whose type only its syntax tells. */
export function idealConstant(node: NumberNode): ConstantResult {
  const { text } = node;
  if (node.complex) return { received: new GoComplex(node.complex.real, node.complex.imaginary) };
  // Go looks at the first two characters only, so `-0x1e` counts as a float.
  const isHex = /^0[xX]./.test(text) && !/[pP]/.test(text);
  if (node.float !== undefined && !isHex && !text.startsWith("'") && /[.eEpP]/.test(text))
    return { received: node.float };
  if (node.int !== undefined) return { received: smallOrBig(node.int) };
  return { complaint: `${text} overflows int` };
}

function smallOrBig(value: bigint): GoInt {
  return new GoInt(value, INT);
}

/** The type name that messages show for a receiver: its static type where that is interface {}. */
export function receiverTypeName(value: GoValue, isInterface: boolean): string {
  return isInterface ? 'interface {}' : typeName(value);
}
