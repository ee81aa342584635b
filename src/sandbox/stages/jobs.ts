// Owns the Job controller: pods until enough have succeeded or too many have failed, each counted exactly once.
import { formatTime, parseTime } from '../../lib/time.ts';
import type { KubeObject } from '../object.ts';
import { ownKey, type StageContext, type StageController } from './loop.ts';
import { controllerReference, isControlledBy, keyOfController } from './ownership.ts';
import { generateName, isActive, isFinished, isReady, podFromTemplate } from './pod-template.ts';
import { compact, findCondition, hasCondition, writeStatus } from './status.ts';
import { type Condition, type LabelSelector, type Pod, type PodTemplate, RESOURCES } from './types.ts';

const COMPONENT = 'job-controller';
const TRACKING = 'batch.kubernetes.io/job-tracking';
const INDEX = 'batch.kubernetes.io/job-completion-index';
const FIRST_BACKOFF_MS = 10_000;
const LAST_BACKOFF_MS = 600_000;

export interface Job extends KubeObject {
  spec: {
    parallelism?: number;
    completions?: number;
    backoffLimit?: number;
    activeDeadlineSeconds?: number;
    ttlSecondsAfterFinished?: number;
    suspend?: boolean;
    completionMode?: string;
    selector?: LabelSelector;
    template: PodTemplate;
  };
  status?: JobStatus;
}

interface JobStatus {
  conditions?: Condition[];
  startTime?: string;
  completionTime?: string;
  active?: number;
  ready?: number;
  terminating?: number;
  succeeded?: number;
  failed?: number;
  completedIndexes?: string;
  uncountedTerminatedPods?: { succeeded?: string[]; failed?: string[] };
}

export const jobs: StageController = {
  name: 'jobs',
  watches: [
    { resource: RESOURCES.jobs, keys: ownKey },
    { resource: RESOURCES.pods, keys: keyOfController('Job') },
  ],
  reconcile({ namespace, name }, context) {
    const job = context.store.get(RESOURCES.jobs, namespace, name) as Job | undefined;
    if (job === undefined) return undefined;
    const all = context.store.list(RESOURCES.pods, { namespace }) as readonly Pod[];
    const pods = all.filter((pod) => isControlledBy(pod, job));
    if (job.metadata.deletionTimestamp !== undefined) {
      for (const pod of pods) stopTracking(context, pod);
      return undefined;
    }
    return isConcluded(job) ? cleanUp(context, job, pods) : advance(context, job, pods);
  },
};

export function isConcluded({ status }: Job): boolean {
  return hasCondition(status?.conditions, 'Complete') || hasCondition(status?.conditions, 'Failed');
}

/** Releases pods that finished late, and removes the Job itself when its time is over. */
function cleanUp(context: StageContext, job: Job, pods: readonly Pod[]): number | undefined {
  for (const pod of pods) if (!isActive(pod)) stopTracking(context, pod);
  const ttl = job.spec.ttlSecondsAfterFinished;
  if (ttl === undefined) return undefined;
  const over = (job.status?.conditions ?? []).find(({ type }) => type === 'Complete' || type === 'Failed');
  const left = (parseTime(over?.lastTransitionTime ?? undefined) ?? 0) + ttl * 1000 - context.clock.now();
  if (left > 0) return left;
  context.store.delete(RESOURCES.jobs, job.metadata.namespace ?? '', job.metadata.name);
  return undefined;
}

function advance(context: StageContext, job: Job, pods: readonly Pod[]): number | undefined {
  const now = context.clock.now();
  const counted = countFinished(context, job, pods);
  const verdict = judge(counted, now);
  const active = pods.filter(isActive);
  if (verdict !== undefined || counted.spec.suspend === true) {
    for (const pod of active) context.store.delete(RESOURCES.pods, pod.metadata.namespace ?? '', pod.metadata.name);
    for (const pod of pods) if (pod.metadata.deletionTimestamp !== undefined) stopTracking(context, pod);
  }
  if (verdict !== undefined) {
    conclude(context, counted, verdict);
    return undefined;
  }
  const wait = counted.spec.suspend === true ? undefined : startPods(context, counted, pods);
  writeProgress(context, counted, now);
  const deadline = deadlineOf(counted);
  const waits = [wait, deadline === undefined ? undefined : deadline - now].filter((value) => value !== undefined);
  return waits.length > 0 ? Math.max(0, Math.min(...waits)) : undefined;
}

/**
 * Counts pods that have ended. First their uids go into the status, then their finalizers, then the uids turn into
 * counts: so none is counted twice or lost, wherever the process ends.
 */
