// Owns reading single objects from one indexed pack, delta chains included. Bytes come from a ByteSource.
import { ownBytes } from '../../lib/own-bytes.ts';
import { applyDelta, parseDeltaHeader } from './delta.ts';
import { GitError } from './errors.ts';
import { type ByteSource, inflateAt } from './inflate.ts';
import type { GitObject, ObjectFormat } from './oid.ts';
import { type EntryHeader, readEntryHeader } from './pack-entry.ts';
import type { PackIdx } from './pack-idx.ts';

/** Keeps recently built objects: bases of deltas are asked for again and again. Keys are positions in one pack. */
export interface BaseCache {
  get(offset: number): GitObject | undefined;
  set(offset: number, object: GitObject): void;
}

/** One pack, ready for reading. */
export interface PackReader {
  readonly idx: PackIdx;
  /** The object, or undefined when the pack has none of that name. Throws GitError GitCorruptPack. */
  read(oid: string): GitObject | undefined;
  /** Kind and size without building the object; a delta costs the head of its chain only. */
  stat(oid: string): { type: GitObject['type']; size: number } | undefined;
}

/** Options of `createPackReader`. */
export interface PackReaderOptions {
  /** Largest object that is built. */
  readonly maxObjectBytes: number;
  readonly cache?: BaseCache;
}

/** A reader over a complete pack (one without bases elsewhere) and its index. */
export function createPackReader(
  source: ByteSource,
  idx: PackIdx,
  format: ObjectFormat,
  options: PackReaderOptions,
): PackReader {
  function baseOffsetOf(header: EntryHeader, offset: number): number {
    if (header.baseOffset !== undefined) return header.baseOffset;
    const found = header.baseOid === undefined ? undefined : idx.find(header.baseOid);
    if (found === undefined) throw corrupt('delta base is not in the pack', offset);
    return found;
  }

  function keep(offset: number, type: GitObject['type'], data: Uint8Array): GitObject {
    if (options.cache === undefined) return { type, data };
    const object = { type, data: ownBytes(data) };
    options.cache.set(offset, object);
    return object;
  }

  function readAt(offset: number): GitObject {
    const chain: { readonly offset: number; readonly header: EntryHeader }[] = [];
    const seen = new Set<number>();
    let at = offset;
    let object = options.cache?.get(at);
    while (object === undefined) {
      if (seen.has(at)) throw corrupt('delta is its own base', at);
      seen.add(at);
      const header = readEntryHeader(source, at, format);
      if (header.size > options.maxObjectBytes) throw tooLarge(header.size, options.maxObjectBytes);
      if (header.kind !== 'ofs-delta' && header.kind !== 'ref-delta') {
        object = keep(at, header.kind, inflateAt(source, header.dataOffset, header.size).data);
        break;
      }
      chain.push({ offset: at, header });
      at = baseOffsetOf(header, at);
      object = options.cache?.get(at);
    }
    // Every step is kept: neighbours in a folder usually are deltas on each other, in chains of up to fifty.
    for (const { offset: here, header } of chain.reverse()) {
      const delta = inflateAt(source, header.dataOffset, header.size).data;
      object = keep(here, object.type, applyDelta(object.data, delta, options.maxObjectBytes));
    }
    return object;
  }

  function statAt(offset: number): { type: GitObject['type']; size: number } {
    const seen = new Set<number>();
    let size: number | undefined;
    let at = offset;
    for (;;) {
      if (seen.has(at)) throw corrupt('delta is its own base', at);
      seen.add(at);
      const header = readEntryHeader(source, at, format);
      if (header.kind !== 'ofs-delta' && header.kind !== 'ref-delta') {
        return { type: header.kind, size: size ?? header.size };
      }
      size ??= parseDeltaHeader(inflateAt(source, header.dataOffset, header.size).data).resultSize;
      at = baseOffsetOf(header, at);
    }
  }

  return {
    idx,
    read(oid) {
      const offset = idx.find(oid);
      return offset === undefined ? undefined : readAt(offset);
    },
    stat(oid) {
      const offset = idx.find(oid);
      return offset === undefined ? undefined : statAt(offset);
    },
  };
}

function corrupt(message: string, offset: number): GitError {
  return new GitError('GitCorruptPack', message, { offset });
}

function tooLarge(size: number, limit: number): GitError {
  return new GitError('GitLimitExceeded', `object of ${size} bytes exceeds the limit of ${limit} bytes`, { limit });
}
