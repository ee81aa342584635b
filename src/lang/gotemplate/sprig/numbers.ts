// Owns sprig's arithmetic. Integers are int64 and wrap; the `…f` functions count in decimals and give float64.

import type { Execution } from '../execution.ts';
import { func, funcWith, type GoFunction, variadic, variadicWith } from '../function.ts';
import { formatValue } from '../printf.ts';
import { shortestDecimal } from '../strconv.ts';
import { ANY, FLOAT64, GoError, GoInt, type GoValue, INT, INT_LIST, int, int64, STRING, TypedSlice } from '../value.ts';
import { toFloat64, toInt, toInt64 } from './cast.ts';

export function numberFunctions(): [string, GoFunction][] {
  return [
    ['int', func([ANY], (value) => int(toInt(value)))],
    ['int64', func([ANY], (value) => int64(toInt64(value)))],
    ['float64', func([ANY], toFloat64)],
    ['atoi', func([STRING], (text) => (/^[+-]?[0-9]+$/.test(text) ? fitting(BigInt(text.replace('+', ''))) : int(0)))],
    ['toDecimal', func([ANY], parseOctal)],
    [
      'add',
      variadic([], ANY, (...values) => int64(values.reduce<bigint>((sum, value) => wrap(sum + toInt64(value)), 0n))),
    ],
    ['add1', func([ANY], (value) => int64(toInt64(value) + 1n))],
    ['sub', func([ANY, ANY], (a, b) => int64(toInt64(a) - toInt64(b)))],
    [
      'mul',
      variadic([ANY], ANY, (first, ...others) =>
        int64(others.reduce<bigint>((product, value) => wrap(product * toInt64(value)), toInt64(first))),
      ),
    ],
    ['div', func([ANY, ANY], (a, b) => int64(toInt64(a) / divisor(b)))],
    ['mod', func([ANY, ANY], (a, b) => int64(toInt64(a) % divisor(b)))],
    ['max', variadic([ANY], ANY, (...values) => pickInteger(values, (a, b) => a > b))],
    ['biggest', variadic([ANY], ANY, (...values) => pickInteger(values, (a, b) => a > b))],
    ['min', variadic([ANY], ANY, (...values) => pickInteger(values, (a, b) => a < b))],
    ['maxf', variadic([ANY], ANY, (...values) => Math.max(...values.map(toFloat64)))],
    ['minf', variadic([ANY], ANY, (...values) => Math.min(...values.map(toFloat64)))],
    ['floor', func([ANY], (value) => Math.floor(toFloat64(value)))],
    ['ceil', func([ANY], (value) => Math.ceil(toFloat64(value)))],
    ['round', variadic([ANY, INT], FLOAT64, round)],
    ['addf', variadic([], ANY, (...values) => decimals([0, ...values], addDecimals))],
    ['add1f', func([ANY], (value) => decimals([value, 1], addDecimals))],
    [
      'subf',
      variadic([ANY], ANY, (...values) => decimals(values, (a, b) => addDecimals(a, { ...b, digits: -b.digits }))),
    ],
    [
      'mulf',
      variadic([ANY], ANY, (...values) =>
        decimals(values, (a, b) => ({ digits: a.digits * b.digits, exponent: a.exponent + b.exponent })),
      ),
    ],
    ['divf', variadic([ANY], ANY, (...values) => decimals(values, divideDecimals))],
    [
      'until',
      funcWith([INT], (execution, count) => intList(execution, { from: 0, to: count, step: count < 0 ? -1 : 1 })),
    ],
    ['untilStep', funcWith([INT, INT, INT], (execution, from, to, step) => intList(execution, { from, to, step }))],
    ['seq', variadicWith([], INT, sequence)],
  ];
}

function wrap(value: bigint): bigint {
  return BigInt.asIntN(64, value);
}

/** strconv.Atoi gives the nearest bound with its error, and sprig drops the error. */
function fitting(value: bigint): GoInt {
  const max = 2n ** 63n - 1n;
  const bounded = value > max ? max : value < -max - 1n ? -max - 1n : value;
  return new GoInt(bounded, INT);
}

function divisor(value: GoValue): bigint {
  const number = toInt64(value);
  if (number === 0n) throw new GoError('runtime error: integer divide by zero');
  return number;
}

/** The value that comes before every other by `isBetter`. */
function pickInteger(values: readonly GoValue[], isBetter: (a: bigint, b: bigint) => boolean): GoInt {
  let [best = 0n, ...others] = values.map(toInt64);
  for (const other of others) if (isBetter(other, best)) best = other;
  return int64(best);
}

/** A text read as octal (file modes); anything else is 0. */
function parseOctal(value: GoValue): GoInt {
  const text = formatValue(value);
  if (!/^[+-]?[0-7]+$/.test(text)) return int64(0);
  const digits = BigInt(`0o${text.replace(/^[+-]/, '')}`);
  const number = text.startsWith('-') ? -digits : digits;
  return wrap(number) === number ? int64(number) : int64(0);
}