function countFinished(context: StageContext, job: Job, pods: readonly Pod[]): Job {
  // A suspended Job has deleted its pods itself; in any other, a pod that goes away has failed.
  const isOver = (pod: Pod) => isFinished(pod) || (pod.metadata.deletionTimestamp !== undefined && !job.spec.suspend);
  const ended = pods.filter((pod) => pod.metadata.finalizers?.includes(TRACKING) && isOver(pod));
  const uncounted = job.status?.uncountedTerminatedPods ?? {};
  const add = (phase: 'Succeeded' | 'Failed', known: readonly string[] = []) => [
    ...new Set([
      ...known,
      ...ended.filter((pod) => outcomeOf(pod) === phase).map(({ metadata }) => metadata.uid ?? ''),
    ]),
  ];
  const succeeded = add('Succeeded', uncounted.succeeded);
  const failed = add('Failed', uncounted.failed);
  if (succeeded.length + failed.length === 0) return job;
  const noted = writeStatus(context, RESOURCES.jobs, job, {
    ...job.status,
    uncountedTerminatedPods: {
      ...(succeeded.length > 0 ? { succeeded } : {}),
      ...(failed.length > 0 ? { failed } : {}),
    },
  });
  for (const pod of ended) stopTracking(context, pod);
  const indexes = pods.filter(({ status }) => status?.phase === 'Succeeded').flatMap(indexOf);
  return writeStatus(
    context,
    RESOURCES.jobs,
    noted,
    compact({
      ...noted.status,
      succeeded: (noted.status?.succeeded ?? 0) + succeeded.length || undefined,
      failed: (noted.status?.failed ?? 0) + failed.length || undefined,
      completedIndexes: isIndexed(job) ? formatIndexes([...parseIndexes(job), ...indexes]) : undefined,
      uncountedTerminatedPods: {},
    }),
  );
}

function outcomeOf({ status }: Pod): 'Succeeded' | 'Failed' {
  return status?.phase === 'Succeeded' ? 'Succeeded' : 'Failed';
}

function stopTracking({ store }: StageContext, pod: Pod): void {
  const { finalizers = [], ...metadata } = pod.metadata;
  if (!finalizers.includes(TRACKING)) return;
  const left = finalizers.filter((finalizer) => finalizer !== TRACKING);
  store.update(RESOURCES.pods, { ...pod, metadata: left.length > 0 ? { ...metadata, finalizers: left } : metadata });
}

interface Verdict {
  readonly type: 'Complete' | 'Failed';
  readonly reason: string;
  readonly message: string;
}

function judge(job: Job, now: number): Verdict | undefined {
  const { succeeded = 0, failed = 0 } = job.status ?? {};
  if (failed > (job.spec.backoffLimit ?? 6)) {
    const message = 'Job has reached the specified backoff limit';
    return { type: 'Failed', reason: 'BackoffLimitExceeded', message };
  }
  const deadline = deadlineOf(job);
  if (deadline !== undefined && deadline <= now) {
    return { type: 'Failed', reason: 'DeadlineExceeded', message: 'Job was active longer than specified deadline' };
  }
  // Without a number of completions, the first success ends the Job as soon as the other pods are done too.
  const { completions } = job.spec;
  const isDone = completions === undefined ? succeeded > 0 : succeeded >= completions;
  if (!isDone) return undefined;
  return { type: 'Complete', reason: 'CompletionsReached', message: 'Reached expected number of succeeded pods' };
}

function deadlineOf({ spec, status }: Job): number | undefined {
  const started = parseTime(status?.startTime);
  if (spec.activeDeadlineSeconds === undefined || started === undefined || spec.suspend === true) return undefined;
  return started + spec.activeDeadlineSeconds * 1000;
}

/** The end is announced by one condition and stated by a second, as others may wait for either. */
function conclude(context: StageContext, job: Job, { type, reason, message }: Verdict): void {
  const time = formatTime(context.clock.now());
  const others = job.status?.conditions ?? [];
  const condition = (name: string): Condition => {
    return { type: name, status: 'True', lastProbeTime: time, lastTransitionTime: time, reason, message };
  };
  writeStatus(
    context,
    RESOURCES.jobs,
    job,
    compact({
      ...job.status,
      active: undefined,
      ready: 0,
      terminating: 0,
      conditions: [...others, condition(type === 'Complete' ? 'SuccessCriteriaMet' : 'FailureTarget'), condition(type)],
      completionTime: type === 'Complete' ? time : undefined,
      startTime: job.status?.startTime ?? time,
      uncountedTerminatedPods: {},
    }),
  );
  if (type === 'Complete') context.events.record(COMPONENT, job, 'Normal', 'Completed', 'Job completed');
  else context.events.record(COMPONENT, job, 'Warning', reason, message);
}

/** Starts the pods that may run now. Returns how long to wait after a failure before the next one may. */
function startPods(context: StageContext, job: Job, pods: readonly Pod[]): number | undefined {
  const { parallelism = 1, completions } = job.spec;
  const active = pods.filter(isActive);
  const open = completions === undefined ? parallelism : completions - (job.status?.succeeded ?? 0);
  const missing = Math.min(parallelism, open) - active.length;
  if (missing <= 0) return undefined;
  const wait = backoff(job, pods, context.clock.now());
  if (wait > 0) return wait;
  const indexes = isIndexed(job) ? freeIndexes(job, active).slice(0, missing) : [];
  for (let i = 0; i < missing; i++) createPod(context, job, indexes[i]);
  return undefined;
}

