// Owns reading request bodies: JSON, YAML and protobuf into values, with the API server's words for what is malformed.
import { parseGoJson } from '../../lib/gojson.ts';
import { YamlError } from '../../lib/goyaml/error.ts';
import { fromYaml } from '../../lib/goyaml/sigs.ts';
import { parseJson } from '../../lib/json.ts';
import type { Core } from '../core.ts';
import { isRecord } from '../object.ts';
import { parseApiVersion, type Resource } from '../registry.ts';
import type { SchemaNode } from '../schema/node.ts';
import type { ApiRequest } from './answer.ts';
import { duplicateKeys } from './duplicates.ts';
import { badRequest, unrecognized, unsupportedMediaType } from './errors.ts';
import { decodeBody, isProtobuf } from './protobuf.ts';

const PROTOBUF = 'application/vnd.kubernetes.protobuf';
const BODY_TYPES = ['application/json', 'application/yaml'];

/** The body as an object, from JSON, YAML or protobuf. Throws ApiError 400 or 415. */
export function readBody(core: Core, request: ApiRequest): unknown {
  const type = mediaType(request);
  if (type !== '' && type !== '*/*' && type !== PROTOBUF && !BODY_TYPES.includes(type))
    throw unsupportedMediaType([...BODY_TYPES, PROTOBUF]);
  const kind = kindOf(request);
  if (type === PROTOBUF) {
    if (!isProtobuf(request.bytes))
      throw unrecognized(kind, request.body === '' ? 'empty data' : NO_PROTOBUF, request.bytes);
    return decodeBody(request.bytes, kind, (apiVersion, name) => builtinSchema(core, apiVersion, name));
  }
  const isYaml = type === 'application/yaml';
  // Go reads null, and an empty YAML, as an object with nothing set.
  const value = (isYaml ? readYamlBody(request, kind) : readJson(request.body, kind)) ?? {};
  const problem = typeProblem(value);
  if (problem !== undefined) throw unrecognized(kind, problem, request.bytes);
  return value;
}

const NO_PROTOBUF = 'provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]';
const TYPE_META =
  'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }';

/** Why a body does not say what it is; undefined when it does, or leaves it open. */
function typeProblem(value: unknown): string | undefined {
  const unreadable = (found: unknown, target: string): string =>
    `couldn't get version/kind; json parse error: json: cannot unmarshal ${goKind(found)} into Go ${target}`;
  if (!isRecord(value)) return unreadable(value, `value of type ${TYPE_META}`);
  for (const field of ['apiVersion', 'kind']) {
    const given = value[field];
    if (given !== undefined && given !== null && typeof given !== 'string')
      return unreadable(given, `struct field .${field} of type string`);
  }
  const apiVersion = String(value['apiVersion'] ?? '');
  return apiVersion.split('/').length > 2 ? `unexpected GroupVersion string: ${apiVersion}` : undefined;
}

/** A JSON type as Go names it. */
function goKind(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  return typeof value === 'boolean' ? 'bool' : typeof value === 'bigint' ? 'number' : typeof value;
}

function readYamlBody(request: ApiRequest, kind: string): unknown {
  try {
    return fromYaml(request.body);
  } catch (error) {
    const why = (error as Error).message.replace(/^error converting YAML to JSON: /, '');
    throw unrecognized(kind, why, request.bytes);
  }
}

const META = 'io.k8s.apimachinery.pkg.apis.meta.v1.';

/** Schema of a built-in kind, and of options that bodies may be. */
function builtinSchema(core: Core, apiVersion: string, kind: string): SchemaNode | undefined {
  const { group, version } = parseApiVersion(apiVersion);
  const name =
    core.builtins.definitionName(group, version, kind) ?? (kind.endsWith('Options') ? META + kind : undefined);
  return name === undefined || core.builtins.definitions[name] === undefined ? undefined : core.builtins.schema(name);
}

/** The kind that the endpoint takes, for messages. */
function kindOf(request: ApiRequest & { readonly resource?: Resource }): string {
  return request.resource?.kind ?? 'object';
}

