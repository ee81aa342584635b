// Owns the fake scheduler and kubelet: puts pods on a node, takes them through the stages of pod-stages.ts, and removes
// those that are to go.
import { formatTime } from '../../lib/time.ts';
import { type Key, ownKey, type StageContext, type StageController } from './loop.ts';
import { findPodStage } from './pod-stages.ts';
import { isFinished, nodeNameOf } from './pod-template.ts';
import { matchesLabels } from './selector.ts';
import { findCondition, writeStatus } from './status.ts';
import { type Condition, type Pod, type PodStatus, RESOURCES } from './types.ts';

const SCHEDULER = 'default-scheduler';
const HOST_IP = '127.0.0.1';

/** Makes the pod controller. It hands out addresses of 10.244.0.0/16 and remembers which are taken. */
export function createPods(): StageController {
  const addresses = createAddresses();
  return {
    name: 'pods',
    watches: [
      {
        resource: RESOURCES.pods,
        keys(object, { store }) {
          const pod = object as Pod;
          const live = store.get(RESOURCES.pods, pod.metadata.namespace ?? '', pod.metadata.name);
          const isGone = live?.metadata.uid !== pod.metadata.uid;
          if (pod.status?.podIP !== undefined) addresses[isGone ? 'release' : 'take'](pod.status.podIP);
          return ownKey(object);
        },
      },
      { resource: RESOURCES.nodes, keys: keysOfWaitingPods },
    ],
    reconcile({ namespace, name }, context) {
      const pod = context.store.get(RESOURCES.pods, namespace, name) as Pod | undefined;
      if (pod === undefined) return undefined;
      if (pod.metadata.deletionTimestamp !== undefined) remove(context, pod);
      else if (pod.spec.nodeName !== undefined) live(context, pod, addresses.next);
      else if (!isFinished(pod) && isOurs(pod)) schedule(context, pod);
      return undefined;
    },
  };
}

function keysOfWaitingPods(_node: unknown, { store }: StageContext): readonly Key[] {
  const pods = store.list(RESOURCES.pods) as readonly Pod[];
  return pods.filter((pod) => pod.spec.nodeName === undefined || pod.status?.phase === 'Pending').flatMap(ownKey);
}

/** The containers end at once, so nothing keeps the pod but finalizers; those are others' business. */
function remove(context: StageContext, pod: Pod): void {
  const { namespace = '', name, finalizers = [] } = pod.metadata;
  if (finalizers.length > 0 && pod.metadata.deletionGracePeriodSeconds === 0) return;
  context.store.delete(RESOURCES.pods, namespace, name, { gracePeriodSeconds: 0, uid: pod.metadata.uid ?? '' });
}

/** A pod that names another scheduler waits for it. */
function isOurs({ spec }: Pod): boolean {
  return (spec['schedulerName'] ?? SCHEDULER) === SCHEDULER;
}

function live(context: StageContext, pod: Pod, nextAddress: () => string): void {
  // Nobody runs pods of a node that does not exist.
  if (context.store.get(RESOURCES.nodes, '', pod.spec.nodeName ?? '') === undefined) return;
  const stage = findPodStage(pod);
  if (stage === undefined) return;
  const podIP = pod.status?.podIP ?? (pod.spec.hostNetwork === true ? HOST_IP : nextAddress());
  const status = stage.next(pod, { now: context.clock.now(), hostIP: HOST_IP, podIP });
  writeStatus(context, RESOURCES.pods, pod, status, 'kubelet');
  const { event } = stage;
  if (event !== undefined) context.events.record('kubelet', pod, event.type, event.reason, event.message);
}

function schedule(context: StageContext, pod: Pod): void {
  if ((pod.spec.schedulerName ?? SCHEDULER) !== SCHEDULER) return;
  const { namespace = '', name } = pod.metadata;
  if ((pod.spec.schedulingGates ?? []).length > 0) {
    const message = 'Scheduling is blocked due to non-empty scheduling gates';
    setScheduled(context, pod, { status: 'False', reason: 'SchedulingGated', message });
    return;
  }
  const nodes = context.store.list(RESOURCES.nodes);
  const pinned = nodeNameOf(pod);
  const node = nodes.find(
    ({ metadata }) =>
      matchesLabels(pod.spec.nodeSelector, metadata.labels) && (pinned === undefined || pinned === metadata.name),
  );
  if (node === undefined) {
    const count = nodes.length;
    const why = count === 0 ? '' : `: ${count} node(s) didn't match Pod's node affinity/selector`;
    const message = `0/${count} nodes are available${why}.`;
    if (setScheduled(context, pod, { status: 'False', reason: 'Unschedulable', message })) {
      context.events.record(SCHEDULER, pod, 'Warning', 'FailedScheduling', message, 'Scheduling');
    }
    return;
  }
  const status = withScheduled(context, pod, { status: 'True' });
  const bound = { ...pod, spec: { ...pod.spec, nodeName: node.metadata.name }, status };
  context.store.update(RESOURCES.pods, bound, { subresource: 'binding', manager: 'kube-scheduler' });
  const message = `Successfully assigned ${namespace}/${name} to ${node.metadata.name}`;
  context.events.record(SCHEDULER, pod, 'Normal', 'Scheduled', message, 'Binding');
}

/** Returns whether the condition was another one before. */
function setScheduled(context: StageContext, pod: Pod, wanted: Omit<Condition, 'type'>): boolean {
  const former = findCondition(pod.status?.conditions, 'PodScheduled');
  if (former?.status === wanted.status && former.message === wanted.message) return false;
  writeStatus(context, RESOURCES.pods, pod, withScheduled(context, pod, wanted), 'kube-scheduler');
  return true;
}

function withScheduled(context: StageContext, pod: Pod, wanted: Omit<Condition, 'type'>): PodStatus {
  const others = (pod.status?.conditions ?? []).filter(({ type }) => type !== 'PodScheduled');
  const lastTransitionTime = formatTime(context.clock.now());
  const condition: Condition = { type: 'PodScheduled', lastProbeTime: null, lastTransitionTime, ...wanted };
  return { ...pod.status, phase: pod.status?.phase ?? 'Pending', conditions: [...others, condition] };
}

function createAddresses() {
  const taken = new Set<string>();
  let last = 0;
  return {
    take: (address: string) => void taken.add(address),
    release: (address: string) => void taken.delete(address),
    next: () => {
      for (let tried = 0; tried < 65_000; tried++) {
        last = (last % 65_000) + 1;
        const address = `10.244.${last >> 8}.${last & 255}`;
        if (taken.has(address)) continue;
        taken.add(address);
        return address;
      }
      throw new Error('all pod addresses are taken');
    },
  };
}
