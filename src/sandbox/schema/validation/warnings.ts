// Owns what the API server warns of in valid pods and Services. Source: pkg/api/{pod,service}/warnings.go of Kubernetes
// 1.36. Pure.
import { isRecord, type KubeObject, readPath } from '../../object.ts';
import { nanosOf } from '../quantity.ts';
import { join, records, type Target, text } from './rule.ts';

/** Where a kind keeps a pod's metadata and spec: '' for the object itself. */
const TEMPLATES: Readonly<Record<string, string>> = {
  '/Pod': '',
  '/PodTemplate': 'template',
  '/ReplicationController': 'spec.template',
  'apps/Deployment': 'spec.template',
  'apps/ReplicaSet': 'spec.template',
  'apps/StatefulSet': 'spec.template',
  'apps/DaemonSet': 'spec.template',
  'batch/Job': 'spec.template',
  'batch/CronJob': 'spec.jobTemplate.spec.template',
};

/** Warnings of an object of `group/Kind`. A change of a workload warns where it is a new generation, one of a pod never. */
export function kindWarnings(kind: string, next: KubeObject, live: KubeObject | undefined): string[] {
  if (kind === '/Service') return serviceWarnings(next);
  const path = TEMPLATES[kind];
  if (path === undefined) return [];
  if (live !== undefined && (path === '' || next.metadata.generation === live.metadata.generation)) return [];
  const pod = readPath(next, path === '' ? [] : path.split('.'));
  if (!isRecord(pod) || !isRecord(pod['spec'])) return [];
  return podWarnings(pod, pod['spec'], path);
}

function serviceWarnings({ spec }: KubeObject): string[] {
  if (!isRecord(spec)) return [];
  const hasAddresses = Array.isArray(spec['externalIPs']) && spec['externalIPs'].length > 0;
  const isAlias = spec['type'] === 'ExternalName';
  const isHeadless = spec['clusterIP'] === 'None' && !isAlias;
  const headless = 'is ignored for headless services';
  const rows: readonly (readonly [boolean, string])[] = [
    [isHeadless && text(spec['loadBalancerIP']) !== '', `spec.loadBalancerIP ${headless}`],
    [isHeadless && hasAddresses, `spec.externalIPs ${headless}`],
    [isHeadless && spec['sessionAffinity'] !== 'None', `spec.SessionAffinity ${headless}`],
    [
      hasAddresses && !isHeadless && !isAlias,
      'spec.externalIPs is deprecated and may no longer be implemented in some clusters',
    ],
    [isAlias && hasAddresses, 'spec.externalIPs is ignored when spec.type is "ExternalName"'],
    [
      !isAlias && text(spec['externalName']) !== '',
      'spec.externalName is ignored when spec.type is not "ExternalName"',
    ],
    [
      spec['trafficDistribution'] === 'PreferClose',
      'spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"',
    ],
  ];
  return rows.filter(([applies]) => applies).map(([, message]) => message);
}

const NODE_LABELS: Readonly<Record<string, string>> = {
  'beta.kubernetes.io/arch': 'deprecated since v1.14; use "kubernetes.io/arch" instead',
  'beta.kubernetes.io/os': 'deprecated since v1.14; use "kubernetes.io/os" instead',
  'failure-domain.beta.kubernetes.io/region': 'deprecated since v1.17; use "topology.kubernetes.io/region" instead',
  'failure-domain.beta.kubernetes.io/zone': 'deprecated since v1.17; use "topology.kubernetes.io/zone" instead',
  'beta.kubernetes.io/instance-type': 'deprecated since v1.17; use "node.kubernetes.io/instance-type" instead',
};

const GONE = 'non-functional in';
const ANNOTATIONS: Readonly<Record<string, string>> = {
  'scheduler.alpha.kubernetes.io/critical-pod': `${GONE} v1.16+; use the "priorityClassName" field instead`,
  'security.alpha.kubernetes.io/sysctls': `${GONE} v1.11+; use the "sysctls" field instead`,
  'security.alpha.kubernetes.io/unsafe-sysctls': `${GONE} v1.11+; use the "sysctls" field instead`,
};

