import { describe, expect, it } from 'vitest';
import { isRemoteFile, parseRepoUrl } from '../../../../../src/engines/kustomize/internal/repo-url.ts';

describe('parseRepoUrl', () => {
  it.each([
    ['https://github.com/org/repo', 'https://github.com/org/repo', '', ''],
    ['github.com/org/repo/path/in?ref=v1', 'https://github.com/org/repo', 'path/in', 'v1'],
    ['git@github.com:org/repo.git//base', 'git@github.com:org/repo.git', 'base', ''],
    ['ssh://git@github.com/org/repo?version=main', 'git@github.com:org/repo', '', 'main'],
    ['https://host.io/a/b/c.git/sub?ref=x&version=y', 'https://host.io/a/b/c.git', 'sub', 'x'],
    ['https://dev.azure.com/o/p/_git/repo/sub', 'https://dev.azure.com/o/p/_git/repo', 'sub', ''],
    ['file:///srv/repo', 'file:///srv/repo', '', ''],
    ['file:///srv/repo//sub', 'file:///srv/repo', 'sub', ''],
    ['git::https://host/o/r', 'https://host/o/r', '', ''],
    ['user@host:path/repo/sub', 'user@host:path/repo', 'sub', ''],
  ])('%s', (raw, cloneUrl, path, ref) => {
    expect(parseRepoUrl(raw)).toMatchObject({ cloneUrl, path, ref });
  });

  it.each([
    'base',
    '../base',
    '/abs/path',
    'file.yaml',
    'https://host',
    'https://host/only',
    'https://host/o/r//../..',
    'host.io/o/r',
  ])('takes %s for a path', (raw) => {
    expect(parseRepoUrl(raw)).toBeUndefined();
  });

  it.each([
    ['timeout=10', 10_000],
    ['timeout=1m30s', 90_000],
    ['timeout=-5', 27_000],
    ['timeout=soon', 27_000],
    ['', 27_000],
  ])('reads the query %s', (query, timeoutMs) => {
    expect(parseRepoUrl(`https://host/o/r?${query}`)?.timeoutMs).toBe(timeoutMs);
  });

  it.each([
    ['submodules=false', false],
    ['submodules=0', false],
    ['submodules=odd', true],
    ['', true],
  ])('reads the query %s', (query, submodules) => {
    expect(parseRepoUrl(`https://host/o/r?${query}`)?.submodules).toBe(submodules);
  });
});

describe('isRemoteFile', () => {
  it.each([
    ['https://host/x', true],
    ['HTTP://host', true],
    ['ftp://host', false],
    ['a\nb: https://x', false],
    ['http', false],
  ])('%j: %s', (path, remote) => {
    expect(isRemoteFile(path)).toBe(remote);
  });
});
