import { describe, expect, it } from 'vitest';
import { GitError } from '../../../../src/engines/git/errors.ts';
import { formatTree, type GitTreeEntry, parseTree } from '../../../../src/engines/git/tree.ts';

const oid = '0123456789abcdef0123456789abcdef01234567';

function entry(name: string, kind: GitTreeEntry['kind'] = 'file'): GitTreeEntry {
  return { name, kind, oid };
}

function raw(mode: string, name: string): Buffer {
  return Buffer.concat([Buffer.from(`${mode} ${name}\0`), Buffer.from(oid, 'hex')]);
}

function codeOf(bytes: Buffer): string {
  try {
    parseTree(bytes, 'sha1');
  } catch (error) {
    if (error instanceof GitError) return error.code;
    throw error;
  }
  return 'none';
}

describe('parseTree', () => {
  it('reads back what was written, in Git order', () => {
    const entries = [
      entry('a', 'tree'),
      entry('a.b'),
      entry('link', 'link'),
      entry('run', 'executable'),
      entry('sub', 'commit'),
    ];

    const parsed = parseTree(formatTree(entries), 'sha1');

    expect(parsed.map((found) => found.name)).toEqual(['a.b', 'a', 'link', 'run', 'sub']);
    expect(new Set(parsed)).toEqual(new Set(entries));
  });

  it.each(['', '.', '..', '.git', '.GIT', '.Git', 'git~1', 'a/b'])('refuses the name %j', (name) => {
    expect(codeOf(raw('100644', name))).toBe('GitUnsafeTree');
  });

  it('refuses doubled names, also of a file and a folder', () => {
    expect(codeOf(Buffer.concat([raw('100644', 'a'), raw('40000', 'a')]))).toBe('GitUnsafeTree');
  });

  it('lets names that differ by case stand beside each other', () => {
    expect(codeOf(Buffer.concat([raw('100644', 'A'), raw('100644', 'a')]))).toBe('none');
  });

  it.each(['100600', '100664', '100640'])('takes the old file mode %s as a file', (mode) => {
    expect(parseTree(raw(mode, 'a'), 'sha1')[0]?.kind).toBe('file');
  });

  it.each([
    ['cut short', raw('100644', 'a').subarray(0, 15)],
    ['without a name end', Buffer.from('100644 a')],
    ['of an unknown mode', raw('60000', 'dev')],
  ])('refuses a tree %s', (_name, bytes) => {
    expect(codeOf(bytes)).toBe('GitCorruptObject');
  });
});
