// Owns fetching all that the content of a source needs: the commit, only some folders of it, its submodules. What it
// gives is a recipe; storing an archive of it is others' work.
import type { ObjectFormat } from '../../engines/git/oid.ts';
import type { ContentRecipe, GitTreeSource } from '../../offload/git/recipe.ts';
import { type FetchStats, fetchCommit, requireOnBranch } from './fetch.ts';
import type { ResolvedReference } from './resolve.ts';
import { fetchSparse, type SparseSink } from './sparse.ts';
import { fetchSubmodules, submodulesOf } from './submodules.ts';
import type { GitTransport } from './transport.ts';

/** A store as fetching content needs it. */
export interface ContentStore extends SparseSink {
  /** Folder of the store. */
  readonly dir: string;
  source(commit: string): GitTreeSource;
}

/** How much of a commit is wanted, and where the rest comes from. */
export interface ContentOptions {
  /** `spec.sparseCheckout`; everything when empty. @default [] */
  readonly sparse?: readonly string[];
  /** Given when submodules are wanted: transports and stores of other repositories. */
  readonly submodules?: {
    readonly open: (url: string) => GitTransport;
    readonly storeOf: (url: string, format: ObjectFormat) => Promise<ContentStore>;
  };
  readonly signal?: AbortSignal;
}

/** What was fetched, and how to read it. */
export interface FetchedContent {
  readonly stats: FetchStats;
  readonly recipe: Pick<ContentRecipe, 'source' | 'submodules' | 'sparse'>;
}

/**
 * Fetches a resolved reference into a store.
 * @throws GitError of the transport, the store and the submodules
 */
export async function fetchContent(
  transport: GitTransport,
  store: ContentStore,
  resolved: ResolvedReference,
  options: ContentOptions = {},
): Promise<FetchedContent> {
  const { commit, tagObject, branchTip } = resolved;
  const sparse = options.sparse ?? [];
  const signal = options.signal === undefined ? {} : { signal: options.signal };
  if (branchTip !== undefined) await requireOnBranch(transport, commit, branchTip, options.signal);
  const fetchOptions = {
    ...signal,
    ...(tagObject === undefined ? {} : { tagObject }),
    ...(branchTip === undefined ? {} : { branchTip }),
  };
  // A store that once was fetched in part lacks files of commits that it calls whole.
  const folders = sparse.length > 0 ? sparse : [''];
  const isPartial = sparse.length > 0 || store.isPartial;
  const stats = isPartial
    ? await fetchSparse(transport, store, commit, folders, fetchOptions)
    : await fetchCommit(transport, store, commit, fetchOptions);
  const submodules = await contentOfSubmodules(transport.url, store, commit, options);
  return {
    stats,
    recipe: {
      source: store.source(commit),
      ...(submodules.length > 0 ? { submodules } : {}),
      ...(sparse.length > 0 ? { sparse } : {}),
    },
  };
}

async function contentOfSubmodules(
  url: string,
  store: ContentStore,
  commit: string,
  options: ContentOptions,
): Promise<{ path: string; source?: GitTreeSource }[]> {
  const links = await submodulesOf(store, store.openTree(commit), options.signal);
  const ports = options.submodules;
  // Submodules that are not wanted appear as empty folders, as in a plain clone.
  if (ports === undefined || links.length === 0) return links.map(({ path }) => ({ path }));
  const fetched = await fetchSubmodules({ store, commit }, url, {
    open: ports.open,
    storeOf: (moduleUrl) => ports.storeOf(moduleUrl, store.format),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
  const known = new Map(fetched.map((module) => [module.path, module.store.source(module.commit)]));
  const missing = links.filter(({ path }) => !known.has(path));
  return [...missing.map(({ path }) => ({ path })), ...[...known].map(([path, source]) => ({ path, source }))];
}
