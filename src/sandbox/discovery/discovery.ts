// Owns discovery documents: the aggregated form and the older ones. Pure over the registry.
import { createHash } from 'node:crypto';
import { apiVersionOf, type Registry, type Resource, type ServedVersion } from '../registry.ts';

/** Resources of one group version, in order. */
function served(registry: Registry, group: string, version: string): { resource: Resource; version: ServedVersion }[] {
  return registry.inGroup(group).flatMap((resource) => {
    const found = resource.versions.get(version);
    return found ? [{ resource, version: found }] : [];
  });
}

/** Version names of a group, the preferred first: GA before beta before alpha, higher first. */
export function versionsOf(registry: Registry, group: string): string[] {
  const names = new Set(registry.inGroup(group).flatMap((resource) => [...resource.versions.keys()]));
  return [...names].sort(compareVersions);
}

/** Kubernetes' order of version names, best first. */
export function compareVersions(a: string, b: string): number {
  const rank = (name: string): readonly number[] => {
    const match = /^v(\d+)(?:(alpha|beta)(\d+))?$/.exec(name);
    if (match === null) return [3, 0, 0];
    return [match[2] === undefined ? 0 : match[2] === 'beta' ? 1 : 2, -Number(match[1]), -Number(match[3] ?? 0)];
  };
  const left = rank(a);
  const right = rank(b);
  for (let i = 0; i < left.length; i++) if (left[i] !== right[i]) return left[i]! - right[i]!;
  return a < b ? -1 : 1;
}

/** `APIGroupDiscoveryList` of /api (core group alone) or /apis. */
export function aggregatedDiscovery(registry: Registry, which: 'api' | 'apis'): Record<string, unknown> {
  const groups = registry.groups().filter((group) => (which === 'api') === (group === ''));
  return {
    kind: 'APIGroupDiscoveryList',
    apiVersion: 'apidiscovery.k8s.io/v2',
    metadata: {},
    items: groups.map((group) => ({
      metadata: group ? { name: group } : {},
      versions: versionsOf(registry, group).map((version) => ({
        version,
        resources: served(registry, group, version).map(({ resource }) => aggregatedResource(resource, group, version)),
        freshness: 'Current',
      })),
    })),
  };
}

/** Built-in resources leave out the group version that they stand under; custom ones repeat it. */
function responseKind(resource: Resource, kind: { group: string; version: string; kind: string }): typeof kind {
  const own = !resource.custom && kind.group === resource.group;
  return own ? { group: '', version: '', kind: kind.kind } : kind;
}

function aggregatedResource(resource: Resource, group: string, version: string): Record<string, unknown> {
  const subresources = [...(resource.subresources.get(version)?.values() ?? [])];
  return {
    resource: resource.plural,
    responseKind: responseKind(resource, { group, version, kind: resource.kind }),
    scope: resource.namespaced ? 'Namespaced' : 'Cluster',
    singularResource: resource.singular,
    verbs: resource.verbs,
    ...(resource.shortNames.length > 0 ? { shortNames: resource.shortNames } : {}),
    ...(resource.categories.length > 0 ? { categories: resource.categories } : {}),
    ...(subresources.length > 0
      ? {
          subresources: subresources.map((sub) => ({
            subresource: sub.name,
            responseKind: responseKind(resource, { group: sub.group, version: sub.version, kind: sub.kind }),
            verbs: sub.verbs,
          })),
        }
      : {}),
  };
}

/** `APIVersions` of /api. */
export function coreVersions(address: string): Record<string, unknown> {
  return {
    kind: 'APIVersions',
    versions: ['v1'],
    serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress: address }],
  };
}

/** `APIGroupList` of /apis. */
export function groupList(registry: Registry): Record<string, unknown> {
  const groups = registry.groups().filter((group) => group !== '');
  return { kind: 'APIGroupList', apiVersion: 'v1', groups: groups.map((group) => describeGroup(registry, group)) };
}

function describeGroup(registry: Registry, group: string): Record<string, unknown> {
  const versions = versionsOf(registry, group).map((version) => ({ groupVersion: `${group}/${version}`, version }));
  return { name: group, versions, preferredVersion: versions[0] };
}

/** `APIGroup` of /apis/GROUP; undefined for an unknown group. */
export function groupDocument(registry: Registry, group: string): Record<string, unknown> | undefined {
  if (group === '' || !registry.groups().includes(group)) return undefined;
  return { kind: 'APIGroup', apiVersion: 'v1', ...describeGroup(registry, group) };
}

/** `APIResourceList` of one group version; undefined for an unknown one. */
export function resourceList(registry: Registry, group: string, version: string): Record<string, unknown> | undefined {
  const rows = served(registry, group, version);
  if (rows.length === 0) return undefined;
  const resources = rows.flatMap(({ resource }) => [
    {
      name: resource.plural,
      singularName: resource.singular,
      namespaced: resource.namespaced,
      kind: resource.kind,
      verbs: resource.verbs,
      ...(resource.shortNames.length > 0 ? { shortNames: resource.shortNames } : {}),
      ...(resource.categories.length > 0 ? { categories: resource.categories } : {}),
      ...storageVersionHash(resource),
    },
    ...[...(resource.subresources.get(version)?.values() ?? [])].map((sub) => ({
      name: `${resource.plural}/${sub.name}`,
      singularName: '',
      namespaced: resource.namespaced,
      ...(sub.group === group && sub.version === version ? {} : { group: sub.group, version: sub.version }),
      kind: sub.kind,
      verbs: sub.verbs,
    })),
  ]);
  resources.sort((a, b) => (a.name < b.name ? -1 : 1));
  return {
    kind: 'APIResourceList',
    ...(group === '' ? {} : { apiVersion: 'v1' }),
    groupVersion: apiVersionOf(group, version),
    resources,
  };
}

/** Group and version that a kube-apiserver stores a kind in, where they are not those that it shows. */
const STORED_AS: Readonly<Record<string, string>> = {
  'events.k8s.io/Event': '/v1',
  'apiextensions.k8s.io/CustomResourceDefinition': 'apiextensions.k8s.io/v1beta1',
};

/** Tells clients when objects are stored anew; kinds that are not stored have none. */
function storageVersionHash({ group, storageVersion, kind, verbs }: Resource): { storageVersionHash?: string } {
  if (!verbs.includes('watch')) return {};
  const stored = STORED_AS[`${group}/${kind}`] ?? `${group}/${storageVersion}`;
  const text = `${stored}/${kind}`;
  return { storageVersionHash: createHash('sha256').update(text).digest().subarray(0, 8).toString('base64') };
}
