// Owns the scale subresource: one kind of answer for every kind that has replicas.
import { stringifyJson } from '../../lib/json.ts';
import { FieldSet, parseFieldsV1 } from '../apply/fieldset.ts';
import { applyManaged } from '../apply/managed.ts';
import { type Core, timestamp, type WriteRequest } from '../core.ts';
import { cloneObject, isRecord, type KubeObject, type ManagedFieldsEntry, readPath, writePath } from '../object.ts';
import { apiVersionOf, parseApiVersion } from '../registry.ts';
import { type Answer, json } from './answer.ts';
import { APPLY_PATCH, readBody, readPatch } from './body.ts';
import { ApiError, badRequest, formatType, invalid, invalidFault, notFound } from './errors.ts';
import { applyObject, patchObject, readLive, type Written } from './mutate.ts';
import { applyPatch, explained, patchType, readConfig } from './patch.ts';
import { bodyFault } from './prepare.ts';
import { flag } from './request.ts';
import { type ResourceRequest, verbOf, writeRequest } from './resource-request.ts';

const SCALE_DEFINITION = 'io.k8s.api.autoscaling.v1.Scale';
const SCALE = { apiVersion: 'autoscaling/v1', kind: 'Scale' } as const;

interface ScalePaths {
  readonly spec: readonly string[];
  readonly status: readonly string[];
  readonly selector: readonly string[] | undefined;
}

const BUILTIN: ScalePaths = {
  spec: ['spec', 'replicas'],
  status: ['status', 'replicas'],
  selector: ['spec', 'selector'],
};

function pathsOf(request: ResourceRequest): ScalePaths {
  const scale = request.version.custom?.scale;
  if (scale === undefined) return BUILTIN;
  const steps = (path: string): string[] => path.replace(/^\./, '').split('.');
  return {
    spec: steps(scale.specReplicasPath),
    status: steps(scale.statusReplicasPath),
    selector: scale.labelSelectorPath ? steps(scale.labelSelectorPath) : undefined,
  };
}

/** A selector as the text that scale's status shows. */
function selectorText(selector: unknown): string {
  if (typeof selector === 'string') return selector;
  if (!isRecord(selector)) return '';
  const labels = isRecord(selector['matchLabels'])
    ? selector['matchLabels']
    : selector['matchExpressions']
      ? {}
      : selector;
  const parts = Object.entries(labels).map(([key, value]) => `${key}=${String(value)}`);
  const expressions = Array.isArray(selector['matchExpressions']) ? selector['matchExpressions'] : [];
  for (const expression of expressions) {
    if (!isRecord(expression)) continue;
    const values = Array.isArray(expression['values']) ? `(${expression['values'].join(',')})` : '';
    const key = String(expression['key']);
    const operator = String(expression['operator']);
    parts.push(
      operator === 'Exists'
        ? key
        : operator === 'DoesNotExist'
          ? `!${key}`
          : `${key} ${operator.toLowerCase()} ${values}`,
    );
  }
  return parts.sort().join(',');
}

function scaleOf(live: KubeObject, paths: ScalePaths): KubeObject {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = live.metadata;
  const selector = paths.selector ? selectorText(readPath(live, paths.selector)) : '';
  const replicas = readPath(live, paths.spec);
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: {
      name,
      ...(namespace ? { namespace } : {}),
      uid,
      resourceVersion,
      creationTimestamp,
    } as KubeObject['metadata'],
    spec: typeof replicas === 'number' && replicas !== 0 ? { replicas } : {},
    status: { replicas: readPath(live, paths.status) ?? 0, ...(selector ? { selector } : {}) },
  };
}

/** Answers a request to `…/scale`. */
export function scaleSubresource(core: Core, request: ResourceRequest): Answer {
  const { resource, info } = request;
  const paths = pathsOf(request);
  const live = readLive(core, { ...request, namespace: info.namespace, name: info.name });
  if (live === undefined) throw notFound({ group: resource.group, resource: resource.plural }, info.name);
  const current = scaleOf(live, paths);
  if (verbOf(request) === 'get') {
    const { scale } = request.version.custom ?? {};
    if (scale && readPath(live, paths.spec) === undefined) throw withoutReplicas(scale);
    return json(stringifyJson(current));
  }
  const write = writeRequest(request);
  const isApply = verbOf(request) === 'patch' && patchType(request) === APPLY_PATCH;
  const scaled = isApply
    ? applyScale(core, { request, write, paths }, live)
    : changeScale(core, { request, write, paths }, current);
  return json(stringifyJson(scaleOf(scaled.object, paths)));
}

function withoutReplicas({ specReplicasPath }: { readonly specReplicasPath: string }): ApiError {
  const message = `the spec replicas field ${JSON.stringify(specReplicasPath)} does not exist`;
  return new ApiError(500, 'InternalError', `Internal error occurred: ${message}`, { causes: [{ message }] });
}

interface Change {
  readonly request: ResourceRequest;
  readonly write: WriteRequest;
  readonly paths: ScalePaths;
}

