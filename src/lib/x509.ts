// Owns making X.509 certificates: a small DER writer, a self-signed authority and server certificates under it. No
// parsing, no files. Time and serial numbers come in, so the same input gives the same bytes but for the signature.
import { createHash, createPrivateKey, createPublicKey, sign } from 'node:crypto';

/** What a certificate says of its subject and for how long. */
export interface CertificateRequest {
  readonly commonName: string;
  readonly organization?: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** Positive, at most 20 bytes. */
  readonly serial: Uint8Array;
  /** DNS names and IPv4 addresses. */
  readonly names: readonly string[];
  /** Public key of the subject, SPKI as PEM. */
  readonly publicKeyPem: string;
  readonly authority: boolean;
}

/** Who signs: the name that its own certificate carries, and its EC P-256 private key as PEM. */
export interface Issuer {
  readonly commonName: string;
  readonly organization?: string;
  readonly privateKeyPem: string;
}

const OID = {
  commonName: '2.5.4.3',
  organization: '2.5.4.10',
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
  basicConstraints: '2.5.29.19',
  keyUsage: '2.5.29.15',
  extendedKeyUsage: '2.5.29.37',
  serverAuth: '1.3.6.1.5.5.7.3.1',
  subjectAltName: '2.5.29.17',
  subjectKeyId: '2.5.29.14',
  authorityKeyId: '2.5.29.35',
} as const;

/** Signs a certificate (ECDSA with SHA-256) and returns it as PEM. */
export function issueCertificate(request: CertificateRequest, issuer: Issuer): string {
  const algorithm = sequence(oid(OID.ecdsaWithSha256));
  const subjectKey = createPublicKey(request.publicKeyPem).export({ type: 'spki', format: 'der' });
  const issuerKey = createPublicKey(createPrivateKey(issuer.privateKeyPem)).export({ type: 'spki', format: 'der' });
  const body = sequence(
    tagged(0xa0, integer(Uint8Array.of(2))),
    integer(request.serial),
    algorithm,
    distinguishedName(issuer.commonName, issuer.organization),
    sequence(time(request.notBefore), time(request.notAfter)),
    distinguishedName(request.commonName, request.organization),
    subjectKey,
    tagged(0xa3, sequence(...extensions(request, keyId(subjectKey), keyId(issuerKey)))),
  );
  const signature = sign('sha256', body, createPrivateKey(issuer.privateKeyPem));
  return toPem('CERTIFICATE', sequence(body, algorithm, bitString(signature)));
}

function extensions(request: CertificateRequest, subjectKeyId: Buffer, issuerKeyId: Buffer): Buffer[] {
  // Key usage is a bit string: certSign and cRLSign for an authority, digitalSignature for a server.
  const usage = request.authority ? Buffer.from([0x03, 0x02, 0x01, 0x06]) : Buffer.from([0x03, 0x02, 0x07, 0x80]);
  const list = [
    extension(OID.basicConstraints, sequence(...(request.authority ? [boolean(true)] : [])), true),
    extension(OID.keyUsage, usage, true),
    extension(OID.subjectKeyId, tagged(0x04, subjectKeyId), false),
    extension(OID.authorityKeyId, sequence(tagged(0x80, issuerKeyId)), false),
  ];
  if (!request.authority) list.push(extension(OID.extendedKeyUsage, sequence(oid(OID.serverAuth)), false));
  if (request.names.length > 0)
    list.push(extension(OID.subjectAltName, sequence(...request.names.map(alternativeName)), false));
  return list;
}

/** RFC 5280 method 1: SHA-1 of the key's bits. An identifier, not a protection. */
function keyId(spki: Buffer): Buffer {
  // The last element of an EC SPKI is a 65-byte point, preceded by the unused-bits byte.
  return createHash('sha1').update(spki.subarray(-65)).digest();
}

function extension(id: string, value: Buffer, critical: boolean): Buffer {
  return sequence(oid(id), ...(critical ? [boolean(true)] : []), tagged(0x04, value));
}

function alternativeName(name: string): Buffer {
  if (/^\d+\.\d+\.\d+\.\d+$/.test(name)) return tagged(0x87, Buffer.from(name.split('.').map(Number)));
  if (name === '::1') return tagged(0x87, Buffer.concat([Buffer.alloc(15), Buffer.of(1)]));
  return tagged(0x82, Buffer.from(name, 'latin1'));
}

function distinguishedName(commonName: string, organization: string | undefined): Buffer {
  const attribute = (id: string, value: string): Buffer =>
    tagged(0x31, sequence(oid(id), tagged(0x0c, Buffer.from(value, 'utf8'))));
  return sequence(
    ...(organization ? [attribute(OID.organization, organization)] : []),
    attribute(OID.commonName, commonName),
  );
}

function time(date: Date): Buffer {
  const digits = date.toISOString().replace(/[-:T]|\.\d+/g, '');
  // UTCTime has a two-digit year and ends with 2049.
  return date.getUTCFullYear() < 2050 ? tagged(0x17, Buffer.from(digits.slice(2))) : tagged(0x18, Buffer.from(digits));
}

function boolean(value: boolean): Buffer {
  return tagged(0x01, Buffer.of(value ? 0xff : 0));
}

function integer(bytes: Uint8Array): Buffer {
  const lead = bytes[0] ?? 0;
  return tagged(0x02, lead >= 0x80 ? Buffer.concat([Buffer.of(0), bytes]) : Buffer.from(bytes));
}

function bitString(bytes: Buffer): Buffer {
  return tagged(0x03, Buffer.concat([Buffer.of(0), bytes]));
}

function oid(text: string): Buffer {
  const [first = 0, second = 0, ...rest] = text.split('.').map(Number);
  const bytes = [first * 40 + second];
  for (const arc of rest) {
    const groups = [arc & 0x7f];
    for (let left = arc >>> 7; left > 0; left >>>= 7) groups.unshift((left & 0x7f) | 0x80);
    bytes.push(...groups);
  }
  return tagged(0x06, Buffer.from(bytes));
}

function sequence(...parts: readonly Uint8Array[]): Buffer {
  return tagged(0x30, Buffer.concat(parts));
}

function tagged(tag: number, content: Uint8Array): Buffer {
  const length = content.length;
  const head =
    length < 0x80 ? [tag, length] : length < 0x100 ? [tag, 0x81, length] : [tag, 0x82, length >>> 8, length & 0xff];
  return Buffer.concat([Buffer.from(head), content]);
}

function toPem(label: string, der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}
