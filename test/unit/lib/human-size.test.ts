import { describe, expect, it } from 'vitest';
import { formatHumanSize } from '../../../src/lib/human-size.ts';

describe('formatHumanSize', () => {
  it.each([
    [0, '0B'],
    [999, '999B'],
    [1000, '1kB'],
    [12_345, '12.35kB'],
    [1_048_576, '1.049MB'],
    [5_000_000_000, '5GB'],
  ])('%d is %s', (bytes, text) => {
    expect(formatHumanSize(bytes)).toBe(text);
  });
});
