import { createHash } from 'node:crypto';
import { deflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { GitError } from '../../../../src/engines/git/errors.ts';
import { indexPack } from '../../../../src/engines/git/index-pack.ts';
import { memorySource } from '../../../../src/engines/git/inflate.ts';
import { type GitObject, hashObject, type ObjectFormat } from '../../../../src/engines/git/oid.ts';
import { formatEntryHeader, formatPackHeader } from '../../../../src/engines/git/pack-entry.ts';
import { formatPackIdx, parsePackIdx } from '../../../../src/engines/git/pack-idx.ts';
import { createPackReader } from '../../../../src/engines/git/pack-reader.ts';
import { completePackBytes, formatPack } from '../../../../src/engines/git/pack-write.ts';

const hello: GitObject = { type: 'blob', data: Buffer.from('hello world, hello git, hello everybody\n') };
const helloOid = hashObject('blob', hello.data, 'sha1');

/** A delta that appends text to `base`. */
function append(base: Uint8Array, text: string): Buffer {
  return Buffer.from([base.length, base.length + text.length, 0x90, base.length, text.length, ...Buffer.from(text)]);
}

function pack(...entries: Buffer[]): Buffer {
  const body = Buffer.concat([formatPackHeader(entries.length), ...entries]);
  return Buffer.concat([body, createHash('sha1').update(body).digest()]);
}

function refDelta(baseOid: string, delta: Buffer): Buffer {
  return Buffer.concat([formatEntryHeader('ref-delta', delta.length, { oid: baseOid }), deflateSync(delta)]);
}

function ofsDelta(back: number, delta: Buffer): Buffer {
  return Buffer.concat([formatEntryHeader('ofs-delta', delta.length, { back }), deflateSync(delta)]);
}

function whole(object: GitObject): Buffer {
  return Buffer.concat([formatEntryHeader(object.type, object.data.length), deflateSync(object.data)]);
}

function readAll(bytes: Buffer, format: ObjectFormat = 'sha1', external: ReadonlyMap<string, GitObject> = new Map()) {
  const indexed = indexPack(memorySource(bytes), format, { readExternal: (oid) => external.get(oid) });
  const complete = completePackBytes(bytes, indexed, format);
  const idx = parsePackIdx(formatPackIdx(complete.columns, complete.checksum, format), format);
  const reader = createPackReader(memorySource(complete.bytes), idx, format, { maxObjectBytes: 1 << 20 });
  return { idx, reader, complete };
}

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof GitError) return error.code;
    throw error;
  }
  return 'none';
}

