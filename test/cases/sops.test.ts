// Decrypts every file of test/cases/sops: each was encrypted with throw-away keys by the real sops, which also wrote
// what it decrypts to.
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadYaml } from '../../src/lib/yaml.ts';
import { decryptFile } from '../../src/render/decrypt.ts';
import { readDecryptionKeys } from '../../src/render/sops/data-key.ts';
import type { SopsFormat } from '../../src/render/sops/formats.ts';

const root = resolve('test/cases/sops');
const cases = readdirSync(root).filter((name) => name !== 'keys');

describe('sops', async () => {
  const keys = await readDecryptionKeys(
    new Map(readdirSync(join(root, 'keys')).map((name) => [name, readFileSync(join(root, 'keys', name))])),
  );

  it.each(cases)('%s', async (name) => {
    const folder = join(root, name);
    const { format } = loadYaml(readFileSync(join(folder, 'case.yaml'), 'utf8')) as { format: SopsFormat };
    const read = (stem: string): Buffer =>
      readFileSync(join(folder, readdirSync(folder).find((file) => file.startsWith(`${stem}.`))!));

    const plain = await decryptFile(read('input'), format, format, keys);

    expect(Buffer.from(plain).toString('utf8')).toBe(read('expected').toString('utf8'));
  });
});
