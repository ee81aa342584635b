// Owns the operators of CEL on values: arithmetic with 64-bit overflow, ordering, membership, access.
import { failed, limitExceeded, noSuchOverload } from './errors.ts';
import type { BinarySign } from './parse.ts';
import {
  type CelValue,
  Duration,
  isEqual,
  isList,
  isMap,
  mapKey,
  NONE,
  numericOf,
  Optional,
  Timestamp,
  Uint,
} from './value.ts';

/** Counts work; throws when there was too much. */
export type Spend = (cost: number) => void;

/** Longest text or list that an expression may make. */
const MAX_SIZE = 1_000_000;

export function checkSize(size: number): void {
  if (size > MAX_SIZE) throw limitExceeded(`a value of size ${size}`);
}

/** Applies an operator other than `&&` and `||`. */
export function applyBinary(sign: BinarySign, left: CelValue, right: CelValue, spend: Spend): CelValue {
  if (typeof left === 'string') spend(left.length / 10);
  switch (sign) {
    case '==':
      return isEqual(left, right, spend);
    case '!=':
      return !isEqual(left, right, spend);
    case '<':
      return compare(left, right) < 0;
    case '<=':
      return compare(left, right) <= 0;
    case '>':
      return compare(left, right) > 0;
    case '>=':
      return compare(left, right) >= 0;
    case 'in':
      return contains(right, left, spend);
    case '+':
      return add(left, right, spend);
    case '-':
      return subtract(left, right);
    case '*':
    case '/':
    case '%':
      return multiply(sign, left, right);
    default:
      throw noSuchOverload();
  }
}

export function negate(value: CelValue): CelValue {
  if (typeof value === 'bigint') return toInt(-value);
  if (typeof value === 'number') return -value;
  throw noSuchOverload();
}

/** Order of two values of one kind. */
export function compare(left: CelValue, right: CelValue): number {
  const a = numericOf(left);
  const b = numericOf(right);
  if (a !== undefined && b !== undefined) return compareNumbers(a, b);
  if (typeof left === 'string' && typeof right === 'string') return compareText(left, right);
  if (typeof left === 'boolean' && typeof right === 'boolean') return Number(left) - Number(right);
  if (left instanceof Uint8Array && right instanceof Uint8Array) return Buffer.compare(left, right);
  if (left instanceof Timestamp && right instanceof Timestamp) return sign(left.nanos - right.nanos);
  if (left instanceof Duration && right instanceof Duration) return sign(left.nanos - right.nanos);
  throw noSuchOverload();
}

function compareNumbers(a: bigint | number, b: bigint | number): number {
  if (Number.isNaN(a) || Number.isNaN(b)) throw failed('NaN values cannot be ordered');
  return a < b ? -1 : a > b ? 1 : 0;
}

function sign(value: bigint): number {
  return value < 0n ? -1 : value > 0n ? 1 : 0;
}

/** Text is ordered by code points, not by UTF-16 units. */
function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

function contains(container: CelValue, value: CelValue, spend: Spend): boolean {
  if (isList(container)) return container.some((item) => isEqual(item, value, spend));
  if (!isMap(container)) throw noSuchOverload();
  const key = mapKey(value);
  return key !== undefined && container.has(key);
}

function add(left: CelValue, right: CelValue, spend: Spend): CelValue {
  if (typeof left === 'bigint' && typeof right === 'bigint') return toInt(left + right);
  if (typeof left === 'number' && typeof right === 'number') return left + right;
  if (left instanceof Uint && right instanceof Uint) return toUint(left.value + right.value);
  if (typeof left === 'string' && typeof right === 'string') {
    checkSize(left.length + right.length);
    spend((left.length + right.length) / 16);
    return left + right;
  }
  if (left instanceof Uint8Array && right instanceof Uint8Array) {
    checkSize(left.length + right.length);
    spend((left.length + right.length) / 16);
    return Buffer.concat([left, right]);
  }
  if (isList(left) && isList(right)) {
    checkSize(left.length + right.length);
    spend(left.length + right.length);
    return [...left, ...right];
  }
  if (left instanceof Duration && right instanceof Duration) return toDuration(left.nanos + right.nanos);
  if (left instanceof Timestamp && right instanceof Duration) return toTimestamp(left.nanos + right.nanos);
  if (left instanceof Duration && right instanceof Timestamp) return toTimestamp(left.nanos + right.nanos);
  throw noSuchOverload();
}

