// Owns filling in defaults: those that a schema carries, and for built-in kinds those that Kubernetes keeps in code,
// which stand in the table below by type. Pure.
import { cloneObject, getKey, isRecord, setKey } from '../object.ts';
import { BUILTIN_DEFAULTS, type DefaultRule } from './default-rules.ts';
import type { MapShape, SchemaNode } from './node.ts';

const withDefault = new WeakMap<MapShape, readonly (readonly [string, SchemaNode])[]>();

/** Fields of a type that have a default of their own. */
function defaultedFields(map: MapShape): readonly (readonly [string, SchemaNode])[] {
  let fields = withDefault.get(map);
  if (fields === undefined) {
    fields = [...map.fields].filter(([, node]) => node.default !== undefined && fitsType(node));
    withDefault.set(map, fields);
  }
  return fields;
}

/** OpenAPI gives `{}` as the default of every Go struct, also of those that are strings in JSON (times). */
function fitsType(node: SchemaNode): boolean {
  return !isRecord(node.default) || node.type === 'object' || (node.type === '' && node.definition === '');
}

/** Sets the schema's defaults below a value that may be changed. */
export function applySchemaDefaults(node: SchemaNode, value: unknown): void {
  if (Array.isArray(value)) {
    const items = node.list?.items;
    if (items) for (const item of value) applySchemaDefaults(items, item);
    return;
  }
  if (!isRecord(value) || node.map === undefined) return;
  const map = node.map;
  for (const [key, field] of defaultedFields(map)) {
    const present = getKey(value, key);
    if (present === undefined || (present === null && field.raw['nullable'] !== true))
      setKey(value, key, cloneObject(field.default));
  }
  for (const key of Object.keys(value)) {
    const child = map.fields.get(key) ?? map.values;
    const item = getKey(value, key);
    if (child && typeof item === 'object') applySchemaDefaults(child, item);
  }
}

/** Sets the defaults that Kubernetes keeps in code below a value of a built-in kind that may be changed. */
export function applyBuiltinDefaults(node: SchemaNode, value: unknown): void {
  if (Array.isArray(value)) {
    const items = node.list?.items;
    if (items) for (const item of value) applyBuiltinDefaults(items, item);
    return;
  }
  if (!isRecord(value) || node.map === undefined) return;
  const rules = BUILTIN_DEFAULTS[node.definition];
  if (rules) for (const rule of rules) applyRule(rule, value);
  for (const key of Object.keys(value)) {
    const child = node.map.fields.get(key) ?? node.map.values;
    const item = getKey(value, key);
    if (child && typeof item === 'object' && item !== null) applyBuiltinDefaults(child, item);
  }
}

function applyRule(rule: DefaultRule, target: Record<string, unknown>): void {
  if (rule.when && !rule.when(target)) return;
  rule.also?.(target);
  for (const [path, value] of Object.entries(rule.set)) {
    const steps = path.split('.');
    const last = steps.pop()!;
    let holder: Record<string, unknown> = target;
    for (const step of steps) {
      let next = getKey(holder, step);
      if (next === undefined || next === null) setKey(holder, step, (next = {}));
      if (!isRecord(next)) return;
      holder = next;
    }
    if (holder[last] !== undefined && holder[last] !== null) continue;
    const made = typeof value === 'function' ? value(target) : cloneObject(value);
    if (made !== undefined) holder[last] = made;
  }
}

const EMPTY_VALUES = new Set<unknown>(['', 0, false]);

/**
 * An object of a kind with nothing set, as Go's zero value shows in JSON. New objects are compared with it, so that
 * fields nobody set have no owner.
 */
export function zeroValue(node: SchemaNode): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  if (node.map === undefined) return out;
  for (const [key, field] of defaultedFields(node.map)) {
    if (isRecord(field.default)) {
      if (Object.keys(field.default).length === 0) out[key] = zeroValue(field);
    } else if (EMPTY_VALUES.has(field.default)) out[key] = field.default;
  }
  return out;
}
