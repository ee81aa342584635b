import { describe, expect, it } from 'vitest';
import { retryAfterMs } from '../../../src/remote/retry-after.ts';

const NOW = Date.parse('2026-11-21T08:00:00Z');

describe('Retry-After', () => {
  it.each<[string | undefined, number | undefined]>([
    [undefined, undefined],
    ['3', 3_000],
    [' 0 ', 0],
    ['Sat, 21 Nov 2026 08:00:05 GMT', 5_000],
    ['Sat, 21 Nov 2026 07:00:00 GMT', 0],
    ['999999999', 3_600_000],
    ['Sat, 21 Nov 2099 08:00:00 GMT', 3_600_000],
    ['soon', undefined],
    ['99999999999999999999', undefined],
  ])('%s', (header, wanted) => {
    expect(retryAfterMs(header, NOW)).toBe(wanted);
  });

  it('says nothing with a date when the time is not known', () => {
    expect(retryAfterMs('Sat, 21 Nov 2026 08:00:05 GMT', Number.NaN)).toBeUndefined();
  });
});
