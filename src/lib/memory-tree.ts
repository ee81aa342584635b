// Owns a FileTree held in memory, for tests, generated files and fetched bases.
import type { EntryKind, FileTree, TreeEntry } from './filetree.ts';

/** A file's bytes or text, or a link to a target. */
export type MemoryFile =
  | string
  | Uint8Array
  | { readonly link: string }
  | { readonly content: string | Uint8Array; readonly executable: boolean };

interface MemoryNode {
  readonly kind: EntryKind;
  readonly executable: boolean;
  readonly bytes: Uint8Array | undefined;
  readonly link: string | undefined;
}

/** Makes a tree of canonical paths (`a/b.yaml`); folders come from the paths. Text is UTF-8. */
export function createMemoryTree(
  files: ReadonlyMap<string, MemoryFile> | Readonly<Record<string, MemoryFile>>,
): FileTree {
  const nodes = new Map<string, MemoryNode>();
  const children = new Map<string, Set<string>>([['', new Set()]]);
  for (const [path, file] of files instanceof Map ? files : Object.entries(files)) {
    addFolders(path, children);
    nodes.set(path, toNode(file));
  }
  const entryOf = (path: string): TreeEntry | undefined => {
    const name = path.slice(path.lastIndexOf('/') + 1);
    const node = nodes.get(path);
    if (node !== undefined) return { name, kind: node.kind, executable: node.executable };
    return children.has(path) ? { name, kind: 'dir', executable: false } : undefined;
  };
  return {
    stat: entryOf,
    read: (path) => nodes.get(path)?.bytes,
    readLink: (path) => nodes.get(path)?.link,
    list: (path) => {
      const names = children.get(path);
      if (names === undefined) return undefined;
      return [...names].sort(compareBytes).map((name) => entryOf(path === '' ? name : `${path}/${name}`)!);
    },
  };
}

function addFolders(path: string, children: Map<string, Set<string>>): void {
  const segments = path.split('/');
  let folder = '';
  segments.forEach((segment, index) => {
    children.get(folder)!.add(segment);
    folder = folder === '' ? segment : `${folder}/${segment}`;
    if (index < segments.length - 1 && !children.has(folder)) children.set(folder, new Set());
  });
}

function toNode(file: MemoryFile): MemoryNode {
  if (typeof file === 'string')
    return { kind: 'file', executable: false, bytes: Buffer.from(file, 'utf8'), link: undefined };
  if (file instanceof Uint8Array) return { kind: 'file', executable: false, bytes: file, link: undefined };
  if ('link' in file) return { kind: 'symlink', executable: false, bytes: undefined, link: file.link };
  return { ...toNode(file.content), executable: file.executable };
}

/** Byte order of UTF-8 names, as Git and Go list them. */
export function compareBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a, 'utf8'), Buffer.from(b, 'utf8'));
}
