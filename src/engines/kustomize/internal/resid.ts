// Owns resource ids: group, version, kind, name and namespace, their text forms and how they compare.
// Which types are cluster-scoped is asked of scope.ts.

/** Group, version and kind; '' where unknown. */
export interface Gvk {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

/** Identity of a resource. `clusterScoped` is known for current ids only: earlier ids carry it in the namespace. */
export interface ResId extends Gvk {
  readonly name: string;
  readonly namespace: string;
  readonly clusterScoped: boolean;
}

/** The namespace that a cluster-scoped object has when ids are compared. */
export const NO_NAMESPACE = '_non_namespaceable_';
const DEFAULT_NAMESPACE = 'default';

/** `apps/v1` → group and version; without a slash all is the version. */
export function parseApiVersion(apiVersion: string): { readonly group: string; readonly version: string } {
  const slash = apiVersion.indexOf('/');
  if (slash < 0) return { group: '', version: apiVersion };
  return { group: apiVersion.slice(0, slash), version: apiVersion.slice(slash + 1) };
}

export function apiVersionOf(gvk: Gvk): string {
  return gvk.group === '' ? gvk.version : `${gvk.group}/${gvk.version}`;
}

/** `Deployment.v1.apps`, with `[noKind]`, `[noVer]`, `[noGrp]` for what is empty. */
export function formatGvk(gvk: Gvk): string {
  return `${gvk.kind || '[noKind]'}.${gvk.version || '[noVer]'}.${gvk.group || '[noGrp]'}`;
}

/** `Deployment.v1.apps/web.prod`; also for selectors, which are ids with holes. */
export function formatResId(id: Gvk & { readonly name: string; readonly namespace: string }): string {
  return `${formatGvk(id)}/${id.name || '[noName]'}.${id.namespace || '[noNs]'}`;
}

/** Go's `%#v` of an id, as the generator errors print it. */
export function formatResIdGo(id: ResId): string {
  const q = (text: string): string => JSON.stringify(text);
  return (
    `resid.ResId{Gvk:resid.Gvk{Group:${q(id.group)}, Version:${q(id.version)}, Kind:${q(id.kind)}, ` +
    `isClusterScoped:${id.clusterScoped}}, Name:${q(id.name)}, Namespace:${q(id.namespace)}}`
  );
}

export function effectiveNamespace(id: ResId): string {
  if (id.clusterScoped) return NO_NAMESPACE;
  return id.namespace || DEFAULT_NAMESPACE;
}

/** Text that two ids share exactly when they are equal: the name and the effective namespace count, not the raw one. */
export function resIdKey(id: ResId): string {
  return `${id.kind}\0${id.version}\0${id.group}\0${id.name}\0${effectiveNamespace(id)}`;
}

export function gvkEquals(a: Gvk, b: Gvk): boolean {
  return a.kind === b.kind && a.version === b.version && a.group === b.group;
}

/** Same effective namespace, gvk and name. */
export function resIdEquals(a: ResId, b: ResId): boolean {
  return a.name === b.name && gvkEquals(a, b) && effectiveNamespace(a) === effectiveNamespace(b);
}

/** True when every part that the selector names is the same. */
export function isSelectedByGvk(gvk: Gvk, selector: Gvk): boolean {
  return (
    (selector.kind === '' || selector.kind === gvk.kind) &&
    (selector.group === '' || selector.group === gvk.group) &&
    (selector.version === '' || selector.version === gvk.version)
  );
}

const ORDER_FIRST = [
  'Namespace',
  'ResourceQuota',
  'StorageClass',
  'CustomResourceDefinition',
  'ServiceAccount',
  'PodSecurityPolicy',
  'Role',
  'ClusterRole',
  'RoleBinding',
  'ClusterRoleBinding',
  'ConfigMap',
  'Secret',
  'Endpoints',
  'Service',
  'LimitRange',
  'PriorityClass',
  'PersistentVolume',
  'PersistentVolumeClaim',
  'Deployment',
  'StatefulSet',
  'CronJob',
  'PodDisruptionBudget',
];
const ORDER_LAST = ['MutatingWebhookConfiguration', 'ValidatingWebhookConfiguration'];

/** Kinds that sort before and after all others in the legacy order, and in lists of field specs. */
export const legacyOrder = { orderFirst: ORDER_FIRST, orderLast: ORDER_LAST } as const;

/** kind → rank: negative for the first ones, positive for the last ones; absent means 0. */
export function kindRanks(order: {
  readonly orderFirst: readonly string[];
  readonly orderLast: readonly string[];
}): ReadonlyMap<string, number> {
  const ranks = new Map<string, number>();
  for (const [index, kind] of order.orderFirst.entries()) ranks.set(kind, index - order.orderFirst.length);
  for (const [index, kind] of order.orderLast.entries()) ranks.set(kind, index + 1);
  return ranks;
}

const defaultRanks = kindRanks(legacyOrder);

/** Sort text of a gvk: `~G`, `~V`, `~K` stand for what is empty, so the core group comes after all others. */
export function gvkSortText(gvk: Gvk): string {
  return `${gvk.group || '~G'}_${gvk.version || '~V'}_${gvk.kind || '~K'}`;
}

/** Order of lists of field specs: rank of the kind, then the sort text by byte. */
export function compareGvk(a: Gvk, b: Gvk): number {
  const rank = (defaultRanks.get(a.kind) ?? 0) - (defaultRanks.get(b.kind) ?? 0);
  return rank !== 0 ? rank : compareText(gvkSortText(a), gvkSortText(b));
}

/** Byte order of UTF-8 texts. UTF-16 order differs only where surrogates meet U+E000-U+FFFF. */
export function compareText(a: string, b: string): number {
  if (a === b) return 0;
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x === y) continue;
    const xSurrogate = x >= 0xd800 && x <= 0xdfff;
    const ySurrogate = y >= 0xd800 && y <= 0xdfff;
    return xSurrogate === ySurrogate ? x - y : xSurrogate ? 1 : -1;
  }
  return a.length - b.length;
}
