import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { KustomizationSpec } from '../../../src/api/kustomize/kustomization.ts';
import { fromYaml } from '../../../src/lib/goyaml/sigs.ts';
import type { JsonObject } from '../../../src/lib/json.ts';
import { createMemoryTree } from '../../../src/lib/memory-tree.ts';
import type { Manifest } from '../../../src/objects/manifest.ts';
import { decryptFile, decryptObjects, decryptSources, sopsRefusal } from '../../../src/render/decrypt.ts';
import { type DecryptionKeys, readDecryptionKeys } from '../../../src/render/sops/data-key.ts';

const cases = resolve('test/cases/sops');
const none: DecryptionKeys = { ageIdentities: [], pgpKeys: [] };
const spec = { interval: '1m', prune: true, sourceRef: { kind: 'GitRepository', name: 'x' } } as KustomizationSpec;
let keys: DecryptionKeys;

function bytesOf(path: string): Buffer {
  return readFileSync(`${cases}/${path}`);
}

function encryptedSecret(): JsonObject {
  return fromYaml(bytesOf('secret-regex/input.yaml').toString()) as JsonObject;
}

beforeAll(async () => {
  keys = await readDecryptionKeys(new Map([['a.agekey', bytesOf('keys/throwaway.agekey')]]));
});

describe('readDecryptionKeys', () => {
  it('reads age and OpenPGP keys and leaves other entries alone', async () => {
    const data = new Map<string, Uint8Array>([
      ['a.agekey', bytesOf('keys/throwaway.agekey')],
      ['b.asc', bytesOf('keys/throwaway.asc')],
      ['sops.aws-kms', Buffer.from('aws_access_key_id: x')],
    ]);

    const read = await readDecryptionKeys(data);

    expect([read.ageIdentities.length, read.pgpKeys.length]).toEqual([1, 1]);
  });

  it.each([
    [
      'a.agekey',
      'AGE-SECRET-KEY-CANARY',
      "failed to import 'a.agekey' data from sops decryption Secret: error at line 1: malformed secret key",
    ],
    ['a.agekey', '# nothing', "failed to import 'a.agekey' data from sops decryption Secret: no secret keys found"],
    ['b.asc', 'CANARY', "failed to import 'b.asc' data from sops decryption Secret: "],
  ])('refuses a broken %s without showing it', async (name, text, message) => {
    const error = await readDecryptionKeys(new Map([[name, Buffer.from(text)]])).then(String, (e: Error) => e.message);

    expect(error).toContain(message);
    expect(error).not.toContain('CANARY');
  });
});