const VOLUMES: Readonly<Record<string, string>> = {
  photonPersistentDisk: `deprecated in v1.11, ${GONE} v1.16+`,
  gitRepo: 'deprecated in v1.11, and disabled by default in v1.33+',
  scaleIO: `deprecated in v1.16, ${GONE} v1.22+`,
  flocker: `deprecated in v1.22, ${GONE} v1.25+`,
  storageos: `deprecated in v1.22, ${GONE} v1.25+`,
  quobyte: `deprecated in v1.22, ${GONE} v1.25+`,
  glusterfs: `deprecated in v1.25, ${GONE} v1.26+`,
  cephfs: `deprecated in v1.28, ${GONE} v1.31+`,
  rbd: `deprecated in v1.28, ${GONE} v1.31+`,
};

function podWarnings(pod: Target, spec: Target, path: string): string[] {
  const at = join(path, 'spec');
  const annotations = readPath(pod, ['metadata', 'annotations']) ?? {};
  const named = Object.entries(ANNOTATIONS).filter(([key]) => Object.hasOwn(annotations, key));
  const selector = isRecord(spec['nodeSelector']) ? Object.keys(spec['nodeSelector']) : [];
  const grace = spec['terminationGracePeriodSeconds'];
  return [
    ...selector
      .filter((key) => Object.hasOwn(NODE_LABELS, key))
      .map((key) => `${at}.nodeSelector[${key}]: ${NODE_LABELS[key]}`),
    ...spreadWarnings(spec, at),
    ...named.map(([key, message]) => `${join(path, 'metadata.annotations')}[${key}]: ${message}`),
    ...records(spec['volumes']).flatMap((volume, i) =>
      Object.entries(VOLUMES)
        .filter(([source]) => volume[source] !== undefined)
        .map(([source, message]) => `${at}.volumes[${i}].${source}: ${message}`),
    ),
    ...repeated(spec['hostAliases'], `${at}.hostAliases`, 'ip'),
    ...repeated(spec['imagePullSecrets'], `${at}.imagePullSecrets`, 'name'),
    ...records(spec['imagePullSecrets']).flatMap(({ name }, i) =>
      text(name) === '' ? [`${at}.imagePullSecrets[${i}].name: invalid empty name ""`] : [],
    ),
    ...containersOf(spec, at).flatMap(([container, field]) => [
      ...fractions(container, field),
      ...hiddenVariables(container, field),
    ]),
    ...portWarnings(spec, at),
    ...(typeof grace === 'number' && grace < 0
      ? [`${at}.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1`]
      : []),
    ...affinityWarnings(spec, `${at}.affinity`),
  ];
}

/** All containers with their fields: init containers first. */
function containersOf(spec: Target, at: string): (readonly [Target, string])[] {
  return ['initContainers', 'containers', 'ephemeralContainers'].flatMap((list) =>
    records(spec[list]).map((container, i) => [container, `${at}.${list}[${i}]`] as const),
  );
}

function spreadWarnings(spec: Target, at: string): string[] {
  return records(spec['topologySpreadConstraints']).flatMap(({ topologyKey, labelSelector }, i) => {
    const field = `${at}.topologySpreadConstraints[${i}]`;
    const key = text(topologyKey);
    return [
      ...(Object.hasOwn(NODE_LABELS, key) ? [`${field}.topologyKey: ${key} is ${NODE_LABELS[key]}`] : []),
      ...(labelSelector === undefined ? [`${field}.labelSelector: ${NO_SELECTOR}`] : []),
    ];
  });
}

const NO_SELECTOR = 'a null labelSelector results in matching no pod';

