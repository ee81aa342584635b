// Owns Go's reflect.DeepEqual and copying of values of any depth.
import { GoComplex, GoError, GoInt, type GoObject, type GoValue, TypedMap, TypedSlice, typeOf } from '../value.ts';

/** Nodes that one comparison or copy may visit: shared subtrees can make a small value exponentially large. */
const MAX_NODES = 500_000;

/** Go's reflect.DeepEqual: types count (1, 1.0 and "1" differ), nil and empty lists differ. */
export function deepEqual(a: GoValue, b: GoValue): boolean {
  const left = { nodes: MAX_NODES };
  return equalNodes(a, b, left);
}

function equalNodes(a: GoValue, b: GoValue, left: { nodes: number }): boolean {
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) {
    return a === b || (isNothing(a) && isNothing(b));
  }
  if (--left.nodes < 0) throw new GoError('value is too large to compare');
  if (typeOf(a) !== typeOf(b)) return false;
  if (a instanceof GoInt) return a.value === (b as GoInt).value;
  if (a instanceof Map) return equalMaps(a, b as Map<string, GoValue>, left);
  if (Array.isArray(a)) return a === b || equalItems(a, b as GoValue[], left);
  if (a instanceof TypedSlice) {
    const other = b as TypedSlice;
    return a.isNil === other.isNil && equalItems(a.items, other.items, left);
  }
  if (a instanceof Uint8Array) return Buffer.compare(a, b as Uint8Array) === 0;
  if (a instanceof GoComplex) return a.real === (b as GoComplex).real && a.imaginary === (b as GoComplex).imaginary;
  return a === b || equalObjects(a as GoObject, b as GoObject, left);
}

function isNothing(value: GoValue): boolean {
  return value === null || value === undefined;
}

function equalItems(a: readonly GoValue[], b: readonly GoValue[], left: { nodes: number }): boolean {
  return a.length === b.length && a.every((item, index) => equalNodes(item, b[index], left));
}

function equalMaps(a: Map<string, GoValue>, b: Map<string, GoValue>, left: { nodes: number }): boolean {
  if (a === b) return true;
  if (a.size !== b.size) return false;
  for (const [key, value] of a) if (!b.has(key) || !equalNodes(value, b.get(key), left)) return false;
  return true;
}

function equalObjects(a: GoObject, b: GoObject, left: { nodes: number }): boolean {
  const fields = b.fields();
  return a.fields().every(([, value], index) => equalNodes(value, fields[index]?.[1], left));
}

/** A copy that shares no map or list with the original; structs are shared, as templates cannot change them. */
export function deepCopy(value: GoValue): GoValue {
  return copyNode(value, { nodes: MAX_NODES });
}

function copyNode(value: GoValue, left: { nodes: number }): GoValue {
  if (typeof value !== 'object' || value === null) return value;
  if (--left.nodes < 0) throw new GoError('value is too large to copy');
  if (Array.isArray(value)) return value.map((item) => copyNode(item, left));
  if (value instanceof Map) {
    const copy = value instanceof TypedMap ? new TypedMap(value.type, null, value.isNil) : new Map<string, GoValue>();
    for (const [key, item] of value) copy.set(key, copyNode(item, left));
    return copy;
  }
  if (value instanceof TypedSlice) {
    const items = value.items.map((item) => copyNode(item, left));
    return new TypedSlice(items, value.type, value.isNil);
  }
  return value instanceof Uint8Array ? value.slice() : value;
}
