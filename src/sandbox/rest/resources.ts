// Owns requests to resources: which verb an HTTP request is, and running it. The verbs themselves are the files beside.

import { fromYaml } from '../../lib/goyaml/sigs.ts';
import { parseJson, stringifyJson } from '../../lib/json.ts';
import type { Core, WriteRequest } from '../core.ts';
import { compareVersions } from '../discovery/discovery.ts';
import { isRecord, type KubeObject } from '../object.ts';
import { JsonPatchError, jsonPatch } from '../patch/json.ts';
import { mergePatch } from '../patch/merge.ts';
import { formatGoMap, StrategicPatchError, strategicPatch } from '../patch/strategic.ts';
import { apiVersionOf, parseApiVersion, type Resource, type ServedVersion } from '../registry.ts';
import { rulesOf } from '../schema/kinds.ts';
import type { SchemaNode } from '../schema/node.ts';
import { keyOf } from '../storage/storage.ts';
import type { Answer, ApiRequest, Reply } from './answer.ts';
import { toVersion } from './convert.ts';
import {
  ApiError,
  badRequest,
  invalid,
  invalidFault,
  methodNotAllowed,
  NoSuchPath,
  noSuchResource,
  notFound,
  requiredFault,
  unsupportedMediaType,
} from './errors.ts';
import { entryJson, listJson, listMeta, matcherOf, pageObjects, selectPage } from './list.ts';
import { applyObject, createObject, patchObject, readLive, updateObject, type Written } from './mutate.ts';
import { type Form, negotiate, presentList, presentObject } from './present.ts';
import { decodeBody } from './protobuf.ts';
import { type RemoveOptions, removeObject } from './remove.ts';
import { flag } from './request.ts';
import { scaleSubresource } from './scale.ts';
import { specialSubresource } from './special.ts';
import { startWatch } from './watch.ts';

/** A request whose resource has been found. */
export interface ResourceRequest extends ApiRequest {
  readonly resource: Resource;
  readonly version: ServedVersion;
}

const timers = {
  setTimeout: (callback: () => void, ms: number) => setTimeout(callback, ms).unref(),
  clearTimeout: (handle: unknown) => clearTimeout(handle as NodeJS.Timeout),
};

/** The verb of a request, as RBAC and discovery name it. */
export function verbOf(request: Pick<ApiRequest, 'method' | 'info'>): string {
  const { method, info } = request;
  switch (method) {
    case 'GET':
    case 'HEAD':
      if (info.name !== '' && !info.path.includes('/watch/')) return 'get';
      return flag(info.query, 'watch') || /^\/apis?\/([^/]+\/)?[^/]+\/watch\//.test(info.path) ? 'watch' : 'list';
    case 'POST':
      return 'create';
    case 'PUT':
      return 'update';
    case 'PATCH':
      return 'patch';
    case 'DELETE':
      return info.name === '' ? 'deletecollection' : 'delete';
    default:
      return '';
  }
}

/** Finds the resource of a request. Throws ApiError 404 when the server has none such. */
export function findResource(core: Core, request: ApiRequest): ResourceRequest {
  const { group, version, resource: plural } = request.info;
  const resource = core.registry.find(group, plural ?? '');
  const served = resource?.versions.get(version);
  if (resource === undefined || served === undefined) {
    throw core.registry.groups().includes(group) ? noSuchResource() : new NoSuchPath();
  }
  return { ...request, resource, version: served };
}

/** Answers a request to a resource. Throws ApiError. */
export function serveResource(core: Core, request: ResourceRequest): Reply {
  const { info, resource } = request;
  if (info.subresource !== '') return serveSubresource(core, request);
  const verb = verbOf(request);
  if (!resource.verbs.includes(verb)) throw methodNotAllowed();
  switch (verb) {
    case 'get':
      return getOne(core, request);
    case 'list':
      return list(core, request);
    case 'watch':
      return watch(core, request);
    case 'deletecollection':
      return removeCollection(core, request);
    case 'delete':
      return remove(core, request);
    case 'create':
      if (info.name !== '') throw methodNotAllowed();
      if (resource.namespaced && info.namespace === '') throw methodNotAllowed();
      return written(core, request, createObject(core, writeRequest(request), readBody(core, request)));
    case 'update':
      return written(core, request, updateObject(core, writeRequest(request), readBody(core, request)));
    default:
      return written(core, request, patch(core, request));
  }
}

