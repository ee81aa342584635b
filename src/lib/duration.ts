// Owns Go's text form of durations (`1h30m`, `1m0s`), exactly as time.ParseDuration and Duration.String have it.
import { CodedError } from './errors.ts';

/** Code `InvalidDuration`. */
export class DurationError extends CodedError<'InvalidDuration', { readonly text: string }> {}

const MAX_NANOSECONDS = 2n ** 63n;
const NANOSECONDS: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1_000n,
  µs: 1_000n, // U+00B5
  μs: 1_000n, // U+03BC
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
};

/**
 * Nanoseconds of a Go duration. Sign, fractions and repeated units are as in Go. Throws `DurationError` with Go's
 * words.
 */
export function parseDuration(text: string): bigint {
  const fail = (problem: string): never => {
    throw new DurationError('InvalidDuration', `time: ${problem} ${JSON.stringify(text)}`, { text });
  };
  const sign = text[0] === '-' ? -1n : 1n;
  let rest = text[0] === '-' || text[0] === '+' ? text.slice(1) : text;
  if (rest === '0') return 0n;
  if (rest === '') return fail('invalid duration');
  let total = 0n;
  while (rest !== '') {
    const [, whole = '', point, fraction = ''] = /^(\d*)(\.?)(\d*)/.exec(rest)!;
    if (whole === '' && fraction === '') return fail('invalid duration');
    rest = rest.slice(whole.length + point!.length + fraction.length);
    const unit = /^[^.\d]*/.exec(rest)![0];
    if (unit === '') return fail('missing unit in duration');
    const scale = Object.hasOwn(NANOSECONDS, unit)
      ? NANOSECONDS[unit]!
      : fail(`unknown unit ${JSON.stringify(unit)} in duration`);
    rest = rest.slice(unit.length);
    total += BigInt(whole || '0') * scale;
    if (fraction !== '') total += fractionOf(fraction, scale);
    if (total > MAX_NANOSECONDS) return fail('invalid duration');
  }
  if (total === MAX_NANOSECONDS && sign > 0n) return fail('invalid duration');
  return sign * total;
}

/** Go computes fractions in doubles, from the digits that fit into 63 bits: `0.3333333333333333333h` is 20m0s. */
function fractionOf(digits: string, unit: bigint): bigint {
  let value = 0n;
  let scale = 1;
  for (const digit of digits) {
    const next = value * 10n + BigInt(digit);
    if (value > (MAX_NANOSECONDS - 1n) / 10n || next > MAX_NANOSECONDS) break;
    value = next;
    scale *= 10;
  }
  return BigInt(Math.trunc(Number(value) * (Number(unit) / scale)));
}

/** `2m30.5s` as Go prints it: hours, minutes, seconds; below a second in ms, µs or ns. */
export function formatDuration(nanoseconds: bigint): string {
  if (nanoseconds === 0n) return '0s';
  const sign = nanoseconds < 0n ? '-' : '';
  const total = nanoseconds < 0n ? -nanoseconds : nanoseconds;
  if (total < 1_000n) return `${sign}${total}ns`;
  if (total < 1_000_000n) return `${sign}${decimal(total, 3)}µs`;
  if (total < 1_000_000_000n) return `${sign}${decimal(total, 6)}ms`;
  const seconds = `${decimal(total % 60_000_000_000n, 9)}s`;
  const minutes = total / 60_000_000_000n;
  if (minutes === 0n) return sign + seconds;
  if (minutes < 60n) return `${sign}${minutes}m${seconds}`;
  return `${sign}${minutes / 60n}h${minutes % 60n}m${seconds}`;
}

function decimal(value: bigint, digits: number): string {
  const scale = 10n ** BigInt(digits);
  const fraction = (value % scale).toString().padStart(digits, '0').replace(/0+$/, '');
  return fraction === '' ? `${value / scale}` : `${value / scale}.${fraction}`;
}

/** Milliseconds of a Go duration, with a fraction when it is finer than that. Throws `DurationError`. */
export function parseDurationMs(text: string): number {
  return Number(parseDuration(text)) / 1e6;
}

/** A span in milliseconds as Go prints it, to the nanosecond. */
export function formatDurationMs(ms: number): string {
  const whole = Math.trunc(ms);
  return formatDuration(BigInt(whole) * 1_000_000n + BigInt(Math.round((ms - whole) * 1e6)));
}
