// Owns what of a source's files goes into its artifact: sparse folders, ignore files, no links (flux.md §2.5). Both the
// archive and the view that is rendered from come from here, so they cannot differ.
import { CodedError } from './errors.ts';
import type { FileTree, TreeEntry } from './filetree.ts';
import { type IgnorePattern, isIgnored, parseIgnore, withDefaultIgnores } from './ignore.ts';

/** A tree that cannot be walked: a few hundred bytes of Git objects can name billions of paths, or endless depth. */
export class SourceTreeError extends CodedError<'SourceTooLarge' | 'SourceTooDeep', { limit: number }> {}

/** Bounds of a walk. */
export interface WalkLimits {
  /** Names in all folders together. @default 2,000,000 */
  readonly maxEntries?: number;
  /** Folders inside each other. @default 500 */
  readonly maxDepth?: number;
}

/** Name of the files that say what to leave out. */
export const IGNORE_FILE = '.sourceignore';

/** One entry of an artifact. */
export interface SourceEntry {
  readonly path: string;
  readonly kind: 'file' | 'dir';
  readonly executable: boolean;
}

/**
 * The folders of a tree that have an ignore file, in the order in which their patterns count.
 * Every folder is looked into, so this is also where a tree that is too large or too deep is refused.
 * @throws SourceTreeError
 */
export function ignoreFoldersOf(tree: FileTree, limits: WalkLimits = {}): string[] {
  const { maxEntries = 2_000_000, maxDepth = 500 } = limits;
  const folders: string[] = [];
  let entries = 0;
  const visit = (path: string, depth: number): void => {
    if (depth > maxDepth) {
      throw new SourceTreeError('SourceTooDeep', `folders are nested more than ${maxDepth} deep`, { limit: maxDepth });
    }
    if (tree.stat(join(path, IGNORE_FILE))?.kind === 'file') folders.push(path);
    const listing = tree.list(path) ?? [];
    entries += listing.length;
    if (entries > maxEntries) {
      throw new SourceTreeError('SourceTooLarge', `the source has more than ${maxEntries} files`, {
        limit: maxEntries,
      });
    }
    for (const entry of listing) {
      if (entry.kind === 'dir' && entry.name !== '.git') visit(join(path, entry.name), depth + 1);
    }
  };
  visit('', 0);
  return folders;
}

/**
 * All patterns in force for a tree: of its ignore files, each for its folder, then those of the object's spec.
 * @param folders as `ignoreFoldersOf` gave them
 */
export function ignorePatternsOf(tree: FileTree, folders: readonly string[], specIgnore?: string): IgnorePattern[] {
  const patterns: IgnorePattern[] = [];
  for (const folder of folders) {
    const text = tree.read(join(folder, IGNORE_FILE));
    const domain = folder === '' ? [] : folder.split('/');
    if (text !== undefined) patterns.push(...parseIgnore(Buffer.from(text).toString('utf8'), domain));
  }
  if (specIgnore !== undefined) patterns.push(...parseIgnore(specIgnore));
  return withDefaultIgnores(patterns);
}

/** Everything that belongs into the archive, in its order: each folder's names in byte order, a folder before its files. */
export function* sourceEntries(tree: FileTree, patterns: readonly IgnorePattern[], path = ''): Generator<SourceEntry> {
  for (const entry of tree.list(path) ?? []) {
    if (entry.kind === 'symlink') continue;
    const whole = join(path, entry.name);
    const isDir = entry.kind === 'dir';
    if (!isIgnored(patterns, whole, isDir)) {
      yield { path: whole, kind: isDir ? 'dir' : 'file', executable: entry.executable };
    }
    // An ignored folder is looked into as well: what is in it is judged on its own.
    if (isDir) yield* sourceEntries(tree, patterns, whole);
  }
}

/** The tree as somebody sees it who unpacked the archive. */
export function sourceTree(tree: FileTree, patterns: readonly IgnorePattern[]): FileTree {
  const isVisible = (path: string, entry: TreeEntry): boolean => {
    if (entry.kind === 'symlink') return false;
    if (!isIgnored(patterns, path, entry.kind === 'dir')) return true;
    if (entry.kind !== 'dir') return false;
    return (tree.list(path) ?? []).some((child) => isVisible(join(path, child.name), child));
  };
  return filterTree(tree, isVisible);
}

/**
 * Only what `spec.sparseCheckout` names. An entry is a plain prefix of paths, as in Flux: `app` keeps `app2/x` too.
 * A leading `./` is of no account. An empty list keeps everything.
 */
export function sparseTree(tree: FileTree, folders: readonly string[]): FileTree {
  if (folders.length === 0) return tree;
  const prefixes = folders.map(trimSparse);
  const isVisible = (path: string, entry: TreeEntry): boolean => {
    if (entry.kind !== 'dir') return prefixes.some((prefix) => path.startsWith(prefix));
    if (prefixes.some((prefix) => `${path}/`.startsWith(prefix))) return true;
    if (!prefixes.some((prefix) => prefix.startsWith(`${path}/`))) return false;
    return (tree.list(path) ?? []).some((child) => isVisible(join(path, child.name), child));
  };
  return filterTree(tree, isVisible);
}

/** A sparse folder as it is compared: without a leading `./`. */
export function trimSparse(folder: string): string {
  return folder.replace(/^(?:\.\/)+/, '');
}

function filterTree(tree: FileTree, isVisible: (path: string, entry: TreeEntry) => boolean): FileTree {
  const visible = (path: string): TreeEntry | undefined => {
    const entry = tree.stat(path);
    if (entry === undefined || path === '') return entry;
    return isVisible(path, entry) ? entry : undefined;
  };
  return {
    stat: visible,
    read: (path) => (visible(path) === undefined ? undefined : tree.read(path)),
    readLink: (path) => (visible(path) === undefined ? undefined : tree.readLink(path)),
    blobId: (path) => (visible(path) === undefined ? undefined : tree.blobId?.(path)),
    list: (path) => {
      if (path !== '' && visible(path) === undefined) return undefined;
      return tree.list(path)?.filter((entry) => isVisible(join(path, entry.name), entry));
    },
  };
}

function join(path: string, name: string): string {
  return path === '' ? name : `${path}/${name}`;
}
