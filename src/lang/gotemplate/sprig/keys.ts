// Owns private keys of the certificate functions: the PEM forms that sprig writes and reads.
import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import type { Execution, KeyAlgorithm } from '../execution.ts';
import { GoError } from '../value.ts';
import { der, derInteger, derOid, readDer, readSequence, TAG } from './der.ts';

/** sprig's genPrivateKey: PEM text, or a sentence for an unknown type. */
export function generatePrivateKey(execution: Execution, type: string): string {
  switch (type) {
    case '':
    case 'rsa':
      return formatPrivateKey(newKey(execution, 'rsa-4096'));
    case 'dsa':
      return formatPrivateKey(newKey(execution, 'dsa-2048'));
    case 'ecdsa':
      return formatPrivateKey(newKey(execution, 'ecdsa-p256'));
    case 'ed25519':
      return formatPrivateKey(newKey(execution, 'ed25519'));
    default:
      return `Unknown type ${type}`;
  }
}

/** Steps that making a key counts as, by the time it takes. */
const KEY_STEPS: Readonly<Record<KeyAlgorithm, number>> = {
  'rsa-2048': 60_000,
  'rsa-4096': 500_000,
  'dsa-2048': 500_000,
  'ecdsa-p256': 1_000,
  ed25519: 1_000,
};

/** A fresh key from the host. */
export function newKey({ host, budget }: Execution, algorithm: KeyAlgorithm): KeyObject {
  budget.spend(KEY_STEPS[algorithm]);
  return createPrivateKey({ key: Buffer.from(host.generateKey(algorithm)), format: 'der', type: 'pkcs8' });
}

/** The key in the form of its kind: PKCS#1, SEC 1, OpenSSL's DSA, else PKCS#8. */
export function formatPrivateKey(key: KeyObject): string {
  switch (key.asymmetricKeyType) {
    case 'rsa':
      return key.export({ type: 'pkcs1', format: 'pem' }).toString();
    case 'ec':
      return key.export({ type: 'sec1', format: 'pem' }).toString();
    case 'dsa':
      return formatPem('DSA PRIVATE KEY', dsaBytes(key.export({ type: 'pkcs8', format: 'der' })));
    default:
      return key.export({ type: 'pkcs8', format: 'pem' }).toString();
  }
}

const DSA_OID = '1.2.840.10040.4.1';

/** version, p, q, g, y, x from PKCS#8, which holds all of them but y = g^x mod p. */
function dsaBytes(pkcs8: Uint8Array): Uint8Array {
  const [, algorithm, wrapped] = readSequence(pkcs8);
  const [, parameters] = readDer(algorithm!.content);
  const [p, q, g] = readDer(parameters!.content);
  const [x] = readDer(wrapped!.content);
  const y = power(toBigInt(g!.content), toBigInt(x!.content), toBigInt(p!.content));
  const zero = derInteger(Uint8Array.of(0));
  return der(TAG.sequence, zero, p!.raw, q!.raw, g!.raw, derInteger(fromBigInt(y)), x!.raw);
}

/** PKCS#8 from OpenSSL's DSA form. */
function dsaToPkcs8(bytes: Uint8Array): Uint8Array {
  const [, p, q, g, , x] = readSequence(bytes);
  if (x === undefined) throw new GoError('asn1: syntax error: sequence truncated');
  const parameters = der(TAG.sequence, p!.raw, q!.raw, g!.raw);
  const algorithm = der(TAG.sequence, derOid(DSA_OID), parameters);
  return der(TAG.sequence, derInteger(Uint8Array.of(0)), algorithm, der(TAG.octetString, x.raw));
}

function toBigInt(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).toString('hex')}`);
}

function fromBigInt(value: bigint): Uint8Array {
  const hex = value.toString(16);
  return Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex');
}

function power(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let result = 1n;
  let square = base % modulus;
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = (result * square) % modulus;
    square = (square * square) % modulus;
  }
  return result;
}

/** Reads a private key from PEM. Throws GoError with sprig's words. */
export function parsePrivateKey(text: string): KeyObject {
  const block = parsePem(text);
  if (block === undefined) throw new GoError('no PEM data in input');
  const { type, bytes } = block;
  if (type === 'PRIVATE KEY') return readKey(bytes, 'pkcs8', 'decoding PEM as PKCS#8');
  if (!type.endsWith(' PRIVATE KEY')) throw new GoError(`no private key data in PEM block of type ${type}`);
  const kind = type.slice(0, -' PRIVATE KEY'.length);
  if (kind === 'RSA') return readKey(bytes, 'pkcs1', 'parsing RSA private key from PEM');
  if (kind === 'EC') return readKey(bytes, 'sec1', 'parsing EC private key from PEM');
  if (kind === 'DSA') return readDsaKey(bytes);
  throw new GoError(`invalid private key type ${kind}`);
}

function readDsaKey(bytes: Uint8Array): KeyObject {
  const failure = 'parsing DSA private key from PEM';
  try {
    return readKey(dsaToPkcs8(bytes), 'pkcs8', failure);
  } catch (error) {
    if (!(error instanceof GoError) || error.message.startsWith(failure)) throw error;
    throw new GoError(`${failure}: ${error.message}`, { cause: error });
  }
}

function readKey(bytes: Uint8Array, type: 'pkcs1' | 'pkcs8' | 'sec1', failure: string): KeyObject {
  try {
    return createPrivateKey({ key: Buffer.from(bytes), format: 'der', type });
  } catch (error) {
    throw new GoError(`${failure}: ${(error as Error).message}`, { cause: error });
  }
}

/** The public key of a private one, as SubjectPublicKeyInfo. */
export function publicKeyInfo(key: KeyObject): Uint8Array {
  return createPublicKey(key).export({ type: 'spki', format: 'der' });
}

// ---- PEM ----------------------------------------------------------------------------------------

/** The first block of a PEM text, or undefined if there is none. */
export function parsePem(text: string): { readonly type: string; readonly bytes: Uint8Array } | undefined {
  const match = /(?:^|\n)-----BEGIN ([^\n]*?)-----[ \t\r]*\n([^-]*)-----END \1-----/.exec(text);
  if (match === null) return undefined;
  const [, type = '', body = ''] = match;
  // Headers (`Proc-Type: …`) end at an empty line.
  const encoded = body.replace(/^(?:[^\n]*:[^\n]*\n)*\s*/, '').replace(/\s/g, '');
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(encoded) || encoded.length % 4 !== 0) return undefined;
  return { type, bytes: Buffer.from(encoded, 'base64') };
}

/** A PEM block with lines of 64 characters. */
export function formatPem(type: string, bytes: Uint8Array): string {
  const lines =
    Buffer.from(bytes)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${type}-----\n${lines.join('\n')}\n-----END ${type}-----\n`;
}
