// Owns the scale subresource: one kind of answer for every kind that has replicas.
import { stringifyJson } from '../../lib/json.ts';
import { difference, FieldSet, formatFieldsV1, parseFieldsV1, setOf } from '../apply/fieldset.ts';
import { applyManaged } from '../apply/managed.ts';
import { type Core, timestamp, type WriteRequest } from '../core.ts';
import { cloneObject, isRecord, type KubeObject, type ManagedFieldsEntry, readPath, writePath } from '../object.ts';
import { parseApiVersion } from '../registry.ts';
import { type Answer, json } from './answer.ts';
import { APPLY_PATCH, readBody, readPatch } from './body.ts';
import { ApiError, badRequest, formatType, invalid, invalidFault, notFound } from './errors.ts';
import { patchObject, readLive, storeApplied, type Written } from './mutate.ts';
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
  if (!request.resource.custom) assertReplicas(request, replicas);
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

/** Throws ApiError 422 for fewer replicas than none. */
function assertReplicas({ info }: ResourceRequest, replicas: unknown): void {
  if (Number(replicas) >= 0) return;
  const fault = invalidFault('spec.replicas', replicas, 'must be greater than or equal to 0');
  throw invalid({ group: 'autoscaling', kind: 'Scale' }, info.name, [fault]);
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

/** The path of replicas in a Scale, as fields. */
const REPLICAS = setOf(['f:spec', 'f:replicas']);

function elementsOf(path: readonly string[]): string[] {
  return path.map((step) => `f:${step}`);
}

function ownsPath({ fieldsV1 }: ManagedFieldsEntry, elements: readonly string[]): boolean {
  return fieldsV1 !== undefined && parseFieldsV1(fieldsV1).has([...elements]);
}

/** Who owns the replicas of an object, as owners of its Scale. */
function entriesOfScale(live: KubeObject, path: readonly string[]): ManagedFieldsEntry[] {
  const fieldsV1 = formatFieldsV1(REPLICAS);
  return (live.metadata.managedFields ?? [])
    .filter((entry) => ownsPath(entry, elementsOf(path)))
    .map((entry) => ({ ...entry, apiVersion: SCALE.apiVersion, fieldsV1 }));
}

/** The owners of an object after those of its Scale have changed: the others lose its replicas. */
function entriesOfParent(
  live: KubeObject,
  scaleEntries: readonly ManagedFieldsEntry[],
  path: readonly string[],
): ManagedFieldsEntry[] {
  const elements = elementsOf(path);
  const entries: ManagedFieldsEntry[] = [];
  const kept = new Set<ManagedFieldsEntry>();
  for (const entry of live.metadata.managedFields ?? []) {
    // One that is an owner of anything in the Scale keeps what it has, as on the real server.
    const same = scaleEntries.find((owner) => isSameOwner(owner, entry));
    const isOwner = ownsPath(entry, elements);
    if (same !== undefined && isOwner) kept.add(same);
    if (same !== undefined || !isOwner) {
      entries.push(entry);
      continue;
    }
    const rest = difference(parseFieldsV1(entry.fieldsV1!), setOf(elements));
    if (!rest.isEmpty) entries.push({ ...entry, fieldsV1: formatFieldsV1(rest) });
  }
  // A new owner, and one whose updates are of the Scale's version, has no time.
  const added = scaleEntries.filter((owner) => !kept.has(owner) && ownsPath(owner, ['f:spec', 'f:replicas']));
  const fieldsV1 = formatFieldsV1(setOf(elements));
  return [...entries, ...added.map(({ time: _, ...owner }) => ({ ...owner, apiVersion: live.apiVersion, fieldsV1 }))];
}

/** Appliers are one whatever version they use; an update of the Scale is another than one of the object. */
function isSameOwner(owner: ManagedFieldsEntry, entry: ManagedFieldsEntry): boolean {
  const isSame = owner.manager === entry.manager && (owner.subresource ?? '') === (entry.subresource ?? '');
  return isSame && owner.operation === 'Apply' && entry.operation === 'Apply';
}

/** Applies a Scale: who does so owns the replicas alone, and who no longer says any leaves none. */
function applyScale(core: Core, { request, write, paths }: Change, live: KubeObject): Written {
  const config = readConfig(request, write, SCALE);
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
  const owned = { ...current, metadata: { ...current.metadata, managedFields: entriesOfScale(live, paths.spec) } };
  const applied = applyManaged(ownership, owned, config, { force: flag(request.info.query, 'force') });
  if (request.resource.custom) {
    // The API server then fails with a custom resource, whatever is applied.
    const name = `${config.metadata.namespace ?? ''}/${config.metadata.name}`;
    const why = `request to convert CR to an invalid group/version: ${SCALE.apiVersion}`;
    throw new ApiError(
      500,
      '',
      `failed to convert new object (${name}; ${formatType(SCALE)}) to proper version: ${why}`,
    );
  }
  const next = cloneObject(live) as KubeObject;
  const replicas = readPath(applied, ['spec', 'replicas']) ?? 0;
  assertReplicas(request, replicas);
  writePath(next, paths.spec, replicas);
  next.metadata.managedFields = entriesOfParent(live, applied.metadata.managedFields ?? [], paths.spec);
  const { resourceVersion } = config.metadata;
  if (resourceVersion) next.metadata.resourceVersion = resourceVersion;
  return storeApplied(core, { ...write, subresource: 'scale' }, live, next);
}
