import { describe, expect, it } from 'vitest';
import { matchesLabels, parseLabelSelector } from '../../../src/objects/selector.ts';

const labels = new Map([
  ['app', 'web'],
  ['tier', 'front'],
  ['n', '5'],
]);

describe('parseLabelSelector', () => {
  it.each([
    ['', true],
    ['app=web', true],
    ['app==web,tier!=back', true],
    ['app in (web, api),tier notin (back)', true],
    ['app,!gone', true],
    ['gone', false],
    ['!app', false],
    ['gone!=x,gone notin (x)', true],
    ['n>4,n<6', true],
    ['n>5', false],
    ['app in ()', false],
  ])('%s', (text, matches) => {
    expect(matchesLabels(parseLabelSelector(text), labels)).toBe(matches);
  });

  it.each([
    ['app=web tier=x', "found 'tier', expected: ',' or 'end of string'"],
    ['app in web', "unable to parse requirement: found 'web' expected: '('"],
    ['n>x', "unable to parse requirement: for 'Gt', 'Lt' operators, the value must be an integer"],
    ['a/b/c', 'unable to parse requirement: invalid label key "a/b/c": a qualified name must'],
  ])('%s is refused', (text, message) => {
    expect(() => parseLabelSelector(text)).toThrow(message);
  });
});
