// Owns reading a request's object against its schema, as Go's decoder does for built-in kinds (unknown fields dropped
// and reported, wrong types refused) and as structural pruning does for custom ones. Pure.
import { getKey, isRecord, setKey } from '../object.ts';
import type { SchemaNode } from './node.ts';
import { canonicalQuantity } from './quantity.ts';

/** What decoding found besides the value. */
export interface DecodeReport {
  /** Paths of fields that the schema does not have, `spec.containers[0].foo`. */
  readonly unknown: string[];
}

/** A value that cannot be read into the kind's type; the message is Go's. */
export class DecodeError extends Error {
  /** The words for the same fault where the value came out of a strategic merge patch. */
  readonly restored: string | undefined;

  constructor(message: string, restored?: string) {
    super(message);
    this.restored = restored;
  }
}

/** The value of a built-in kind without unknown fields and nulls. Throws DecodeError on a wrong type. */
export function decodeBuiltin(node: SchemaNode, value: unknown, report: DecodeReport): unknown {
  return decodeValue(node, value, { at: '', field: '', owner: '' }, report);
}

const NOT_BASE64 = /[^A-Za-z0-9+/=\r\n]/;

function checkBase64(text: string): void {
  const at = text.search(NOT_BASE64);
  const plain = text.replace(/[\r\n]/g, '');
  if (at < 0 && plain.length % 4 === 0 && /^[^=]*={0,2}$/.test(plain)) return;
  const message = `illegal base64 data at input byte ${at < 0 ? Math.max(0, plain.search(/=|$/)) : at}`;
  throw new DecodeError(message, `error decoding from json: ${message}`);
}

interface Place {
  /** Path with indexes, for unknown fields. */
  readonly at: string;
  /** Go's path: struct fields only. */
  readonly field: string;
  /** Name of the struct that the field is in. */
  readonly owner: string;
}

function decodeValue(node: SchemaNode, value: unknown, place: Place, report: DecodeReport): unknown {
  if (value === null || value === undefined) return value;
  switch (node.type) {
    case 'object':
      if (!isRecord(value)) throw mismatch(node, value, place);
      return decodeObject(node, value, place, report);
    case 'array':
      if (!Array.isArray(value)) throw mismatch(node, value, place);
      return value.map((item, i) => decodeValue(node.list!.items, item, { ...place, at: `${place.at}[${i}]` }, report));
    case 'string':
      if (typeof value !== 'string') throw mismatch(node, value, place);
      if (node.raw['format'] === 'byte') checkBase64(value);
      return value;
    case 'boolean':
      if (typeof value !== 'boolean') throw mismatch(node, value, place);
      return value;
    case 'integer':
      if (typeof value !== 'bigint' && !Number.isInteger(value)) throw mismatch(node, value, place);
      return value;
    case 'number':
      if (typeof value !== 'bigint' && typeof value !== 'number') throw mismatch(node, value, place);
      return value;
    default:
      return decodeOpen(node, value, place);
  }
}

/** Types that accept more than one JSON type: quantities and int-or-string; anything else is kept as it is. */
function decodeOpen(node: SchemaNode, value: unknown, place: Place): unknown {
  if (node.typeName === 'Quantity') {
    if (typeof value === 'object' || typeof value === 'boolean') throw mismatch(node, value, place);
    const canonical = canonicalQuantity(String(value));
    if (canonical === undefined) throw mismatch(node, value, place);
    return canonical;
  }
  const fits = typeof value === 'string' || typeof value === 'bigint' || Number.isInteger(value);
  if (node.typeName === 'IntOrString' && !fits) throw mismatch(node, value, place);
  return value;
}

function decodeObject(
  node: SchemaNode,
  value: Record<string, unknown>,
  place: Place,
  report: DecodeReport,
): Record<string, unknown> {
  const map = node.map!;
  const out: Record<string, unknown> = {};
  for (const key of Object.keys(value)) {
    const item = getKey(value, key);
    const field = map.fields.get(key);
    const at = place.at === '' ? key : `${place.at}.${key}`;
    if (field !== undefined) {
      if (item === null) continue;
      const inner = { at, field: place.field === '' ? key : `${place.field}.${key}`, owner: node.typeName };
      setKey(out, key, decodeValue(field, item, inner, report));
    } else if (map.values !== undefined) {
      // A map of texts has no place for null: Go puts the empty one there.
      const value = item === null && map.values.type === 'string' ? '' : item;
      setKey(out, key, decodeValue(map.values, value, { ...place, at }, report));
    } else report.unknown.push(at);
  }
  return out;
}

