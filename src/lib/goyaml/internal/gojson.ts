// Owns JSON as Go's encoding/json writes it: sorted keys, and `<>&` escaped.
import { isJsonObject, type JsonValue, stringifyJson } from '../../json.ts';

const ESCAPED: Readonly<Record<string, string>> = {
  '<': '\\u003c',
  '>': '\\u003e',
  '&': '\\u0026',
  '\u2028': '\\u2028',
  '\u2029': '\\u2029',
};

/** A value as Go's Marshal writes it, on one line. Without recursion, so that depth costs no call stack. */
export function formatGoJson(value: JsonValue): string {
  let out = '';
  // A string in the list is text as it is, a value stands in an array of one.
  const todo: (string | [JsonValue])[] = [[value]];
  for (let item = todo.pop(); item !== undefined; item = todo.pop()) {
    if (typeof item === 'string') out += item;
    else if (typeof item[0] === 'object' && item[0] !== null) todo.push(...collectionPieces(item[0]).reverse());
    else out += formatScalar(item[0]);
  }
  return out;
}

function formatScalar(value: Exclude<JsonValue, object> | null): string {
  if (typeof value !== 'string') return stringifyJson(value);
  return JSON.stringify(value.toWellFormed()).replace(/[<>&\u2028\u2029]/g, (char) => ESCAPED[char]!);
}

function collectionPieces(value: JsonValue): (string | [JsonValue])[] {
  const pieces: (string | [JsonValue])[] = [];
  if (isJsonObject(value)) {
    const keys = Object.keys(value).sort();
    for (const key of keys) pieces.push(`${pieces.length === 0 ? '' : ','}${formatScalar(key)}:`, [value[key]!]);
    return ['{', ...pieces, '}'];
  }
  for (const child of value as readonly JsonValue[]) {
    if (pieces.length > 0) pieces.push(',');
    pieces.push([child]);
  }
  return ['[', ...pieces, ']'];
}
