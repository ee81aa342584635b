// Owns writing an artifact's archive: a tar stream that equals Flux's for the same files, gzipped, with its digest.
// The file comes under the name that it is given; renaming it into place is the store's business.
import { createHash } from 'node:crypto';
import { open, rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { ObjectReader } from '../engines/git/object-tree.ts';
import type { FileTree } from '../lib/filetree.ts';
import type { IgnorePattern } from '../lib/ignore.ts';
import { ignoreFoldersOf, ignorePatternsOf, SourceTreeError, sourceEntries } from '../lib/source-tree.ts';
import { type TarInput, writeTar } from '../lib/tar.ts';
import {
  type ContentRecipe,
  createPackOpener,
  type GitTreeSource,
  type OpenObjects,
  openWorkTree,
} from './git/recipe.ts';
import { inSlices } from './slices.ts';

/** What to pack. Plain data: it crosses to a worker. */
export interface PackArchiveInput {
  readonly content: ContentRecipe;
  /** Where the archive goes. */
  readonly path: string;
  readonly maxObjectBytes: number;
}

/** What was packed. */
export interface WrittenArchive {
  /** `sha256:<hex>` of the file. */
  readonly digest: string;
  /** Bytes of the file. */
  readonly size: number;
  /** Regular files in it. */
  readonly files: number;
}

/** What was packed out of Git objects. */
export interface PackArchiveOutput extends WrittenArchive {
  /** For the recipe: folders that hold an ignore file. */
  readonly ignoreFolders: readonly string[];
}

const FILE_MODE = 0o600;
const EXECUTABLE_MODE = 0o700;
const DIR_MODE = 0o750;
const TAR_END_BYTES = 1024;
// One large file under a million names costs a server nothing.
const MAX_CONTENT_BYTES = 4 * 1024 * 1024 * 1024;
const BATCH_BYTES = 64 * 1024;
// Manifests shrink nearly as much as at the default level, for half the CPU.
const GZIP_LEVEL = 4;

/** Writes the archive; it is on disk, synced, when this returns. Throws GitError when an object is absent. */
export async function packArchive(input: PackArchiveInput): Promise<PackArchiveOutput> {
  const packs = createPackOpener(input.maxObjectBytes);
  try {
    const tree = openWorkTree(input.content, packs.open);
    const ignoreFolders = ignoreFoldersOf(tree);
    const patterns = ignorePatternsOf(tree, ignoreFolders, input.content.ignore);
    return { ...(await writeArchive(tree, patterns, input.path)), ignoreFolders };
  } finally {
    packs.close();
  }
}

/** Objects whose sizes are known without building them. */
export interface SizedObjects extends ObjectReader {
  stat(oid: string): { readonly size: number } | undefined;
}

/** Content beyond it is not packed on the event loop: some 40 ms in slices, while a thread takes 180 ms to start and end. */
const SMALL = { objects: 2000, objectBytes: 256 * 1024, bytes: 2 * 1024 * 1024 } as const;

class NotSmall extends Error {}

/**
 * Writes the same archive as `packArchive` on the event loop, in slices. Undefined, and nothing is written, for content
 * that is not small. Throws GitError when an object is absent.
 */
export async function packSmallArchive(
  { content, path }: Pick<PackArchiveInput, 'content' | 'path'>,
  open: (source: GitTreeSource) => SizedObjects,
): Promise<PackArchiveOutput | undefined> {
  try {
    const tree = openWorkTree(content, onlySmall(open));
    const ignoreFolders = ignoreFoldersOf(tree, { maxEntries: SMALL.objects });
    const patterns = ignorePatternsOf(tree, ignoreFolders, content.ignore);
    return { ...(await writeArchive(tree, patterns, path, inSlices)), ignoreFolders };
  } catch (error) {
    if (!(error instanceof NotSmall || error instanceof SourceTreeError)) throw error;
    await rm(path, { force: true });
    return undefined;
  }
}

/** Objects that are read until they are too many, or too large. */
function onlySmall(open: (source: GitTreeSource) => SizedObjects): OpenObjects {
  let objectsLeft = SMALL.objects;
  let bytesLeft = SMALL.bytes;
  return (source) => {
    const objects = open(source);
    return {
      format: objects.format,
      read(oid) {
        const size = objects.stat(oid)?.size ?? 0;
        objectsLeft -= 1;
        bytesLeft -= size;
        if (objectsLeft < 0 || bytesLeft < 0 || size > SMALL.objectBytes) throw new NotSmall();
        return objects.read(oid);
      },
    };
  };
}

/**
 * Writes the archive of any tree. Throws what reading the tree throws.
 * @param handOn gives the parts to the writer, for whoever must not read them all in one go
 */
export async function writeArchive(
  tree: FileTree,
  patterns: readonly IgnorePattern[],
  path: string,
  handOn: (parts: Iterable<Buffer>) => Iterable<Buffer> | AsyncIterable<Buffer> = (parts) => parts,
): Promise<WrittenArchive> {
  const file = await open(path, 'wx', FILE_MODE);
  try {
    const hash = createHash('sha256');
    let size = 0;
    let files = 0;
    const count = () => files++;
    await pipeline(
      Readable.from(handOn(tarBatches(tree, patterns, count)), { objectMode: false }),
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
  const batch = new TarBatch();
  let bytes = 0;
  batch.add({ name: '.', kind: 'dir', mode: DIR_MODE });
  for (const { path, kind, executable } of sourceEntries(tree, patterns)) {
    if (kind === 'dir') {
      batch.add({ name: path, kind, mode: DIR_MODE });
    } else {
      onFile();
      const data = tree.read(path) ?? new Uint8Array();
      bytes += data.length;
      if (bytes > MAX_CONTENT_BYTES) {
        const message = `the source has more than ${MAX_CONTENT_BYTES} bytes of files`;
        throw new SourceTreeError('SourceTooLarge', message, { limit: MAX_CONTENT_BYTES });
      }
      batch.add({ name: path, kind, mode: executable ? EXECUTABLE_MODE : FILE_MODE, data });
    }
    yield* batch.takeFull();
  }
  batch.end();
  yield* batch.takeAll();
}

const BLOCK = 512;
const NAME_BYTES = 100;
const SUM_AT = 148;

/**
 * Tar entries in large buffers. A file of a usual name takes one copy of a prepared header and four fields; doing it
 * through general code takes ten times as long at 10,000 small files, most of it for garbage.
 */
class TarBatch {
  private buffer = Buffer.alloc(BATCH_BYTES);
  private filled = 0;
  private ready: Buffer[] = [];
  private readonly templates = new Map<string, { head: Buffer; sum: number }>();

  add(entry: TarInput): void {
    const data = entry.data ?? new Uint8Array();
    if (!isPlainName(entry.name)) {
      // One entry by the general writer, without its end mark.
      const bytes = writeTar([entry]);
      this.append(bytes, bytes.length - TAR_END_BYTES);
      return;
    }
    const at = this.reserve(BLOCK);
    this.writeHeader(at, entry, data.length);
    this.append(data, data.length);
    const rest = data.length % BLOCK;
    if (rest > 0) this.reserve(BLOCK - rest);
  }

  /** Two empty blocks end an archive. */
  end(): void {
    this.reserve(BLOCK);
    this.reserve(BLOCK);
  }

  *takeFull(): Generator<Buffer> {
    yield* this.ready.splice(0);
  }

  *takeAll(): Generator<Buffer> {
    this.turn();
    yield* this.ready.splice(0);
  }

  private writeHeader(at: number, entry: TarInput, size: number): void {
    const { head, sum } = this.template(entry);
    const { buffer } = this;
    head.copy(buffer, at);
    buffer.write(entry.name, at, 'latin1');
    let total = sum;
    for (let index = 0; index < entry.name.length; index++) total += buffer[at + index] as number;
    const digits = size.toString(8).padStart(11, '0');
    buffer.write(digits, at + 124, 'latin1');
    // The template counts eleven zeros; what a digit adds is its value.
    for (let index = 0; index < 11; index++) total += digits.charCodeAt(index) - 0x30;
    buffer.write(`${total.toString(8).padStart(6, '0')}\0 `, at + SUM_AT, 'latin1');
  }

  // The header of an empty, nameless entry of that kind and mode, and the sum of its bytes.
  private template(entry: TarInput): { head: Buffer; sum: number } {
    const key = `${entry.kind} ${entry.mode}`;
    const known = this.templates.get(key);
    if (known !== undefined) return known;
    const head = Buffer.from(writeTar([{ name: '', kind: entry.kind, mode: entry.mode }]).subarray(0, BLOCK));
    head.write('        ', SUM_AT, 'latin1');
    const template = { head, sum: head.reduce((total, byte) => total + byte, 0) };
    this.templates.set(key, template);
    return template;
  }

  /** Room for that many zero bytes in one piece. */
  private reserve(length: number): number {
    if (this.filled + length > this.buffer.length) this.turn();
    const at = this.filled;
    this.filled += length;
    return at;
  }

  private append(bytes: Uint8Array, length: number): void {
    for (let from = 0; from < length; ) {
      if (this.filled === this.buffer.length) this.turn();
      const count = Math.min(length - from, this.buffer.length - this.filled);
      this.buffer.set(bytes.subarray(from, from + count), this.filled);
      this.filled += count;
      from += count;
    }
  }

  private turn(): void {
    if (this.filled > 0) this.ready.push(this.buffer.subarray(0, this.filled));
    this.buffer = Buffer.alloc(BATCH_BYTES);
    this.filled = 0;
  }
}

// What stands in the name field as it is: everything else needs the prefix field or an extended header.
function isPlainName(name: string): boolean {
  if (name.length > NAME_BYTES) return false;
  for (let index = 0; index < name.length; index++) {
    const code = name.charCodeAt(index);
    if (code === 0 || code > 0x7f) return false;
  }
  return true;
}
