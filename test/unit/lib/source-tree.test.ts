import { describe, expect, it } from 'vitest';
import type { FileTree } from '../../../src/lib/filetree.ts';
import { createMemoryTree } from '../../../src/lib/memory-tree.ts';
import {
  ignoreFoldersOf,
  ignorePatternsOf,
  sourceEntries,
  sourceTree,
  sparseTree,
} from '../../../src/lib/source-tree.ts';

const tree = createMemoryTree({
  '.sourceignore': '*.md\n',
  'a.md': '',
  'apps/.sourceignore': '/skip/\n!skip/back.yaml\n',
  'apps/skip/back.yaml': 'b',
  'apps/skip/gone.yaml': 'g',
  'apps/web.yaml': 'w',
  'bin/run': { content: '#!', executable: true },
  'bin/link': { link: 'run' },
  'docs/only.md': '',
});

function walk(of: FileTree, path = ''): string[] {
  return (of.list(path) ?? []).flatMap((entry) => {
    const whole = path === '' ? entry.name : `${path}/${entry.name}`;
    return entry.kind === 'dir' ? [`${whole}/`, ...walk(of, whole)] : [whole];
  });
}

describe('ignoreFoldersOf', () => {
  it('finds the ignore files, so that who knows them looks into no other folder', () => {
    const listed: string[] = [];
    const counting: FileTree = {
      ...tree,
      list(path) {
        listed.push(path);
        return tree.list(path);
      },
    };

    const folders = ignoreFoldersOf(tree);
    sourceTree(counting, ignorePatternsOf(counting, folders)).read('apps/web.yaml');

    expect(folders).toEqual(['', 'apps']);
    expect(listed).toEqual([]);
  });
});

describe('sourceEntries', () => {
  it('lists what goes into the archive, in its order', () => {
    const patterns = ignorePatternsOf(tree, ignoreFoldersOf(tree), 'web.yaml');

    expect(
      [...sourceEntries(tree, patterns)].map(({ path, kind, executable }) => `${kind} ${path}${executable ? '*' : ''}`),
    ).toEqual([
      'file .sourceignore',
      'dir apps',
      'file apps/.sourceignore',
      'file apps/skip/back.yaml',
      'dir bin',
      'file bin/run*',
      'dir docs',
    ]);
  });
});

describe('sourceTree', () => {
  it('shows what somebody sees who unpacked the archive', () => {
    const seen = sourceTree(tree, ignorePatternsOf(tree, ignoreFoldersOf(tree)));

    expect(walk(seen)).toEqual([
      '.sourceignore',
      'apps/',
      'apps/.sourceignore',
      'apps/skip/',
      'apps/skip/back.yaml',
      'apps/web.yaml',
      'bin/',
      'bin/run',
      'docs/',
    ]);
    expect([seen.read('a.md'), seen.read('apps/skip/gone.yaml'), seen.readLink('bin/link')]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    expect(Buffer.from(seen.read('apps/web.yaml') ?? '').toString()).toBe('w');
  });
});

describe('a tree made to exhaust us', () => {
  /** Every folder holds ten folders: billions of paths out of one. */
  const endless: FileTree = {
    stat: (path) => ({ name: path, kind: 'dir', executable: false }),
    read: () => undefined,
    readLink: () => undefined,
    list: () => Array.from({ length: 10 }, (_, index) => ({ name: `d${index}`, kind: 'dir', executable: false })),
  };

  it('is refused for its depth, and for its size', () => {
    expect(() => ignoreFoldersOf(endless, { maxDepth: 20 })).toThrow(
      expect.objectContaining({ code: 'SourceTooDeep', data: { limit: 20 } }),
    );
    expect(() => ignoreFoldersOf(endless, { maxDepth: 1000, maxEntries: 5000 })).toThrow(
      expect.objectContaining({ code: 'SourceTooLarge', data: { limit: 5000 } }),
    );
  });
});

describe('sparseTree', () => {
  it('keeps what begins with an entry, as plain text', () => {
    const wide = createMemoryTree({ 'app/a': '', 'app2/b': '', 'deep/app/c': '', 'deep/other/d': '', root: '' });

    expect(walk(sparseTree(wide, ['./app', 'deep/app']))).toEqual([
      'app/',
      'app/a',
      'app2/',
      'app2/b',
      'deep/',
      'deep/app/',
      'deep/app/c',
    ]);
    expect(walk(sparseTree(wide, ['root']))).toEqual(['root']);
  });

  it('keeps everything when nothing is named', () => {
    expect(sparseTree(tree, [])).toBe(tree);
  });
});
