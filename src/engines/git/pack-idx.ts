// Owns Git's pack index, version 2: names in order, check sums, offsets. Reading searches it in place.
import { createHash } from 'node:crypto';
import { runSteps, type Steps } from '../../lib/steps.ts';
import { GitError } from './errors.ts';
import { asBuffer, type ObjectFormat, oidLength, readOid } from './oid.ts';

const MAGIC = 0xff744f63;
// Objects between two pauses.
const STEP_OBJECTS = 512;
const FANOUT_AT = 8;
const NAMES_AT = FANOUT_AT + 256 * 4;

/** An index that is ready for searching. */
export interface PackIdx {
  readonly count: number;
  /** Check sum of the pack that it describes, hex. */
  readonly packChecksum: string;
  /** Position of an object in the pack; undefined when it is not there. */
  find(oid: string): number | undefined;
  /** Name of the object at a rank in name order. */
  oidAt(rank: number): string;
  /** Position of the object at a rank in name order. */
  offsetAt(rank: number): number;
}

/** Everything an index says about one object, as columns. `oids` is packed: `count` × 20 or 32 bytes. */
export interface IdxColumns {
  readonly oids: Buffer;
  readonly crcs: Uint32Array;
  readonly offsets: Float64Array;
}

/** Reads an index. Structure is checked, the check sum of the index itself is too. Throws GitError GitCorruptPack. */
export function parsePackIdx(bytes: Uint8Array, format: ObjectFormat): PackIdx {
  const buffer = asBuffer(bytes);
  const width = oidLength(format);
  if (buffer.length < NAMES_AT + 2 * width || buffer.readUInt32BE(0) !== MAGIC || buffer.readUInt32BE(4) !== 2) {
    throw bad('not a pack index of version 2');
  }
  const count = buffer.readUInt32BE(FANOUT_AT + 255 * 4);
  const crcsAt = NAMES_AT + count * width;
  const offsetsAt = crcsAt + count * 4;
  const largeAt = offsetsAt + count * 4;
  const trailerAt = buffer.length - 2 * width;
  if (largeAt > trailerAt || (trailerAt - largeAt) % 8 !== 0) throw bad('pack index has the wrong length');
  for (let bucket = 1; bucket < 256; bucket++) {
    const start = buffer.readUInt32BE(FANOUT_AT + (bucket - 1) * 4);
    if (start > buffer.readUInt32BE(FANOUT_AT + bucket * 4)) throw bad('pack index is out of order');
  }
  const own = createHash(format)
    .update(buffer.subarray(0, buffer.length - width))
    .digest();
  if (!own.equals(buffer.subarray(buffer.length - width))) throw bad('pack index does not match its check sum');

  const offsetAt = (rank: number): number => {
    const small = buffer.readUInt32BE(offsetsAt + rank * 4);
    if (small < 0x80000000) return small;
    const at = largeAt + (small - 0x80000000) * 8;
    if (at + 8 > trailerAt) throw bad('pack index points outside its table');
    return buffer.readUInt32BE(at) * 0x100000000 + buffer.readUInt32BE(at + 4);
  };
  // Comparing the first four bytes as a number settles nearly every step; a call into Buffer.compare costs ten of them.
  const wanted = Buffer.allocUnsafeSlow(width);
  const find = (oid: string): number | undefined => {
    if (oid.length !== width * 2 || wanted.write(oid, 0, 'hex') !== width) return undefined;
    const bucket = wanted[0] as number;
    const head = wanted.readUInt32BE(0);
    let low = bucket === 0 ? 0 : buffer.readUInt32BE(FANOUT_AT + (bucket - 1) * 4);
    let high = buffer.readUInt32BE(FANOUT_AT + bucket * 4);
    while (low < high) {
      const middle = (low + high) >>> 1;
      const at = NAMES_AT + middle * width;
      let order = head - buffer.readUInt32BE(at);
      if (order === 0) order = buffer.compare(wanted, 0, width, at, at + width) * -1;
      if (order === 0) return offsetAt(middle);
      if (order > 0) low = middle + 1;
      else high = middle;
    }
    return undefined;
  };
  return {
    count,
    packChecksum: buffer.toString('hex', trailerAt, trailerAt + width),
    find,
    oidAt: (rank) => readOid(buffer, NAMES_AT + rank * width, format),
    offsetAt,
  };
}

/** The index for these objects. Columns may come in any order. Throws GitError GitCorruptPack on doubled objects. */
export function formatPackIdx(columns: IdxColumns, packChecksum: string, format: ObjectFormat): Buffer {
  return runSteps(formatPackIdxSteps(columns, packChecksum, format));
}

