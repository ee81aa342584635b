// Owns the value model of templates: how Go's typed values look in JavaScript, and their types.
// Operations on values (printing, comparing, calling) live beside it.
//
//   Go                        here
//   ------------------------  -------------------------------------------------------------------
//   bool, float64             boolean, number
//   string                    string; a byte that is not UTF-8 stands as U+DC80…U+DCFF (gostring.ts)
//   int, int64, uint8, …      GoInt (a bigint with its type)
//   map[string]interface {}   Map<string, GoValue>
//   other maps, named maps    TypedMap
//   []interface {}            Array
//   []byte                    Uint8Array
//   other slices, nil slices  TypedSlice
//   structs, pointers         a subclass of GoObject
//   nil interface value       null
//   no value at all           undefined (an invalid reflect.Value: prints `<no value>`)
//
// Elements of maps and lists are never undefined. Maps are mutable (`set`), lists are treated as immutable.

import { CodedError } from '../../lib/errors.ts';

/** Any value that a template can hold. */
export type GoValue =
  | undefined
  | null
  | boolean
  | number
  | string
  | GoInt
  | GoComplex
  | Uint8Array
  | GoValue[]
  | TypedSlice
  | GoMap
  | GoObject;

/** A Go map with string keys; a plain Map is `map[string]interface {}`. */
export type GoMap = Map<string, GoValue>;

/** Go's reflect.Kind, by its name. */
export type Kind =
  | 'bool'
  | 'int'
  | 'int8'
  | 'int16'
  | 'int32'
  | 'int64'
  | 'uint'
  | 'uint8'
  | 'uint16'
  | 'uint32'
  | 'uint64'
  | 'float32'
  | 'float64'
  | 'complex128'
  | 'string'
  | 'slice'
  | 'array'
  | 'map'
  | 'struct'
  | 'ptr'
  | 'interface'
  | 'func';

/**
 * A Go type. `T` is what an implementation of a template function receives for a parameter of this type.
 * Two types are the same if they are the same object.
 */
export interface GoType<T = unknown> {
  /** As Go prints it: `map[string]interface {}`, `chartutil.Values`, `*semver.Version`. */
  readonly name: string;
  readonly kind: Kind;
  /** Element type of a slice or map. */
  readonly elem?: GoType;
  /** Methods callable from templates, by name. */
  readonly methods?: ReadonlyMap<string, GoMethod>;
  /** For a named map or slice type: the unnamed type that it is assignable to. */
  readonly underlying?: GoType;
  /** Only carries T for the type checker. */
  readonly received?: T;
}

/** The parameters of a function or method. */
export interface Signature {
  readonly params: readonly GoType[];
  /** Type of each of the variadic arguments after `params`. */
  readonly rest?: GoType;
}

/** A method of a Go type: `call` gets the receiver, then the arguments in the form of their types' `T`. */
export interface GoMethod extends Signature {
  readonly call: (receiver: never, ...args: never[]) => GoValue;
}

/** A Go integer of any integer kind, already wrapped to its size. */
export class GoInt {
  readonly value: bigint;
  readonly type: GoType;

  constructor(value: bigint, type: GoType) {
    this.value = value;
    this.type = type;
  }
}

/** A Go complex128, from a constant such as `1+2i`. */
export class GoComplex {
  readonly real: number;
  readonly imaginary: number;

  constructor(real: number, imaginary: number) {
    this.real = real;
    this.imaginary = imaginary;
  }
}

/** A slice that is not `[]interface {}` or `[]byte`, or a nil slice of any type. */
export class TypedSlice {
  readonly items: readonly GoValue[];
  readonly type: GoType;
  readonly isNil: boolean;

  constructor(items: readonly GoValue[], type: GoType, isNil = false) {
    this.items = items;
    this.type = type;
    this.isNil = isNil;
  }
}

/** A map that is not plain `map[string]interface {}`: other element type, named type with methods, or nil. */
export class TypedMap extends Map<string, GoValue> {
  readonly type: GoType;
  readonly isNil: boolean;

  constructor(type: GoType, entries?: Iterable<readonly [string, GoValue]> | null, isNil = false) {
    super(entries);
    this.type = type;
    this.isNil = isNil;
  }
}

/** A Go struct, or a pointer to one (kind `ptr`). */
export abstract class GoObject {
  abstract readonly type: GoType;

  /** Exported fields in order of declaration, unexported ones included where `%v` must show them. */
  abstract fields(): readonly (readonly [name: string, value: GoValue])[];

