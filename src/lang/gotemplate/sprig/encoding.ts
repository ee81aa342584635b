// Owns sprig's encodings and checksums: base64, base32, SHA, Adler-32.
import { createHash } from 'node:crypto';
import { func, type GoFunction } from '../function.ts';
import { fromBytes, toBytes } from '../gostring.ts';
import { STRING } from '../value.ts';

export function encodingFunctions(): [string, GoFunction][] {
  return [
    ['b64enc', func([STRING], (text) => Buffer.from(toBytes(text)).toString('base64'))],
    ['b64dec', func([STRING], (text) => decodedOrError(decodeBase64(text)))],
    ['b32enc', func([STRING], (text) => encodeBase32(toBytes(text)))],
    ['b32dec', func([STRING], (text) => decodedOrError(decodeBase32(text)))],
    ['sha1sum', func([STRING], (text) => hexDigest('sha1', text))],
    ['sha256sum', func([STRING], (text) => hexDigest('sha256', text))],
    ['sha512sum', func([STRING], (text) => hexDigest('sha512', text))],
    ['adler32sum', func([STRING], (text) => String(adler32(toBytes(text))))],
  ];
}

function hexDigest(algorithm: string, text: string): string {
  return createHash(algorithm).update(toBytes(text)).digest('hex');
}

/** Decoded bytes, or the offset of the first offending byte. */
export type Decoded = { readonly bytes: Uint8Array } | { readonly badAt: number; readonly encoding: string };

/** Go's text for what does not decode. */
export function decodeError(badAt: number, encoding: string): string {
  return `illegal ${encoding} data at input byte ${badAt}`;
}

/** sprig gives the error as the result. */
function decodedOrError(decoded: Decoded): string {
  return 'bytes' in decoded ? fromBytes(decoded.bytes) : decodeError(decoded.badAt, decoded.encoding);
}

/** Go's base64.StdEncoding: padded, line breaks ignored, errors by position. */
export function decodeBase64(text: string): Decoded {
  const badAt = findBad(toBytes(text), {
    alphabet: /[A-Za-z0-9+/]/,
    block: 4,
    mayPad: (digits) => digits >= 2,
    paddingOffset: 0,
  });
  return badAt < 0 ? { bytes: Buffer.from(text.replace(/[\r\n]/g, ''), 'base64') } : { badAt, encoding: 'base64' };
}

interface BlockShape {
  readonly alphabet: RegExp;
  readonly block: number;
  /** Whether padding may start after that many digits of a block. */
  readonly mayPad: (digits: number) => boolean;
  /** How far before the offender Go reports bad padding: its base32 decoder is off by one. */
  readonly paddingOffset: number;
}

/** Position at which Go's decoder gives up, -1 for none. */
function findBad(bytes: Uint8Array, shape: BlockShape): number {
  const { alphabet, block, mayPad } = shape;
  let digits = 0;
  let at = 0;
  for (; at < bytes.length; at++) {
    if (isLineBreak(bytes[at]!)) continue;
    const char = String.fromCharCode(bytes[at]!);
    if (char === '=') return mayPad(digits) ? findBadPadding(bytes, at, { wanted: block - digits, shape }) : at;
    if (!alphabet.test(char)) return at;
    digits = (digits + 1) % block;
  }
  return digits === 0 ? -1 : at - digits;
}

function isLineBreak(byte: number): boolean {
  return byte === 0x0a || byte === 0x0d;
}

function findBadPadding(
  bytes: Uint8Array,
  start: number,
  { wanted, shape }: { readonly wanted: number; readonly shape: BlockShape },
): number {
  let seen = 0;
  for (let at = start; at < bytes.length; at++) {
    if (isLineBreak(bytes[at]!)) continue;
    if (seen === wanted) return at;
    if (bytes[at] !== 0x3d) return at - shape.paddingOffset;
    seen++;
  }
  return seen === wanted ? -1 : bytes.length;
}

const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

function encodeBase32(bytes: Uint8Array): string {
  let out = '';
  for (let at = 0; at < bytes.length; at += 5) {
    const block = bytes.subarray(at, at + 5);
    let bits = 0n;
    for (let i = 0; i < 5; i++) bits = (bits << 8n) | BigInt(block[i] ?? 0);
    const digits = Math.ceil((block.length * 8) / 5);
    for (let i = 0; i < 8; i++) out += i < digits ? BASE32[Number((bits >> BigInt(35 - 5 * i)) & 31n)] : '=';
  }
  return out;
}

/** Digits that a last block of 1 to 4 bytes has. */
const SHORT_BLOCKS: ReadonlySet<number> = new Set([2, 4, 5, 7]);

/** Go's base32.StdEncoding. */
function decodeBase32(text: string): Decoded {
  const shape = {
    alphabet: /[A-Z2-7]/,
    block: 8,
    mayPad: (digits: number) => SHORT_BLOCKS.has(digits),
    paddingOffset: 1,
  };
  const badAt = findBad(toBytes(text), shape);
  if (badAt >= 0) return { badAt, encoding: 'base32' };
  const digits = text.replace(/[\r\n=]/g, '');
  const bytes: number[] = [];
  let bits = 0;
  let value = 0;
  for (const digit of digits) {
    value = ((value << 5) | BASE32.indexOf(digit)) & 0xfff;
    bits += 5;
    if (bits < 8) continue;
    bits -= 8;
    bytes.push((value >> bits) & 0xff);
  }
  return { bytes: Uint8Array.from(bytes) };
}

function adler32(bytes: Uint8Array): number {
  let a = 1;
  let b = 0;
  for (const byte of bytes) {
    a = (a + byte) % 65_521;
    b = (b + a) % 65_521;
  }
  return b * 65_536 + a;
}
