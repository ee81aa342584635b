// Owns Go's time.Time as a template value, with the methods that templates call on it.

import { formatDuration } from '../../../lib/duration.ts';
import {
  type Civil,
  formatGoTime,
  goTimeString,
  inZone,
  type Moment,
  monthName,
  toCivil,
  UTC,
  weekdayName,
  ZERO_TIME,
} from '../../../lib/gotime.ts';
import { method } from '../function.ts';
import { GoInt, type GoMethod, GoObject, type GoType, type GoValue, INT, INT64, int, int64, STRING } from '../value.ts';

/** A time.Time. */
export class GoTime extends GoObject {
  readonly type = TIME;
  readonly moment: Moment;

  constructor(moment: Moment) {
    super();
    this.moment = moment;
  }

  fields(): readonly (readonly [string, GoValue])[] {
    const { seconds, nanoseconds } = this.moment;
    return [
      ['wall', int64(nanoseconds)],
      ['ext', int64(seconds)],
    ];
  }

  override goString(): string {
    return goTimeString(this.moment);
  }

  override isZero(): boolean {
    return this.moment.seconds === ZERO_TIME.seconds && this.moment.nanoseconds === 0;
  }

  override toJson(): GoValue {
    return formatGoTime(this.moment, '2006-01-02T15:04:05.999999999Z07:00');
  }
}

/** A time.Duration, time.Month or time.Weekday: an integer that prints as text. */
class NamedInteger extends GoObject {
  readonly type: GoType;
  readonly #value: number;
  readonly #text: string;

  constructor(type: GoType, value: number, text: string) {
    super();
    this.type = type;
    this.#value = value;
    this.#text = text;
  }

  fields(): readonly (readonly [string, GoValue])[] {
    return [];
  }

  override goString(): string {
    return this.#text;
  }

  override toJson(): GoValue {
    return int(this.#value);
  }
}

const MONTH: GoType = { name: 'time.Month', kind: 'int' };
const WEEKDAY: GoType = { name: 'time.Weekday', kind: 'int' };
const DURATION: GoType = { name: 'time.Duration', kind: 'int64' };

/** Filled below: some methods take a time themselves. */
const METHODS = new Map<string, GoMethod>();

/** The type of GoTime, also as a parameter. */
export const TIME: GoType<GoTime> = { name: 'time.Time', kind: 'struct', methods: METHODS };

/** Nanoseconds since 1970. */
export function toNanoseconds({ seconds, nanoseconds }: Moment): bigint {
  return BigInt(seconds) * 1_000_000_000n + BigInt(nanoseconds);
}

/** The moment of a number of nanoseconds since 1970. */
export function fromNanoseconds(value: bigint, zone = UTC): Moment {
  const rest = BigInt.asUintN(64, ((value % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n);
  return { seconds: Number((value - rest) / 1_000_000_000n), nanoseconds: Number(rest), zone };
}

/** Adds nanoseconds, keeping the zone. */
export function addNanoseconds(moment: Moment, nanoseconds: bigint): Moment {
  return fromNanoseconds(toNanoseconds(moment) + nanoseconds, moment.zone);
}

function civilMethod(read: (civil: Civil) => GoValue): GoMethod {
  return method([], (self: GoTime) => read(toCivil(self.moment)));
}

function timeMethods(): [string, GoMethod][] {
  return [
    ['Format', method([STRING], (self: GoTime, layout) => formatGoTime(self.moment, layout))],
    ['String', method([], (self: GoTime) => goTimeString(self.moment))],
    ['Unix', method([], (self: GoTime) => int64(self.moment.seconds))],
    ['UnixMilli', method([], (self: GoTime) => int64(toNanoseconds(self.moment) / 1_000_000n))],
    ['UnixMicro', method([], (self: GoTime) => int64(toNanoseconds(self.moment) / 1_000n))],
    ['UnixNano', method([], (self: GoTime) => int64(toNanoseconds(self.moment)))],
    ['UTC', method([], (self: GoTime) => new GoTime(inZone(self.moment, UTC)))],
    ['Local', method([], (self: GoTime) => new GoTime(inZone(self.moment, UTC)))],
    ['IsZero', method([], (self: GoTime) => self.isZero())],
    ['Year', civilMethod((civil) => int(civil.year))],
    ['Month', civilMethod((civil) => new NamedInteger(MONTH, civil.month, monthName(civil.month)))],
    ['Weekday', civilMethod((civil) => new NamedInteger(WEEKDAY, civil.weekday, weekdayName(civil.weekday)))],
    ['Day', civilMethod((civil) => int(civil.day))],
    ['Hour', civilMethod((civil) => int(civil.hour))],
    ['Minute', civilMethod((civil) => int(civil.minute))],
    ['Second', civilMethod((civil) => int(civil.second))],
    ['YearDay', civilMethod((civil) => int(civil.yearDay))],
    ['Nanosecond', method([], (self: GoTime) => int(self.moment.nanoseconds))],
    ['Add', method([INT64], (self: GoTime, nanoseconds) => new GoTime(addNanoseconds(self.moment, nanoseconds)))],
    ['AddDate', method([INT, INT, INT], addDate)],
    ['After', method([TIME], (self: GoTime, other) => difference(self, other) > 0n)],
    ['Before', method([TIME], (self: GoTime, other) => difference(self, other) < 0n)],
    ['Equal', method([TIME], (self: GoTime, other) => difference(self, other) === 0n)],
    ['Sub', method([TIME], subtract)],
  ];
}

for (const [name, fn] of timeMethods()) METHODS.set(name, fn);

function difference(a: GoTime, b: GoTime): bigint {
  return toNanoseconds(a.moment) - toNanoseconds(b.moment);
}

function subtract(self: GoTime, other: GoTime): GoValue {
  const nanoseconds = difference(self, other);
  return new NamedInteger(DURATION, Number(nanoseconds), formatDuration(nanoseconds));
}

/** Calendar arithmetic: the 31st of a shorter month runs over into the next. */
function addDate(self: GoTime, years: number, months: number, days: number): GoValue {
  const { seconds, nanoseconds, zone } = self.moment;
  const { offset } = zone.at(seconds);
  const date = new Date((seconds + offset) * 1000);
  date.setUTCFullYear(date.getUTCFullYear() + years, date.getUTCMonth() + months, date.getUTCDate() + days);
  const local = date.getTime() / 1000;
  return new GoTime({ seconds: local - zone.at(local - offset).offset, nanoseconds, zone });
}

/** The integer of a GoInt of type int64 or int, for durations given as numbers. */
export function isIntOf(value: GoValue, ...types: readonly GoType[]): value is GoInt {
  return value instanceof GoInt && types.includes(value.type);
}
