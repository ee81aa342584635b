import { describe, expect, it } from 'vitest';
import { ownBytes } from '../../../src/lib/own-bytes.ts';

describe('ownBytes', () => {
  it('copies what was cut from a larger buffer', () => {
    const large = Buffer.alloc(64 * 1024, 'ab');

    const own = ownBytes(large.subarray(10, 14));

    expect(Buffer.from(own).toString()).toBe('abab');
    expect(own.buffer.byteLength).toBe(4);
  });

  it('leaves alone what has a buffer of its own, give or take a little', () => {
    const large = new Uint8Array(1_000);

    expect(ownBytes(large)).toBe(large);
    expect(ownBytes(large.subarray(0, 600)).buffer).toBe(large.buffer);
  });
});
