// Owns the check that a commit came whole: everything that its tree names is in the new pack or was here before.
import { runSteps, type Steps } from '../../lib/steps.ts';
import { parseCommit, parseTag } from './commit.ts';
import { GitError } from './errors.ts';
import type { ObjectFormat } from './oid.ts';
import type { PackReader } from './pack-reader.ts';
import { parseTree } from './tree.ts';

/** Where else an object may be, and what may be absent. */
export interface ConnectivityOptions {
  readonly format: ObjectFormat;
  /** Whether an object is in an older pack. Those were whole when they came, so nothing below them is looked at. */
  readonly hasElsewhere: (oid: string) => boolean;
  /** Whether blobs may be absent (a partial clone). */
  readonly partial: boolean;
}

/**
 * Walks from the roots through the new pack. Parents are not followed: history may be cut anywhere.
 * @throws GitError GitObjectNotFound naming the first absent object; GitUnsafeTree, GitCorruptObject
 */
export function checkConnected(roots: readonly string[], pack: PackReader, options: ConnectivityOptions): void {
  runSteps(checkConnectedSteps(roots, pack, options));
}

/** As `checkConnected`, with a pause after each object that is read. */
export function* checkConnectedSteps(
  roots: readonly string[],
  pack: PackReader,
  options: ConnectivityOptions,
): Steps<void> {
  const seen = new Set<string>();
  const waiting = [...roots];
  for (let oid = waiting.pop(); oid !== undefined; oid = waiting.pop()) {
    if (seen.has(oid)) continue;
    seen.add(oid);
    if (pack.idx.find(oid) === undefined) {
      if (!options.hasElsewhere(oid)) throw absent(oid);
      continue;
    }
    yield;
    const object = pack.read(oid);
    if (object === undefined) throw absent(oid);
    if (object.type === 'tag') waiting.push(parseTag(object.data).target);
    else if (object.type === 'commit') waiting.push(parseCommit(object.data).tree);
    else if (object.type === 'tree') checkTree(object.data, pack, options, seen, waiting);
  }
}

function checkTree(
  data: Uint8Array,
  pack: PackReader,
  options: ConnectivityOptions,
  seen: ReadonlySet<string>,
  waiting: string[],
): void {
  for (const entry of parseTree(data, options.format)) {
    if (entry.kind === 'commit') continue;
    if (entry.kind === 'tree') {
      if (!seen.has(entry.oid)) waiting.push(entry.oid);
    } else if (!options.partial && pack.idx.find(entry.oid) === undefined && !options.hasElsewhere(entry.oid)) {
      throw absent(entry.oid);
    }
  }
}

function absent(oid: string): GitError {
  return new GitError('GitObjectNotFound', `the server did not send object ${oid}`, { oid });
}