describe('indexPack', () => {
  it.each<ObjectFormat>(['sha1', 'sha256'])('names and reads whole objects (%s)', (format) => {
    const objects: GitObject[] = [
      hello,
      { type: 'blob', data: Buffer.alloc(0) },
      { type: 'tree', data: Buffer.alloc(0) },
    ];

    const { reader, idx } = readAll(formatPack(objects, format), format);

    expect(idx.count).toBe(3);
    for (const { type, data } of objects) {
      const found = reader.read(hashObject(type, data, format));
      expect(found?.type).toBe(type);
      expect(Buffer.from(found?.data ?? 'x')).toEqual(Buffer.from(data));
    }
  });

  it('resolves chains of deltas by position', () => {
    const first = whole(hello);
    const one = append(hello.data, ' one');
    const text1 = Buffer.concat([hello.data, Buffer.from(' one')]);
    const second = ofsDelta(first.length, one);
    const third = ofsDelta(second.length, append(text1, ' two'));

    const { reader } = readAll(pack(first, second, third));

    const oid = hashObject('blob', Buffer.concat([text1, Buffer.from(' two')]), 'sha1');
    expect(Buffer.from(reader.read(oid)?.data ?? '').toString()).toBe(`${hello.data} one two`);
    expect(reader.stat(oid)).toEqual({ type: 'blob', size: hello.data.length + 8 });
  });

  it('resolves deltas by name whatever their order', () => {
    const text1 = Buffer.concat([hello.data, Buffer.from('!')]);
    const oid1 = hashObject('blob', text1, 'sha1');

    const { reader } = readAll(
      pack(refDelta(oid1, append(text1, '?')), refDelta(helloOid, append(hello.data, '!')), whole(hello)),
    );

    expect(reader.read(hashObject('blob', Buffer.concat([text1, Buffer.from('?')]), 'sha1'))?.type).toBe('blob');
  });

  it('completes a thin pack with the bases that it lacks', () => {
    const bytes = pack(refDelta(helloOid, append(hello.data, '!')));

    const { reader, idx, complete } = readAll(bytes, 'sha1', new Map([[helloOid, hello]]));

    expect(idx.count).toBe(2);
    expect(reader.read(helloOid)?.type).toBe('blob');
    expect(indexPack(memorySource(complete.bytes), 'sha1').externalBases).toEqual([]);
  });

  it('does not add a base that the pack holds as a delta itself', () => {
    const text1 = Buffer.concat([hello.data, Buffer.from('!')]);
    const oid1 = hashObject('blob', text1, 'sha1');
    const bytes = pack(refDelta(helloOid, append(hello.data, '!')), refDelta(oid1, append(text1, '?')));

    const { idx } = readAll(
      bytes,
      'sha1',
      new Map([
        [helloOid, hello],
        [oid1, { type: 'blob', data: text1 }],
      ]),
    );

    expect(idx.count).toBe(3);
  });

  it.each([
    ['that lacks a base', () => pack(refDelta(helloOid, append(hello.data, '!'))), 'GitObjectNotFound'],
    [
      'whose deltas are each other`s base',
      () => pack(refDelta('1'.repeat(40), append(hello.data, '!')), refDelta('2'.repeat(40), append(hello.data, '?'))),
      'GitObjectNotFound',
    ],
    ['with a delta onto the header', () => pack(ofsDelta(5, append(hello.data, '!'))), 'GitCorruptPack'],
    [
      'with a delta into the middle of an entry',
      () => pack(whole(hello), ofsDelta(whole(hello).length - 1, append(hello.data, '!'))),
      'GitCorruptPack',
    ],
    ['of no known kind', () => Buffer.from('not a pack at all, but long enough to be one'), 'GitCorruptPack'],
    ['of version 9', () => Buffer.concat([Buffer.from('PACK\0\0\0\x09\0\0\0\0'), Buffer.alloc(20)]), 'GitCorruptPack'],
    [
      'that claims more entries than bytes',
      () => Buffer.concat([formatPackHeader(1_000_000), Buffer.alloc(100)]),
      'GitCorruptPack',
    ],
    [
      'that claims more entries than allowed',
      () => Buffer.concat([formatPackHeader(0xffffffff), Buffer.alloc(100)]),
      'GitLimitExceeded',
    ],
    ['with a byte after its end', () => Buffer.concat([pack(whole(hello)), Buffer.from('x')]), 'GitCorruptPack'],
    [
      'with an object larger than it says',
      () => pack(Buffer.concat([formatEntryHeader('blob', 3), deflateSync('hello')])),
      'GitCorruptPack',
    ],
    [
      'with an object smaller than it says',
      () => pack(Buffer.concat([formatEntryHeader('blob', 9), deflateSync('hello')])),
      'GitCorruptPack',
    ],
    [
      'with an object of terabytes',
      () => pack(Buffer.concat([formatEntryHeader('blob', 2 ** 41), deflateSync('hello')])),
      'GitLimitExceeded',
    ],
    [
      'with an entry of unknown type',
      () => pack(Buffer.from([0x55, 0x78, 0x9c, 3, 0, 0, 0, 0, 1, 0, 0])),
      'GitCorruptPack',
    ],
  ])('refuses a pack %s', (_name, make, code) => {
    expect(codeOf(() => indexPack(memorySource(make()), 'sha1'))).toBe(code);
  });

  it('refuses every pack that is cut short, without a crash', () => {
    const bytes = pack(whole(hello), ofsDelta(whole(hello).length, append(hello.data, '!')));

    for (let length = 0; length < bytes.length; length++) {
      expect(codeOf(() => indexPack(memorySource(bytes.subarray(0, length)), 'sha1'))).toBe('GitCorruptPack');
    }
  });

  it('refuses every pack with one bit turned', () => {
    const bytes = pack(whole(hello), ofsDelta(whole(hello).length, append(hello.data, '!')));

    for (let at = 0; at < bytes.length * 8; at += 5) {
      const damaged = Buffer.from(bytes);
      damaged[at >> 3] = (damaged[at >> 3] as number) ^ (1 << (at & 7));
      expect(codeOf(() => indexPack(memorySource(damaged), 'sha1'))).toMatch(/^Git/);
    }
  });

  it('refuses doubled objects', () => {
    expect(codeOf(() => readAll(pack(whole(hello), whole(hello))))).toBe('GitCorruptPack');
  });

  it('stops a bomb of deltas at the limit on all bytes', () => {
    // Each delta copies its 60 kB base whole; a thousand of them are 2 kB on the wire and 60 MB unfolded.
    const base: GitObject = { type: 'blob', data: Buffer.alloc(60_000, 'x') };
    const size = [0xe0, 0xd4, 0x03];
    const entries = [whole(base)];
    for (let index = 0; index < 1000; index++) {
      const tail = Buffer.from(String(index).padStart(4, '0'));
      const delta = Buffer.from([...size, 0xe4, 0xd4, 0x03, 0xb0, 0x60, 0xea, 4, ...tail]);
      entries.push(refDelta(hashObject('blob', base.data, 'sha1'), delta));
    }

    const limits = { maxTotalBytes: 10_000_000 };
    expect(codeOf(() => indexPack(memorySource(pack(...entries)), 'sha1', { limits }))).toBe('GitLimitExceeded');
  });
});
