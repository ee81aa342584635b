// Owns timestamps and durations: reading, writing, parts. Without a zone named, parts are UTC.
import { parseDuration } from '../../../lib/duration.ts';
import { fixedZone, loadZone, toCivil, UTC, type Zone } from '../../../lib/gotime.ts';
import { failed } from '../errors.ts';
import { type CelFunction, fn, method } from '../function.ts';
import { floorDivide, toTimestamp } from '../operators.ts';
import { Duration, type Timestamp } from '../value.ts';

const TIMESTAMP = 'google.protobuf.Timestamp';
const DURATION = 'google.protobuf.Duration';
const SECOND = 1_000_000_000n;

export function timeFunctions(): CelFunction[] {
  return [
    fn('timestamp', ['string'], TIMESTAMP, (_call, text: string) => parseTimestamp(text)),
    fn('timestamp', ['int'], TIMESTAMP, (_call, seconds: bigint) => toTimestamp(seconds * SECOND)),
    fn('timestamp', [TIMESTAMP], TIMESTAMP, (_call, value: Timestamp) => value),
    fn('duration', ['string'], DURATION, (_call, text: string) => parseDurationText(text)),
    fn('duration', ['int'], DURATION, (_call, nanos: bigint) => new Duration(nanos)),
    fn('duration', [DURATION], DURATION, (_call, value: Duration) => value),
    ...PARTS.flatMap(([name, part]) => [
      method(name, [TIMESTAMP], 'int', (_call, value: Timestamp) => BigInt(part(civil(value, UTC), value))),
      method(name, [TIMESTAMP, 'string'], 'int', (_call, value: Timestamp, zone: string) =>
        BigInt(part(civil(value, zoneOf(zone)), value)),
      ),
    ]),
    method('getHours', [DURATION], 'int', (_call, value: Duration) => value.nanos / (3600n * SECOND)),
    method('getMinutes', [DURATION], 'int', (_call, value: Duration) => value.nanos / (60n * SECOND)),
    method('getSeconds', [DURATION], 'int', (_call, value: Duration) => value.nanos / SECOND),
    method('getMilliseconds', [DURATION], 'int', (_call, value: Duration) => value.nanos / 1_000_000n),
  ];
}

type Civil = ReturnType<typeof toCivil>;

const PARTS: readonly (readonly [string, (civil: Civil, value: Timestamp) => number])[] = [
  ['getFullYear', (civil) => civil.year],
  ['getMonth', (civil) => civil.month - 1],
  ['getDayOfMonth', (civil) => civil.day - 1],
  ['getDate', (civil) => civil.day],
  ['getDayOfWeek', (civil) => civil.weekday],
  ['getDayOfYear', (civil) => civil.yearDay - 1],
  ['getHours', (civil) => civil.hour],
  ['getMinutes', (civil) => civil.minute],
  ['getSeconds', (civil) => civil.second],
  ['getMilliseconds', (_civil, value) => Number((((value.nanos % SECOND) + SECOND) % SECOND) / 1_000_000n)],
];

function civil(value: Timestamp, zone: Zone): Civil {
  return toCivil({ seconds: Number(floorDivide(value.nanos, SECOND)), nanoseconds: 0, zone });
}

function zoneOf(name: string): Zone {
  const offset = /^([+-]?)(\d{2}):(\d{2})$/.exec(name);
  if (offset !== null) {
    const seconds = Number(offset[2]) * 3600 + Number(offset[3]) * 60;
    return fixedZone(name, offset[1] === '-' ? -seconds : seconds);
  }
  const zone = loadZone(name);
  if (zone === undefined) throw failed(`unknown time zone ${name}`);
  return zone;
}

const RFC3339 = /^(\d{4})-(\d{2})-(\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(?:\.(\d+))?([Zz]|[+-]\d{2}:\d{2})$/;

/** Throws CelError for a text that is no RFC 3339 time. */
export function parseTimestamp(text: string): Timestamp {
  const match = RFC3339.exec(text);
  const [, year, month, day, hour, minute, second, fraction = '', zone = 'Z'] = match ?? [];
  const ms = match === null ? Number.NaN : Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}.000Z`);
  // A day that the month does not have rolls over instead of failing.
  if (Number.isNaN(ms) || new Date(ms).getUTCDate() !== Number(day)) {
    throw failed(`parsing time ${JSON.stringify(text)}: not an RFC 3339 time`);
  }
  const sign = zone.startsWith('-') ? -1 : 1;
  const offset = /^[Zz]$/.test(zone) ? 0 : sign * (Number(zone.slice(1, 3)) * 3600 + Number(zone.slice(4)) * 60);
  const nanos = BigInt(fraction.slice(0, 9).padEnd(9, '0'));
  return toTimestamp(BigInt(ms / 1000 - offset) * SECOND + nanos);
}

export function parseDurationText(text: string): Duration {
  try {
    return new Duration(parseDuration(text));
  } catch {
    throw failed(`time: invalid duration ${JSON.stringify(text)}`);
  }
}

/** RFC 3339 in UTC, with as many decimals as it takes. */
export function formatTimestamp({ nanos }: Timestamp): string {
  const seconds = floorDivide(nanos, SECOND);
  const text = new Date(Number(seconds) * 1000).toISOString().slice(0, 19);
  return `${text}${formatFraction(nanos - seconds * SECOND)}Z`;
}

/** Seconds as a decimal number with `s`. */
export function formatDurationText({ nanos }: Duration): string {
  const size = nanos < 0n ? -nanos : nanos;
  return `${nanos < 0n ? '-' : ''}${size / SECOND}${formatFraction(size % SECOND)}s`;
}

function formatFraction(nanos: bigint): string {
  return nanos === 0n ? '' : `.${nanos.toString().padStart(9, '0').replace(/0+$/, '')}`;
}
