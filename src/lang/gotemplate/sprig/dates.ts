// Owns sprig's date functions. The local zone is UTC, as renders have no place.
import { DurationError, formatDuration, parseDuration } from '../../../lib/duration.ts';
import { formatGoTime, inZone, loadZone, UTC, ZERO_TIME } from '../../../lib/gotime.ts';
import { parseGoTime, TimeParseError } from '../../../lib/gotime-parse.ts';
import type { Execution } from '../execution.ts';
import { func, funcWith, type GoFunction } from '../function.ts';
import { ANY, type GoValue, INT, INT32, INT64, STRING } from '../value.ts';
import { addNanoseconds, fromNanoseconds, GoTime, isIntOf, TIME, toNanoseconds } from './time-value.ts';

const SECOND = 1_000_000_000n;

export function dateFunctions(): [string, GoFunction][] {
  const inZoneOf = funcWith([STRING, ANY, STRING], dateInZone);
  const modify = func([STRING, TIME], (text, time) => shift(time, durationOrZero(text)));
  const mustModify = func([STRING, TIME], (text, time) => shift(time, parseDuration(text)));
  return [
    ['now', funcWith([], ({ host }) => new GoTime(fromNanoseconds(host.now())))],
    ['date', funcWith([STRING, ANY], (execution, layout, date) => dateInZone(execution, layout, date, 'UTC'))],
    ['dateInZone', inZoneOf],
    ['date_in_zone', inZoneOf],
    ['htmlDate', funcWith([ANY], (execution, date) => dateInZone(execution, '2006-01-02', date, 'UTC'))],
    [
      'htmlDateInZone',
      funcWith([ANY, STRING], (execution, date, zone) => dateInZone(execution, '2006-01-02', date, zone)),
    ],
    ['dateModify', modify],
    ['date_modify', modify],
    ['mustDateModify', mustModify],
    ['must_date_modify', mustModify],
    ['toDate', func([STRING, STRING], toDate)],
    ['mustToDate', func([STRING, STRING], (layout, text) => new GoTime(parseGoTime(layout, text)))],
    ['ago', funcWith([ANY], ago)],
    ['duration', func([ANY], duration)],
    ['durationRound', funcWith([ANY], durationRound)],
    ['unixEpoch', func([TIME], (time) => String(time.moment.seconds))],
  ];
}

/** A time, or seconds since 1970 as an integer; anything else is now. */
function timeOf({ host }: Execution, value: GoValue): GoTime {
  if (value instanceof GoTime) return value;
  if (isIntOf(value, INT, INT64, INT32)) return new GoTime(fromNanoseconds(value.value * SECOND));
  return new GoTime(fromNanoseconds(host.now()));
}

function dateInZone(execution: Execution, layout: string, date: GoValue, zone: string): string {
  const { moment } = timeOf(execution, date);
  return formatGoTime(inZone(moment, zone === 'Local' ? UTC : (loadZone(zone) ?? UTC)), layout);
}

function shift(time: GoTime, nanoseconds: bigint): GoTime {
  return new GoTime(addNanoseconds(time.moment, nanoseconds));
}

function durationOrZero(text: string): bigint {
  try {
    return parseDuration(text);
  } catch (error) {
    if (error instanceof DurationError) return 0n;
    throw error;
  }
}

function toDate(layout: string, text: string): GoTime {
  try {
    return new GoTime(parseGoTime(layout, text));
  } catch (error) {
    if (error instanceof TimeParseError) return new GoTime(ZERO_TIME);
    throw error;
  }
}

function ago(execution: Execution, value: GoValue): string {
  const age = execution.host.now() - toNanoseconds(timeOf(execution, value).moment);
  const half = SECOND / 2n;
  const rounded = ((age < 0n ? age - half : age + half) / SECOND) * SECOND;
  return formatDuration(rounded);
}

/** Seconds as int64 or decimal text; an int counts as none. */
function duration(value: GoValue): string {
  let seconds = 0n;
  if (typeof value === 'string') seconds = /^[+-]?[0-9]+$/.test(value) ? BigInt(value.replace('+', '')) : 0n;
  else if (isIntOf(value, INT64)) seconds = value.value;
  return formatDuration(BigInt.asIntN(64, seconds * SECOND));
}

const UNITS: readonly (readonly [bigint, string])[] = [
  [365n * 24n * 3600n, 'y'],
  [30n * 24n * 3600n, 'mo'],
  [24n * 3600n, 'd'],
  [3600n, 'h'],
  [60n, 'm'],
  [1n, 's'],
];

/** The largest unit that the duration exceeds, cut; the sign goes. */
function durationRound({ host }: Execution, value: GoValue): string {
  let nanoseconds = 0n;
  if (typeof value === 'string') nanoseconds = durationOrZero(value);
  else if (isIntOf(value, INT64)) nanoseconds = value.value;
  else if (value instanceof GoTime) nanoseconds = host.now() - toNanoseconds(value.moment);
  const size = nanoseconds < 0n ? -nanoseconds : nanoseconds;
  for (const [seconds, unit] of UNITS) if (size > seconds * SECOND) return `${size / (seconds * SECOND)}${unit}`;
  return '0s';
}
