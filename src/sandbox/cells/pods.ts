// Owns the table cells of pods and of what runs them, as kubectl's printers judge them.

import { parseTime } from '../../lib/time.ts';
import type { KubeObject } from '../object.ts';
import {
  age,
  type Cell,
  type CellsOf,
  containerCells,
  formatLabels,
  formatSelector,
  humanDuration,
  selectorText,
  since,
} from './text.ts';

interface ContainerStatus {
  name: string;
  ready?: boolean;
  started?: boolean;
  restartCount?: number;
  state?: {
    waiting?: { reason?: string };
    running?: object;
    terminated?: { exitCode: number; reason?: string; signal?: number };
  };
  lastState?: { terminated?: { finishedAt?: string } };
}

interface Pod extends KubeObject {
  spec: {
    containers: readonly { name: string; image: string }[];
    initContainers?: readonly { name: string; restartPolicy?: string }[];
    nodeName?: string;
    readinessGates?: readonly { conditionType: string }[];
  };
  status?: {
    phase?: string;
    reason?: string;
    nominatedNodeName?: string;
    podIPs?: readonly { ip: string }[];
    conditions?: readonly { type: string; status: string; reason?: string }[];
    containerStatuses?: readonly ContainerStatus[];
    initContainerStatuses?: readonly ContainerStatus[];
  };
}

const pods: CellsOf = (object, now) => {
  const pod = object as Pod;
  const { ready, total, reason, restarts, lastRestart } = judge(pod);
  const restartText =
    restarts > 0 && lastRestart !== undefined ? `${restarts} (${humanDuration(now - lastRestart)} ago)` : `${restarts}`;
  return [
    pod.metadata.name,
    `${ready}/${total}`,
    reason,
    restartText,
    age(pod, now),
    pod.status?.podIPs?.[0]?.ip || '<none>',
    pod.spec.nodeName || '<none>',
    pod.status?.nominatedNodeName || '<none>',
    readinessGates(pod),
  ];
};

interface Judgement {
  ready: number;
  total: number;
  reason: string;
  restarts: number;
  lastRestart: number | undefined;
}

