// Owns writing Go values as JSON text on one line, as Go's Marshal does: maps by key, structs in declaration order.
// It writes text, not objects, because JavaScript objects put keys that look like integers first.
import { GoObject, type GoValue, listItems, sortedKeys, TypedMap } from '../../lang/gotemplate/value.ts';
import { toJson } from '../../lang/gotemplate/value-json.ts';
import { formatGoJson } from '../../lib/gojson.ts';

/** Values nested deeper than this cannot come from YAML or JSON. */
const MAX_DEPTH = 10_000;

/** Throws GoError for numbers that JSON does not have. */
export function formatJsonText(value: GoValue, depth = 0): string {
  if (depth > MAX_DEPTH) throw new RangeError('json: value is nested too deep');
  if (value instanceof TypedMap && value.isNil) return 'null';
  if (value instanceof Map)
    return formatEntries(
      sortedKeys(value).map((key) => [key, value.get(key)]),
      depth,
    );
  if (value instanceof GoObject) {
    const fields = value.toJson();
    const isStruct = fields instanceof Map && !(fields instanceof TypedMap);
    return isStruct ? formatEntries([...fields], depth) : formatJsonText(fields, depth + 1);
  }
  const items = value instanceof Uint8Array ? undefined : listItems(value);
  // Nil lists are null, which the plain way knows.
  if (items === undefined || items.length === 0) return formatGoJson(toJson(value));
  return `[${items.map((item) => formatJsonText(item, depth + 1)).join(',')}]`;
}

function formatEntries(entries: readonly (readonly [string, GoValue])[], depth: number): string {
  return `{${entries.map(([key, item]) => `${formatGoJson(key)}:${formatJsonText(item, depth + 1)}`).join(',')}}`;
}