/** Takes the replicas of a replaced or patched Scale over into the object. */
function changeScale(core: Core, { request, write, paths }: Change, current: KubeObject): Written {
  const wanted = verbOf(request) === 'update' ? readBody(core, request) : patched(request, current);
  assertScale(core, request, wanted);
  const replicas = readPath(wanted, ['spec', 'replicas']) ?? 0;
  if (typeof replicas !== 'number')
    throw badRequest(
      'Scale in version "v1" cannot be handled as a Scale: json: cannot unmarshal string into Go struct field ScaleSpec.spec.replicas of type int32',
    );
  // Custom resources have a rule of their own for this.
  if (replicas < 0 && !request.resource.custom) {
    throw invalid({ group: 'autoscaling', kind: 'Scale' }, request.info.name, [
      invalidFault('spec.replicas', replicas, 'must be greater than or equal to 0'),
    ]);
  }
  const revision = readPath(wanted, ['metadata', 'resourceVersion']);
  return patchObject(
    core,
    { ...write, subresource: 'scale' },
    (object) => {
      const next = cloneObject(object) as KubeObject;
      writePath(next, paths.spec, replicas);
      if (typeof revision === 'string' && revision !== '') next.metadata.resourceVersion = revision;
      return next;
    },
    bodyFault(write),
  );
}

function patched(request: ResourceRequest, current: KubeObject): unknown {
  const type = patchType(request);
  const body = readPatch(type, request.body);
  return explained(() => applyPatch(type, undefined, current, body));
}

/** A body must be a Scale, and of this object. Throws ApiError 400. */
function assertScale(core: Core, { info }: ResourceRequest, body: unknown): void {
  const {
    apiVersion = SCALE.apiVersion,
    kind = SCALE.kind,
    metadata,
  } = (isRecord(body) ? body : {}) as Partial<KubeObject>;
  if (apiVersion !== SCALE.apiVersion || kind !== SCALE.kind) {
    const { group, version } = parseApiVersion(apiVersion);
    const known = core.registry.findKind(group, kind)?.versions.has(version) === true;
    const why = known
      ? `converting (${version}.${kind}) to (autoscaling.Scale): unknown conversion`
      : `no kind ${JSON.stringify(kind)} is registered for version ${JSON.stringify(apiVersion)} in scheme "pkg/runtime/scheme.go:111"`;
    throw badRequest(`${kind} in version ${JSON.stringify(version)} cannot be handled as a Scale: ${why}`);
  }
  const name = metadata?.name ?? '';
  if (name === '') {
    throw badRequest(`the name of the object (${info.name} based on URL) was undeterminable: name must be provided`);
  }
  if (name !== info.name) {
    throw badRequest(`the name of the object (${name}) does not match the name on the URL (${info.name})`);
  }
}

/** Who owns the replicas of an object, as owners of its Scale. */
function entriesOfScale(live: KubeObject, path: readonly string[]): ManagedFieldsEntry[] {
  const elements = path.map((step) => `f:${step}`);
  return (live.metadata.managedFields ?? [])
    .filter(({ fieldsV1 }) => fieldsV1 !== undefined && parseFieldsV1(fieldsV1).has(elements))
    .map((entry) => ({ ...entry, apiVersion: SCALE.apiVersion, fieldsV1: { 'f:spec': { 'f:replicas': {} } } }));
}

/** Applies the replicas of a Scale as a part of the object: who applied them owns that field alone. */
function applyScale(core: Core, { request, write, paths }: Change, live: KubeObject): Written {
  const config = readConfig(request, write, SCALE);
  const force = flag(request.info.query, 'force');
  const { resource, version, info } = request;
  const part: KubeObject = {
    apiVersion: apiVersionOf(resource.group, version.name),
    kind: resource.kind,
    metadata: { name: config.metadata.name, ...(config.metadata.namespace ? { namespace: info.namespace } : {}) },
  };
  const replicas = readPath(config, ['spec', 'replicas']);
  if (replicas !== undefined) writePath(part, paths.spec, replicas);
  // Conflicts are found between Scales, where no replicas are not the same as none said.
  const schema = core.builtins.schema(SCALE_DEFINITION);
  const ownership = {
    manager: write.manager,
    apiVersion: SCALE.apiVersion,
    subresource: 'scale',
    schemaOf: () => schema,
    reset: new FieldSet(),
    now: timestamp(core.now()),
    zero: { ...SCALE, metadata: { name: '' } },
  };
  const current = scaleOf(live, paths);
  const managedFields = entriesOfScale(live, paths.spec);
  applyManaged(ownership, { ...current, metadata: { ...current.metadata, managedFields } }, config, { force });
  if (!resource.custom) return applyObject(core, { ...write, subresource: 'scale' }, part, true);
  // The API server then fails with a custom resource, whatever is applied.
  const name = `${config.metadata.namespace ?? ''}/${config.metadata.name}`;
  const why = `request to convert CR to an invalid group/version: ${SCALE.apiVersion}`;
  throw new ApiError(500, '', `failed to convert new object (${name}; ${formatType(SCALE)}) to proper version: ${why}`);
}
