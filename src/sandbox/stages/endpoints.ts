// Owns which pods stand behind a Service: its Endpoints and its EndpointSlice.
import { parseTime } from '../../lib/time.ts';
import { equalJson, type KubeObject } from '../object.ts';
import { type Key, ownKey, type StageContext, type StageController } from './loop.ts';
import { controllerReference, isControlledBy } from './ownership.ts';
import { compareText, generateName, isFinished, isReady } from './pod-template.ts';
import { matchesLabels } from './selector.ts';
import { compact } from './status.ts';
import { type Pod, RESOURCES } from './types.ts';

const TRIGGER_TIME = 'endpoints.kubernetes.io/last-change-trigger-time';
const SLICE_MANAGER = 'endpointslice-controller.k8s.io';

interface ServicePort {
  name?: string;
  port: number;
  targetPort?: number | string;
  protocol?: string;
  appProtocol?: string;
}

interface Service extends KubeObject {
  spec: {
    type?: string;
    selector?: Record<string, string>;
    ports?: readonly ServicePort[];
    publishNotReadyAddresses?: boolean;
    clusterIP?: string;
  };
}

export const endpoints: StageController = {
  name: 'endpoints',
  watches: [
    { resource: RESOURCES.services, keys: ownKey },
    { resource: RESOURCES.pods, keys: keysOfServices },
    { resource: RESOURCES.endpoints, keys: ownKey },
    { resource: RESOURCES.endpointSlices, keys: keyOfService },
  ],
  reconcile({ namespace, name }, context) {
    const service = context.store.get(RESOURCES.services, namespace, name) as Service | undefined;
    if (service === undefined) {
      removeEndpoints(context, namespace, name);
      return undefined;
    }
    const hasPods = service.spec.selector !== undefined && service.spec.type !== 'ExternalName';
    if (!hasPods || service.metadata.deletionTimestamp !== undefined) return undefined;
    const pods = context.store.list(RESOURCES.pods, { namespace, matchLabels: service.spec.selector ?? {} });
    const backends = (pods as readonly Pod[]).filter((pod) => pod.status?.podIP !== undefined && !isFinished(pod));
    const groups = groupByPorts(service, backends);
    writeEndpoints(context, service, groups);
    writeSlices(context, service, groups);
    return undefined;
  },
};

function keysOfServices(pod: KubeObject, { store }: StageContext): readonly Key[] {
  const namespace = pod.metadata.namespace ?? '';
  const services = store.list(RESOURCES.services, { namespace }) as readonly Service[];
  return services
    .filter(({ spec }) => spec.selector !== undefined && matchesLabels(spec.selector, pod.metadata.labels))
    .flatMap(ownKey);
}

function keyOfService({ metadata }: KubeObject): readonly Key[] {
  const name = metadata.labels?.['kubernetes.io/service-name'];
  return name === undefined ? [] : [{ namespace: metadata.namespace ?? '', name }];
}

interface Group {
  readonly ports: readonly { name: string; port: number; protocol: string; appProtocol?: string }[];
  readonly pods: readonly Pod[];
}

/** A named target port may be another number in each pod; pods with the same numbers go together. */
function groupByPorts(service: Service, pods: readonly Pod[]): Group[] {
  const groups = new Map<string, { ports: Group['ports']; pods: Pod[] }>();
  for (const pod of pods) {
    const ports = (service.spec.ports ?? []).flatMap((port) => {
      const number = targetPort(port, pod);
      if (number === undefined) return [];
      const { name = '', protocol = 'TCP', appProtocol } = port;
      return [{ name, port: number, protocol, ...(appProtocol === undefined ? {} : { appProtocol }) }];
    });
    const key = JSON.stringify(ports);
    const group = groups.get(key) ?? { ports, pods: [] };
    group.pods.push(pod);
    groups.set(key, group);
  }
  return [...groups.values()];
}

function targetPort({ port, targetPort: target, protocol = 'TCP' }: ServicePort, pod: Pod): number | undefined {
  if (target === undefined || target === 0) return port;
  if (typeof target === 'number') return target;
  const ports = pod.spec.containers.flatMap((container) => container.ports ?? []);
  return ports.find((candidate) => candidate.name === target && (candidate.protocol ?? 'TCP') === protocol)
    ?.containerPort;
}

function isServing(service: Service, pod: Pod): boolean {
  return service.spec.publishNotReadyAddresses === true || isReady(pod);
}

function targetRef(pod: Pod): object {
  const { name, namespace, uid } = pod.metadata;
  return { kind: 'Pod', name, namespace, uid };
}

function writeEndpoints(context: StageContext, service: Service, groups: readonly Group[]): void {
  const { store } = context;
  const { name, namespace = '' } = service.metadata;
  const subsets = groups.map((group) => subset(service, group)).filter((entry) => entry !== undefined);
  const live = store.get(RESOURCES.endpoints, namespace, name);
  const labels = {
    ...service.metadata.labels,
    'endpoints.kubernetes.io/managed-by': 'endpoint-controller',
    ...(service.spec.clusterIP === 'None' ? { 'service.kubernetes.io/headless': '' } : {}),
  };
  if (live !== undefined && equalJson(live['subsets'] ?? [], subsets) && equalJson(live.metadata.labels, labels))
    return;
  const annotations = { ...live?.metadata.annotations, [TRIGGER_TIME]: triggerTime(service, groups) };
  const wanted: KubeObject = {
    apiVersion: 'v1',
    kind: 'Endpoints',
    ...live,
    metadata: { ...live?.metadata, name, namespace, labels, annotations },
    ...(subsets.length > 0 ? { subsets } : {}),
  };
  if (subsets.length === 0) delete wanted['subsets'];
  if (live === undefined) store.create(RESOURCES.endpoints, wanted);
  else store.update(RESOURCES.endpoints, wanted);
}

