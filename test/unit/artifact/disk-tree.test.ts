import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createDiskTree } from '../../../src/artifact/disk-tree.ts';

describe('createDiskTree', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'disk-tree-'));
    mkdirSync(join(folder, 'dir'));
    writeFileSync(join(folder, 'dir/b'), 'text');
    writeFileSync(join(folder, 'dir/a'), '#!');
    chmodSync(join(folder, 'dir/a'), 0o755);
    symlinkSync('dir/b', join(folder, 'link'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('reports what stands there, links as links', () => {
    const tree = createDiskTree(folder);

    expect(tree.stat('dir')).toEqual({ name: 'dir', kind: 'dir', executable: false });
    expect(tree.stat('dir/a')).toEqual({ name: 'a', kind: 'file', executable: true });
    expect(tree.stat('link')).toEqual({ name: 'link', kind: 'symlink', executable: false });
    expect(tree.readLink('link')).toBe('dir/b');
    expect(tree.list('dir')?.map(({ name }) => name)).toEqual(['a', 'b']);
    expect(tree.list('')?.map(({ name }) => name)).toEqual(['dir', 'link']);
    expect(Buffer.from(tree.read('dir/b')!).toString()).toBe('text');
  });

  it('takes everything else for absent', () => {
    const tree = createDiskTree(folder);

    expect([tree.stat('none'), tree.read('none'), tree.list('none'), tree.readLink('none')]).toEqual(
      Array(4).fill(undefined),
    );
    expect([tree.read('dir'), tree.read('link'), tree.list('link'), tree.readLink('dir')]).toEqual(
      Array(4).fill(undefined),
    );
    expect([tree.stat('dir/b/c'), tree.stat('a\0b')]).toEqual([undefined, undefined]);
  });

  it('stays with what it has read', () => {
    const tree = createDiskTree(folder);
    tree.read('dir/b');
    writeFileSync(join(folder, 'dir/b'), 'changed');

    expect(Buffer.from(tree.read('dir/b')!).toString()).toBe('text');
  });
});
