// Owns how a pod lives on a fake node, as a table: the first row that fits a pod gives its next status. The kwok.yaml of
// test/cluster plays the same rules on a real API server; keep the two alike. Pure; pods.ts applies it.
import { createHash } from 'node:crypto';
import { formatTime } from '../../lib/time.ts';
import { isFinished } from './pod-template.ts';
import { findCondition } from './status.ts';
import type { Condition, Container, Pod, PodStatus } from './types.ts';

export interface PodStage {
  readonly name: string;
  fits(pod: Pod): boolean;
  next(pod: Pod, facts: PodFacts): PodStatus;
  readonly event?: { readonly type: 'Normal' | 'Warning'; readonly reason: string; readonly message: string };
}

export interface PodFacts {
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly podIP: string;
  readonly hostIP: string;
}

/** Images that no registry has: the pod waits in ImagePullBackOff. */
const BAD_IMAGE = /does-not-exist|:(bad|broken)$/;
/** Images whose program ends with an error, where it is one that ends. */
const FAILING_IMAGE = /fail/;

export const podStages: readonly PodStage[] = [
  {
    name: 'pod-image-pull-back-off',
    fits: (pod) => isStarting(pod) && hasBadImage(pod) && pod.status?.containerStatuses === undefined,
    next: imagePullBackOff,
    event: { type: 'Warning', reason: 'Failed', message: 'Error: ImagePullBackOff' },
  },
  { name: 'pod-running', fits: (pod) => isStarting(pod) && !hasBadImage(pod), next: running },
  {
    name: 'pod-finished',
    fits: (pod) => pod.status?.phase === 'Running' && (pod.spec.restartPolicy ?? 'Always') !== 'Always',
    next: finished,
  },
];

/** The row that a pod on a node is to go through now. */
export function findPodStage(pod: Pod): PodStage | undefined {
  if (isFinished(pod) || pod.metadata.deletionTimestamp !== undefined) return undefined;
  return podStages.find((stage) => stage.fits(pod));
}

function isStarting(pod: Pod): boolean {
  return (pod.status?.phase ?? 'Pending') === 'Pending';
}

function hasBadImage({ spec }: Pod): boolean {
  return [...spec.containers, ...(spec.initContainers ?? [])].some(({ image }) => BAD_IMAGE.test(image));
}

function running(pod: Pod, facts: PodFacts): PodStatus {
  const time = formatTime(facts.now);
  const { spec } = pod;
  return {
    ...pod.status,
    ...placed(pod, facts),
    podIP: facts.podIP,
    podIPs: [{ ip: facts.podIP }],
    phase: 'Running',
    conditions: conditions(pod, time, [
      ...['PodReadyToStartContainers', 'Initialized', 'Ready', 'ContainersReady'].map(
        (type) => ({ type, status: 'True' }) as const,
      ),
      ...(spec.readinessGates ?? []).map(({ conditionType }) => ({ type: conditionType, status: 'True' }) as const),
    ]),
    ...(spec.initContainers === undefined
      ? {}
      : { initContainerStatuses: spec.initContainers.map((container) => initStatus(pod, container, time)) }),
    containerStatuses: spec.containers.map((container) => ({
      ...pulled(pod, container),
      ready: true,
      restartCount: 0,
      started: true,
      lastState: {},
      state: { running: { startedAt: time } },
    })),
  };
}

function imagePullBackOff(pod: Pod, facts: PodFacts): PodStatus {
  const time = formatTime(facts.now);
  const names = pod.spec.containers.map(({ name }) => name).join(' ');
  const unready = {
    status: 'False',
    reason: 'ContainersNotReady',
    message: `containers with unready status: [${names}]`,
  } as const;
  return {
    ...pod.status,
    ...placed(pod, facts),
    phase: 'Pending',
    conditions: conditions(pod, time, [
      { type: 'PodReadyToStartContainers', status: 'True' },
      { type: 'Initialized', status: 'True' },
      { type: 'Ready', ...unready },
      { type: 'ContainersReady', ...unready },
    ]),
    containerStatuses: pod.spec.containers.map(({ name, image }) => ({
      image,
      imageID: '',
      lastState: {},
      name,
      ready: false,
      restartCount: 0,
      started: false,
      state: { waiting: { message: `Back-off pulling image "${image}"`, reason: 'ImagePullBackOff' } },
    })),
  };
}

function finished(pod: Pod, facts: PodFacts): PodStatus {
  const time = formatTime(facts.now);
  const isFailure = pod.spec.containers.some(({ image }) => FAILING_IMAGE.test(image));
  const reason = isFailure ? 'PodFailed' : 'PodCompleted';
  return {
    ...pod.status,
    observedGeneration: pod.metadata.generation ?? 1,
    phase: isFailure ? 'Failed' : 'Succeeded',
    conditions: conditions(pod, time, [
      { type: 'PodReadyToStartContainers', status: 'False' },
      { type: 'Initialized', status: 'True' },
      { type: 'Ready', status: 'False', reason },
      { type: 'ContainersReady', status: 'False', reason },
    ]),
    containerStatuses: pod.spec.containers.map((container) => {
      const failed = FAILING_IMAGE.test(container.image);
      return {
        ...pulled(pod, container),
        ready: false,
        restartCount: 0,
        started: false,
        lastState: {},
        state: {
          terminated: {
            containerID: containerId(pod, container),
            exitCode: failed ? 1 : 0,
            finishedAt: time,
            reason: failed ? 'Error' : 'Completed',
            startedAt: time,
          },
        },
      };
    }),
  };
}

function initStatus(pod: Pod, container: Container, time: string) {
  const runsOn = container.restartPolicy === 'Always';
  const ended = { exitCode: 0, finishedAt: time, reason: 'Completed', startedAt: time };
  return {
    ...pulled(pod, container),
    ready: true,
    restartCount: 0,
    started: runsOn,
    lastState: {},
    state: runsOn ? { running: { startedAt: time } } : { terminated: ended },
  };
}

function placed(pod: Pod, { hostIP, now }: PodFacts): PodStatus {
  const startTime = pod.status?.['startTime'] ?? formatTime(now);
  return { observedGeneration: pod.metadata.generation ?? 1, hostIP, hostIPs: [{ ip: hostIP }], startTime };
}

function pulled(pod: Pod, container: Container) {
  const { image, name } = container;
  return { containerID: containerId(pod, container), image, imageID: `sha256:${sha256(image)}`, name };
}

function containerId(pod: Pod, { name }: Container): string {
  return `containerd://${sha256(`${pod.metadata.uid ?? ''}/${name}`)}`;
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** The wanted conditions in kubelet's order, then those of others. A status that stays keeps its transition time. */
function conditions(pod: Pod, time: string, wanted: readonly Condition[]): Condition[] {
  const before = pod.status?.conditions ?? [];
  const own = wanted.map((condition) => {
    const former = findCondition(before, condition.type);
    const lastTransitionTime = former?.status === condition.status ? (former.lastTransitionTime ?? time) : time;
    return { lastProbeTime: null, lastTransitionTime, observedGeneration: pod.metadata.generation ?? 1, ...condition };
  });
  return [...own, ...before.filter(({ type }) => findCondition(wanted, type) === undefined)];
}
