// Owns the table cells of Services, endpoints, Ingresses and the like.
import type { KubeObject } from '../object.ts';
import { age, type CellsOf, formatLabels, formatSelector, shortList } from './text.ts';

interface Balancer {
  ingress?: readonly { ip?: string; hostname?: string }[];
}

function balancerText(balancer: Balancer | undefined): string {
  const names = (balancer?.ingress ?? []).map(({ ip, hostname }) => ip || hostname || '').filter((name) => name !== '');
  return [...new Set(names)].sort().join(',');
}

interface Service extends KubeObject {
  spec: {
    type?: string;
    clusterIPs?: readonly string[];
    externalIPs?: readonly string[];
    externalName?: string;
    ports?: readonly { port: number; nodePort?: number; protocol?: string }[];
    selector?: Record<string, string>;
  };
  status?: { loadBalancer?: Balancer };
}

const services: CellsOf = (object, now) => {
  const { metadata, spec } = object as Service;
  const ports = (spec.ports ?? []).map(
    ({ port, nodePort, protocol }) => `${port}${nodePort ? `:${nodePort}` : ''}/${protocol ?? 'TCP'}`,
  );
  return [
    metadata.name,
    spec.type ?? '',
    spec.clusterIPs?.[0] ?? '<none>',
    externalIp(object as Service),
    ports.length > 0 ? ports.join(',') : '<none>',
    age(object, now),
    formatLabels(spec.selector),
  ];
};

function externalIp({ spec, status }: Service): string {
  const given = (spec.externalIPs ?? []).join(',');
  switch (spec.type) {
    case 'ClusterIP':
    case 'NodePort':
      return given || '<none>';
    case 'LoadBalancer':
      return [balancerText(status?.loadBalancer), given].filter((text) => text !== '').join(',') || '<pending>';
    case 'ExternalName':
      return spec.externalName ?? '';
    default:
      return '<unknown>';
  }
}

interface Endpoints extends KubeObject {
  subsets?: readonly { addresses?: readonly { ip: string }[]; ports?: readonly { port: number }[] }[];
}

const endpoints: CellsOf = (object, now) => {
  const { metadata, subsets = [] } = object as Endpoints;
  const all = subsets.flatMap(({ addresses = [], ports = [] }) => {
    if (ports.length === 0) return addresses.map(({ ip }) => ip);
    return ports.flatMap(({ port }) =>
      addresses.map(({ ip }) => (ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`)),
    );
  });
  // Subsets without a ready address show as nothing, no subsets at all as <none>.
  return [metadata.name, shortList(all, 3, subsets.length === 0 ? '<none>' : ''), age(object, now)];
};

interface EndpointSlice extends KubeObject {
  addressType: string;
  ports?: readonly { port?: number; name?: string }[] | null;
  endpoints?: readonly { addresses: readonly string[] }[] | null;
}

const endpointSlices: CellsOf = (object, now) => {
  const slice = object as EndpointSlice;
  const ports = (slice.ports ?? []).map(({ port, name }) => (port === undefined ? (name ?? '*') : String(port)));
  const addresses = (slice.endpoints ?? []).flatMap((endpoint) => endpoint.addresses);
  return [
    slice.metadata.name,
    slice.addressType,
    shortList(ports, 3, '<unset>'),
    shortList(addresses, 3, '<unset>'),
    age(object, now),
  ];
};

interface Ingress extends KubeObject {
  spec: { ingressClassName?: string; rules?: readonly { host?: string }[]; tls?: readonly unknown[] };
  status?: { loadBalancer?: Balancer };
}

const ingresses: CellsOf = (object, now) => {
  const { metadata, spec, status } = object as Ingress;
  return [
    metadata.name,
    spec.ingressClassName ?? '<none>',
    hosts(spec.rules ?? []),
    balancerText(status?.loadBalancer),
    (spec.tls ?? []).length > 0 ? '80, 443' : '80',
    age(object, now),
  ];
};

/** Three hosts are shown; rules without one take none of the places, but count among the rest. */
function hosts(rules: readonly { host?: string }[]): string {
  const shown: string[] = [];
  for (const { host } of rules) {
    if (shown.length === 3) return `${shown.join(',')} + ${rules.length - 3} more...`;
    if (host) shown.push(host);
  }
  return shown.length > 0 ? shown.join(',') : '*';
}

interface IngressClass extends KubeObject {
  spec: { controller?: string; parameters?: { kind: string; apiGroup?: string; name: string } };
}

const ingressClasses: CellsOf = (object, now) => {
  const { metadata, spec } = object as IngressClass;
  const isDefault = metadata.annotations?.['ingressclass.kubernetes.io/is-default-class'] === 'true';
  const { parameters } = spec;
  const group = parameters?.apiGroup === undefined ? '' : `.${parameters.apiGroup}`;
  return [
    isDefault ? `${metadata.name} (default)` : metadata.name,
    spec.controller ?? '',
    parameters === undefined ? '<none>' : `${parameters.kind}${group}/${parameters.name}`,
    age(object, now),
  ];
};

const ipAddresses: CellsOf = (object, now) => {
  const { parentRef } = object['spec'] as {
    parentRef?: { group?: string; resource: string; namespace?: string; name: string };
  };
  const resource = parentRef && (parentRef.group ? `${parentRef.resource}.${parentRef.group}` : parentRef.resource);
  const parent = parentRef && [resource?.toLowerCase(), parentRef.namespace, parentRef.name].filter(Boolean).join('/');
  // The age has no column of its own; the real server sends it all the same.
  return [object.metadata.name, parent ?? '<none>', age(object, now)];
};

const networkPolicies: CellsOf = (object, now) => {
  const { podSelector } = object['spec'] as { podSelector?: object };
  return [object.metadata.name, formatSelector(podSelector), age(object, now)];
};

const serviceCidrs: CellsOf = (object, now) => {
  const { cidrs = [] } = object['spec'] as { cidrs?: readonly string[] };
  return [object.metadata.name, cidrs.join(','), age(object, now)];
};

export const networkCells: Readonly<Record<string, CellsOf>> = {
  '/endpoints': endpoints,
  '/services': services,
  'discovery.k8s.io/endpointslices': endpointSlices,
  'networking.k8s.io/ingressclasses': ingressClasses,
  'networking.k8s.io/ingresses': ingresses,
  'networking.k8s.io/ipaddresses': ipAddresses,
  'networking.k8s.io/networkpolicies': networkPolicies,
  'networking.k8s.io/servicecidrs': serviceCidrs,
};
