// Owns what a stored object is warned of although it is valid, in the API server's words. Pure.
import type { WriteRequest } from '../core.ts';
import type { KubeObject, ObjectMeta, OwnerReference } from '../object.ts';
import { kindWarnings } from '../schema/validation/warnings.ts';
import { labelProblems } from './names.ts';

/** Kinds whose names become the names of pods, by `group/Kind`. */
const NAMES_PODS: ReadonlySet<string> = new Set([
  'apps/Deployment',
  'apps/ReplicaSet',
  'batch/Job',
  'batch/CronJob',
  '/ReplicationController',
]);

/** Warnings of a create (`live` undefined) or a change. */
export function objectWarnings(
  { resource, subresource }: WriteRequest,
  next: KubeObject,
  live: KubeObject | undefined,
): string[] {
  if (resource.custom) return subresource === '' ? finalizerWarnings(next, live) : [];
  const kind = `${resource.group}/${resource.kind}`;
  const warnings = subresource === '' ? kindWarnings(kind, next, live) : [];
  return live === undefined ? [...nameWarnings(kind, next), ...warnings] : warnings;
}

function nameWarnings(kind: string, next: KubeObject): string[] {
  const used = NAMES_PODS.has(kind) ? 'Pod names and hostnames' : kind === '/Pod' ? "the Pod's hostname" : undefined;
  const problems = used === undefined ? [] : labelProblems(next.metadata.name);
  if (problems.length === 0) return [];
  const why = 'which can result in surprising behavior; a DNS label is recommended';
  return [`metadata.name: this is used in ${used}, ${why}: [${problems.join(' ')}]`];
}

/** Finalizers of custom resources should say whose they are. */
function finalizerWarnings(next: KubeObject, live: KubeObject | undefined): string[] {
  const before = live?.metadata.finalizers ?? [];
  const added = (next.metadata.finalizers ?? []).filter((name) => !before.includes(name) && !name.includes('/'));
  const standard = ['orphan', 'foregroundDeletion', 'kubernetes'];
  return [...new Set(added)]
    .filter((name) => !standard.includes(name))
    .sort()
    .map((name) => {
      const better = name.includes('.') ? 'name including a path (/)' : 'name';
      const why = `prefer a domain-qualified finalizer ${better} to avoid accidental conflicts with other finalizer writers`;
      return `metadata.finalizers: ${JSON.stringify(name)}: ${why}`;
    });
}

/** Drops references to an owner that is referred to already. Changes the metadata; returns warnings. */
export function dropRepeatedOwners(metadata: ObjectMeta): string[] {
  const owners = metadata.ownerReferences;
  if (owners === undefined || owners.length < 2) return [];
  const isFirst = ({ uid }: OwnerReference, i: number): boolean => owners.findIndex((other) => other.uid === uid) === i;
  const repeated = owners.filter((owner, i) => !isFirst(owner, i)).map(({ uid }) => uid);
  if (repeated.length === 0) return [];
  metadata.ownerReferences = owners.filter(isFirst);
  return [
    `.metadata.ownerReferences contains duplicate entries; API server dedups owner references in 1.20+, and may reject such requests as early as 1.24; please fix your requests; duplicate UID(s) observed: ${repeated.join(', ')}`,
  ];
}