function serveSubresource(core: Core, request: ResourceRequest): Reply {
  const { info, resource, version } = request;
  const subresource = resource.subresources.get(version.name)?.get(info.subresource);
  if (subresource === undefined) throw noSuchResource();
  const verb = verbOf(request);
  if (!subresource.verbs.includes(verb)) throw methodNotAllowed();
  if (subresource.kind === 'Scale') return scaleSubresource(core, request, subresource);
  if (!['status', 'finalize', 'approval', 'resize', 'ephemeralcontainers'].includes(info.subresource))
    return specialSubresource(core, request, subresource);
  if (verb === 'get') return getOne(core, request);
  if (verb === 'update')
    return written(core, request, updateObject(core, writeRequest(request), readBody(core, request)));
  return written(core, request, patch(core, request));
}

function requireName(request: ResourceRequest): void {
  if (request.resource.namespaced && request.info.namespace === '') throw new NoSuchPath();
}

function getOne(core: Core, request: ResourceRequest): Answer {
  requireName(request);
  const { resource, version, info } = request;
  const form = negotiate(request.headers.accept);
  const entry = core.storage.get(resource.collection, keyOf(info.namespace, info.name));
  if (entry === undefined) throw notFound({ group: resource.group, resource: resource.plural }, info.name);
  if (form === 'json') return answer(request, entryJson(resource, version, entry));
  return answer(
    request,
    presentObject(core, form, { resource, version, query: info.query }, toVersion(resource, version, entry.object)),
  );
}

function answer(request: ResourceRequest, body: string, status = 200, warnings: readonly string[] = []): Answer {
  const { custom } = request.version;
  const builtin = custom ? undefined : rulesOf(request.resource).deprecated;
  const deprecated = custom?.deprecated ? (custom.deprecationWarning ?? deprecation(request)) : builtin;
  const all = deprecated === undefined ? warnings : [deprecated, ...warnings];
  return all.length > 0 ? { status, body, warnings: all } : { status, body };
}

function deprecation({ resource, version }: ResourceRequest): string {
  const subject = `${apiVersionOf(resource.group, version.name)} ${resource.kind} is deprecated`;
  const better = [...resource.versions.values()].filter(({ custom }) => !custom?.deprecated).map(({ name }) => name);
  const [best] = better.sort(compareVersions);
  return best === undefined ? subject : `${subject}; use ${apiVersionOf(resource.group, best)} ${resource.kind}`;
}

function listRequest(request: ResourceRequest) {
  const { resource, version, info } = request;
  return { resource, version, namespace: info.namespace, name: info.name, query: info.query };
}

function list(core: Core, request: ResourceRequest): Answer {
  const form = negotiate(request.headers.accept);
  const what = listRequest(request);
  const page = selectPage(core, what);
  if (form === 'json') return answer(request, listJson(what, page));
  return answer(request, presentList(core, form, what, { objects: pageObjects(what, page), metadata: listMeta(page) }));
}

function watch(core: Core, request: ResourceRequest): Reply {
  const form: Form = negotiate(request.headers.accept);
  const what = listRequest(request);
  // Parameters are checked before the stream starts, so that faults are plain answers.
  matcherOf(what);
  const present = form === 'json' ? undefined : (object: KubeObject) => presentObject(core, form, what, object);
  return { stream: (sink) => startWatch(core, what, sink, { present, timers }) };
}

