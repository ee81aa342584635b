import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LineDecoder } from '../../../src/cluster/watch.ts';

describe('LineDecoder', () => {
  it('gives the same lines however the bytes are cut', () => {
    const line = fc.string({ unit: 'grapheme', minLength: 1 }).filter((text) => !/[\n]/.test(text));
    fc.assert(
      fc.property(fc.array(line), fc.array(fc.nat(40)), (lines, cuts) => {
        const bytes = Buffer.from(lines.map((text) => `${text}\n`).join(''));
        const decoder = new LineDecoder();
        const found: string[] = [];
        let from = 0;
        for (const cut of cuts) {
          found.push(...decoder.push(bytes.subarray(from, from + cut)));
          from = Math.min(from + cut, bytes.length);
        }
        found.push(...decoder.push(bytes.subarray(from)));

        expect(found).toEqual(lines);
        expect(decoder.end()).toBe('');
      }),
    );
  });

  it('keeps what comes after the last line end', () => {
    const decoder = new LineDecoder();

    expect(decoder.push(Buffer.from('{"a":1}\n\n{"b"'))).toEqual(['{"a":1}']);
    expect(decoder.end()).toBe('{"b"');
  });
});
