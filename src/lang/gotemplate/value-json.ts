// Owns the ways between Go values and JSON values, and the bound on values that are written out as a whole.
import { isJsonObject, type JsonValue } from '../../lib/json.ts';
import {
  GoError,
  GoInt,
  type GoMap,
  GoObject,
  type GoValue,
  sortedKeys,
  TypedMap,
  TypedSlice,
  typeName,
} from './value.ts';

/** A JSON value as Go's encoding/json decodes it into interface {}: every number a float64. */
export function fromJson(value: JsonValue): GoValue {
  if (typeof value === 'bigint') return Number(value);
  if (Array.isArray(value)) return value.map(fromJson);
  if (!isJsonObject(value)) return value as GoValue;
  const map: GoMap = new Map();
  for (const key of Object.keys(value)) map.set(key, fromJson(value[key]!));
  return map;
}

/** Nodes that a value may have where it is written out as a whole; large charts have some ten thousand. */
const MAX_NODES = 500_000;

/**
 * Refuses values that would be endless to write out: cycles, and shared subtrees that multiply.
 * Throws RangeError. Encoders that walk values themselves call it first.
 */
export function checkNodeCount(value: GoValue, maxNodes = MAX_NODES): void {
  let left = maxNodes;
  const count = (item: GoValue): void => {
    if (--left < 0) throw new RangeError(`value has more than ${maxNodes} nodes`);
    if (item instanceof Map) for (const entry of item.values()) count(entry);
    else if (Array.isArray(item)) for (const entry of item) count(entry);
    else if (item instanceof TypedSlice) for (const entry of item.items) count(entry);
  };
  count(value);
}

/**
 * The JSON form that encoding/json gives a value: maps with sorted keys, bytes as base64, nil lists and maps as null.
 * Throws GoError for values JSON cannot hold (NaN, infinities), and RangeError for more than `maxNodes` nodes: shared
 * subtrees can make a small value exponentially large.
 */
export function toJson(value: GoValue, maxNodes = MAX_NODES): JsonValue {
  let left = maxNodes;
  const convert = (item: GoValue): JsonValue => {
    if (--left < 0) throw new RangeError(`value has more than ${maxNodes} nodes`);
    if (item === undefined || item === null || typeof item === 'boolean' || typeof item === 'string')
      return item ?? null;
    if (typeof item === 'number') {
      if (Number.isFinite(item)) return item;
      throw new GoError(`json: unsupported value: ${Number.isNaN(item) ? 'NaN' : item > 0 ? '+Inf' : '-Inf'}`);
    }
    if (item instanceof GoInt) return toJsonInteger(item.value);
    if (item instanceof Map) return item instanceof TypedMap && item.isNil ? null : convertMap(item);
    if (item instanceof Uint8Array) return Buffer.from(item).toString('base64');
    if (Array.isArray(item)) return item.map(convert);
    if (item instanceof TypedSlice) return item.isNil ? null : item.items.map(convert);
    if (item instanceof GoObject) return convert(item.toJson());
    throw new GoError(`json: unsupported type: ${typeName(item)}`);
  };
  const convertMap = (map: GoMap): JsonValue => {
    const object: Record<string, JsonValue> = {};
    for (const key of sortedKeys(map)) defineEntry(object, key, convert(map.get(key)));
    return object;
  };
  return convert(value);
}

function toJsonInteger(value: bigint): JsonValue {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

/** Sets an own property, also for keys such as `__proto__`. */
function defineEntry(object: Record<string, JsonValue>, key: string, value: JsonValue): void {
  if (key === '__proto__') {
    Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
  } else object[key] = value;
}
