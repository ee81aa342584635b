// Owns the FileTree of a folder on disk, for commands that render what lies there. Reading is synchronous: a command
// does nothing else meanwhile.
import { type Dirent, lstatSync, readdirSync, readFileSync, readlinkSync, type Stats } from 'node:fs';
import { join, posix } from 'node:path';
import type { EntryKind, FileTree, TreeEntry } from '../lib/filetree.ts';
import { compareBytes } from '../lib/memory-tree.ts';

/**
 * A tree of everything below a folder. With the root folder `/` absolute links lead to where they say; below any other
 * they lead out of the tree, which those who follow them refuse.
 */
export function createDiskTree(root: string): FileTree {
  const place = (path: string) => join(root, path);
  return {
    stat: (path) => {
      const stats = attempt(() => lstatSync(place(path)));
      const kind = stats === undefined ? undefined : kindOf(stats);
      return kind === undefined ? undefined : toEntry(path.slice(path.lastIndexOf('/') + 1), kind, stats!.mode);
    },
    read: (path) => attempt(() => (lstatSync(place(path)).isFile() ? readFileSync(place(path)) : undefined)),
    list: (path) =>
      attempt(() => readdirSync(place(path), { withFileTypes: true }))
        ?.flatMap((entry) => listed(place(path), entry))
        .sort((a, b) => compareBytes(a.name, b.name)),
    readLink: (path) => {
      const target = attempt(() => readlinkSync(place(path)));
      if (target === undefined || root !== '/' || !posix.isAbsolute(target)) return target;
      return posix.relative(`/${posix.dirname(path)}`, target) || '.';
    },
  };
}

function listed(folder: string, entry: Dirent): TreeEntry[] {
  const kind = kindOf(entry);
  if (kind === undefined) return [];
  const mode = kind === 'file' ? (attempt(() => lstatSync(join(folder, entry.name)).mode) ?? 0) : 0;
  return [toEntry(entry.name, kind, mode)];
}

function toEntry(name: string, kind: EntryKind, mode: number): TreeEntry {
  return { name, kind, executable: kind === 'file' && (mode & 0o111) !== 0 };
}

function kindOf(entry: Stats | Dirent): EntryKind | undefined {
  if (entry.isFile()) return 'file';
  if (entry.isDirectory()) return 'dir';
  return entry.isSymbolicLink() ? 'symlink' : undefined;
}

/** Absence is a value; anything else that goes wrong is not. */
function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EINVAL') return undefined;
    throw error;
  }
}
