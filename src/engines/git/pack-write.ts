// Owns writing packs: whole objects only, and the completion of a thin pack with the bases it lacks.
import { createHash } from 'node:crypto';
import { crc32, deflateSync } from 'node:zlib';
import type { IndexedPack } from './index-pack.ts';
import { asBuffer, type GitObject, type ObjectFormat, oidLength } from './oid.ts';
import { formatEntryHeader, formatPackHeader, PACK_HEADER_BYTES } from './pack-entry.ts';
import type { IdxColumns } from './pack-idx.ts';

/** A pack that holds these objects, each whole. Small packs only: all of it stands in memory. */
export function formatPack(objects: readonly GitObject[], format: ObjectFormat): Buffer {
  const parts: Buffer[] = [formatPackHeader(objects.length)];
  for (const object of objects) parts.push(formatWholeEntry(object));
  const body = Buffer.concat(parts);
  return Buffer.concat([body, createHash(format).update(body).digest()]);
}

/** One entry that holds the object whole. */
export function formatWholeEntry(object: GitObject): Buffer {
  return Buffer.concat([formatEntryHeader(object.type, object.data.length), deflateSync(object.data)]);
}

/** What must change in a thin pack to make it stand alone. */
export interface ThinPackCompletion {
  /** Replaces the first twelve bytes. */
  readonly header: Buffer;
  /** Replaces everything from `IndexedPack.end` on, except for the final check sum, which the caller computes. */
  readonly appended: Buffer;
  /** Columns of all objects, the appended ones included. */
  readonly columns: IdxColumns;
}

/** Entries for the bases that a thin pack lacks. Undefined when it lacks none. */
export function completeThinPack(pack: IndexedPack, format: ObjectFormat): ThinPackCompletion | undefined {
  const bases = pack.externalBases;
  if (bases.length === 0) return undefined;
  const width = oidLength(format);
  const count = pack.count + bases.length;
  const oids = Buffer.concat([pack.columns.oids, Buffer.alloc(bases.length * width)]);
  const crcs = new Uint32Array(count);
  crcs.set(pack.columns.crcs);
  const offsets = new Float64Array(count);
  offsets.set(pack.columns.offsets);
  const parts: Buffer[] = [];
  let offset = pack.end;
  for (const [index, base] of bases.entries()) {
    const entry = formatWholeEntry(base.object);
    const at = pack.count + index;
    oids.write(base.oid, at * width, 'hex');
    crcs[at] = crc32(entry);
    offsets[at] = offset;
    parts.push(entry);
    offset += entry.length;
  }
  return { header: formatPackHeader(count), appended: Buffer.concat(parts), columns: { oids, crcs, offsets } };
}

/** A small pack in memory, made complete: bytes and index columns as they belong on disk. */
export function completePackBytes(
  bytes: Uint8Array,
  pack: IndexedPack,
  format: ObjectFormat,
): { bytes: Buffer; columns: IdxColumns; checksum: string } {
  const completion = completeThinPack(pack, format);
  if (completion === undefined) return { bytes: asBuffer(bytes), columns: pack.columns, checksum: pack.checksum };
  const body = Buffer.concat([
    completion.header,
    asBuffer(bytes).subarray(PACK_HEADER_BYTES, pack.end),
    completion.appended,
  ]);
  const sum = createHash(format).update(body).digest();
  return { bytes: Buffer.concat([body, sum]), columns: completion.columns, checksum: sum.toString('hex') };
}
