import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatFloat, formatNumber, parseFloat64, parseInteger } from '../../../../src/lang/gotemplate/strconv.ts';

describe('formatNumber', () => {
  it.each([
    [1, '1'],
    [100_000, '100000'],
    [1_000_000, '1e+06'],
    [1_048_576, '1.048576e+06'],
    [0.0001, '0.0001'],
    [0.00001, '1e-05'],
    [-0, '-0'],
    [1e21, '1e+21'],
    [123_456.7, '123456.7'],
    [Number.POSITIVE_INFINITY, '+Inf'],
    [Number.NaN, 'NaN'],
  ])('%d is %s', (value, expected) => {
    expect(formatNumber(value)).toBe(expected);
  });

  it('reads back as the same number', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        expect(Object.is(parseFloat64(formatNumber(value)), value)).toBe(true);
      }),
    );
  });
});

describe('formatFloat', () => {
  it.each([
    [0.5, 'f', 0, '0'],
    [1.5, 'f', 0, '2'],
    [2.5, 'f', 0, '2'],
    [0.125, 'f', 2, '0.12'],
    [9.995, 'f', 2, '9.99'],
    [9.999, 'f', 2, '10.00'],
    [1234.5678, 'e', 3, '1.235e+03'],
    [0, 'e', 2, '0.00e+00'],
    [1234.5678, 'g', 3, '1.23e+03'],
    [100, 'g', 3, '100'],
    [1e23, 'f', -1, '100000000000000000000000'],
    [5e-324, 'g', -1, '5e-324'],
    [1.5, 'x', -1, '0x1.8p+00'],
    [1, 'x', 3, '0x1.000p+00'],
    [0.1, 'b', -1, '7205759403792794p-56'],
    [255.9, 'X', 1, '0X1.0P+08'],
  ] as const)('%d by %s with %i is %s', (value, verb, precision, expected) => {
    expect(formatFloat(value, verb, precision)).toBe(expected);
  });
});

describe('parseInteger', () => {
  it.each([
    ['42', 42n],
    ['-0x1F', -31n],
    ['0b101', 5n],
    ['0o17', 15n],
    ['017', 15n],
    ['1_000', 1000n],
    ['0_7', 7n],
    ['18446744073709551616', 18446744073709551616n],
    ['089', undefined],
    ['1__0', undefined],
    ['_1', undefined],
    ['1_', undefined],
    ['1.0', undefined],
    ['', undefined],
  ])('%j is %s', (text, expected) => {
    expect(parseInteger(text)).toBe(expected);
  });
});

describe('parseFloat64', () => {
  it.each([
    ['1.5e3', 1500],
    ['.5', 0.5],
    ['5.', 5],
    ['0x1p4', 16],
    ['0x1.8p-1', 0.75],
    ['-0x.8p0', -0.5],
    ['Inf', Number.POSITIVE_INFINITY],
    ['-infinity', Number.NEGATIVE_INFINITY],
    ['1e400', undefined],
    ['1_0.5e1_0', 1.05e11],
    ['1__0', undefined],
    ['_1', undefined],
    ['1e', undefined],
    ['', undefined],
    ['0x1', undefined],
  ])('%j is %d', (text, expected) => {
    expect(parseFloat64(text)).toBe(expected);
  });
});
