// Owns turning a request body into an object of its kind: type checks, unknown fields, defaults, and the rules of
// metadata. What is then done with it is mutate.ts.

import { stringifyJson } from '../../lib/json.ts';
import type { Core, WriteRequest } from '../core.ts';
import { cloneObject, isRecord, type KubeObject, sortKeys } from '../object.ts';
import { apiVersionOf, parseApiVersion } from '../registry.ts';
import { DecodeError, decodeBuiltin, pruneCustom } from '../schema/decode.ts';
import { applyBuiltinDefaults, applySchemaDefaults, zeroValue } from '../schema/defaults.ts';
import { dropEmpty, fillNil } from '../schema/go-types.ts';
import type { SchemaNode } from '../schema/node.ts';
import { ApiError, badRequest, formatType, invalid, invalidFault, unrecognized } from './errors.ts';

const META = 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta';

/** What a decoding fault is about besides its message. */
interface FaultContext {
  /** The message where the value came out of a strategic merge patch. */
  readonly restored?: string | undefined;
  /** The type that the body says it has. */
  readonly given?: { readonly version: string; readonly kind: string };
  /** The body, where it does not say what it is. */
  readonly untyped?: Readonly<Record<string, unknown>>;
}

/** How a decoding fault reaches the client: POST and PUT answer 400, patches name the patch. */
export type DecodeFault = (message: string, context?: FaultContext) => Error;

/** The fault of a body that does not decode. */
export function bodyFault(write: WriteRequest): DecodeFault {
  const { resource, version } = write;
  return (message, { given = { version: version.name, kind: resource.kind }, untyped } = {}) => {
    if (untyped) return untypedFault(write, message, untyped);
    return badRequest(
      `${given.kind} in version ${JSON.stringify(given.version)} cannot be handled as a ${resource.kind}: ${message}`,
    );
  };
}

/** A body without a kind is not recognized, one without a version has none that fits. */
function untypedFault(
  { resource, version }: WriteRequest,
  message: string,
  body: Readonly<Record<string, unknown>>,
): Error {
  if (!body['kind']) return unrecognized(resource.kind, message, stringifyJson(body));
  const wanted = apiVersionOf(resource.group, version.name);
  return badRequest(`the API version in the data () does not match the expected API version (${wanted})`);
}

/** The fault of an applied configuration that fits its schema and yet does not decode. */
export function appliedFault({ metadata, ...type }: KubeObject): DecodeFault {
  return (message, { restored = message } = {}) => {
    const name = formatType(type);
    const into = `unable to convert unstructured object to ${name}`;
    const subject = `(${metadata.namespace ?? ''}/${metadata.name}; ${name})`;
    return new ApiError(500, '', `failed to convert new object ${subject} to proper version: ${into}: ${restored}`);
  };
}

/**
 * Reads an object of the request's kind. The result may be changed by the caller.
 * Throws ApiError 400 when it is of another kind or does not decode.
 */
export function decodeObject(core: Core, write: WriteRequest, given: unknown, fault: DecodeFault): KubeObject {
  // Go reads null as a value with nothing set.
  const body = given ?? {};
  if (!isRecord(body)) {
    const got = Array.isArray(body) ? 'array' : typeof body;
    const target =
      'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }';
    const hex = Buffer.from(JSON.stringify(body)).toString('hex');
    throw badRequest(
      `the object provided is unrecognized (must be of type ${write.resource.kind}): couldn't get version/kind; json parse error: json: cannot unmarshal ${got} into Go value of type ${target} (${hex})`,
    );
  }
  assertKind(core, write, body, fault);
  const unknown: string[] = [];
  let object: KubeObject;
  try {
    object = (
      write.resource.custom
        ? decodeCustom(core, write, body, unknown)
        : decodeBuiltin(write.version.schema, body, { unknown })
    ) as KubeObject;
  } catch (error) {
    if (error instanceof DecodeError) throw fault(error.message, { restored: error.restored });
    throw error;
  }
  reportUnknown(write, write.resource.custom ? unknown.sort() : unknown, fault);
  if (!write.resource.custom) dropEmpty(write.version.schema, object);
  else dropEmpty(core.builtins.schema(META), object.metadata);
  const apiVersion = apiVersionOf(write.resource.group, write.version.name);
  const { apiVersion: _, kind: __, metadata, ...rest } = object;
  return { apiVersion, kind: write.resource.kind, metadata: metadata ?? { name: '' }, ...rest };
}

