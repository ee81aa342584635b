// Owns the schedules of CronJobs: five fields or a name such as @hourly, in a time zone. Pure.

export interface CronSchedule {
  /** The first moment after `after` that the schedule names, both in milliseconds since 1970; undefined for never. */
  next(after: number): number | undefined;
}

interface Field {
  readonly values: ReadonlySet<number>;
  /** The field was `*` or `?`, alone or with a step. */
  readonly open: boolean;
}

const NAMES: Readonly<Record<string, string>> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
};
const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
/** A schedule that names no day within this time names none at all (31 February). */
const HORIZON_MS = 5 * 366 * DAY_MS;

/** Parses a schedule. Undefined when it or the zone is not understood. */
export function parseSchedule(text: string, zone = 'Etc/UTC'): CronSchedule | undefined {
  const words = (NAMES[text.trim()] ?? text).trim().split(/\s+/);
  if (words.length !== 5) return undefined;
  const [minute, hour, day, month, weekday] = [
    parseField(words[0], 0, 59),
    parseField(words[1], 0, 23),
    parseField(words[2], 1, 31),
    parseField(words[3], 1, 12, MONTHS, 1),
    parseField(words[4], 0, 6, DAYS, 0),
  ];
  if (!minute || !hour || !day || !month || !weekday) return undefined;
  const offset = zoneOffset(zone);
  if (offset === undefined) return undefined;
  const fitsDay = (date: Date) => {
    const [inMonth, inWeek] = [day.values.has(date.getUTCDate()), weekday.values.has(date.getUTCDay())];
    // With both days given, either will do; an open one leaves it to the other.
    return day.open || weekday.open ? inMonth && inWeek : inMonth || inWeek;
  };
  return { next: (after) => search(after, offset, { minute, hour, month, fitsDay }) };
}

function parseField(
  word = '',
  first: number,
  last: number,
  names: readonly string[] = [],
  base = 0,
): Field | undefined {
  const values = new Set<number>();
  let open = false;
  for (const part of word.split(',')) {
    const match = /^(\*|\?|\w+)(?:-(\w+))?(?:\/(\d+))?$/.exec(part);
    if (match === null) return undefined;
    const [, from = '', to, every] = match;
    const isOpen = from === '*' || from === '?';
    const start = isOpen ? first : numberOf(from, names, base);
    const end = isOpen || (to === undefined && every !== undefined) ? last : numberOf(to ?? from, names, base);
    const step = Number(every ?? 1);
    if (!(start >= first && end <= last && start <= end && step > 0) || (isOpen && to !== undefined)) return undefined;
    for (let value = start; value <= end; value += step) values.add(value);
    open ||= isOpen && step === 1;
  }
  return { values, open };
}

function numberOf(word: string, names: readonly string[], base: number): number {
  const named = names.indexOf(word.toLowerCase());
  if (named >= 0) return named + base;
  return /^\d+$/.test(word) ? Number(word) : Number.NaN;
}

interface Rules {
  readonly minute: Field;
  readonly hour: Field;
  readonly month: Field;
  fitsDay(date: Date): boolean;
}

/** Works on wall time written as if it were UTC, and steps over whole months, days and hours that do not fit. */
function search(after: number, offset: (at: number) => number, rules: Rules): number | undefined {
  let wall = Math.floor((after + offset(after)) / MINUTE_MS) * MINUTE_MS + MINUTE_MS;
  const horizon = wall + HORIZON_MS;
  while (wall < horizon) {
    const date = new Date(wall);
    if (!rules.month.values.has(date.getUTCMonth() + 1)) wall = Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1);
    else if (!rules.fitsDay(date)) wall = Math.floor(wall / DAY_MS) * DAY_MS + DAY_MS;
    else if (!rules.hour.values.has(date.getUTCHours())) wall = Math.floor(wall / HOUR_MS) * HOUR_MS + HOUR_MS;
    else if (!rules.minute.values.has(date.getUTCMinutes())) wall += MINUTE_MS;
    else {
      const at = wall - offset(wall - offset(wall));
      // A wall time that a change of the clocks skipped or repeats is passed over.
      if (at > after && at + offset(at) === wall) return at;
      wall += MINUTE_MS;
    }
  }
  return undefined;
}