function affinityWarnings({ affinity }: Target, at: string): string[] {
  return ['podAffinity', 'podAntiAffinity'].flatMap((name) => {
    const [required, preferred] = ['required', 'preferred'].map(
      (how) => `${how}DuringSchedulingIgnoredDuringExecution`,
    );
    const terms = (how: string): Target[] => records(readPath(affinity, [name, how]));
    return [
      ...terms(required!).map((term, i) => [term, `${at}.${name}.${required}[${i}]`] as const),
      ...terms(preferred!).map(
        ({ podAffinityTerm: term }, i) =>
          [isRecord(term) ? term : {}, `${at}.${name}.${preferred}[${i}].podAffinityTerm`] as const,
      ),
    ]
      .filter(([term]) => term['labelSelector'] === undefined)
      .map(([, field]) => `${field}.labelSelector: ${NO_SELECTOR}`);
  });
}

function repeated(list: unknown, at: string, key: string): string[] {
  const values = records(list).map((item) => text(item[key]));
  return values.flatMap((value, i) =>
    values.indexOf(value) < i ? [`${at}[${i}].${key}: duplicate ${key} ${JSON.stringify(value)}`] : [],
  );
}

const WHOLE = 1_000_000_000n;

function fractions(container: Target, at: string): string[] {
  return ['memory', 'ephemeral-storage'].flatMap((name) =>
    ['limits', 'requests'].flatMap((list) => {
      const value = readPath(container, ['resources', list, name]);
      if (typeof value !== 'string' || nanosOf(value) % WHOLE === 0n) return [];
      const field = `${at}.resources.${list}[${name}]`;
      return [`${field}: fractional byte value ${JSON.stringify(value)} is invalid, must be an integer`];
    }),
  );
}

function hiddenVariables(container: Target, at: string): string[] {
  const seen = new Set<string>();
  return records(container['env']).flatMap(({ name, value, valueFrom }, i) => {
    const key = text(name);
    const isKnown = seen.has(key);
    seen.add(key);
    const reference = `$(${key})`;
    // One that builds on the former is meant.
    const builds = valueFrom === undefined && text(value).includes(reference) && value !== reference;
    if (!isKnown || builds) return [];
    const which = JSON.stringify(key);
    return [`${at}.env[${i}]: hides previous definition of ${which}, which may be dropped when using apply`];
  });
}

interface Port {
  readonly at: string;
  readonly key: string;
  readonly name: string;
  readonly hostIP: string;
  readonly hostPort: number;
}

function portWarnings(spec: Target, at: string): string[] {
  const ports = containersOf(spec, at).flatMap(([container, field]) =>
    records(container['ports']).map(
      (port, i): Port => ({
        at: `${field}.ports[${i}]`,
        key: `${String(port['containerPort'])}/${text(port['protocol'])}`,
        name: text(port['name']),
        hostIP: text(port['hostIP']),
        hostPort: typeof port['hostPort'] === 'number' ? port['hostPort'] : 0,
      }),
    ),
  );
  const clashes = ports.flatMap((port, i) =>
    ports
      .slice(0, i)
      .filter(({ key }) => key === port.key)
      .flatMap((other) => clash(port, other)),
  );
  const names = ports.flatMap((port, i) => {
    const other = port.name === '' ? undefined : ports.slice(0, i).find(({ name }) => name === port.name);
    if (other === undefined) return [];
    const uses = `services and probes that select ports by name will use ${other.at}`;
    return [`${port.at}: duplicate port name ${JSON.stringify(port.name)} with ${other.at}, ${uses}`];
  });
  return [...clashes, ...names];
}

function clash(port: Port, other: Port): string[] {
  const say = (what: string): string[] => [`${port.at}: ${what} port definition with ${other.at}`];
  if (port.hostIP === other.hostIP && port.hostPort === other.hostPort) return say('duplicate');
  if (port.hostPort === 0 || other.hostPort === 0) return say('overlapping');
  const isAmbiguous = port.hostPort === other.hostPort && (port.hostIP === '') !== (other.hostIP === '');
  return isAmbiguous ? say('dangerously ambiguous') : [];
}
