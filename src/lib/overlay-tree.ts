// Owns a FileTree with files or whole trees laid over another one. The lower tree is not changed.
import type { FileTree, TreeEntry } from './filetree.ts';
import { compareBytes, createMemoryTree, type MemoryFile } from './memory-tree.ts';

/** `upper` wins where both have a path; folders are joined. */
export function overlayTree(lower: FileTree, upper: FileTree): FileTree {
  const hidden = (path: string): boolean => {
    const above = upper.stat(path);
    return above !== undefined && above.kind !== 'dir';
  };
  const stat = (path: string): TreeEntry | undefined =>
    upper.stat(path) ?? (isBelowFile(upper, path) ? undefined : lower.stat(path));
  return {
    stat,
    read: (path) => upper.read(path) ?? (hidden(path) || isBelowFile(upper, path) ? undefined : lower.read(path)),
    readLink: (path) =>
      upper.readLink(path) ?? (hidden(path) || isBelowFile(upper, path) ? undefined : lower.readLink(path)),
    list: (path) => {
      if (hidden(path)) return undefined;
      const above = upper.list(path);
      const below = lower.list(path);
      if (above === undefined || below === undefined) return above ?? below;
      const names = new Map([...below, ...above].map((entry) => [entry.name, entry]));
      return [...names.values()].sort((a, b) => compareBytes(a.name, b.name));
    },
  };
}

/** A few files laid over a tree. */
export function overlayFiles(
  lower: FileTree,
  files: ReadonlyMap<string, MemoryFile> | Readonly<Record<string, MemoryFile>>,
): FileTree {
  return overlayTree(lower, createMemoryTree(files));
}

/** `mounted` appears as the folder `path` of `lower`. */
export function mountTree(lower: FileTree, path: string, mounted: FileTree): FileTree {
  const inside = (whole: string): string | undefined => {
    if (whole === path) return '';
    return whole.startsWith(`${path}/`) ? whole.slice(path.length + 1) : undefined;
  };
  const folders = createMemoryTree({ [`${path}/.`]: '' });
  const route = <T>(whole: string, read: (tree: FileTree, path: string) => T): T => {
    const inner = inside(whole);
    return inner === undefined ? read(lower, whole) : read(mounted, inner);
  };
  return {
    read: (whole) => route(whole, (tree, inner) => tree.read(inner)),
    readLink: (whole) => route(whole, (tree, inner) => tree.readLink(inner)),
    stat: (whole) => {
      if (whole === path) return { name: path.slice(path.lastIndexOf('/') + 1), kind: 'dir', executable: false };
      return (
        route(whole, (tree, inner) => tree.stat(inner)) ??
        (inside(whole) === undefined ? folders.stat(whole) : undefined)
      );
    },
    list: (whole) => {
      if (inside(whole) !== undefined) return mounted.list(inside(whole)!);
      const below = lower.list(whole);
      const own = folders.list(whole);
      if (below === undefined || own === undefined) return below ?? own;
      const names = new Map([...below, ...own].map((entry) => [entry.name, entry]));
      return [...names.values()].sort((a, b) => compareBytes(a.name, b.name));
    },
  };
}

function isBelowFile(tree: FileTree, path: string): boolean {
  for (let slash = path.lastIndexOf('/'); slash > 0; slash = path.lastIndexOf('/', slash - 1)) {
    const kind = tree.stat(path.slice(0, slash))?.kind;
    if (kind !== undefined) return kind !== 'dir';
  }
  return false;
}