function written(
  core: Core,
  request: ResourceRequest,
  result: Written & { readonly warnings?: readonly string[] },
): Answer {
  const form = negotiate(request.headers.accept);
  const { resource, version, info } = request;
  const status = result.created ? 201 : 200;
  const body =
    form !== 'json'
      ? presentObject(core, form, { resource, version, query: info.query }, result.object)
      : result.entry
        ? entryJson(resource, version, result.entry)
        : stringifyJson(result.object);
  return answer(request, body, status, warningsOf.get(request) ?? []);
}

/** Warnings that a write collected, kept with the request until it is answered. */
const warningsOf = new WeakMap<ResourceRequest, string[]>();

const MAX_MANAGER = 128;

/** The write that a request asks for. Throws ApiError for bad parameters. */
export function writeRequest(request: ResourceRequest): WriteRequest {
  const { info, resource, version, caller, headers } = request;
  const { query } = info;
  const dryRun = query.getAll('dryRun');
  if (dryRun.some((value) => value !== 'All')) {
    throw invalid({ group: 'meta.k8s.io', kind: optionsKind(request.method) }, '', [
      {
        type: 'FieldValueNotSupported',
        field: 'dryRun',
        message: `Unsupported value: ${JSON.stringify(dryRun)}: supported values: "All"`,
      },
    ]);
  }
  const validation = query.get('fieldValidation') ?? 'Warn';
  if (validation !== 'Ignore' && validation !== 'Warn' && validation !== 'Strict') {
    throw invalid({ group: 'meta.k8s.io', kind: optionsKind(request.method) }, '', [
      {
        type: 'FieldValueNotSupported',
        field: 'fieldValidation',
        message: `Unsupported value: ${JSON.stringify(validation)}: supported values: "", "Ignore", "Strict", "Warn"`,
      },
    ]);
  }
  const warnings: string[] = [];
  warningsOf.set(request, warnings);
  return {
    resource,
    version,
    namespace: info.namespace,
    name: info.name,
    subresource: info.subresource,
    manager: query.get('fieldManager') || userAgentManager(headers['user-agent']),
    caller,
    dryRun: dryRun.length > 0,
    fieldValidation: validation,
    warnings,
  };
}

function optionsKind(method: string): string {
  return method === 'POST' ? 'CreateOptions' : method === 'PUT' ? 'UpdateOptions' : 'PatchOptions';
}

/** The part of the user agent before the first slash, as the API server names managers that give no name. */
function userAgentManager(userAgent: string | undefined): string {
  return (userAgent ?? '').split('/')[0]!.slice(0, MAX_MANAGER) || 'unknown';
}

const PROTOBUF = 'application/vnd.kubernetes.protobuf';
const BODY_TYPES = ['application/json', 'application/yaml'];

/** The body as a value, from JSON or YAML. Throws ApiError 400 or 415. */
export function readBody(core: Core, request: ApiRequest): unknown {
  const type = mediaType(request);
  if (type === PROTOBUF) return decodeBody(request.bytes, (apiVersion, kind) => builtinSchema(core, apiVersion, kind));
  if (type !== '' && !BODY_TYPES.includes(type) && type !== '*/*')
    throw unsupportedMediaType([...BODY_TYPES, PROTOBUF]);
  return type === 'application/yaml'
    ? readYaml(request.body)
    : readJson(request.body, 'resource' in request ? (request as ResourceRequest).resource.kind : 'object');
}

const META = 'io.k8s.apimachinery.pkg.apis.meta.v1.';

/** Schema of a built-in kind, and of options that bodies may be. */
function builtinSchema(core: Core, apiVersion: string, kind: string): SchemaNode | undefined {
  const { group, version } = parseApiVersion(apiVersion);
  const name =
    core.builtins.definitionName(group, version, kind) ?? (kind.endsWith('Options') ? META + kind : undefined);
  return name === undefined || core.builtins.definitions[name] === undefined ? undefined : core.builtins.schema(name);
}

function mediaType(request: ApiRequest): string {
  return (request.headers['content-type'] ?? '').split(';')[0]!.trim().toLowerCase();
}