function subset(service: Service, { ports, pods }: Group): object | undefined {
  const address = (pod: Pod) => ({
    ip: pod.status?.podIP ?? '',
    ...(isNamed(service, pod) ? { hostname: pod.spec.hostname } : {}),
    nodeName: pod.spec.nodeName,
    targetRef: targetRef(pod),
  });
  const live = pods.filter((pod) => pod.metadata.deletionTimestamp === undefined);
  const byAddress = (list: readonly Pod[]) => list.map(address).sort((a, b) => compareText(a.ip, b.ip));
  const ready = byAddress(live.filter((pod) => isServing(service, pod)));
  const unready = byAddress(live.filter((pod) => !isServing(service, pod)));
  if (ready.length + unready.length === 0) return undefined;
  return {
    ...(ready.length > 0 ? { addresses: ready } : {}),
    ...(unready.length > 0 ? { notReadyAddresses: unready } : {}),
    ...(ports.length > 0 ? { ports: ports.map(({ name, ...port }) => (name === '' ? port : { name, ...port })) } : {}),
  };
}

/** A pod of a StatefulSet has a name of its own under its headless Service. */
function isNamed(service: Service, { spec }: Pod): boolean {
  return spec.hostname !== undefined && spec.subdomain === service.metadata.name;
}

function writeSlices(context: StageContext, service: Service, groups: readonly Group[]): void {
  const { store } = context;
  const { name, namespace = '' } = service.metadata;
  const own = { 'kubernetes.io/service-name': name, 'endpointslice.kubernetes.io/managed-by': SLICE_MANAGER };
  const live = store
    .list(RESOURCES.endpointSlices, { namespace, matchLabels: own })
    .filter((slice) => isControlledBy(slice, service));
  // A Service without pods still has one slice, with neither ports nor endpoints.
  const wanted = groups.length > 0 ? groups : [{ ports: [], pods: [] }];
  const labels = {
    ...service.metadata.labels,
    ...own,
    ...(service.spec.clusterIP === 'None' ? { 'service.kubernetes.io/headless': '' } : {}),
  };
  const annotations = { [TRIGGER_TIME]: triggerTime(service, groups) };
  for (const [index, group] of wanted.entries()) {
    const content = {
      endpoints: group.pods.map((pod) => endpoint(service, pod)),
      ports: group.ports.length > 0 ? group.ports : null,
    };
    const slice = live[index];
    if (slice === undefined) {
      const base = `${name}-`;
      store.create(RESOURCES.endpointSlices, {
        apiVersion: 'discovery.k8s.io/v1',
        kind: 'EndpointSlice',
        metadata: {
          name: generateName(base),
          generateName: base,
          namespace,
          labels,
          annotations,
          ownerReferences: [controllerReference(service)],
        },
        addressType: 'IPv4',
        ...content,
      });
    } else if (
      !equalJson(slice['endpoints'] ?? [], content.endpoints) ||
      !equalJson(slice['ports'] ?? null, content.ports) ||
      !equalJson(slice.metadata.labels, labels)
    ) {
      store.update(RESOURCES.endpointSlices, {
        ...slice,
        metadata: { ...slice.metadata, labels, annotations },
        ...content,
      });
    }
  }
  for (const surplus of live.slice(wanted.length)) {
    store.delete(RESOURCES.endpointSlices, namespace, surplus.metadata.name);
  }
}

function endpoint(service: Service, pod: Pod): object {
  const terminating = pod.metadata.deletionTimestamp !== undefined;
  const serving = isServing(service, pod);
  return compact({
    addresses: [pod.status?.podIP ?? ''],
    conditions: { ready: serving && !terminating, serving, terminating },
    hostname: isNamed(service, pod) ? pod.spec.hostname : undefined,
    nodeName: pod.spec.nodeName,
    targetRef: targetRef(pod),
  });
}

/** When the newest change happened that the endpoints answer to. */
function triggerTime(service: Service, groups: readonly Group[]): string {
  const times = [service.metadata.creationTimestamp ?? ''];
  for (const { pods } of groups) {
    for (const { status } of pods) {
      times.push(status?.conditions?.find(({ type }) => type === 'Ready')?.lastTransitionTime ?? '');
    }
  }
  return times.sort((a, b) => (parseTime(a) ?? 0) - (parseTime(b) ?? 0)).at(-1) ?? '';
}

function removeEndpoints({ store }: StageContext, namespace: string, name: string): void {
  const live = store.get(RESOURCES.endpoints, namespace, name);
  if (live?.metadata.labels?.['endpoints.kubernetes.io/managed-by'] !== 'endpoint-controller') return;
  store.delete(RESOURCES.endpoints, namespace, name);
}
