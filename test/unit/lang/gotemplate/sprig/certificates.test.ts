import { createPrivateKey, X509Certificate } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { renderTemplate } from '../../../../support/render-template.ts';

/** Runs a template that prints PEM blocks, and gives them apart. */
function blocks(template: string): string[] {
  return renderTemplate(template).match(/-----BEGIN [^-]+-----[^-]+-----END [^-]+-----\n/g) ?? [];
}

describe('certificates', () => {
  it('are signed by their authority and valid for their days', () => {
    const [ca, cert, key] = blocks(
      '{{$ca := genCA "my-ca" 365}}{{$c := genSignedCert "host" (list "10.0.0.1" "::1") (list "a.example" "b.example") 10 $ca}}' +
        '{{$ca.Cert}}{{$c.Cert}}{{$c.Key}}',
    );
    const authority = new X509Certificate(ca!);
    const certificate = new X509Certificate(cert!);

    expect(authority).toMatchObject({ subject: 'CN=my-ca', issuer: 'CN=my-ca', ca: true });
    expect(authority.verify(authority.publicKey)).toBe(true);
    expect(certificate).toMatchObject({
      subject: 'CN=host',
      issuer: 'CN=my-ca',
      ca: false,
      subjectAltName: 'DNS:a.example, DNS:b.example, IP Address:10.0.0.1, IP Address:0:0:0:0:0:0:0:1',
      validFrom: 'Jan  2 03:04:05 2026 GMT',
      validTo: 'Jan 12 03:04:05 2026 GMT',
    });
    expect(certificate.verify(authority.publicKey)).toBe(true);
    expect(certificate.checkIssued(authority)).toBe(true);
    expect(certificate.checkPrivateKey(createPrivateKey(key!))).toBe(true);
    expect(key).toMatch(/^-----BEGIN RSA PRIVATE KEY-----/);
  });

  it('take keys of other kinds, and sign themselves', () => {
    const [cert, key] = blocks(
      '{{$k := genPrivateKey "ecdsa"}}{{$c := genSelfSignedCertWithKey "x*y" nil nil 40000 $k}}{{$c.Cert}}{{$c.Key}}',
    );
    const certificate = new X509Certificate(cert!);

    expect(certificate.subject).toBe('CN=x*y');
    expect(certificate.validTo).toBe('Jul 10 03:04:05 2135 GMT');
    expect(certificate.verify(certificate.publicKey)).toBe(true);
    expect(key).toMatch(/^-----BEGIN EC PRIVATE KEY-----/);
  });

  it('pass through buildCustomCert', () => {
    const template =
      '{{$k := genPrivateKey "ed25519"}}{{$ca := genCAWithKey "ca" 1 $k}}{{$b := buildCustomCert ($ca.Cert | b64enc) ($ca.Key | b64enc)}}' +
      '{{eq $b.Cert $ca.Cert}} {{eq $b.Key $k}} {{typeOf $b}}';

    expect(renderTemplate(template)).toBe('true true sprig.certificate');
  });

  it('refuse an authority that is none', () => {
    expect(renderTemplate('{{genSignedCert "x" nil nil 1 "no"}}')).toContain(
      'can\'t handle "no" for arg of type sprig.certificate',
    );
    expect(renderTemplate('{{genSignedCert "x" nil nil 1 .s}}', { s: 'no' })).toContain(
      'wrong type for value; expected sprig.certificate; got string',
    );
  });
});

describe('genPrivateKey', () => {
  it('writes DSA keys in their own form, and reads them back', () => {
    const [key] = blocks('{{genPrivateKey "dsa"}}');

    expect(key).toMatch(/^-----BEGIN DSA PRIVATE KEY-----/);
    expect(createPrivateKey(key!).asymmetricKeyType).toBe('dsa');
  });
});
