// Owns reading one JSON value at the start of a longer text, as Go's json.Decoder does for --set-json.
import type { GoValue } from '../../../lang/gotemplate/value.ts';
import { fromJson } from '../../../lang/gotemplate/value-json.ts';
import type { JsonValue } from '../../../lib/json.ts';

const SCALAR = /(?:-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?(?![.eE])|true|false|null)/y;
const STRING = /"(?:[^"\\]|\\.)*"/sy;
const MAX_DEPTH = 1000;

/** The value that the text starts with and how many UTF-16 units it takes. Throws SyntaxError or RangeError. */
export function parseGoJson(text: string): { readonly value: GoValue; readonly length: number } {
  const length = valueLength(text);
  const value = fromJson(JSON.parse(text.slice(0, length)) as JsonValue);
  return { value: checkRange(value), length };
}

function valueLength(text: string): number {
  const opener = text[0];
  if (opener !== '{' && opener !== '[') return matchLength(opener === '"' ? STRING : SCALAR, text, 0);
  let depth = 0;
  for (let at = 0; at < text.length; ) {
    const character = text[at]!;
    if (character === '"') {
      at += matchLength(STRING, text, at);
      continue;
    }
    at++;
    if (character === '{' || character === '[') {
      if (++depth > MAX_DEPTH) throw new SyntaxError('exceeded max depth');
    } else if ((character === '}' || character === ']') && --depth === 0) return at;
  }
  throw new SyntaxError('unexpected end of JSON input');
}

function matchLength(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at;
  const match = pattern.exec(text);
  if (match === null) throw new SyntaxError('invalid JSON value');
  return match[0].length;
}

function checkRange(value: GoValue): GoValue {
  if (typeof value === 'number' && !Number.isFinite(value)) throw new RangeError('number out of range');
  if (Array.isArray(value)) value.forEach(checkRange);
  else if (value instanceof Map) for (const item of value.values()) checkRange(item);
  return value;
}
