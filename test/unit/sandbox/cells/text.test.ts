import { describe, expect, it } from 'vitest';
import {
  formatLabels,
  formatSelector,
  humanDuration,
  selectorText,
  shortList,
  since,
} from '../../../../src/sandbox/cells/text.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

describe('humanDuration', () => {
  it.each([
    [-2 * SECOND, '<invalid>'],
    [-1 * SECOND, '0s'],
    [0, '0s'],
    [119_999, '119s'],
    [2 * MINUTE, '2m'],
    [2 * MINUTE + 5 * SECOND, '2m5s'],
    [10 * MINUTE - 1, '9m59s'],
    [10 * MINUTE + 5 * SECOND, '10m'],
    [3 * HOUR - 1, '179m'],
    [3 * HOUR, '3h'],
    [7 * HOUR + 59 * MINUTE, '7h59m'],
    [8 * HOUR, '8h'],
    [47 * HOUR, '47h'],
    [48 * HOUR, '2d'],
    [7 * DAY + 5 * HOUR, '7d5h'],
    [8 * DAY + 5 * HOUR, '8d'],
    [729 * DAY, '729d'],
    [2 * 365 * DAY, '2y'],
    [3 * 365 * DAY + 10 * DAY, '3y10d'],
    [8 * 365 * DAY + 10 * DAY, '8y'],
  ])('%i ms is %s', (ms, want) => {
    expect(humanDuration(ms)).toBe(want);
  });
});

it('does not know how long ago nothing was', () => {
  expect([since(undefined, 0), since(null, 0), since('nonsense', 0)]).toEqual(['<unknown>', '<unknown>', '<unknown>']);
});

describe('selectorText', () => {
  it('sorts requirements by key, and values', () => {
    const selector = {
      matchLabels: { b: 'x', a: 'y' },
      matchExpressions: [
        { key: 'c', operator: 'In', values: ['z', 'y'] },
        { key: 'd', operator: 'DoesNotExist' },
        { key: 'aa', operator: 'NotIn', values: ['q'] },
        { key: 'e', operator: 'Exists' },
      ],
    };

    expect(selectorText(selector)).toBe('a=y,aa notin (q),b=x,c in (y,z),!d,e');
  });

  it('is empty for everything, which some tables show as <none>', () => {
    expect([selectorText({}), formatSelector({}), formatSelector(undefined)]).toEqual(['', '<none>', '<none>']);
  });
});

it('formats labels by key', () => {
  expect([formatLabels({ z: '1', a: '2' }), formatLabels({}), formatLabels(undefined)]).toEqual([
    'a=2,z=1',
    '<none>',
    '<none>',
  ]);
});

it.each([
  [[], '<none>'],
  [['a', 'b', 'c'], 'a,b,c'],
  [['a', 'b', 'c', 'd', 'e'], 'a,b,c + 2 more...'],
])('shortens %j', (list, want) => {
  expect(shortList(list, 3, '<none>')).toBe(want);
});