describe('decryptObjects', () => {
  it('decrypts an object with sops metadata, whatever the build added in the clear', async () => {
    const secret = encryptedSecret();
    const built = { ...secret, metadata: { ...(secret['metadata'] as JsonObject), labels: { added: 'later' } } };

    const [plain] = await decryptObjects([built], keys);

    expect(plain).toEqual({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'canary', namespace: 'apps', labels: { added: 'later' } },
      type: 'Opaque',
      stringData: { user: 'admin', password: 'canary-4f1c', note: 'two\nlines\n', empty: '', yes: 'true' },
    });
  });

  it('decrypts values of Secrets that are encrypted files, by the format of their key', async () => {
    const base64 = (path: string): string => bytesOf(path).toString('base64');
    const secret = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 's' },
      data: {
        'a.json': base64('json-types/input.json'),
        b: base64('binary/input.txt'),
        c: btoa('plain'),
        d: 'no base64!',
      },
    };

    const [plain] = await decryptObjects([secret], keys);

    const data = plain!['data'] as Record<string, string>;
    expect(atob(data['a.json']!)).toContain('"n": 42');
    expect(atob(data['b']!)).toBe('any text\ncanary-4f1c\n');
    expect([data['c'], data['d']]).toEqual([btoa('plain'), 'no base64!']);
  });

  it('leaves objects alone that are not encrypted or opt out', async () => {
    const secret = encryptedSecret();
    const annotations = { 'kustomize.toolkit.fluxcd.io/decrypt': 'Disabled' };
    const exempt = { ...secret, metadata: { name: 'x', annotations } };
    const config = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c' }, data: { a: btoa('x') } };

    expect(await decryptObjects([exempt, config], keys)).toEqual([exempt, config]);
  });

  it('says which keys would fit', async () => {
    await expect(decryptObjects([encryptedSecret()], none)).rejects.toThrow(
      /^decryption failed for 'Secret\.v1\.\[noGrp\]\/canary': failed to decrypt and format 'apps\/canary' Secret data: cannot get sops data key: none of the keys given fits: it is encrypted for age age1\w+$/,
    );
  });

  it.each([
    ['kms', 'AWS KMS'],
    ['gcp_kms', 'Google Cloud KMS'],
    ['azure_kv', 'Azure Key Vault'],
    ['hc_vault', 'HashiCorp Vault'],
  ])('refuses %s by its name', async (field, name) => {
    const object = { ...encryptedSecret(), sops: { mac: 'x', [field]: [{ enc: 'x' }] } };

    await expect(decryptObjects([object], keys)).rejects.toThrow(`cannot get sops data key: ${name} is not supported`);
  });

  it('refuses shared data keys', async () => {
    const object = { ...encryptedSecret(), sops: { mac: 'x', key_groups: [{}, {}], shamir_threshold: 2 } };

    await expect(decryptObjects([object], keys)).rejects.toThrow('key groups (shamir_threshold) are not supported');
  });

  it('never shows a value in an error (threats.md §4 row 10)', async () => {
    const plain = { ...encryptedSecret(), stringData: { password: 'canary-4f1c' } };
    const secret = encryptedSecret();
    const moved = { ...secret, stringData: { other: (secret['stringData'] as JsonObject)['password']! } };

    await expect(decryptObjects([plain], keys)).rejects.toThrow(
      "error decrypting sops tree: Error walking tree: Could not decrypt value: Input string <redacted> does not match sops' data format",
    );
    await expect(decryptObjects([moved], keys)).rejects.toThrow('it was changed or moved (at "stringData.other")');
  });
});

describe('decryptSources', () => {
  it('decrypts what generators and patches refer to, in every kustomization of the build', async () => {
    const tree = createMemoryTree({
      'app/kustomization.yaml': 'resources: [../base, https://example.com/x]\npatches: [{path: p.yaml}]\n',
      'app/p.yaml': bytesOf('pgp/input.yaml'),
      'base/kustomization.yaml':
        'resources: [../app]\nsecretGenerator:\n- name: s\n  files: [x.json, key.json=y, ../out.txt]\n  envs: [vars]\n',
      'base/x.json': bytesOf('json-types/input.json'),
      'base/y': bytesOf('json-types/input.json'),
      'base/vars': bytesOf('dotenv/input.env'),
      'out.txt': bytesOf('binary/input.txt'),
      'unrelated.json': bytesOf('json-types/input.json'),
    });
    const both = await readDecryptionKeys(
      new Map([
        ['a.agekey', bytesOf('keys/throwaway.agekey')],
        ['b.asc', bytesOf('keys/throwaway.asc')],
      ]),
    );

    const plain = await decryptSources(tree, { ...spec, path: './app' }, both);

    const text = (path: string): string => Buffer.from(plain.read(path)!).toString();
    expect(text('app/p.yaml')).toBe(bytesOf('pgp/expected.yaml').toString());
    expect(text('base/x.json')).toBe(bytesOf('json-types/expected.json').toString());
    expect(text('base/y')).toBe(bytesOf('json-types/expected.json').toString());
    expect(text('base/vars')).toBe(bytesOf('dotenv/expected.env').toString());
    expect(text('out.txt')).toBe(bytesOf('binary/expected.txt').toString());
    expect(plain.read('unrelated.json')).toEqual(tree.read('unrelated.json'));
  });

  it('gives the tree back when nothing is encrypted, and leaves references out of the tree to the build', async () => {
    const tree = createMemoryTree({
      'kustomization.yaml': 'secretGenerator:\n- name: s\n  files: [plain.json, ../../etc/passwd, gone]\n',
      'plain.json': '{"a": 1}',
    });

    expect(await decryptSources(tree, spec, keys)).toBe(tree);
  });

  it('names the file that fails', async () => {
    const tree = createMemoryTree({
      'kustomization.yaml': 'secretGenerator:\n- name: s\n  files: [x.json]\n',
      'x.json': bytesOf('json-types/input.json'),
    });

    await expect(decryptSources(tree, spec, none)).rejects.toThrow(
      'error decrypting sources: x.json: cannot get sops data key: none of the keys given fits',
    );
  });

  it('refuses files beyond 5 MiB', async () => {
    const tree = createMemoryTree({
      'kustomization.yaml': 'secretGenerator:\n- name: s\n  files: [x.json]\n',
      'x.json': Buffer.alloc(5 * 1024 * 1024 + 1),
    });

    await expect(decryptSources(tree, spec, keys)).rejects.toThrow(
      'error decrypting sources: x.json: cannot decrypt file with size (5242881 bytes) exceeding limit (5242880)',
    );
  });
});

