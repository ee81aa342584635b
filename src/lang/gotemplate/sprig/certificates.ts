// Owns sprig's certificate functions: authorities, self-signed and signed certificates, as Go's x509 writes them.
import { createHash, type KeyObject, sign } from 'node:crypto';
import { formatGoTime } from '../../../lib/gotime.ts';
import type { Execution } from '../execution.ts';
import { func, funcWith, type GoFunction } from '../function.ts';
import { fromBytes } from '../gostring.ts';
import { formatValue } from '../printf.ts';
import { GoError, GoObject, type GoType, type GoValue, INT, LIST, STRING } from '../value.ts';
import { type DerElement, der, derInteger, derOid, readDer, readSequence, TAG } from './der.ts';
import { decodeBase64 } from './encoding.ts';
import { parseIp } from './ip.ts';
import {
  formatPem,
  formatPrivateKey,
  generatePrivateKey,
  newKey,
  parsePem,
  parsePrivateKey,
  publicKeyInfo,
} from './keys.ts';
import { fromNanoseconds } from './time-value.ts';

/** sprig's certificate struct: both fields are PEM. */
class Certificate extends GoObject {
  readonly type = CERTIFICATE;
  readonly cert: string;
  readonly key: string;

  constructor(cert: string, key: string) {
    super();
    this.cert = cert;
    this.key = key;
  }

  fields(): readonly (readonly [string, GoValue])[] {
    return [
      ['Cert', this.cert],
      ['Key', this.key],
    ];
  }
}

const CERTIFICATE: GoType<Certificate> = { name: 'sprig.certificate', kind: 'struct' };

export function certificateFunctions(): [string, GoFunction][] {
  const names = [STRING, LIST, LIST, INT] as const;
  return [
    ['genPrivateKey', funcWith([STRING], generatePrivateKey)],
    [
      'genCA',
      funcWith([STRING, INT], (execution, name, days) => authority(execution, name, days, freshKey(execution))),
    ],
    [
      'genCAWithKey',
      funcWith([STRING, INT, STRING], (execution, name, days, key) => authority(execution, name, days, givenKey(key))),
    ],
    [
      'genSelfSignedCert',
      funcWith(names, (execution, name, ips, dns, days) =>
        selfSigned(execution, { name, ips, dns, days }, freshKey(execution)),
      ),
    ],
    [
      'genSelfSignedCertWithKey',
      funcWith([...names, STRING], (execution, name, ips, dns, days, key) =>
        selfSigned(execution, { name, ips, dns, days }, givenKey(key)),
      ),
    ],
    [
      'genSignedCert',
      funcWith([...names, CERTIFICATE], (execution, name, ips, dns, days, ca) =>
        signed(execution, { name, ips, dns, days }, { ca, key: freshKey(execution) }),
      ),
    ],
    [
      'genSignedCertWithKey',
      funcWith([...names, CERTIFICATE, STRING], (execution, name, ips, dns, days, ca, key) =>
        signed(execution, { name, ips, dns, days }, { ca, key: givenKey(key) }),
      ),
    ],
    ['buildCustomCert', func([STRING, STRING], buildCustom)],
  ];
}

function freshKey(execution: Execution): KeyObject {
  return newKey(execution, 'rsa-2048');
}

function givenKey(pem: string): KeyObject {
  return explained('parsing private key', () => parsePrivateKey(pem));
}

function explained<T>(failure: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (error instanceof GoError) throw new GoError(`${failure}: ${error.message}`, { cause: error });
    throw error;
  }
}

interface Subject {
  readonly name: string;
  readonly ips: readonly GoValue[];
  readonly dns: readonly GoValue[];
  readonly days: number;
}

/** Who signs: the distinguished name in DER, the key, and the key id of its certificate. */
interface Signer {
  readonly name: Uint8Array;
  readonly key: KeyObject;
  readonly keyId: Uint8Array | undefined;
}

function authority(execution: Execution, name: string, days: number, key: KeyObject): Certificate {
  const subject = { name, ips: [], dns: [], days };
  return issue(execution, subject, {
    key,
    isAuthority: true,
    signer: { name: distinguishedName(name), key, keyId: undefined },
  });
}

