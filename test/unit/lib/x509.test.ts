import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { issueCertificate } from '../../../src/lib/x509.ts';

function keys(): { publicKeyPem: string; privateKeyPem: string } {
  const { publicKey, privateKey } = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  return { publicKeyPem: publicKey, privateKeyPem: privateKey };
}

const validity = { notBefore: new Date('2026-01-01T00:00:00Z'), notAfter: new Date('2050-06-01T00:00:00Z') };

describe('certificates', () => {
  const authority = keys();
  const issuer = { commonName: 'test authority', privateKeyPem: authority.privateKeyPem };
  const ca = new X509Certificate(
    issueCertificate(
      {
        ...validity,
        commonName: issuer.commonName,
        serial: Uint8Array.of(0xff, 1),
        names: [],
        publicKeyPem: authority.publicKeyPem,
        authority: true,
      },
      issuer,
    ),
  );
  const server = new X509Certificate(
    issueCertificate(
      {
        ...validity,
        commonName: 'server',
        organization: 'lockstep',
        serial: Uint8Array.of(2),
        names: ['localhost', '127.0.0.1', '::1'],
        publicKeyPem: keys().publicKeyPem,
        authority: false,
      },
      issuer,
    ),
  );

  it('are an authority that signed itself, and a server that it signed', () => {
    expect(ca.ca).toBe(true);
    expect(ca.verify(ca.publicKey)).toBe(true);
    expect(server.ca).toBe(false);
    expect(server.verify(ca.publicKey)).toBe(true);
    expect(server.checkIssued(ca)).toBe(true);
  });

  it('carry subject, names, serial and validity beyond 2049', () => {
    expect(server.subject).toBe('O=lockstep\nCN=server');
    expect(server.checkHost('localhost')).toBe('localhost');
    expect(server.checkIP('127.0.0.1')).toBe('127.0.0.1');
    expect(server.checkIP('10.0.0.1')).toBeUndefined();
    expect(ca.serialNumber).toBe('FF01');
    expect(server.validToDate).toEqual(validity.notAfter);
  });
});
