// Owns the standard functions of CEL: sizes, conversions, text tests, types, optional values.
import { formatFloat, parseFloat64 } from '../../gotemplate/strconv.ts';
import { failed } from '../errors.ts';
import { type Call, type CelFunction, fn, method } from '../function.ts';
import { floorDivide, toInt, toUint } from '../operators.ts';
import {
  type CelList,
  type CelMap,
  type CelValue,
  Duration,
  isList,
  isMap,
  NONE,
  numericOf,
  Optional,
  Timestamp,
  TypeValue,
  typeOf,
  Uint,
} from '../value.ts';
import { formatDurationText, formatTimestamp } from './time.ts';

export function standardFunctions(): CelFunction[] {
  return [...sizes(), ...tests(), ...conversions(), ...optionals()];
}

function sizes(): CelFunction[] {
  const size = (_call: Call, value: CelValue): CelValue => BigInt(sizeOf(value));
  const types = ['string', 'bytes', 'list', 'map'] as const;
  return types.flatMap((type) => [fn('size', [type], 'int', size), method('size', [type], 'int', size)]);
}

function sizeOf(value: CelValue): number {
  if (typeof value === 'string') return countRunes(value);
  if (value instanceof Uint8Array) return value.length;
  return isMap(value) ? value.size : (value as CelList).length;
}

/** Code points of a text. */
export function countRunes(text: string): number {
  let count = 0;
  for (let i = 0; i < text.length; i++) {
    count++;
    if ((text.codePointAt(i) ?? 0) > 0xffff) i++;
  }
  return count;
}

function tests(): CelFunction[] {
  const matches = (call: Call, text: string, pattern: string): CelValue => call.regexp(pattern).test(text);
  return [
    method('contains', ['string', 'string'], 'bool', (_call, text: string, part: string) => text.includes(part)),
    method('startsWith', ['string', 'string'], 'bool', (_call, text: string, part: string) => text.startsWith(part)),
    method('endsWith', ['string', 'string'], 'bool', (_call, text: string, part: string) => text.endsWith(part)),
    method('matches', ['string', 'string'], 'bool', matches),
    fn('matches', ['string', 'string'], 'bool', matches),
  ];
}

function conversions(): CelFunction[] {
  return [
    fn('type', ['any'], 'type', (_call, value: CelValue) => new TypeValue(typeOf(value))),
    fn('dyn', ['any'], 'any', (_call, value: CelValue) => value),
    fn('bool', ['any'], 'bool', (_call, value: CelValue) => toBool(value)),
    fn('int', ['any'], 'int', (_call, value: CelValue) => convertInt(value)),
    fn('uint', ['any'], 'uint', (_call, value: CelValue) => convertUint(value)),
    fn('double', ['any'], 'double', (_call, value: CelValue) => toDouble(value)),
    fn('string', ['any'], 'string', (_call, value: CelValue) => toText(value)),
    fn('bytes', ['bytes'], 'bytes', (_call, value: Uint8Array) => value),
    fn('bytes', ['string'], 'bytes', (_call, value: string) => Buffer.from(value)),
  ];
}

function conversionError(value: CelValue, type: string): Error {
  return failed(`type conversion error from '${typeOf(value)}' to '${type}'`);
}

function toBool(value: CelValue): boolean {
  if (typeof value === 'boolean') return value;
  if (typeof value === 'string') {
    if (/^(1|t|T|true|True|TRUE)$/.test(value)) return true;
    if (/^(0|f|F|false|False|FALSE)$/.test(value)) return false;
  }
  throw conversionError(value, 'bool');
}

function convertInt(value: CelValue): bigint {
  if (typeof value === 'bigint') return value;
  if (value instanceof Uint) return toInt(value.value);
  if (typeof value === 'number') return toInt(truncate(value, 'integer overflow'));
  if (value instanceof Timestamp) return floorDivide(value.nanos, 1_000_000_000n);
  if (value instanceof Duration) return value.nanos;
  if (typeof value === 'string' && /^[+-]?\d+$/.test(value)) return toInt(BigInt(value.replace(/^\+/, '')));
  throw conversionError(value, 'int');
}

function convertUint(value: CelValue): Uint {
  if (value instanceof Uint) return value;
  if (typeof value === 'bigint') return toUint(value);
  if (typeof value === 'number') return toUint(truncate(value, 'unsigned integer overflow'));
  if (typeof value === 'string' && /^\d+$/.test(value)) return toUint(BigInt(value));
  throw conversionError(value, 'uint');
}

function truncate(value: number, overflow: string): bigint {
  if (!Number.isFinite(value) || Math.abs(value) >= 2 ** 64) throw failed(overflow);
  return BigInt(Math.trunc(value));
}

function toDouble(value: CelValue): number {
  const number = numericOf(value);
  if (number !== undefined) return Number(number);
  const parsed = typeof value === 'string' ? parseFloat64(value) : undefined;
  if (parsed === undefined) throw conversionError(value, 'double');
  return parsed;
}

function toText(value: CelValue): string {
  switch (typeof value) {
    case 'string':
      return value;
    case 'boolean':
    case 'bigint':
      return String(value);
    case 'number':
      return formatFloat(value, 'g', -1);
  }
  if (value instanceof Uint) return String(value.value);
  if (value instanceof Timestamp) return formatTimestamp(value);
  if (value instanceof Duration) return formatDurationText(value);
  if (value instanceof Uint8Array) {
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(value);
    } catch {
      throw failed('invalid UTF-8 in bytes, cannot convert to string');
    }
  }
  if (value !== null && !isList(value) && !isMap(value) && 'key' in value) return value.key;
  throw conversionError(value, 'string');
}

function optionals(): CelFunction[] {
  return [
    fn('optional.of', ['any'], 'optional_type', (_call, value: CelValue) => new Optional(value)),
    fn('optional.none', [], 'optional_type', () => NONE),
    fn('optional.ofNonZeroValue', ['any'], 'optional_type', (_call, value: CelValue) =>
      isZero(value) ? NONE : new Optional(value),
    ),
    method('hasValue', ['optional_type'], 'bool', (_call, optional: Optional) => optional.value !== undefined),
    method('value', ['optional_type'], 'any', (_call, optional: Optional) => {
      if (optional.value === undefined) throw failed('optional.none() dereference');
      return optional.value;
    }),
    method('or', ['optional_type', 'optional_type'], 'optional_type', (_call, optional: Optional, other: Optional) =>
      optional.value === undefined ? other : optional,
    ),
    method('orValue', ['optional_type', 'any'], 'any', (_call, optional: Optional, other: CelValue) =>
      optional.value === undefined ? other : optional.value,
    ),
  ];
}

function isZero(value: CelValue): boolean {
  if (value === null || value === false || value === '') return true;
  if (typeof value === 'bigint' || typeof value === 'number') return Number(value) === 0;
  if (value instanceof Uint) return value.value === 0n;
  if (value instanceof Uint8Array || isList(value)) return value.length === 0;
  if (isMap(value)) return (value as CelMap).size === 0;
  return (value instanceof Duration && value.nanos === 0n) || (value instanceof Optional && value.value === undefined);
}
