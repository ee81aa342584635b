// Owns showing one stored object in another served version. Custom resources change apiVersion alone (strategy None);
// the few built-in kinds whose versions differ have a row in the table. Pure.
import { isRecord, type KubeObject } from '../object.ts';
import { apiVersionOf, type Resource, type ServedVersion } from '../registry.ts';

type Body = Record<string, unknown>;

/** How the fields of one kind's version are named in another: moved top-level fields. */
interface FieldMove {
  readonly stored: string;
  readonly shown: string;
}

/** events.k8s.io/v1 shows core/v1 events under other names. */
const EVENT_MOVES: readonly FieldMove[] = [
  { stored: 'involvedObject', shown: 'regarding' },
  { stored: 'message', shown: 'note' },
  { stored: 'source', shown: 'deprecatedSource' },
  { stored: 'firstTimestamp', shown: 'deprecatedFirstTimestamp' },
  { stored: 'lastTimestamp', shown: 'deprecatedLastTimestamp' },
  { stored: 'count', shown: 'deprecatedCount' },
  { stored: 'reportingComponent', shown: 'reportingController' },
];

const MOVES: Readonly<
  Record<
    string,
    { readonly storedApiVersion: string; readonly moves: readonly FieldMove[]; readonly optional: readonly string[] }
  >
> = {
  'events.k8s.io/events': {
    storedApiVersion: 'v1',
    moves: EVENT_MOVES,
    optional: ['reportingController', 'reportingInstance'],
  },
};

function renameFields(object: KubeObject, moves: readonly { from: string; to: string }[]): KubeObject {
  const out: KubeObject = { ...object };
  for (const { from } of moves) delete out[from];
  for (const { from, to } of moves) if (Object.hasOwn(object, from)) out[to] = object[from];
  return out;
}

/** The object as the version shows it; the same object when nothing differs. */
export function toVersion(resource: Resource, version: ServedVersion, object: KubeObject): KubeObject {
  const wanted = apiVersionOf(resource.group, version.name);
  if (object.apiVersion === wanted) return object;
  const moved = MOVES[`${resource.group}/${resource.plural}`];
  if (moved) {
    const renamed = renameFields(
      object,
      moved.moves.map(({ stored, shown }) => ({ from: stored, to: shown })),
    );
    // What is empty in the stored form is left out in this one.
    for (const field of moved.optional) if (renamed[field] === '') delete renamed[field];
    return { ...renamed, apiVersion: wanted };
  }
  if (resource.kind === 'HorizontalPodAutoscaler' && !resource.custom)
    return { ...scalerToV1(object), apiVersion: wanted };
  return { ...object, apiVersion: wanted };
}

/** The object as it is stored. */
export function toStorage(resource: Resource, object: KubeObject): KubeObject {
  const moved = MOVES[`${resource.group}/${resource.plural}`];
  if (moved) {
    const renamed = renameFields(
      object,
      moved.moves.map(({ stored, shown }) => ({ from: shown, to: stored })),
    );
    return { ...renamed, apiVersion: moved.storedApiVersion };
  }
  const wanted = apiVersionOf(resource.group, resource.storageVersion);
  if (object.apiVersion === wanted) return object;
  if (resource.kind === 'HorizontalPodAutoscaler' && !resource.custom)
    return { ...scalerToV2(object), apiVersion: wanted };
  return { ...object, apiVersion: wanted };
}

const CPU = 'cpu';

/** autoscaling/v1 knows one metric, the CPU; the others do not show. */
function scalerToV1(object: KubeObject): KubeObject {
  const { metrics, behavior: _, ...spec } = (object['spec'] ?? {}) as Body;
  const cpu = (Array.isArray(metrics) ? metrics : []).find(
    (metric) => isRecord(metric) && (metric['resource'] as Body)?.['name'] === CPU,
  );
  const target = ((cpu?.resource as Body | undefined)?.['target'] ?? {}) as Body;
  const percentage = target['averageUtilization'];
  const { currentMetrics: __, conditions: ___, ...status } = (object['status'] ?? {}) as Body;
  return {
    ...object,
    spec: { ...spec, ...(percentage === undefined ? {} : { targetCPUUtilizationPercentage: percentage }) },
    status: { currentReplicas: 0, desiredReplicas: 0, ...status },
  };
}

function scalerToV2(object: KubeObject): KubeObject {
  const { targetCPUUtilizationPercentage: percentage, ...spec } = (object['spec'] ?? {}) as Body;
  const target = { type: 'Utilization', averageUtilization: percentage ?? 80 };
  const { currentReplicas, ...others } = (object['status'] ?? {}) as Body;
  const status = { ...others, ...(currentReplicas ? { currentReplicas } : {}), currentMetrics: null };
  return { ...object, spec: { ...spec, metrics: [{ type: 'Resource', resource: { name: CPU, target } }] }, status };
}