/** The content type without its parameters. */
export function mediaType(request: ApiRequest): string {
  return (request.headers['content-type'] ?? '').split(';')[0]!.trim().toLowerCase();
}

/** A JSON text as a value. Throws ApiError 400. */
export function readJson(text: string, kind = 'object'): unknown {
  try {
    return parseJson(text);
  } catch (error) {
    throw unrecognized(kind, `couldn't get version/kind; json parse error: ${goJsonError(text, error)}`, text);
  }
}

/** A YAML text as a value. Throws ApiError 400. */
export function readYaml(text: string): unknown {
  try {
    return fromYaml(text);
  } catch (error) {
    throw badRequest(`error decoding YAML: ${(error as Error).message}`);
  }
}

/** Content type of a JSON patch, the one patch that is a list. */
export const JSON_PATCH = 'application/json-patch+json';
/** Content type of a strategic merge patch, whose faults have no prefix. */
export const STRATEGIC_PATCH = 'application/strategic-merge-patch+json';
export const APPLY_PATCH = 'application/apply-patch+yaml';

/** A patch as a value. Throws ApiError 400 in Go's words. */
export function readPatch(type: string, text: string): unknown {
  const prefix = type === STRATEGIC_PATCH ? '' : 'error decoding patch: ';
  let value: unknown;
  try {
    value = parseJson(text);
  } catch (error) {
    throw badRequest(`${prefix}${goJsonError(text, error)}`);
  }
  if (type === JSON_PATCH || isRecord(value)) return value;
  if (value === null) {
    if (type === STRATEGIC_PATCH) return {};
    throw badRequest('Invalid JSON Patch');
  }
  const got = Array.isArray(value) ? 'array' : typeof value;
  throw badRequest(`${prefix}json: cannot unmarshal ${got} into Go value of type map[string]interface {}`);
}

/** A configuration to apply, JSON or YAML as the text is. Throws ApiError 400. */
export function readApplied(text: string): unknown {
  let value: unknown;
  try {
    value = text.trimStart().startsWith('{') ? parseJson(text) : readYaml(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    value = readYaml(text);
  }
  if (isRecord(value)) return value;
  if (value === null) return {};
  const got = Array.isArray(value) ? 'array' : typeof value;
  const why = `json: cannot unmarshal ${got} into Go value of type map[string]interface {}`;
  throw badRequest(`error decoding YAML: error unmarshaling JSON: while decoding JSON: ${why}`);
}

/**
 * What only strict reading minds in a body's text: keys that stand twice, in the decoder's words. `joined` is how a
 * refusal tells them.
 */
export function repeatedKeys(request: ApiRequest): { readonly faults: readonly string[]; readonly joined: string } {
  const type = mediaType(request);
  if (type === PROTOBUF || request.body === '') return { faults: [], joined: '' };
  const isJson = type !== 'application/yaml' && request.body.trimStart().startsWith('{');
  const keys = isJson ? duplicateKeys(request.body) : [];
  if (isJson && (keys.length === 0 || type !== APPLY_PATCH)) {
    const faults = keys.map((path) => `duplicate field ${JSON.stringify(path)}`);
    return { faults, joined: faults.join(', ') };
  }
  if (!isJson && type !== 'application/yaml' && type !== APPLY_PATCH) return { faults: [], joined: '' };
  try {
    fromYaml(request.body, { strict: true });
    return { faults: [], joined: '' };
  } catch (error) {
    if (!(error instanceof YamlError) || error.code !== 'YamlDuplicateKey') return { faults: [], joined: '' };
    const joined = error.message.replace(/^error converting YAML to JSON: /, '');
    return { faults: joined.split('\n  ').slice(1), joined };
  }
}

/** Go's words for what is wrong with a text. */
function goJsonError(text: string, error: unknown): string {
  try {
    parseGoJson(text);
  } catch (inGo) {
    return (inGo as Error).message;
  }
  return (error as Error).message;
}
