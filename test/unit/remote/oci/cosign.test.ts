// Signatures in both forms that cosign writes, with keys of every kind that it makes.
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { parsePublicKey, verifyBundle, verifySimple } from '../../../../src/remote/oci/cosign.ts';

const digest = `sha256:${'ab'.repeat(32)}`;
const other = `sha256:${'cd'.repeat(32)}`;
const pairs = {
  'ECDSA P-256': generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  'ECDSA P-384': generateKeyPairSync('ec', { namedCurve: 'P-384' }),
  RSA: generateKeyPairSync('rsa', { modulusLength: 2048 }),
  Ed25519: generateKeyPairSync('ed25519'),
};
const { publicKey, privateKey } = pairs['ECDSA P-256'];

function signed(bytes: Uint8Array, key: KeyObject): string {
  return sign(key.asymmetricKeyType === 'ed25519' ? null : 'sha256', bytes, key).toString('base64');
}

function simple(of = digest, type = 'cosign container image signature'): Buffer {
  return Buffer.from(JSON.stringify({ critical: { identity: {}, image: { 'docker-manifest-digest': of }, type } }));
}

function bundle(key: KeyObject, of = digest, predicateType = 'https://sigstore.dev/cosign/sign/v1'): Buffer {
  const type = 'application/vnd.in-toto+json';
  const subject = [{ name: '', digest: { sha256: of.slice(7) } }];
  const payload = Buffer.from(JSON.stringify({ _type: 'https://in-toto.io/Statement/v1', subject, predicateType }));
  const sig = signed(Buffer.concat([Buffer.from(`DSSEv1 ${type.length} ${type} ${payload.length} `), payload]), key);
  const dsseEnvelope = { payload: payload.toString('base64'), payloadType: type, signatures: [{ sig }] };
  return Buffer.from(JSON.stringify({ verificationMaterial: { publicKey: { hint: 'x' } }, dsseEnvelope }));
}

describe.each(Object.entries(pairs))('%s', (_name, pair) => {
  it('verifies both forms with the key as PEM', () => {
    const key = parsePublicKey(pair.publicKey.export({ type: 'spki', format: 'pem' }).toString());

    expect(verifySimple(simple(), signed(simple(), pair.privateKey), digest, key)).toBe(true);
    expect(verifyBundle(bundle(pair.privateKey), digest, key)).toBe(true);
  });
});

describe('what is refused', () => {
  it.each([
    ['another digest', simple(other), signed(simple(other), privateKey)],
    ['another payload than was signed', simple(), signed(simple(other), privateKey)],
    ['another type', simple(digest, 'something else'), signed(simple(digest, 'something else'), privateKey)],
    ['another key', simple(), signed(simple(), pairs['ECDSA P-384'].privateKey)],
    ['no signature', simple(), ''],
    ['text', Buffer.from('text'), signed(Buffer.from('text'), privateKey)],
    ['null', Buffer.from('null'), signed(Buffer.from('null'), privateKey)],
  ])('a payload: %s', (_name, payload, signature) => {
    expect(verifySimple(payload, signature, digest, publicKey)).toBe(false);
  });

  it.each([
    ['another digest', bundle(privateKey, other)],
    ['another key', bundle(pairs['ECDSA P-384'].privateKey)],
    ['an attestation of something else', bundle(privateKey, digest, 'https://slsa.dev/provenance/v1')],
    ['no envelope', Buffer.from('{}')],
    [
      'no signatures',
      Buffer.from(JSON.stringify({ dsseEnvelope: { payload: '', payloadType: '', signatures: null } })),
    ],
  ])('a bundle: %s', (_name, bytes) => {
    expect(verifyBundle(bytes, digest, publicKey)).toBe(false);
  });
});
