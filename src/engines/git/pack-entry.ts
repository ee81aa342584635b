// Owns the header of a pack and of one entry in it, both ways. Knows nothing of the entry's compressed content.
import { GitError } from './errors.ts';
import type { ByteSource } from './inflate.ts';
import { type ObjectFormat, type ObjectType, oidLength, readOid } from './oid.ts';

/** Bytes before the first entry: `PACK`, version, number of entries. */
export const PACK_HEADER_BYTES = 12;

/** How an entry is stored. */
export type EntryKind = ObjectType | 'ofs-delta' | 'ref-delta';

const KIND_BY_CODE: Readonly<Record<number, EntryKind>> = {
  1: 'commit',
  2: 'tree',
  3: 'blob',
  4: 'tag',
  6: 'ofs-delta',
  7: 'ref-delta',
};

const CODE_BY_KIND: Readonly<Record<EntryKind, number>> = {
  commit: 1,
  tree: 2,
  blob: 3,
  tag: 4,
  'ofs-delta': 6,
  'ref-delta': 7,
};

/** Where an entry's content begins and what it is relative to. Sizes are of the inflated content (of a delta: its own). */
export interface EntryHeader {
  readonly kind: EntryKind;
  readonly size: number;
  readonly dataOffset: number;
  /** Position of the base, for `ofs-delta`. */
  readonly baseOffset?: number;
  /** Name of the base, for `ref-delta`. */
  readonly baseOid?: string;
}

/** Reads the head of a pack and returns the number of entries. Throws GitError GitCorruptPack. */
export function parsePackHeader(bytes: Uint8Array): number {
  if (bytes.length < PACK_HEADER_BYTES) throw bad('pack is cut short', 0);
  if (bytes[0] !== 0x50 || bytes[1] !== 0x41 || bytes[2] !== 0x43 || bytes[3] !== 0x4b) throw bad('not a pack', 0);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const version = view.getUint32(4);
  if (version !== 2 && version !== 3) throw bad(`pack version ${version} is not supported`, 4);
  return view.getUint32(8);
}

/** The head of a pack with that many entries. */
export function formatPackHeader(count: number): Buffer {
  const header = Buffer.from('PACK\0\0\0\x02\0\0\0\0', 'latin1');
  header.writeUInt32BE(count, 8);
  return header;
}

/** Reads the header of the entry at `offset`. Throws GitError GitCorruptPack. */
export function readEntryHeader(source: ByteSource, offset: number, format: ObjectFormat): EntryHeader {
  // Ten bytes of size, then at most ten of offset or one oid.
  const bytes = source.read(offset, 48);
  let at = 0;
  let byte = bytes[at++];
  if (byte === undefined) throw bad('pack is cut short', offset);
  const kind = KIND_BY_CODE[(byte >> 4) & 7];
  if (kind === undefined) throw bad(`entry of unknown type ${(byte >> 4) & 7}`, offset);
  let size = byte & 15;
  let scale = 16;
  while (byte & 0x80) {
    byte = bytes[at++];
    if (byte === undefined || scale > 2 ** 45) throw bad('entry header is cut short', offset);
    size += (byte & 0x7f) * scale;
    scale *= 128;
  }
  if (kind === 'ref-delta') {
    const length = oidLength(format);
    if (at + length > bytes.length) throw bad('entry header is cut short', offset);
    return { kind, size, dataOffset: offset + at + length, baseOid: readOid(bytes, at, format) };
  }
  if (kind !== 'ofs-delta') return { kind, size, dataOffset: offset + at };
  const back = readBackOffset(bytes, at, offset);
  const baseOffset = offset - back.value;
  if (back.value <= 0 || baseOffset < PACK_HEADER_BYTES) throw bad('delta base lies outside the pack', offset);
  return { kind, size, dataOffset: offset + back.next, baseOffset };
}

// Big-endian groups of seven bits, where each continuation also adds one (so that no value has two spellings).
function readBackOffset(bytes: Uint8Array, at: number, offset: number): { value: number; next: number } {
  let byte = bytes[at++];
  if (byte === undefined) throw bad('entry header is cut short', offset);
  let value = byte & 0x7f;
  while (byte & 0x80) {
    byte = bytes[at++];
    if (byte === undefined || value > 2 ** 45) throw bad('entry header is cut short', offset);
    value = (value + 1) * 128 + (byte & 0x7f);
  }
  return { value, next: at };
}

/** The header of an entry whose inflated content has `size` bytes; `back` is the distance to an `ofs-delta`'s base. */
export function formatEntryHeader(kind: EntryKind, size: number, base?: { back: number } | { oid: string }): Buffer {
  const bytes: number[] = [];
  let rest = Math.floor(size / 16);
  bytes.push((CODE_BY_KIND[kind] << 4) | (size % 16) | (rest > 0 ? 0x80 : 0));
  while (rest > 0) {
    const low = rest % 128;
    rest = Math.floor(rest / 128);
    bytes.push(low | (rest > 0 ? 0x80 : 0));
  }
  if (base === undefined) return Buffer.from(bytes);
  if ('oid' in base) return Buffer.concat([Buffer.from(bytes), Buffer.from(base.oid, 'hex')]);
  const groups = [base.back % 128];
  let left = Math.floor(base.back / 128);
  while (left > 0) {
    left -= 1;
    groups.unshift((left % 128) | 0x80);
    left = Math.floor(left / 128);
  }
  return Buffer.from([...bytes, ...groups]);
}

function bad(message: string, offset: number): GitError {
  return new GitError('GitCorruptPack', message, { offset });
}
