import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FLUSH_PKT, formatPkt, PktParser, pktText } from '../../../../src/engines/git/protocol/pktline.ts';

describe('PktParser', () => {
  it('cuts lines out of chunks of any size', () => {
    const lines = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 20 });
    const cuts = fc.array(fc.nat({ max: 5000 }), { maxLength: 20 });
    fc.assert(
      fc.property(lines, cuts, (contents, places) => {
        const stream = Buffer.concat([...contents.map((content) => formatPkt(content)), FLUSH_PKT]);
        const edges = [0, ...places.map((place) => place % (stream.length + 1)), stream.length].sort((a, b) => a - b);
        const parser = new PktParser();
        const got = edges.slice(1).flatMap((edge, index) => parser.push(stream.subarray(edges[index], edge)));
        parser.finish();
        expect(got).toEqual([
          ...contents.map((content) => ({ kind: 'data', data: Buffer.from(content) })),
          { kind: 'flush' },
        ]);
      }),
      { seed: 1, numRuns: 100 },
    );
  });

  it.each(['<!DO', '0003', 'fff5', 'zzzz', '-001'])('refuses the length %s', (length) => {
    expect(() => new PktParser().push(Buffer.from(`${length}rest of it`))).toThrow(/invalid line length/);
  });

  it('tells a stream that ends within a line', () => {
    const parser = new PktParser();
    parser.push(Buffer.from('0010abc'));

    expect(() => parser.finish()).toThrow('unexpected EOF in the middle of a line');
  });
});

describe('pktText', () => {
  it('drops one newline at the end', () => {
    expect(pktText(Buffer.from('a\n\n'))).toBe('a\n');
    expect(pktText(Buffer.from('a'))).toBe('a');
  });
});
