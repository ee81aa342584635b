// Owns number constants of templates: one text, held under every Go type that can represent it.
import { quote, unquoteRune } from './gostring.ts';
import { parseFloat64, parseInteger } from './strconv.ts';
import { GoError } from './value.ts';

/** The value of a number constant; a type that cannot hold it is absent. */
export interface NumberValue {
  readonly int?: bigint;
  readonly uint?: bigint;
  readonly float?: number;
  readonly complex?: { readonly real: number; readonly imaginary: number };
}

const MAX_INT64 = 2n ** 63n - 1n;
const MIN_INT64 = -(2n ** 63n);
const MAX_UINT64 = 2n ** 64n - 1n;

/** Reads a number token. Throws GoError with Go's text for malformed ones and for those no type can hold. */
export function parseNumber(text: string, type: 'number' | 'complex' | 'charConstant'): NumberValue {
  if (type === 'charConstant') {
    const rune = BigInt(unquoteRune(text));
    return { int: rune, uint: rune, float: Number(rune) };
  }
  if (type === 'complex') return parseComplex(text);
  if (text.endsWith('i')) {
    const imaginary = parseFloat64(text.slice(0, -1));
    if (imaginary !== undefined) return simplify(0, imaginary);
  }
  return parseReal(text);
}

function parseReal(text: string): NumberValue {
  const integer = parseInteger(text);
  if (integer !== undefined) {
    const isInt = integer >= MIN_INT64 && integer <= MAX_INT64;
    const isUint = integer >= 0n && integer <= MAX_UINT64 && !text.startsWith('+');
    if (isInt || isUint) {
      // ParseUint takes no sign, so `+5` is no unsigned constant; -0 is one.
      return {
        ...(isInt && { int: integer }),
        ...((isUint || integer === 0n) && { uint: integer }),
        float: Number(integer),
      };
    }
  }
  const float = parseFloat64(text);
  if (float === undefined) throw new GoError(`illegal number syntax: ${quote(text)}`);
  if (!/[.eEpP]/.test(text)) throw new GoError(`integer overflow: ${quote(text)}`);
  return { float, ...integral(float) };
}

/** `a+bi`, both parts decimal. */
function parseComplex(text: string): NumberValue {
  const split = text.slice(0, -1).search(/(?<=[^eEpP+-])[+-](?=[^+-]*$)/);
  return simplify(parsePart(text.slice(0, split)), parsePart(text.slice(split, -1)));
}

function parsePart(text: string): number {
  const value = parseFloat64(text);
  if (value === undefined) throw new GoError(`strconv.ParseFloat: parsing ${quote(text)}: invalid syntax`);
  return value;
}

function simplify(real: number, imaginary: number): NumberValue {
  const complex = { real, imaginary };
  return imaginary === 0 ? { complex, float: real, ...integral(real) } : { complex };
}

function integral(float: number): { int?: bigint; uint?: bigint } {
  if (!Number.isInteger(float)) return {};
  const value = BigInt(float);
  return {
    ...(value >= MIN_INT64 && value <= MAX_INT64 && { int: value }),
    ...(value >= 0n && value <= MAX_UINT64 && { uint: value }),
  };
}
