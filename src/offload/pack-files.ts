// Owns packing what is no Git tree: a layer out of a registry, or files in a folder. The archive is the same as for a
// Git source with the same files (pack-archive.ts).
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { CodedError, errorCode } from '../lib/errors.ts';
import type { FileTree } from '../lib/filetree.ts';
import { createMemoryTree, type MemoryFile } from '../lib/memory-tree.ts';
import { ignoreFoldersOf, ignorePatternsOf } from '../lib/source-tree.ts';
import { readTar } from '../lib/tar.ts';
import { type WrittenArchive, writeArchive } from './pack-archive.ts';

/** A layer that is no archive that can be unpacked. */
export class LayerError extends CodedError<'LayerInvalid' | 'LayerTooLarge', Record<string, never>> {}

/** A layer to unpack and pack anew. Plain data: it crosses to a worker. */
export interface PackLayerInput {
  /** The layer, a tar archive with gzip. */
  readonly layer: string;
  readonly ignore?: string | undefined;
  /** Where the archive goes. */
  readonly path: string;
}

/** The most that a layer may unpack to, in bytes. */
const MAX_UNPACKED_BYTES = 256 * 1024 * 1024;

/** Packs the files of a layer; links are left out, as everywhere. Throws LayerError, TarError. */
export async function packLayer({ layer, ignore, path }: PackLayerInput): Promise<WrittenArchive> {
  const tree = unpack(await readFile(layer));
  return writeArchive(tree, ignorePatternsOf(tree, ignoreFoldersOf(tree), ignore), path);
}

function unpack(bytes: Buffer): FileTree {
  const files = new Map<string, MemoryFile>();
  for (const entry of readTar(unzip(bytes), { maxBytes: MAX_UNPACKED_BYTES })) {
    if (entry.kind === 'file') files.set(entry.path, { content: entry.data, executable: entry.executable });
  }
  return createMemoryTree(files);
}

function unzip(bytes: Buffer): Buffer {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) {
    throw new LayerError('LayerInvalid', 'requires gzip-compressed body: gzip: invalid header', {});
  }
  try {
    return gunzipSync(bytes, { maxOutputLength: MAX_UNPACKED_BYTES });
  } catch (cause) {
    if (errorCode(cause) !== 'ERR_BUFFER_TOO_LARGE')
      throw new LayerError('LayerInvalid', 'unexpected EOF', {}, { cause });
    throw new LayerError('LayerTooLarge', `layer unpacks to more than ${MAX_UNPACKED_BYTES} bytes`, {}, { cause });
  }
}

/** Files in a folder to pack. Plain data: it crosses to a worker. */
export interface PackFilesInput {
  readonly folder: string;
  /** Paths in the archive; each file lies in the folder under the number that is its place. */
  readonly files: readonly { readonly file: string; readonly place: number }[];
  /** Where the archive goes. */
  readonly path: string;
}

/** Packs files as they are; what is left out was decided before. */
export async function packFiles({ folder, files, path }: PackFilesInput): Promise<WrittenArchive> {
  const places = new Map(files.map(({ file, place }) => [file, place]));
  const tree = createMemoryTree(new Map(files.map(({ file }) => [file, ''])));
  const read = (file: string): Uint8Array | undefined => {
    const place = places.get(file);
    return place === undefined ? undefined : readFileSync(join(folder, String(place)));
  };
  return writeArchive({ ...tree, read }, [], path);
}
