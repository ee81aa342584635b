import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { indexPack } from '../../../../src/engines/git/index-pack.ts';
import { memorySource } from '../../../../src/engines/git/inflate.ts';
import { type GitObject, hashObject } from '../../../../src/engines/git/oid.ts';
import { formatPackIdx } from '../../../../src/engines/git/pack-idx.ts';
import { completePackBytes, formatPack } from '../../../../src/engines/git/pack-write.ts';
import { openPackFile } from '../../../../src/offload/git/pack-file.ts';

const dir = mkdtempSync(join(tmpdir(), 'lockstep-pack-file-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

describe('openPackFile', () => {
  it('closes a file that is not read from any more, and opens it again', () => {
    const [one, two]: [GitObject, GitObject] = [
      { type: 'blob', data: Buffer.from('one') },
      { type: 'blob', data: Buffer.from('two') },
    ];
    const bytes = formatPack([one, two], 'sha1');
    const {
      columns,
      checksum,
      bytes: packed,
    } = completePackBytes(bytes, indexPack(memorySource(bytes), 'sha1'), 'sha1');
    const path = join(dir, 'pack-1.pack');
    writeFileSync(path, packed);
    writeFileSync(join(dir, 'pack-1.idx'), formatPackIdx(columns, checksum, 'sha1'));
    // Nothing is remembered, so that each read goes to the file.
    const cache = { get: () => undefined, set: () => {} };
    const pack = openPackFile(path, 'sha1', { maxObjectBytes: 1 << 20, cache });
    const read = ({ type, data }: GitObject) => pack.read(hashObject(type, data, 'sha1'))?.data.toString();

    expect(read(one)).toBe('one');
    rmSync(path);
    pack.rest();
    expect(read(two)).toBe('two');
    pack.rest();
    pack.rest();
    expect(() => read(one)).toThrow('ENOENT');
    writeFileSync(path, packed);
    expect(read(one)).toBe('one');
    pack.close();
  });
});
