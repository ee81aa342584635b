// Owns the table cells of nodes, namespaces, configuration, events and quotas.
import type { KubeObject } from '../object.ts';
import { age, type CellsOf, since, size } from './text.ts';

const namespaces: CellsOf = (object, now) => {
  const status = object['status'] as { phase?: string } | undefined;
  return [object.metadata.name, status?.phase ?? '', age(object, now)];
};

const configMaps: CellsOf = (object, now) => [
  object.metadata.name,
  size(object['data']) + size(object['binaryData']),
  age(object, now),
];

const secrets: CellsOf = (object, now) => [
  object.metadata.name,
  String(object['type'] ?? ''),
  size(object['data']),
  age(object, now),
];

interface Node extends KubeObject {
  spec?: { unschedulable?: boolean };
  status?: {
    addresses?: readonly { type: string; address: string }[];
    conditions?: readonly { type: string; status: string }[];
    nodeInfo?: Record<string, string>;
  };
}

const ROLE_PREFIX = 'node-role.kubernetes.io/';

const nodes: CellsOf = (object, now) => {
  const { metadata, spec, status } = object as Node;
  const ready = status?.conditions?.find(({ type }) => type === 'Ready');
  const states = [ready === undefined ? 'Unknown' : ready.status === 'True' ? 'Ready' : 'NotReady'];
  if (spec?.unschedulable === true) states.push('SchedulingDisabled');
  const info = status?.nodeInfo ?? {};
  const address = (type: string) => status?.addresses?.find((entry) => entry.type === type)?.address ?? '<none>';
  const architecture = info['architecture'] ? ` (${info['architecture']})` : '';
  return [
    metadata.name,
    states.join(','),
    roles(metadata.labels ?? {}),
    age(object, now),
    info['kubeletVersion'] ?? '',
    address('InternalIP'),
    address('ExternalIP'),
    info['osImage'] || '<unknown>',
    `${info['kernelVersion'] || '<unknown>'}${architecture}`,
    info['containerRuntimeVersion'] || '<unknown>',
  ];
};

function roles(labels: Readonly<Record<string, string>>): string {
  const found = new Set<string>();
  for (const [key, value] of Object.entries(labels)) {
    if (key.startsWith(ROLE_PREFIX)) found.add(key.slice(ROLE_PREFIX.length));
    else if (key === 'kubernetes.io/role') found.add(value);
  }
  found.delete('');
  return [...found].sort().join(',') || '<none>';
}

interface EventObject extends KubeObject {
  firstTimestamp?: string | null;
  lastTimestamp?: string | null;
  eventTime?: string | null;
  count?: number;
  series?: { count: number; lastObservedTime?: string };
  involvedObject?: { kind?: string; name?: string; fieldPath?: string };
  source?: { component?: string; host?: string };
  message?: string;
  type?: string;
  reason?: string;
  reportingComponent?: string;
  reportingInstance?: string;
}

/** For the object in its core/v1 form, also where events.k8s.io is asked for. */
const events: CellsOf = (object, now) => {
  const event = object as EventObject;
  const first = since(event.firstTimestamp ?? event.eventTime, now);
  const last = event.series
    ? since(event.series.lastObservedTime, now)
    : event.lastTimestamp
      ? since(event.lastTimestamp, now)
      : first;
  const { kind = '', name = '', fieldPath = '' } = event.involvedObject ?? {};
  const component = event.source?.component || event.reportingComponent || '';
  const instance = event.source?.host || event.reportingInstance || '';
  return [
    last,
    event.type ?? '',
    event.reason ?? '',
    name === '' ? kind.toLowerCase() : `${kind.toLowerCase()}/${name}`,
    fieldPath,
    instance === '' ? component : `${component}, ${instance}`,
    (event.message ?? '').trim(),
    first,
    event.series?.count ?? (event.count || 1),
    event.metadata.name,
  ];
};

const resourceQuotas: CellsOf = (object, now) => {
  const status = object['status'] as { hard?: Record<string, string>; used?: Record<string, string> } | undefined;
  const lines = Object.entries(status?.hard ?? {})
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, hard]) => [name, `${name}: ${status?.used?.[name] ?? '0'}/${hard}`] as const);
  const isLimit = ([name]: readonly [string, string]) => name.startsWith('limits.');
  const join = (list: readonly (readonly [string, string])[]) => list.map(([, text]) => text).join(', ');
  return [
    object.metadata.name,
    join(lines.filter((line) => !isLimit(line))),
    join(lines.filter(isLimit)),
    age(object, now),
  ];
};

const componentStatuses: CellsOf = (object) => {
  const conditions = object['conditions'] as
    | readonly { type: string; status: string; message?: string; error?: string }[]
    | undefined;
  const healthy = conditions?.find(({ type }) => type === 'Healthy');
  const status = healthy === undefined ? 'Unknown' : healthy.status === 'True' ? 'Healthy' : 'Unhealthy';
  return [object.metadata.name, status, healthy?.message ?? '', healthy?.error ?? ''];
};

const leases: CellsOf = (object, now) => {
  const { holderIdentity } = (object['spec'] ?? {}) as { holderIdentity?: string };
  return [object.metadata.name, holderIdentity ?? '', age(object, now)];
};

const apiServices: CellsOf = (object, now) => {
  const { service } = object['spec'] as { service?: { namespace?: string; name?: string } | null };
  const status = object['status'] as
    | { conditions?: readonly { type: string; status: string; reason?: string }[] }
    | undefined;
  const available = status?.conditions?.find(({ type }) => type === 'Available');
  const text =
    available === undefined
      ? 'Unknown'
      : available.status === 'True'
        ? 'True'
        : `${available.status} (${available.reason ?? ''})`;
  return [object.metadata.name, service ? `${service.namespace}/${service.name}` : 'Local', text, age(object, now)];
};

export const clusterCells: Readonly<Record<string, CellsOf>> = {
  '/componentstatuses': componentStatuses,
  '/configmaps': configMaps,
  '/events': events,
  '/namespaces': namespaces,
  '/nodes': nodes,
  '/resourcequotas': resourceQuotas,
  '/secrets': secrets,
  'apiregistration.k8s.io/apiservices': apiServices,
  'coordination.k8s.io/leases': leases,
  'events.k8s.io/events': events,
};
