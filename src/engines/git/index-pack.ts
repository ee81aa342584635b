// Owns turning a received pack into an index: finds entries, resolves deltas, names objects, and says which bases a
// thin pack lacks. Bytes come from a ByteSource; storing anything is the caller's business.
import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { runSteps, type Steps } from '../../lib/steps.ts';
import { applyDelta } from './delta.ts';
import { GitError } from './errors.ts';
import { type ByteSource, inflateAt } from './inflate.ts';
import { asBuffer, type GitObject, hashObject, type ObjectFormat, type ObjectType, oidLength } from './oid.ts';
import { PACK_HEADER_BYTES, parsePackHeader, readEntryHeader } from './pack-entry.ts';
import type { IdxColumns } from './pack-idx.ts';

/** Bounds on what a pack may ask of us. */
export interface PackLimits {
  /** Largest single object, inflated. */
  readonly maxObjectBytes: number;
  /** Most objects in one pack. */
  readonly maxObjects: number;
  /** Sum of all objects, inflated: a pack of a few kB may unfold to terabytes through deltas. */
  readonly maxTotalBytes: number;
}

/** Bounds that leave room for every repository of manifests and for most others. */
export const DEFAULT_PACK_LIMITS: PackLimits = {
  maxObjectBytes: 256 * 1024 * 1024,
  maxObjects: 20_000_000,
  maxTotalBytes: 16 * 1024 * 1024 * 1024,
};

/** What a pack holds. */
export interface IndexedPack {
  readonly count: number;
  readonly columns: IdxColumns;
  /** Where the trailing check sum begins. */
  readonly end: number;
  readonly checksum: string;
  /** Names of the bases that the pack refers to and lacks (a thin pack), each with its object. */
  readonly externalBases: readonly { readonly oid: string; readonly object: GitObject }[];
}

/** Options of `indexPack`. */
export interface IndexPackOptions {
  readonly limits?: Partial<PackLimits>;
  /** Looks an object up that the pack refers to and lacks. */
  readonly readExternal?: (oid: string) => GitObject | undefined;
}

// Inflated deltas and bases are kept for the second pass up to this many bytes; the rest is inflated again.
const CACHE_BYTES = 24 * 1024 * 1024;
// Data held while walking down a delta chain. A chain of n large objects would else need all n of them at once.
const MAX_CHAIN_BYTES = 1024 * 1024 * 1024;

/**
 * Reads a whole pack. Every object is inflated, every delta resolved, every name computed from content, and the
 * pack's own check sum verified: what this returns is true whatever the sender meant.
 * @throws GitError GitCorruptPack, GitLimitExceeded; GitObjectNotFound when a base is nowhere
 */
export function indexPack(source: ByteSource, format: ObjectFormat, options: IndexPackOptions = {}): IndexedPack {
  return runSteps(indexPackSteps(source, format, options));
}

/** As `indexPack`, in steps of well under a millisecond, for whoever has other things to do in between. */
export function indexPackSteps(
  source: ByteSource,
  format: ObjectFormat,
  options: IndexPackOptions = {},
): Steps<IndexedPack> {
  return new PackIndexer(source, format, options).run();
}

const NONE = -1;
// Objects between two pauses, and bytes that are hashed between two (half a millisecond).
const STEP_OBJECTS = 64;
const STEP_BYTES = 256 * 1024;

class PackIndexer {
  private readonly source: ByteSource;
  private readonly format: ObjectFormat;
  private readonly limits: PackLimits;
  private readonly readExternal: (oid: string) => GitObject | undefined;
  private readonly count: number;
  private readonly width: number;

  private readonly oids: Buffer;
  private readonly crcs: Uint32Array;
  private readonly offsets: Float64Array;
  private readonly dataOffsets: Float64Array;
  private readonly sizes: Float64Array;
  private readonly types: (ObjectType | undefined)[];
  // Deltas form a forest: per entry its first child and its next sibling.
  private readonly firstChild: Int32Array;
  private readonly nextSibling: Int32Array;
  private readonly childrenByOid = new Map<string, number>();
  private readonly cache = new Map<number, Buffer>();
  private readonly externalBases: { oid: string; object: GitObject }[] = [];
  private cacheBytes = 0;
  private totalBytes = 0;
  private resolved = 0;