function backoff(job: Job, pods: readonly Pod[], now: number): number {
  const failed = job.status?.failed ?? 0;
  if (failed === 0) return 0;
  const ends = pods.filter(({ status }) => status?.phase === 'Failed').map(endOf);
  const last = Math.max(0, ...ends);
  return last + Math.min(FIRST_BACKOFF_MS * 2 ** (failed - 1), LAST_BACKOFF_MS) - now;
}

function endOf(pod: Pod): number {
  const condition = findCondition(pod.status?.conditions, 'Ready');
  return parseTime(condition?.lastTransitionTime ?? undefined) ?? 0;
}

function createPod(context: StageContext, job: Job, index: number | undefined): void {
  const base = index === undefined ? `${job.metadata.name}-` : `${job.metadata.name}-${index}-`;
  const mark = index === undefined ? {} : { [INDEX]: String(index) };
  const pod = podFromTemplate(
    job.spec.template,
    job,
    controllerReference(job),
    { name: generateName(base), generateName: base },
    { finalizers: [TRACKING], labels: mark, annotations: mark },
  );
  if (index !== undefined) pod.spec.hostname = `${job.metadata.name}-${index}`;
  const created = context.store.create(RESOURCES.pods, pod);
  context.events.record(COMPONENT, job, 'Normal', 'SuccessfulCreate', `Created pod: ${created.metadata.name}`);
}

function writeProgress(context: StageContext, job: Job, now: number): void {
  const namespace = job.metadata.namespace ?? '';
  const pods = (context.store.list(RESOURCES.pods, { namespace }) as readonly Pod[]).filter((pod) =>
    isControlledBy(pod, job),
  );
  const active = pods.filter(isActive);
  const suspended = job.spec.suspend === true;
  const time = formatTime(now);
  writeStatus(
    context,
    RESOURCES.jobs,
    job,
    compact({
      ...job.status,
      startTime: suspended ? undefined : (job.status?.startTime ?? time),
      active: active.length > 0 ? active.length : undefined,
      ready: active.filter(isReady).length,
      terminating: pods.filter((pod) => pod.metadata.deletionTimestamp !== undefined && !isFinished(pod)).length,
      conditions: withSuspension(context, job, suspended, time),
      uncountedTerminatedPods: {},
    }),
  );
}

function withSuspension(context: StageContext, job: Job, suspended: boolean, time: string): Condition[] | undefined {
  const conditions = job.status?.conditions;
  const former = findCondition(conditions, 'Suspended');
  if (former === undefined ? !suspended : (former.status === 'True') === suspended) return conditions;
  const [reason, message] = suspended ? ['JobSuspended', 'Job suspended'] : ['JobResumed', 'Job resumed'];
  context.events.record(COMPONENT, job, 'Normal', suspended ? 'Suspended' : 'Resumed', message);
  const others = (conditions ?? []).filter(({ type }) => type !== 'Suspended');
  const status = suspended ? 'True' : 'False';
  return [...others, { type: 'Suspended', status, lastProbeTime: time, lastTransitionTime: time, reason, message }];
}

function isIndexed({ spec }: Job): boolean {
  return spec.completionMode === 'Indexed';
}

function indexOf({ metadata }: Pod): number[] {
  const text = metadata.annotations?.[INDEX];
  return text === undefined ? [] : [Number(text)];
}

function freeIndexes(job: Job, active: readonly Pod[]): number[] {
  const used = new Set([...parseIndexes(job), ...active.flatMap(indexOf)]);
  return Array.from({ length: job.spec.completions ?? 0 }, (_, index) => index).filter((index) => !used.has(index));
}

/** `0-2,5` as numbers. */
function parseIndexes({ status }: Job): number[] {
  return (status?.completedIndexes ?? '').split(',').flatMap((range) => {
    if (range === '') return [];
    const [first = 0, last = first] = range.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
}

/** Numbers as `0-2,5`: runs of three and more are joined, two neighbours are not. */
export function formatIndexes(indexes: readonly number[]): string {
  const sorted = [...new Set(indexes)].sort((a, b) => a - b);
  const parts: string[] = [];
  for (let i = 0; i < sorted.length; ) {
    let end = i;
    while (sorted[end + 1] === (sorted[end] ?? 0) + 1) end++;
    const [first, last] = [sorted[i], sorted[end]];
    if (end - i >= 2) parts.push(`${first}-${last}`);
    else parts.push(...(end > i ? [String(first), String(last)] : [String(first)]));
    i = end + 1;
  }
  return parts.join(',');
}
