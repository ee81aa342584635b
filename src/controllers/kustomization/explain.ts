// Owns the reasons behind an unhealthy object that its own status does not tell: the waiting reason of a pod, the
// message of a failed Job, a quota that refused a pod (lockstep.md: health messages that say why).
import type { KubeObject } from '../../api/meta/object.ts';
import { asManifest } from '../../apply/dry-run.ts';
import type { DynamicClient } from '../../cluster/client.ts';
import { conditionOf, fieldAt, textAt } from '../../health/fields.ts';
import { waitingReason } from '../../health/kinds/pods.ts';
import { isJsonObject, type JsonObject } from '../../lib/json.ts';
import { type Manifest, ownerReferencesOf } from '../../objects/manifest.ts';
import type { HealthTarget } from './types.ts';

const WORKLOADS = new Set(['Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet', 'Job']);
/** Kinds of which only events tell why they are not ready. */
const TOLD_BY_EVENTS = new Set(['PersistentVolumeClaim', 'Service']);
const MOST = 5;

/** Sentences that say why targets are not healthy; empty when nothing more is known. Never throws but for an abort. */
export async function explainHealth(
  client: DynamicClient,
  targets: readonly HealthTarget[],
  signal: AbortSignal,
): Promise<readonly string[]> {
  const found: string[] = [];
  for (const target of targets) {
    if (found.length >= MOST) break;
    const { kind } = target.reference;
    try {
      const reasons = WORKLOADS.has(kind) ? await explainWorkload(client, target, signal) : [];
      const isTold = WORKLOADS.has(kind) || TOLD_BY_EVENTS.has(kind);
      found.push(...(reasons.length > 0 || !isTold ? reasons : await lastWarning(client, target, signal)));
    } catch {
      // Whoever may apply need not be allowed to read pods: the verdict stands without the reason.
      signal.throwIfAborted();
    }
  }
  return [...new Set(found)].slice(0, MOST);
}

async function explainWorkload(client: DynamicClient, target: HealthTarget, signal: AbortSignal): Promise<string[]> {
  const { namespace, ...reference } = target.reference;
  const found = await client.find({ ...reference, namespace }, { signal });
  if (found === undefined) return [];
  const workload = asManifest(found);
  const quota = conditionOf(workload, 'ReplicaFailure');
  const reasons = quota?.status === 'True' ? [`${target.id}: ${quota.message}`] : [];
  const selector = selectorOf(workload);
  if (selector === undefined) return reasons;
  const { items } = await client.list<KubeObject>(
    { apiVersion: 'v1', kind: 'Pod' },
    { namespace, labelSelector: selector, signal },
  );
  for (const pod of items.map(asManifest)) {
    if (!isOwned(pod)) continue;
    const why = waitingReason(pod) ?? unschedulable(pod) ?? failed(pod);
    if (why !== undefined) reasons.push(`Pod/${namespace}/${pod.metadata.name}: ${why}`);
    if (reasons.length >= MOST) break;
  }
  return reasons;
}

/** The newest warning about an object, such as a quota that let its controller make no pod. */
async function lastWarning(client: DynamicClient, target: HealthTarget, signal: AbortSignal): Promise<string[]> {
  const { namespace, kind, name } = target.reference;
  const fieldSelector = `involvedObject.kind=${kind},involvedObject.name=${name},type=Warning`;
  const { items } = await client.list<KubeObject>(
    { apiVersion: 'v1', kind: 'Event' },
    { namespace, fieldSelector, signal },
  );
  const timeOf = (event: JsonObject): string => textAt(event, 'lastTimestamp') || textAt(event, 'eventTime');
  const newest = items
    .map((item) => asManifest(item))
    .reduce<Manifest | undefined>(
      (last, event) => (last === undefined || timeOf(event) >= timeOf(last) ? event : last),
      undefined,
    );
  return newest === undefined ? [] : [`${target.id}: ${textAt(newest, 'reason')}: ${textAt(newest, 'message')}`];
}

function isOwned(pod: Manifest): boolean {
  return ownerReferencesOf(pod).length > 0;
}

function unschedulable(pod: JsonObject): string | undefined {
  const scheduled = conditionOf(pod, 'PodScheduled');
  return scheduled?.status === 'False' ? `${scheduled.reason}: ${scheduled.message}` : undefined;
}

function failed(pod: JsonObject): string | undefined {
  if (textAt(pod, 'status', 'phase') !== 'Failed') return undefined;
  return [textAt(pod, 'status', 'reason'), textAt(pod, 'status', 'message')].filter(Boolean).join(': ') || 'Failed';
}

/** The labels of a workload's pods as a selector; undefined when it has none that can be written so. */
function selectorOf(workload: JsonObject): string | undefined {
  const labels = fieldAt(workload, 'spec', 'selector', 'matchLabels');
  if (!isJsonObject(labels)) return undefined;
  const parts = Object.entries(labels).map(([key, value]) => `${key}=${String(value)}`);
  return parts.length === 0 ? undefined : parts.join(',');
}
