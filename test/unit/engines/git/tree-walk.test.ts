import { describe, expect, it } from 'vitest';
import type { ObjectReader } from '../../../../src/engines/git/object-tree.ts';
import { type GitObject, hashObject } from '../../../../src/engines/git/oid.ts';
import { formatTree, type GitTreeEntry } from '../../../../src/engines/git/tree.ts';
import { blobSteps, submoduleSteps } from '../../../../src/engines/git/tree-walk.ts';
import { runSteps } from '../../../../src/lib/steps.ts';

const file = (text: string) => hashObject('blob', Buffer.from(text), 'sha1');
const commit = 'c'.repeat(40);

/** Trees by content, and how often each was read. */
function createTrees(): ObjectReader & { add(entries: readonly GitTreeEntry[]): string; readonly reads: string[] } {
  const objects = new Map<string, GitObject>();
  const reads: string[] = [];
  return {
    format: 'sha1',
    reads,
    add(entries) {
      const object: GitObject = { type: 'tree', data: formatTree(entries) };
      const oid = hashObject('tree', object.data, 'sha1');
      objects.set(oid, object);
      return oid;
    },
    read(oid) {
      reads.push(oid);
      return objects.get(oid);
    },
  };
}

describe('submoduleSteps', () => {
  it('finds links wherever they stand, in order', () => {
    const trees = createTrees();
    const inner = trees.add([
      { name: 'f', kind: 'file', oid: file('f') },
      { name: 'module', kind: 'commit', oid: commit },
    ]);
    const root = trees.add([
      { name: 'a', kind: 'tree', oid: inner },
      { name: 'b', kind: 'tree', oid: inner },
      { name: 'z', kind: 'commit', oid: commit },
    ]);

    expect(runSteps(submoduleSteps(trees, root))).toEqual([
      { path: 'a/module', commit },
      { path: 'b/module', commit },
      { path: 'z', commit },
    ]);
  });

  it('looks once into a tree that has none, under however many names', () => {
    const trees = createTrees();
    let oid = trees.add([{ name: 'f', kind: 'file', oid: file('f') }]);
    for (let level = 0; level < 20; level++) {
      oid = trees.add(Array.from({ length: 10 }, (_, at) => ({ name: `d${at}`, kind: 'tree' as const, oid })));
    }

    expect(runSteps(submoduleSteps(trees, oid))).toEqual([]);
    expect(trees.reads).toHaveLength(21);
  });

  it('refuses what is too deep, and trees that are not here', () => {
    const trees = createTrees();
    let deep = trees.add([]);
    for (let level = 0; level < 600; level++) deep = trees.add([{ name: 'd', kind: 'tree', oid: deep }]);
    const absent = trees.add([{ name: 'd', kind: 'tree', oid: 'a'.repeat(40) }]);

    expect(() => runSteps(submoduleSteps(trees, deep))).toThrow('nested more than 500 deep');
    expect(() => runSteps(submoduleSteps(trees, absent))).toThrow(
      `object ${'a'.repeat(40)} of 'd' is not in the store`,
    );
  });
});

describe('blobSteps', () => {
  it('names what begins with a prefix and is wanted, and looks nowhere else', () => {
    const trees = createTrees();
    const blob = (name: string): GitTreeEntry => ({ name, kind: 'file', oid: file(name) });
    const elsewhere = trees.add([blob('no')]);
    const folder = trees.add([blob('x'), blob('here')]);
    const root = trees.add([
      { name: 'app', kind: 'tree', oid: folder },
      { name: 'app2', kind: 'tree', oid: trees.add([blob('y')]) },
      { name: 'other', kind: 'tree', oid: elsewhere },
      blob('apple'),
      blob('root'),
    ]);

    const found = runSteps(blobSteps(trees, root, ['app'], (oid) => oid !== file('here')));

    expect(new Set(found)).toEqual(new Set([file('x'), file('y'), file('apple')]));
    expect(trees.reads).not.toContain(elsewhere);
  });
});
