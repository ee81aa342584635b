// Owns writing an artifact's archive: a tar stream that equals Flux's for the same files, gzipped, with its digest.
// The file comes under the name that it is given; renaming it into place is the store's business.
import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { FileTree } from '../lib/filetree.ts';
import type { IgnorePattern } from '../lib/ignore.ts';
import { ignorePatternsOf, sourceEntries } from '../lib/source-tree.ts';
import { type TarInput, writeTar } from '../lib/tar.ts';
import { type ContentRecipe, createPackOpener, openWorkTree } from './git/recipe.ts';

/** What to pack. Plain data: it crosses to a worker. */
export interface PackArchiveInput {
  readonly content: ContentRecipe;
  /** Where the archive goes. */
  readonly path: string;
  readonly maxObjectBytes: number;
}

/** What was packed. */
export interface PackArchiveOutput {
  /** `sha256:<hex>` of the file. */
  readonly digest: string;
  /** Bytes of the file. */
  readonly size: number;
  /** Regular files in it. */
  readonly files: number;
}

const FILE_MODE = 0o600;
const EXECUTABLE_MODE = 0o700;
const DIR_MODE = 0o750;
const TAR_END_BYTES = 1024;
const BATCH_BYTES = 256 * 1024;
// Manifests shrink nearly as much as at the default level, for half the CPU.
const GZIP_LEVEL = 4;

/** Writes the archive; it is on disk, synced, when this returns. Throws GitError when an object is absent. */
export async function packArchive(input: PackArchiveInput): Promise<PackArchiveOutput> {
  const packs = createPackOpener(input.maxObjectBytes);
  try {
    const tree = openWorkTree(input.content, packs.open);
    return await writeArchive(tree, ignorePatternsOf(tree, input.content.ignore), input.path);
  } finally {
    packs.close();
  }
}

/** Writes the archive of any tree. Throws what reading the tree throws. */
export async function writeArchive(
  tree: FileTree,
  patterns: readonly IgnorePattern[],
  path: string,
): Promise<PackArchiveOutput> {
  const file = await open(path, 'wx', FILE_MODE);
  try {
    const hash = createHash('sha256');
    let size = 0;
    let files = 0;
    const count = () => files++;
    await pipeline(
      Readable.from(tarBatches(tree, patterns, count), { objectMode: false }),
      createGzip({ level: GZIP_LEVEL }),
      async (chunks: AsyncIterable<Buffer>) => {
        for await (const chunk of chunks) {
          hash.update(chunk);
          size += chunk.length;
          await file.write(chunk);
        }
      },
    );
    await file.sync();
    return { digest: `sha256:${hash.digest('hex')}`, size, files };
  } finally {
    await file.close();
  }
}

// Entries are joined to batches: a write per small file would cost more than packing it.
function* tarBatches(tree: FileTree, patterns: readonly IgnorePattern[], onFile: () => void): Generator<Buffer> {
  let batch: Uint8Array[] = [];
  let held = 0;
  for (const part of tarParts(tree, patterns, onFile)) {
    batch.push(part);
    held += part.length;
    if (held < BATCH_BYTES) continue;
    yield Buffer.concat(batch);
    batch = [];
    held = 0;
  }
  yield Buffer.concat([...batch, Buffer.alloc(TAR_END_BYTES)]);
}

function* tarParts(tree: FileTree, patterns: readonly IgnorePattern[], onFile: () => void): Generator<Uint8Array> {
  yield tarEntry({ name: '.', kind: 'dir', mode: DIR_MODE });
  for (const { path, kind, executable } of sourceEntries(tree, patterns)) {
    if (kind === 'dir') {
      yield tarEntry({ name: path, kind, mode: DIR_MODE });
      continue;
    }
    onFile();
    const data = tree.read(path) ?? new Uint8Array();
    yield tarEntry({ name: path, kind, mode: executable ? EXECUTABLE_MODE : FILE_MODE, data });
  }
}

function tarEntry(entry: TarInput): Uint8Array {
  // One entry at a time keeps memory at the size of the largest file; the end mark of each is cut off.
  const bytes = writeTar([entry]);
  return bytes.subarray(0, bytes.length - TAR_END_BYTES);
}
