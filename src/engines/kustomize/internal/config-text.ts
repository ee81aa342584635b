// Owns the YAML that errors show of a built-in step's configuration: what the reference's structs look like with their
// empty parts left out.
import type { JsonObject, JsonValue } from '../../../lib/json.ts';
import { setOwn, writeYamlValue } from './yaml.ts';

/** The configuration as YAML. Empty texts, lists, maps, zeroes and `false` are left out, empty structs are not. */
export function formatGoConfig(config: object): string {
  return writeYamlValue(toJson(config));
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === '' || value === false || value === 0n) return true;
  if (Array.isArray(value)) return value.length === 0;
  return value instanceof Map && value.size === 0;
}

function toJson(value: unknown): JsonValue {
  if (Array.isArray(value)) return value.map(toJson);
  if (typeof value !== 'object' || value === null) return value as JsonValue;
  const result: JsonObject = {};
  const entries = value instanceof Map ? [...(value as Map<string, unknown>)] : Object.entries(value);
  for (const [key, item] of entries) {
    if (value instanceof Map || !isEmpty(item)) setOwn(result, key, toJson(item));
  }
  return result;
}
