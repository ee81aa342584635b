import { describe, expect, it } from 'vitest';
import { defaultApiVersions, defaultKubeVersion, parseKubeVersion } from '../../../../src/engines/helm/capabilities.ts';

describe('parseKubeVersion', () => {
  it.each([
    ['1.22', 'v1.22', '22'],
    ['v1.36.3', 'v1.36.3', '36'],
    ['1.33.4-gke.1245000', 'v1.33.4', '33'],
    ['1.21+', 'v1.21', '21'],
    ['1.2.3.4', 'v1.2.3.4', '2'],
    ['1.018', 'v1.18', '18'],
  ])('reads %s', (text, version, minor) => {
    expect(parseKubeVersion(text)).toEqual({ version, normalized: version, major: '1', minor });
  });

  it('keeps the vendor suffix for display with Helm 4', () => {
    expect(parseKubeVersion('1.33.4-gke.1', 'helm4')).toMatchObject({
      version: 'v1.33.4-gke.1',
      normalized: 'v1.33.4',
    });
  });

  it.each([
    ['bogus', 'could not parse "bogus" as version'],
    ['', 'could not parse "" as version'],
    ['1', 'illegal version string "1"'],
    ['01.2', 'illegal zero-prefixed version component "01" in "01.2"'],
    [
      '1.99999999999999999999',
      'illegal non-numeric version component "99999999999999999999" in "1.99999999999999999999": strconv.ParseUint: parsing "99999999999999999999": value out of range',
    ],
  ])('refuses %s', (text, message) => {
    expect(() => parseKubeVersion(text)).toThrow(expect.objectContaining({ code: 'KubeVersionInvalid', message }));
  });
});

describe('offline defaults', () => {
  it('are those of each Helm', () => {
    expect([defaultKubeVersion('helm3').version, defaultKubeVersion('helm4').version]).toEqual(['v1.37.0', 'v1.36.0']);
    expect(defaultApiVersions('helm3')).toHaveLength(57);
    expect(defaultApiVersions('helm4').filter((each) => !defaultApiVersions('helm3').includes(each))).toEqual([
      'scheduling.k8s.io/v1alpha2',
    ]);
  });
});
