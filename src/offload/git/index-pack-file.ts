// Owns indexing a pack that lies in a file: finds its objects, completes it when it is thin, checks that the wanted
// commits are whole, writes the index beside it. Files come under temporary names; the store gives them their own.
import { createHash } from 'node:crypto';
import { closeSync, fsyncSync, ftruncateSync, openSync, readSync, writeFileSync, writeSync } from 'node:fs';
import { checkConnected } from '../../engines/git/connectivity.ts';
import { indexPack, type PackLimits } from '../../engines/git/index-pack.ts';
import type { GitObject, ObjectFormat } from '../../engines/git/oid.ts';
import { formatPackIdx, parsePackIdx } from '../../engines/git/pack-idx.ts';
import { createPackReader } from '../../engines/git/pack-reader.ts';
import { completeThinPack } from '../../engines/git/pack-write.ts';
import { type FileSource, listPacks, openFileSource, openPackFile } from './pack-file.ts';

/** What to index. Plain data: it crosses to a worker. */
export interface IndexPackInput {
  /** The received pack; it is completed in place. */
  readonly packPath: string;
  /** Where the index goes. */
  readonly idxPath: string;
  readonly format: ObjectFormat;
  readonly limits: PackLimits;
  /** The repository, for bases that the new pack lacks. */
  readonly dir: string;
  /** Objects that must be whole afterwards; nothing is checked when empty. */
  readonly roots: readonly string[];
  /** Whether blobs may be absent (a partial clone). */
  readonly partial: boolean;
}

/** What was found. */
export interface IndexPackOutput {
  readonly objects: number;
  /** Names the pack. */
  readonly checksum: string;
}

const WINDOW_BYTES = 1024 * 1024;

/** Indexes the pack. Both files are on disk, synced, when this returns. Throws GitError. */
export function indexPackFile(input: IndexPackInput): IndexPackOutput {
  const { format, limits } = input;
  const others = listPacks(input.dir).map((path) => openPackFile(path, format, limits));
  const readOther = (oid: string): GitObject | undefined => {
    for (const pack of others) if (pack.has(oid)) return pack.read(oid);
    return undefined;
  };
  let source: FileSource | undefined;
  try {
    source = openFileSource(input.packPath, WINDOW_BYTES);
    const indexed = indexPack(source, format, { limits, readExternal: readOther });
    source.close();
    const completion = completeThinPack(indexed, format);
    const checksum =
      completion === undefined
        ? indexed.checksum
        : rewrite(input.packPath, indexed.end, completion.header, completion.appended, format);
    const idx = formatPackIdx(completion?.columns ?? indexed.columns, checksum, format);
    source = openFileSource(input.packPath, WINDOW_BYTES);
    const parsed = parsePackIdx(idx, format);
    checkConnected(input.roots, createPackReader(source, parsed, format, limits), {
      format,
      hasElsewhere: (oid) => others.some((pack) => pack.has(oid)),
      partial: input.partial,
    });
    writeFileSync(input.idxPath, idx, { mode: 0o600, flush: true });
    if (completion === undefined) sync(input.packPath);
    return { objects: parsed.count, checksum };
  } finally {
    source?.close();
    for (const pack of others) pack.close();
  }
}

function rewrite(path: string, end: number, header: Buffer, appended: Buffer, format: ObjectFormat): string {
  const fd = openSync(path, 'r+');
  try {
    writeSync(fd, header, 0, header.length, 0);
    ftruncateSync(fd, end);
    writeSync(fd, appended, 0, appended.length, end);
    const total = end + appended.length;
    const hash = createHash(format);
    const window = Buffer.allocUnsafe(WINDOW_BYTES);
    for (let at = 0; at < total; ) {
      const count = readSync(fd, window, 0, Math.min(WINDOW_BYTES, total - at), at);
      hash.update(window.subarray(0, count));
      at += count;
    }
    const sum = hash.digest();
    writeSync(fd, sum, 0, sum.length, total);
    fsyncSync(fd);
    return sum.toString('hex');
  } finally {
    closeSync(fd);
  }
}

function sync(path: string): void {
  const fd = openSync(path, 'r+');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
