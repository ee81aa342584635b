// Owns parsing times by Go's reference layouts, with Go's error texts.
import { CodedError } from './errors.ts';
import {
  DAYS,
  fixedZone,
  type LayoutElement,
  MONTHS,
  type Moment,
  parseLayout,
  UTC,
  utcSeconds,
  type Zone,
} from './gotime.ts';

/** A text that is not what its layout says; the message is Go's (`parsing time "x" as "2006": …`). */
export class TimeParseError extends CodedError<'InvalidTime', { readonly text: string; readonly layout: string }> {}

/** What parsing has found so far. */
interface Parsed {
  year: number;
  month: number;
  day: number;
  yearDay: number;
  hour: number;
  minute: number;
  second: number;
  nanoseconds: number;
  pm: boolean | undefined;
  offset: number | undefined;
  abbreviation: string;
}

/**
 * Go's ParseInLocation: a text without an offset is in `zone`. Throws TimeParseError.
 */
export function parseGoTime(layout: string, text: string, zone: Zone = UTC): Moment {
  return new TimeParser(layout, text, zone).parse();
}

class TimeParser {
  readonly #layout: string;
  readonly #text: string;
  readonly #zone: Zone;
  #rest: string;
  readonly #found: Parsed = {
    year: 0,
    month: 0,
    day: 0,
    yearDay: 0,
    hour: 0,
    minute: 0,
    second: 0,
    nanoseconds: 0,
    pm: undefined,
    offset: undefined,
    abbreviation: '',
  };

  constructor(layout: string, text: string, zone: Zone) {
    this.#layout = layout;
    this.#text = text;
    this.#zone = zone;
    this.#rest = text;
  }

  parse(): Moment {
    const elements = parseLayout(this.#layout);
    for (const [index, { literal, field }] of elements.entries()) {
      this.#skipLiteral(literal);
      if (field === '') {
        if (this.#rest !== '') this.#fail(`: extra text: ${quoteTime(this.#rest)}`);
        break;
      }
      const hold = this.#rest;
      if (!this.#field(field, elements[index + 1])) this.#cannotParse(hold, field);
    }
    return this.#toMoment();
  }

  #fail(detail: string): never {
    const { text, layout } = { text: this.#text, layout: this.#layout };
    const message = `parsing time ${quoteTime(text)}${detail}`;
    throw new TimeParseError('InvalidTime', message, { text, layout });
  }

  #cannotParse(rest: string, element: string): never {
    const layout = quoteTime(this.#layout);
    return this.#fail(` as ${layout}: cannot parse ${quoteTime(rest)} as ${quoteTime(element)}`);
  }

  #outOfRange(what: string): never {
    return this.#fail(`: ${what} out of range`);
  }

  /** A space in the layout matches any number of spaces. */
  #skipLiteral(literal: string): void {
    for (let at = 0; at < literal.length; at++) {
      if (literal[at] === ' ') {
        if (this.#rest !== '' && this.#rest[0] !== ' ') this.#cannotParse(this.#rest, literal);
        while (literal[at + 1] === ' ') at++;
        this.#rest = this.#rest.replace(/^ +/, '');
      } else if (this.#rest[0] === literal[at]) this.#rest = this.#rest.slice(1);
      else this.#cannotParse(this.#rest, literal);
    }
  }

  /** Takes a match off the front of the rest. */
  #take(pattern: RegExp): string | undefined {
    const match = pattern.exec(this.#rest);
    if (match === null) return undefined;
    this.#rest = this.#rest.slice(match[0].length);
    return match[0];
  }

  #number(pattern: RegExp, low: number, high: number, what: string): number | undefined {
    const digits = this.#take(pattern);
    if (digits === undefined) return undefined;
    const value = Number(digits);
    if (value < low || value > high) this.#outOfRange(what);
    return value;
  }

  #name(names: readonly string[]): number | undefined {
    const index = names.findIndex((name) => this.#rest.slice(0, name.length).toLowerCase() === name.toLowerCase());
    if (index < 0) return undefined;
    this.#rest = this.#rest.slice(names[index]!.length);
    return index;
  }

  #field(field: string, next: LayoutElement | undefined): boolean {
    switch (field) {
      case '2006':
        return this.#set('year', this.#number(/^\d{4}/, 0, 9999, 'year'));
      case '06': {
        // Go reads two characters as a number, sign included.
        const year = this.#number(/^(?:\d\d|[+-]\d)/, -9, 99, 'year');
        return this.#set('year', year === undefined ? undefined : year + (year >= 69 ? 1900 : 2000));
      }
      case '1':
      case '01':
        return this.#set('month', this.#number(field === '01' ? /^\d\d/ : /^\d\d?/, 1, 12, 'month'));
      case 'Jan':
      case 'January': {
        const index = this.#name(field === 'Jan' ? MONTHS.map((name) => name.slice(0, 3)) : MONTHS);
        return this.#set('month', index === undefined ? undefined : index + 1);
      }
      case 'Mon':
        return this.#name(DAYS.map((name) => name.slice(0, 3))) !== undefined;
      case 'Monday':
        return this.#name(DAYS) !== undefined;
      case '2':
      case '_2':
      case '02':
        if (field === '_2') this.#take(/^ /);
        return this.#set('day', this.#number(field === '02' ? /^\d\d/ : /^\d\d?/, 0, 99, 'day'));
      case '__2':
      case '002':
        if (field === '__2') this.#take(/^ {1,2}/);
        return this.#set('yearDay', this.#number(field === '002' ? /^\d{3}/ : /^\d{1,3}/, 0, 999, 'day-of-year'));
      default:
        return this.#clockField(field, next);
    }
  }

  #clockField(field: string, next: LayoutElement | undefined): boolean {
    switch (field) {
      case '15':
        return this.#set('hour', this.#number(/^\d\d?/, 0, 23, 'hour'));
      case '3':
      case '03':
        return this.#set('hour', this.#number(field === '03' ? /^\d\d/ : /^\d\d?/, 0, 12, 'hour'));
      case '4':
      case '04':
        return this.#set('minute', this.#number(field === '04' ? /^\d\d/ : /^\d\d?/, 0, 59, 'minute'));
      case '5':
      case '05':
        if (!this.#set('second', this.#number(field === '05' ? /^\d\d/ : /^\d\d?/, 0, 59, 'second'))) return false;
        // A fraction is taken even if the layout has none.
        if (!/^[.,]/.test(next?.literal === '' ? next.field : '')) this.#fraction(/^[.,]\d+/);
        return true;
      case 'PM':
      case 'pm': {
        const half = this.#take(field === 'PM' ? /^[AP]M/ : /^[ap]m/);
        if (half === undefined) return false;
        this.#found.pm = half.toLowerCase() === 'pm';
        return true;
      }
      case 'MST':
        return this.#abbreviation();
      default:
        return /^[.,]/.test(field) ? this.#fractionField(field) : this.#offset(field);
    }
  }

  #set(key: 'year' | 'month' | 'day' | 'yearDay' | 'hour' | 'minute' | 'second', value: number | undefined): boolean {
    if (value === undefined) return false;
    this.#found[key] = value;
    return true;
  }

  #fraction(pattern: RegExp): boolean {
    const digits = this.#take(pattern);
    if (digits === undefined) return false;
    this.#found.nanoseconds = Number(digits.slice(1).padEnd(9, '0').slice(0, 9));
    return true;
  }

  #fractionField(field: string): boolean {
    if (field[1] === '0') return this.#fraction(new RegExp(`^[.,]\\d{${field.length - 1}}`));
    this.#fraction(/^[.,]\d+/);
    return true;
  }

  #offset(field: string): boolean {
    if (field.startsWith('Z') && this.#take(/^Z/) !== undefined) {
      this.#found.offset = 0;
      this.#found.abbreviation = 'UTC';
      return true;
    }
    const shape = field.slice(1).replace(/\d\d/g, '(\\d\\d)');
    const match = new RegExp(`^([+-])${shape}`).exec(this.#rest);
    if (match === null) return false;
    this.#rest = this.#rest.slice(match[0].length);
    const [hours = 0, minutes = 0, seconds = 0] = match.slice(2).map(Number);
    if (hours > 24) this.#outOfRange('time zone offset hour');
    if (minutes > 60) this.#outOfRange('time zone offset minute');
    if (seconds > 60) this.#outOfRange('time zone offset second');
    const size = hours * 3600 + minutes * 60 + seconds;
    this.#found.offset = match[1] === '-' ? -size : size;
    return true;
  }

  #abbreviation(): boolean {
    const name = this.#take(/^(?:UTC|GMT[+-]\d{1,2}|ChST|MeST|[+-]\d\d(?:\d\d)?|[A-Z]{3,5})/);
    if (name === undefined) return false;
    this.#found.abbreviation = name;
    if (name === 'UTC') this.#found.offset = 0;
    return true;
  }

  #toMoment(): Moment {
    const found = this.#found;
    const { month, day } = this.#date();
    let { hour } = found;
    if (found.pm === true && hour < 12) hour += 12;
    else if (found.pm === false && hour === 12) hour = 0;
    const local = utcSeconds(found.year, month, day) + hour * 3600 + found.minute * 60 + found.second;
    const { nanoseconds } = found;
    if (found.offset !== undefined) {
      const seconds = local - found.offset;
      return { seconds, nanoseconds, zone: this.#zoneOfOffset(seconds, found.offset) };
    }
    if (found.abbreviation !== '') return { ...this.#inAbbreviation(local), nanoseconds };
    return { seconds: localToSeconds(local, this.#zone), nanoseconds, zone: this.#zone };
  }

  #date(): { month: number; day: number } {
    const { year, yearDay } = this.#found;
    let { month, day } = this.#found;
    if (yearDay > 0 || this.#layoutHas('002', '__2')) {
      if (yearDay < 1 || yearDay > (isLeap(year) ? 366 : 365)) this.#outOfRange('day-of-year');
      const date = new Date(utcSeconds(year, 1, yearDay) * 1000);
      if (month > 0 && month !== date.getUTCMonth() + 1) this.#fail(': day-of-year does not match month');
      if (day > 0 && day !== date.getUTCDate()) this.#fail(': day-of-year does not match day');
      return { month: date.getUTCMonth() + 1, day: date.getUTCDate() };
    }
    month ||= 1;
    if (day === 0 && !this.#layoutHas('2', '_2', '02')) day = 1;
    const last = new Date(Date.UTC(isLeap(year) ? 2000 : 2001, month, 0)).getUTCDate();
    if (day < 1 || day > last) this.#outOfRange('day');
    return { month, day };
  }

  #layoutHas(...fields: string[]): boolean {
    return parseLayout(this.#layout).some(({ field }) => fields.includes(field));
  }

  /** The zone asked for if it has that offset at that moment, else a nameless one. */
  #zoneOfOffset(seconds: number, offset: number): Zone {
    const { abbreviation } = this.#found;
    const here = this.#zone.at(seconds);
    if (here.offset === offset && (abbreviation === '' || here.abbreviation === abbreviation)) return this.#zone;
    return abbreviation === 'UTC' ? UTC : fixedZone(abbreviation, offset);
  }

  /** An abbreviation that the zone does not know is taken as it is, with offset zero (but `GMT+3`). */
  #inAbbreviation(local: number): { seconds: number; zone: Zone } {
    const { abbreviation } = this.#found;
    const seconds = localToSeconds(local, this.#zone);
    if (this.#zone.at(seconds).abbreviation === abbreviation) return { seconds, zone: this.#zone };
    const offset = /^GMT[+-]/.test(abbreviation) ? Number(abbreviation.slice(3)) * 3600 : 0;
    return { seconds: local - offset, zone: fixedZone(abbreviation, offset) };
  }
}

/** Seconds of a local time: the offset is looked up at the time itself, and again with that offset. */
function localToSeconds(local: number, zone: Zone): number {
  const first = local - zone.at(local).offset;
  return local - zone.at(first).offset;
}

function isLeap(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
}

/** Go's quoting of times and layouts: all that is not printable ASCII by its bytes (raw bytes are U+DC80…U+DCFF). */
function quoteTime(text: string): string {
  let out = '';
  for (const rune of text) {
    const point = rune.codePointAt(0)!;
    if (rune === '"' || rune === '\\') out += `\\${rune}`;
    else if (point >= 0x20 && point < 0x80) out += rune;
    else for (const byte of bytesOf(rune, point)) out += `\\x${byte.toString(16).padStart(2, '0')}`;
  }
  return `"${out}"`;
}

function bytesOf(rune: string, point: number): Iterable<number> {
  return point >= 0xdc80 && point <= 0xdcff ? [point - 0xdc00] : Buffer.from(rune);
}
