// Owns Go's number texts: strconv's float formatting with verbs and precisions, and its integer and float parsing.

/** Digits of a finite positive number and its decimal point: 0.d1d2d3… × 10^point. */
export interface Decimal {
  readonly digits: string;
  readonly point: number;
}

/** The shortest digits that read back as the same double. Zero gives no digits. */
export function shortestDecimal(value: number): Decimal {
  if (value === 0) return { digits: '', point: 0 };
  const [mantissa, exponent] = value.toExponential().split('e') as [string, string];
  return { digits: mantissa.replace('.', ''), point: Number(exponent) + 1 };
}

/** The exact decimal value of a double, rounded half to even to `count` significant digits. */
export function roundedDecimal(value: number, count: number): Decimal {
  const exact = exactDecimal(value);
  return roundDecimal(exact, count);
}

/** The exact decimal value of a double, rounded half to even to `places` digits after the point. */
export function fixedDecimal(value: number, places: number): Decimal {
  const exact = exactDecimal(value);
  return roundDecimal(exact, exact.point + places);
}

function exactDecimal(value: number): Decimal {
  if (value === 0) return { digits: '', point: 0 };
  const bits = new DataView(new ArrayBuffer(8));
  bits.setFloat64(0, value);
  const raw = bits.getBigUint64(0);
  const biased = Number((raw >> 52n) & 0x7ffn);
  const fraction = raw & 0xfffffffffffffn;
  const mantissa = biased === 0 ? fraction : fraction | 0x10000000000000n;
  const exponent = (biased === 0 ? 1 : biased) - 1075;
  if (exponent >= 0) {
    const digits = (mantissa << BigInt(exponent)).toString();
    return { digits, point: digits.length };
  }
  // m / 2^k = m·5^k / 10^k
  const digits = (mantissa * 5n ** BigInt(-exponent)).toString();
  return { digits, point: digits.length + exponent };
}

function roundDecimal({ digits, point }: Decimal, count: number): Decimal {
  if (count < 0) return { digits: '', point };
  if (count >= digits.length) return { digits: digits.replace(/0+$/, ''), point };
  const kept = digits.slice(0, count);
  const next = digits[count]!;
  const isTie = next === '5' && /^0*$/.test(digits.slice(count + 1));
  const isOdd = kept !== '' && Number(kept.at(-1)) % 2 === 1;
  if (next < '5' || (isTie && !isOdd)) return { digits: kept.replace(/0+$/, ''), point };
  const up = (BigInt(kept === '' ? '0' : kept) + 1n).toString().padStart(kept.length, '0');
  return { digits: up.replace(/0+$/, ''), point: point + (up.length - kept.length) };
}

/**
 * Go's strconv.FormatFloat for 64 bits.
 * @param precision -1 means the fewest digits that identify the number.
 */
export function formatFloat(
  value: number,
  verb: 'e' | 'E' | 'f' | 'g' | 'G' | 'x' | 'X' | 'b',
  precision = -1,
): string {
  if (Number.isNaN(value)) return 'NaN';
  if (value === Number.POSITIVE_INFINITY) return '+Inf';
  if (value === Number.NEGATIVE_INFINITY) return '-Inf';
  const negative = value < 0 || Object.is(value, -0);
  const sign = negative ? '-' : '';
  const size = Math.abs(value);
  if (verb === 'x' || verb === 'X') return sign + formatHex(size, precision, verb);
  if (verb === 'b') return sign + formatBinaryExponent(size);
  if (verb === 'f') return sign + formatPlain(size, precision);
  if (verb === 'e' || verb === 'E') return sign + formatExponent(size, precision, verb);
  return sign + formatGeneral(size, precision, verb);
}

/** Go's `%v` of a float64. */
export function formatNumber(value: number): string {
  if (Number.isInteger(value) && Math.abs(value) < 1e6 && !Object.is(value, -0)) return String(value);
  return formatFloat(value, 'g');
}

