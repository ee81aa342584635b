// Owns DELETE requests: their options and their answers. What deleting does is remove.ts.
import { stringifyJson } from '../../lib/json.ts';
import type { Core } from '../core.ts';
import { isRecord, type KubeObject } from '../object.ts';
import { apiVersionOf } from '../registry.ts';
import { type Answer, json } from './answer.ts';
import { readBody } from './body.ts';
import { toVersion } from './convert.ts';
import { invalid } from './errors.ts';
import { listMeta, selectPage } from './list.ts';
import { readListOptions } from './list-options.ts';
import { readLive } from './mutate.ts';
import { type RemoveOptions, removeObject } from './remove.ts';
import { listRequest, type ResourceRequest, requireName } from './resource-request.ts';

/** Options of a delete: the body's DeleteOptions, or the query. */
function removeOptions(core: Core, request: ResourceRequest): RemoveOptions {
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

/** Deletes one object. Throws ApiError. */
export function remove(core: Core, request: ResourceRequest): Answer {
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
    return json(JSON.stringify(status));
  }
  return json(stringifyJson(toVersion(resource, version, removed.object)));
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

/** Deletes what a list would show. Throws ApiError. */
export function removeCollection(core: Core, request: ResourceRequest): Answer {
  const what = listRequest(request);
  const options = removeOptions(core, request);
  const page = selectPage(core, what, readListOptions(what, 'list'));
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
  return json(
    stringifyJson({
      kind: resource.listKind,
      apiVersion: apiVersionOf(resource.group, version.name),
      metadata: listMeta(page),
      items,
    }),
  );
}
