import { describe, expect, it } from 'vitest';
import { isIgnored, parseIgnore, withDefaultIgnores } from '../../../src/lib/ignore.ts';

function ignored(patterns: string, path: string, isDir = false, domain: readonly string[] = []): boolean {
  return isIgnored(parseIgnore(patterns, domain), path, isDir);
}

describe('isIgnored', () => {
  it.each([
    // patterns, path, folder, ignored
    ['a.txt', 'a.txt', false, true],
    ['a.txt', 'x/a.txt', false, true],
    ['a.txt', 'a.txt/b', false, true],
    ['/a.txt', 'a.txt', false, true],
    ['/a.txt', 'x/a.txt', false, false],
    ['x/a.txt', 'x/a.txt', false, true],
    ['x/a.txt', 'y/x/a.txt', false, false],
    ['*.yaml', 'deep/er/c.yaml', false, true],
    ['*.yaml', 'c.yml', false, false],
    ['c?.yaml', 'c1.yaml', false, true],
    ['c[0-9].yaml', 'cx.yaml', false, false],
    ['build/', 'build', true, true],
    ['build/', 'build', false, false],
    ['build/', 'build/x', false, true],
    ['build/', 'x/build/y/z', false, true],
    ['/build/', 'x/build/y', false, false],
    ['**/build', 'x/y/build', false, true],
    ['**/build', 'build', false, true],
    ['x/**', 'x/y/z', false, true],
    ['x/**/z', 'x/a/b/z', false, true],
    ['x/**/z', 'x/z', false, true],
    ['x/**/z', 'x/a/b/c', false, false],
    ['x/a**b/z', 'x/ab/z', false, false],
    ['a**b', 'a12b', false, true],
    ['x/*', 'x/y', false, true],
    ['x/*', 'x/y/z', false, true],
    ['a ', 'a', false, true],
    ['a\\ ', 'a ', false, true],
    ['[', '[', false, false],
    ['', 'a', false, false],
    ['# a', '# a', false, false],
    ['/', 'a', true, false],
  ])('%j says of %j (folder: %s): %s', (patterns, path, isDir, want) => {
    expect(ignored(patterns, path, isDir)).toBe(want);
  });

  it('lets the last pattern decide', () => {
    const patterns = '*.yaml\n!keep.yaml\nlast/*\n';

    expect(ignored(patterns, 'x.yaml')).toBe(true);
    expect(ignored(patterns, 'keep.yaml')).toBe(false);
    expect(ignored(patterns, 'last/keep.yaml')).toBe(true);
  });

  it('brings a file back out of an ignored folder, unlike Git', () => {
    expect(ignored('secret/\n!secret/public.txt', 'secret/public.txt')).toBe(false);
    expect(ignored('secret/\n!secret/public.txt', 'secret/other.txt')).toBe(true);
  });

  it('keeps patterns to their folder', () => {
    expect(ignored('*.md', 'docs/a.md', false, ['docs'])).toBe(true);
    expect(ignored('*.md', 'a.md', false, ['docs'])).toBe(false);
    expect(ignored('/a.md', 'docs/x/a.md', false, ['docs'])).toBe(false);
  });

  it('reads lines with carriage returns, and stops at a line that Go could not read', () => {
    expect(ignored('a\r\nb\r\n', 'b')).toBe(true);
    expect(ignored(`${'x'.repeat(70_000)}\nb`, 'b')).toBe(false);
  });
});

describe('withDefaultIgnores', () => {
  it.each([
    '.git/config',
    '.gitignore',
    'x/.gitmodules',
    'logo.png',
    '.github/workflows/x.yaml',
    'a/.sops.yaml',
    'x.tar.gz',
  ])('leaves %s out', (path) => {
    expect(isIgnored(withDefaultIgnores([]), path, false)).toBe(true);
  });

  it('gives up the defaults, but not those about Git, once there is a pattern', () => {
    const patterns = withDefaultIgnores(parseIgnore('nothing-like-this'));

    expect(isIgnored(patterns, 'logo.png', false)).toBe(false);
    expect(isIgnored(patterns, '.gitignore', false)).toBe(true);
  });
});
