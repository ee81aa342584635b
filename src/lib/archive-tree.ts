// Owns reading the files of a gzipped tar archive as a FileTree, unpacked in memory.
import { gunzipSync } from 'node:zlib';
import type { FileTree } from './filetree.ts';
import { createMemoryTree, type MemoryFile } from './memory-tree.ts';
import { readTar } from './tar.ts';

const MAX_UNPACKED_BYTES = 1024 * 1024 * 1024;

/** The regular files of an archive, and the bytes they take unpacked. Throws what gunzip and the tar reader throw. */
export function openArchiveTree(archive: Uint8Array): { readonly tree: FileTree; readonly bytes: number } {
  const tar = gunzipSync(archive, { maxOutputLength: MAX_UNPACKED_BYTES });
  const files = new Map<string, MemoryFile>();
  for (const entry of readTar(tar, { maxBytes: MAX_UNPACKED_BYTES })) {
    if (entry.kind === 'file') files.set(entry.path, { content: entry.data, executable: entry.executable });
  }
  return { tree: createMemoryTree(files), bytes: tar.length };
}
