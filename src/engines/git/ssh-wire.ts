// Owns SSH's wire format as far as signatures need it: strings, public keys, and checking one signature with one key.
import { createHash, createPublicKey, type KeyObject, verify } from 'node:crypto';
import { GitError } from './errors.ts';

/** Reads length-prefixed strings one after the other. Throws GitError GitSignature at the end of the bytes. */
export class WireReader {
  private readonly bytes: Buffer;
  private at = 0;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.at === this.bytes.length;
  }

  take(length: number): Buffer {
    if (this.at + length > this.bytes.length) throw bad('SSH data is cut short');
    const part = this.bytes.subarray(this.at, this.at + length);
    this.at += length;
    return part;
  }

  uint32(): number {
    return this.take(4).readUInt32BE(0);
  }

  string(): Buffer {
    return this.take(this.uint32());
  }

  text(): string {
    return this.string().toString('latin1');
  }
}

/** Bytes with their length before them. */
export function wireString(bytes: Uint8Array | string): Buffer {
  const data = Buffer.from(bytes);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  return Buffer.concat([length, data]);
}

/** A public key in wire form: its type and what checks signatures. */
export interface SshPublicKey {
  readonly type: string;
  readonly blob: Buffer;
}

const CURVES: Readonly<Record<string, { curve: string; hash: string; bytes: number }>> = {
  nistp256: { curve: 'P-256', hash: 'sha256', bytes: 32 },
  nistp384: { curve: 'P-384', hash: 'sha384', bytes: 48 },
  nistp521: { curve: 'P-521', hash: 'sha512', bytes: 66 },
};

/** `SHA256:…` as ssh-keygen shows it. */
export function fingerprint(blob: Uint8Array): string {
  return `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`;
}

/**
 * Whether `signature` (wire form: type and blob) over `data` was made by the key.
 * @throws GitError GitSignature when key or signature are damaged or of a kind that is not accepted
 */
export function verifySsh(key: SshPublicKey, data: Buffer, signature: Buffer): boolean {
  const reader = new WireReader(signature);
  const type = reader.text();
  const blob = reader.string();
  const parts = new WireReader(key.blob);
  if (parts.text() !== key.type) throw bad('SSH public key is damaged');
  switch (key.type) {
    case 'ssh-ed25519':
      return type === key.type && verify(null, data, ed25519Key(parts.string()), blob);
    case 'ssh-rsa':
      return verifyRsa(parts, type, data, blob);
    case 'ecdsa-sha2-nistp256':
    case 'ecdsa-sha2-nistp384':
    case 'ecdsa-sha2-nistp521':
      return type === key.type && verifyEcdsa(parts, data, blob);
    case 'sk-ssh-ed25519@openssh.com': {
      const point = parts.string();
      return type === key.type && verify(null, securityKeyData(parts, reader, data), ed25519Key(point), blob);
    }
    case 'sk-ecdsa-sha2-nistp256@openssh.com': {
      const { key: ecKey, curve } = ecdsaKey(parts);
      const signed = securityKeyData(parts, reader, data);
      return (
        type === key.type &&
        verify(curve.hash, signed, { key: ecKey, dsaEncoding: 'ieee-p1363' }, fixedPair(blob, curve.bytes))
      );
    }
  }
  throw bad(`SSH key type '${key.type}' is not supported`);
}

function ed25519Key(point: Buffer): KeyObject {
  if (point.length !== 32) throw bad('SSH public key is damaged');
  return importKey({ kty: 'OKP', crv: 'Ed25519', x: point.toString('base64url') });
}

// SHA-1 (`ssh-rsa` as the type of a signature) is refused.
function verifyRsa(parts: WireReader, type: string, data: Buffer, blob: Buffer): boolean {
  const hash = { 'rsa-sha2-256': 'sha256', 'rsa-sha2-512': 'sha512' }[type];
  if (hash === undefined) throw bad(`SSH signature type '${type}' is not accepted`);
  const e = unsigned(parts.string());
  const n = unsigned(parts.string());
  const key = importKey({ kty: 'RSA', e: e.toString('base64url'), n: n.toString('base64url') });
  return verify(hash, data, key, Buffer.concat([Buffer.alloc(Math.max(0, n.length - blob.length)), blob]));
}

function verifyEcdsa(parts: WireReader, data: Buffer, blob: Buffer): boolean {
  const { key, curve } = ecdsaKey(parts);
  return verify(curve.hash, data, { key, dsaEncoding: 'ieee-p1363' }, fixedPair(blob, curve.bytes));
}

function ecdsaKey(parts: WireReader): { key: KeyObject; curve: { hash: string; bytes: number } } {
  const curve = CURVES[parts.text()];
  const point = parts.string();
  if (curve === undefined || point.length !== 1 + 2 * curve.bytes || point[0] !== 4)
    throw bad('SSH public key is damaged');
  const x = point.subarray(1, 1 + curve.bytes).toString('base64url');
  const y = point.subarray(1 + curve.bytes).toString('base64url');
  return { key: importKey({ kty: 'EC', crv: curve.curve, x, y }), curve };
}

// A hardware token signs hashes, its flags and a counter; the flag says that somebody touched it.
function securityKeyData(parts: WireReader, signature: WireReader, data: Buffer): Buffer {
  const application = parts.string();
  const tail = signature.take(5);
  if (((tail[0] as number) & 1) === 0) throw bad('SSH signature was made without touching the hardware token');
  const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest();
  return Buffer.concat([sha256(application), tail, sha256(data)]);
}

function fixedPair(blob: Buffer, bytes: number): Buffer {
  const reader = new WireReader(blob);
  const pair = [unsigned(reader.string()), unsigned(reader.string())];
  if (pair.some((number) => number.length > bytes)) throw bad('SSH signature is damaged');
  return Buffer.concat(pair.flatMap((number) => [Buffer.alloc(bytes - number.length), number]));
}

// Numbers are signed on the wire: a leading zero keeps them positive.
function unsigned(number: Buffer): Buffer {
  let start = 0;
  while (start < number.length - 1 && number[start] === 0) start++;
  return number.subarray(start);
}

function importKey(jwk: Record<string, string>): KeyObject {
  try {
    return createPublicKey({ key: jwk, format: 'jwk' });
  } catch (cause) {
    throw new GitError('GitSignature', 'SSH public key is damaged', {}, { cause });
  }
}

function bad(message: string): GitError {
  return new GitError('GitSignature', message);
}
