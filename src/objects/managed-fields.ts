// Owns the reading and merging of metadata.managedFields. What is done with them is plan/.
import type { ManagedFieldsEntry } from '../api/meta/object.ts';
import { isJsonObject, type JsonObject } from '../lib/json.ts';

/** The FieldsV1 tree of an entry; empty when there is no entry. */
export function fieldsOf(entry: ManagedFieldsEntry | undefined): JsonObject {
  return (entry?.fieldsV1 ?? {}) as JsonObject;
}

/** Union of two FieldsV1 trees (`{"f:spec": {"f:replicas": {}}}`); the inputs are not changed. */
export function unionFields(a: JsonObject, b: JsonObject): JsonObject {
  const result: JsonObject = { ...a };
  for (const [key, value] of Object.entries(b)) {
    const own = result[key];
    result[key] = isJsonObject(own) && isJsonObject(value) ? unionFields(own, value) : (own ?? value);
  }
  return result;
}

/** True when every field of `part` is in `whole`. */
export function containsFields(whole: JsonObject, part: JsonObject): boolean {
  for (const [key, value] of Object.entries(part)) {
    if (!Object.hasOwn(whole, key)) return false;
    const other = whole[key];
    if (isJsonObject(value) && isJsonObject(other) && !containsFields(other, value)) return false;
  }
  return true;
}

/** What two FieldsV1 trees have in common; undefined when that is no field. That an item exists (`.`) is none. */
export function commonFields(a: JsonObject, b: JsonObject): JsonObject | undefined {
  const common: [string, JsonObject][] = [];
  for (const [key, value] of Object.entries(a)) {
    const other = key !== '.' && Object.hasOwn(b, key) ? b[key] : undefined;
    if (!isJsonObject(value) || !isJsonObject(other)) continue;
    const isLeaf = Object.keys(value).length === 0 || Object.keys(other).length === 0;
    const below = isLeaf ? {} : commonFields(value, other);
    if (below !== undefined) common.push([key, below]);
  }
  // fromEntries makes own properties of names such as `__proto__`, which an assignment would not.
  return common.length === 0 ? undefined : Object.fromEntries(common);
}

/** Paths of `part` that `whole` lacks, such as `.spec.replicas` or `.metadata.labels.app`; leaves only. */
export function missingFields(whole: JsonObject, part: JsonObject, prefix = ''): string[] {
  return Object.entries(part).flatMap(([key, value]) => {
    if (key === '.') return [];
    const path = prefix + formatFieldKey(key);
    const other = Object.hasOwn(whole, key) ? whole[key] : undefined;
    if (other === undefined) return leafPaths(value, path);
    return isJsonObject(value) && isJsonObject(other) ? missingFields(other, value, path) : [];
  });
}

function leafPaths(value: unknown, path: string): string[] {
  if (!isJsonObject(value)) return [path];
  const inner = Object.entries(value).filter(([key]) => key !== '.');
  return inner.length === 0 ? [path] : inner.flatMap(([key, item]) => leafPaths(item, path + formatFieldKey(key)));
}

/** All leaf paths of a FieldsV1 tree. */
export function fieldPaths(fields: JsonObject): string[] {
  return missingFields({}, fields);
}

/** `f:name` → `.name`; `k:{"name":"web"}` → `[name="web"]`; `v:"x"` → `["x"]`. */
function formatFieldKey(key: string): string {
  const text = key.slice(2);
  if (key.startsWith('f:')) return /^[\w-]+$/.test(text) ? `.${text}` : `[${JSON.stringify(text)}]`;
  if (key.startsWith('k:')) return `[${text.replace(/^\{|\}$/g, '').replaceAll(/"([\w-]+)":/g, '$1=')}]`;
  return `[${text}]`;
}

/** The Apply entry of a manager for the object itself (no subresource), or undefined. */
export function applyEntryOf(entries: readonly ManagedFieldsEntry[], manager: string): ManagedFieldsEntry | undefined {
  return entries.find(
    (entry) => entry.manager === manager && entry.operation === 'Apply' && (entry.subresource ?? '') === '',
  );
}
