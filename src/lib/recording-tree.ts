// Owns the record of what a build read from a FileTree, so that a later tree can be asked whether the build would
// read the same again (lockstep.md §4).
import { createHash } from 'node:crypto';
import type { FileTree, TreeEntry } from './filetree.ts';
import type { Steps } from './steps.ts';

/** What was read: question (`read:a/b.yaml`) → fingerprint of the answer; '' for an absent path. */
export type ReadRecord = ReadonlyMap<string, string>;

type Question = 'stat' | 'read' | 'list' | 'link';

/** A tree that answers as `tree` does and notes each question with the fingerprint of its answer. */
export function recordReads(tree: FileTree): { readonly tree: FileTree; readonly record: ReadRecord } {
  const record = new Map<string, string>();
  const note = <T>(
    question: Question,
    path: string,
    answer: T | undefined,
    print: (answer: T) => string,
  ): T | undefined => {
    const key = `${question}:${path}`;
    if (!record.has(key)) record.set(key, answer === undefined ? '' : print(answer));
    return answer;
  };
  return {
    record,
    tree: {
      stat: (path) => note('stat', path, tree.stat(path), printEntry),
      read: (path) => note('read', path, tree.read(path), printBytes),
      list: (path) => note('list', path, tree.list(path), printList),
      readLink: (path) => note('link', path, tree.readLink(path), (target) => `>${target}`),
    },
  };
}

/** Whether every question of the record has the same answer in this tree, one step each. Ends at the first that has not. */
export function* wouldReadTheSame(record: ReadRecord, tree: FileTree): Steps<boolean> {
  for (const [key, print] of record) {
    const colon = key.indexOf(':');
    if (answer(tree, key.slice(0, colon) as Question, key.slice(colon + 1)) !== print) return false;
    yield;
  }
  return true;
}

function answer(tree: FileTree, question: Question, path: string): string {
  switch (question) {
    case 'stat':
      return printOr(tree.stat(path), printEntry);
    case 'read':
      return tree.blobId?.(path) ?? printOr(tree.read(path), printBytes);
    case 'list':
      return printOr(tree.list(path), printList);
    case 'link':
      return printOr(tree.readLink(path), (target) => `>${target}`);
    default:
      return question satisfies never;
  }
}

function printOr<T>(value: T | undefined, print: (value: T) => string): string {
  return value === undefined ? '' : print(value);
}

function printEntry(entry: TreeEntry): string {
  return `${entry.kind}${entry.executable ? '+x' : ''}`;
}

function printList(entries: readonly TreeEntry[]): string {
  const hash = createHash('sha1');
  for (const entry of entries) hash.update(`${printEntry(entry)} ${entry.name}\0`);
  return hash.digest('hex');
}

/** As Git names a blob: a tree of Git objects has that name at hand, and no file is read to be compared. */
function printBytes(bytes: Uint8Array): string {
  return createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex');
}
