// Owns bringing one commit into an object store with the least traffic: only what the store lacks, on top of what it
// has. Where objects are kept is the store's business.
import { GitError } from '../../engines/git/errors.ts';
import type { ObjectFormat } from '../../engines/git/oid.ts';
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
    return bringAnyhow(transport, store, request, commit, missing);
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
  request: FetchRequest,
  commit: string,
  missing: unknown,
): Promise<FetchStats> {
  const signal = request.signal === undefined ? {} : { signal: request.signal };
  const { refs } = await transport.lsRefs({ prefixes: ['refs/heads/', 'refs/tags/'], ...signal });
  const { depth: _depth, ...whole } = request;
  const wants = [...new Set(refs.map((ref) => ref.oid))];
  try {
    return await bring(transport, store, { ...whole, wants, haves: [], shallow: [] }, [commit]);
  } catch (error) {
    if (error instanceof GitError && error.code === 'GitObjectNotFound' && error.data.oid === commit) throw missing;
    throw error;
  }
}

// Servers say so in several ways: `upload-pack: not our ref <oid>`, `no such object`, `unadvertised object`.
function asMissingCommit(error: unknown, commit: string): unknown {
  if (!(error instanceof GitError) || error.code !== 'GitRemoteMessage') return error;
  if (!/not our ref|unadvertised object|no such (?:object|remote ref)|bad object|not found/i.test(error.message)) {
    return error;
  }
  return new GitError(
    'GitCommitNotFound',
    `unable to resolve commit object for '${commit}': object not found`,
    { oid: commit },
    { cause: error },
  );
}
