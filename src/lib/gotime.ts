// Owns Go's moments: time zones, calendar fields, and formatting by reference layouts (`2006-01-02T15:04:05Z07:00`).
// Parsing is gotime-parse.ts, durations are duration.ts; no clock here.

/** A place's offsets from UTC. */
export interface Zone {
  /** `UTC`, `Europe/Berlin`; '' for a bare offset. */
  readonly name: string;
  /** Offset in seconds east of UTC and abbreviation, at a moment in seconds since 1970. */
  readonly at: (seconds: number) => { readonly offset: number; readonly abbreviation: string };
}

/** A moment in a zone: seconds since 1970 UTC and nanoseconds 0…999999999. */
export interface Moment {
  readonly seconds: number;
  readonly nanoseconds: number;
  readonly zone: Zone;
}

/** A moment taken apart in its zone. */
export interface Civil {
  readonly year: number;
  /** 1…12 */
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  /** 0 is Sunday. */
  readonly weekday: number;
  /** 1…366 */
  readonly yearDay: number;
  readonly offset: number;
  readonly abbreviation: string;
}

export const UTC: Zone = { name: 'UTC', at: () => ({ offset: 0, abbreviation: 'UTC' }) };

/** Go's zero time: the first moment of the year 1. */
export const ZERO_TIME: Moment = { seconds: -62_135_596_800, nanoseconds: 0, zone: UTC };

/** A zone of fixed offset, as parsing `+02:00` gives. */
export function fixedZone(name: string, offset: number): Zone {
  return { name, at: () => ({ offset, abbreviation: name }) };
}

/** The zone of an IANA name, or undefined if there is none. '' and `UTC` are UTC. */
export function loadZone(name: string): Zone | undefined {
  if (name === '' || name === 'UTC') return UTC;
  // Offsets such as `+01:00` are zones to Intl but not to Go.
  if (!/^[A-Za-z]/.test(name) || name.includes('..')) return undefined;
  let format: Intl.DateTimeFormat;
  let names: Intl.DateTimeFormat;
  try {
    format = new Intl.DateTimeFormat('en-US', { timeZone: name, timeZoneName: 'longOffset' });
    names = new Intl.DateTimeFormat('en-US', { timeZone: name, timeZoneName: 'short' });
  } catch {
    return undefined;
  }
  const at = (seconds: number) => {
    const offset = readOffset(zoneName(format, seconds));
    return { offset, abbreviation: abbreviationOf(zoneName(names, seconds), name, offset) };
  };
  return { name, at };
}

function zoneName(format: Intl.DateTimeFormat, seconds: number): string {
  return format.formatToParts(seconds * 1000).find((part) => part.type === 'timeZoneName')?.value ?? 'GMT';
}

function readOffset(text: string): number {
  const match = /^GMT([+-])(\d{2}):(\d{2})(?::(\d{2}))?$/.exec(text);
  if (match === null) return 0;
  const size = Number(match[2]) * 3600 + Number(match[3]) * 60 + Number(match[4] ?? 0);
  return match[1] === '-' ? -size : size;
}

