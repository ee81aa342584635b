// Owns reading the files of a gzipped tar archive as a FileTree, unpacked in memory.
import { gunzipSync } from 'node:zlib';
import type { FileTree } from './filetree.ts';
import { createMemoryTree, type MemoryFile } from './memory-tree.ts';
import { readTar } from './tar.ts';

/** 1 GiB: bound on what an archive holds unpacked. */
export const MAX_UNPACKED_BYTES = 1024 * 1024 * 1024;
// As many as an archive of ours may hold (lib/source-tree.ts).
const MAX_ENTRIES = 2_000_000;

/** The regular files of an archive. Throws what gunzip and the tar reader throw. */
export function openArchiveTree(archive: Uint8Array): FileTree {
  return openTarTree(gunzipSync(archive, { maxOutputLength: MAX_UNPACKED_BYTES }), MAX_UNPACKED_BYTES);
}

/** The regular files of an archive that is unzipped already. Throws what the tar reader throws. */
export function openTarTree(tar: Uint8Array, maxBytes: number): FileTree {
  const files = new Map<string, MemoryFile>();
  for (const entry of readTar(tar, { maxBytes, maxEntries: MAX_ENTRIES })) {
    if (entry.kind === 'file') files.set(entry.path, { content: entry.data, executable: entry.executable });
  }
  return createMemoryTree(files);
}