function formatPlain(value: number, precision: number): string {
  const decimal = precision < 0 ? shortestDecimal(value) : fixedDecimal(value, precision);
  return plainText(decimal, precision < 0 ? Math.max(decimal.digits.length - decimal.point, 0) : precision);
}

function plainText({ digits, point }: Decimal, places: number): string {
  const whole = point > 0 ? digits.slice(0, point).padEnd(point, '0') : '0';
  if (places === 0) return whole;
  const zeros = '0'.repeat(Math.min(Math.max(-point, 0), places));
  return `${whole}.${(zeros + digits.slice(Math.max(point, 0))).padEnd(places, '0').slice(0, places)}`;
}

function formatExponent(value: number, precision: number, verb: 'e' | 'E'): string {
  const decimal = precision < 0 ? shortestDecimal(value) : roundedDecimal(value, precision + 1);
  return exponentText(decimal, precision < 0 ? Math.max(decimal.digits.length - 1, 0) : precision, verb);
}

function exponentText({ digits, point }: Decimal, places: number, verb: 'e' | 'E'): string {
  const exponent = digits === '' ? 0 : point - 1;
  const head = digits[0] ?? '0';
  const tail = places > 0 ? `.${digits.slice(1).padEnd(places, '0').slice(0, places)}` : '';
  const sign = exponent < 0 ? '-' : '+';
  return `${head}${tail}${verb}${sign}${String(Math.abs(exponent)).padStart(2, '0')}`;
}

function formatGeneral(value: number, precision: number, verb: 'g' | 'G'): string {
  const shortest = precision < 0;
  const wanted = precision === 0 ? 1 : precision;
  const decimal = shortest ? shortestDecimal(value) : roundedDecimal(value, wanted);
  const count = decimal.digits.length;
  let limit = shortest ? 6 : wanted;
  if (!shortest && limit > count && count >= decimal.point) limit = count;
  const exponent = decimal.point - 1;
  if (count > 0 && (exponent < -4 || exponent >= limit)) {
    return exponentText(decimal, count - 1, verb === 'g' ? 'e' : 'E');
  }
  return plainText(decimal, Math.max(count - decimal.point, 0));
}

/** `0x1.8p+01`: hexadecimal mantissa, binary exponent. */
function formatHex(value: number, precision: number, verb: 'x' | 'X'): string {
  let { mantissa, exponent } = binaryParts(value);
  if (mantissa !== 0n) {
    while (mantissa < 1n << 52n) {
      mantissa <<= 1n;
      exponent--;
    }
    exponent += 52;
  } else exponent = 0;
  if (precision >= 0 && precision < 13) {
    const drop = BigInt((13 - precision) * 4);
    const half = 1n << (drop - 1n);
    const rest = mantissa & ((1n << drop) - 1n);
    mantissa >>= drop;
    if (rest > half || (rest === half && (mantissa & 1n) === 1n)) mantissa++;
    mantissa <<= drop;
    if (mantissa >= 1n << 53n) {
      mantissa >>= 1n;
      exponent++;
    }
  }
  const lead = mantissa >> 52n;
  let digits = (mantissa & ((1n << 52n) - 1n)).toString(16).padStart(13, '0');
  digits = precision < 0 ? digits.replace(/0+$/, '') : digits.padEnd(precision, '0').slice(0, precision);
  const sign = exponent < 0 ? '-' : '+';
  const text = `0x${lead}${digits === '' ? '' : `.${digits}`}p${sign}${String(Math.abs(exponent)).padStart(2, '0')}`;
  return verb === 'X' ? text.toUpperCase() : text;
}

function formatBinaryExponent(value: number): string {
  const { mantissa, exponent } = binaryParts(value);
  return `${mantissa}p${exponent < 0 ? '-' : '+'}${Math.abs(exponent)}`;
}

function binaryParts(value: number): { mantissa: bigint; exponent: number } {
  const bits = new DataView(new ArrayBuffer(8));
  bits.setFloat64(0, value);
  const raw = bits.getBigUint64(0);
  const biased = Number((raw >> 52n) & 0x7ffn);
  const fraction = raw & 0xfffffffffffffn;
  return {
    mantissa: biased === 0 ? fraction : fraction | 0x10000000000000n,
    exponent: (biased === 0 ? 1 : biased) - 1075,
  };
}

