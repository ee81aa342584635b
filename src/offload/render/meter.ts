// Owns the meter on what a build reads: how much it was, and an end to a build that reads more than it may.
import type { FileTree } from '../../lib/filetree.ts';

/** What a build may read, or has read. */
export interface Reading {
  /** Questions to trees of any kind. */
  readonly questions: number;
  readonly bytes: number;
}

/** Counts what is read through it. */
export interface Meter {
  /** A tree that answers as `tree` does until the limit is reached, and throws from then on. */
  wrap(tree: FileTree): FileTree;
  /** What was read so far. */
  reading(): Reading;
  /** True once a question was refused: whatever the build answers then counts for nothing. */
  exceeded(): boolean;
}

/** A meter at zero; without a limit it only counts. */
export function createMeter(limit?: Reading): Meter {
  const most = limit ?? { questions: Number.POSITIVE_INFINITY, bytes: Number.POSITIVE_INFINITY };
  let questions = 0;
  let bytes = 0;
  let exceeded = false;
  const ask = <T>(answer: () => T): T => {
    questions++;
    if (questions > most.questions || bytes > most.bytes) {
      exceeded = true;
      throw new Error('the build reads more than it may here');
    }
    return answer();
  };
  return {
    wrap: (tree) => ({
      stat: (path) => ask(() => tree.stat(path)),
      list: (path) => ask(() => tree.list(path)),
      readLink: (path) => ask(() => tree.readLink(path)),
      read: (path) =>
        ask(() => {
          const found = tree.read(path);
          bytes += found?.length ?? 0;
          return found;
        }),
    }),
    reading: () => ({ questions, bytes }),
    exceeded: () => exceeded,
  };
}
