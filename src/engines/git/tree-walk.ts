// Owns walking all trees below one, in steps: where submodules are, and which blobs stand below some folders. A tree that
// was found of no interest is not looked into again: a few hundred bytes of objects can name billions of paths.
import type { Steps } from '../../lib/steps.ts';
import { GitError } from './errors.ts';
import type { ObjectReader } from './object-tree.ts';
import { type GitTreeEntry, parseTree } from './tree.ts';

/** A submodule in a tree. */
export interface SubmoduleLink {
  readonly path: string;
  readonly commit: string;
}

// As the walk of an artifact's files (lib/source-tree.ts).
const MAX_PATHS = 2_000_000;
const MAX_DEPTH = 500;

/**
 * The submodules below a tree, in order.
 * @throws GitError GitLimitExceeded, GitObjectNotFound, GitCorruptObject
 */
export function submoduleSteps(objects: ObjectReader, root: string): Steps<SubmoduleLink[]> {
  const found: SubmoduleLink[] = [];
  const walk = new TreeWalk(objects);
  return (function* (): Steps<SubmoduleLink[]> {
    yield* walk.visit(root, '', 0, (path, entry) => {
      if (entry.kind === 'tree') return 'enter';
      if (entry.kind !== 'commit') return 'skip';
      found.push({ path, commit: entry.oid });
      return 'take';
    });
    return found;
  })();
}

/**
 * Names of the blobs whose paths begin with one of the prefixes and which `isWanted`.
 * @throws GitError GitLimitExceeded, GitObjectNotFound, GitCorruptObject
 */
export function blobSteps(
  objects: ObjectReader,
  root: string,
  prefixes: readonly string[],
  isWanted: (oid: string) => boolean,
): Steps<string[]> {
  const found = new Set<string>();
  const entered = new Set<string>();
  const walk = new TreeWalk(objects);
  return (function* (): Steps<string[]> {
    yield* walk.visit(root, '', 0, (path, entry) => {
      if (entry.kind === 'commit') return 'skip';
      if (entry.kind !== 'tree') {
        if (prefixes.some((prefix) => path.startsWith(prefix)) && isWanted(entry.oid)) found.add(entry.oid);
        return 'take';
      }
      const below = `${path}/`;
      if (prefixes.some((prefix) => below.startsWith(prefix))) {
        // All of it is wanted, wherever it stands: once is enough.
        if (entered.has(entry.oid)) return 'skip';
        entered.add(entry.oid);
        return 'enter';
      }
      return prefixes.some((prefix) => prefix.startsWith(below)) ? 'enter' : 'skip';
    });
    return [...found];
  })();
}

/** `take` counts as something of interest: a tree without any is not entered again. */
type Choice = 'enter' | 'skip' | 'take';

class TreeWalk {
  readonly #objects: ObjectReader;
  readonly #barren = new Set<string>();
  #paths = 0;

  constructor(objects: ObjectReader) {
    this.#objects = objects;
  }

  /** Looks at every entry below a tree. Returns whether anything was taken. */
  *visit(
    oid: string,
    path: string,
    depth: number,
    choose: (path: string, entry: GitTreeEntry) => Choice,
  ): Steps<boolean> {
    if (this.#barren.has(oid)) return false;
    if (depth > MAX_DEPTH) throw limit(`folders are nested more than ${MAX_DEPTH} deep`, MAX_DEPTH);
    yield;
    let taken = false;
    for (const entry of this.#read(oid, path)) {
      if (++this.#paths > MAX_PATHS) throw limit(`the tree has more than ${MAX_PATHS} paths`, MAX_PATHS);
      const whole = path === '' ? entry.name : `${path}/${entry.name}`;
      const choice = choose(whole, entry);
      if (choice === 'take') taken = true;
      else if (choice === 'enter') taken = (yield* this.visit(entry.oid, whole, depth + 1, choose)) || taken;
    }
    if (!taken) this.#barren.add(oid);
    return taken;
  }

  #read(oid: string, path: string): readonly GitTreeEntry[] {
    const object = this.#objects.read(oid);
    if (object?.type === 'tree') return parseTree(object.data, this.#objects.format);
    const data = { oid, path };
    if (object === undefined) {
      throw new GitError('GitObjectNotFound', `object ${oid} of '${path}' is not in the store`, data);
    }
    throw new GitError('GitCorruptObject', `object ${oid} of '${path}' is a ${object.type}, not a tree`, data);
  }
}

function limit(message: string, most: number): GitError {
  return new GitError('GitLimitExceeded', message, { limit: most });
}
