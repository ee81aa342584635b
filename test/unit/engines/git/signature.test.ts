import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import { createCleartextMessage, createMessage, generateKey, revokeKey, sign as signPgp } from 'openpgp';
import { describe, expect, it } from 'vitest';
import { parseAuthorizedKeys, signatureType, sortSignatureKeys } from '../../../../src/engines/git/signature.ts';
import { wireString } from '../../../../src/engines/git/ssh-wire.ts';
import { verifySignature } from '../../../../src/engines/git/verify.ts';

const now = new Date('2026-11-21T12:00:00Z');
const payload = Buffer.from('tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\n\nmessage\n');

interface Signer {
  readonly line: string;
  sign(data: Uint8Array, options?: { namespace?: string; hash?: string }): string;
}

function armor(parts: Buffer[]): string {
  const text = Buffer.concat([Buffer.from('SSHSIG'), Buffer.from([0, 0, 0, 1]), ...parts]).toString('base64');
  return `-----BEGIN SSH SIGNATURE-----\n${text.replaceAll(/(.{70})/g, '$1\n')}\n-----END SSH SIGNATURE-----\n`;
}

function mpint(bytes: Buffer): Buffer {
  let start = 0;
  while (start < bytes.length - 1 && bytes[start] === 0) start++;
  const body = bytes.subarray(start);
  return wireString((body[0] as number) & 0x80 ? Buffer.concat([Buffer.from([0]), body]) : body);
}

function signerOf(type: string, key: Buffer, make: (data: Buffer) => Buffer, signatureName = type): Signer {
  return {
    line: `${type} ${key.toString('base64')} ada@example.com`,
    sign(data, { namespace = 'git', hash = 'sha512' } = {}) {
      const digest = createHash(hash).update(data).digest();
      const fields = [wireString(namespace), wireString(''), wireString(hash)];
      const blob = make(Buffer.concat([Buffer.from('SSHSIG'), ...fields, wireString(digest)]));
      return armor([
        wireString(key),
        ...fields,
        wireString(Buffer.concat([wireString(signatureName), wireString(blob)])),
      ]);
    },
  };
}

function ed25519(): Signer {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const x = Buffer.from(publicKey.export({ format: 'jwk' }).x as string, 'base64url');
  return signerOf('ssh-ed25519', Buffer.concat([wireString('ssh-ed25519'), wireString(x)]), (data) =>
    sign(null, data, privateKey),
  );
}

function ecdsa(): Signer {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const { x, y } = publicKey.export({ format: 'jwk' });
  const point = Buffer.concat([
    Buffer.from([4]),
    Buffer.from(x as string, 'base64url'),
    Buffer.from(y as string, 'base64url'),
  ]);
  const type = 'ecdsa-sha2-nistp256';
  const key = Buffer.concat([wireString(type), wireString('nistp256'), wireString(point)]);
  return signerOf(type, key, (data) => {
    const pair = sign('sha256', data, { key: privateKey, dsaEncoding: 'ieee-p1363' });
    return Buffer.concat([mpint(pair.subarray(0, 32)), mpint(pair.subarray(32))]);
  });
}

function rsa(hash: string, name: string): Signer {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const { e, n } = publicKey.export({ format: 'jwk' });
  const key = Buffer.concat([
    wireString('ssh-rsa'),
    mpint(Buffer.from(e as string, 'base64url')),
    mpint(Buffer.from(n as string, 'base64url')),
  ]);
  return signerOf('ssh-rsa', key, (data) => sign(hash, data, privateKey), name);
}

async function why(
  signature: string,
  keys: { pgp?: string[]; ssh?: string[] },
  data: Uint8Array = payload,
): Promise<string> {
  try {
    await verifySignature(
      { kind: 'commit', signature, payload: data },
      { pgp: keys.pgp ?? [], ssh: keys.ssh ?? [] },
      now,
    );
    return 'verified';
  } catch (error) {
    return (error as Error).message;
  }
}

const NO_SSH_KEY =
  'unable to verify Git commit SSH signature: unable to verify payload with any of the given authorized keys: no matching key';
const NO_PGP_KEY =
  'unable to verify Git commit: unable to verify payload with any of the given key rings: no matching key';