function round(value: GoValue, places: number, ...options: number[]): number {
  const roundOn = options[0] ?? 0.5;
  const scale = powerOfTen(places);
  const digit = scale * toFloat64(value);
  const fraction = digit - Math.trunc(digit);
  return (fraction >= roundOn ? Math.ceil(digit) : Math.floor(digit)) / scale;
}

/** Go's math.Pow(10, n): squares of the mantissa, whose rounding errors show in the result. */
function powerOfTen(exponent: number): number {
  let result = 1;
  let resultExponent = 0;
  let mantissa = 0.625;
  let binary = 4;
  for (let rest = Math.abs(exponent); rest > 0 && Math.abs(binary) < 4096; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) {
      result *= mantissa;
      resultExponent += binary;
    }
    mantissa *= mantissa;
    binary *= 2;
    if (mantissa < 0.5) {
      mantissa += mantissa;
      binary--;
    }
  }
  if (Math.abs(exponent) > 400) return exponent > 0 ? Number.POSITIVE_INFINITY : 0;
  if (exponent < 0) return 2 ** -resultExponent / result;
  // In two steps, as the power of two alone may overflow.
  return result * 2 ** Math.min(resultExponent, 1000) * 2 ** Math.max(resultExponent - 1000, 0);
}

// ---- decimals -----------------------------------------------------------------------------------

/** digits × 10^exponent. */
interface DecimalNumber {
  readonly digits: bigint;
  readonly exponent: number;
}

/** Digits after the point that a division keeps. */
const DIVISION_PRECISION = 16;

function decimals(values: readonly GoValue[], combine: (a: DecimalNumber, b: DecimalNumber) => DecimalNumber): number {
  return decimalToNumber(values.map((value) => toDecimalNumber(toFloat64(value))).reduce(combine));
}

function toDecimalNumber(value: number): DecimalNumber {
  if (!Number.isFinite(value)) {
    const name = Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf';
    throw new GoError(`Cannot create a Decimal from ${name}`);
  }
  const { digits, point } = shortestDecimal(Math.abs(value));
  if (digits === '') return { digits: 0n, exponent: 0 };
  return { digits: value < 0 ? -BigInt(digits) : BigInt(digits), exponent: point - digits.length };
}

function decimalToNumber({ digits, exponent }: DecimalNumber): number {
  return Number(`${digits}e${exponent}`);
}

function addDecimals(a: DecimalNumber, b: DecimalNumber): DecimalNumber {
  const exponent = Math.min(a.exponent, b.exponent);
  return { digits: scaled(a, exponent) + scaled(b, exponent), exponent };
}

function scaled({ digits, exponent }: DecimalNumber, to: number): bigint {
  return digits * 10n ** BigInt(exponent - to);
}

function divideDecimals(a: DecimalNumber, b: DecimalNumber): DecimalNumber {
  if (b.digits === 0n) throw new GoError('decimal division by 0');
  const shift = a.exponent - b.exponent + DIVISION_PRECISION;
  const dividend = shift >= 0 ? a.digits * 10n ** BigInt(shift) : a.digits;
  const by = shift >= 0 ? b.digits : b.digits * 10n ** BigInt(-shift);
  const quotient = dividend / by;
  const rest = dividend % by;
  // Half and more round away from zero.
  const away = magnitude(rest) * 2n >= magnitude(by);
  const unit = dividend < 0n === by < 0n ? 1n : -1n;
  return { digits: away ? quotient + unit : quotient, exponent: -DIVISION_PRECISION };
}

function magnitude(value: bigint): bigint {
  return value < 0n ? -value : value;
}

// ---- sequences ----------------------------------------------------------------------------------

interface Steps {
  readonly from: number;
  readonly to: number;
  readonly step: number;
}

/** Units charged per element: an integer here is an object. */
const INT_SIZE = 64;

function stepCount({ from, to, step }: Steps): number {
  if (to < from ? step >= 0 : step <= 0) return 0;
  return Math.ceil((to - from) / step);
}

function intList({ budget }: Execution, steps: Steps): GoValue {
  const count = stepCount(steps);
  budget.allocate(count * INT_SIZE);
  return new TypedSlice(
    Array.from({ length: count }, (_, index) => int(steps.from + index * steps.step)),
    INT_LIST,
  );
}

/** `1 2 3` as text: one argument is the end, two are the bounds, three have the step in the middle. */
function sequence({ budget }: Execution, ...params: number[]): string {
  const steps = sequenceSteps(params);
  if (steps === undefined) return '';
  const count = stepCount(steps);
  budget.checkString(count * 2);
  return Array.from({ length: count }, (_, index) => steps.from + index * steps.step).join(' ');
}

function sequenceSteps(params: readonly number[]): Steps | undefined {
  const [first = 0, second = 0, third = 0] = params;
  if (params.length === 1) {
    const step = first < 1 ? -1 : 1;
    return { from: 1, to: first + step, step };
  }
  if (params.length === 2) {
    const step = second < first ? -1 : 1;
    return { from: first, to: second + step, step };
  }
  if (params.length !== 3) return undefined;
  if (third < first && second > 0) return undefined;
  return { from: first, to: third + (third < first ? -1 : 1), step: second };
}
