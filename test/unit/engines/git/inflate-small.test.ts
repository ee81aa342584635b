import { deflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { InflateError, inflateSmall } from '../../../../src/engines/git/inflate-small.ts';

const text = Buffer.from('apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n  namespace: a\n'.repeat(3));

describe('inflateSmall', () => {
  it.each([
    ['stored', { level: 0 }],
    ['with fixed codes', { strategy: 4 }],
    ['with dynamic codes', { level: 9 }],
    ['without matches', { strategy: 2 }],
    ['with runs', { strategy: 3 }],
  ])('inflates blocks %s and says how much it took', (_name, options) => {
    const stream = deflateSync(text, options);
    const out = Buffer.alloc(text.length);

    const taken = inflateSmall(Buffer.concat([stream, Buffer.from('more')]), out);

    expect([taken, out.toString()]).toEqual([stream.length, text.toString()]);
  });

  it('inflates nothing to nothing', () => {
    expect(inflateSmall(deflateSync(''), Buffer.alloc(0))).toBe(8);
  });

  it.each([
    ['a result that is too long', deflateSync(text), text.length - 1],
    ['a result that is too short', deflateSync(text), text.length + 1],
    ['another method', Buffer.from([0x79, 0x9c, 3, 0, 0, 0, 0, 1]), 0],
    ['a dictionary', Buffer.from([0x78, 0xbb, 3, 0, 0, 0, 0, 1]), 0],
    ['a reserved block type', Buffer.from([0x78, 0x9c, 7, 0, 0, 0, 0, 1]), 0],
    ['a wrong check sum', Buffer.from([0x78, 0x9c, 3, 0, 0, 0, 0, 2]), 0],
    ['a distance before the beginning', Buffer.from([0x78, 0x9c, 0x03, 0x02, 0, 0, 0, 0, 0]), 3],
  ])('refuses %s', (_name, stream, size) => {
    expect(() => inflateSmall(stream, Buffer.alloc(size))).toThrow(InflateError);
  });

  it('says at every place where a stream can end that it ran out', () => {
    const stream = deflateSync(text, { level: 9 });

    for (let length = 0; length < stream.length; length++) {
      expect(() => inflateSmall(stream.subarray(0, length), Buffer.alloc(text.length))).toThrow(
        expect.objectContaining({ ranOut: true }),
      );
    }
  });
});
