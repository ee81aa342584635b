import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  compareVersions,
  explainMismatch,
  formatConstraint,
  formatVersion,
  incrementVersion,
  parseConstraint,
  parseStrictVersion,
  parseVersion,
  satisfies,
} from '../../../src/lib/semver.ts';

describe('parseVersion', () => {
  it.each([
    ['1.2.3', '1.2.3'],
    ['v1.2.3', '1.2.3'],
    ['1', '1.0.0'],
    ['v1.2', '1.2.0'],
    ['01.002.3', '1.2.3'],
    ['1.2-beta.5', '1.2.0-beta.5'],
    ['1.2.3+b.7', '1.2.3+b.7'],
    ['1.2.3-rc.1+x-y', '1.2.3-rc.1+x-y'],
    ['18446744073709551615.0.0', '18446744073709551615.0.0'],
    ['1.9007199254740993.0', '1.9007199254740993.0'],
  ])('reads %s', (text, want) => {
    const version = parseVersion(text);

    expect(formatVersion(version)).toBe(want);
    expect(version.original).toBe(text);
  });

  it.each([
    ['', 'invalid semantic version'],
    ['foo', 'invalid semantic version'],
    ['V1.2.3', 'invalid semantic version'],
    ['1.2.3.4', 'invalid semantic version'],
    ['1.2.3-', 'invalid semantic version'],
    ['1.2.3 ', 'invalid semantic version'],
    ['1.2.3-01', 'version segment starts with 0'],
    [
      '18446744073709551616',
      'error parsing version segment: strconv.ParseUint: parsing "18446744073709551616": value out of range',
    ],
    ['9'.repeat(257), 'version string is too long (max 256 bytes)'],
  ])('refuses %s', (text, message) => {
    expect(() => parseVersion(text)).toThrow(expect.objectContaining({ code: 'InvalidVersion', message }));
  });
});

describe('parseStrictVersion', () => {
  it.each([
    ['', 'version string empty'],
    ['1.2', 'invalid semantic version'],
    ['v1.2.3', 'invalid characters in version'],
    ['1.02.3', 'version segment starts with 0'],
    ['1.2.', 'strconv.ParseUint: parsing "": invalid syntax'],
    ['1.2.3-', 'invalid prerelease string'],
    ['1.2.3-a..b', 'invalid prerelease string'],
    ['1.2.3+', 'invalid metadata string'],
    ['1.2.3-00', 'version segment starts with 0'],
  ])('refuses %s', (text, message) => {
    expect(() => parseStrictVersion(text)).toThrow(expect.objectContaining({ code: 'InvalidVersion', message }));
  });
});

describe('compareVersions', () => {
  it('orders as the specification does', () => {
    const ordered = [
      '1.0.0-alpha',
      '1.0.0-alpha.1',
      '1.0.0-alpha.beta',
      '1.0.0-beta',
      '1.0.0-beta.2',
      '1.0.0-beta.11',
      '1.0.0-rc.1',
      '1.0.0',
      '1.0.1',
      '2.0.0',
    ];

    const versions = ordered.map(parseVersion);

    for (const [i, a] of versions.entries()) {
      for (const [j, b] of versions.entries()) expect(compareVersions(a, b)).toBe(Math.sign(i - j));
    }
  });

  it('tells apart numbers beyond 2^53', () => {
    expect(compareVersions(parseVersion('1.0.9007199254740993'), parseVersion('1.0.9007199254740992'))).toBe(1);
    expect(compareVersions(parseVersion('1.0.9007199254740991'), parseVersion('1.0.9007199254740992'))).toBe(-1);
  });

  it('ignores metadata', () => {
    expect(compareVersions(parseVersion('1.0.0+a'), parseVersion('1.0.0+b'))).toBe(0);
  });
});

describe('incrementVersion', () => {
  it.each([
    ['v1.2.3', 'v2.0.0', 'v1.3.0', 'v1.2.4'],
    ['1.2.3-rc.1', '2.0.0', '1.3.0', '1.2.3'],
    ['1.2.3+m', '2.0.0', '1.3.0', '1.2.4'],
  ])('increments %s', (text, major, minor, patch) => {
    const version = parseVersion(text);

    const originals = (['major', 'minor', 'patch'] as const).map((rank) => incrementVersion(version, rank).original);

    expect(originals).toEqual([major, minor, patch]);
  });
});

