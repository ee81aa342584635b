// Owns reading protobuf request bodies: typed clients (kubectl create among them) send built-in kinds so. Answers are
// always JSON. Field numbers come from schema/go-types.ts, types from the OpenAPI schema.
import { isRecord, setKey } from '../object.ts';
import { goType } from '../schema/go-types.ts';
import type { SchemaNode } from '../schema/node.ts';
import { badRequest, unrecognized } from './errors.ts';

const MAGIC = [0x6b, 0x38, 0x73, 0x00];
const MAX_DEPTH = 100;

type Scalar = number | bigint | Uint8Array;

interface WireField {
  readonly number: number;
  readonly wire: number;
  readonly value: Scalar;
}

/** The envelope of every protobuf body: the kind, and the message of that kind. */
export interface Envelope {
  readonly apiVersion: string;
  readonly kind: string;
  readonly raw: Uint8Array;
}

/** Whether bytes begin as protobuf bodies of Kubernetes do. */
export function isProtobuf(bytes: Uint8Array): boolean {
  return MAGIC.every((byte, i) => bytes[i] === byte);
}

/** Opens a body that begins so. Throws ApiError 400 when it is malformed. */
export function openEnvelope(bytes: Uint8Array): Envelope {
  let apiVersion = '';
  let kind = '';
  let raw: Uint8Array = new Uint8Array();
  for (const { number, value } of readFields(bytes.subarray(4))) {
    if (!(value instanceof Uint8Array)) continue;
    if (number === 2) raw = value;
    if (number !== 1) continue;
    for (const field of readFields(value)) {
      if (field.number === 1) apiVersion = text(field.value);
      if (field.number === 2) kind = text(field.value);
    }
  }
  return { apiVersion, kind, raw };
}

/** Decodes a message of a built-in type into the value that its JSON would give. Throws ApiError 400. */
export function decodeMessage(node: SchemaNode, bytes: Uint8Array, depth = 0): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  decodeInto(out, { node, definition: node.definition }, bytes, depth);
  return out;
}

function decodeInto(
  out: Record<string, unknown>,
  message: { node: SchemaNode; definition: string },
  bytes: Uint8Array,
  depth: number,
): void {
  if (depth > MAX_DEPTH) throw malformed('message nests too deep');
  const type = goType(message.definition);
  if (type === undefined) throw malformed(`no protobuf form is known of ${message.definition}`);
  for (const field of readFields(bytes)) {
    const inlined = type.inlined.get(field.number);
    if (inlined !== undefined && field.value instanceof Uint8Array) {
      decodeInto(out, { node: message.node, definition: inlined }, field.value, depth + 1);
      continue;
    }
    const known = type.byNumber.get(field.number);
    const node = known && message.node.map?.fields.get(known.name);
    if (known === undefined || node === undefined) continue;
    addField(out, known.name, node, field, depth + 1);
  }
}

/** Sets, appends or adds to a map, as the field's schema wants. */
function addField(out: Record<string, unknown>, name: string, node: SchemaNode, field: WireField, depth: number): void {
  if (node.type === 'array') {
    const list = (out[name] ??= []) as unknown[];
    list.push(...decodeItems(node.list!.items, field, depth));
    return;
  }
  const values = node.map?.values;
  if (node.type === 'object' && node.definition === '' && values && field.value instanceof Uint8Array) {
    const map = (out[name] ??= {}) as Record<string, unknown>;
    let key = '';
    let value: unknown = values.type === 'string' ? '' : {};
    for (const part of readFields(field.value)) {
      if (part.number === 1) key = text(part.value);
      if (part.number === 2) value = decodeValue(values, part, depth + 1);
    }
    setKey(map, key, value);
    return;
  }
  const value = decodeValue(node, field, depth);
  if (value !== undefined) out[name] = value;
}

function decodeItems(items: SchemaNode, field: WireField, depth: number): unknown[] {
  // Numbers may come packed into one length-delimited field.
  if ((items.type === 'integer' || items.type === 'boolean') && field.value instanceof Uint8Array) {
    const out: unknown[] = [];
    const reader = { bytes: field.value, at: 0 };
    while (reader.at < reader.bytes.length) out.push(signed(readVarint(reader)));
    return out;
  }
  return [decodeValue(items, field, depth)];
}

function decodeValue(node: SchemaNode, field: WireField, depth: number): unknown {
  const { value } = field;
  const special = SPECIAL[node.typeName];
  if (special && value instanceof Uint8Array) return special([...readFields(value)]);
  switch (node.type) {
    case 'string':
      return node.raw['format'] === 'byte' ? Buffer.from(asBytes(value)).toString('base64') : text(value);
    case 'integer':
      return signed(asBig(value));
    case 'boolean':
      return asBig(value) !== 0n;
    case 'number':
      return new DataView(asBytes(value).slice().buffer).getFloat64(0, true);
    case 'object':
      return decodeMessage(node, asBytes(value), depth + 1);
    default:
      return rawJson([...readFields(asBytes(value))]);
  }
}

