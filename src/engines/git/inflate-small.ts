// Owns inflating tiny zlib streams in JavaScript. The engine's own inflate builds a stream object for each call, which
// costs more than the work itself: 10,000 manifests of 150 bytes take 20 ms here and 65 ms there, most of it garbage.
// Large streams are not for this file.

/** Why a stream cannot be inflated; the caller knows where it stands. */
export class InflateError extends Error {
  /** True when the input ended too early: more of it may help. */
  readonly ranOut: boolean;

  constructor(message: string, ranOut = false) {
    super(message);
    this.ranOut = ranOut;
  }
}

const MAX_BITS = 15;
// RFC 1951 §3.2.5: lengths and distances by symbol, and how many more bits each takes.
const LENGTH_BASE = [
  3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258,
];
const LENGTH_BITS = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];
const DISTANCE_BASE = [
  1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145,
  8193, 12289, 16385, 24577,
];
const DISTANCE_BITS = [
  0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13,
];
const CODE_LENGTH_ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/**
 * A Huffman code as a table by the next `bits` bits: symbol × 16 + length of its code; 0 where there is no code.
 * Tables of dynamic codes are scratch memory that the next block overwrites; they may be longer than the code.
 */
interface Code {
  readonly bits: number;
  readonly table: Uint16Array;
}

/**
 * Inflates one zlib stream that begins at `input[0]` into `out`, which must be filled exactly.
 * @returns how many bytes of the input it took
 * @throws InflateError
 */
export function inflateSmall(input: Uint8Array, out: Uint8Array): number {
  const [cmf = 0, flags = 0] = input;
  if (input.length < 2) throw new InflateError('unexpected end of file', true);
  if ((cmf & 15) !== 8 || cmf >> 4 > 7 || (cmf * 256 + flags) % 31 !== 0 || (flags & 32) !== 0) {
    throw new InflateError('incorrect header check');
  }
  const inflater = new Inflater(input, out);
  const end = inflater.run();
  if (end + 4 > input.length) throw new InflateError('unexpected end of file', true);
  const stated =
    (((input[end] as number) << 24) |
      ((input[end + 1] as number) << 16) |
      ((input[end + 2] as number) << 8) |
      (input[end + 3] as number)) >>>
    0;
  if (stated !== adler32(out)) throw new InflateError('incorrect data check');
  return end + 4;
}

class Inflater {
  private readonly input: Uint8Array;
  private readonly out: Uint8Array;
  private at = 2;
  private filled = 0;
  private bits = 0;
  private held = 0;

  constructor(input: Uint8Array, out: Uint8Array) {
    this.input = input;
    this.out = out;
  }

  /** Returns the position after the last block. */
  run(): number {
    let isLast = false;
    while (!isLast) {
      isLast = this.take(1) === 1;
      switch (this.take(2)) {
        case 0:
          this.stored();
          break;
        case 1:
          this.compressed(FIXED_LENGTHS, FIXED_DISTANCES);
          break;
        case 2:
          this.dynamic();
          break;
        default:
          throw new InflateError('invalid block type');
      }
    }
    if (this.filled !== this.out.length) throw new InflateError(`only ${this.filled} bytes of ${this.out.length}`);
    // Whole bytes that were looked at ahead of time go back.
    return this.at - (this.held >> 3);
  }

  private take(count: number): number {
    while (this.held < count) {
      const byte = this.input[this.at++];
      if (byte === undefined) throw new InflateError('unexpected end of file', true);
      this.bits |= byte << this.held;
      this.held += 8;
    }
    const value = this.bits & ((1 << count) - 1);
    this.bits >>>= count;
    this.held -= count;
    return value;
  }

  private stored(): void {
    this.at -= this.held >> 3;
    this.bits = 0;
    this.held = 0;
    const { input, at } = this;
    if (at + 4 > input.length) throw new InflateError('unexpected end of file', true);
    const length = (input[at] as number) | ((input[at + 1] as number) << 8);
    const inverse = (input[at + 2] as number) | ((input[at + 3] as number) << 8);
    if (length !== (~inverse & 0xffff)) throw new InflateError('invalid stored block lengths');
    if (at + 4 + length > input.length) throw new InflateError('unexpected end of file', true);
    if (this.filled + length > this.out.length) throw new InflateError('more bytes than stated');
    this.out.set(input.subarray(at + 4, at + 4 + length), this.filled);
    this.filled += length;
    this.at = at + 4 + length;
  }

  private dynamic(): void {
    const lengthCount = this.take(5) + 257;
    const distanceCount = this.take(5) + 1;
    const codeCount = this.take(4) + 4;
    if (lengthCount > 286 || distanceCount > 30) throw new InflateError('too many length or distance symbols');
    const lengths = LENGTHS;
    lengths.fill(0, 0, CODE_LENGTH_ORDER.length);
    for (let index = 0; index < codeCount; index++) lengths[CODE_LENGTH_ORDER[index] as number] = this.take(3);
    const code = buildCode(0, CODE_LENGTH_ORDER.length, CODE_SCRATCH, false);
    const total = lengthCount + distanceCount;
    for (let index = 0; index < total; ) {
      const symbol = this.decode(code);
      if (symbol < 16) {
        lengths[index++] = symbol;
        continue;
      }
      if (symbol === 16 && index === 0) throw new InflateError('invalid bit length repeat');
      const value = symbol === 16 ? (lengths[index - 1] as number) : 0;
      const times = symbol === 16 ? 3 + this.take(2) : symbol === 17 ? 3 + this.take(3) : 11 + this.take(7);
      if (index + times > total) throw new InflateError('invalid bit length repeat');
      lengths.fill(value, index, index + times);
      index += times;
    }
    if (lengths[256] === 0) throw new InflateError('missing end-of-block');
    const lengthCode = buildCode(0, lengthCount, LENGTH_SCRATCH, true);
    this.compressed(lengthCode, buildCode(lengthCount, total, DISTANCE_SCRATCH, true));
  }