describe('satisfies', () => {
  it.each([
    ['>=1.19-0', '1.20.1-eks-5', true],
    ['>=1.19', '1.20.1-eks-5', false],
    ['>=1.19.0-0 <1.30.0-0', '1.25.0-rc.1', true],
    ['^0.2.3', '0.2.9', true],
    ['^0.2.3', '0.3.0', false],
    ['^0.0.3', '0.0.4', false],
    ['^0', '0.9.1', true],
    ['^1.x', '1.9.9', true],
    ['~1', '1.9.9', true],
    ['~1.2.3', '1.3.0', false],
    ['~>2.0', '2.0.9', true],
    ['1.2', '1.2.7', true],
    ['1.2.x', '1.3.0', false],
    ['!=1.2', '1.2.7', false],
    ['!=1.x', '2.0.0', true],
    ['>11', '11.1.0', false],
    ['>11', '12.0.0', true],
    ['>11.1', '11.1.9', false],
    ['>11.1', '11.2.0', true],
    ['<=11', '11.9.9', true],
    ['=>1.0.0', '1.0.0', true],
    ['=<1.0', '1.0.9', true],
    ['1.0 - 2.0', '2.0.5', true],
    ['1.0 - 2', '3.0.0', false],
    ['<1 || >=2', '2.1.0', true],
    ['>=1, <3, !=2.0.0', '2.0.0', false],
    ['*', '1.0.0-alpha', false],
    ['', '1.0.0', undefined],
  ])('%s on %s', (constraint, version, want) => {
    if (want === undefined) expect(() => parseConstraint(constraint)).toThrow('improper constraint: ""');
    else expect(satisfies(parseVersion(version), parseConstraint(constraint))).toBe(want);
  });

  it('lets prereleases in when asked to', () => {
    expect(satisfies(parseVersion('1.1.0-rc.1'), parseConstraint('^1.0'), { includePrerelease: true })).toBe(true);
  });
});

describe('parseConstraint', () => {
  it.each([
    ['bad', 'improper constraint: "bad"'],
    ['> =1', 'improper constraint: "> =1"'],
    ['==1', 'improper constraint: "==1"'],
    ['1 2 || ', 'improper constraint: " "'],
    ['1.0 -2', 'improper constraint: "1.0 -2"'],
    ['1|2', 'constraint parser error'],
    ['>=1-01', 'constraint parser error'],
    ['>=99999999999999999999', 'constraint parser error'],
    ['1'.repeat(513), 'constraint string is too long (max 512 bytes)'],
    [Array(33).fill('1').join('||'), 'too many constraint groups (max 32)'],
  ])('refuses %s', (text, message) => {
    expect(() => parseConstraint(text)).toThrow(expect.objectContaining({ code: 'InvalidConstraint', message }));
  });

  it('writes ranges as two comparisons', () => {
    expect(formatConstraint(parseConstraint('1.2 - 2.0 || ^3,!=3.1'))).toBe('>=1.2 <=2.0 || ^3 !=3.1');
  });

  it('reads blanks in long runs without backtracking', () => {
    const text = `${'1  '.repeat(150)}!`;

    expect(() => parseConstraint(text)).toThrow('improper constraint');
  });
});

describe('explainMismatch', () => {
  it.each([
    ['>=2.0', '1.9.0', ['"1.9.0" is less than "2.0"']],
    [
      '^0.2.3',
      '0.3.1',
      [
        '"0.3.1" does not have same minor version as "0.2.3". Expected minor versions to match when constraint major version is 0',
      ],
    ],
    [
      '^0.0.3',
      '0.0.9',
      ['"0.0.9" does not equal "0.0.3". Expect version and constraint to equal when major and minor versions are 0'],
    ],
    ['~1.2', '1.3.0', ['"1.3.0" does not have same major and minor version as "1.2"']],
    ['<1 || =3', '2.0.0', ['"2.0.0" is greater than or equal to "1"', '"2.0.0" is less than "3"']],
    [
      '>1 || >2',
      '2.0.0-a',
      ['"2.0.0-a" is a prerelease version and the constraint is only looking for release versions'],
    ],
    ['>1', '2.0.0', []],
  ])('%s on %s', (constraint, version, want) => {
    expect(explainMismatch(parseVersion(version), parseConstraint(constraint))).toEqual(want);
  });

  it('is empty exactly when the constraint is satisfied', () => {
    const part = fc.constantFrom('0', '1', '2', 'x');
    const wanted = fc.tuple(
      fc.constantFrom('', '=', '!=', '<', '>', '<=', '>=', '~', '^'),
      part,
      part,
      part,
      fc.constantFrom('', '-0', '-rc.1'),
    );
    const number = fc.integer({ min: 0, max: 3 });
    const given = fc.tuple(number, number, number, fc.constantFrom('', '-alpha', '-rc.2'));

    fc.assert(
      fc.property(wanted, given, ([operator, a, b, c, pre], [x, y, z, suffix]) => {
        const constraint = parseConstraint(`${operator}${a}.${b}.${c}${pre}`);
        const version = parseVersion(`${x}.${y}.${z}${suffix}`);

        expect(explainMismatch(version, constraint).length === 0).toBe(satisfies(version, constraint));
      }),
    );
  });
});
