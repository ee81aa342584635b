import { describe, expect, it } from 'vitest';
import { matchesLabels, parseLabelSelector } from '../../../src/objects/selector.ts';

const labels = new Map([
  ['app', 'web'],
  ['tier', ''],
  ['size', '5'],
]);

describe('label selectors', () => {
  it.each([
    ['', true],
    ['app', true],
    ['!app', false],
    ['none', false],
    ['!none', true],
    ['app=web', true],
    ['app==web', true],
    ['app!=web', false],
    ['none!=x', true],
    ['app in (web, db)', true],
    ['app notin (web)', false],
    ['tier in (,x)', true],
    ['tier=', true],
    ['tier in ()', true],
    ['size>4,size<6', true],
    ['size>5', false],
    ['app>1', false],
    [' app = web , !none ', true],
  ])('%s: %s', (text, want) => {
    expect(matchesLabels(parseLabelSelector(text), labels)).toBe(want);
  });

  it.each([
    ['a in (b', "unable to parse requirement: found '', expected: ',' or ')'"],
    ['a in b', "unable to parse requirement: found 'b' expected: '('"],
    ['a b', "unable to parse requirement: found 'b', expected: '=', '!=', '==', 'in', notin'"],
    ['a,', "found '', expected: identifier after ','"],
    [',a', "found ',', expected: !, identifier, or 'end of string'"],
    ['a=b c', "found 'c', expected: ',' or 'end of string'"],
    ['a>x', "unable to parse requirement: for 'Gt', 'Lt' operators, the value must be an integer"],
  ])('refuses %s', (text, message) => {
    expect(() => parseLabelSelector(text)).toThrow(message);
  });
});
