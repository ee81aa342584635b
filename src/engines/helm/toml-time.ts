// Owns the dates that fromToml yields: Go's time.Time with the zone that TOML wrote, or the marker of a local one.
import { GoObject, type GoType, type GoValue } from '../../lang/gotemplate/value.ts';

const TIME: GoType = { name: 'time.Time', kind: 'struct' };

/** Which parts a TOML date states; local ones have no zone. */
export type TomlTimeKind = 'offset' | 'datetime-local' | 'date-local' | 'time-local';

/** A date as TOML wrote it. */
export class TomlTime extends GoObject {
  readonly type = TIME;
  readonly #kind: TomlTimeKind;
  /** `2006-01-02` and `15:04:05` with a fraction of a second, if any. */
  readonly #date: string;
  readonly #time: string;
  /** `Z` or `+02:00`. */
  readonly #zone: string;

  constructor(kind: TomlTimeKind, parts: { readonly date: string; readonly time: string; readonly zone: string }) {
    super();
    this.#kind = kind;
    this.#date = parts.date;
    this.#time = parts.time.replace(/(\.\d*?)0+$/, '$1').replace(/\.$/, '');
    this.#zone = parts.zone;
  }

  fields(): readonly (readonly [string, GoValue])[] {
    return [];
  }

  override goString(): string {
    const offset = this.#zone === 'Z' ? '+0000' : this.#zone.replace(':', '');
    const name = this.#kind === 'offset' ? (this.#zone === 'Z' ? 'UTC' : offset) : this.#kind;
    return `${this.#date} ${this.#time} ${offset} ${name}`;
  }

  override toJson(): GoValue {
    return `${this.#date}T${this.#time}${this.#zone}`;
  }

  /** The date as TOML writes it. */
  toToml(): string {
    switch (this.#kind) {
      case 'offset':
        return `${this.#date}T${this.#time}${this.#zone}`;
      case 'datetime-local':
        return `${this.#date}T${this.#time}`;
      case 'date-local':
        return this.#date;
      default:
        return this.#time;
    }
  }
}

/** True for values that write themselves as TOML dates. */
export function isTimeObject(value: GoValue): value is TomlTime {
  return value instanceof TomlTime;
}

const DATE = /^(\d{4}-\d{2}-\d{2})(?:[Tt ](\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?)([Zz]|[+-]\d{2}:\d{2})?)?$/;
const CLOCK = /^\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?$/;

/** Reads a TOML date or time; undefined when it is none. Local ones count as UTC. */
export function parseTomlTime(text: string): TomlTime | undefined {
  const date = DATE.exec(text);
  if (date === null) {
    if (!CLOCK.test(text) || !isClock(text)) return undefined;
    return new TomlTime('time-local', { date: '0000-01-01', time: withSeconds(text), zone: 'Z' });
  }
  const [, day = '', time, zone] = date;
  if (!isDate(day) || (time !== undefined && !isClock(time))) return undefined;
  if (time === undefined) return new TomlTime('date-local', { date: day, time: '00:00:00', zone: 'Z' });
  const kind = zone === undefined ? 'datetime-local' : 'offset';
  const offset = zone === undefined || /^z$/i.test(zone) || zone === '+00:00' ? 'Z' : zone;
  return new TomlTime(kind, { date: day, time: withSeconds(time), zone: offset });
}

function withSeconds(time: string): string {
  return time.length === 5 ? `${time}:00` : time;
}

function isDate(text: string): boolean {
  const [year = 0, month = 0, day = 0] = text.split('-').map(Number);
  return month >= 1 && month <= 12 && day >= 1 && day <= new Date(Date.UTC(year, month, 0)).getUTCDate();
}

function isClock(text: string): boolean {
  const [hour = 0, minute = 0, second = 0] = text.split(':').map(Number);
  return hour < 24 && minute < 60 && second < 60;
}
