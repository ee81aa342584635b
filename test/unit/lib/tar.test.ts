import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readTar, type TarInput, writeTar } from '../../../src/lib/tar.ts';
import { parseTar } from '../../../src/lib/tar-entries.ts';

const file = (name: string, text = '', mode = 0o600): TarInput => ({
  name,
  kind: 'file',
  mode,
  data: Buffer.from(text),
});
const dir = (name: string): TarInput => ({ name, kind: 'dir', mode: 0o750 });

/** A header block of any kind, for entries that the writer does not write. */
function entry(name: string, typeFlag: string, linkName = '', size = 0): Buffer {
  const block = Buffer.alloc(512);
  block.write(name, 0);
  block.write('0000644\0', 100);
  block.write(`${size.toString(8).padStart(11, '0')}\0`, 124);
  block.write('        ', 148);
  block.write(typeFlag, 156);
  block.write(linkName, 157);
  block.write('ustar\x0000', 257, 'latin1');
  let sum = 0;
  for (const byte of block) sum += byte;
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return block;
}

const END = Buffer.alloc(1024);

describe('writeTar', () => {
  // Digests of archives that Go 1.26's archive/tar wrote for the same headers.
  it.each([
    [
      'folders and files',
      [dir('.'), dir('apps'), file('apps/a.yaml', 'a: 1\n'), file('run.sh', '#!/bin/sh\n', 0o700)],
      'fd9c93e69a4121893bd1695daf7f5d7bae434d358f396f03f7c1d39eae756569',
    ],
    [
      'a name split over two fields',
      [file(`${'d'.repeat(90)}/${'e'.repeat(60)}/${'f'.repeat(80)}`, 'x')],
      '676e15851ebd8ca7759a61bd0ba7d547f1242b66a63c39824130c2516047dfcc',
    ],
    [
      'a name that needs an extended header',
      [file(`${'g'.repeat(120)}.yaml`, 'y'), file('ä/日本.yaml', 'z')],
      'e2b38e44ab62a8a331712c7daea2878f155e79e462329ec78e5dff801433fa20',
    ],
  ])('writes %s as Go does', (_name, entries, want) => {
    expect(createHash('sha256').update(writeTar(entries)).digest('hex')).toBe(want);
  });

  it('refuses a name with a NUL', () => {
    expect(() => writeTar([file('a\0b')])).toThrow(expect.objectContaining({ code: 'UnsafePath' }));
  });

  it('reads back what it wrote', () => {
    const segment = fc.stringMatching(/^[a-zä-ü]{1,40}$/);
    const name = fc.array(segment, { minLength: 1, maxLength: 6 }).map((parts) => parts.join('/'));
    const content = fc.uint8Array({ maxLength: 1500 });

    fc.assert(
      fc.property(fc.uniqueArray(fc.tuple(name, content), { selector: ([path]) => path, maxLength: 5 }), (files) => {
        const archive = writeTar(files.map(([path, data]) => ({ name: path, kind: 'file', mode: 0o600, data })));

        const back = [...parseTar(archive)].map((each) => [each.name, Buffer.from(each.data).toString('hex')]);

        expect(back).toEqual(files.map(([path, data]) => [path, Buffer.from(data).toString('hex')]));
      }),
    );
  });
});

describe('parseTar', () => {
  it.each([
    ['text', Buffer.from('not a tar archive at all'.padEnd(512))],
    ['a wrong checksum', Buffer.concat([entry('a', '0').fill('b', 0, 1), END])],
    ['a size beyond the end', Buffer.concat([entry('a', '0', '', 4096), END])],
    ['a cut header', entry('a', '0').subarray(0, 300)],
    ['one block of zeros, then more', Buffer.concat([Buffer.alloc(512), entry('a', '0')])],
  ])('refuses %s', (_name, bytes) => {
    expect(() => [...parseTar(bytes)]).toThrow(expect.objectContaining({ code: 'MalformedArchive' }));
  });

  it('refuses sparse files', () => {
    expect(() => [...parseTar(Buffer.concat([entry('a', 'S'), END]))]).toThrow(
      expect.objectContaining({ code: 'UnsupportedEntry' }),
    );
  });

  it('reads long names of GNU tar', () => {
    const long = `${'n'.repeat(150)}.txt`;
    const data = Buffer.alloc(512);
    data.write(long);

    const entries = [
      ...parseTar(Buffer.concat([entry('././@LongLink', 'L', '', long.length + 1), data, entry('short', '0'), END])),
    ];

    expect(entries.map((each) => each.name)).toEqual([long]);
  });

  it('never does worse than throw a TarError', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 512, maxLength: 2048 }), fc.nat(511), fc.nat(255), (noise, at, byte) => {
        const archive = Buffer.concat([entry('a/b', '0'), noise, END]);
        archive[at] = byte;
        try {
          for (const each of parseTar(archive)) expect(typeof each.name).toBe('string');
        } catch (error) {
          expect((error as { code?: string }).code).toMatch(/^(MalformedArchive|UnsupportedEntry)$/);
        }
      }),
    );
  });
});

describe('readTar', () => {
  const archive = (...blocks: Buffer[]) => Buffer.concat([...blocks, END]);

  it.each([
    ['..', 'UnsafePath', entry('a/../../b', '0')],
    ['an absolute path', 'UnsafePath', entry('/etc/passwd', '0')],
    ['a backslash', 'UnsafePath', entry('a\\..\\b', '0')],
    ['a drive letter', 'UnsafePath', entry('C:/x', '0')],
    ['an absolute link', 'UnsafeLink', entry('a', '2', '/etc')],
    ['a link out of the root', 'UnsafeLink', entry('a/b', '2', '../../x')],
    ['a hard link', 'UnsupportedEntry', entry('a', '1', 'b')],
    ['a device', 'UnsupportedEntry', entry('a', '3')],
    ['a path too deep', 'PathTooDeep', entry('a/'.repeat(48) + 'b', '0')],
  ])('refuses %s', (_name, code, block) => {
    expect(() => readTar(archive(block), { maxDepth: 40 })).toThrow(expect.objectContaining({ code }));
  });

  it('refuses to write through a link', () => {
    expect(() => readTar(archive(entry('a', '2', 'b'), entry('a/x', '0')))).toThrow(
      expect.objectContaining({ code: 'UnsafePath' }),
    );
  });

  it('counts entries and bytes', () => {
    const many = writeTar([file('a', '12345'), file('b', '12345')]);

    expect(() => readTar(many, { maxEntries: 1 })).toThrow(expect.objectContaining({ code: 'TooManyEntries' }));
    expect(() => readTar(many, { maxBytes: 9 })).toThrow(expect.objectContaining({ code: 'ArchiveTooLarge' }));
    expect(readTar(many, { maxBytes: 10 })).toHaveLength(2);
  });

  it('keeps a link that stays inside, and the last of two equal paths', () => {
    const entries = readTar(archive(entry('a/l', '2', '../b/./c'), entry('./x', '0'), entry('x', '5')));

    expect(entries.map(({ path, kind, linkTarget }) => [path, kind, linkTarget])).toEqual([
      ['a/l', 'symlink', '../b/./c'],
      ['x', 'dir', ''],
    ]);
  });
});
