import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatDuration, formatDurationMs, parseDuration, parseDurationMs } from '../../../src/lib/duration.ts';

describe('parseDuration', () => {
  it.each([
    ['5s', 5_000_000_000n],
    ['1m30s', 90_000_000_000n],
    ['10h', 36_000_000_000_000n],
    ['1.5h', 5_400_000_000_000n],
    ['.5s', 500_000_000n],
    ['1.s', 1_000_000_000n],
    ['0', 0n],
    ['-1m', -60_000_000_000n],
    ['+2ms', 2_000_000n],
    ['1µs', 1_000n],
    ['1μs', 1_000n],
    ['1us1ns', 1_001n],
    ['0.3333333333333333333h', 1_200_000_000_000n],
    ['0.100000000000000000000h', 360_000_000_000n],
    ['39h9m14.425s', 140_954_425_000_000n],
    ['0.9223372036854775808h', 3_320_413_933_267n],
    ['9223372036854775807ns', 2n ** 63n - 1n],
    ['-9223372036854775808ns', -(2n ** 63n)],
  ])('reads %s', (text, want) => {
    expect(parseDuration(text)).toBe(want);
  });

  it.each([
    ['', 'time: invalid duration ""'],
    ['s', 'time: invalid duration "s"'],
    ['.s', 'time: invalid duration ".s"'],
    ['3', 'time: missing unit in duration "3"'],
    ['1d', 'time: unknown unit "d" in duration "1d"'],
    ['1 s', 'time: unknown unit " s" in duration "1 s"'],
    ['1constructor', 'time: unknown unit "constructor" in duration "1constructor"'],
    ['-', 'time: invalid duration "-"'],
    ['9223372036854775808ns', 'time: invalid duration "9223372036854775808ns"'],
    ['3000000h', 'time: invalid duration "3000000h"'],
  ])('refuses %j', (text, message) => {
    expect(() => parseDuration(text)).toThrow(expect.objectContaining({ code: 'InvalidDuration', message }));
  });

  it('gives milliseconds', () => {
    expect(parseDurationMs('1m0.5ms')).toBe(60_000.5);
  });
});

describe('formatDuration', () => {
  it.each([
    [0n, '0s'],
    [1n, '1ns'],
    [1_100n, '1.1µs'],
    [2_200_000n, '2.2ms'],
    [3_300_000_000n, '3.3s'],
    [60_000_000_000n, '1m0s'],
    [245_000_000_000n, '4m5s'],
    [3_600_000_000_000n, '1h0m0s'],
    [18_367_001_000_000n, '5h6m7.001s'],
    [-90_000_000_000n, '-1m30s'],
  ])('writes %s as %s', (nanoseconds, want) => {
    expect(formatDuration(nanoseconds)).toBe(want);
  });

  it('rounds milliseconds to nanoseconds', () => {
    expect(formatDurationMs(1234.567891)).toBe('1.234567891s');
  });

  it('is read back as it was', () => {
    const spans = fc.bigInt({ min: -(2n ** 63n) + 1n, max: 2n ** 63n - 1n });

    fc.assert(fc.property(spans, (span) => parseDuration(formatDuration(span)) === span));
  });
});
