// Owns the canonical form of resource quantities (`1000m` → `1`, `1.5Gi` → `1536Mi`). Pure.

const QUANTITY = /^([+-]?)(\d*)(?:\.(\d*))?(?:([eE][+-]?\d+)|(Ki|Mi|Gi|Ti|Pi|Ei|n|u|m|k|M|G|T|P|E))?$/;
const BINARY = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'];
const DECIMAL = ['n', 'u', 'm', '', 'k', 'M', 'G', 'T', 'P', 'E'];
const NANO = 1_000_000_000n;

/** The quantity in billionths, for comparing; 0 for a text that is none. */
export function nanosOf(text: string): bigint {
  const match = QUANTITY.exec(text);
  if (match === null) return 0n;
  const [, sign, whole = '', fraction = '', exponent, suffix = ''] = match;
  const digits = BigInt(whole + fraction.padEnd(9, '0').slice(0, 9) || '0');
  const binary = BINARY.indexOf(suffix);
  const value =
    binary > 0
      ? digits * 1024n ** BigInt(binary)
      : scale(digits, exponent === undefined ? (DECIMAL.indexOf(suffix) - 3) * 3 : Number(exponent.slice(1)));
  return sign === '-' ? -value : value;
}

/** The canonical form; undefined when the text is no quantity. */
export function canonicalQuantity(text: string): string | undefined {
  const match = QUANTITY.exec(text);
  if (match === null) return undefined;
  const [, sign, whole = '', fraction = '', exponent, suffix = ''] = match;
  if (whole === '' && fraction === '') return undefined;
  const digits = BigInt(whole + fraction.padEnd(9, '0').slice(0, 9) || '0');
  // Digits beyond the ninth decimal round up, away from zero.
  const more = /[1-9]/.test(fraction.slice(9)) ? 1n : 0n;
  const binary = BINARY.indexOf(suffix);
  if (binary > 0) return sign + formatBinary((digits + more) * 1024n ** BigInt(binary));
  if (exponent !== undefined) return sign + formatExponent(scale(digits + more, Number(exponent.slice(1))));
  return sign + formatDecimal(scale(digits + more, (DECIMAL.indexOf(suffix) - 3) * 3));
}

function scale(nanos: bigint, power: number): bigint {
  if (power >= 0) return nanos * 10n ** BigInt(power);
  const divisor = 10n ** BigInt(-power);
  return (nanos + divisor - 1n) / divisor;
}

function formatBinary(nanos: bigint): string {
  if (nanos % NANO !== 0n || nanos / NANO < 1024n) return formatDecimal(nanos);
  let value = nanos / NANO;
  let unit = 0;
  while (value % 1024n === 0n && unit < BINARY.length - 1 && value !== 0n) {
    value /= 1024n;
    unit++;
  }
  return `${value}${BINARY[unit]}`;
}

function formatDecimal(nanos: bigint): string {
  if (nanos === 0n) return '0';
  let value = nanos;
  let unit = 0;
  while (value % 1000n === 0n && unit < DECIMAL.length - 1) {
    value /= 1000n;
    unit++;
  }
  return `${value}${DECIMAL[unit]}`;
}

function formatExponent(nanos: bigint): string {
  const text = formatDecimal(nanos);
  const suffix = /[a-zA-Z]$/.exec(text)?.[0] ?? '';
  const power = (DECIMAL.indexOf(suffix) - 3) * 3;
  return power === 0 ? text : `${text.slice(0, -1)}e${power}`;
}
