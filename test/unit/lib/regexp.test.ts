import { describe, expect, it } from 'vitest';
import { compileRegexp, quoteMeta, RegexpError } from '../../../src/lib/regexp.ts';

describe('compileRegexp', () => {
  it.each([
    ['[', 'missing closing ]: `[`'],
    ['(', 'missing closing ): `(`'],
    ['a)', 'unexpected ): `a)`'],
    ['a**', 'invalid nested repetition operator: `**`'],
    ['a{1001}', 'invalid repeat count: `{1001}`'],
    ['\\1', 'invalid escape sequence: `\\1`'],
    ['(?=a)', 'invalid or unsupported Perl syntax: `(?=`'],
    ['(?<!a)', 'invalid named capture: `(?<!a)`'],
    ['[b-a]', 'invalid character class range: `b-a`'],
    ['\\', 'trailing backslash at end of expression: ``'],
    ['\udcff', 'invalid UTF-8: `\udcff`'],
  ])('refuses %s in the words of Go', (pattern, detail) => {
    const compile = () => compileRegexp(pattern);

    expect(compile).toThrow(RegexpError);
    expect(compile).toThrow(`error parsing regexp: ${detail}`);
  });

  it('refuses patterns that compile to too much', () => {
    expect(() => compileRegexp('(a{1000})'.repeat(60))).toThrow('error parsing regexp: expression too large');
    expect(() => compileRegexp('a'.repeat(70_000))).toThrow('error parsing regexp: expression too large');
  });

  it('keeps a name that is used twice, and takes the group that took part', () => {
    const regexp = compileRegexp('(?P<n>b)|[(](?<n>a)(x)');

    expect(regexp.groupNames).toEqual(['', 'n', 'n', '']);
    expect(regexp.replaceAll('b (ax', '<$n$3>')).toBe('<b> <ax>');
  });
});

describe('Regexp', () => {
  it('matches leftmost-first, or leftmost-longest when asked', () => {
    expect(compileRegexp('a|ab').find('xab')).toBe('a');
    expect(compileRegexp('a|ab', { longest: true }).find('xab')).toBe('ab');
    expect(compileRegexp('ABC', { ignoreCase: true }).find('xabc')).toBe('abc');
  });

  it('finds all matches without an empty one right behind another', () => {
    expect(compileRegexp('a*').findAll('baaac')).toEqual(['', 'aaa', '']);
    expect(compileRegexp('').findAll('a😀')).toEqual(['', '', '']);
    expect(compileRegexp('a').findAll('aaaa', 2)).toEqual(['a', 'a']);
  });

  it('gives groups, undefined where one took no part', () => {
    expect(compileRegexp('(a)(b)?').findSubmatch('ac')).toEqual(['a', 'a', undefined]);
    expect(compileRegexp('(a)(b)?').findSubmatchIndex('xab')).toEqual([1, 3, 1, 2, 2, 3]);
    expect(compileRegexp('z').findSubmatch('a')).toBeUndefined();
  });

  it.each([
    ['$1', '[b]'],
    ['${1}x', '[bx]'],
    ['$1x', '[]'],
    ['$$', '[$]'],
    ['${name}', '[b]'],
    ['$9', '[]'],
    ['${1', '[${1]'],
  ])('expands %s', (template, expected) => {
    expect(compileRegexp('a(?P<name>b)c').replaceAll('[abc]', template)).toBe(expected);
  });

  it('replaces empty matches as Go does, and literal text as it is', () => {
    expect(compileRegexp('').replaceAll('abc', '-')).toBe('-a-b-c-');
    expect(compileRegexp('b').replaceAllLiteral('abc', '$0')).toBe('a$0c');
    expect(compileRegexp('(b)').replaceAllFunc('abc', ([match]) => `<${match}>`)).toBe('a<b>c');
  });

  it('splits with a limit', () => {
    expect(compileRegexp(',').split('a,b,,c')).toEqual(['a', 'b', '', 'c']);
    expect(compileRegexp(',').split('a,b,c', 2)).toEqual(['a', 'b,c']);
    expect(compileRegexp(',').split('a,b', 0)).toEqual([]);
    expect(compileRegexp('').split('ab')).toEqual(['a', 'b']);
  });

  it('takes exponential patterns in its stride', () => {
    expect(compileRegexp('(a*)*b').test('a'.repeat(100_000))).toBe(false);
    expect(compileRegexp('(x+x+)+y').findAll('x'.repeat(50_000))).toEqual([]);
  });

  it('stops a search whose cost is quadratic', () => {
    const search = () => compileRegexp('a.*b|a').findAll('a'.repeat(50_000));

    expect(search).toThrow(RegexpError);
    expect(search).toThrow('is too expensive');
  });
});

it('quoteMeta makes any text match itself', () => {
  const text = 'a.b*c+(d)[e]{f}^$|\\-/é';

  expect(quoteMeta('a.b')).toBe('a\\.b');
  expect(compileRegexp(`^${quoteMeta(text)}$`).test(text)).toBe(true);
});