function readJson(text: string, kind = 'object'): unknown {
  try {
    return parseJson(text);
  } catch (error) {
    const shown = text === '' ? '<empty>' : text.slice(0, 1024);
    throw badRequest(
      `the object provided is unrecognized (must be of type ${kind}): couldn't get version/kind; json parse error: ${goJsonError(error)} (${shown})`,
    );
  }
}

function readYaml(text: string): unknown {
  try {
    return fromYaml(text);
  } catch (error) {
    throw badRequest(`error decoding YAML: ${(error as Error).message}`);
  }
}

const JSON_PATCH = 'application/json-patch+json';
const STRATEGIC = 'application/strategic-merge-patch+json';
const PATCH_TYPES = [
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
  'application/apply-patch+yaml',
];

function patch(core: Core, request: ResourceRequest): Written {
  requireName(request);
  const type = mediaType(request);
  if (!PATCH_TYPES.includes(type) || (type === STRATEGIC && request.resource.custom)) {
    throw new ApiError(415, 'UnsupportedMediaType', '415: Unsupported Media Type', 'empty');
  }
  const write = writeRequest(request);
  if (type === 'application/apply-patch+yaml') return apply(core, request, write);
  if (request.info.query.has('force')) {
    throw invalid({ group: 'meta.k8s.io', kind: 'PatchOptions' }, '', [
      { type: 'FieldValueForbidden', field: 'force', message: 'Forbidden: may not be specified for non-apply patch' },
    ]);
  }
  const body = readPatch(type, request.body);
  let patched: unknown;
  // What a fault shows is the patched object, or for a strategic patch the patch.
  const fault = (message: string, restored = message): ApiError => {
    const [shown, words] = type === STRATEGIC ? [formatGoMap(body), restored] : [stringifyJson(patched), message];
    return invalid({ group: '', kind: '' }, '', [invalidFault('patch', shown, words)]);
  };
  try {
    return patchObject(core, write, (live) => (patched = applyPatch(type, request, live, body)), fault);
  } catch (error) {
    if (error instanceof JsonPatchError) {
      throw error.malformed
        ? badRequest(error.message)
        : new ApiError(422, 'Invalid', 'the server rejected our request due to an error in our request', 'empty');
    }
    if (error instanceof StrategicPatchError) throw new ApiError(500, '', error.message);
    throw error;
  }
}

