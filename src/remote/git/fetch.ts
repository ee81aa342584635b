// Owns bringing one commit into an object store with the least traffic: only what the store lacks, on top of what it
// has. Where objects are kept is the store's business.
import { GitError } from '../../engines/git/errors.ts';
import type { ObjectFormat } from '../../engines/git/oid.ts';
import { PACK_HEADER_BYTES, parsePackHeader } from '../../engines/git/pack-entry.ts';
import type { FetchRequest, GitTransport } from './transport.ts';

/** The side of an object store that fetching needs. */
export interface ObjectSink {
  readonly format: ObjectFormat;
  /** Commits and tags whose whole content is here, newest first. */
  roots(): readonly string[];
  /** Commits here whose parents are not. */
  shallow(): readonly string[];
  /** Takes a pack in, all of it or nothing, and records what is complete and what is shallow from now on. */
  importPack(
    pack: AsyncIterable<Uint8Array>,
    options: {
      roots: readonly string[];
      shallow: readonly string[];
      unshallow: readonly string[];
      signal?: AbortSignal;
    },
  ): Promise<{ objects: number; bytes: number }>;
}

/** What a fetch moved. */
export interface FetchStats {
  /** False when everything was here already; then nothing was sent. */
  readonly fetched: boolean;
  /** Bytes of the pack on the wire. */
  readonly bytes: number;
  readonly objects: number;
}

/** Options of `fetchCommit`. */
export interface FetchCommitOptions {
  /** The annotated tag object to bring along, for its signature. */
  readonly tagObject?: string;
  /** Commits of history; the whole of it when absent. @default 1 */
  readonly depth?: number | 'all';
  /** The only head whose history may hold the commit. @default any */
  readonly branchTip?: string;
  readonly signal?: AbortSignal;
  readonly maxPackBytes?: number;
}

// Enough for a server to find a near relative after a forced push, and few enough to cost nothing.
const MAX_HAVES = 16;

/**
 * Makes `commit` and everything below its tree readable in the store.
 * @throws GitError of the transport and the store; GitCommitNotFound when the server has no such commit
 */
export async function fetchCommit(
  transport: GitTransport,
  store: ObjectSink,
  commit: string,
  options: FetchCommitOptions = {},
): Promise<FetchStats> {
  const wanted = options.tagObject === undefined ? [commit] : [options.tagObject, commit];
  const here = new Set(store.roots());
  const wants = wanted.filter((oid) => !here.has(oid));
  if (wants.length === 0) return { fetched: false, bytes: 0, objects: 0 };
  const haves = [...here].slice(0, MAX_HAVES);
  const kept = new Set(haves);
  const signal = options.signal === undefined ? {} : { signal: options.signal };
  const request: FetchRequest = {
    wants,
    haves,
    shallow: store.shallow().filter((oid) => kept.has(oid)),
    ...(options.depth === 'all' ? {} : { depth: options.depth ?? 1 }),
    ...(options.maxPackBytes === undefined ? {} : { maxPackBytes: options.maxPackBytes }),
    ...signal,
  };
  try {
    return await bring(transport, store, request, wanted);
  } catch (error) {
    const missing = asMissingCommit(error, commit);
    if (missing === error || (await transport.canWantAny(options.signal))) throw missing;
    return bringAnyhow(transport, store, { ...request, branchTip: options.branchTip }, commit, missing);
  }
}

async function bring(
  transport: GitTransport,
  store: ObjectSink,
  request: FetchRequest,
  roots: readonly string[],
): Promise<FetchStats> {
  const { shallow, unshallow, pack, cancel } = await transport.fetch(request);
  const signal = request.signal === undefined ? {} : { signal: request.signal };
  try {
    const imported = await store.importPack(pack, { roots, shallow, unshallow, ...signal });
    return { fetched: true, ...imported };
  } catch (error) {
    cancel();
    throw error;
  }
}

// A server that gives out tips of refs only: the commit may be in the history of one of them.
async function bringAnyhow(
  transport: GitTransport,
  store: ObjectSink,
  request: FetchRequest & { readonly branchTip: string | undefined },
  commit: string,
  missing: unknown,
): Promise<FetchStats> {
  const { depth: _depth, branchTip, ...whole } = request;
  const wants = branchTip === undefined ? await headsAndTags(transport, request.signal) : [branchTip];
  try {
    return await bring(transport, store, { ...whole, wants, haves: [], shallow: [] }, [commit]);
  } catch (error) {
    if (error instanceof GitError && error.code === 'GitObjectNotFound' && error.data.oid === commit) throw missing;
    throw error;
  }
}

async function headsAndTags(transport: GitTransport, signal: AbortSignal | undefined): Promise<string[]> {
  const { refs } = await transport.lsRefs({
    prefixes: ['refs/heads/', 'refs/tags/'],
    ...(signal === undefined ? {} : { signal }),
  });
  return [...new Set(refs.map((ref) => ref.oid))];
}

/**
 * Refuses a commit that is not on a branch, at the cost of one short answer: somebody who has the branch's head lacks
 * nothing of a commit before it, so the pack that would be sent is empty.
 * @throws GitError GitCommitNotFound, with Flux's text, where the commit is on another branch or nowhere
 */
export async function requireOnBranch(
  transport: GitTransport,
  commit: string,
  branchTip: string,
  signal?: AbortSignal,
): Promise<void> {
  // A server that gives out heads only sends the history of that branch and no other (`bringAnyhow`).
  if (commit === branchTip || !(await transport.canWantAny(signal))) return;
  let count: number;
  try {
    const request = { wants: [commit], haves: [branchTip] };
    const { pack, cancel } = await transport.fetch(signal === undefined ? request : { ...request, signal });
    try {
      count = await objectsIn(pack);
    } finally {
      cancel();
    }
  } catch (error) {
    throw asMissingCommit(error, commit);
  }
  if (count > 0) throw missingCommit(commit);
}

/** What the head of a pack says; the rest is not read. */
async function objectsIn(pack: AsyncIterable<Buffer>): Promise<number> {
  let head = Buffer.alloc(0);
  for await (const piece of pack) {
    head = Buffer.concat([head, piece]);
    if (head.length >= PACK_HEADER_BYTES) break;
  }
  return parsePackHeader(head);
}

// Servers say so in several ways: `upload-pack: not our ref <oid>`, `no such object`, `unadvertised object`.
function asMissingCommit(error: unknown, commit: string): unknown {
  if (!(error instanceof GitError) || error.code !== 'GitRemoteMessage') return error;
  if (!/not our ref|unadvertised object|no such (?:object|remote ref)|bad object|not found/i.test(error.message)) {
    return error;
  }
  return missingCommit(commit, error);
}

function missingCommit(commit: string, cause?: unknown): GitError {
  const message = `unable to resolve commit object for '${commit}': object not found`;
  return new GitError('GitCommitNotFound', message, { oid: commit }, { cause });
}
