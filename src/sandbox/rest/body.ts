// Owns reading request bodies: JSON, YAML and protobuf into values, with the API server's words for what is malformed.
import { fromYaml } from '../../lib/goyaml/sigs.ts';
import { parseJson } from '../../lib/json.ts';
import type { Core } from '../core.ts';
import { isRecord } from '../object.ts';
import { parseApiVersion, type Resource } from '../registry.ts';
import type { SchemaNode } from '../schema/node.ts';
import type { ApiRequest } from './answer.ts';
import { badRequest, unsupportedMediaType } from './errors.ts';
import { decodeBody } from './protobuf.ts';

const PROTOBUF = 'application/vnd.kubernetes.protobuf';
const BODY_TYPES = ['application/json', 'application/yaml'];

/** The body as a value, from JSON or YAML. Throws ApiError 400 or 415. */
export function readBody(core: Core, request: ApiRequest): unknown {
  const type = mediaType(request);
  if (type === PROTOBUF) return decodeBody(request.bytes, (apiVersion, kind) => builtinSchema(core, apiVersion, kind));
  if (type !== '' && !BODY_TYPES.includes(type) && type !== '*/*')
    throw unsupportedMediaType([...BODY_TYPES, PROTOBUF]);
  return type === 'application/yaml' ? readYaml(request.body) : readJson(request.body, kindOf(request));
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
    const shown = text === '' ? '<empty>' : text.slice(0, 1024);
    throw badRequest(
      `the object provided is unrecognized (must be of type ${kind}): couldn't get version/kind; json parse error: ${goJsonError(error)} (${shown})`,
    );
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

/** A patch as a value. Throws ApiError 400 in Go's words. */
export function readPatch(type: string, text: string): unknown {
  let value: unknown;
  try {
    value = parseJson(text);
  } catch (error) {
    throw badRequest(`error decoding patch: ${goJsonError(error)}`);
  }
  if (type === JSON_PATCH || isRecord(value)) return value;
  const got = Array.isArray(value) ? 'array' : typeof value;
  throw badRequest(`error decoding patch: json: cannot unmarshal ${got} into Go value of type map[string]interface {}`);
}

/** Go's words for the usual fault, a text that ends early; else the engine's. */
function goJsonError(error: unknown): string {
  const { message } = error as Error;
  return /Unexpected end|after array element|after property value|Unterminated/.test(message)
    ? 'unexpected end of JSON input'
    : message;
}
