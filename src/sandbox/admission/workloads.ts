// Owns what the API server itself adds to pods, jobs and secrets when they are written.
import type { AdmissionStep } from '../core.ts';
import { isRecord, readPath } from '../object.ts';

type Body = Record<string, unknown>;

const ALL_RESOURCES = ['cpu', 'memory'];

/** Guaranteed, Burstable or BestEffort, by the requests and limits of the containers. */
function qualityClass(spec: Body): string {
  const containers = [spec['initContainers'], spec['containers']].flatMap((list) =>
    Array.isArray(list) ? list.filter(isRecord) : [],
  );
  let any = false;
  let guaranteed = containers.length > 0;
  for (const container of containers) {
    const resources = isRecord(container['resources']) ? container['resources'] : {};
    const limits = isRecord(resources['limits']) ? resources['limits'] : {};
    const requests = isRecord(resources['requests']) ? resources['requests'] : {};
    if (ALL_RESOURCES.some((name) => name in limits || name in requests)) any = true;
    if (!ALL_RESOURCES.every((name) => name in limits && (requests[name] ?? limits[name]) === limits[name]))
      guaranteed = false;
  }
  if (!any) return 'BestEffort';
  return guaranteed ? 'Guaranteed' : 'Burstable';
}

const TOLERATIONS = ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable'].map((key) => ({
  effect: 'NoExecute',
  key,
  operator: 'Exists',
  tolerationSeconds: 300,
}));

/** A new pod gets the default ServiceAccount, tolerations and its first status. */
export const podStep: AdmissionStep = {
  kind: '/Pod',
  admit(_core, write, object, live) {
    if (live !== undefined || write.subresource !== '') return object;
    const spec = (isRecord(object['spec']) ? object['spec'] : {}) as Body;
    const account = spec['serviceAccountName'] || 'default';
    const tolerations = Array.isArray(spec['tolerations']) ? spec['tolerations'].filter(isRecord) : [];
    const missing = TOLERATIONS.filter(
      ({ key }) =>
        !tolerations.some((toleration) => toleration['key'] === key && toleration['effect'] !== 'NoSchedule'),
    );
    return {
      ...object,
      spec: {
        ...spec,
        serviceAccount: account,
        serviceAccountName: account,
        ...(Number(spec['terminationGracePeriodSeconds']) < 0 ? { terminationGracePeriodSeconds: 1 } : {}),
        tolerations: [...tolerations, ...missing],
      },
      status: { phase: 'Pending', qosClass: qualityClass(spec) },
    };
  },
};

const PREFIX = 'batch.kubernetes.io/';

/** A new job selects its pods by its own uid. */
export const jobStep: AdmissionStep = {
  kind: 'batch/Job',
  admit(_core, write, object, live) {
    if (live !== undefined || write.subresource !== '') return object;
    const spec = (isRecord(object['spec']) ? object['spec'] : {}) as Body;
    if (spec['manualSelector'] === true) return object;
    const { uid = '', name } = object.metadata;
    const labels = {
      [`${PREFIX}controller-uid`]: uid,
      [`${PREFIX}job-name`]: name,
      'controller-uid': uid,
      'job-name': name,
    };
    const template = (isRecord(spec['template']) ? spec['template'] : {}) as Body;
    const templateMeta = (isRecord(template['metadata']) ? template['metadata'] : {}) as Body;
    const given = readPath(template, ['metadata', 'labels']);
    const templateLabels = { ...(isRecord(given) ? given : {}), ...labels };
    const own = object.metadata.labels ?? {};
    return {
      ...object,
      // Reading a job back gives one without labels those of its template.
      metadata: { ...object.metadata, labels: Object.keys(own).length > 0 ? own : templateLabels },
      spec: {
        ...spec,
        selector: { matchLabels: { [`${PREFIX}controller-uid`]: uid } },
        template: { ...template, metadata: { ...templateMeta, labels: templateLabels } },
      },
    };
  },
};
