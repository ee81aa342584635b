import { describe, expect, it } from 'vitest';
import { indexPack } from '../../../../src/engines/git/index-pack.ts';
import { memorySource } from '../../../../src/engines/git/inflate.ts';
import { type GitObject, hashObject } from '../../../../src/engines/git/oid.ts';
import { formatPackIdx, parsePackIdx } from '../../../../src/engines/git/pack-idx.ts';
import { createPackReader } from '../../../../src/engines/git/pack-reader.ts';
import { completePackBytes, formatPack } from '../../../../src/engines/git/pack-write.ts';

describe('createPackReader', () => {
  it('gives its cache objects that keep no more memory than they have bytes', () => {
    const blob: GitObject = { type: 'blob', data: Buffer.from('small, and cut from a buffer that others share') };
    const complete = completePackBytes(
      formatPack([blob], 'sha1'),
      indexPack(memorySource(formatPack([blob], 'sha1')), 'sha1'),
      'sha1',
    );
    const idx = parsePackIdx(formatPackIdx(complete.columns, complete.checksum, 'sha1'), 'sha1');
    const kept = new Map<number, GitObject>();
    const cache = { get: (at: number) => kept.get(at), set: (at: number, object: GitObject) => kept.set(at, object) };
    const reader = createPackReader(memorySource(complete.bytes), idx, 'sha1', { maxObjectBytes: 1 << 20, cache });

    const read = reader.read(hashObject('blob', blob.data, 'sha1'));

    expect([...kept.values()]).toEqual([read]);
    expect(read?.data.buffer.byteLength).toBe(blob.data.length);
  });
});
