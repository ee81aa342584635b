// Owns the view of a Git tree as a FileTree: lazy, synchronous, straight from objects. Where objects come from is the
// caller's business.
import type { EntryKind, FileTree, TreeEntry } from '../../lib/filetree.ts';
import { GitError } from './errors.ts';
import { asBuffer, type GitObject, type ObjectFormat } from './oid.ts';
import { type GitTreeEntry, parseTree } from './tree.ts';

/** What a view of a tree reads from. */
export interface ObjectReader {
  readonly format: ObjectFormat;
  /** The object with that name; undefined when it is not there. */
  read(oid: string): GitObject | undefined;
}

/** A directory that was read: entries in byte order of their names, and by name. */
interface Directory {
  readonly listing: readonly TreeEntry[];
  readonly byName: ReadonlyMap<string, GitTreeEntry>;
}

/** A FileTree that can also tell what stands behind a path. */
export interface ObjectTree extends FileTree {
  /** Name of the tree object. */
  readonly root: string;
  /** The Git entry at a path (submodules included); undefined when nothing stands there. The root has none. */
  entry(path: string): GitTreeEntry | undefined;
}

/**
 * The files below a tree object. Directories are parsed once and kept; blobs are read each time they are asked for.
 * @throws GitError GitObjectNotFound from any function when an object that the tree names is absent
 */
export function createObjectTree(objects: ObjectReader, rootOid: string): ObjectTree {
  const directories = new Map<string, Directory>();

  function directoryOf(oid: string, path: string): Directory {
    const known = directories.get(oid);
    if (known !== undefined) return known;
    const object = required(objects, oid, path);
    if (object.type !== 'tree') throw wrongType(oid, 'tree', object.type, path);
    const directory = toDirectory(parseTree(object.data, objects.format));
    directories.set(oid, directory);
    return directory;
  }

  function directoryAt(path: string): Directory | undefined {
    if (path === '') return directoryOf(rootOid, '');
    const found = entry(path);
    return found?.kind === 'tree' ? directoryOf(found.oid, path) : undefined;
  }

  function entry(path: string): GitTreeEntry | undefined {
    const slash = path.lastIndexOf('/');
    const parent = directoryAt(slash < 0 ? '' : path.slice(0, slash));
    return parent?.byName.get(path.slice(slash + 1));
  }

  function blob(path: string, wantLink: boolean): Uint8Array | undefined {
    const found = entry(path);
    if (found === undefined || found.kind === 'tree' || found.kind === 'commit') return undefined;
    if ((found.kind === 'link') !== wantLink) return undefined;
    const object = required(objects, found.oid, path);
    if (object.type !== 'blob') throw wrongType(found.oid, 'blob', object.type, path);
    return object.data;
  }

  return {
    root: rootOid,
    entry,
    stat(path) {
      if (path === '') return { name: '', kind: 'dir', executable: false };
      const found = entry(path);
      return found === undefined ? undefined : toListingEntry(found);
    },
    list: (path) => directoryAt(path)?.listing,
    read: (path) => blob(path, false),
    readLink(path) {
      const data = blob(path, true);
      return data === undefined ? undefined : asBuffer(data).toString('utf8');
    },
    blobId(path) {
      const found = objects.format === 'sha1' ? entry(path) : undefined;
      return found?.kind === 'file' || found?.kind === 'executable' ? found.oid : undefined;
    },
  };
}

function toDirectory(entries: readonly GitTreeEntry[]): Directory {
  const byName = new Map<string, GitTreeEntry>();
  const listing: TreeEntry[] = [];
  for (const entry of entries) {
    byName.set(entry.name, entry);
    const listed = toListingEntry(entry);
    if (listed !== undefined) listing.push(listed);
  }
  // Git sorts a directory as if its name ended in a slash; a FileTree lists by plain names.
  listing.sort((a, b) => (isAscii(a.name) && isAscii(b.name) ? (a.name < b.name ? -1 : 1) : compareBytes(a, b)));
  return { listing, byName };
}

function isAscii(text: string): boolean {
  for (let index = 0; index < text.length; index++) if (text.charCodeAt(index) > 0x7f) return false;
  return true;
}

function compareBytes(a: TreeEntry, b: TreeEntry): number {
  return Buffer.from(a.name).compare(Buffer.from(b.name));
}

const KIND_OF: Readonly<Record<GitTreeEntry['kind'], EntryKind | undefined>> = {
  file: 'file',
  executable: 'file',
  link: 'symlink',
  tree: 'dir',
  commit: undefined,
};

function toListingEntry(entry: GitTreeEntry): TreeEntry | undefined {
  const kind = KIND_OF[entry.kind];
  return kind === undefined ? undefined : { name: entry.name, kind, executable: entry.kind === 'executable' };
}

function required(objects: ObjectReader, oid: string, path: string): GitObject {
  const object = objects.read(oid);
  if (object !== undefined) return object;
  throw new GitError('GitObjectNotFound', `object ${oid} of '${path}' is not in the store`, { oid, path });
}

function wrongType(oid: string, want: string, got: string, path: string): GitError {
  return new GitError('GitCorruptObject', `object ${oid} of '${path}' is a ${got}, not a ${want}`, { oid, path });
}
