// Owns what is made from a pod template: its hash, pods, and the judgement whether two templates are the same.
import { randomInt } from 'node:crypto';
import { parseTime } from '../../lib/time.ts';
import { cloneObject, equalJson, type KubeObject, type OwnerReference } from '../object.ts';
import { findCondition } from './status.ts';
import type { Labels, Pod, PodTemplate } from './types.ts';

export const POD_TEMPLATE_HASH = 'pod-template-hash';

/** Letters that cannot form a word by accident, as Kubernetes uses them in generated names. */
const SAFE = 'bcdfghjklmnpqrstvwxz2456789';

/**
 * A short stable hash of a template: FNV-1a over its JSON with sorted keys. The real one is taken over Go's memory
 * layout, so the letters differ from a real cluster's; their form does not.
 */
export function hashTemplate(template: object, collisionCount?: number): string {
  const text = canonicalJson(template) + (collisionCount === undefined ? '' : `#${collisionCount}`);
  return safeEncode(String(fnv32a(text)));
}

/** Maps every letter onto the safe ones. */
export function safeEncode(text: string): string {
  let out = '';
  for (let i = 0; i < text.length; i++) out += SAFE[text.charCodeAt(i) % SAFE.length];
  return out;
}

/** `base` with five random letters, cut so that the name stays within 63. */
export function generateName(base: string): string {
  let suffix = '';
  for (let i = 0; i < 5; i++) suffix += SAFE[randomInt(SAFE.length)];
  return base.slice(0, 63 - suffix.length) + suffix;
}

function fnv32a(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}

function canonicalJson(value: unknown): string {
  if (typeof value === 'bigint') return String(value);
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  const fields = Object.entries(value).filter(([, field]) => field !== undefined);
  fields.sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${fields.map(([key, field]) => `${JSON.stringify(key)}:${canonicalJson(field)}`).join(',')}}`;
}

/** Whether two templates ask for the same pods; the hash label does not count. */
export function isSameTemplate(a: PodTemplate, b: PodTemplate): boolean {
  return equalJson(withoutHash(a), withoutHash(b));
}

/** The template without the hash label. */
export function withoutHash(template: PodTemplate): PodTemplate {
  const { [POD_TEMPLATE_HASH]: _, ...labels } = template.metadata?.labels ?? {};
  const { labels: __, ...metadata } = template.metadata ?? {};
  return { ...template, metadata: Object.keys(labels).length > 0 ? { ...metadata, labels } : metadata };
}

/** A pod of the template, owned by its controller. `extra` labels win over the template's. */
export function podFromTemplate(
  template: PodTemplate,
  owner: KubeObject,
  reference: OwnerReference,
  naming: { readonly name: string; readonly generateName?: string },
  extra: { readonly labels?: Labels; readonly annotations?: Labels; readonly finalizers?: readonly string[] } = {},
): Pod {
  const labels = { ...template.metadata?.labels, ...extra.labels };
  const annotations = { ...template.metadata?.annotations, ...extra.annotations };
  const finalizers = [...(template.metadata?.finalizers ?? []), ...(extra.finalizers ?? [])];
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      ...naming,
      ...(owner.metadata.namespace === undefined ? {} : { namespace: owner.metadata.namespace }),
      ...(Object.keys(labels).length > 0 ? { labels } : {}),
      ...(Object.keys(annotations).length > 0 ? { annotations } : {}),
      ...(finalizers.length > 0 ? { finalizers } : {}),
      ownerReferences: [reference],
    },
    spec: cloneObject(template.spec),
  };
}

/** The node that a pod runs on, or that its affinity names: so DaemonSets tell the scheduler where a pod belongs. */
export function nodeNameOf({ spec }: Pod): string | undefined {
  if (spec.nodeName !== undefined) return spec.nodeName;
  const affinity = spec['affinity'] as NodeAffinity | undefined;
  const [term] = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
  return term?.matchFields?.find(({ key }) => key === 'metadata.name')?.values[0];
}

interface NodeAffinity {
  nodeAffinity?: {
    requiredDuringSchedulingIgnoredDuringExecution?: {
      nodeSelectorTerms: readonly { matchFields?: readonly { key: string; values: readonly string[] }[] }[];
    };
  };
}

/** Neither finished nor on its way out. */
export function isActive(pod: Pod): boolean {
  return !isFinished(pod) && pod.metadata.deletionTimestamp === undefined;
}

export function isFinished(pod: Pod): boolean {
  return pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
}

export function isReady(pod: Pod): boolean {
  return findCondition(pod.status?.conditions, 'Ready')?.status === 'True';
}

/** Milliseconds until a ready pod counts as available: 0 when it does, undefined when it is not ready. */
export function availableIn(pod: Pod, minReadySeconds: number, now: number): number | undefined {
  const ready = findCondition(pod.status?.conditions, 'Ready');
  if (ready?.status !== 'True') return undefined;
  const since = parseTime(ready.lastTransitionTime ?? undefined);
  if (minReadySeconds === 0) return 0;
  if (since === undefined) return undefined;
  return Math.max(0, since + minReadySeconds * 1000 - now);
}

/** Order of removal: what is worth least goes first. */
export function byWorth(a: Pod, b: Pod): number {
  return (
    Number(a.spec.nodeName !== undefined) - Number(b.spec.nodeName !== undefined) ||
    phaseRank(a) - phaseRank(b) ||
    Number(isReady(a)) - Number(isReady(b)) ||
    deletionCost(a) - deletionCost(b) ||
    // Younger before older; the resource version tells apart what the same second made.
    compareText(b.metadata.creationTimestamp ?? '', a.metadata.creationTimestamp ?? '') ||
    Number(b.metadata.resourceVersion ?? 0) - Number(a.metadata.resourceVersion ?? 0)
  );
}

function phaseRank(pod: Pod): number {
  return ['Pending', 'Unknown', 'Running'].indexOf(pod.status?.phase ?? 'Pending');
}

function deletionCost(pod: Pod): number {
  const cost = Number(pod.metadata.annotations?.['controller.kubernetes.io/pod-deletion-cost'] ?? 0);
  return Number.isInteger(cost) ? cost : 0;
}

export function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