function subtract(left: CelValue, right: CelValue): CelValue {
  if (typeof left === 'bigint' && typeof right === 'bigint') return toInt(left - right);
  if (typeof left === 'number' && typeof right === 'number') return left - right;
  if (left instanceof Uint && right instanceof Uint) return toUint(left.value - right.value);
  if (left instanceof Duration && right instanceof Duration) return toDuration(left.nanos - right.nanos);
  if (left instanceof Timestamp && right instanceof Timestamp) return toDuration(left.nanos - right.nanos);
  if (left instanceof Timestamp && right instanceof Duration) return toTimestamp(left.nanos - right.nanos);
  throw noSuchOverload();
}

function multiply(op: '*' | '/' | '%', left: CelValue, right: CelValue): CelValue {
  if (typeof left === 'bigint' && typeof right === 'bigint') return toInt(integers(op, left, right));
  if (left instanceof Uint && right instanceof Uint) return toUint(integers(op, left.value, right.value));
  if (typeof left === 'number' && typeof right === 'number' && op !== '%') {
    return op === '*' ? left * right : left / right;
  }
  throw noSuchOverload();
}

function integers(op: '*' | '/' | '%', left: bigint, right: bigint): bigint {
  if (op === '*') return left * right;
  if (right === 0n) throw failed(op === '/' ? 'division by zero' : 'modulus by zero');
  return op === '/' ? left / right : left % right;
}

export function toInt(value: bigint): bigint {
  if (BigInt.asIntN(64, value) !== value) throw failed('integer overflow');
  return value;
}

export function toUint(value: bigint): Uint {
  if (BigInt.asUintN(64, value) !== value) throw failed('unsigned integer overflow');
  return new Uint(value);
}

export function toDuration(nanos: bigint): Duration {
  if (BigInt.asIntN(64, nanos) !== nanos) throw failed('duration overflow');
  return new Duration(nanos);
}

const FIRST_SECOND = -62_135_596_800n;
const LAST_SECOND = 253_402_300_799n;

export function toTimestamp(nanos: bigint): Timestamp {
  const seconds = nanos / 1_000_000_000n;
  if (seconds < FIRST_SECOND || seconds > LAST_SECOND) throw failed('timestamp overflow');
  return new Timestamp(nanos);
}

/** Division that rounds down, for parts of times before 1970. */
export function floorDivide(a: bigint, b: bigint): bigint {
  const quotient = a / b;
  return a % b < 0n ? quotient - 1n : quotient;
}

/** `target.field`; on an optional value the result is optional, too. */
export function select(target: CelValue, field: string, optional: boolean): CelValue {
  if (target instanceof Optional) return target.value === undefined ? NONE : select(target.value, field, true);
  if (!isMap(target)) {
    if (optional && !isList(target)) return NONE;
    throw noSuchOverload();
  }
  const value = target.get(field);
  if (optional) return value === undefined ? NONE : new Optional(value);
  if (value === undefined) throw failed(`no such key: ${field}`);
  return value;
}

/** `target[key]`. */
export function index(target: CelValue, key: CelValue, optional: boolean): CelValue {
  if (target instanceof Optional) return target.value === undefined ? NONE : index(target.value, key, true);
  const found = isList(target) ? itemAt(target, key) : isMap(target) ? valueAt(target, key) : undefined;
  if (found === undefined) {
    if (optional) return NONE;
    throw noSuchOverload();
  }
  if (optional) return 'value' in found ? new Optional(found.value) : NONE;
  if (!('value' in found)) throw failed(found.missing);
  return found.value;
}

type Found = { readonly value: CelValue } | { readonly missing: string };

function itemAt(list: readonly CelValue[], key: CelValue): Found {
  const at = numericOf(key);
  if (at === undefined || (typeof at === 'number' && !Number.isInteger(at))) {
    throw failed(`unsupported index type '${typeof key}' in list`);
  }
  const value = at >= 0 && at < list.length ? list[Number(at)] : undefined;
  return value === undefined ? { missing: `index out of bounds: ${at}` } : { value };
}

function valueAt(map: ReadonlyMap<unknown, CelValue>, key: CelValue): Found {
  const normal = mapKey(key);
  const value = normal === undefined ? undefined : map.get(normal);
  return value === undefined ? { missing: `no such key: ${String(normal ?? key)}` } : { value };
}
