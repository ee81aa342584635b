import { describe, expect, it } from 'vitest';
import {
  compareVersions,
  formatVersion,
  incrementVersion,
  parseStrictVersion,
  parseVersion,
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