  constructor(source: ByteSource, format: ObjectFormat, options: IndexPackOptions) {
    this.source = source;
    this.format = format;
    this.limits = { ...DEFAULT_PACK_LIMITS, ...options.limits };
    this.readExternal = options.readExternal ?? (() => undefined);
    this.width = oidLength(format);
    this.count = parsePackHeader(source.read(0, PACK_HEADER_BYTES));
    // An entry takes two bytes of header and eight of zlib at the very least; a count that cannot be true must not
    // make us allocate for it.
    if (this.count > this.limits.maxObjects) throw limit('objects', this.count, this.limits.maxObjects);
    if (this.count * 9 > source.size) throw corrupt('pack is cut short', source.size);
    this.oids = Buffer.alloc(this.count * this.width);
    this.crcs = new Uint32Array(this.count);
    this.offsets = new Float64Array(this.count);
    this.dataOffsets = new Float64Array(this.count);
    this.sizes = new Float64Array(this.count);
    this.types = new Array<ObjectType | undefined>(this.count);
    this.firstChild = new Int32Array(this.count).fill(NONE);
    this.nextSibling = new Int32Array(this.count).fill(NONE);
  }

  *run(): Steps<IndexedPack> {
    const end = yield* this.scan();
    const checksum = yield* this.verifyChecksum(end);
    yield* this.resolveOnWholeObjects();
    yield* this.resolveOnExternals();
    if (this.resolved < this.count) throw corrupt(`${this.count - this.resolved} deltas have no base`, end);
    return {
      count: this.count,
      columns: { oids: this.oids, crcs: this.crcs, offsets: this.offsets },
      end,
      checksum,
      externalBases: this.externalBases.filter((base) => !this.holds(base.oid)),
    };
  }

  /** First pass, front to back: names all whole objects and links deltas to their bases. */
  private *scan(): Steps<number> {
    let offset = PACK_HEADER_BYTES;
    for (let index = 0; index < this.count; index++) {
      if (index % STEP_OBJECTS === STEP_OBJECTS - 1) yield;
      const header = readEntryHeader(this.source, offset, this.format);
      if (header.size > this.limits.maxObjectBytes) {
        throw limit('bytes in one object', header.size, this.limits.maxObjectBytes);
      }
      const { data, consumed } = inflateAt(this.source, header.dataOffset, header.size);
      const next = header.dataOffset + consumed;
      this.offsets[index] = offset;
      this.dataOffsets[index] = header.dataOffset;
      this.sizes[index] = header.size;
      this.crcs[index] = this.checkBytes(offset, next);
      if (header.kind === 'ofs-delta') this.linkByOffset(index, header.baseOffset as number);
      else if (header.kind === 'ref-delta') this.linkByOid(index, header.baseOid as string);
      else this.name(index, header.kind, data);
      this.remember(index, data);
      offset = next;
    }
    return offset;
  }

  private checkBytes(from: number, to: number): number {
    let crc = 0;
    for (let at = from; at < to; at += 1 << 20) {
      crc = crc32(this.source.read(at, Math.min(1 << 20, to - at)), crc);
    }
    return crc;
  }

  private linkByOffset(index: number, baseOffset: number): void {
    const base = this.indexAt(baseOffset, index);
    if (base === undefined) throw corrupt('delta base is no entry of the pack', this.offsets[index] as number);
    this.nextSibling[index] = this.firstChild[base] as number;
    this.firstChild[base] = index;
  }

  private linkByOid(index: number, oid: string): void {
    this.nextSibling[index] = this.childrenByOid.get(oid) ?? NONE;
    this.childrenByOid.set(oid, index);
  }

