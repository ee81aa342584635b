import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { FileTree } from '../../../src/lib/filetree.ts';
import { createMemoryTree } from '../../../src/lib/memory-tree.ts';
import { recordReads, wouldReadTheSame } from '../../../src/lib/recording-tree.ts';
import { runSteps } from '../../../src/lib/steps.ts';

const files = { 'app/kustomization.yaml': 'resources: [a.yaml]', 'app/a.yaml': 'a', 'other.yaml': 'o' };

/** What a build of `app` reads. */
function recordOf(tree: FileTree) {
  const recorded = recordReads(tree);
  recorded.tree.list('app');
  recorded.tree.read('app/kustomization.yaml');
  recorded.tree.read('app/a.yaml');
  recorded.tree.read('app/absent.yaml');
  return recorded.record;
}

/** A tree that knows the names of its blobs, as one of Git objects does, and fails when a file is read. */
function namedTree(of: Readonly<Record<string, string>>): FileTree {
  const tree = createMemoryTree(of);
  return {
    ...tree,
    read: (path) => {
      if (tree.read(path) === undefined) return undefined;
      throw new Error(`${path} was read`);
    },
    blobId: (path) => {
      const bytes = tree.read(path);
      if (bytes === undefined) return undefined;
      return createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex');
    },
  };
}

describe('what a build has read', () => {
  it.each([
    ['the same files', {}, true],
    ['another file changed that was not read', { 'other.yaml': 'changed' }, true],
    ['a file changed', { 'app/a.yaml': 'b' }, false],
    ['a file appeared in a folder that was listed', { 'app/b.yaml': 'b' }, false],
    ['a file appeared that was asked for', { 'app/absent.yaml': '' }, false],
  ])('is compared with a later tree: %s', (_name, changes, same) => {
    const record = recordOf(createMemoryTree(files));
    const later = { ...files, ...changes };

    expect(runSteps(wouldReadTheSame(record, createMemoryTree(later)))).toBe(same);
    expect(runSteps(wouldReadTheSame(record, namedTree(later)))).toBe(same);
  });
});
