// Owns JSON text as Go's encoding/json writes it: keys in byte order, `<`, `>`, `&` and line separators escaped, and
// numbers that went through a double in Go's form.
import { isJsonObject, type JsonValue } from '../../../lib/json.ts';
import { compareText } from './resid.ts';

const ESCAPED = /[<>&\u2028\u2029]/g;

function quote(text: string): string {
  return JSON.stringify(text).replace(ESCAPED, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/**
 * The JSON text of a value.
 * @param indent spaces per level; none means one line without spaces.
 */
export function stringifyGoJson(value: JsonValue, indent = ''): string {
  return write(value, indent, '');
}

function write(value: JsonValue, indent: string, margin: string): string {
  if (value === null) return 'null';
  switch (typeof value) {
    case 'string':
      return quote(value);
    case 'number':
      // Both languages take the exponent form below 1e-6 and from 1e21 on.
      return Object.is(value, -0) ? '-0' : String(value);
    case 'boolean':
    case 'bigint':
      return String(value);
    default:
      return writeCollection(value as readonly JsonValue[], indent, margin);
  }
}

function writeCollection(value: JsonValue, indent: string, margin: string): string {
  const inner = margin + indent;
  const isMap = isJsonObject(value);
  const colon = indent === '' ? ':' : ': ';
  const items = isMap
    ? Object.keys(value)
        .sort(compareText)
        .map((key) => `${quote(key)}${colon}${write(value[key]!, indent, inner)}`)
    : (value as readonly JsonValue[]).map((item) => write(item, indent, inner));
  const [open, close] = isMap ? ['{', '}'] : ['[', ']'];
  if (items.length === 0) return open + close;
  if (indent === '') return open + items.join(',') + close;
  return `${open}\n${items.map((item) => inner + item).join(',\n')}\n${margin}${close}`;
}
