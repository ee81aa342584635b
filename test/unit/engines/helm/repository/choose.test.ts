import { describe, expect, it } from 'vitest';
import { checkChartName, chooseTag, chooseVersion } from '../../../../../src/engines/helm/repository/choose.ts';

const versions = ['3.0.0-rc.1', '2.1.0', '2.0.0', '1.0.0+b', '1.0.0+a', '1.0', 'text'].map((version, index) => ({
  name: 'app',
  version,
  urls: [`app-${index}.tgz`],
  created: `2024-01-0${index + 1}T00:00:00Z`,
}));

describe('chooseVersion', () => {
  it.each([
    ['', '2.1.0'],
    ['*', '2.1.0'],
    ['2.0.0', '2.0.0'],
    ['~2.0', '2.0.0'],
    ['>=2.0.0-0', '3.0.0-rc.1'],
    ['text', 'text'],
    // Equal versions: the one that was made last.
    ['^1.0.0', '1.0.0+a'],
    ['1.0.0+b', '1.0.0+b'],
  ])('%j is %s', (wanted, version) => {
    expect(chooseVersion('app', versions, wanted).version).toBe(version);
  });

  it.each([
    [versions, '>9', "no 'app' chart with version matching '>9' found"],
    [versions, 'no range', 'improper constraint: "no range"'],
    [[], '*', 'no chart version found'],
    [null, '*', 'no chart version found'],
    [['text', null], '*', 'no chart version found'],
  ])('refuses %#', (list, wanted, message) => {
    expect(() => chooseVersion('app', list as never, wanted)).toThrow(
      expect.objectContaining({ code: 'ChartUnknown', message }),
    );
  });
});

describe('chooseTag', () => {
  it('reads _ in a tag as +, and chooses by the same rules', () => {
    const tags = ['1.0.0', '1.1.0_build', 'latest', '2.0.0-rc.1', '1.2'];

    expect([chooseTag(tags, '*'), chooseTag(tags, '1.0.0'), chooseTag(tags, '>=2-0')]).toEqual([
      '1.1.0+build',
      '1.0.0',
      '2.0.0-rc.1',
    ]);
    expect(() => chooseTag(tags, '>=3')).toThrow('could not locate a version matching provided version string >=3');
  });
});

describe('checkChartName', () => {
  it.each(['app', 'my-app2', 'org/app', 'a.b', 'a/.b', 'a.'])('takes %s', (name) => {
    expect(() => checkChartName(name)).not.toThrow();
  });

  it.each(['', '../app', '.', '..', 'App', 'a//b', 'a..b', 'a b', 'a\nb', '/a', `${'a'.repeat(100_000)}!`])(
    'refuses %j',
    (name) => {
      expect(() => checkChartName(name)).toThrow(name === '' ? 'no name set' : 'invalid chart name');
    },
  );
});
