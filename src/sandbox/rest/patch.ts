// Owns PATCH requests: the four kinds of patch, and what each refuses. How patches merge is patch/ and apply/.
import { stringifyJson } from '../../lib/json.ts';
import type { Core, WriteRequest } from '../core.ts';
import { formatGoMap } from '../go-values.ts';
import { equalJson, getKey, isRecord, type KubeObject, setKey, sortKeys } from '../object.ts';
import { JsonPatchError, jsonPatch } from '../patch/json.ts';
import { mergePatch } from '../patch/merge.ts';
import { StrategicPatchError, strategicPatch } from '../patch/strategic.ts';
import { apiVersionOf } from '../registry.ts';
import type { SchemaNode } from '../schema/node.ts';
import { APPLY_PATCH, JSON_PATCH, mediaType, readApplied, readPatch, STRATEGIC_PATCH } from './body.ts';
import {
  ApiError,
  badRequest,
  forbiddenFault,
  formatType,
  invalid,
  invalidFault,
  methodNotAllowed,
  requiredFault,
  unsupportedMediaType,
} from './errors.ts';
import { applyObject, patchObject, type Written } from './mutate.ts';
import type { DecodeFault } from './prepare.ts';
import { flag } from './request.ts';
import { type ResourceRequest, requireName, writeRequest } from './resource-request.ts';

const MERGE_PATCH = 'application/merge-patch+json';
const PATCH_TYPES = [JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH, APPLY_PATCH];

/** Runs a PATCH. Throws ApiError. */
export function patch(core: Core, request: ResourceRequest): Written {
  if (request.info.name === '') throw methodNotAllowed();
  requireName(request);
  const type = patchType(request);
  const write = writeRequest(request);
  if (type === APPLY_PATCH) {
    return applyObject(core, write, readConfig(request, write), flag(request.info.query, 'force'));
  }
  const body = readPatch(type, request.body);
  let before: KubeObject | undefined;
  let patched: unknown;
  // What a fault shows is the patched object, or for a strategic patch the patch.
  const fault: DecodeFault = (message, { restored = message } = {}) => {
    const whole = request.resource.custom ? sortKeys(patched) : asPatched(before, patched);
    const [shown, words] = type === STRATEGIC_PATCH ? [formatGoMap(body), restored] : [stringifyJson(whole), message];
    return invalid({ group: '', kind: '' }, '', [invalidFault('patch', shown, words)]);
  };
  return explained(() =>
    patchObject(
      core,
      write,
      (live) => {
        before = live;
        return (patched = applyPatch(type, request.version.schema, live, body));
      },
      fault,
    ),
  );
}

/** The content type of a patch that the resource takes. Throws ApiError. */
export function patchType(request: ResourceRequest): string {
  const type = mediaType(request);
  if (type === STRATEGIC_PATCH && request.resource.custom)
    throw unsupportedMediaType(PATCH_TYPES.filter((known) => known !== STRATEGIC_PATCH));
  if (!PATCH_TYPES.includes(type))
    throw new ApiError(415, 'UnsupportedMediaType', '415: Unsupported Media Type', 'empty');
  if (type !== APPLY_PATCH && request.info.query.has('force')) {
    throw invalid({ group: 'meta.k8s.io', kind: 'PatchOptions' }, '', [
      forbiddenFault('force', 'may not be specified for non-apply patch'),
    ]);
  }
  return type;
}

/** The faults of a patch as answers. */
export function explained<T>(run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (error instanceof JsonPatchError) {
      throw error.malformed
        ? badRequest(error.message)
        : new ApiError(422, 'Invalid', 'the server rejected our request due to an error in our request', 'empty');
    }
    if (error instanceof StrategicPatchError) {
      throw error.malformed ? badRequest(error.message) : new ApiError(500, '', error.message);
    }
    throw error;
  }
}

/** The value with a patch applied. */
export function applyPatch(type: string, schema: SchemaNode | undefined, live: unknown, body: unknown): unknown {
  if (type === JSON_PATCH) return jsonPatch(live, body);
  if (type === MERGE_PATCH) return mergePatch(live, body);
  return strategicPatch(schema, live, body);
}

/** As Go writes a patched text: the keys of what the patch went through are sorted, the rest is as it was. */
function asPatched(before: unknown, after: unknown): unknown {
  if (!isRecord(before) || !isRecord(after) || equalJson(before, after)) return after;
  const out: Record<string, unknown> = {};
  for (const key of Object.keys(after).sort()) setKey(out, key, asPatched(getKey(before, key), getKey(after, key)));
  return out;
}

/** The configuration that an apply sends, of the endpoint's own kind. Throws ApiError. */
export function readConfig(request: ResourceRequest, write: WriteRequest, type = typeOf(request)): KubeObject {
  if (!request.info.query.get('fieldManager')) {
    throw invalid({ group: 'meta.k8s.io', kind: 'PatchOptions' }, '', [
      requiredFault('fieldManager', 'is required for apply patch'),
    ]);
  }
  const body = readApplied(request.body) as Partial<KubeObject>;
  if (write.fieldValidation === 'Strict' && write.repeated?.joined) {
    throw badRequest(`error strict decoding YAML: error converting YAML to JSON: ${write.repeated.joined}`);
  }
  if (body.apiVersion !== type.apiVersion || body.kind !== type.kind) {
    // What is no text counts as absent.
    const text = (value: unknown): string => (typeof value === 'string' ? value : '');
    const given = { apiVersion: text(body.apiVersion), kind: text(body.kind) };
    throw badRequest(`invalid object type: ${formatType(given)}`);
  }
  const metadata = isRecord(body.metadata) ? body.metadata : {};
  return { ...body, metadata: { ...metadata } } as KubeObject;
}

function typeOf({ resource, version }: ResourceRequest): { readonly apiVersion: string; readonly kind: string } {
  return { apiVersion: apiVersionOf(resource.group, version.name), kind: resource.kind };
}
