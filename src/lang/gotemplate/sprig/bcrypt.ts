// Owns the bcrypt password hash (version 2a), which Node's crypto does not have. Synchronous: some 40 ms at cost 10.
import { GoError } from '../value.ts';

const ROUNDS = 16;
const BOX_SIZE = 256;
/** Words of the P array and the four S boxes. */
const STATE_SIZE = ROUNDS + 2 + 4 * BOX_SIZE;
const ALPHABET = './ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const MAX_PASSWORD = 72;

/**
 * The hash of a password: `$2a$10$…`.
 * Throws GoError for passwords beyond 72 bytes, as Go's library does.
 * @param salt 16 random bytes
 */
export function bcryptHash(password: Uint8Array, salt: Uint8Array, cost: number): string {
  if (password.length > MAX_PASSWORD) throw new GoError('bcrypt: password length exceeds 72 bytes');
  const cipher = new Blowfish();
  const key = Uint8Array.from([...password, 0]);
  cipher.expandKey(key, salt);
  for (let round = 0; round < 2 ** cost; round++) {
    cipher.expandKey(key);
    cipher.expandKey(salt);
  }
  const words = Int32Array.from(Buffer.from('OrpheanBeholderScryDoubt').toString('latin1').match(/.{4}/g)!, (text) =>
    Buffer.from(text, 'latin1').readInt32BE(),
  );
  for (let round = 0; round < 64; round++) for (let at = 0; at < words.length; at += 2) cipher.encrypt(words, at);
  const digest = Buffer.alloc(24);
  for (const [index, word] of words.entries()) digest.writeInt32BE(word, index * 4);
  return `$2a$${String(cost).padStart(2, '0')}$${encode(salt)}${encode(digest.subarray(0, 23))}`;
}

/** bcrypt's own base64: another alphabet, no padding. */
function encode(bytes: Uint8Array): string {
  let out = '';
  for (let at = 0; at < bytes.length; at += 3) {
    const block = (bytes[at]! << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
    const digits = Math.min(bytes.length - at, 3) + 1;
    for (let i = 0; i < digits; i++) out += ALPHABET[(block >> (18 - 6 * i)) & 63];
  }
  return out;
}

let known: Int32Array | undefined;

/** The digits of pi, worked out once; each cipher has its own copy. */
function initialState(): Int32Array {
  known ??= piWords();
  return known;
}

/** The cipher under bcrypt. Words are signed, which V8 keeps out of its heap. One array holds P and, behind it, the S boxes. */
class Blowfish {
  readonly #state = Int32Array.from(initialState());

  /** Mixes a key into the state; with a salt, its halves are mixed into the blocks in turn. */
  expandKey(key: Uint8Array, salt?: Uint8Array): void {
    const state = this.#state;
    let position = 0;
    for (let i = 0; i < ROUNDS + 2; i++) {
      state[i]! ^= wordAt(key, position);
      position += 4;
    }
    const block = new Int32Array(2);
    let saltPosition = 0;
    for (let i = 0; i < STATE_SIZE; i += 2) {
      if (salt) {
        block[0]! ^= wordAt(salt, saltPosition);
        block[1]! ^= wordAt(salt, saltPosition + 4);
        saltPosition += 8;
      }
      this.encrypt(block, 0);
      state[i] = block[0]!;
      state[i + 1] = block[1]!;
    }
  }

  /** Encrypts the two words at an index in place. */
  encrypt(words: Int32Array, index: number): void {
    const state = this.#state;
    let left = words[index]! ^ state[0]!;
    let right = words[index + 1]!;
    for (let i = 1; i <= ROUNDS; i += 2) {
      right ^= mix(state, left) ^ state[i]!;
      left ^= mix(state, right) ^ state[i + 1]!;
    }
    words[index] = right ^ state[ROUNDS + 1]!;
    words[index + 1] = left;
  }
}

const BOXES = ROUNDS + 2;

function mix(state: Int32Array, word: number): number {
  const a = state[BOXES + (word >>> 24)]!;
  const b = state[BOXES + BOX_SIZE + ((word >>> 16) & 0xff)]!;
  const c = state[BOXES + 2 * BOX_SIZE + ((word >>> 8) & 0xff)]!;
  const d = state[BOXES + 3 * BOX_SIZE + (word & 0xff)]!;
  return (((a + b) ^ c) + d) | 0;
}

/** Four bytes from a position on, read in a circle. */
function wordAt(bytes: Uint8Array, position: number): number {
  let word = 0;
  for (let i = 0; i < 4; i++) word = (word << 8) | bytes[(position + i) % bytes.length]!;
  return word;
}

/** The initial state: the binary digits of pi behind the point (Machin's formula, some ten milliseconds). */
function piWords(): Int32Array {
  const bits = BigInt(STATE_SIZE * 32);
  const guard = 64n;
  const one = 1n << (bits + guard);
  const pi = (16n * arctangentOfInverse(5n, one) - 4n * arctangentOfInverse(239n, one)) >> guard;
  const fraction = pi & ((1n << bits) - 1n);
  const bytes = Buffer.from(fraction.toString(16).padStart(STATE_SIZE * 8, '0'), 'hex');
  return Int32Array.from({ length: STATE_SIZE }, (_, index) => bytes.readInt32BE(index * 4));
}

/** arctan(1/x) × one. */
function arctangentOfInverse(x: bigint, one: bigint): bigint {
  let power = one / x;
  let sum = power;
  for (let n = 3n, sign = -1n; power > 0n; n += 2n, sign = -sign) {
    power /= x * x;
    sum += (sign * power) / n;
  }
  return sum;
}