  private compressed(lengthCode: Code, distanceCode: Code): void {
    const { out } = this;
    for (;;) {
      const symbol = this.decode(lengthCode);
      if (symbol < 256) {
        if (this.filled === out.length) throw new InflateError('more bytes than stated');
        out[this.filled++] = symbol;
        continue;
      }
      if (symbol === 256) return;
      if (symbol > 285) throw new InflateError('invalid length code');
      const length = (LENGTH_BASE[symbol - 257] as number) + this.take(LENGTH_BITS[symbol - 257] as number);
      const distanceSymbol = this.decode(distanceCode);
      if (distanceSymbol > 29) throw new InflateError('invalid distance code');
      const distance = (DISTANCE_BASE[distanceSymbol] as number) + this.take(DISTANCE_BITS[distanceSymbol] as number);
      if (distance > this.filled) throw new InflateError('invalid distance too far back');
      if (this.filled + length > out.length) throw new InflateError('more bytes than stated');
      for (let end = this.filled + length; this.filled < end; this.filled++) {
        out[this.filled] = out[this.filled - distance] as number;
      }
    }
  }

  private decode(code: Code): number {
    while (this.held < code.bits && this.at < this.input.length) {
      this.bits |= (this.input[this.at++] as number) << this.held;
      this.held += 8;
    }
    const entry = code.table[this.bits & ((1 << code.bits) - 1)] as number;
    const length = entry & 15;
    if (entry === 0) throw new InflateError('invalid code', this.held < code.bits);
    if (length > this.held) throw new InflateError('unexpected end of file', true);
    this.bits >>>= length;
    this.held -= length;
    return entry >> 4;
  }
}

// Scratch memory of one call, used again by the next: small arrays by the ten for each object would be most of the work.
const LENGTHS = new Uint8Array(286 + 30);
const COUNTS = new Uint16Array(MAX_BITS + 1);
const NEXT = new Uint16Array(MAX_BITS + 2);
const CODE_SCRATCH = new Uint16Array(1 << 7);
const LENGTH_SCRATCH = new Uint16Array(1 << MAX_BITS);
const DISTANCE_SCRATCH = new Uint16Array(1 << MAX_BITS);

/**
 * The code whose lengths stand in `LENGTHS` from `from` to `to`.
 * @param mayBeSingle whether one code of one bit is allowed though it leaves the other bit without meaning
 */
function buildCode(from: number, to: number, table: Uint16Array, mayBeSingle: boolean): Code {
  const counts = COUNTS.fill(0);
  for (let index = from; index < to; index++) {
    const length = LENGTHS[index] as number;
    counts[length] = (counts[length] as number) + 1;
  }
  counts[0] = 0;
  const next = NEXT;
  next[1] = 0;
  let bits = 0;
  let left = 1;
  for (let length = 1; length <= MAX_BITS; length++) {
    const count = counts[length] as number;
    if (count > 0) bits = length;
    left = left * 2 - count;
    if (left < 0) throw new InflateError('oversubscribed code');
    next[length + 1] = ((next[length] as number) + count) << 1;
  }
  if (left > 0 && !(mayBeSingle && bits <= 1)) throw new InflateError('incomplete code');
  const size = 1 << bits;
  // A complete code leaves no entry without a meaning.
  if (left > 0) table.fill(0, 0, size);
  for (let index = from; index < to; index++) {
    const length = LENGTHS[index] as number;
    if (length === 0) continue;
    const code = next[length] as number;
    next[length] = code + 1;
    const entry = (index - from) * 16 + length;
    // Codes are read from their highest bit on, while the next bits stand in a number from its lowest.
    for (let at = reverse(code, length); at < size; at += 1 << length) table[at] = entry;
  }
  return { bits, table };
}

/** The lowest `length` of 16 bits in the other order. */
function reverse(code: number, length: number): number {
  let bits = ((code & 0xaaaa) >> 1) | ((code & 0x5555) << 1);
  bits = ((bits & 0xcccc) >> 2) | ((bits & 0x3333) << 2);
  bits = ((bits & 0xf0f0) >> 4) | ((bits & 0x0f0f) << 4);
  return (((bits & 0xff00) >> 8) | ((bits & 0x00ff) << 8)) >> (16 - length);
}

const FIXED_LENGTHS = fixedCode(288, 9, (symbol) => (symbol < 144 ? 8 : symbol < 256 ? 9 : symbol < 280 ? 7 : 8));
const FIXED_DISTANCES = fixedCode(32, 5, () => 5);

function fixedCode(count: number, bits: number, lengthOf: (symbol: number) => number): Code {
  for (let symbol = 0; symbol < count; symbol++) LENGTHS[symbol] = lengthOf(symbol);
  return buildCode(0, count, new Uint16Array(1 << bits), false);
}

// Sums stay below 2^31 for 5552 bytes; what comes here is shorter.
function adler32(bytes: Uint8Array): number {
  let a = 1;
  let b = 0;
  for (let index = 0; index < bytes.length; index++) {
    a += bytes[index] as number;
    b += a;
  }
  return (((b % 65521) << 16) | (a % 65521)) >>> 0;
}