  /** The exported field of that name; `found` tells a nil field from none. */
  field(name: string): { readonly value: GoValue } | undefined {
    for (const [key, value] of this.fields()) if (key === name && isExported(name)) return { value };
    return undefined;
  }

  /** What Go's String() or Error() method returns, for types that have one. */
  goString(): string | undefined {
    return undefined;
  }

  /**
   * As goString, for a String() declared on the pointer of a struct that is reached through one: an action prints it,
   * fmt does not see it.
   */
  pointerString(): string | undefined {
    return undefined;
  }

  /** Zero structs compare as empty for `default`, `empty` and merging. */
  isZero(): boolean {
    return false;
  }

  /** What encoding/json would encode; the default is the exported fields by name. */
  toJson(): GoValue {
    return new Map(this.fields().filter(([name]) => isExported(name)));
  }
}

/** An error that a Go function returns or panics with; the message is all that templates see of it. */
export class GoError extends CodedError<'GoError', object> {
  constructor(message: string, options?: { cause?: unknown }) {
    super('GoError', message, {}, options);
  }
}

function isExported(name: string): boolean {
  return /^\p{Lu}/u.test(name);
}

// ---- types --------------------------------------------------------------------------------------

export const ANY: GoType<GoValue> = { name: 'interface {}', kind: 'interface' };
/** A parameter of type reflect.Value: receives the argument untouched, also undefined. */
export const VALUE: GoType<GoValue> = { name: 'reflect.Value', kind: 'struct' };
export const BOOL: GoType<boolean> = { name: 'bool', kind: 'bool' };
export const STRING: GoType<string> = { name: 'string', kind: 'string' };
/** Implementations receive a number: exact up to 2^53, which no argument of type int in Helm's functions exceeds. */
export const INT: GoType<number> = { name: 'int', kind: 'int' };
export const INT32: GoType<number> = { name: 'int32', kind: 'int32' };
export const INT64: GoType<bigint> = { name: 'int64', kind: 'int64' };
export const UINT8: GoType<number> = { name: 'uint8', kind: 'uint8' };
export const UINT32: GoType<number> = { name: 'uint32', kind: 'uint32' };
export const UINT64: GoType<bigint> = { name: 'uint64', kind: 'uint64' };
export const FLOAT64: GoType<number> = { name: 'float64', kind: 'float64' };
export const COMPLEX128: GoType<GoComplex> = { name: 'complex128', kind: 'complex128' };
export const BYTES: GoType<Uint8Array> = { name: '[]uint8', kind: 'slice', elem: UINT8 };
export const LIST: GoType<GoValue[]> = { name: '[]interface {}', kind: 'slice', elem: ANY };
export const STRING_LIST: GoType<TypedSlice> = { name: '[]string', kind: 'slice', elem: STRING };
export const INT_LIST: GoType<TypedSlice> = { name: '[]int', kind: 'slice', elem: INT };
export const LIST_LIST: GoType<TypedSlice> = { name: '[][]interface {}', kind: 'slice', elem: LIST };
export const MAP: GoType<GoMap> = { name: 'map[string]interface {}', kind: 'map', elem: ANY };
export const STRING_MAP: GoType<GoMap> = { name: 'map[string]string', kind: 'map', elem: STRING };

/** The dynamic type of a value; undefined for null and undefined. */
export function typeOf(value: GoValue): GoType | undefined {
  switch (typeof value) {
    case 'string':
      return STRING;
    case 'number':
      return FLOAT64;
    case 'boolean':
      return BOOL;
    case 'undefined':
      return undefined;
    default:
      return value === null ? undefined : typeOfObject(value);
  }
}

function typeOfObject(value: object): GoType {
  if (value instanceof TypedMap || value instanceof TypedSlice || value instanceof GoInt || value instanceof GoObject) {
    return value.type;
  }
  if (value instanceof Map) return MAP;
  if (Array.isArray(value)) return LIST;
  return value instanceof Uint8Array ? BYTES : COMPLEX128;
}

/** Go's reflect.Kind of a value, `invalid` for nil. */
export function kindOf(value: GoValue): Kind | 'invalid' {
  return typeOf(value)?.kind ?? 'invalid';
}

/** Go's `%T`: the type's name, `<nil>` for nil. */
export function typeName(value: GoValue): string {
  return typeOf(value)?.name ?? '<nil>';
}

