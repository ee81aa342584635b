// Owns sprig's conversions between types: any value to an integer, float or text, and what counts as empty.
import { fromBytes } from '../gostring.ts';
import { formatValue } from '../printf.ts';
import { parseFloat64, parseInteger } from '../strconv.ts';
import { GoInt, GoObject, type GoValue, isTrue } from '../value.ts';

/** To int64, wrapped; what is no number is 0. Floats are cut towards zero, texts may have a base prefix. */
export function toInt64(value: GoValue): bigint {
  if (value instanceof GoInt) return BigInt.asIntN(64, value.value);
  if (typeof value === 'number') return floatToInt64(value);
  if (typeof value === 'boolean') return value ? 1n : 0n;
  if (typeof value !== 'string') return 0n;
  const integer = parseInteger(withoutZeroFraction(value));
  if (integer === undefined) return 0n;
  return BigInt.asIntN(64, integer) === integer ? integer : 0n;
}

/** Go's int64(f) on amd64: out of range gives the smallest integer. */
function floatToInt64(value: number): bigint {
  if (!Number.isFinite(value) || Math.abs(value) >= 2 ** 63) return -(2n ** 63n);
  return BigInt(Math.trunc(value));
}

/** `5.0` and `5.00` read as 5; any other fraction stays and fails. */
function withoutZeroFraction(text: string): string {
  return text.replace(/\.0+$/, '');
}

/** As toInt64, for implementations that count with numbers. */
export function toInt(value: GoValue): number {
  return Number(toInt64(value));
}

/** To float64; what is no number is 0. */
export function toFloat64(value: GoValue): number {
  if (typeof value === 'number') return value;
  if (value instanceof GoInt) return Number(value.value);
  if (typeof value === 'boolean') return value ? 1 : 0;
  return typeof value === 'string' ? (parseFloat64(value) ?? 0) : 0;
}

/** sprig's text of a value: strings and bytes as they are, Stringers by their own, the rest by `%v`. */
export function toText(value: GoValue): string {
  if (typeof value === 'string') return value;
  return value instanceof Uint8Array ? fromBytes(value) : formatValue(value);
}

/** sprig's `empty`: nil, zero, false and what has no elements; structs never. */
export function isEmpty(value: GoValue): boolean {
  return !(value instanceof GoObject) && !isTrue(value);
}
