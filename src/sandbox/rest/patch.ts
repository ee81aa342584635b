// Owns PATCH requests: the four kinds of patch, and what each refuses. How patches merge is patch/ and apply/.
import { stringifyJson } from '../../lib/json.ts';
import type { Core, WriteRequest } from '../core.ts';
import { isRecord, type KubeObject, sortKeys } from '../object.ts';
import { JsonPatchError, jsonPatch } from '../patch/json.ts';
import { mergePatch } from '../patch/merge.ts';
import { formatGoMap, StrategicPatchError, strategicPatch } from '../patch/strategic.ts';
import { apiVersionOf } from '../registry.ts';
import { JSON_PATCH, mediaType, readJson, readPatch, readYaml } from './body.ts';
import { ApiError, badRequest, invalid, invalidFault, requiredFault, unsupportedMediaType } from './errors.ts';
import { applyObject, patchObject, type Written } from './mutate.ts';
import { flag } from './request.ts';
import { type ResourceRequest, requireName, writeRequest } from './resource-request.ts';

const STRATEGIC = 'application/strategic-merge-patch+json';
const PATCH_TYPES = [
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
  'application/apply-patch+yaml',
];

/** Runs a PATCH. Throws ApiError. */
export function patch(core: Core, request: ResourceRequest): Written {
  requireName(request);
  const type = mediaType(request);
  if (type === STRATEGIC && request.resource.custom)
    throw unsupportedMediaType(PATCH_TYPES.filter((known) => known !== STRATEGIC));
  if (!PATCH_TYPES.includes(type))
    throw new ApiError(415, 'UnsupportedMediaType', '415: Unsupported Media Type', 'empty');
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
    const whole = request.resource.custom ? sortKeys(patched) : patched;
    const [shown, words] = type === STRATEGIC ? [formatGoMap(body), restored] : [stringifyJson(whole), message];
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
