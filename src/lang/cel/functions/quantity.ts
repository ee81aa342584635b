// Owns Kubernetes' quantities in CEL: `quantity('1.5Gi')` and what can be asked of one.
import { failed } from '../errors.ts';
import { type CelFunction, fn, method } from '../function.ts';
import { toInt } from '../operators.ts';
import { Opaque } from '../value.ts';

const QUANTITY = 'kubernetes.Quantity';
const NANO = 1_000_000_000n;
const PATTERN =
  /^([+-]?)(\d{1,60}|(?=\.\d))(?:\.(\d{0,60}))?(?:[eE]([+-]?\d{1,2})|(Ki|Mi|Gi|Ti|Pi|Ei|n|u|m|k|M|G|T|P|E))?$/;
const BINARY = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'];
const DECIMAL = ['n', 'u', 'm', '', 'k', 'M', 'G', 'T', 'P', 'E'];

export function quantityFunctions(): CelFunction[] {
  const nanos = (quantity: Opaque): bigint => quantity.data as bigint;
  const sized = (value: bigint): Opaque => new Opaque(QUANTITY, String(value), value);
  return [
    fn('quantity', ['string'], QUANTITY, (_call, text: string) => {
      const value = parse(text);
      if (value === undefined) {
        throw failed("quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'");
      }
      return sized(value);
    }),
    fn('isQuantity', ['string'], 'bool', (_call, text: string) => parse(text) !== undefined),
    method('sign', [QUANTITY], 'int', (_call, q: Opaque) => (nanos(q) > 0n ? 1n : nanos(q) < 0n ? -1n : 0n)),
    method('isInteger', [QUANTITY], 'bool', (_call, q: Opaque) => nanos(q) % NANO === 0n && fits(nanos(q) / NANO)),
    method('asInteger', [QUANTITY], 'int', (_call, q: Opaque) => {
      if (nanos(q) % NANO !== 0n) throw failed('cannot convert value to integer');
      return toInt(nanos(q) / NANO);
    }),
    method('asApproximateFloat', [QUANTITY], 'double', (_call, q: Opaque) => Number(nanos(q)) / 1e9),
    method('add', [QUANTITY, QUANTITY], QUANTITY, (_call, a: Opaque, b: Opaque) => sized(nanos(a) + nanos(b))),
    method('add', [QUANTITY, 'int'], QUANTITY, (_call, a: Opaque, b: bigint) => sized(nanos(a) + b * NANO)),
    method('sub', [QUANTITY, QUANTITY], QUANTITY, (_call, a: Opaque, b: Opaque) => sized(nanos(a) - nanos(b))),
    method('sub', [QUANTITY, 'int'], QUANTITY, (_call, a: Opaque, b: bigint) => sized(nanos(a) - b * NANO)),
    method('compareTo', [QUANTITY, QUANTITY], 'int', (_call, a: Opaque, b: Opaque) =>
      nanos(a) < nanos(b) ? -1n : nanos(a) > nanos(b) ? 1n : 0n,
    ),
    method('isGreaterThan', [QUANTITY, QUANTITY], 'bool', (_call, a: Opaque, b: Opaque) => nanos(a) > nanos(b)),
    method('isLessThan', [QUANTITY, QUANTITY], 'bool', (_call, a: Opaque, b: Opaque) => nanos(a) < nanos(b)),
  ];
}

function fits(value: bigint): boolean {
  return BigInt.asIntN(64, value) === value;
}

/** The value in billionths, finer parts rounded away from zero; undefined when the text is no quantity. */
function parse(text: string): bigint | undefined {
  const match = PATTERN.exec(text);
  if (match === null) return undefined;
  const [, sign, whole = '', fraction = '', exponent, suffix = ''] = match;
  const digits = BigInt(`${whole}${fraction}` || '0');
  const binary = BINARY.indexOf(suffix);
  const factor = binary > 0 ? 1024n ** BigInt(binary) : 1n;
  const power =
    exponent === undefined ? (binary > 0 || suffix === '' ? 0 : (DECIMAL.indexOf(suffix) - 3) * 3) : Number(exponent);
  const scale = 9 + power - fraction.length;
  const size = scale >= 0 ? digits * factor * 10n ** BigInt(scale) : divideUp(digits * factor, 10n ** BigInt(-scale));
  return sign === '-' ? -size : size;
}

function divideUp(a: bigint, b: bigint): bigint {
  return (a + b - 1n) / b;
}
