// Owns reading packs from disk: synchronous, by position, with one small window. Used by worker tasks and by the
// object store alike. Which packs exist is the store's business.
import { closeSync, fstatSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { GitError } from '../../engines/git/errors.ts';
import type { ByteSource } from '../../engines/git/inflate.ts';
import type { GitObject, ObjectFormat } from '../../engines/git/oid.ts';
import { type PackIdx, parsePackIdx } from '../../engines/git/pack-idx.ts';
import { type BaseCache, createPackReader, type PackReader } from '../../engines/git/pack-reader.ts';
import { createByteLru } from '../../lib/byte-lru.ts';

/** An open file as a ByteSource. What `read` returns is valid until the next call. */
export interface FileSource extends ByteSource {
  close(): void;
}

/**
 * Opens a file for reading by position.
 * @param windowBytes how much is read ahead: neighbours in a pack are usually asked for next. A small file is read whole:
 * deltas lead back and forth in it, and each step would read a window anew
 */
export function openFileSource(path: string, windowBytes = 32 * 1024): FileSource {
  let fd: number | undefined = openSync(path, 'r');
  const size = fstatSync(fd).size;
  let window = Buffer.alloc(0);
  let start = 0;
  let filled = 0;
  const fill = (offset: number, length: number): void => {
    if (fd === undefined) throw new GitError('GitObjectNotFound', 'the pack was closed');
    const isWhole = size <= WHOLE_BYTES;
    const from = isWhole ? 0 : offset;
    const wanted = isWhole ? size : Math.min(Math.max(length, windowBytes), Math.max(0, size - offset));
    const room = isWhole ? size : Math.max(wanted, windowBytes);
    if (window.length < room || window.length > 8 * room) window = Buffer.allocUnsafeSlow(room);
    start = from;
    filled = wanted === 0 ? 0 : readSync(fd, window, 0, wanted, from);
  };
  return {
    size,
    read(offset, length) {
      const end = Math.min(offset + length, size);
      if (offset < start || end > start + filled) fill(offset, length);
      return window.subarray(offset - start, Math.max(offset, end) - start);
    },
    close() {
      if (fd !== undefined) closeSync(fd);
      fd = undefined;
    },
  };
}

/** A pack on disk. Index and pack are opened when first needed, again after `close`. */
export interface PackFile {
  readonly packPath: string;
  readonly idxPath: string;
  idx(): PackIdx;
  has(oid: string): boolean;
  read(oid: string): GitObject | undefined;
  stat(oid: string): { type: GitObject['type']; size: number } | undefined;
  /** Closes the pack if nothing was read from it since the last call. The index stays: it says what is elsewhere. */
  rest(): void;
  close(): void;
}

/** Options of `openPackFile`. */
export interface PackFileOptions {
  readonly maxObjectBytes: number;
  /** The index, where the caller has it at hand: reading and checking it again takes as long as reading a folder. */
  readonly idx?: PackIdx | undefined;
  /** Built objects of this pack, where several packs share the memory for them. @default 4 MiB of its own */
  readonly cache?: BaseCache | undefined;
}

/** For built objects, bases of deltas among them. */
const CACHE_BYTES = 4 * 1024 * 1024;
/** An entry costs about this much beside its bytes. */
const ENTRY_BYTES = 250;

/** Files up to here are kept whole while they are open. */
const WHOLE_BYTES = 256 * 1024;

/** Memory for built objects that several packs share. */
export interface SharedCache {
  /** A part of it for one more pack. */
  share(): BaseCache;
  /** Drops what was not used since the last call. */
  age(): void;
  clear(): void;
}

/** An empty cache, of as much for all packs as one has by itself. */
export function createSharedCache(): SharedCache {
  const built = createByteLru<string, GitObject>(CACHE_BYTES);
  let packs = 0;
  return {
    share() {
      const pack = ++packs;
      return {
        get: (offset) => built.get(`${pack} ${offset}`),
        set: (offset, object) => built.set(`${pack} ${offset}`, object, object.data.length + ENTRY_BYTES),
      };
    },
    age: () => built.age(),
    clear: () => built.clear(),
  };
}

/** A pack by its path; its functions throw GitError GitCorruptPack when pack or index are damaged. */
export function openPackFile(packPath: string, format: ObjectFormat, options: PackFileOptions): PackFile {
  const idxPath = packPath.replace(/\.pack$/, '.idx');
  let loaded = options.idx;
  let source: FileSource | undefined;
  let reader: PackReader | undefined;
  const own = createSharedCache();
  const cache = options.cache ?? own.share();
  const idx = (): PackIdx => {
    loaded ??= parsePackIdx(readFileSync(idxPath), format);
    return loaded;
  };
  const has = (oid: string): boolean => idx().find(oid) !== undefined;
  let wasRead = false;
  const open = (): PackReader => {
    wasRead = true;
    if (reader !== undefined) return reader;
    source = openFileSource(packPath);
    reader = createPackReader(source, idx(), format, { maxObjectBytes: options.maxObjectBytes, cache });
    return reader;
  };
  const closeFile = (): void => {
    source?.close();
    source = undefined;
    reader = undefined;
  };
  return {
    packPath,
    idxPath,
    idx,
    has,
    read: (oid) => (has(oid) ? open().read(oid) : undefined),
    stat: (oid) => (has(oid) ? open().stat(oid) : undefined),
    rest() {
      if (!wasRead) closeFile();
      wasRead = false;
    },
    close() {
      closeFile();
      loaded = undefined;
      own.clear();
    },
  };
}

/** The folder of a repository that holds its packs. */
export function packFolder(dir: string): string {
  return join(dir, 'objects', 'pack');
}

/** Paths of the complete packs of a repository: those whose index is there. */
export function listPacks(dir: string): string[] {
  const names = new Set(readdirSync(packFolder(dir)));
  const packs = [...names].filter((name) => /^pack-[0-9a-f]+\.pack$/.test(name));
  return packs.filter((name) => names.has(name.replace(/\.pack$/, '.idx'))).map((name) => join(packFolder(dir), name));
}