/** As `formatPackIdx`, in steps. */
export function* formatPackIdxSteps(columns: IdxColumns, packChecksum: string, format: ObjectFormat): Steps<Buffer> {
  const width = oidLength(format);
  const count = columns.offsets.length;
  const order = sortedRanks(columns.oids, width, count);
  const large: number[] = [];
  const largeCount = columns.offsets.reduce((sum, offset) => sum + (offset >= 0x80000000 ? 1 : 0), 0);
  const namesAt = NAMES_AT;
  const crcsAt = namesAt + count * width;
  const offsetsAt = crcsAt + count * 4;
  const largeAt = offsetsAt + count * 4;
  const trailerAt = largeAt + largeCount * 8;
  const out = Buffer.allocUnsafeSlow(trailerAt + 2 * width);
  out.writeUInt32BE(MAGIC, 0);
  out.writeUInt32BE(2, 4);
  const fanout = new Uint32Array(256);
  yield;
  for (let rank = 0; rank < count; rank++) {
    if (rank % STEP_OBJECTS === STEP_OBJECTS - 1) yield;
    const index = order[rank] as number;
    const first = columns.oids[index * width] as number;
    fanout[first] = (fanout[first] as number) + 1;
    columns.oids.copy(out, namesAt + rank * width, index * width, (index + 1) * width);
    // Doubled objects could make a delta its own base by way of its name.
    if (rank > 0 && isSameName(out, namesAt + rank * width, width)) {
      throw bad(`pack holds object ${readOid(out, namesAt + rank * width, format)} twice`);
    }
    out.writeUInt32BE(columns.crcs[index] as number, crcsAt + rank * 4);
    const offset = columns.offsets[index] as number;
    if (offset < 0x80000000) {
      out.writeUInt32BE(offset, offsetsAt + rank * 4);
    } else {
      out.writeUInt32BE(0x80000000 + large.length, offsetsAt + rank * 4);
      large.push(offset);
    }
  }
  let total = 0;
  for (let bucket = 0; bucket < 256; bucket++) {
    total += fanout[bucket] as number;
    out.writeUInt32BE(total, FANOUT_AT + bucket * 4);
  }
  for (const [index, offset] of large.entries()) {
    out.writeUInt32BE(Math.floor(offset / 0x100000000), largeAt + index * 8);
    out.writeUInt32BE(offset % 0x100000000, largeAt + index * 8 + 4);
  }
  out.write(packChecksum, trailerAt, 'hex');
  createHash(format)
    .update(out.subarray(0, trailerAt + width))
    .digest()
    .copy(out, trailerAt + width);
  return out;
}

// Whether a name equals the one before it. The numbers differ nearly always, and cost a tenth of the call.
function isSameName(names: Buffer, at: number, width: number): boolean {
  if (names.readUInt32BE(at) !== names.readUInt32BE(at - width)) return false;
  return names.compare(names, at - width, at, at, at + width) === 0;
}

// Names are random: sorting them into buckets by their first bytes leaves a handful to compare in each. Sorting whole
// names by comparison takes eight times as long.
function sortedRanks(oids: Buffer, width: number, count: number): Uint32Array {
  const shift = count < 1 << 15 ? 8 : 0;
  const starts = new Uint32Array((1 << (16 - shift)) + 1);
  const prefix = new Float64Array(count);
  for (let index = 0; index < count; index++) {
    prefix[index] = oids.readUIntBE(index * width, 6);
    const bucket = (oids.readUInt16BE(index * width) >> shift) + 1;
    starts[bucket] = (starts[bucket] as number) + 1;
  }
  for (let bucket = 1; bucket < starts.length; bucket++) starts[bucket]! += starts[bucket - 1] as number;
  const ranks = new Uint32Array(count);
  const next = starts.slice();
  for (let index = 0; index < count; index++) {
    const bucket = oids.readUInt16BE(index * width) >> shift;
    ranks[next[bucket] as number] = index;
    next[bucket]!++;
  }
  const compare = (a: number, b: number): number =>
    (prefix[a] as number) - (prefix[b] as number) ||
    oids.compare(oids, b * width, (b + 1) * width, a * width, (a + 1) * width);
  for (let bucket = 1; bucket < starts.length; bucket++) {
    const part = ranks.subarray(starts[bucket - 1], starts[bucket]);
    if (part.length > 64) part.sort(compare);
    else insertionSort(part, compare);
  }
  return ranks;
}

function insertionSort(part: Uint32Array, compare: (a: number, b: number) => number): void {
  for (let end = 1; end < part.length; end++) {
    const value = part[end] as number;
    let at = end;
    for (; at > 0 && compare(part[at - 1] as number, value) > 0; at--) part[at] = part[at - 1] as number;
    part[at] = value;
  }
}

function bad(message: string): GitError {
  return new GitError('GitCorruptPack', message);
}
