import { describe, expect, it } from 'vitest';
import { goTimeString, loadZone } from '../../../src/lib/gotime.ts';
import { parseGoTime, TimeParseError } from '../../../src/lib/gotime-parse.ts';

describe('parseGoTime', () => {
  it.each([
    ['2006-01-02', '2020-02-29', '2020-02-29 00:00:00 +0000 UTC'],
    ['2006-01-02T15:04:05Z07:00', '2021-07-04T05:06:07.5+02:00', '2021-07-04 05:06:07.5 +0200 +0200'],
    ['2006-01-02T15:04:05Z07:00', '2021-07-04T05:06:07Z', '2021-07-04 05:06:07 +0000 UTC'],
    ['Jan _2 06 3:04PM', 'mar  7 99 12:30AM', '1999-03-07 00:30:00 +0000 UTC'],
    ['2006-002', '2020-060', '2020-02-29 00:00:00 +0000 UTC'],
    ['15:04 MST', '01:02 CET', '0000-01-01 01:02:00 +0000 CET'],
    ['', '', '0000-01-01 00:00:00 +0000 UTC'],
  ])('%s reads %s', (layout, text, expected) => {
    expect(goTimeString(parseGoTime(layout, text))).toBe(expected);
  });

  it('takes a text without an offset to be in the zone given', () => {
    const moment = parseGoTime('2006-01-02 15:04', '2021-07-04 05:00', loadZone('Europe/Berlin'));

    expect(goTimeString(moment)).toBe('2021-07-04 05:00:00 +0200 CEST');
  });

  it.each([
    ['2006-01-02', 'bad', 'parsing time "bad" as "2006-01-02": cannot parse "bad" as "2006"'],
    ['2006-01-02', '2020-13-01', 'parsing time "2020-13-01": month out of range'],
    ['2006-01-02', '2021-02-29', 'parsing time "2021-02-29": day out of range'],
    ['2006-01-02', '2021-02-01x', 'parsing time "2021-02-01x": extra text: "x"'],
    ['2006-01-02', '2021/02', 'parsing time "2021/02" as "2006-01-02": cannot parse "/02" as "-"'],
    ['15', 'é', 'parsing time "\\xc3\\xa9" as "15": cannot parse "\\xc3\\xa9" as "15"'],
  ])('%s refuses %s', (layout, text, message) => {
    const parse = () => parseGoTime(layout, text);

    expect(parse).toThrow(TimeParseError);
    expect(parse).toThrow(message);
  });
});
