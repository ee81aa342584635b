import { describe, expect, it } from 'vitest';
import { chooseSemverTag } from '../../../../src/controllers/ocirepository/tags.ts';

const tags = ['latest', '1.0.0', 'v1.2.0', '1.10.0', '2.0.0-rc.1', '1.11', '1.3.0_build', '1.2.0-debug', '1.3.0-debug'];

describe('chooseSemverTag', () => {
  it.each([
    [{ range: '*' }, '1.10.0'],
    [{ range: '>=2.0.0-0' }, '2.0.0-rc.1'],
    [{ range: '~1.2' }, 'v1.2.0'],
    [{ range: '>=1.0.0-0', filter: '-debug$' }, '1.3.0-debug'],
    [{ range: '1.3.0', mediaType: 'application/vnd.cncf.helm.chart.content.v1.tar+gzip' }, '1.3.0_build'],
  ])('%o is %s', (choice, tag) => {
    expect(chooseSemverTag(tags, choice)).toBe(tag);
  });

  it.each([
    [{ range: '>=3' }, 'no match found for semver: >=3'],
    [{ range: '1.3.0' }, 'no match found for semver: 1.3.0'],
    [{ range: 'what' }, 'improper constraint'],
    [{ range: '*', filter: '(?=a)' }, 'invalid or unsupported Perl syntax'],
  ])('%o fails', (choice, message) => {
    expect(() => chooseSemverTag(tags, choice)).toThrow(message);
  });

  it('takes linear time for a filter that would explode elsewhere', () => {
    const long = ['a'.repeat(128)];

    expect(() => chooseSemverTag(long, { range: '*', filter: '^(a+)+$x' })).toThrow('no match found');
  });
});