function assertKind(core: Core, write: WriteRequest, body: Record<string, unknown>, fault: DecodeFault): void {
  const { resource, version } = write;
  const given = body['apiVersion'];
  const wanted = apiVersionOf(resource.group, version.name);
  if (given !== undefined && typeof given !== 'string')
    throw badRequest(
      "couldn't get version/kind; json parse error: json: cannot unmarshal into Go struct field .apiVersion of type string",
    );
  const kind = body['kind'];
  const otherVersion = typeof given === 'string' && given !== '' && given !== wanted;
  const otherKind = typeof kind === 'string' && kind !== '' && kind !== resource.kind;
  if (resource.custom && otherVersion) {
    throw badRequest(`the API version in the data (${given}) does not match the expected API version (${wanted})`);
  }
  if (resource.custom && otherKind && given !== undefined) throw wrongCustomKind(write, kind, body['metadata']);
  if (otherVersion || otherKind) {
    const type = { apiVersion: String(given || wanted), kind: String(kind || resource.kind) };
    throw wrongKind(core, write, type, fault);
  }
  if (resource.custom && (given === undefined || kind === undefined)) {
    const missing = kind === undefined ? 'Kind' : 'apiVersion';
    throw fault(`Object '${missing}' is missing in '${stringifyJson(sortKeys(body))}'`, { untyped: body });
  }
}

function wrongCustomKind({ resource }: WriteRequest, kind: string, metadata: unknown): Error {
  const name = isRecord(metadata) && typeof metadata['name'] === 'string' ? metadata['name'] : '';
  return invalid({ group: resource.group, kind }, name, [invalidFault('kind', kind, `must be ${resource.kind}`)]);
}

/** The fault of a body that is of another kind than its endpoint, in Go's words. */
function wrongKind(
  core: Core,
  { resource, version: expected }: WriteRequest,
  given: { apiVersion: string; kind: string },
  fault: DecodeFault,
): Error {
  const { group, version } = parseApiVersion(given.apiVersion);
  if (given.kind === resource.kind && group === resource.group && resource.versions.has(version)) {
    const wanted = apiVersionOf(resource.group, expected.name);
    return badRequest(
      `the API version in the data (${given.apiVersion}) does not match the expected API version (${wanted})`,
    );
  }
  const known = core.registry.findKind(group, given.kind)?.versions.has(version) === true;
  const why = known
    ? `converting (${version}.${given.kind}) to (${resource.group || 'core'}.${resource.kind}): unknown conversion`
    : `no kind ${JSON.stringify(given.kind)} is registered for version ${JSON.stringify(given.apiVersion)} in scheme "pkg/runtime/scheme.go:111"`;
  return fault(why, { given: { version, kind: given.kind } });
}

function decodeCustom(
  core: Core,
  write: WriteRequest,
  body: Record<string, unknown>,
  unknown: string[],
): Record<string, unknown> {
  const metadata = decodeBuiltin(core.builtins.schema(META), body['metadata'] ?? {}, {
    unknown: prefixed(unknown, 'metadata'),
  });
  const pruned = pruneCustom(write.version.schema, { ...body, metadata: {} }, { unknown }) as Record<string, unknown>;
  return { ...pruned, metadata };
}

/** A list that puts a prefix before what is pushed. */
function prefixed(list: string[], prefix: string): string[] {
  const proxy: string[] = [];
  proxy.push = (...items) => list.push(...items.map((item) => `${prefix}.${item}`));
  return proxy;
}

function reportUnknown(write: WriteRequest, unknown: readonly string[], fault: DecodeFault): void {
  if (write.fieldValidation === 'Ignore') return;
  const repeated = write.repeated ?? { faults: [], joined: '' };
  const messages = unknown.map((path) => `unknown field ${JSON.stringify(path)}`);
  if (messages.length === 0 && repeated.faults.length === 0) return;
  if (write.fieldValidation === 'Strict') {
    const told = repeated.joined === '' ? messages : [repeated.joined, ...messages];
    throw fault(`strict decoding error: ${told.join(', ')}`);
  }
  write.warnings.push(...repeated.faults, ...messages);
}

/** Sets defaults of the version's schema and, for built-in kinds, those that live in code. Changes the object. */
export function defaultObject(write: WriteRequest, object: KubeObject): void {
  if (!write.resource.custom) applyBuiltinDefaults(write.version.schema, object);
  applySchemaDefaults(write.version.schema, object);
  if (write.resource.custom) return;
  applyBuiltinDefaults(write.version.schema, object);
  fillNil(write.version.schema, object);
}

const zeros = new WeakMap<SchemaNode, KubeObject>();

/** An object of the kind with nothing set; shared, not to be changed. */
export function zeroObject(write: WriteRequest): KubeObject {
  const { resource, version } = write;
  let zero = zeros.get(version.schema);
  if (zero === undefined) {
    const body = resource.custom ? {} : zeroValue(version.schema);
    if (!resource.custom) fillNil(version.schema, body);
    zero = {
      ...body,
      apiVersion: apiVersionOf(resource.group, version.name),
      kind: resource.kind,
      metadata: { name: '' },
    };
    zeros.set(version.schema, zero);
  }
  return zero;
}

/** A status as a new object of the kind has it; undefined when the kind has none by default. */
export function initialStatus(write: WriteRequest): unknown {
  if (write.resource.custom) {
    // What a client sent is dropped; what the schema says of an absent status is not.
    const empty = cloneObject({ ...zeroObject(write) });
    defaultObject(write, empty);
    return empty['status'];
  }
  const blank = cloneObject({ ...zeroObject(write) });
  applyBuiltinDefaults(write.version.schema, blank);
  return blank['status'];
}