/** European abbreviations, which Intl spells as offsets in English. */
const ABBREVIATIONS: readonly (readonly [RegExp, Readonly<Record<number, string>>])[] = [
  [/^Europe\/(?:London|Belfast|Jersey|Guernsey|Isle_of_Man)$/, { 0: 'GMT', 3600: 'BST' }],
  [/^Europe\/Dublin$/, { 0: 'GMT', 3600: 'IST' }],
  [/^Europe\/Moscow$/, { 10800: 'MSK' }],
  [/^Europe\/(?:Lisbon)$|^Atlantic\/(?:Canary|Madeira|Faroe)$/, { 0: 'WET', 3600: 'WEST' }],
  [
    /^Europe\/(?:Athens|Bucharest|Helsinki|Kiev|Kyiv|Riga|Sofia|Tallinn|Vilnius|Mariehamn|Chisinau)$|^Asia\/Nicosia$/,
    { 7200: 'EET', 10800: 'EEST' },
  ],
  [
    /^Europe\/(?!Istanbul|Minsk|Samara|Volgograd|Saratov|Astrakhan|Ulyanovsk|Kirov|Kaliningrad|Simferopol)/,
    { 3600: 'CET', 7200: 'CEST' },
  ],
  [/^Asia\/Tokyo$|^Japan$/, { 32400: 'JST' }],
  [/^Asia\/Seoul$/, { 32400: 'KST' }],
  [/^Asia\/(?:Shanghai|Taipei|Macau)$|^PRC$/, { 28800: 'CST' }],
  [/^Asia\/Hong_Kong$/, { 28800: 'HKT' }],
  [/^Asia\/(?:Kolkata|Calcutta)$/, { 19800: 'IST' }],
  [/^Australia\/(?:Sydney|Melbourne|Hobart|Canberra)$/, { 36000: 'AEST', 39600: 'AEDT' }],
  [/^Australia\/Brisbane$/, { 36000: 'AEST' }],
  [/^Australia\/Perth$/, { 28800: 'AWST' }],
  [/^Pacific\/Auckland$/, { 43200: 'NZST', 46800: 'NZDT' }],
  [/^Africa\/(?:Johannesburg|Maseru|Mbabane)$/, { 7200: 'SAST' }],
  [/^Africa\/(?:Cairo)$/, { 7200: 'EET', 10800: 'EEST' }],
];

/** The tz database's abbreviation where it is known, else `+03` as newer zones have it. */
function abbreviationOf(shortName: string, zone: string, offset: number): string {
  for (const [pattern, names] of ABBREVIATIONS) {
    const name = pattern.test(zone) ? names[offset] : undefined;
    if (name !== undefined) return name;
  }
  // Offsets with seconds are local mean times, from before there were zones.
  if (offset % 60 !== 0) return 'LMT';
  if (/^[A-Z]{3,4}$/.test(shortName)) return shortName;
  const minutes = Math.abs(offset) / 60;
  const rest = minutes % 60 === 0 ? '' : pad(minutes % 60, 2);
  return `${offset < 0 ? '-' : '+'}${pad(Math.floor(minutes / 60), 2)}${rest}`;
}

/** The same moment seen in another zone. */
export function inZone(moment: Moment, zone: Zone): Moment {
  return { ...moment, zone };
}

/** A moment as year, month, day and so on in its zone. */
export function toCivil({ seconds, zone }: Moment): Civil {
  const { offset, abbreviation } = zone.at(seconds);
  const local = seconds + offset;
  const date = new Date(local * 1000);
  const year = date.getUTCFullYear();
  const days = Math.floor(local / 86_400);
  return {
    year,
    month: date.getUTCMonth() + 1,
    day: date.getUTCDate(),
    hour: date.getUTCHours(),
    minute: date.getUTCMinutes(),
    second: date.getUTCSeconds(),
    weekday: date.getUTCDay(),
    yearDay: days - Math.floor(utcSeconds(year, 1, 1) / 86_400) + 1,
    offset,
    abbreviation,
  };
}

/** Seconds since 1970 of midnight UTC; years below 100 are what they say. */
export function utcSeconds(year: number, month: number, day: number): number {
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  return date.getTime() / 1000;
}

/** English names, January first. */
export const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];
/** English names, Sunday first. */
export const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];

/** Name of a month, 1…12. */
export function monthName(month: number): string {
  return MONTHS[month - 1] ?? '';
}

/** Name of a weekday, 0 is Sunday. */
export function weekdayName(weekday: number): string {
  return DAYS[weekday] ?? '';
}

// ---- layouts ------------------------------------------------------------------------------------

/** One element of a layout: literal text, or a field by its reference spelling (fractions as `.000`, `,999`). */
export interface LayoutElement {
  readonly literal: string;
  readonly field: string;
}

/**
 * The fields in the order in which Go looks for them. `Jan` and `Mon` are fields even inside words, but `Month` is
 * `Mon` only because no lower case letter may follow `Jan`, `Mon` in their short form.
 */
const FIELD =
  /January|Jan(?![a-z])|Monday|Mon(?![a-z])|MST|002|01|02|03|04|05|06|2006|_2006|__2|_2|15|1|2|3|4|5|PM|pm|-070000|-07:00:00|-0700|-07:00|-07|Z070000|Z07:00:00|Z0700|Z07:00|Z07|[.,](?:0+|9+)(?![0-9])/g;

