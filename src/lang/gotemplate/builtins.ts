// Owns the functions that every Go template has: logic, comparison, index, len, printing and escaping.
// `slice` is left to the function table, as `call` has nothing to call here but refuses with Go's words.

import { type FunctionTable, func, type GoFunction, variadic, variadicWith } from './function.ts';
import { byteLength, fromBytes, isAscii, isPrintable, isRawByte, toBytes } from './gostring.ts';
import { sprint, sprintf, sprintln } from './printf.ts';
import { deepEqual } from './sprig/compare.ts';
import {
  ANY,
  compareStrings,
  GoComplex,
  GoError,
  GoInt,
  GoObject,
  type GoValue,
  int,
  isNil,
  isTrue,
  kindOf,
  listItems,
  STRING,
  type TypedMap,
  TypedSlice,
  typeName,
  UINT8,
  VALUE,
  zeroOf,
} from './value.ts';

/** The built-in functions; a table of the caller's may override any of them. */
export function builtinFunctions(): FunctionTable {
  return new Map<string, GoFunction>([
    ['and', { ...variadic([VALUE], VALUE, neverCalled), shortCircuit: false }],
    ['or', { ...variadic([VALUE], VALUE, neverCalled), shortCircuit: true }],
    ['not', func([VALUE], (value) => !isTrue(value))],
    ['len', func([VALUE], (value) => int(lengthOf(value)))],
    ['index', variadic([VALUE], VALUE, indexValue)],
    ['slice', variadic([VALUE], VALUE, sliceValue)],
    ['call', { ...variadic([VALUE], VALUE, callValue as never), usesSource: true }],
    ['print', variadicWith([], ANY, ({ budget }, ...values) => sprint(values, budget))],
    ['println', variadicWith([], ANY, ({ budget }, ...values) => sprintln(values, budget))],
    ['printf', variadicWith([STRING], ANY, ({ budget }, format, ...values) => sprintf(format, values, budget))],
    ['html', variadic([], ANY, (...values) => escapeHtml(textOf(values)))],
    ['js', variadic([], ANY, (...values) => escapeJs(textOf(values)))],
    ['urlquery', variadic([], ANY, (...values) => escapeQuery(textOf(values)))],
    ['eq', variadic([VALUE], VALUE, equalsAny)],
    ['ne', func([VALUE, VALUE], (a, b) => !equalsAny(a, b))],
    ['lt', func([VALUE, VALUE], isLess)],
    ['le', func([VALUE, VALUE], isLessOrEqual)],
    ['gt', func([VALUE, VALUE], (a, b) => !isLessOrEqual(a, b))],
    ['ge', func([VALUE, VALUE], (a, b) => !isLess(a, b))],
  ]);
}

function neverCalled(): never {
  throw new Error('and/or are evaluated in place');
}

// ---- collections --------------------------------------------------------------------------------

function lengthOf(value: GoValue): number {
  if (value === null) throw new GoError('len of nil pointer');
  if (value === undefined) throw new GoError('reflect: call of reflect.Value.Type on zero Value');
  if (typeof value === 'string') return byteLength(value);
  if (value instanceof Map) return value.size;
  if (Array.isArray(value) || value instanceof Uint8Array) return value.length;
  if (value instanceof TypedSlice) return value.items.length;
  throw new GoError(`len of type ${elementName(value)}`);
}

/** The type's name, of what a pointer points to. */
function elementName(value: GoValue): string {
  const name = typeName(value);
  return kindOf(value) === 'ptr' ? name.slice(1) : name;
}

function indexValue(item: GoValue, ...indexes: GoValue[]): GoValue {
  if (item === null || item === undefined) throw new GoError('index of untyped nil');
  return indexes.reduce(indexOnce, item);
}

function indexOnce(item: GoValue, index: GoValue): GoValue {
  if (item === null || item === undefined) throw new GoError('index of nil pointer');
  if (item instanceof Map) {
    const elementType = (item as TypedMap).type?.elem ?? ANY;
    const entry = item.get(mapKey(index));
    return entry === undefined ? zeroOf(elementType) : entry;
  }
  if (typeof item === 'string') {
    const position = indexPosition(index, byteLength(item));
    const byte = isAscii(item) ? item.charCodeAt(position) : toBytes(item)[position]!;
    if (Number.isNaN(byte) || byte === undefined) throw new GoError('reflect: string index out of range');
    return new GoInt(BigInt(byte), UINT8);
  }
  const items = listItems(item);
  if (items === undefined) throw new GoError(`can't index item of type ${elementName(item)}`);
  const position = indexPosition(index, items.length);
  if (position >= items.length) throw new GoError('reflect: slice index out of range');
  return items[position];
}

function mapKey(index: GoValue): string {
  if (typeof index === 'string') return index;
  if (index === null || index === undefined) throw new GoError('value is nil; should be of type string');
  throw new GoError(`value has type ${typeName(index)}; should be string`);
}

function indexPosition(index: GoValue, capacity: number): number {
  if (index === null || index === undefined) throw new GoError('cannot index slice/array with nil');
  if (!(index instanceof GoInt)) throw new GoError(`cannot index slice/array with type ${typeName(index)}`);
  if (index.value < 0n || index.value > BigInt(capacity)) throw new GoError(`index out of range: ${index.value}`);
  return Number(index.value);
}