/** A patch as a value. Throws ApiError 400 in Go's words. */
function readPatch(type: string, text: string): unknown {
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

function applyPatch(type: string, request: ResourceRequest, live: KubeObject, body: unknown): unknown {
  if (type === JSON_PATCH) return jsonPatch(live, body);
  if (type === 'application/merge-patch+json') return mergePatch(live, body);
  return strategicPatch(request.version.schema, live, body);
}

function apply(core: Core, request: ResourceRequest, write: WriteRequest): Written {
  if (!request.info.query.get('fieldManager')) {
    throw invalid({ group: 'meta.k8s.io', kind: 'PatchOptions' }, '', [
      requiredFault('fieldManager', 'is required for apply patch'),
    ]);
  }
  const body = request.body.trimStart().startsWith('{') ? readJson(request.body) : readYaml(request.body);
  if (!isRecord(body)) throw badRequest('error decoding YAML: not an object');
  const { resource, version } = request;
  const wanted = apiVersionOf(resource.group, version.name);
  if (body['apiVersion'] !== wanted || body['kind'] !== resource.kind) {
    if (!body['apiVersion'] || !body['kind'])
      throw badRequest(`Object 'Kind' is missing in '${request.body.slice(0, 200)}'`);
    throw badRequest(`invalid object type: ${String(body['apiVersion'])}, Kind=${String(body['kind'])}`);
  }
  const metadata = isRecord(body['metadata']) ? body['metadata'] : {};
  const config = { ...body, metadata: { ...metadata } } as unknown as KubeObject;
  return applyObject(core, write, config, flag(request.info.query, 'force'));
}

/** Options of a delete: the body's DeleteOptions, or the query. */
function removeOptions(core: Core, request: ResourceRequest): RemoveOptions & { orphan?: boolean } {
  const body = request.bytes.length === 0 ? {} : readBody(core, request);
  const { query } = request.info;
  const options = isRecord(body) ? body : {};
  const preconditions = isRecord(options['preconditions']) ? options['preconditions'] : {};
  const policy = options['propagationPolicy'] ?? query.get('propagationPolicy') ?? undefined;
  if (policy !== undefined && policy !== 'Background' && policy !== 'Foreground' && policy !== 'Orphan') {
    throw invalid({ group: 'meta.k8s.io', kind: 'DeleteOptions' }, '', [
      {
        type: 'FieldValueNotSupported',
        field: 'propagationPolicy',
        message: `Unsupported value: ${JSON.stringify(policy)}: supported values: "Foreground", "Background", "Orphan", "nil"`,
      },
    ]);
  }
  const grace =
    options['gracePeriodSeconds'] ??
    (query.has('gracePeriodSeconds') ? Number(query.get('gracePeriodSeconds')) : undefined);
  const dryRun = [...query.getAll('dryRun'), ...(Array.isArray(options['dryRun']) ? options['dryRun'] : [])].includes(
    'All',
  );
  const orphan = options['orphanDependents'] === true;
  const chosen = policy ?? (orphan ? 'Orphan' : undefined);
  return {
    ...(chosen === undefined ? {} : { propagationPolicy: chosen }),
    ...(typeof grace === 'number' ? { gracePeriodSeconds: grace } : {}),
    ...(typeof preconditions['uid'] === 'string' ? { uid: preconditions['uid'] } : {}),
    ...(typeof preconditions['resourceVersion'] === 'string'
      ? { resourceVersion: preconditions['resourceVersion'] }
      : {}),
    ...(dryRun ? { dryRun } : {}),
  };
}

function remove(core: Core, request: ResourceRequest): Answer {
  requireName(request);
  const { resource, version, info } = request;
  const removed = removeObject(core, resource, info, removeOptions(core, request));
  // Kinds that go at once answer with a Status, kinds that linger with the object.
  if (removed.gone && !RETURNS_OBJECT.has(`${resource.group}/${resource.kind}`)) {
    const status = {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Success',
      details: {
        name: info.name,
        ...(resource.group ? { group: resource.group } : {}),
        kind: resource.plural,
        uid: removed.object.metadata.uid,
      },
    };
    return answer(request, JSON.stringify(status));
  }
  return answer(request, stringifyJson(toVersion(resource, version, removed.object)));
}

/** Kinds whose deletion answers with the deleted object. */
const RETURNS_OBJECT: ReadonlySet<string> = new Set([
  '/Pod',
  '/Service',
  '/ServiceAccount',
  '/PersistentVolume',
  '/PersistentVolumeClaim',
  '/PodTemplate',
  '/ResourceQuota',
  'policy/PodSecurityPolicy',
  'storage.k8s.io/StorageClass',
  'storage.k8s.io/VolumeAttachment',
  'storage.k8s.io/CSINode',
  'storage.k8s.io/CSIDriver',
]);

function removeCollection(core: Core, request: ResourceRequest): Answer {
  const what = listRequest(request);
  const options = removeOptions(core, request);
  const page = selectPage(core, what);
  const removed: KubeObject[] = [];
  for (const { object } of page.entries) {
    const place = { namespace: object.metadata.namespace ?? '', name: object.metadata.name };
    if (readLive(core, { ...what, ...place }) === undefined) continue;
    removed.push(removeObject(core, request.resource, place, options).object);
  }
  const { resource, version } = request;
  const items = removed.map((object) => {
    const shown = toVersion(resource, version, object);
    if (resource.custom) return shown;
    const { apiVersion: _, kind: __, ...item } = shown;
    return item;
  });
  return answer(
    request,
    stringifyJson({
      kind: resource.listKind,
      apiVersion: apiVersionOf(resource.group, version.name),
      metadata: { resourceVersion: String(core.storage.revision) },
      items,
    }),
  );
}
