// Owns fetching only some folders of a commit: commits and trees first, then the files that are named and not here yet.
// Where the server cannot leave objects out, everything is fetched.
import type { ObjectTree } from '../../engines/git/object-tree.ts';
import type { GitObject } from '../../engines/git/oid.ts';
import { blobSteps } from '../../engines/git/tree-walk.ts';
import { trimSparse } from '../../lib/source-tree.ts';
import { runInSlices } from '../../offload/slices.ts';
import { type FetchCommitOptions, type FetchStats, fetchCommit, type ObjectSink } from './fetch.ts';
import type { GitTransport } from './transport.ts';

/** The side of an object store that a sparse fetch needs. */
export interface SparseSink extends ObjectSink {
  /** Whether blobs of kept commits may be absent. */
  readonly isPartial: boolean;
  has(oid: string): boolean;
  read(oid: string): GitObject | undefined;
  openTree(commit: string): ObjectTree;
  importPack(
    pack: AsyncIterable<Uint8Array>,
    options: Parameters<ObjectSink['importPack']>[1] & { partial?: boolean },
  ): ReturnType<ObjectSink['importPack']>;
}

// Objects per request: keeps a request below what servers accept (64 bytes each).
const BATCH = 8000;

/**
 * Makes `commit`, all its folders, and the files below `folders` readable in the store. A folder is a plain prefix.
 * @throws GitError as `fetchCommit`
 */
export async function fetchSparse(
  transport: GitTransport,
  store: SparseSink,
  commit: string,
  folders: readonly string[],
  options: FetchCommitOptions = {},
): Promise<FetchStats> {
  if (!(await transport.canFilter(options.signal)) || !(await transport.canWantAny(options.signal))) {
    return fetchCommit(transport, store, commit, options);
  }
  const partial: SparseSink = partialSink(store);
  const filtered: GitTransport = filteredTransport(transport);
  const first = await fetchCommit(filtered, partial, commit, options);
  const prefixes = folders.map(trimSparse);
  const isMissing = (oid: string) => !store.has(oid);
  const missing = await runInSlices(blobSteps(store, store.openTree(commit).root, prefixes, isMissing), options.signal);
  let { bytes, objects } = first;
  for (let at = 0; at < missing.length; at += BATCH) {
    const wants = missing.slice(at, at + BATCH);
    const signal = options.signal === undefined ? {} : { signal: options.signal };
    // Without `have` and `deepen` a server sends exactly what was named.
    const fetched = await transport.fetch({ wants, ...signal });
    const imported = await store.importPack(fetched.pack, {
      roots: [],
      shallow: [],
      unshallow: [],
      partial: true,
      ...signal,
    });
    bytes += imported.bytes;
    objects += imported.objects;
  }
  return { fetched: first.fetched || missing.length > 0, bytes, objects };
}

/**
 * Names the folders of `folders` that a tree does not have.
 * @returns the first one that is absent, as the user wrote it; undefined when all are there
 */
export function missingSparseFolder(tree: Pick<ObjectTree, 'stat'>, folders: readonly string[]): string | undefined {
  return folders.find((folder) => tree.stat(trimSparse(folder).replace(/\/+$/, '')) === undefined);
}

function filteredTransport(transport: GitTransport): GitTransport {
  return {
    ...bindAll(transport),
    fetch: (request) => transport.fetch({ ...request, filter: 'blob:none' }),
  };
}

function bindAll(transport: GitTransport): GitTransport {
  return {
    url: transport.url,
    lsRefs: (request) => transport.lsRefs(request),
    fetch: (request) => transport.fetch(request),
    push: (request) => transport.push(request),
    canFilter: (signal) => transport.canFilter(signal),
    canWantAny: (signal) => transport.canWantAny(signal),
  };
}

function partialSink(store: SparseSink): SparseSink {
  return {
    format: store.format,
    isPartial: true,
    roots: () => store.roots(),
    shallow: () => store.shallow(),
    has: (oid) => store.has(oid),
    read: (oid) => store.read(oid),
    openTree: (commit) => store.openTree(commit),
    importPack: (pack, options) => store.importPack(pack, { ...options, partial: true }),
  };
}