function sliceValue(item: GoValue, ...indexes: GoValue[]): GoValue {
  if (item === null || item === undefined) throw new GoError('slice of untyped nil');
  if (indexes.length > 3) throw new GoError(`too many slice indexes: ${indexes.length}`);
  const items = typeof item === 'string' ? toBytes(item) : listItems(item);
  if (items === undefined) throw new GoError(`can't slice item of type ${typeName(item)}`);
  if (typeof item === 'string' && indexes.length === 3) throw new GoError('cannot 3-index slice a string');
  const [from = 0, to = items.length, limit = to] = indexes.map((index) => indexPosition(index, items.length));
  if (from > to) throw new GoError(`invalid slice index: ${from} > ${to}`);
  if (to > limit) throw new GoError(`invalid slice index: ${to} > ${limit}`);
  if (typeof item === 'string') return fromBytes((items as Uint8Array).subarray(from, to));
  const part = (items as readonly GoValue[]).slice(from, to);
  return item instanceof TypedSlice ? new TypedSlice(part, item.type) : part;
}

/** @param source the first argument as written, '' if it was piped in */
function callValue(source: string, callee: GoValue): never {
  if (callee === null || callee === undefined) throw new GoError('call of nil');
  const piped = typeof callee === 'string' ? callee : `<${typeName(callee)} Value>`;
  throw new GoError(`non-function ${source || piped} of type ${typeName(callee)}`);
}

// ---- comparison ---------------------------------------------------------------------------------

type BasicKind = 'bool' | 'int' | 'float' | 'complex' | 'string' | 'none';

function basicKind(value: GoValue): BasicKind {
  switch (typeof value) {
    case 'string':
      return 'string';
    case 'number':
      return 'float';
    case 'boolean':
      return 'bool';
    default:
      // Signed and unsigned integers compare by value, so they count as one kind.
      if (value instanceof GoInt) return 'int';
      return value instanceof GoComplex ? 'complex' : 'none';
  }
}

const BAD_COMPARISON = 'invalid type for comparison';

function equalsAny(first: GoValue, ...others: GoValue[]): boolean {
  if (others.length === 0) throw new GoError('missing argument for comparison');
  return others.some((other) => equals(first, other));
}

function equals(a: GoValue, b: GoValue): boolean {
  const kind = basicKind(a);
  if (kind !== basicKind(b)) {
    if (a === null || a === undefined || b === null || b === undefined) return false;
    throw incompatible(a, b);
  }
  if (a instanceof GoInt) return a.value === (b as GoInt).value;
  if (a instanceof GoComplex) return a.real === (b as GoComplex).real && a.imaginary === (b as GoComplex).imaginary;
  return kind === 'none' ? equalsComposite(a, b) : a === b;
}

/** Values without an order: nil, maps, slices, structs. */
function equalsComposite(a: GoValue, b: GoValue): boolean {
  const kinds = [kindOf(a), kindOf(b)];
  if (kinds[0] !== kinds[1] && !kinds.includes('invalid')) {
    throw new GoError(sprintf('non-comparable types %s: %v, %s: %v', [a, typeName(a), typeName(b), b]));
  }
  if (isNil(a) || isNil(b)) return isNil(a) === isNil(b);
  if (b instanceof GoObject) return a === b || (kinds[1] === 'struct' && deepEqual(a, b));
  throw new GoError(sprintf('non-comparable type %s: %v', [b, typeName(b)]));
}

function incompatible(a: GoValue, b: GoValue): GoError {
  return new GoError(`incompatible types for comparison: ${typeName(a)} and ${typeName(b)}`);
}

function isLess(a: GoValue, b: GoValue): boolean {
  const kind = basicKind(a);
  const other = basicKind(b);
  if (kind === 'none' || other === 'none') throw new GoError(BAD_COMPARISON);
  if (kind !== other) throw incompatible(a, b);
  if (a instanceof GoInt) return a.value < (b as GoInt).value;
  if (typeof a === 'number') return a < (b as number);
  if (typeof a === 'string') return compareStrings(a, b as string) < 0;
  throw new GoError(BAD_COMPARISON);
}

function isLessOrEqual(a: GoValue, b: GoValue): boolean {
  return isLess(a, b) || equals(a, b);
}

// ---- escaping -----------------------------------------------------------------------------------

/** The arguments as text, each as an action would print it. */
function textOf(values: readonly GoValue[]): string {
  if (values.length === 1 && typeof values[0] === 'string') return values[0];
  return sprint(values.map((value) => (value === null || value === undefined ? '<no value>' : value)));
}

const HTML_ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&#34;',
  "'": '&#39;',
  '\0': '\ufffd',
};

function escapeHtml(text: string): string {
  return text.replace(/[&<>"'\0]/g, (char) => HTML_ESCAPES[char]!);
}

const JS_ESCAPES: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  "'": "\\'",
  '"': '\\"',
  '<': '\\u003C',
  '>': '\\u003E',
  '&': '\\u0026',
  '=': '\\u003D',
};

function escapeJs(text: string): string {
  return text.replace(/[\\'"<>&=\x00-\x1f]|[^\x00-\x7f]/gu, (rune) => {
    const short = JS_ESCAPES[rune];
    if (short !== undefined) return short;
    const point = rune.codePointAt(0)!;
    if (point >= 0x80 && (isPrintable(rune) || isRawByte(point))) return rune;
    return `\\u${point.toString(16).toUpperCase().padStart(4, '0')}`;
  });
}

/** Go's url.QueryEscape. */
export function escapeQuery(text: string): string {
  let out = '';
  for (const byte of toBytes(text)) {
    const char = String.fromCharCode(byte);
    if (/[A-Za-z0-9_.~-]/.test(char)) out += char;
    else if (byte === 0x20) out += '+';
    else out += `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return out;
}