/** Splits a layout; the last element has no field. */
export function parseLayout(layout: string): LayoutElement[] {
  const elements: LayoutElement[] = [];
  let last = 0;
  for (const match of layout.matchAll(FIELD)) {
    let field = match[0];
    let at = match.index;
    // `_2006` is an underscore and a year.
    if (field === '_2006') {
      field = '2006';
      at++;
    }
    elements.push({ literal: layout.slice(last, at), field });
    last = at + field.length;
  }
  elements.push({ literal: layout.slice(last), field: '' });
  return elements;
}

/** Go's Time.Format. */
export function formatGoTime(moment: Moment, layout: string): string {
  const civil = toCivil(moment);
  let out = '';
  for (const { literal, field } of parseLayout(layout)) out += literal + formatField(field, civil, moment.nanoseconds);
  return out;
}

function formatField(field: string, civil: Civil, nanoseconds: number): string {
  switch (field) {
    case '':
      return '';
    case '2006':
      return civil.year < 0 ? `-${pad(-civil.year, 4)}` : pad(civil.year, 4);
    case '06':
      return pad(Math.abs(civil.year) % 100, 2);
    case 'January':
      return monthName(civil.month);
    case 'Jan':
      return monthName(civil.month).slice(0, 3);
    case '1':
      return String(civil.month);
    case '01':
      return pad(civil.month, 2);
    case 'Monday':
      return weekdayName(civil.weekday);
    case 'Mon':
      return weekdayName(civil.weekday).slice(0, 3);
    case '2':
      return String(civil.day);
    case '_2':
      return String(civil.day).padStart(2);
    case '02':
      return pad(civil.day, 2);
    case '__2':
      return String(civil.yearDay).padStart(3);
    case '002':
      return pad(civil.yearDay, 3);
    default:
      return formatClock(field, civil, nanoseconds);
  }
}

function formatClock(field: string, civil: Civil, nanoseconds: number): string {
  const hour12 = civil.hour % 12 === 0 ? 12 : civil.hour % 12;
  switch (field) {
    case '15':
      return pad(civil.hour, 2);
    case '3':
      return String(hour12);
    case '03':
      return pad(hour12, 2);
    case '4':
      return String(civil.minute);
    case '04':
      return pad(civil.minute, 2);
    case '5':
      return String(civil.second);
    case '05':
      return pad(civil.second, 2);
    case 'PM':
      return civil.hour >= 12 ? 'PM' : 'AM';
    case 'pm':
      return civil.hour >= 12 ? 'pm' : 'am';
    case 'MST':
      // A nameless zone shows its offset.
      return civil.abbreviation || formatOffset('-0700', civil.offset);
    default:
      return /^[.,]/.test(field) ? formatFraction(field, nanoseconds) : formatOffset(field, civil.offset);
  }
}

function formatFraction(field: string, nanoseconds: number): string {
  const digits = pad(nanoseconds, 9)
    .padEnd(field.length - 1, '0')
    .slice(0, field.length - 1);
  if (field[1] === '0') return field[0] + digits;
  const trimmed = digits.replace(/0+$/, '');
  return trimmed === '' ? '' : field[0] + trimmed;
}

function formatOffset(field: string, offset: number): string {
  if (field.startsWith('Z') && offset === 0) return 'Z';
  const size = Math.abs(offset);
  const separator = field.includes(':') ? ':' : '';
  const parts = [pad(Math.floor(size / 3600), 2)];
  const shape = field.replace(/[^0-9]/g, '').length;
  if (shape >= 4) parts.push(pad(Math.floor(size / 60) % 60, 2));
  if (shape >= 6) parts.push(pad(size % 60, 2));
  return (offset < 0 ? '-' : '+') + parts.join(separator);
}

function pad(value: number, width: number): string {
  return String(value).padStart(width, '0');
}

/** Go's Time.String(). */
export function goTimeString(moment: Moment): string {
  return formatGoTime(moment, '2006-01-02 15:04:05.999999999 -0700 MST');
}
