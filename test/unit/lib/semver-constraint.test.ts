import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseVersion } from '../../../src/lib/semver.ts';
import { explainMismatch, formatConstraint, parseConstraint, satisfies } from '../../../src/lib/semver-constraint.ts';

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
