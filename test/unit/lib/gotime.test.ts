import { describe, expect, it } from 'vitest';
import { formatGoTime, goTimeString, inZone, loadZone, UTC, ZERO_TIME } from '../../../src/lib/gotime.ts';

const MOMENT = { seconds: 1_136_214_245, nanoseconds: 120_000_000, zone: UTC };

describe('formatGoTime', () => {
  it.each([
    ['2006-01-02T15:04:05Z07:00', '2006-01-02T15:04:05Z'],
    ['Mon Jan _2 3:04PM 06', 'Mon Jan  2 3:04PM 06'],
    ['Monday, January 2 pm 03:4:5', 'Monday, January 2 pm 03:4:5'],
    ['002 __2 .000 ,999', '002   2 .120 ,12'],
    ['-0700 -07:00 -07 MST', '+0000 +00:00 +00 UTC'],
    ['Janet Month Mons', 'Janet Month Mons'],
    ['_2006', '_2006'],
  ])('%s', (layout, expected) => {
    expect(formatGoTime(MOMENT, layout)).toBe(expected);
  });

  it('shows zones with summer time', () => {
    const berlin = loadZone('Europe/Berlin')!;
    const july = { seconds: 1_783_000_000, nanoseconds: 0, zone: UTC };

    expect(formatGoTime(inZone(july, berlin), '15:04 -0700 MST')).toBe('15:46 +0200 CEST');
    expect(formatGoTime(inZone(MOMENT, berlin), '15:04 Z07:00 MST')).toBe('16:04 +01:00 CET');
  });

  it('prints the zero time and moments before 1970', () => {
    expect(goTimeString(ZERO_TIME)).toBe('0001-01-01 00:00:00 +0000 UTC');
    expect(goTimeString({ seconds: -1, nanoseconds: 5, zone: UTC })).toBe('1969-12-31 23:59:59.000000005 +0000 UTC');
  });
});

it('loadZone knows IANA names only', () => {
  expect(loadZone('')).toBe(UTC);
  expect(loadZone('Nowhere/Land')).toBeUndefined();
  expect(loadZone('+01:00')).toBeUndefined();
});