const field = (fields: readonly WireField[], number: number): Scalar | undefined =>
  fields.find((item) => item.number === number)?.value;

function instant(fields: readonly WireField[], digits: 0 | 6): string | undefined {
  const seconds = Number(signed(asBig(field(fields, 1) ?? 0n)));
  const nanos = Number(signed(asBig(field(fields, 2) ?? 0n)));
  if (seconds === 0 && nanos === 0) return undefined;
  const whole = new Date(seconds * 1000).toISOString().slice(0, 19);
  return digits === 0 ? `${whole}Z` : `${whole}.${String(Math.floor(nanos / 1000)).padStart(6, '0')}Z`;
}

function rawJson(fields: readonly WireField[]): unknown {
  const raw = field(fields, 1);
  return raw instanceof Uint8Array && raw.length > 0 ? JSON.parse(text(raw)) : undefined;
}

/** Types whose JSON differs from their message. */
const SPECIAL: Readonly<Record<string, (fields: readonly WireField[]) => unknown>> = {
  Quantity: (fields) => text(field(fields, 1) ?? new Uint8Array()),
  IntOrString: (fields) =>
    asBig(field(fields, 1) ?? 0n) === 0n
      ? signed(asBig(field(fields, 2) ?? 0n))
      : text(field(fields, 3) ?? new Uint8Array()),
  Time: (fields) => instant(fields, 0),
  MicroTime: (fields) => instant(fields, 6),
  RawExtension: rawJson,
  FieldsV1: rawJson,
  JSON: rawJson,
};

interface Reader {
  readonly bytes: Uint8Array;
  at: number;
}

function* readFields(bytes: Uint8Array): Generator<WireField> {
  const reader: Reader = { bytes, at: 0 };
  while (reader.at < bytes.length) {
    const tag = Number(readVarint(reader));
    yield { number: tag >>> 3, wire: tag & 7, value: readValue(reader, tag & 7) };
  }
}

function readValue(reader: Reader, wire: number): Scalar {
  switch (wire) {
    case 0:
      return readVarint(reader);
    case 1:
      return take(reader, 8);
    case 2:
      return take(reader, Number(readVarint(reader)));
    case 5:
      return take(reader, 4);
    default:
      throw malformed(`proto: illegal wireType ${wire}`);
  }
}

function take(reader: Reader, length: number): Uint8Array {
  const end = reader.at + length;
  if (!(end <= reader.bytes.length)) throw malformed('unexpected EOF');
  const part = reader.bytes.subarray(reader.at, end);
  reader.at = end;
  return part;
}

function readVarint(reader: Reader): bigint {
  let result = 0n;
  for (let shift = 0n; shift < 70n; shift += 7n) {
    const byte = reader.bytes[reader.at++];
    if (byte === undefined) throw malformed('unexpected EOF');
    result |= BigInt(byte & 0x7f) << shift;
    if (byte < 0x80) return result;
  }
  throw malformed('proto: integer overflow');
}

function signed(value: bigint): number | bigint {
  const exact = BigInt.asIntN(64, value);
  const plain = Number(exact);
  return Number.isSafeInteger(plain) ? plain : exact;
}

function asBig(value: Scalar): bigint {
  if (value instanceof Uint8Array) throw malformed('proto: wrong wireType');
  return BigInt(value);
}

function asBytes(value: Scalar): Uint8Array {
  if (!(value instanceof Uint8Array)) throw malformed('proto: wrong wireType');
  return value;
}

function text(value: Scalar): string {
  return Buffer.from(asBytes(value)).toString('utf8');
}

/** Bytes that are no protobuf of their definition. */
class MalformedProtobuf extends Error {}

function malformed(why: string): Error {
  return new MalformedProtobuf(why);
}

type FindSchema = (apiVersion: string, kind: string) => SchemaNode | undefined;

/** A protobuf body of a known definition as the object its JSON would be. Throws ApiError 400. */
export function decodeBody(bytes: Uint8Array, wanted: string, find: FindSchema): Record<string, unknown> {
  try {
    return decode(bytes, wanted, find);
  } catch (error) {
    if (error instanceof MalformedProtobuf) throw unrecognized(wanted, error.message, bytes);
    throw error;
  }
}

function decode(bytes: Uint8Array, wanted: string, find: FindSchema): Record<string, unknown> {
  const { apiVersion, kind, raw } = openEnvelope(bytes);
  const node = find(apiVersion, kind);
  if (node === undefined) {
    const version = JSON.stringify(apiVersion.slice(apiVersion.indexOf('/') + 1));
    const why = `no kind ${JSON.stringify(kind)} is registered for version ${JSON.stringify(apiVersion)} in scheme "pkg/runtime/scheme.go:111"`;
    throw badRequest(`${kind} in version ${version} cannot be handled as a ${wanted}: ${why}`);
  }
  const body = decodeMessage(node, raw);
  return isRecord(body) ? { apiVersion, kind, ...body } : {};
}