function selfSigned(execution: Execution, subject: Subject, key: KeyObject): Certificate {
  const signer = { name: distinguishedName(subject.name), key, keyId: undefined };
  return issue(execution, subject, { key, isAuthority: false, signer });
}

function signed(execution: Execution, subject: Subject, { ca, key }: { ca: Certificate; key: KeyObject }): Certificate {
  const block = parsePem(ca.cert);
  if (block === undefined) throw new GoError('unable to decode certificate');
  const parent = explained('error parsing certificate: decodedCert.Bytes', () => readCertificate(block.bytes));
  const signerKey = explained('error parsing private key', () => parsePrivateKey(ca.key));
  return issue(execution, subject, { key, isAuthority: false, signer: { ...parent, key: signerKey } });
}

function buildCustom(certBase64: string, keyBase64: string): Certificate {
  const cert = decodeBase64(certBase64);
  if (!('bytes' in cert)) throw new GoError('unable to decode base64 certificate');
  const key = decodeBase64(keyBase64);
  if (!('bytes' in key)) throw new GoError('unable to decode base64 private key');
  const block = parsePem(fromBytes(cert.bytes));
  if (block === undefined) throw new GoError('unable to decode certificate');
  explained('error parsing certificate: decodedCert.Bytes', () => readCertificate(block.bytes));
  explained('error parsing private key', () => parsePrivateKey(fromBytes(key.bytes)));
  return new Certificate(fromBytes(cert.bytes), fromBytes(key.bytes));
}

// ---- writing ------------------------------------------------------------------------------------

const OID = {
  commonName: '2.5.4.3',
  subjectKeyId: '2.5.29.14',
  keyUsage: '2.5.29.15',
  alternativeNames: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  authorityKeyId: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
} as const;

interface Issuance {
  readonly key: KeyObject;
  readonly signer: Signer;
  readonly isAuthority: boolean;
}

function issue(execution: Execution, subject: Subject, { key, signer, isAuthority }: Issuance): Certificate {
  const { host } = execution;
  const names = alternativeNames(subject);
  const algorithm = signatureAlgorithm(signer.key);
  const subjectName = distinguishedName(subject.name);
  const keyInfo = publicKeyInfo(key);
  const isSelfIssued = Buffer.compare(signer.name, subjectName) === 0;
  const extensions = [
    extension(OID.keyUsage, keyUsage(isAuthority), true),
    extension(OID.extendedKeyUsage, der(TAG.sequence, derOid(OID.serverAuth), derOid(OID.clientAuth))),
    extension(
      OID.basicConstraints,
      der(TAG.sequence, ...(isAuthority ? [der(TAG.boolean, Uint8Array.of(0xff))] : [])),
      true,
    ),
    ...(isAuthority ? [extension(OID.subjectKeyId, der(TAG.octetString, keyIdOf(keyInfo)))] : []),
    ...(signer.keyId && !isSelfIssued
      ? [extension(OID.authorityKeyId, der(TAG.sequence, der(0x80, signer.keyId)))]
      : []),
    ...(names.length > 0 ? [extension(OID.alternativeNames, der(TAG.sequence, ...names), subject.name === '')] : []),
  ];
  const body = der(
    TAG.sequence,
    der(0xa0, derInteger(Uint8Array.of(2))),
    derInteger(host.random(16)),
    algorithm.identifier,
    signer.name,
    validity(host.now(), subject.days),
    subjectName,
    keyInfo,
    der(0xa3, der(TAG.sequence, ...extensions)),
  );
  const signature = sign(algorithm.hash, body, signer.key);
  const certificate = der(TAG.sequence, body, algorithm.identifier, der(TAG.bitString, Uint8Array.of(0), signature));
  return new Certificate(formatPem('CERTIFICATE', certificate), formatPrivateKey(key));
}

