import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileGlob, matchPath } from '../../../src/lib/glob.ts';

describe('matchPath', () => {
  it.each([
    ['abc', 'abc', true],
    ['*', 'abc', true],
    ['*c', 'abc', true],
    ['a*', 'ab/c', false],
    ['a*/b', 'a/c/b', false],
    ['a*b*c*d*e*/f', 'axbxcxdxe/f', true],
    ['a*b*c*d*e*/f', 'axbxcxdxexxx/fff', false],
    ['a*b?c*x', 'abxbbxdbxebxczzx', true],
    ['ab[c]', 'abc', true],
    ['ab[b-d]', 'abc', true],
    ['ab[^c]', 'abc', false],
    ['a[^a][^a]c', 'abbc', true],
    ['a\\*b', 'a*b', true],
    ['a\\*b', 'ab', false],
    ['a?b', 'a☺b', true],
    ['a[^a]b', 'a☺b', true],
    ['a???b', 'a☺b', false],
    ['a[😀-😂]b', 'a😁b', true],
    ['[\\]a]', ']', true],
    ['[\\-x]', '-', true],
    ['a?b', 'a/b', false],
    ['*x', 'xxx', true],
    ['templates/.?*', 'templates/.hidden', true],
    ['templates/.?*', 'templates/.', false],
    ['', '', true],
  ])('%s on %s', (pattern, name, want) => {
    expect(matchPath(pattern, name)).toBe(want);
  });

  it.each(['[]a]', '[-]', '[x-]', '[-x]', '[', '[^', '[^bc', 'a[', 'a\\', '[a-b-c]', 'x*y[', 'a*[z'])(
    'refuses %s',
    (pattern) => {
      expect(() => matchPath(pattern, 'a')).toThrow(
        expect.objectContaining({ code: 'BadPattern', message: 'syntax error in pattern' }),
      );
    },
  );

  it('does not backtrack without end', () => {
    expect(matchPath(`${'a*'.repeat(200)}b`, 'a'.repeat(5000))).toBe(false);
  });
});

describe('compileGlob', () => {
  it.each([
    ['config/*.yaml', 'config/a.yaml', true],
    ['config/*.yaml', 'config/x/a.yaml', false],
    ['config/**', 'config/x/a.yaml', true],
    ['**.yaml', 'config/x/a.yaml', true],
    ['**/a.yaml', 'a.yaml', false],
    ['{a,b}.txt', 'b.txt', true],
    ['{a,b/{c,d}}.txt', 'b/d.txt', true],
    ['{a,}x', 'x', true],
    ['?.txt', 'a.txt', true],
    ['?', '/', false],
    ['[ab]x', 'bx', true],
    ['[!ab]x', 'bx', false],
    ['[!a]', '/', true],
    ['[a-c]', 'b', true],
    ['[!a-c]', 'b', false],
    ['\\*', '*', true],
    ['a,b', 'a,b', true],
    ['}', '}', true],
    ['a{b', 'ab', true],
    ['😀?', '😀x', true],
  ])('%s on %s', (pattern, text, want) => {
    expect(compileGlob(pattern, '/')(text)).toBe(want);
  });

  it.each([
    ['[', 'unexpected end of input'],
    ['[a', 'unexpected end of input'],
    ['[]', 'could not parse range'],
    ['[a-zA-Z]', 'expected close range character'],
    ['[z-a]', 'hi character should be greater than lo'],
    ['{'.repeat(300), 'too many nested alternatives'],
  ])('refuses %s', (pattern, message) => {
    expect(() => compileGlob(pattern, '/')).toThrow(message);
  });

  it('matches any text of plain characters against itself', () => {
    fc.assert(fc.property(fc.stringMatching(/^[a-z./ -]*$/), (text) => compileGlob(text, '/')(text)));
  });

  it('takes time in proportion to pattern and text', () => {
    expect(compileGlob(`${'**a'.repeat(50)}b`, '/')('a'.repeat(5000))).toBe(false);
  });
});