describe('decryptFile (threats.md §4 row 4)', () => {
  const decrypt = (text: string, format: 'yaml' | 'json' | 'ini' | 'dotenv'): Promise<unknown> =>
    decryptFile(Buffer.from(text), format, format, keys);

  it('bounds aliases of aliases and aliases of themselves', async () => {
    const bomb = Array.from({ length: 9 }, (_, i) => {
      const items = Array.from({ length: 10 }, () => (i === 0 ? 'x' : `*a${i - 1}`));
      return `a${i}: &a${i} [${items.join(', ')}]`;
    });

    await expect(decrypt(`${bomb.join('\n')}\nsops: {}\n`, 'yaml')).rejects.toThrow('excessive aliasing');
    await expect(decrypt('a: &a [*a]\nsops: {}\n', 'yaml')).rejects.toThrow(/^failed to load encrypted YAML data: /);
  });

  it('refuses deep nesting', async () => {
    await expect(decrypt(`{"a": ${'['.repeat(50_000)}${']'.repeat(50_000)}, "sops": {}}`, 'json')).rejects.toThrow(
      'failed to load encrypted JSON data: ',
    );
  });

  it.each([
    ['json', 'CANARY'],
    ['json', '["CANARY"]'],
    ['yaml', 'a: CANARY: b'],
    ['yaml', 'CANARY'],
    ['dotenv', 'CANARY'],
    ['dotenv', 'A=CANARY'],
    ['ini', 'CANARY'],
    ['ini', '[a]\nb=CANARY'],
  ] as const)('refuses malformed %s without showing it: %s', async (format, text) => {
    const message = await decrypt(text, format).then(String, (error: Error) => error.message);

    expect(message).toMatch(/^failed to load encrypted \w+ data: /);
    expect(message).not.toContain('CANARY');
  });
});

describe('sopsRefusal', () => {
  it('refuses encrypted Secrets unless they opt out', () => {
    const secret = encryptedSecret() as Manifest;
    const annotations = { 'kustomize.toolkit.fluxcd.io/decrypt': 'disabled' };

    expect(sopsRefusal(secret)).toBe(
      'Secret/apps/canary is SOPS encrypted, configuring decryption is required for this secret to be reconciled',
    );
    expect(sopsRefusal({ ...secret, metadata: { name: 'x', annotations } })).toBeUndefined();
    expect(sopsRefusal({ ...secret, kind: 'ConfigMap' })).toBeUndefined();
  });
});
