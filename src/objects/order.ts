// Owns the order in which objects of one stage are applied (flux.md §4.8). Stages are plan/stages.ts.
import { groupOf, type Manifest, namespaceOf } from './manifest.ts';

const FIRST = [
  'CustomResourceDefinition',
  'Namespace',
  'ClusterRole',
  'ClusterClass',
  'RuntimeClass',
  'PriorityClass',
  'StorageClass',
  'VolumeSnapshotClass',
  'IngressClass',
  'GatewayClass',
  'ClusterRoleBinding',
  'ResourceQuota',
  'ServiceAccount',
  'Role',
  'RoleBinding',
  'ConfigMap',
  'Secret',
  'Service',
  'LimitRange',
  'Deployment',
  'StatefulSet',
  'CronJob',
  'PodDisruptionBudget',
] as const;
const LAST = ['MutatingWebhookConfiguration', 'ValidatingWebhookConfiguration'] as const;

const rank = new Map<string, number>([
  ...FIRST.map((kind, index) => [kind, index - FIRST.length] as const),
  ...LAST.map((kind, index) => [kind, index + 1] as const),
]);

/** Compares two objects by kind (ranked without its group), then group, kind, namespace and name in byte order. */
export function compareForApply(a: Manifest, b: Manifest): number {
  return (
    (rank.get(a.kind) ?? 0) - (rank.get(b.kind) ?? 0) ||
    compareText(groupOf(a.apiVersion), groupOf(b.apiVersion)) ||
    compareText(a.kind, b.kind) ||
    compareText(namespaceOf(a), namespaceOf(b)) ||
    compareText(a.metadata.name, b.metadata.name)
  );
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
