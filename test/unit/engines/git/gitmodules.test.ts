import { describe, expect, it } from 'vitest';
import { parseGitmodules, resolveSubmoduleUrl } from '../../../../src/engines/git/gitmodules.ts';

describe('parseGitmodules', () => {
  it('reads paths and URLs, quoted or not, with comments', () => {
    const text = `
# modules
[submodule "a b"]
\tpath = libs/a   ; here
\turl = "https://example.com/a # not a comment.git"
[core]
\tpath = nowhere
[submodule "half"]
\tpath = half
[submodule "c"]
  URL = ../c.git
  Path = c
`;

    expect(parseGitmodules(text)).toEqual([
      { name: 'a b', path: 'libs/a', url: 'https://example.com/a # not a comment.git' },
      { name: 'c', path: 'c', url: '../c.git' },
    ]);
  });
});

describe('resolveSubmoduleUrl', () => {
  it.each([
    ['https://h/org/app.git', '../lib.git', 'https://h/org/lib.git'],
    ['https://h/org/app.git', '../../other/lib', 'https://h/other/lib'],
    ['https://h/org/app.git/', './sub', 'https://h/org/app.git/sub'],
    ['ssh://git@h:2222/org/app', '../lib', 'ssh://git@h:2222/org/lib'],
    ['https://h/a', 'http://x/y', 'http://x/y'],
    ['https://h/a', 'git@github.com:org/lib.git', 'ssh://git@github.com/org/lib.git'],
    ['https://h/a', 'github.com:org/lib.git', 'ssh://github.com/org/lib.git'],
  ])('from %s, %s is %s', (parent, url, want) => {
    expect(resolveSubmoduleUrl(parent, url)).toBe(want);
  });

  it.each([
    'ext::sh -c id',
    'file:///etc',
    '/etc/passwd',
    '-u./payload',
    'git://h/x',
    '../../../../x',
    'fd::17',
    '',
    'C:\\x',
  ])('refuses %j', (url) => {
    expect(() => resolveSubmoduleUrl('https://h/org/app.git', url)).toThrow();
  });
});
