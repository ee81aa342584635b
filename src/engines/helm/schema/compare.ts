// Owns what JSON Schema asks of JSON values: their types, equality, multiples and doubles.
import { isJsonObject, type JsonObject, type JsonValue } from '../../../lib/json.ts';

export function typeName(value: JsonValue): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return typeof value === 'bigint' ? 'number' : typeof value;
}

export function isInteger(value: JsonValue): boolean {
  return typeof value === 'bigint' || (typeof value === 'number' && Number.isInteger(value));
}

export function absent(object: JsonObject, names: JsonValue | undefined): string[] {
  if (!Array.isArray(names)) return [];
  return (names as JsonValue[]).filter(
    (name): name is string => typeof name === 'string' && !Object.hasOwn(object, name),
  );
}

/** Exact for decimals such as 0.3 and 0.1, whose binary quotient is no integer. */
export function isMultiple(value: number, of: number): boolean {
  const quotient = value / of;
  return (
    Number.isInteger(quotient) || Math.abs(quotient - Math.round(quotient)) < Number.EPSILON * Math.abs(quotient) * 4
  );
}

export function equals(a: JsonValue, b: JsonValue): boolean {
  if (a === b) return true;
  // Integers beyond 2^53 are bigint, and no number equals one of them.
  if (Array.isArray(a) || Array.isArray(b)) {
    if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false;
    return a.every((item: JsonValue, index) => equals(item, b[index] as JsonValue));
  }
  if (!isJsonObject(a) || !isJsonObject(b)) return false;
  const names = Object.keys(a);
  if (names.length !== Object.keys(b).length) return false;
  return names.every((name) => Object.hasOwn(b, name) && equals(a[name]!, b[name]!));
}

export function duplicate(list: readonly JsonValue[]): readonly [number, number] | undefined {
  const seen = new Map<string, number[]>();
  for (const [index, item] of list.entries()) {
    const key = typeof item === 'object' ? typeName(item) : `${typeName(item)}:${String(item)}`;
    const candidates = seen.get(key) ?? [];
    const earlier = candidates.find((candidate) => equals(list[candidate]!, item));
    if (earlier !== undefined) return [earlier, index];
    seen.set(key, [...candidates, index]);
  }
  return undefined;
}
