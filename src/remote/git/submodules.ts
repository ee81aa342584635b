// Owns fetching the submodules of a commit, and theirs. Each has its own store; where they appear is said as data.
import { GitError } from '../../engines/git/errors.ts';
import { parseGitmodules, resolveSubmoduleUrl } from '../../engines/git/gitmodules.ts';
import type { ObjectTree } from '../../engines/git/object-tree.ts';
import { fetchCommit, type ObjectSink } from './fetch.ts';
import type { GitAuth, GitTransport } from './transport.ts';

/** A store that a submodule is fetched into. */
export interface SubmoduleStore extends ObjectSink {
  has(oid: string): boolean;
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
const MAX_PATHS = 2_000_000;
const MAX_PATH_LENGTH = 16_384;

/**
 * Fetches all submodules below a tree, depth first.
 * @throws GitError GitSubmodule: no URL, an URL that is not allowed, too deep, too many; and what fetching throws
 */
export async function fetchSubmodules<Store extends SubmoduleStore>(
  tree: ObjectTree,
  url: string,
  ports: SubmodulePorts<Store>,
): Promise<FetchedSubmodule<Store>[]> {
  const fetched: FetchedSubmodule<Store>[] = [];
  await visit(tree, url, '', 0, ports, fetched);
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

/**
 * Paths of the submodules of a tree, in order.
 * @throws GitError GitLimitExceeded: a few hundred bytes of objects can name billions of paths
 */
export function submodulePaths(tree: ObjectTree): { path: string; commit: string }[] {
  const found: { path: string; commit: string }[] = [];
  let seen = 0;
  const walk = (path: string): void => {
    for (const entry of tree.entries(path) ?? []) {
      if (++seen > MAX_PATHS || path.length > MAX_PATH_LENGTH) {
        throw new GitError('GitLimitExceeded', 'the tree has too many or too long paths', { limit: MAX_PATHS });
      }
      const whole = path === '' ? entry.name : `${path}/${entry.name}`;
      if (entry.kind === 'commit') found.push({ path: whole, commit: entry.oid });
      else if (entry.kind === 'tree') walk(whole);
    }
  };
  walk('');
  return found;
}

async function visit<Store extends SubmoduleStore>(
  tree: ObjectTree,
  url: string,
  prefix: string,
  depth: number,
  ports: SubmodulePorts<Store>,
  fetched: FetchedSubmodule<Store>[],
): Promise<void> {
  const found = submodulePaths(tree);
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
    await visit(store.openTree(commit), moduleUrl, whole, depth + 1, ports, fetched);
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
