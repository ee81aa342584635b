import { describe, expect, it } from 'vitest';
import { parseSchedule } from '../../../../src/sandbox/stages/cron-schedule.ts';

function next(schedule: string, after: string, zone?: string): string | undefined {
  const at = parseSchedule(schedule, zone)?.next(Date.parse(after));
  return at === undefined ? undefined : new Date(at).toISOString().slice(0, 16);
}

describe('the next time of a schedule', () => {
  it.each([
    ['* * * * *', '2026-01-01T00:00:00Z', '2026-01-01T00:01'],
    ['* * * * *', '2026-01-01T00:00:59Z', '2026-01-01T00:01'],
    ['*/15 * * * *', '2026-01-01T00:15:00Z', '2026-01-01T00:30'],
    ['5/20 * * * *', '2026-01-01T00:30:00Z', '2026-01-01T00:45'],
    ['0 3 * * *', '2026-01-01T04:00:00Z', '2026-01-02T03:00'],
    ['30 8-10,14 * * *', '2026-01-01T10:30:00Z', '2026-01-01T14:30'],
    ['0 0 * * mon', '2026-01-01T00:00:00Z', '2026-01-05T00:00'],
    ['0 0 29 2 *', '2026-01-01T00:00:00Z', '2028-02-29T00:00'],
    ['0 0 1 JAN,jul *', '2026-01-01T00:00:00Z', '2026-07-01T00:00'],
    // Both days given: either will do.
    ['0 0 13 * fri', '2026-02-01T00:00:00Z', '2026-02-06T00:00'],
    ['0 0 13 * *', '2026-02-01T00:00:00Z', '2026-02-13T00:00'],
    ['@hourly', '2026-01-01T00:59:59Z', '2026-01-01T01:00'],
    ['@yearly', '2026-01-01T00:00:00Z', '2027-01-01T00:00'],
    ['0 0 31 2 *', '2026-01-01T00:00:00Z', undefined],
  ])('%s after %s', (schedule, after, want) => {
    expect(next(schedule, after)).toBe(want);
  });

  it.each([
    ['0 9 * * *', '2026-01-15T00:00:00Z', 'Asia/Shanghai', '2026-01-15T01:00'],
    ['0 9 * * *', '2026-07-15T00:00:00Z', 'Europe/Berlin', '2026-07-15T07:00'],
    // 02:30 does not exist on the day that the clocks go forward.
    ['30 2 * * *', '2026-03-28T12:00:00Z', 'Europe/Berlin', '2026-03-30T00:30'],
    ['0 0 * * *', '2026-10-24T22:00:00Z', 'Europe/Berlin', '2026-10-25T23:00'],
  ])('%s after %s in %s', (schedule, after, zone, want) => {
    expect(next(schedule, after, zone)).toBe(want);
  });
});

it.each([
  '',
  '* * * *',
  '60 * * * *',
  '* * 0 * *',
  '5-1 * * * *',
  '*/0 * * * *',
  'a * * * *',
  '* * * * 7',
  '@never',
  '1,,2 * * * *',
])('does not understand %j', (schedule) => {
  expect(parseSchedule(schedule)).toBeUndefined();
});

it('does not understand an unknown zone', () => {
  expect(parseSchedule('* * * * *', 'Middle/Earth')).toBeUndefined();
});
