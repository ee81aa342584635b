// Owns fetching the submodules of a commit, and theirs. Each has its own store; where they appear is said as data.
import { GitError } from '../../engines/git/errors.ts';
import { parseGitmodules, resolveSubmoduleUrl } from '../../engines/git/gitmodules.ts';
import type { ObjectTree } from '../../engines/git/object-tree.ts';
import type { GitObject } from '../../engines/git/oid.ts';
import { type SubmoduleLink, submoduleSteps } from '../../engines/git/tree-walk.ts';
import { runInSlices } from '../../offload/slices.ts';
import { fetchCommit, type ObjectSink } from './fetch.ts';
import type { GitAuth, GitTransport } from './transport.ts';

/** A store that a submodule is fetched into. */
export interface SubmoduleStore extends ObjectSink {
  has(oid: string): boolean;
  read(oid: string): GitObject | undefined;
  openTree(commit: string): ObjectTree;
}

/** A submodule that was fetched. */
export interface FetchedSubmodule<Store> {
  /** Path in the outermost tree. */
  readonly path: string;
  readonly url: string;
  readonly commit: string;
  readonly store: Store;
}

/** What fetching submodules works with. */
export interface SubmodulePorts<Store extends SubmoduleStore> {
  /** A transport for another repository, with the credentials of the parent where they belong to its host. */
  readonly open: (url: string) => GitTransport;
  /** The store of another repository. */
  readonly storeOf: (url: string) => Promise<Store>;
  readonly signal?: AbortSignal;
}

/** As deep as Flux goes. */
const MAX_DEPTH = 10;
// A tree can name any number of submodules, each a connection to somewhere.
const MAX_SUBMODULES = 200;

/**
 * Fetches all submodules of a commit, depth first.
 * @throws GitError GitSubmodule: no URL, an URL that is not allowed, too deep, too many; and what fetching throws
 */
export async function fetchSubmodules<Store extends SubmoduleStore>(
  commit: { readonly store: Pick<SubmoduleStore, 'format' | 'read' | 'openTree'>; readonly commit: string },
  url: string,
  ports: SubmodulePorts<Store>,
): Promise<FetchedSubmodule<Store>[]> {
  const fetched: FetchedSubmodule<Store>[] = [];
  await visit(commit, url, '', 0, ports, fetched);
  return fetched;
}

/**
 * The credentials that may go to a submodule: those of the parent when it lives on the same host and port by the same
 * scheme, else none. The proxy stays.
 */
export function authForSubmodule(parentUrl: string, auth: GitAuth, url: string): GitAuth {
  const [parent, child] = [new URL(parentUrl), new URL(url)];
  if (parent.protocol === child.protocol && parent.host === child.host) return auth;
  return auth.proxy === undefined ? {} : { proxy: auth.proxy };
}

/** The submodules of a commit that is in a store, in order. Throws GitError GitLimitExceeded. */
export function submodulesOf(
  store: Pick<SubmoduleStore, 'format' | 'read'>,
  tree: ObjectTree,
  signal?: AbortSignal,
): Promise<SubmoduleLink[]> {
  return runInSlices(submoduleSteps(store, tree.root), signal);
}

async function visit<Store extends SubmoduleStore>(
  parent: Parameters<typeof fetchSubmodules>[0],
  url: string,
  prefix: string,
  depth: number,
  ports: SubmodulePorts<Store>,
  fetched: FetchedSubmodule<Store>[],
): Promise<void> {
  const tree = parent.store.openTree(parent.commit);
  const found = await submodulesOf(parent.store, tree, ports.signal);
  if (found.length === 0) return;
  if (depth >= MAX_DEPTH)
    throw new GitError('GitSubmodule', `submodules are nested more than ${MAX_DEPTH} deep`, { url });
  const text = tree.read('.gitmodules');
  const known = new Map(
    parseGitmodules(text === undefined ? '' : Buffer.from(text).toString('utf8')).map((module) => [
      module.path,
      module,
    ]),
  );
  for (const { path, commit } of found) {
    const module = known.get(path);
    // A link without an entry is what a removed submodule leaves; Git shows an empty folder for it.
    if (module === undefined) continue;
    if (fetched.length >= MAX_SUBMODULES) {
      throw new GitError('GitSubmodule', `the repository has more than ${MAX_SUBMODULES} submodules`, { url });
    }
    const whole = prefix === '' ? path : `${prefix}/${path}`;
    const moduleUrl = inContext(whole, () => resolveSubmoduleUrl(url, module.url));
    const store = await ports.storeOf(moduleUrl);
    await fetchModule(ports, store, moduleUrl, whole, commit);
    fetched.push({ path: whole, url: moduleUrl, commit, store });
    await visit({ store, commit }, moduleUrl, whole, depth + 1, ports, fetched);
  }
}

async function fetchModule<Store extends SubmoduleStore>(
  ports: SubmodulePorts<Store>,
  store: Store,
  url: string,
  path: string,
  commit: string,
): Promise<void> {
  try {
    await fetchCommit(ports.open(url), store, commit, ports.signal === undefined ? {} : { signal: ports.signal });
  } catch (error) {
    if (!(error instanceof GitError)) throw error;
    throw new GitError(error.code, `submodule '${path}': ${error.message}`, { ...error.data, path }, { cause: error });
  }
}

function inContext<T>(path: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof GitError)) throw error;
    throw new GitError(error.code, `submodule '${path}': ${error.message}`, { path }, { cause: error });
  }
}