/** The zero value of a type, as a map lookup of an absent key or a nil argument gives it. */
export function zeroOf(type: GoType): GoValue {
  switch (type.kind) {
    case 'bool':
      return false;
    case 'float32':
    case 'float64':
      return 0;
    case 'string':
      return '';
    case 'slice':
      return new TypedSlice([], type, true);
    case 'map':
      return new TypedMap(type, null, true);
    case 'interface':
    case 'ptr':
    case 'func':
      return null;
    default:
      return isIntKind(type.kind) ? new GoInt(0n, type) : undefined;
  }
}

const INT_KIND = /^u?int(?:8|16|32|64)?$/;

/** True for every signed and unsigned integer kind. */
export function isIntKind(kind: string): boolean {
  return INT_KIND.test(kind);
}

// ---- making and reading values ------------------------------------------------------------------

const SMALL_INTS: readonly GoInt[] = Array.from({ length: 1024 }, (_, index) => new GoInt(BigInt(index), INT));

/** A Go int from an integer that a number holds exactly. */
export function int(value: number): GoInt {
  return SMALL_INTS[value] ?? new GoInt(BigInt.asIntN(64, BigInt(value)), INT);
}

/** A Go int64; wraps on overflow. */
export function int64(value: bigint | number): GoInt {
  return new GoInt(BigInt.asIntN(64, BigInt(value)), INT64);
}

/** A `[]string`. */
export function stringList(items: readonly string[]): TypedSlice {
  return new TypedSlice(items, STRING_LIST);
}

/** Elements of any slice kind (bytes as uint8), or undefined if the value is not a slice. */
export function listItems(value: GoValue): readonly GoValue[] | undefined {
  if (Array.isArray(value)) return value;
  if (value instanceof TypedSlice) return value.items;
  if (value instanceof Uint8Array) return Array.from(value, (byte) => new GoInt(BigInt(byte), UINT8));
  return undefined;
}

/** True for a nil map or nil slice, null and undefined. */
export function isNil(value: GoValue): boolean {
  if (value === null || value === undefined) return true;
  return (value instanceof TypedSlice || value instanceof TypedMap) && value.isNil;
}

/** Go's text/template truth: nil, false, zero numbers and empty strings, maps and lists are false. */
export function isTrue(value: GoValue): boolean {
  if (typeof value !== 'object') return typeof value === 'number' ? value !== 0 : Boolean(value);
  if (value === null) return false;
  if (value instanceof Map) return value.size > 0;
  if (Array.isArray(value) || value instanceof Uint8Array) return value.length > 0;
  if (value instanceof GoInt) return value.value !== 0n;
  if (value instanceof TypedSlice) return value.items.length > 0;
  if (value instanceof GoComplex) return value.real !== 0 || value.imaginary !== 0;
  return true;
}

/** Byte order of strings, in which Go sorts map keys; UTF-16 order differs from it beyond U+D7FF only. */
export function compareStrings(a: string, b: string): number {
  if (a === b) return 0;
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return x < 0xd800 && y < 0xd800 ? x - y : utf8At(a, i) - utf8At(b, i);
  }
  return a.length - b.length;
}

/** The UTF-8 bytes of the rune (or the raw byte) that a unit belongs to, as one number that sorts like them. */
function utf8At(text: string, index: number): number {
  const before = index > 0 ? text.charCodeAt(index - 1) : 0;
  const unit = text.charCodeAt(index);
  const isSecond = unit >= 0xdc00 && unit <= 0xdfff && before >= 0xd800 && before <= 0xdbff;
  const point = text.codePointAt(isSecond ? index - 1 : index)!;
  if (point < 0x80) return point * 0x1000000;
  if (point >= 0xdc80 && point <= 0xdcff) return (point - 0xdc00) * 0x1000000;
  const tail = (shift: number): number => 0x80 | ((point >> shift) & 0x3f);
  if (point < 0x800) return (0xc0 | (point >> 6)) * 0x1000000 + tail(0) * 0x10000;
  if (point < 0x10000) return (0xe0 | (point >> 12)) * 0x1000000 + tail(6) * 0x10000 + tail(0) * 0x100;
  return (0xf0 | (point >> 18)) * 0x1000000 + tail(12) * 0x10000 + tail(6) * 0x100 + tail(0);
}

/** Keys of a map in Go's order. */
export function sortedKeys(map: GoMap): string[] {
  const keys = [...map.keys()];
  return keys.length < 2 ? keys : keys.sort(compareStrings);
}
