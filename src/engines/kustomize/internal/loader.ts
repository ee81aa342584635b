// Owns finding and reading files: paths with links followed, the rule that files stay below their kustomization,
// cycles, and what only the network has. Paths in messages are absolute: the tree's root is `/`.
import { posix } from 'node:path';
import type { FileTree } from '../../../lib/filetree.ts';
import { BuildError, buildError, wrapError } from '../errors.ts';
import { type Fetched, MissingSignal } from '../missing.ts';
import { isRemoteFile, parseRepoUrl, type RepoUrl, repoCycle } from './repo-url.ts';

/** A place that kustomizations are read from, and how it was reached. */
export interface Loader {
  /** Absolute path of the directory, links followed. */
  readonly root: string;
  /** Reads a file named by the kustomization here. */
  load(path: string): Uint8Array;
  /** True when something of that name stands in the directory. */
  has(name: string): boolean;
  /** Opens another directory, or a repository. Throws on cycles. */
  open(path: string): Loader;
  /** Tree and path for a reader of whole directories (charts). */
  readonly tree: FileTree;
}

/** What all loaders of a build share. */
export interface LoaderOptions {
  readonly rootOnly: boolean;
  /**
   * True when the tree's root is a fence: `..` above it and absolute links are refused. False when it is a whole file
   * system, where `/..` is `/`.
   */
  readonly jailed: boolean;
  readonly fetched: Fetched | undefined;
  readonly warn: (line: string) => void;
}

/** A tree, and whether its root is a fence. */
interface Fence {
  readonly tree: FileTree;
  readonly jailed: boolean;
}

interface Place extends Fence {
  readonly root: string;
  readonly referrer: Place | undefined;
  readonly rootOnly: boolean;
  readonly repo: RepoUrl | undefined;
  readonly options: LoaderOptions;
}

/** Opens the directory that a build starts from. `cwd` is what a relative target is relative to. */
export function createLoader(tree: FileTree, target: string, cwd: string, options: LoaderOptions): Loader {
  const repo = parseRepoUrl(target, options.warn);
  if (repo !== undefined) return openRepository(repo, undefined, options);
  const { rootOnly, jailed } = options;
  const root = confirmDirectory({ tree, jailed }, target, cwd);
  return toLoader({ tree, root, referrer: undefined, rootOnly, jailed, repo: undefined, options });
}

function toLoader(place: Place): Loader {
  return {
    root: place.root,
    tree: place.tree,
    load: (path) => loadFile(place, path),
    has: (name) => place.tree.stat(toTreePath(posix.join(place.root, name))) !== undefined,
    open: (path) => openDirectory(place, path),
  };
}

function openDirectory(place: Place, path: string): Loader {
  if (path === '') throw buildError('new root cannot be empty', 'LoadFailed');
  const repo = parseRepoUrl(path, place.options.warn);
  if (repo !== undefined) {
    for (let at: Place | undefined = place; at !== undefined; at = at.referrer) {
      if (at.repo?.raw.startsWith(repo.raw)) throw repoCycle(repo, at.repo);
    }
    return openRepository(repo, place, place.options);
  }
  if (path.startsWith('/')) throw buildError(`new root '${path}' cannot be absolute`, 'LoadFailed');
  if (place.jailed && leavesRoot(place.root, path)) {
    throw containingRepo(place) === undefined ? outside(path) : outsideRepo(path);
  }
  const root = confirmDirectory(place, posix.join(place.root, path), '/');
  for (let at: Place | undefined = place; at !== undefined && at.tree === place.tree; at = at.referrer) {
    if (isWithin(at.root, root)) {
      throw buildError(`cycle detected: candidate root '${root}' contains visited root '${at.root}'`, 'LoadFailed');
    }
  }
  return toLoader({ ...place, root, referrer: place, repo: undefined });
}

function openRepository(repo: RepoUrl, referrer: Place | undefined, options: LoaderOptions): Loader {
  const key = `${repo.cloneUrl}?ref=${repo.ref}${repo.submodules ? '' : '&submodules=false'}`;
  const answer = options.fetched?.repository(key);
  if (answer === undefined) {
    const { cloneUrl: url, ref, submodules, timeoutMs } = repo;
    throw new MissingSignal({ what: 'repository', key, url, ref, submodules, timeoutMs });
  }
  if ('error' in answer) {
    const command = `git fetch --depth=1 ${repo.cloneUrl} ${repo.ref || 'HEAD'}`;
    throw buildError(`failed to run '${command}': ${answer.error}`, 'LoadFailed');
  }
  const fence = { tree: answer.tree, jailed: true };
  const { directory, file } = resolvePath(fence, `/${repo.path}`);
  if (file !== '') throw buildError(`'/${repo.path}' refers to file '${file}'; expecting directory`, 'LoadFailed');
  return toLoader({ ...fence, root: directory, referrer, rootOnly: true, repo, options });
}

