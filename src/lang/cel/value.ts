// Owns the values of CEL: how JSON becomes them, what type they have, when two are equal. Operators are operators.ts.
import { isJsonObject, type JsonValue } from '../../lib/json.ts';
import { failed } from './errors.ts';

/** An unsigned integer; plain bigints are `int`. */
export class Uint {
  readonly value: bigint;

  constructor(value: bigint) {
    this.value = value;
  }
}

export class Timestamp {
  /** Nanoseconds since 1970. */
  readonly nanos: bigint;

  constructor(nanos: bigint) {
    this.nanos = nanos;
  }
}

export class Duration {
  readonly nanos: bigint;

  constructor(nanos: bigint) {
    this.nanos = nanos;
  }
}

/** A type as a value: what `type(x)` gives. */
export class TypeValue {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}

/** `optional.of(x)` and `optional.none()`. */
export class Optional {
  readonly value: CelValue | undefined;

  constructor(value: CelValue | undefined) {
    this.value = value;
  }
}

export const NONE = new Optional(undefined);

/** A value of an extension library: an IP address, a URL, a quantity. Equal when the keys are. */
export class Opaque {
  readonly type: ExtensionType;
  readonly key: string;
  readonly data: unknown;

  constructor(type: ExtensionType, key: string, data: unknown) {
    this.type = type;
    this.key = key;
    this.data = data;
  }
}

export type ExtensionType = 'kubernetes.Quantity' | 'kubernetes.URL' | 'net.IP' | 'net.CIDR' | 'kubernetes.Semver';

/** A map. Keys are normalised by `mapKey`, so that `1`, `1u` and `1.0` are one key. */
export type CelMap = ReadonlyMap<MapKey, CelValue>;
export type MapKey = string | bigint | boolean | number;
export type CelList = readonly CelValue[];

/** bigint is `int`, number is `double`. */
export type CelValue =
  | null
  | boolean
  | bigint
  | number
  | string
  | Uint8Array
  | Uint
  | Timestamp
  | Duration
  | TypeValue
  | Optional
  | Opaque
  | CelList
  | CelMap;

export type TypeName =
  | 'null_type'
  | 'bool'
  | 'int'
  | 'uint'
  | 'double'
  | 'string'
  | 'bytes'
  | 'list'
  | 'map'
  | 'type'
  | 'google.protobuf.Timestamp'
  | 'google.protobuf.Duration'
  | 'optional_type'
  | ExtensionType;

export function isList(value: CelValue): value is CelList {
  return Array.isArray(value);
}

export function isMap(value: CelValue): value is CelMap {
  return value instanceof Map;
}

export function typeOf(value: CelValue): TypeName {
  switch (typeof value) {
    case 'boolean':
      return 'bool';
    case 'bigint':
      return 'int';
    case 'number':
      return 'double';
    case 'string':
      return 'string';
  }
  if (value === null) return 'null_type';
  if (isList(value)) return 'list';
  if (isMap(value)) return 'map';
  if (value instanceof Uint) return 'uint';
  if (value instanceof Uint8Array) return 'bytes';
  if (value instanceof Timestamp) return 'google.protobuf.Timestamp';
  if (value instanceof Duration) return 'google.protobuf.Duration';
  if (value instanceof TypeValue) return 'type';
  if (value instanceof Optional) return 'optional_type';
  return value.type;
}

/** JSON as CEL sees it: whole numbers are `int`, all others `double`. Deep structures end in a CelError. */
export function fromJson(value: JsonValue, depth = 0): CelValue {
  if (depth > MAX_DEPTH) throw failed('the object is nested too deeply');
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : value;
  if (Array.isArray(value)) return value.map((item: JsonValue) => fromJson(item, depth + 1));
  if (!isJsonObject(value)) return value as CelValue;
  const map = new Map<MapKey, CelValue>();
  for (const [key, item] of Object.entries(value)) map.set(key, fromJson(item, depth + 1));
  return map;
}

const MAX_DEPTH = 1000;

/** The key under which a value stands in a map; undefined when it can be none. */
export function mapKey(value: CelValue): MapKey | undefined {
  if (typeof value === 'string' || typeof value === 'bigint' || typeof value === 'boolean') return value;
  if (value instanceof Uint) return value.value;
  if (typeof value !== 'number') return undefined;
  return Number.isInteger(value) ? BigInt(value) : value;
}

/** The number behind an int, uint or double; undefined for other values. */
export function numericOf(value: CelValue): bigint | number | undefined {
  if (typeof value === 'bigint' || typeof value === 'number') return value;
  return value instanceof Uint ? value.value : undefined;
}

/** Equality. Numbers compare by value whatever their type; values of different other types are not equal. */
export function isEqual(a: CelValue, b: CelValue, spend: (cost: number) => void): boolean {
  spend(1);
  const left = numericOf(a);
  if (left !== undefined) {
    const right = numericOf(b);
    // biome-ignore lint/suspicious/noDoubleEquals: bigint and number compare by value exactly so
    return right !== undefined && left == right;
  }
  if (typeof a === 'string') {
    if (typeof b === 'string') spend(a.length / 16);
    return a === b;
  }
  if (typeof a !== 'object' || a === null || typeof b !== 'object' || b === null) return a === b;
  if (isList(a)) return isList(b) && a.length === b.length && a.every((item, i) => isEqual(item, b[i]!, spend));
  if (isMap(a)) return isMap(b) && a.size === b.size && [...a].every(([key, item]) => hasEqual(b, key, item, spend));
  return isSameObject(a, b, spend);
}

function hasEqual(map: CelMap, key: MapKey, value: CelValue, spend: (cost: number) => void): boolean {
  const other = map.get(key);
  return other !== undefined && isEqual(value, other, spend);
}

function isSameObject(a: object, b: object, spend: (cost: number) => void): boolean {
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b) === 0;
  if (a instanceof Timestamp && b instanceof Timestamp) return a.nanos === b.nanos;
  if (a instanceof Duration && b instanceof Duration) return a.nanos === b.nanos;
  if (a instanceof TypeValue && b instanceof TypeValue) return a.name === b.name;
  if (a instanceof Opaque && b instanceof Opaque) return a.type === b.type && a.key === b.key;
  if (!(a instanceof Optional && b instanceof Optional)) return false;
  if (a.value === undefined || b.value === undefined) return a.value === b.value;
  return isEqual(a.value, b.value, spend);
}
