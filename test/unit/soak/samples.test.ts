// When a soak says that something leaks.
import { describe, expect, it } from 'vitest';
import { growthOf, leftOver, type Sample } from '../../soak/samples.ts';
import { createRandom } from '../../support/random.ts';

const points = (values: readonly number[]) => values.map((value, at) => ({ atMs: at * 1000, value }));
const MIB = 1024 * 1024;

describe('growthOf', () => {
  it('is the part by which a line grows', () => {
    expect(growthOf(points([100, 101, 102, 103, 104]))).toBeCloseTo(4 / 102);
    expect(growthOf(points([100, 99, 98]))).toBeCloseTo(-2 / 99);
  });

  it('is not moved by single samples that are far off', () => {
    expect(growthOf(points([200, 100, 100, 100, 100, 100, 100, 300]))).toBe(0);
  });

  it('sees a leak of a tenth in noise, and none in noise alone', () => {
    for (let seed = 0; seed < 100; seed += 1) {
      const next = createRandom(seed);
      const noise = Array.from({ length: 20 }, () => (next() - 0.5) * 3);

      expect(growthOf(points(noise.map((off) => 100 + off)))).toBeLessThan(0.05);
      expect(growthOf(points(noise.map((off, at) => 100 + off + at * 0.55)))).toBeGreaterThan(0.05);
    }
  });
});

const sample = (counts: Record<string, number>, files = 10, bytes = 10 * MIB): Sample => {
  return { atMs: 0, heldBytes: 0, residentBytes: 0, counts, disk: { files, bytes } };
};
const fullest = { files: 10, bytes: 10 * MIB };
const left = (last: Sample) =>
  leftOver({ warmUp: [sample({ watches: 9, threads: 8 }), sample({ watches: 11, threads: 8 })], fullest, last });

describe('leftOver', () => {
  it('is nothing when all is as it was at some time of the warm-up', () => {
    expect(left(sample({ watches: 11, threads: 7 }))).toEqual([]);
  });

  it('names each count that is higher, and kinds that were not there before', () => {
    expect(left(sample({ watches: 12, threads: 8, 'handles: FSWatcher': 1 }))).toEqual([
      'watches: 12, and 11 after the warm-up',
      'handles: FSWatcher: 1, and 0 after the warm-up',
    ]);
  });

  it('passes over a spare connection and what is going on at the moment', () => {
    expect(left(sample({ 'handles: TCPSocketWrap': 2, 'handles: Timeout': 5, 'handles: FSReqPromise': 1 }))).toEqual(
      [],
    );
    expect(left(sample({ 'handles: TCPSocketWrap': 3 }))).toHaveLength(1);
  });

  it('compares the disk with the fullest it was', () => {
    expect(left(sample({}, 10, 10.4 * MIB))).toEqual([]);
    expect(left(sample({}, 11))).toEqual([`disk: 11 files of ${10 * MIB} bytes, and 10 of ${10 * MIB} in the warm-up`]);
    expect(left(sample({}, 10, 11 * MIB))).toHaveLength(1);
  });
});
