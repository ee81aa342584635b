// Owns writing one pack with all that some commits need, out of the packs that are there. Compressed data is copied as
// it stands wherever it can be; nothing is deleted here.
import { createHash } from 'node:crypto';
import { closeSync, fsyncSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { parseCommit, parseTag } from '../../engines/git/commit.ts';
import { GitError } from '../../engines/git/errors.ts';
import type { PackLimits } from '../../engines/git/index-pack.ts';
import { type GitObject, type ObjectFormat, oidLength } from '../../engines/git/oid.ts';
import {
  formatEntryHeader,
  formatPackHeader,
  PACK_HEADER_BYTES,
  readEntryHeader,
} from '../../engines/git/pack-entry.ts';
import { formatPackIdx } from '../../engines/git/pack-idx.ts';
import { formatWholeEntry } from '../../engines/git/pack-write.ts';
import { parseTree } from '../../engines/git/tree.ts';
import { type FileSource, listPacks, openFileSource, openPackFile, type PackFile } from './pack-file.ts';

/** What to keep. Plain data: it crosses to a worker. */
export interface RepackInput {
  /** The repository. */
  readonly dir: string;
  readonly format: ObjectFormat;
  readonly limits: PackLimits;
  /** Commits and tags that stay, with all below them. */
  readonly roots: readonly string[];
  /** Whether objects may be absent (a partial clone). */
  readonly partial: boolean;
  /** Where the new pack goes; the index beside it. */
  readonly packPath: string;
  readonly idxPath: string;
}

/** What was written. */
export interface RepackOutput {
  readonly objects: number;
  readonly checksum: string;
}

/** Writes pack and index; both are on disk, synced, when this returns. Throws GitError. */
export function repackStore(input: RepackInput): RepackOutput {
  const packs = listPacks(input.dir).map((path) => openPackFile(path, input.format, input.limits));
  const writer = new PackWriter(input.packPath, input.format, packs);
  try {
    const oids = reachable(input, packs);
    writer.begin(oids);
    for (const oid of oids) writer.write(oid);
    const { checksum, idx } = writer.finish();
    writeFileSync(input.idxPath, idx, { mode: 0o600, flush: true });
    return { objects: oids.size, checksum };
  } finally {
    writer.close();
    for (const pack of packs) pack.close();
  }
}

/** Everything that the roots need, in the order in which it is usually read: commits, then trees, each with its files. */
function reachable(input: RepackInput, packs: readonly PackFile[]): Set<string> {
  const found = new Set<string>();
  const read = (oid: string): GitObject | undefined => {
    for (const pack of packs) if (pack.has(oid)) return pack.read(oid);
    if (input.partial) return undefined;
    throw new GitError('GitObjectNotFound', `object ${oid} is not in the store`, { oid });
  };
  const trees: string[] = [];
  const waiting = [...input.roots].reverse();
  for (let oid = waiting.pop(); oid !== undefined; oid = waiting.pop()) {
    if (found.has(oid)) continue;
    const object = read(oid);
    if (object === undefined) continue;
    found.add(oid);
    if (object.type === 'tag') waiting.push(parseTag(object.data).target);
    else if (object.type === 'commit') trees.push(parseCommit(object.data).tree);
    else if (object.type === 'tree') trees.push(oid);
  }
  // Parents that are here stay only as far as they are roots themselves: history is not what this store is for.
  const stack = trees.reverse();
  const seen = new Set<string>();
  for (let oid = stack.pop(); oid !== undefined; oid = stack.pop()) {
    if (seen.has(oid)) continue;
    seen.add(oid);
    const object = read(oid);
    if (object === undefined) continue;
    found.add(oid);
    const below: string[] = [];
    for (const entry of parseTree(object.data, input.format)) {
      if (entry.kind === 'tree') below.push(entry.oid);
      else if (entry.kind !== 'commit' && (!input.partial || packs.some((pack) => pack.has(entry.oid)))) {
        found.add(entry.oid);
      }
    }
    stack.push(...below.reverse());
  }
  return found;
}

/** Where the entries of a pack begin, in order, and which object each is. */
interface PackMap {
  readonly pack: PackFile;
  readonly source: FileSource;
  readonly offsets: Float64Array;
  readonly oidByOffset: ReadonlyMap<number, string>;
}

class PackWriter {
  private readonly format: ObjectFormat;
  private readonly packs: readonly PackFile[];
  private readonly fd: number;
  private readonly maps = new Map<PackFile, PackMap>();
  private readonly written = new Map<string, number>();
  private readonly crcs: number[] = [];
  private readonly hash;
  private wanted: ReadonlySet<string> = new Set();
  private pending: Buffer[] = [];
  private pendingBytes = 0;
  private offset = 0;
  private open = true;

  constructor(path: string, format: ObjectFormat, packs: readonly PackFile[]) {
    this.format = format;
    this.packs = packs;
    this.hash = createHash(format);
    this.fd = openSync(path, 'wx', 0o600);
  }

  begin(wanted: ReadonlySet<string>): void {
    this.wanted = wanted;
    this.append(formatPackHeader(wanted.size));
  }

  /** Writes an object, and before it the bases that it is a delta of. */
  write(oid: string): void {
    const chain: string[] = [oid];
    for (;;) {
      const base = this.baseOf(chain[chain.length - 1] as string);
      if (base === undefined || this.written.has(base) || !this.wanted.has(base) || chain.includes(base)) break;
      chain.push(base);
    }
    for (const name of chain.reverse()) if (!this.written.has(name)) this.writeOne(name);
  }

  finish(): { checksum: string; idx: Buffer } {
    this.flush();
    const sum = this.hash.digest();
    writeSync(this.fd, sum);
    fsyncSync(this.fd);
    const width = oidLength(this.format);
    const oids = Buffer.alloc(this.written.size * width);
    const offsets = new Float64Array(this.written.size);
    let index = 0;
    for (const [oid, offset] of this.written) {
      oids.write(oid, index * width, 'hex');
      offsets[index++] = offset;
    }
    const checksum = sum.toString('hex');
    return {
      checksum,
      idx: formatPackIdx({ oids, crcs: Uint32Array.from(this.crcs), offsets }, checksum, this.format),
    };
  }

  close(): void {
    for (const { source } of this.maps.values()) source.close();
    if (this.open) closeSync(this.fd);
    this.open = false;
  }

  private writeOne(oid: string): void {
    const entry = this.copyOf(oid) ?? formatWholeEntry(this.read(oid));
    this.written.set(oid, this.offset);
    this.crcs.push(crc32(entry));
    this.append(entry);
  }

  // The entry as it stands in its pack, under a new header; undefined when its base is not coming along.
  private copyOf(oid: string): Buffer | undefined {
    const { map, offset } = this.locate(oid);
    const header = readEntryHeader(map.source, offset, this.format);
    const data = map.source.read(header.dataOffset, endOf(map, offset, this.format) - header.dataOffset);
    if (header.kind !== 'ofs-delta' && header.kind !== 'ref-delta') {
      return Buffer.concat([formatEntryHeader(header.kind, header.size), data]);
    }
    const base = this.baseOf(oid);
    const baseAt = base === undefined ? undefined : this.written.get(base);
    if (baseAt === undefined) return undefined;
    return Buffer.concat([formatEntryHeader('ofs-delta', header.size, { back: this.offset - baseAt }), data]);
  }

  private baseOf(oid: string): string | undefined {
    const { map, offset } = this.locate(oid);
    const header = readEntryHeader(map.source, offset, this.format);
    return header.baseOid ?? (header.baseOffset === undefined ? undefined : map.oidByOffset.get(header.baseOffset));
  }

  private read(oid: string): GitObject {
    const object = this.locate(oid).map.pack.read(oid);
    if (object === undefined) throw new GitError('GitObjectNotFound', `object ${oid} is not in the store`, { oid });
    return object;
  }

  private locate(oid: string): { map: PackMap; offset: number } {
    for (const pack of this.packs) {
      const offset = pack.idx().find(oid);
      if (offset !== undefined) return { map: this.mapOf(pack), offset };
    }
    throw new GitError('GitObjectNotFound', `object ${oid} is not in the store`, { oid });
  }

  private mapOf(pack: PackFile): PackMap {
    const known = this.maps.get(pack);
    if (known !== undefined) return known;
    const idx = pack.idx();
    const offsets = new Float64Array(idx.count);
    const oidByOffset = new Map<number, string>();
    for (let rank = 0; rank < idx.count; rank++) {
      offsets[rank] = idx.offsetAt(rank);
      oidByOffset.set(offsets[rank] as number, idx.oidAt(rank));
    }
    const map = { pack, source: openFileSource(pack.packPath, 256 * 1024), offsets: offsets.sort(), oidByOffset };
    this.maps.set(pack, map);
    return map;
  }

  private append(bytes: Buffer): void {
    this.pending.push(bytes);
    this.pendingBytes += bytes.length;
    this.offset += bytes.length;
    if (this.pendingBytes > 256 * 1024) this.flush();
  }

  private flush(): void {
    const bytes = Buffer.concat(this.pending);
    this.hash.update(bytes);
    writeSync(this.fd, bytes);
    this.pending = [];
    this.pendingBytes = 0;
  }
}

function endOf(map: PackMap, offset: number, format: ObjectFormat): number {
  let low = 0;
  let high = map.offsets.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((map.offsets[middle] as number) <= offset) low = middle + 1;
    else high = middle;
  }
  return map.offsets[low] ?? Math.max(PACK_HEADER_BYTES, map.source.size - oidLength(format));
}