function signatureAlgorithm(key: KeyObject): { readonly identifier: Uint8Array; readonly hash: string | null } {
  const nothing = der(TAG.null);
  switch (key.asymmetricKeyType) {
    case 'rsa':
      return { identifier: der(TAG.sequence, derOid('1.2.840.113549.1.1.11'), nothing), hash: 'sha256' };
    case 'ec':
      return { identifier: der(TAG.sequence, derOid('1.2.840.10045.4.3.2')), hash: 'sha256' };
    case 'ed25519':
      return { identifier: der(TAG.sequence, derOid('1.3.101.112')), hash: null };
    default:
      throw new GoError('error creating certificate: x509: only RSA, ECDSA and Ed25519 keys supported');
  }
}

function extension(oid: string, value: Uint8Array, isCritical = false): Uint8Array {
  const critical = isCritical ? [der(TAG.boolean, Uint8Array.of(0xff))] : [];
  return der(TAG.sequence, derOid(oid), ...critical, der(TAG.octetString, value));
}

/** Digital signature and key encipherment; authorities also sign certificates. The first byte counts unused bits. */
function keyUsage(isAuthority: boolean): Uint8Array {
  return der(TAG.bitString, isAuthority ? Uint8Array.of(2, 0xa4) : Uint8Array.of(5, 0xa0));
}

/** The first 160 bits of the SHA-256 of the public key's bits. */
function keyIdOf(keyInfo: Uint8Array): Uint8Array {
  const [, bits] = readSequence(keyInfo);
  return createHash('sha256').update(bits!.content.subarray(1)).digest().subarray(0, 20);
}

function distinguishedName(commonName: string): Uint8Array {
  if (commonName === '') return der(TAG.sequence);
  const isPrintable = /^[A-Za-z0-9 '()+,\-./:=?]*$/.test(commonName);
  const text = der(isPrintable ? TAG.printableString : TAG.utf8String, Buffer.from(commonName));
  return der(TAG.sequence, der(TAG.set, der(TAG.sequence, derOid(OID.commonName), text)));
}

function validity(now: bigint, days: number): Uint8Array {
  const end = now + BigInt(days) * 86_400_000_000_000n;
  return der(TAG.sequence, derTime(now), derTime(end));
}

/** Years up to 2049 have two digits. */
function derTime(nanoseconds: bigint): Uint8Array {
  const moment = fromNanoseconds(nanoseconds);
  const isLate = moment.seconds >= 2_524_608_000;
  const text = formatGoTime(moment, isLate ? '20060102150405Z' : '060102150405Z');
  return der(isLate ? TAG.generalizedTime : TAG.utcTime, Buffer.from(text));
}

function alternativeNames({ ips, dns }: Subject): Uint8Array[] {
  const addresses = ips.map((ip) => {
    if (typeof ip !== 'string') throw new GoError(`error parsing ip: ${formatValue(ip)} is not a string`);
    const bytes = parseIp(ip);
    if (bytes === undefined) throw new GoError(`error parsing ip: ${ip}`);
    return der(0x87, bytes);
  });
  const names = dns.map((name) => {
    if (typeof name === 'string') return der(0x82, Buffer.from(name));
    throw new GoError(`error processing alternate dns name: ${formatValue(name)} is not a string`);
  });
  return [...names, ...addresses];
}

// ---- reading ------------------------------------------------------------------------------------

/** Subject and key id of a certificate. */
function readCertificate(bytes: Uint8Array): { readonly name: Uint8Array; readonly keyId: Uint8Array | undefined } {
  const [body] = readSequence(bytes);
  const parts = readDer(body?.content ?? new Uint8Array());
  const hasVersion = parts[0]?.tag === 0xa0;
  const subject = parts[hasVersion ? 5 : 4];
  if (subject?.tag !== TAG.sequence) throw new GoError('x509: malformed certificate');
  const extensions = parts.find((part) => part.tag === 0xa3);
  return { name: subject.raw, keyId: extensions && findKeyId(extensions) };
}

function findKeyId(extensions: DerElement): Uint8Array | undefined {
  const wanted = Buffer.from(derOid(OID.subjectKeyId));
  for (const entry of readSequence(extensions.content)) {
    const parts = readDer(entry.content);
    if (parts[0] && wanted.equals(parts[0].raw)) return readDer(parts.at(-1)!.content)[0]?.content;
  }
  return undefined;
}
