// Owns DELETE requests: their options and their answers. What deleting does is remove.ts.
import { stringifyJson } from '../../lib/json.ts';
import type { Core } from '../core.ts';
import { isRecord, type KubeObject } from '../object.ts';
import { apiVersionOf } from '../registry.ts';
import { type Answer, json } from './answer.ts';
import { readBody } from './body.ts';
import { toVersion } from './convert.ts';
import { badRequest, type FieldFault, forbidden, invalid, invalidFault, unsupportedFault } from './errors.ts';
import { listMeta, selectPage } from './list.ts';
import { integerParameter, readListOptions } from './list-options.ts';
import { readLive } from './mutate.ts';
import { type RemoveOptions, removeObject } from './remove.ts';
import { listRequest, type ResourceRequest, requireName } from './resource-request.ts';

const POLICIES = ['Foreground', 'Background', 'Orphan'] as const;

function isPolicy(value: unknown): value is (typeof POLICIES)[number] {
  return POLICIES.some((policy) => policy === value);
}

const UNRECOGNIZED = /^the object provided is unrecognized \(must be of type \w+\): (.*) \([^(]*\)$/s;

/** The DeleteOptions of a body: of any version that has them, or of no type. Throws ApiError 400. */
function readOptions(core: Core, request: ResourceRequest): Record<string, unknown> {
  let body: unknown;
  try {
    body = readBody(core, request);
  } catch (error) {
    // What reads options names no kind that it wanted.
    const fault = error instanceof Error ? UNRECOGNIZED.exec(error.message) : null;
    throw fault === null ? error : badRequest(fault[1]!);
  }
  if (!isRecord(body)) return {};
  const { kind = 'DeleteOptions', apiVersion = 'v1' } = body;
  if (kind === 'DeleteOptions') return body;
  const type = `no kind ${JSON.stringify(kind)} is registered for version ${JSON.stringify(apiVersion)}`;
  throw badRequest(`${type} in scheme "pkg/runtime/scheme.go:111"`);
}

/** Options of a delete: the body's DeleteOptions, or the query. */
function removeOptions(core: Core, request: ResourceRequest): RemoveOptions {
  const { query } = request.info;
  const options = request.bytes.length === 0 ? {} : readOptions(core, request);
  const preconditions = isRecord(options['preconditions']) ? options['preconditions'] : {};
  const policy = options['propagationPolicy'] ?? query.get('propagationPolicy') ?? undefined;
  const orphan = options['orphanDependents'];
  const dryRun = Array.isArray(options['dryRun']) ? options['dryRun'] : query.getAll('dryRun');
  const faults: FieldFault[] = [];
  if (policy !== undefined && !isPolicy(policy)) {
    faults.push(unsupportedFault('propagationPolicy', policy, [...POLICIES, 'nil']));
  }
  if (typeof orphan === 'boolean' && policy !== undefined) {
    const why = 'orphanDependents and deletionPropagation cannot be both set';
    faults.push(invalidFault('propagationPolicy', policy, why));
  }
  if (dryRun.some((value) => value !== 'All')) faults.push(unsupportedFault('dryRun', dryRun, ['All']));
  if (faults.length > 0) throw invalid({ group: 'meta.k8s.io', kind: 'DeleteOptions' }, '', faults);
  const grace =
    options['gracePeriodSeconds'] ??
    (query.has('gracePeriodSeconds') ? integerParameter(query, 'gracePeriodSeconds') : undefined);
  const chosen = isPolicy(policy) ? policy : orphan === true ? 'Orphan' : undefined;
  return {
    ...(chosen === undefined ? {} : { propagationPolicy: chosen }),
    ...(typeof grace === 'number' ? { gracePeriodSeconds: grace } : {}),
    ...(typeof preconditions['uid'] === 'string' ? { uid: preconditions['uid'] } : {}),
    ...(typeof preconditions['resourceVersion'] === 'string'
      ? { resourceVersion: preconditions['resourceVersion'] }
      : {}),
    ...(dryRun.length > 0 ? { dryRun: true } : {}),
  };
}

/** Deletes one object. Throws ApiError. */
export function remove(core: Core, request: ResourceRequest): Answer {
  requireName(request);
  const { resource, version, info } = request;
  const options = removeOptions(core, request);
  if (resource.collection === '/namespaces' && IMMORTAL.has(info.name)) {
    throw forbidden({ group: '', resource: resource.plural }, info.name, 'this namespace may not be deleted');
  }
  const removed = removeObject(core, resource, info, options);
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
    return json(JSON.stringify(status));
  }
  return json(stringifyJson(toVersion(resource, version, removed.object)));
}

/** Namespaces that the server cannot be without. */
const IMMORTAL: ReadonlySet<string> = new Set(['default', 'kube-system', 'kube-public']);

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

/** Deletes what a list would show. Throws ApiError. */
export function removeCollection(core: Core, request: ResourceRequest): Answer {
  const what = listRequest(request);
  const options = removeOptions(core, request);
  const page = selectPage(core, what, readListOptions(what, 'list'));
  const removed: KubeObject[] = [];
  for (const { object } of page.entries) {
    const place = { namespace: object.metadata.namespace ?? '', name: object.metadata.name };
    if (readLive(core, { ...what, ...place }) === undefined) continue;
    removeObject(core, request.resource, place, options);
    // The answer has them as they were.
    removed.push(object);
  }
  const { resource, version } = request;
  const items = removed.map((object) => {
    const shown = toVersion(resource, version, object);
    if (resource.custom) return shown;
    const { apiVersion: _, kind: __, ...item } = shown;
    return item;
  });
  return json(
    stringifyJson({
      kind: resource.listKind,
      apiVersion: apiVersionOf(resource.group, version.name),
      metadata: listMeta(page),
      items,
    }),
  );
}
