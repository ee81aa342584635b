// Owns a request to a resource before it is run: its verb, its resource, its place, the write it asks for, and the
// warnings of its answer.
import type { Core, WriteRequest } from '../core.ts';
import { compareVersions } from '../discovery/discovery.ts';
import { apiVersionOf, type Resource, type ServedVersion } from '../registry.ts';
import { rulesOf } from '../schema/kinds.ts';
import type { ApiRequest } from './answer.ts';
import { repeatedKeys } from './body.ts';
import { type FieldFault, invalid, invalidFault, NoSuchPath, noSuchResource } from './errors.ts';
import type { ListRequest } from './list.ts';
import { flag } from './request.ts';

/** A request whose resource has been found. */
export interface ResourceRequest extends ApiRequest {
  readonly resource: Resource;
  readonly version: ServedVersion;
}

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
    throw isKnown(core, request) ? noSuchResource() : new NoSuchPath();
  }
  // A path below a namespace leads to no object outside of one.
  if (!resource.namespaced && request.info.namespace !== '' && resource.plural !== 'namespaces')
    throw nowhere(resource);
  return { ...request, resource, version: served };
}

/** Built-in kinds say with a Status that a path is not theirs. */
function nowhere({ custom }: Resource): Error {
  return custom ? new NoSuchPath() : noSuchResource();
}

/** Whether faults of the request's path have a Status: below the built-in groups. */
function isKnown(core: Core, { info }: ApiRequest): boolean {
  return core.registry.inGroup(info.group).some(({ custom }) => !custom);
}

/** Resources in namespaces are addressed with one. */
export function requireName(request: ResourceRequest): void {
  if (request.resource.namespaced && request.info.namespace === '') throw nowhere(request.resource);
}

/** The warnings of a request's answer: that its kind is deprecated, and what its write collected. */
export function warningsFor(request: ResourceRequest): readonly string[] {
  const { custom } = request.version;
  const builtin = custom ? undefined : rulesOf(request.resource).deprecated;
  const deprecated = custom?.deprecated ? (custom.deprecationWarning ?? deprecation(request)) : builtin;
  const collected = warningsOf.get(request) ?? [];
  return deprecated === undefined ? collected : [deprecated, ...collected];
}

function deprecation({ resource, version }: ResourceRequest): string {
  const subject = `${apiVersionOf(resource.group, version.name)} ${resource.kind} is deprecated`;
  const better = [...resource.versions.values()].filter(({ custom }) => !custom?.deprecated).map(({ name }) => name);
  const [best] = better.sort(compareVersions);
  return best === undefined ? subject : `${subject}; use ${apiVersionOf(resource.group, best)} ${resource.kind}`;
}

/** What a list or watch of the request covers. */
export function listRequest(request: ResourceRequest): ListRequest {
  const { resource, version, info } = request;
  return { resource, version, namespace: info.namespace, name: info.name, query: info.query };
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
  const faults = managerFaults(query.get('fieldManager') ?? '');
  if (faults.length > 0) throw invalid({ group: 'meta.k8s.io', kind: optionsKind(request.method) }, '', faults);
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
    ...(validation === 'Ignore' ? {} : { repeated: repeatedKeys(request) }),
    warnings,
  };
}

/** Faults of a field manager's name: it is short, and all of it prints. */
function managerFaults(manager: string): FieldFault[] {
  const faults: FieldFault[] = [];
  if (Buffer.byteLength(manager) > MAX_MANAGER) {
    faults.push({
      type: 'FieldValueTooLong',
      field: 'fieldManager',
      message: `Too long: may not be more than ${MAX_MANAGER} bytes`,
    });
  }
  const odd = /[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/u.exec(manager);
  if (odd) {
    const code = odd[0].codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0');
    faults.push(invalidFault('fieldManager', manager, `invalid character U+${code} (at position ${odd.index})`));
  }
  return faults;
}

function optionsKind(method: string): string {
  return method === 'POST' ? 'CreateOptions' : method === 'PUT' ? 'UpdateOptions' : 'PatchOptions';
}

/** The part of the user agent before the first slash, as the API server names managers that give no name. */
function userAgentManager(userAgent: string | undefined): string {
  return (userAgent ?? '').split('/')[0]!.slice(0, MAX_MANAGER) || 'unknown';
}
