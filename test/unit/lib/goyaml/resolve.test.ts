import { describe, expect, it } from 'vitest';
import { resolveScalar } from '../../../../src/lib/goyaml/resolve.ts';

describe('plain scalars', () => {
  it.each<[string, unknown, unknown]>([
    ['yes', true, 'yes'],
    ['y', true, 'y'],
    ['Off', false, 'Off'],
    ['true', true, true],
    ['~', null, null],
    ['', null, null],
    ['0777', 511, 511],
    ['0o777', 511, 511],
    ['0b11', 3, 3],
    ['0b-1', -1, -1],
    ['0o-7', '0o-7', -7],
    ['1_000', 1000, 1000],
    ['08', 8, 8],
    ['1.', 1, 1],
    ['.5_5', 0.55, 0.55],
    ['-0', 0, 0],
    ['1:30', '1:30', '1:30'],
    ['123e4567', '123e4567', '123e4567'],
    ['9007199254740993', 9007199254740993n, 9007199254740993n],
    ['0x1F9007199254740', 0x1f9007199254740n, 0x1f9007199254740n],
    ['-0x8000000000000000', -(2n ** 63n), -(2n ** 63n)],
    ['0x00000000000000000001', 1, 1],
    ['18446744073709551615', 18446744073709551615n, 18446744073709551615n],
    ['18446744073709551616', 2 ** 64, 2 ** 64],
    ['+9223372036854775808', 2 ** 63, 2 ** 63],
    ['2001-12-14', '2001-12-14', '2001-12-14T00:00:00Z'],
    ['2001-12-14t21:59:43.10-05:00', '2001-12-14t21:59:43.10-05:00', '2001-12-14T21:59:43.1-05:00'],
    ['2001-2-29', '2001-2-29', '2001-2-29'],
    ['<<', '<<', '<<'],
  ])('%j', (text, v2, v3) => {
    expect(resolveScalar('', text, 'v2').value).toBe(v2);
    expect(resolveScalar('', text, 'v3').value).toBe(v3);
  });

  it.each(['.inf', '-.INF', '.nan'])('%s is a float', (text) => {
    expect(resolveScalar('', text, 'v3')).toMatchObject({ tag: '!!float' });
  });
});

describe('tagged scalars', () => {
  it('take what fits', () => {
    expect(resolveScalar('!!float', '3', 'v2')).toEqual({ tag: '!!float', value: 3 });
    expect(resolveScalar('!!str', '3', 'v2')).toEqual({ tag: '!!str', value: '3' });
    expect(resolveScalar('!mine', '3', 'v2')).toEqual({ tag: '!mine', value: '3' });
  });

  it('refuse what does not', () => {
    expect(() => resolveScalar('!!int', 'abc', 'v3')).toThrow('yaml: cannot decode !!str `abc` as a !!int');
    expect(() => resolveScalar('!!bool', 'yes', 'v3')).toThrow('yaml: cannot decode !!str `yes` as a !!bool');
  });
});