// ---- parsing ------------------------------------------------------------------------------------

const BASE_PREFIX =
  /^([+-]?)(?:0([xX])_?([0-9a-fA-F_]+)|0([bB])_?([01_]+)|0([oO])_?([0-7_]+)|(0_?[0-7_]+)|(0|[1-9][0-9_]*))$/;

/** Go's ParseInt/ParseUint with base 0 (prefixes, underscores), of any size; undefined if the syntax is wrong. */
export function parseInteger(text: string): bigint | undefined {
  const match = BASE_PREFIX.exec(text);
  if (match === null || text.endsWith('_') || text.includes('__')) return undefined;
  const [, sign, x, hex, b, binary, , octal, oldOctal, decimal] = match;
  let value: bigint;
  if (x !== undefined) value = BigInt(`0x${hex!.replaceAll('_', '')}`);
  else if (b !== undefined) value = BigInt(`0b${binary!.replaceAll('_', '')}`);
  else if (octal !== undefined) value = BigInt(`0o${octal.replaceAll('_', '')}`);
  else if (oldOctal !== undefined) value = BigInt(`0o${oldOctal.replaceAll('_', '')}`);
  else value = BigInt(decimal!.replaceAll('_', ''));
  return sign === '-' ? -value : value;
}

const DECIMAL_FLOAT =
  /^[+-]?(?:[0-9]+(?:_[0-9]+)*\.?(?:[0-9]+(?:_[0-9]+)*)?|\.[0-9]+(?:_[0-9]+)*)(?:[eE][+-]?[0-9]+(?:_[0-9]+)*)?$/;
const HEX_FLOAT = /^([+-]?)0[xX]_?([0-9a-fA-F_]*)\.?([0-9a-fA-F_]*)[pP]([+-]?[0-9]+)$/;

/**
 * Go's ParseFloat: decimal and hexadecimal floats, `inf` and `nan`.
 * Undefined for a bad syntax and for numbers beyond the largest double. Underscores may separate digits.
 */
export function parseFloat64(text: string): number | undefined {
  if (DECIMAL_FLOAT.test(text)) {
    const value = Number(text.replaceAll('_', ''));
    return Number.isFinite(value) ? value : undefined;
  }
  const special = /^([+-]?)(inf|infinity|nan)$/i.exec(text);
  if (special !== null) {
    if (special[2]!.toLowerCase() === 'nan') return special[1] === '' ? Number.NaN : undefined;
    return special[1] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  }
  return parseHexFloat(text);
}

function parseHexFloat(text: string): number | undefined {
  const match = HEX_FLOAT.exec(text);
  if (match === null) return undefined;
  const [, sign, whole, fraction, exponent] = match as unknown as [string, string, string, string, string];
  const digits = (whole + fraction).replaceAll('_', '');
  if (digits === '') return undefined;
  const scale = Number(exponent) - fraction.replaceAll('_', '').length * 4;
  if (Math.abs(scale) > 5000) return scale > 0 && /[1-9a-f]/i.test(digits) ? undefined : 0;
  const value = ratioToNumber(BigInt(`0x${digits}`), scale);
  return Number.isFinite(value) ? (sign === '-' ? -value : value) : undefined;
}

/** mantissa × 2^scale, rounded once. */
function ratioToNumber(mantissa: bigint, scale: number): number {
  if (scale >= 0) return Number(mantissa << BigInt(scale));
  const bits = mantissa.toString(2).length;
  const extra = bits - 64;
  if (extra <= 0) return Number(mantissa) * 2 ** Math.max(scale, -1074) * 2 ** Math.min(scale + 1074, 0);
  const sticky = (mantissa & ((1n << BigInt(extra)) - 1n)) === 0n ? 0n : 1n;
  return Number((mantissa >> BigInt(extra)) | sticky) * 2 ** (scale + extra);
}