/** How far a zone's wall time is ahead of UTC at a moment; undefined for an unknown zone. */
function zoneOffset(zone: string): ((at: number) => number) | undefined {
  if (zone === 'Etc/UTC' || zone === 'UTC') return () => 0;
  try {
    const fields = { year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric' } as const;
    const format = new Intl.DateTimeFormat('en-US', { timeZone: zone, hourCycle: 'h23', ...fields });
    return (at) => {
      const parts = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, Number(value)]));
      const { year = 0, month = 1, day = 1, hour = 0, minute = 0 } = parts;
      return Date.UTC(year, month - 1, day, hour, minute) - Math.floor(at / MINUTE_MS) * MINUTE_MS;
    };
  } catch {
    return undefined;
  }
}

/** Whether a time zone is known. */
export function isZone(zone: string): boolean {
  return zoneOffset(zone) !== undefined;
}

interface Bounds {
  readonly first: number;
  readonly last: number;
  readonly names?: readonly string[];
}

const BOUNDS: readonly Bounds[] = [
  { first: 0, last: 59 },
  { first: 0, last: 23 },
  { first: 1, last: 31 },
  { first: 1, last: 12, names: MONTHS },
  { first: 0, last: 6, names: DAYS },
];

/** What is wrong with a schedule, in the words of the parser that Kubernetes uses; undefined when nothing is. */
export function cronFault(text: string): string | undefined {
  const spec = text.trim();
  if (spec.startsWith('@')) {
    if (NAMES[spec] !== undefined || /^@every \S+$/.test(spec)) return undefined;
    return `unrecognized descriptor: ${spec}`;
  }
  const words = spec.split(/\s+/).filter((word) => word !== '');
  if (words.length !== 5) return `expected exactly 5 fields, found ${words.length}: [${words.join(' ')}]`;
  for (const [i, word] of words.entries()) {
    for (const part of word.split(',')) {
      const why = rangeFault(part, BOUNDS[i]!);
      if (why !== undefined) return why;
    }
  }
  return undefined;
}

function rangeFault(part: string, { first, last, names = [] }: Bounds): string | undefined {
  const [range = '', step, ...more] = part.split('/');
  const [low = '', high, ...others] = range.split('-');
  const isOpen = low === '*' || low === '?';
  const value = (word: string): number => {
    const named = names.indexOf(word.toLowerCase());
    if (named >= 0) return named + first;
    return /^\d+$/.test(word) ? Number(word) : Number.NaN;
  };
  if (others.length > 0) return `too many hyphens: ${part}`;
  const start = isOpen ? first : value(low);
  if (Number.isNaN(start)) return unreadable(low);
  const end = isOpen ? last : high === undefined ? (step === undefined ? start : last) : value(high);
  if (Number.isNaN(end)) return unreadable(high ?? '');
  if (more.length > 0) return `too many slashes: ${part}`;
  if (step !== undefined && !/^\d+$/.test(step)) return unreadable(step);
  if (start < first) return `beginning of range (${start}) below minimum (${first}): ${part}`;
  if (end > last) return `end of range (${end}) above maximum (${last}): ${part}`;
  if (start > end) return `beginning of range (${start}) beyond end of range (${end}): ${part}`;
  return step !== undefined && Number(step) === 0 ? `step of range should be a positive number: ${part}` : undefined;
}

function unreadable(word: string): string {
  const shown = JSON.stringify(word);
  return `failed to parse int from ${word}: strconv.Atoi: parsing ${shown}: invalid syntax`;
}