describe('SSH signatures', () => {
  it.each([
    ['ed25519', ed25519()],
    ['ecdsa', ecdsa()],
    ['rsa-sha2-512', rsa('sha512', 'rsa-sha2-512')],
    ['rsa-sha2-256', rsa('sha256', 'rsa-sha2-256')],
  ])('are verified: %s', async (_name, signer) => {
    const list = `# team\n${ed25519().line}\n\nno-pty,command="a b" ${signer.line}\n`;

    const id = await verifySignature(
      { kind: 'commit', signature: signer.sign(payload), payload },
      { pgp: [], ssh: [list] },
      now,
    );

    expect(id).toMatch(/^SHA256:[A-Za-z0-9+/]{43}$/);
  });

  it('are refused for another key, payload or namespace', async () => {
    const signer = ed25519();

    expect(await why(signer.sign(payload), { ssh: [ed25519().line] })).toBe(NO_SSH_KEY);
    expect(await why(signer.sign(payload), { ssh: [signer.line] }, Buffer.from('other'))).toBe(NO_SSH_KEY);
    expect(await why(signer.sign(payload, { namespace: 'file' }), { ssh: [signer.line] })).toBe(NO_SSH_KEY);
  });

  it('are refused when made with SHA-1', async () => {
    const signer = rsa('sha1', 'ssh-rsa');

    expect(await why(signer.sign(payload), { ssh: [signer.line] })).toContain(
      "SSH signature type 'ssh-rsa' is not accepted",
    );
    expect(await why(signer.sign(payload, { hash: 'sha1' }), { ssh: [signer.line] })).toContain("the hash 'sha1'");
  });

  it('are refused when damaged, without a crash', async () => {
    const signer = ed25519();
    const good = signer.sign(payload);

    for (let at = 30; at < good.length - 30; at += 3) {
      const damaged = good.slice(0, at) + (good[at] === 'A' ? 'B' : 'A') + good.slice(at + 1);
      const isSame = Buffer.from(damaged.replaceAll(/-.*-|\n/g, ''), 'base64').equals(
        Buffer.from(good.replaceAll(/-.*-|\n/g, ''), 'base64'),
      );
      if (!isSame)
        expect(await why(damaged, { ssh: [signer.line] })).toMatch(/^unable to verify Git commit SSH signature: /);
    }
  });

  it('need SSH keys', async () => {
    expect(await why(ed25519().sign(payload), { pgp: ['x'] })).toBe(
      'SSH signature detected but no SSH public keys found in secret (keys with .sshpub suffix)',
    );
    expect(await why(ed25519().sign(payload), { ssh: ['nonsense'] })).toContain('unable to parse authorized keys');
  });
});

describe('OpenPGP signatures', () => {
  async function pgp(options: { expires?: number } = {}) {
    const { privateKey, publicKey, revocationCertificate } = await generateKey({
      type: 'curve25519',
      userIDs: [{ name: 'Ada', email: 'ada@example.com' }],
      format: 'object',
      date: new Date('2026-01-01T00:00:00Z'),
      ...(options.expires === undefined ? {} : { keyExpirationTime: options.expires }),
    });
    const signature = await signPgp({
      message: await createMessage({ binary: payload }),
      signingKeys: privateKey,
      detached: true,
      date: new Date('2026-01-02T00:00:00Z'),
    });
    return { publicKey, revocationCertificate, armored: publicKey.armor(), signature: signature as string };
  }

  it('are verified, with the id of the primary key', async () => {
    const key = await pgp();
    const other = await pgp();

    const id = await verifySignature(
      { kind: 'tag', signature: key.signature, payload },
      { pgp: [other.armored, key.armored], ssh: [] },
      now,
    );

    expect(id).toBe(key.publicKey.getKeyID().toHex().toUpperCase());
  });

  it('are refused for another key or payload', async () => {
    const key = await pgp();

    expect(await why(key.signature, { pgp: [(await pgp()).armored] })).toBe(NO_PGP_KEY);
    expect(await why(key.signature, { pgp: [key.armored] }, Buffer.from('other'))).toBe(NO_PGP_KEY);
  });

  it('are refused once the key has expired or was revoked', async () => {
    const expired = await pgp({ expires: 7 * 24 * 3600 });
    const key = await pgp();
    const { publicKey: revoked } = await revokeKey({
      key: key.publicKey,
      revocationCertificate: key.revocationCertificate,
      format: 'armored',
    });

    expect(await why(expired.signature, { pgp: [expired.armored] })).toBe(NO_PGP_KEY);
    expect(await why(key.signature, { pgp: [revoked] })).toBe(NO_PGP_KEY);
  });

  it('need readable keys', async () => {
    const { signature } = await pgp();

    expect(await why(signature, { ssh: ['x'] })).toBe(
      'PGP signature detected but no PGP public keys found in secret (keys with .asc suffix)',
    );
    expect(await why(signature, { pgp: ['nonsense'] })).toContain('unable to read armored key ring');
  });
});

describe('signatureType', () => {
  it.each([
    ['', 'empty'],
    ['-----BEGIN SIGNED MESSAGE-----\n', 'x509'],
    ['scribble', 'unknown'],
  ])('%j is %s, which is refused by name', async (signature, type) => {
    expect(signatureType(signature)).toBe(type);
    expect(await why(signature, { pgp: ['x'], ssh: ['x'] })).toBe(`unsupported signature type: ${type}`);
  });

  it('does not take a signed text for a signature', async () => {
    expect(signatureType(`${(await createCleartextMessage({ text: 'x' })).getText()}`)).toBe('unknown');
  });
});

describe('sortSignatureKeys', () => {
  it('takes everything for OpenPGP that is not named .sshpub', () => {
    expect(sortSignatureKeys({ 'b.sshpub': '2', 'a.asc': '1', other: '3' })).toEqual({ pgp: ['1', '3'], ssh: ['2'] });
  });

  it('reads no key where the type does not fit', () => {
    const [type, base64] = ed25519().line.split(' ') as [string, string];

    expect(parseAuthorizedKeys(`${type} ${base64}`)).toHaveLength(1);
    expect(() => parseAuthorizedKeys(`ssh-rsa ${base64}`)).toThrow(/no key found/);
  });
});
