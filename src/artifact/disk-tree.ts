// Owns a FileTree over a real directory, read when it is asked for. Links are reported, never followed. What was read
// once is kept, so that a build sees one state of each file.
import { lstatSync, readdirSync, readFileSync, readlinkSync, type Stats } from 'node:fs';
import { join } from 'node:path';
import { errorCode } from '../lib/errors.ts';
import type { EntryKind, FileTree, TreeEntry } from '../lib/filetree.ts';
import { compareBytes } from '../lib/memory-tree.ts';

/** A tree of the directory at `root`; `/` gives the whole file system. Unreadable things count as absent. */
export function createDiskTree(root: string): FileTree {
  const entries = new Map<string, TreeEntry | undefined>();
  const contents = new Map<string, Uint8Array | undefined>();
  const listings = new Map<string, readonly TreeEntry[] | undefined>();
  const stat = (path: string): TreeEntry | undefined =>
    remember(entries, path, () => {
      const stats = unlessAbsent(() => lstatSync(join(root, path)));
      return stats === undefined ? undefined : toEntry(path.slice(path.lastIndexOf('/') + 1), stats);
    });
  return {
    stat,
    read: (path) => {
      if (stat(path)?.kind !== 'file') return undefined;
      return remember(contents, path, () => unlessAbsent(() => readFileSync(join(root, path))));
    },
    list: (path) => {
      if (path !== '' && stat(path)?.kind !== 'dir') return undefined;
      return remember(listings, path, () => {
        const names = unlessAbsent(() => readdirSync(join(root, path)));
        return names?.sort(compareBytes).flatMap((name) => stat(path === '' ? name : `${path}/${name}`) ?? []);
      });
    },
    readLink: (path) =>
      stat(path)?.kind === 'symlink' ? unlessAbsent(() => readlinkSync(join(root, path))) : undefined,
  };
}

function remember<T>(known: Map<string, T>, key: string, make: () => T): T {
  if (!known.has(key)) known.set(key, make());
  return known.get(key)!;
}

const ABSENT = new Set([
  'ENOENT',
  'ENOTDIR',
  'EACCES',
  'EPERM',
  'ELOOP',
  'ENAMETOOLONG',
  'EISDIR',
  'ERR_INVALID_ARG_VALUE',
]);

function unlessAbsent<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (ABSENT.has(errorCode(error) ?? '')) return undefined;
    throw error;
  }
}

function toEntry(name: string, stats: Stats): TreeEntry | undefined {
  const kind = kindOf(stats);
  return kind === undefined ? undefined : { name, kind, executable: kind === 'file' && (stats.mode & 0o111) !== 0 };
}

function kindOf(stats: Stats): EntryKind | undefined {
  if (stats.isFile()) return 'file';
  if (stats.isDirectory()) return 'dir';
  return stats.isSymbolicLink() ? 'symlink' : undefined;
}
