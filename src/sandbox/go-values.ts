// Owns how Go prints values and names their types, for messages that show them. Pure.
import { isRecord } from './object.ts';

/** A value as Go's `%v` prints it: `map[image:x]`. */
export function formatGoMap(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(formatGoMap).join(' ')}]`;
  if (!isRecord(value)) return value === null ? '<nil>' : String(value);
  const parts = Object.keys(value)
    .sort()
    .map((key) => `${key}:${formatGoMap(value[key])}`);
  return `map[${parts.join(' ')}]`;
}

/** A value as Go's `%#v` prints it: `map[string]interface {}{"image":"x"}`. */
export function formatGoSyntax(value: unknown): string {
  if (value === null) return 'interface {}(nil)';
  if (typeof value === 'string') return JSON.stringify(value);
  if (Array.isArray(value)) return `[]interface {}{${value.map(formatGoSyntax).join(', ')}}`;
  if (!isRecord(value)) return String(value);
  const parts = Object.keys(value)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${formatGoSyntax(value[key])}`);
  return `map[string]interface {}{${parts.join(', ')}}`;
}

/** The type that Go's decoder gives a JSON value, as `%T` prints it. */
export function goTypeOf(value: unknown): string {
  if (value === null) return '<nil>';
  if (Array.isArray(value)) return '[]interface {}';
  if (typeof value === 'object') return 'map[string]interface {}';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'string') return 'string';
  return typeof value === 'bigint' || Number.isInteger(value) ? 'int64' : 'float64';
}
