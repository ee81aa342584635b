// Owns `text.format([…])`: the placeholders of cel-go's string formatting.
import { formatFloat } from '../../gotemplate/strconv.ts';
import { failed } from '../errors.ts';
import { checkSize, type Spend } from '../operators.ts';
import {
  type CelList,
  type CelValue,
  Duration,
  isList,
  isMap,
  numericOf,
  Timestamp,
  TypeValue,
  Uint,
} from '../value.ts';
import { formatDurationText, formatTimestamp } from './time.ts';

/** Replaces `%s %d %f %e %b %x %X %o %%`. Throws CelError for a placeholder that does not fit its argument. */
export function formatText(text: string, args: CelList, spend: Spend): string {
  let next = 0;
  let size = text.length;
  const out = text.replace(/%(?:\.(\d{1,3}))?(.?)/gsu, (_match, precision: string | undefined, verb: string) => {
    if (verb === '%') return '%';
    const value = args[next];
    if (value === undefined) throw failed(`index ${next} out of range`);
    next++;
    const piece = formatValue(verb, value, precision === undefined ? undefined : Number(precision));
    size += piece.length;
    checkSize(size);
    return piece;
  });
  spend(size / 16);
  return out;
}

function formatValue(verb: string, value: CelValue, precision: number | undefined): string {
  const number = numericOf(value);
  switch (verb) {
    case 's':
      return plain(value);
    case 'd':
      if (typeof number === 'bigint') return String(number);
      break;
    case 'f':
      if (number !== undefined) return formatFloat(Number(number), 'f', precision ?? 6);
      break;
    case 'e':
      if (number !== undefined) return formatFloat(Number(number), 'e', precision ?? 6);
      break;
    case 'b':
      if (typeof value === 'boolean') return value ? '1' : '0';
      if (typeof number === 'bigint') return number.toString(2);
      break;
    case 'o':
      if (typeof number === 'bigint') return number.toString(8);
      break;
    case 'x':
    case 'X': {
      const text = hexadecimal(value, number);
      if (text !== undefined) return verb === 'X' ? text.toUpperCase() : text;
      break;
    }
    default:
      throw failed(`could not parse formatting clause: unrecognized formatting clause "${verb}"`);
  }
  throw failed(`error during formatting: "%${verb}" does not take this type`);
}

function hexadecimal(value: CelValue, number: bigint | number | undefined): string | undefined {
  if (typeof number === 'bigint') return number.toString(16);
  if (typeof value === 'string') return Buffer.from(value).toString('hex');
  return value instanceof Uint8Array ? Buffer.from(value).toString('hex') : undefined;
}

/** The form of `%s`. */
function plain(value: CelValue): string {
  if (typeof value === 'string') return value;
  if (value === null) return 'null';
  if (typeof value === 'boolean' || typeof value === 'bigint') return String(value);
  if (typeof value === 'number') return formatFloat(value, 'g', -1);
  if (value instanceof Uint) return String(value.value);
  if (value instanceof Uint8Array) return Buffer.from(value).toString('utf8');
  if (value instanceof Timestamp) return formatTimestamp(value);
  if (value instanceof Duration) return formatDurationText(value);
  if (value instanceof TypeValue) return value.name;
  if (isList(value)) return `[${value.map(plain).join(', ')}]`;
  if (isMap(value)) {
    const entries = [...value].map(([key, item]) => `${plain(key)}: ${plain(item)}`);
    return `{${entries.sort().join(', ')}}`;
  }
  if ('key' in value) return value.key;
  throw failed(
    'error during formatting: string clause can only be used on strings, bools, bytes, ints, doubles, maps, lists, types, durations, and timestamps',
  );
}