function loadFile(place: Place, path: string): Uint8Array {
  if (isRemoteFile(path)) return loadUrl(place, path);
  if (place.jailed && !path.startsWith('/') && leavesRoot(place.root, path)) throw outside(path);
  let absolute = path.startsWith('/') ? path : posix.join(place.root, path);
  if (place.rootOnly) {
    const { directory, file } = resolvePath(place, absolute);
    if (file === '') throw buildError(`'${absolute}' must resolve to a file`, 'LoadFailed');
    if (!isWithin(directory, place.root)) {
      throw buildError(`security; file '${absolute}' is not in or below '${place.root}'`, 'LoadFailed');
    }
    absolute = posix.join(directory, file);
    return limited(place.tree.read(toTreePath(absolute)) ?? unreadable(absolute), absolute);
  }
  return readUnrestricted(place, absolute);
}

function readUnrestricted(fence: Fence, path: string): Uint8Array {
  let found: { readonly directory: string; readonly file: string };
  try {
    found = resolvePath(fence, path);
  } catch {
    throw buildError(`open ${path}: no such file or directory`, 'LoadFailed');
  }
  if (found.file === '') throw buildError(`read ${path}: is a directory`, 'LoadFailed');
  return limited(fence.tree.read(toTreePath(posix.join(found.directory, found.file))) ?? unreadable(path), path);
}

/** Larger files have no place in manifests: the API server refuses objects long before. */
const MAX_FILE_BYTES = 32 * 1024 * 1024;

function limited(bytes: Uint8Array, path: string): Uint8Array {
  if (bytes.length <= MAX_FILE_BYTES) return bytes;
  throw buildError(`file '${path}' has ${bytes.length} bytes, more than the ${MAX_FILE_BYTES} allowed`, 'LoadFailed');
}

function unreadable(path: string): never {
  throw buildError(`open ${path}: permission denied`, 'LoadFailed');
}

function loadUrl(place: Place, url: string): Uint8Array {
  const answer = place.options.fetched?.file(url);
  if (answer === undefined) throw new MissingSignal({ what: 'file', url });
  if ('bytes' in answer) return answer.bytes;
  if ('error' in answer) throw buildError(answer.error, 'LoadFailed');
  if (parseRepoUrl(url) !== undefined) throw buildError('URL is a git repository', 'LoadFailed');
  const message = `HTTP Error: status code ${answer.status} (${answer.statusText})`;
  throw new BuildError('LoadFailed', message, { http: true });
}

/** True when the directory is `outer` or below it. */
function isWithin(directory: string, outer: string): boolean {
  return outer === '/' || directory === outer || directory.startsWith(`${outer}/`);
}

function leavesRoot(root: string, path: string): boolean {
  return posix.join(root.slice(1), path).split('/')[0] === '..';
}

function containingRepo(place: Place): RepoUrl | undefined {
  for (let at: Place | undefined = place; at !== undefined; at = at.referrer) if (at.repo !== undefined) return at.repo;
  return undefined;
}

function outside(path: string): Error {
  return buildError(`path '${path}' leads out of the root`, 'LoadFailed');
}

function outsideRepo(path: string): Error {
  return buildError(
    `security; bases in kustomizations found in cloned git repos must be within the repo, but base '${path}' is outside '/'`,
    'LoadFailed',
  );
}

function toTreePath(absolute: string): string {
  return absolute.slice(1);
}

function confirmDirectory(fence: Fence, path: string, cwd: string): string {
  if (path === '') throw buildError('must build at directory: directory path cannot be empty', 'LoadFailed');
  try {
    const { directory, file } = resolvePath(fence, path, cwd);
    if (file !== '') throw buildError(`'${path}': file is not directory`, 'LoadFailed');
    return directory;
  } catch (error) {
    const missing = error instanceof BuildError && error.message.startsWith('evalsymlink');
    throw wrapError(error, missing ? 'must build at directory: not a valid directory' : 'must build at directory');
  }
}

/** As many links Go follows on one path. */
const MAX_LINKS = 255;

/**
 * Follows all links of a path. Answers the directory and the file in it, '' when the path is a directory.
 * Throws with the first component that is missing.
 */
function resolvePath(fence: Fence, path: string, cwd = '/'): { readonly directory: string; readonly file: string } {
  const absolute = posix.resolve(cwd, path);
  const fail = (reason: string): never => {
    throw buildError(`evalsymlink failure on '${path}' : ${reason}`, 'LoadFailed');
  };
  const pending = absolute
    .split('/')
    .filter((segment) => segment !== '')
    .reverse();
  let current = '/';
  let kind: 'dir' | 'file' = 'dir';
  for (let links = 0; pending.length > 0; ) {
    const segment = pending.pop()!;
    if (segment === '' || segment === '.') continue;
    if (segment === '..') {
      if (current === '/' && fence.jailed) return fail('symbolic link leads out of the root');
      current = posix.dirname(current);
      continue;
    }
    if (kind === 'file') return fail('not a directory');
    const next = posix.join(current, segment);
    const entry = fence.tree.stat(toTreePath(next)) ?? fail(`lstat ${next}: no such file or directory`);
    if (entry.kind !== 'symlink') {
      current = next;
      kind = entry.kind;
      continue;
    }
    links += 1;
    if (links > MAX_LINKS) return fail('EvalSymlinks: too many links');
    const target = fence.tree.readLink(toTreePath(next)) ?? '';
    if (target.startsWith('/')) {
      if (fence.jailed) return fail('symbolic link leads out of the root');
      current = '/';
    }
    pending.push(...target.split('/').reverse());
  }
  if (kind === 'dir') return { directory: current, file: '' };
  return { directory: posix.dirname(current), file: posix.basename(current) };
}
