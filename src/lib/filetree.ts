// Owns the read-only view of a directory tree that engines render from. Where the bytes come from (Git objects, a
// disk folder, memory) is the caller's business; reading is synchronous by contract.

/** Kind of a directory entry. Anything else that a tree may hold (a Git submodule, a device) is left out of listings. */
export type EntryKind = 'file' | 'dir' | 'symlink';

/** One name in a directory listing. */
export interface TreeEntry {
  readonly name: string;
  readonly kind: EntryKind;
  /** True when the file has any execute bit. Always false for directories and links. */
  readonly executable: boolean;
}

/**
 * A directory tree rooted at ''. Paths are posix, relative to the root, without leading or trailing slash and
 * without `.` or `..` segments (`normalizeTreePath` makes them so). Links are not followed by these functions.
 */
export interface FileTree {
  /** What stands at the path itself (a link is reported as a link); undefined when nothing does. */
  stat(path: string): TreeEntry | undefined;
  /** Bytes of a regular file; undefined when the path is absent or no regular file. The caller must not change them. */
  read(path: string): Uint8Array | undefined;
  /** Entries of a directory in byte order of their names; undefined when the path is absent or no directory. */
  list(path: string): readonly TreeEntry[] | undefined;
  /** Target text of a symbolic link, unresolved; undefined when the path is no link. */
  readLink(path: string): string | undefined;
  /** Git's SHA-1 name of the bytes that `read` would give; undefined where it is not known without reading them. */
  blobId?(path: string): string | undefined;
}