function judge(pod: Pod): Judgement {
  const { spec, status = {}, metadata } = pod;
  const sidecars = new Set(
    (spec.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always').map(({ name }) => name),
  );
  const init = judgeInit(pod, sidecars);
  const result: Judgement = {
    ready: init.ready,
    total: spec.containers.length + sidecars.size,
    reason: init.reason ?? plainReason(pod),
    restarts: init.restarts,
    lastRestart: init.lastRestart,
  };
  if (init.reason === undefined || hasCondition(pod, 'Initialized')) {
    result.restarts = init.sidecarRestarts;
    result.lastRestart = init.lastSidecarRestart;
    judgeContainers(pod, result);
  }
  if (metadata.deletionTimestamp === undefined) return result;
  if (status.reason === 'NodeLost') result.reason = 'Unknown';
  else if (status.phase !== 'Succeeded' && status.phase !== 'Failed') result.reason = 'Terminating';
  return result;
}

function plainReason({ status = {} }: Pod): string {
  const isGated = status.conditions?.some(
    ({ type, reason }) => type === 'PodScheduled' && reason === 'SchedulingGated',
  );
  return isGated ? 'SchedulingGated' : status.reason || status.phase || '';
}

function hasCondition({ status }: Pod, type: string): boolean {
  return status?.conditions?.some((condition) => condition.type === type && condition.status === 'True') === true;
}

/** Looks at init containers up to the first that has not done its work; that one gives the reason. */
function judgeInit({ spec, status }: Pod, sidecars: ReadonlySet<string>) {
  const result = {
    ready: 0,
    restarts: 0,
    lastRestart: undefined as number | undefined,
    sidecarRestarts: 0,
    lastSidecarRestart: undefined as number | undefined,
    reason: undefined as string | undefined,
  };
  for (const [index, container] of (status?.initContainerStatuses ?? []).entries()) {
    const isSidecar = sidecars.has(container.name);
    result.restarts += container.restartCount ?? 0;
    result.lastRestart = later(result.lastRestart, container);
    if (isSidecar) {
      result.sidecarRestarts += container.restartCount ?? 0;
      result.lastSidecarRestart = later(result.lastSidecarRestart, container);
    }
    const { terminated, waiting } = container.state ?? {};
    if (terminated?.exitCode === 0) continue;
    if (isSidecar && container.started === true) {
      if (container.ready === true) result.ready++;
      continue;
    }
    if (terminated !== undefined) result.reason = `Init:${endReason(terminated)}`;
    else if (waiting?.reason && waiting.reason !== 'PodInitializing') result.reason = `Init:${waiting.reason}`;
    else result.reason = `Init:${index}/${spec.initContainers?.length ?? 0}`;
    break;
  }
  return result;
}

function later(time: number | undefined, { lastState }: ContainerStatus): number | undefined {
  const finished = parseTime(lastState?.terminated?.finishedAt);
  return finished === undefined || (time ?? 0) > finished ? time : finished;
}

function endReason({ exitCode, reason, signal }: { exitCode: number; reason?: string; signal?: number }): string {
  if (reason) return reason;
  return signal ? `Signal:${signal}` : `ExitCode:${exitCode}`;
}

/** The first container that is in trouble gives the reason, so they are looked at from the last. */
function judgeContainers(pod: Pod, result: Judgement): void {
  let hasRunning = false;
  let errorReason = '';
  for (const container of [...(pod.status?.containerStatuses ?? [])].reverse()) {
    result.restarts += container.restartCount ?? 0;
    result.lastRestart = later(result.lastRestart, container);
    const { waiting, terminated, running } = container.state ?? {};
    if (waiting?.reason) result.reason = waiting.reason;
    else if (terminated !== undefined) {
      result.reason = endReason(terminated);
      if (terminated.exitCode !== 0) errorReason = result.reason;
    } else if (container.ready === true && running !== undefined) {
      hasRunning = true;
      result.ready++;
    }
  }
  if (result.reason !== 'Completed') return;
  if (hasRunning && hasCondition(pod, 'Ready')) result.reason = 'Running';
  else if (errorReason !== '') result.reason = errorReason;
  else if (hasRunning) result.reason = 'NotReady';
}

function readinessGates(pod: Pod): string {
  const gates = pod.spec.readinessGates ?? [];
  if (gates.length === 0) return '<none>';
  return `${gates.filter(({ conditionType }) => hasCondition(pod, conditionType)).length}/${gates.length}`;
}

/** What a table row says of a pod beside its cells: kubectl can leave finished pods out by it. */
export function podRowConditions(object: KubeObject): object[] | undefined {
  const phase = (object as Pod).status?.phase;
  if (phase !== 'Succeeded' && phase !== 'Failed') return undefined;
  const message = phase === 'Succeeded' ? 'The pod has completed successfully.' : 'The pod failed.';
  return [{ type: 'Completed', status: 'True', reason: phase, message }];
}

interface Workload extends KubeObject {
  spec: {
    replicas?: number;
    selector?: { matchLabels?: Record<string, string> };
    template?: {
      spec: { containers: readonly { name: string; image: string }[]; nodeSelector?: Record<string, string> };
    };
  };
  status?: Record<string, number | undefined>;
}

function count(object: Workload, field: string): number {
  return object.status?.[field] ?? 0;
}

function templateCells({ spec }: Workload): Cell[] {
  return containerCells(spec.template?.spec.containers);
}

const deployments: CellsOf = (object, now) => {
  const deployment = object as Workload;
  return [
    object.metadata.name,
    `${count(deployment, 'readyReplicas')}/${deployment.spec.replicas ?? 0}`,
    count(deployment, 'updatedReplicas'),
    count(deployment, 'availableReplicas'),
    age(object, now),
    ...templateCells(deployment),
    selectorText(deployment.spec.selector),
  ];
};

const replicaSets: CellsOf = (object, now) => {
  const set = object as Workload;
  return [
    object.metadata.name,
    set.spec.replicas ?? 0,
    count(set, 'replicas'),
    count(set, 'readyReplicas'),
    age(object, now),
    ...templateCells(set),
    formatSelector(set.spec.selector),
  ];
};

const replicationControllers: CellsOf = (object, now) => {
  const selector = (object as Workload).spec.selector as Record<string, string> | undefined;
  return [...replicaSets(object, now).slice(0, -1), formatLabels(selector)];
};

const statefulSets: CellsOf = (object, now) => {
  const set = object as Workload;
  return [
    object.metadata.name,
    `${count(set, 'readyReplicas')}/${set.spec.replicas ?? 0}`,
    age(object, now),
    ...templateCells(set),
  ];
};

const daemonSets: CellsOf = (object, now) => {
  const set = object as Workload;
  return [
    object.metadata.name,
    count(set, 'desiredNumberScheduled'),
    count(set, 'currentNumberScheduled'),
    count(set, 'numberReady'),
    count(set, 'updatedNumberScheduled'),
    count(set, 'numberAvailable'),
    formatLabels(set.spec.template?.spec.nodeSelector),
    age(object, now),
    ...templateCells(set),
    formatSelector(set.spec.selector),
  ];
};

interface Job extends KubeObject {
  spec: Workload['spec'] & { completions?: number; parallelism?: number };
  status?: {
    succeeded?: number;
    startTime?: string;
    completionTime?: string;
    conditions?: readonly { type: string; status: string }[];
  };
}

/** In the order in which they win. */
const JOB_STATES = [
  ['Complete', 'Complete'],
  ['Failed', 'Failed'],
  ['deleted', 'Terminating'],
  ['Suspended', 'Suspended'],
  ['FailureTarget', 'FailureTarget'],
  ['SuccessCriteriaMet', 'SuccessCriteriaMet'],
] as const;

const jobs: CellsOf = (object, now) => {
  const { metadata, spec, status } = object as Job;
  const holds = (state: string) =>
    state === 'deleted'
      ? metadata.deletionTimestamp !== undefined
      : status?.conditions?.find(({ type }) => type === state)?.status === 'True';
  const started = parseTime(status?.startTime);
  const ended = parseTime(status?.completionTime) ?? now;
  return [
    metadata.name,
    JOB_STATES.find(([state]) => holds(state))?.[1] ?? 'Running',
    completions(object as Job),
    started === undefined ? '' : humanDuration(ended - started),
    age(object, now),
    ...containerCells(spec.template?.spec.containers),
    formatSelector(spec.selector),
  ];
};

function completions({ spec, status }: Job): string {
  const succeeded = status?.succeeded ?? 0;
  if (spec.completions !== undefined) return `${succeeded}/${spec.completions}`;
  return (spec.parallelism ?? 0) > 1 ? `${succeeded}/1 of ${spec.parallelism}` : `${succeeded}/1`;
}

interface CronJob extends KubeObject {
  spec: { schedule: string; timeZone?: string; suspend?: boolean; jobTemplate: { spec: Workload['spec'] } };
  status?: { active?: readonly unknown[]; lastScheduleTime?: string };
}

const cronJobs: CellsOf = (object, now) => {
  const { metadata, spec, status } = object as CronJob;
  const suspend = spec.suspend === undefined ? '<unset>' : capitalised(spec.suspend);
  const job = spec.jobTemplate.spec;
  return [
    metadata.name,
    spec.schedule,
    spec.timeZone ?? '<none>',
    suspend,
    status?.active?.length ?? 0,
    status?.lastScheduleTime === undefined ? '<none>' : since(status.lastScheduleTime, now),
    age(object, now),
    ...containerCells(job.template?.spec.containers),
    formatSelector(job.selector),
  ];
};

function capitalised(value: boolean): string {
  return value ? 'True' : 'False';
}

const podTemplates: CellsOf = (object) => {
  const { template } = object as KubeObject & {
    template?: { metadata?: { labels?: Record<string, string> }; spec: Pod['spec'] };
  };
  return [object.metadata.name, ...containerCells(template?.spec.containers), formatLabels(template?.metadata?.labels)];
};

const controllerRevisions: CellsOf = (object, now) => {
  const owner = object.metadata.ownerReferences?.find(({ controller }) => controller === true);
  const group = owner?.apiVersion.includes('/') ? `.${owner.apiVersion.split('/')[0]}` : '';
  return [
    object.metadata.name,
    owner === undefined ? '<none>' : `${`${owner.kind}${group}`.toLowerCase()}/${owner.name}`,
    Number(object['revision'] ?? 0),
    age(object, now),
  ];
};

export const podCells: Readonly<Record<string, CellsOf>> = {
  '/pods': pods,
  '/podtemplates': podTemplates,
  '/replicationcontrollers': replicationControllers,
  'apps/controllerrevisions': controllerRevisions,
  'apps/daemonsets': daemonSets,
  'apps/deployments': deployments,
  'apps/replicasets': replicaSets,
  'apps/statefulsets': statefulSets,
  'batch/cronjobs': cronJobs,
  'batch/jobs': jobs,
};
