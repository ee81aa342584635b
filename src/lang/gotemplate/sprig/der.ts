// Owns reading and writing ASN.1 DER, as much as keys and certificates need.
import { GoError } from '../value.ts';

/** One element: its tag byte, its content, and its bytes as a whole. */
export interface DerElement {
  readonly tag: number;
  readonly content: Uint8Array;
  readonly raw: Uint8Array;
}

export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  utf8String: 0x0c,
  printableString: 0x13,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

/** An element of the given tag around its contents. */
export function der(tag: number, ...contents: Uint8Array[]): Uint8Array {
  const content = Buffer.concat(contents);
  return Buffer.concat([Uint8Array.of(tag, ...lengthBytes(content.length)), content]);
}

function lengthBytes(length: number): number[] {
  if (length < 0x80) return [length];
  const bytes: number[] = [];
  for (let rest = length; rest > 0; rest >>= 8) bytes.unshift(rest & 0xff);
  return [0x80 | bytes.length, ...bytes];
}

/** A non-negative integer from its magnitude. */
export function derInteger(magnitude: Uint8Array): Uint8Array {
  let start = 0;
  while (start < magnitude.length - 1 && magnitude[start] === 0) start++;
  const bytes = magnitude.subarray(start);
  return der(TAG.integer, bytes.length === 0 || bytes[0]! >= 0x80 ? Uint8Array.of(0) : Uint8Array.of(), bytes);
}

/** An object identifier from its dotted form. */
export function derOid(dotted: string): Uint8Array {
  const [first = 0, second = 0, ...others] = dotted.split('.').map(Number);
  const bytes: number[] = [first * 40 + second];
  for (const arc of others) {
    const digits: number[] = [arc & 0x7f];
    for (let rest = arc >>> 7; rest > 0; rest >>>= 7) digits.unshift((rest & 0x7f) | 0x80);
    bytes.push(...digits);
  }
  return der(TAG.oid, Uint8Array.from(bytes));
}

/** The elements that follow each other in some bytes. Throws GoError for what is not DER. */
export function readDer(bytes: Uint8Array): DerElement[] {
  const elements: DerElement[] = [];
  for (let at = 0; at < bytes.length; ) {
    const { header, length } = readHeader(bytes, at);
    const end = at + header + length;
    if (end > bytes.length) throw new GoError('asn1: syntax error: data truncated');
    elements.push({ tag: bytes[at]!, content: bytes.subarray(at + header, end), raw: bytes.subarray(at, end) });
    at = end;
  }
  return elements;
}

function readHeader(bytes: Uint8Array, at: number): { header: number; length: number } {
  const first = bytes[at + 1];
  if (first === undefined) throw new GoError('asn1: syntax error: truncated tag or length');
  if (first < 0x80) return { header: 2, length: first };
  const count = first & 0x7f;
  if (count === 0 || count > 4 || at + 2 + count > bytes.length) {
    throw new GoError('asn1: syntax error: truncated tag or length');
  }
  let length = 0;
  for (let i = 0; i < count; i++) length = length * 256 + bytes[at + 2 + i]!;
  return { header: 2 + count, length };
}

/** The elements inside a constructed element; the tag is checked. */
export function readSequence(bytes: Uint8Array): DerElement[] {
  const [outer] = readDer(bytes);
  if (outer?.tag !== TAG.sequence) throw new GoError("asn1: structure error: tags don't match");
  return readDer(outer.content);
}