  // Offsets ascend, and a base stands before its delta, so this is a binary search in what was read so far.
  private indexAt(offset: number, before: number): number | undefined {
    let low = 0;
    let high = before;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.offsets[middle] as number) < offset) low = middle + 1;
      else high = middle;
    }
    return low < before && this.offsets[low] === offset ? low : undefined;
  }

  private name(index: number, type: ObjectType, data: Uint8Array): void {
    this.totalBytes += data.length;
    if (this.totalBytes > this.limits.maxTotalBytes) {
      throw limit('bytes in all objects', this.totalBytes, this.limits.maxTotalBytes);
    }
    this.types[index] = type;
    this.oids.write(hashObject(type, data, this.format), index * this.width, 'hex');
    this.resolved++;
  }

  private oidAt(index: number): string {
    return this.oids.toString('hex', index * this.width, (index + 1) * this.width);
  }

  private remember(index: number, data: Buffer): void {
    if (data.length > 1 << 20 || this.cacheBytes + data.length > CACHE_BYTES) return;
    this.cache.set(index, data);
    this.cacheBytes += data.length;
  }

  private recall(index: number): Buffer {
    return (
      this.cache.get(index) ??
      inflateAt(this.source, this.dataOffsets[index] as number, this.sizes[index] as number).data
    );
  }

  private *verifyChecksum(end: number): Steps<string> {
    const hash = createHash(this.format);
    for (let at = 0; at < end; at += STEP_BYTES) {
      if (at > 0) yield;
      hash.update(this.source.read(at, Math.min(STEP_BYTES, end - at)));
    }
    const checksum = hash.digest('hex');
    const trailer = asBuffer(this.source.read(end, this.width));
    if (trailer.length < this.width) throw corrupt('pack is cut short', end);
    if (trailer.toString('hex') !== checksum) throw corrupt('pack does not match its check sum', end);
    if (this.source.size !== end + this.width) throw corrupt('pack has bytes after its end', end + this.width);
    return checksum;
  }

  private *resolveOnWholeObjects(): Steps<void> {
    // Walking gives deltas their type: roots are collected before.
    const roots: number[] = [];
    for (let index = 0; index < this.count; index++) if (this.types[index] !== undefined) roots.push(index);
    for (const root of roots) {
      const first = this.childrenOf(root);
      if (first !== NONE) yield* this.walk(this.recall(root), this.types[root] as ObjectType, first);
      this.forget(root);
    }
  }

  /** First of the deltas on a named entry: those that point at it, and those that only name it. */
  private childrenOf(index: number): number {
    if (this.childrenByOid.size === 0) return this.firstChild[index] as number;
    const oid = this.oidAt(index);
    const byName = this.childrenByOid.get(oid);
    if (byName === undefined) return this.firstChild[index] as number;
    this.childrenByOid.delete(oid);
    let tail = byName;
    while (this.nextSibling[tail] !== NONE) tail = this.nextSibling[tail] as number;
    this.nextSibling[tail] = this.firstChild[index] as number;
    this.firstChild[index] = byName;
    return byName;
  }

  /** What is left are deltas on objects that the pack lacks, and deltas on those. */
  private *resolveOnExternals(): Steps<void> {
    for (const oid of [...this.childrenByOid.keys()]) {
      const first = this.childrenByOid.get(oid);
      const object = first === undefined ? undefined : this.readExternal(oid);
      if (first === undefined || object === undefined) continue;
      this.childrenByOid.delete(oid);
      this.externalBases.push({ oid, object });
      yield* this.walk(asBuffer(object.data), object.type, first);
    }
    for (const oid of this.childrenByOid.keys()) {
      throw new GitError('GitObjectNotFound', `pack needs object ${oid}, which is not here`, { oid });
    }
  }

  // A base may stand in the pack and elsewhere: then it need not be added.
  private holds(oid: string): boolean {
    const wanted = Buffer.from(oid, 'hex');
    for (let at = this.oids.indexOf(wanted); at >= 0; at = this.oids.indexOf(wanted, at + 1)) {
      if (at % this.width === 0) return true;
    }
    return false;
  }

  /** Resolves a list of siblings on one base, and everything below them, without recursion. */
  private *walk(base: Buffer, type: ObjectType, first: number): Steps<void> {
    const stack: { base: Buffer; next: number }[] = [{ base, next: first }];
    let held = base.length;
    while (stack.length > 0) {
      const frame = stack[stack.length - 1] as { base: Buffer; next: number };
      const index = frame.next;
      frame.next = this.nextSibling[index] as number;
      if (this.types[index] !== undefined) throw corrupt('delta is its own base', this.offsets[index] as number);
      const content = applyDelta(frame.base, this.recall(index), this.limits.maxObjectBytes);
      if (this.resolved % STEP_OBJECTS === 0) yield;
      this.name(index, type, content);
      this.forget(index);
      if (frame.next === NONE) {
        // The last sibling: its base is not needed below it, so a straight chain holds two objects only.
        held -= frame.base.length;
        stack.pop();
      }
      const child = this.childrenOf(index);
      if (child === NONE) continue;
      held += content.length;
      if (held > MAX_CHAIN_BYTES) throw limit('bytes in one delta chain', held, MAX_CHAIN_BYTES);
      stack.push({ base: content, next: child });
    }
  }

  private forget(index: number): void {
    const data = this.cache.get(index);
    if (data === undefined) return;
    this.cache.delete(index);
    this.cacheBytes -= data.length;
  }
}

function corrupt(message: string, offset: number): GitError {
  return new GitError('GitCorruptPack', message, { offset });
}

function limit(what: string, found: number, most: number): GitError {
  return new GitError('GitLimitExceeded', `pack has ${found} ${what}, the limit is ${most}`, { limit: most });
}
