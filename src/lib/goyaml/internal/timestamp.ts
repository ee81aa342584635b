// Owns the timestamps that go-yaml knows, as Go's time.Parse reads them and RFC 3339 writes them.

const TIMESTAMP =
  /^(\d{4})-(\d{1,2})-(\d{1,2})(?:(?:[Tt](\d{1,2}):(\d{1,2}):(\d{1,2})(?:[.,](\d+))?(?:Z|([+-])(\d\d):(\d\d)))|(?: +(\d{1,2}):(\d{1,2}):(\d{1,2})(?:[.,](\d+))?))?$/;
const DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** The timestamp in RFC 3339 with its own zone and the fraction it needs; undefined if the text is none. */
export function parseTimestamp(text: string): string | undefined {
  if (text.charCodeAt(4) !== 45) return undefined;
  const match = TIMESTAMP.exec(text);
  if (match === null) return undefined;
  const year = Number(match[1]);
  const month = Number(match[2]);
  const day = Number(match[3]);
  if (month < 1 || month > 12 || day < 1 || day > daysIn(month, year)) return undefined;
  const hour = Number(match[4] ?? match[11] ?? 0);
  const minute = Number(match[5] ?? match[12] ?? 0);
  const second = Number(match[6] ?? match[13] ?? 0);
  if (hour > 23 || minute > 59 || second > 59) return undefined;
  const zone = formatZone(match[8], Number(match[9] ?? 0), Number(match[10] ?? 0));
  if (zone === undefined) return undefined;
  const fraction = (match[7] ?? match[14] ?? '').slice(0, 9).replace(/0+$/, '');
  const time = `${pad(hour)}:${pad(minute)}:${pad(second)}${fraction === '' ? '' : `.${fraction}`}`;
  return `${match[1]}-${pad(month)}-${pad(day)}T${time}${zone}`;
}

function daysIn(month: number, year: number): number {
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return month === 2 && leap ? 29 : DAYS[month - 1]!;
}

function formatZone(sign: string | undefined, hours: number, minutes: number): string | undefined {
  if (hours > 24 || minutes > 60) return undefined;
  const total = hours * 60 + minutes;
  if (sign === undefined || total === 0) return 'Z';
  return `${sign}${pad(Math.floor(total / 60))}:${pad(total % 60)}`;
}

function pad(value: number): string {
  return value < 10 ? `0${value}` : String(value);
}