function mismatch(node: SchemaNode, value: unknown, place: Place): DecodeError {
  const got = jsonTypeName(value);
  const shown = got === 'number' && !Number.isInteger(value) ? `number ${String(value)}` : got;
  if (node.typeName === 'Quantity') {
    return new DecodeError(
      "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
    );
  }
  const restored = restoreFault(node, value);
  if (place.owner === '')
    return new DecodeError(`json: cannot unmarshal ${shown} into Go value of type ${goTypeName(node)}`, restored);
  return new DecodeError(
    `json: cannot unmarshal ${shown} into Go struct field ${place.owner}.${place.field} of type ${goTypeName(node)}`,
    restored,
  );
}

function restoreFault(node: SchemaNode, value: unknown): string {
  const kind = goKind(value);
  if (node.type === 'array') return `cannot restore slice from ${kind}`;
  if (node.type === 'object') {
    return node.map!.fields.size > 0 ? `cannot restore struct from: ${kind}` : `cannot restore map from ${kind}`;
  }
  const type = goTypeName(node);
  const converts = type === 'string' ? kind === 'int64' : kind === 'float64' && type.startsWith('int');
  return converts ? `cannot convert ${kind} to ${type}` : `unrecognized type: ${type}`;
}

function goKind(value: unknown): string {
  if (Array.isArray(value)) return 'slice';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'bigint' || Number.isInteger(value)) return 'int64';
  if (typeof value === 'number') return 'float64';
  return typeof value === 'string' ? 'string' : 'map';
}

function jsonTypeName(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'bigint') return 'number';
  return typeof value;
}

/** The Go type behind a schema: `int32`, `[]v1.Container`, `map[string]string`. */
function goTypeName(node: SchemaNode): string {
  switch (node.type) {
    case 'integer':
      return node.raw['format'] === 'int64' ? 'int64' : 'int32';
    case 'number':
      return 'float64';
    case 'boolean':
      return 'bool';
    case 'array':
      return `[]${goTypeName(node.list!.items)}`;
    case 'object':
      if (node.definition === '')
        return node.map?.values ? `map[string]${goTypeName(node.map.values)}` : 'map[string]interface {}';
      return qualifiedType(node.definition);
    case 'string':
      return node.definition === '' ? 'string' : qualifiedType(node.definition);
    default:
      // Whatever is no text is read as a number.
      if (node.typeName === 'IntOrString') return 'int32';
      return node.definition === '' ? 'interface {}' : qualifiedType(node.definition);
  }
}

/** `io.k8s.api.core.v1.PodSpec` → `v1.PodSpec`. */
function qualifiedType(definition: string): string {
  return definition.split('.').slice(-2).join('.');
}

/** The value of a custom resource without fields that its schema does not specify. */
export function pruneCustom(node: SchemaNode, value: unknown, report: DecodeReport, at = ''): unknown {
  if (Array.isArray(value)) {
    const items = node.list?.items;
    if (items === undefined || node.type !== 'array') return value;
    return value.map((item, i) => pruneCustom(items, item, report, `${at}[${i}]`));
  }
  if (!isRecord(value)) return value;
  const map = node.map;
  if (map === undefined || node.type === '') return value;
  const embedded = node.raw['x-kubernetes-embedded-resource'] === true;
  const declared = map.fields.size > 0 || node.raw['properties'] !== undefined;
  const open = isRecord(node.raw['additionalProperties']) || node.raw['additionalProperties'] === true;
  const out: Record<string, unknown> = {};
  for (const key of Object.keys(value)) {
    const item = getKey(value, key);
    const path = at === '' ? key : `${at}.${key}`;
    const field = map.fields.get(key);
    if (field !== undefined) setKey(out, key, pruneCustom(field, item, report, path));
    else if (open) setKey(out, key, map.values ? pruneCustom(map.values, item, report, path) : item);
    else if (node.preserveUnknown || (embedded && ['apiVersion', 'kind', 'metadata'].includes(key)))
      setKey(out, key, item);
    else if (!declared && node.raw['type'] === undefined) setKey(out, key, item);
    else report.unknown.push(path);
  }
  return out;
}
