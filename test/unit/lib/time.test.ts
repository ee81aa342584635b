import { describe, expect, it } from 'vitest';
import { formatMicroTime, formatTime, parseTime } from '../../../src/lib/time.ts';

describe('time', () => {
  it('cuts to whole seconds', () => {
    expect(formatTime(Date.UTC(2026, 10, 21, 8, 0, 59, 999))).toBe('2026-11-21T08:00:59Z');
  });

  it('writes micro time with six digits', () => {
    expect(formatMicroTime(Date.UTC(2026, 10, 21, 8, 0, 0, 5))).toBe('2026-11-21T08:00:00.005000Z');
  });

  it('reads what is a time and nothing else', () => {
    expect(parseTime('2026-11-21T08:00:00.123456Z')).toBe(Date.UTC(2026, 10, 21, 8, 0, 0, 123));
    expect(parseTime('soon')).toBeUndefined();
    expect(parseTime(undefined)).toBeUndefined();
  });
});
