// Owns what Go's struct tags say of built-in types: protobuf numbers, and which empty fields JSON leaves out. The data is
// go-types.generated.json (test/generate/go-types.ts); this file reads it and tidies objects as a round trip through Go would.
import { readFileSync } from 'node:fs';
import { getKey, isRecord, setKey } from '../object.ts';
import type { SchemaNode } from './node.ts';

export interface GoField {
  readonly name: string;
  /** Protobuf field number; 0 when the field has none. */
  readonly number: number;
  readonly pointer: boolean;
  readonly omitEmpty: boolean;
  readonly omitZero: boolean;
  /** A list, map or bytes: nil shows as null when it is not left out. */
  readonly nilable: boolean;
}

export interface GoType {
  /** Fields by JSON name, those of inlined structs among them. */
  readonly fields: ReadonlyMap<string, GoField>;
  readonly byNumber: ReadonlyMap<number, GoField>;
  /** Inlined structs that are messages of their own in protobuf: number → definition. */
  readonly inlined: ReadonlyMap<number, string>;
}

let data: Readonly<Record<string, string>> | undefined;
const parsed = new Map<string, GoType | undefined>();

/** What is known of a type by its definition's name (`io.k8s.api.apps.v1.DeploymentSpec`). */
export function goType(definition: string): GoType | undefined {
  if (parsed.has(definition)) return parsed.get(definition);
  data ??= (
    JSON.parse(readFileSync(new URL('./go-types.generated.json', import.meta.url), 'utf8')) as {
      types: Record<string, string>;
    }
  ).types;
  const text = data[definition];
  const type = text === undefined ? undefined : parseType(text);
  parsed.set(definition, type);
  return type;
}

function parseType(text: string): GoType {
  const fields = new Map<string, GoField>();
  const byNumber = new Map<number, GoField>();
  const inlined = new Map<number, string>();
  for (const part of text.split(' ')) {
    const [name = '', rest = ''] = part.split('=');
    const [, digits = '', flags = ''] = /^(\d*)(.*)$/.exec(rest) ?? [];
    const number = Number(digits || '0');
    if (name.startsWith('@')) {
      inlined.set(number, name.slice(1));
      for (const [key, field] of goType(name.slice(1))?.fields ?? []) fields.set(key, field);
      continue;
    }
    const has = (flag: string): boolean => flags.includes(flag);
    const field = { name, number, pointer: has('p'), omitEmpty: has('o'), omitZero: has('z'), nilable: has('n') };
    fields.set(name, field);
    if (number > 0) byNumber.set(number, field);
  }
  return { fields, byNumber, inlined };
}

/** True for what Go's `omitempty` leaves out of a field of this type. */
function isEmpty(field: GoField, node: SchemaNode, value: unknown): boolean {
  if (field.pointer) return false;
  if (value === '' || value === 0 || value === false) return true;
  if (Array.isArray(value)) return value.length === 0;
  if (!isRecord(value) || Object.keys(value).length > 0) return false;
  return field.nilable || (field.omitZero && node.type === 'object');
}

/** Drops fields that Go would leave out. Changes the value, which must belong to the caller. */
export function dropEmpty(node: SchemaNode, value: unknown): void {
  visitStructs(node, value, (type, struct, fields) => {
    for (const key of Object.keys(struct)) {
      const field = type.fields.get(key);
      const child = fields.get(key);
      if (field && child && (field.omitEmpty || field.omitZero) && isEmpty(field, child, getKey(struct, key)))
        delete struct[key];
    }
  });
}

/** Times that are structs in Go: never left out by omitempty, null when unset. */
const TIMES: ReadonlySet<string> = new Set(['Time', 'MicroTime']);

/** Writes null where Go would: lists, maps and pointers that are nil and not left out. Changes the value. */
export function fillNil(node: SchemaNode, value: unknown): void {
  visitStructs(node, value, (type, struct, fields) => {
    for (const field of type.fields.values()) {
      const time = !field.pointer && !field.omitZero && TIMES.has(fields.get(field.name)?.typeName ?? '');
      if (!time && (field.omitEmpty || field.omitZero || !(field.nilable || field.pointer))) continue;
      if (getKey(struct, field.name) === undefined) setKey(struct, field.name, null);
    }
  });
}

type Visit = (type: GoType, struct: Record<string, unknown>, fields: ReadonlyMap<string, SchemaNode>) => void;

/** Calls `visit` for every struct of a known type, inner ones first. */
function visitStructs(node: SchemaNode, value: unknown, visit: Visit): void {
  if (typeof value !== 'object' || value === null) return;
  if (Array.isArray(value)) {
    const items = node.list?.items;
    if (items && items.type !== 'string') for (const item of value) visitStructs(items, item, visit);
    return;
  }
  const map = node.map;
  if (map === undefined || !isRecord(value)) return;
  for (const key of Object.keys(value)) {
    const child = map.fields.get(key) ?? map.values;
    if (child) visitStructs(child, getKey(value, key), visit);
  }
  const type = node.definition === '' ? undefined : goType(node.definition);
  if (type) visit(type, value, map.fields);
}
