// Owns the CronJob controller: a Job at each scheduled time, what may run beside what, and how many are kept.
import { formatTime, parseTime } from '../../lib/time.ts';
import type { KubeObject } from '../object.ts';
import { type CronSchedule, parseSchedule } from './cron-schedule.ts';
import { isConcluded, type Job } from './jobs.ts';
import { ownKey, type StageContext, type StageController } from './loop.ts';
import { controllerReference, isControlledBy, keyOfController } from './ownership.ts';
import { hasCondition, writeStatus } from './status.ts';
import { RESOURCES } from './types.ts';

const COMPONENT = 'cronjob-controller';
const SCHEDULED_AT = 'batch.kubernetes.io/cronjob-scheduled-timestamp';
/** More missed times than this are not looked through one by one. */
const MOST_MISSED = 100;

interface Reference {
  apiVersion: string;
  kind: string;
  namespace?: string;
  name: string;
  uid?: string;
  resourceVersion?: string;
}

interface CronJob extends KubeObject {
  spec: {
    schedule: string;
    timeZone?: string;
    suspend?: boolean;
    concurrencyPolicy?: string;
    startingDeadlineSeconds?: number;
    successfulJobsHistoryLimit?: number;
    failedJobsHistoryLimit?: number;
    jobTemplate: {
      metadata?: { labels?: Record<string, string>; annotations?: Record<string, string> };
      spec: Job['spec'];
    };
  };
  status?: { active?: Reference[]; lastScheduleTime?: string; lastSuccessfulTime?: string };
}

export const cronJobs: StageController = {
  name: 'cronJobs',
  watches: [
    { resource: RESOURCES.cronJobs, keys: ownKey },
    { resource: RESOURCES.jobs, keys: keyOfController('CronJob') },
  ],
  reconcile({ namespace, name }, context) {
    const live = context.store.get(RESOURCES.cronJobs, namespace, name) as CronJob | undefined;
    if (live === undefined || live.metadata.deletionTimestamp !== undefined) return undefined;
    const all = context.store.list(RESOURCES.jobs, { namespace }) as readonly Job[];
    const jobs = all.filter((job) => isControlledBy(job, live));
    const cronJob = noteJobs(context, live, jobs);
    forgetOld(context, cronJob, jobs);
    if (cronJob.spec.suspend === true) return undefined;
    const schedule = parseSchedule(cronJob.spec.schedule, cronJob.spec.timeZone);
    if (schedule === undefined) {
      const message = `unparseable schedule: "${cronJob.spec.schedule}"`;
      context.events.record(COMPONENT, cronJob, 'Warning', 'UnparseableSchedule', message);
      return undefined;
    }
    const now = context.clock.now();
    const due = lastDue(cronJob, schedule, now);
    if (due !== undefined) start(context, cronJob, due);
    const next = schedule.next(now);
    return next === undefined ? undefined : next - now;
  },
};

/** Takes finished Jobs out of the active ones, and remembers the last success. */
function noteJobs(context: StageContext, cronJob: CronJob, jobs: readonly Job[]): CronJob {
  const { active = [], ...status } = cronJob.status ?? {};
  const left: Reference[] = [];
  let lastSuccess = status.lastSuccessfulTime;
  for (const reference of active) {
    const job = jobs.find(({ metadata }) => metadata.uid === reference.uid);
    if (job !== undefined && !isConcluded(job)) left.push(reference);
    else if (job === undefined) say(context, cronJob, 'MissingJob', `Active job went missing: ${reference.name}`);
    else {
      const isComplete = hasCondition(job.status?.conditions, 'Complete');
      const condition = isComplete ? 'Complete' : 'Failed';
      say(context, cronJob, 'SawCompletedJob', `Saw completed job: ${reference.name}, condition: ${condition}`);
      const ended = job.status?.completionTime;
      if (isComplete && (parseTime(ended) ?? 0) > (parseTime(lastSuccess) ?? 0)) lastSuccess = ended;
    }
  }
  return writeStatus(context, RESOURCES.cronJobs, cronJob, {
    ...status,
    lastSuccessfulTime: lastSuccess,
    active: left.length > 0 ? left : undefined,
  });
}

function say(context: StageContext, cronJob: CronJob, reason: string, message: string): void {
  context.events.record(COMPONENT, cronJob, 'Normal', reason, message);
}

function forgetOld(context: StageContext, cronJob: CronJob, jobs: readonly Job[]): void {
  const { successfulJobsHistoryLimit = 3, failedJobsHistoryLimit = 1 } = cronJob.spec;
  const limits = { Complete: successfulJobsHistoryLimit, Failed: failedJobsHistoryLimit };
  for (const [condition, limit] of Object.entries(limits)) {
    const ended = jobs
      .filter(({ status }) => hasCondition(status?.conditions, condition))
      .sort((a, b) => (parseTime(a.status?.startTime) ?? 0) - (parseTime(b.status?.startTime) ?? 0));
    for (const { metadata } of ended.slice(0, Math.max(0, ended.length - limit))) {
      context.store.delete(RESOURCES.jobs, metadata.namespace ?? '', metadata.name);
      say(context, cronJob, 'SuccessfulDelete', `Deleted job ${metadata.name}`);
    }
  }
}

/** The newest scheduled time that has come and was not seen to yet. */
function lastDue({ metadata, spec, status }: CronJob, schedule: CronSchedule, now: number): number | undefined {
  const seen = parseTime(status?.lastScheduleTime) ?? parseTime(metadata.creationTimestamp ?? undefined) ?? now;
  const earliest = spec.startingDeadlineSeconds === undefined ? 0 : now - spec.startingDeadlineSeconds * 1000;
  let due: number | undefined;
  let next = schedule.next(Math.max(seen, earliest));
  for (let missed = 0; next !== undefined && next <= now; missed++) {
    due = next;
    next = missed < MOST_MISSED ? schedule.next(next) : schedule.next(Math.max(next, now - 60_000));
  }
  return due;
}

function start(context: StageContext, cronJob: CronJob, due: number): void {
  const { metadata, spec } = cronJob;
  const namespace = metadata.namespace ?? '';
  const active = cronJob.status?.active ?? [];
  if (spec.concurrencyPolicy === 'Forbid' && active.length > 0) {
    const message = 'Not starting job because prior execution is running and concurrency policy is Forbid';
    say(context, cronJob, 'JobAlreadyActive', message);
    return;
  }
  if (spec.concurrencyPolicy === 'Replace') {
    for (const { name } of active) {
      if (context.store.get(RESOURCES.jobs, namespace, name) === undefined) continue;
      context.store.delete(RESOURCES.jobs, namespace, name);
      say(context, cronJob, 'SuccessfulDelete', `Deleted job ${name}`);
    }
  }
  // The name holds the time, so one time never makes two Jobs.
  const name = `${metadata.name}-${due / 60_000}`;
  const template = spec.jobTemplate;
  const job =
    context.store.get(RESOURCES.jobs, namespace, name) ??
    context.store.create(RESOURCES.jobs, {
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: {
        name,
        namespace,
        ...(template.metadata?.labels === undefined ? {} : { labels: template.metadata.labels }),
        annotations: { ...template.metadata?.annotations, [SCHEDULED_AT]: formatTime(due) },
        ownerReferences: [controllerReference(cronJob)],
      },
      spec: template.spec,
    });
  say(context, cronJob, 'SuccessfulCreate', `Created job ${name}`);
  const { uid, resourceVersion } = job.metadata;
  const reference = { kind: 'Job', namespace, name, uid, apiVersion: 'batch/v1', resourceVersion };
  const running = spec.concurrencyPolicy === 'Replace' ? [] : active;
  const status = { ...cronJob.status, active: [...running, reference], lastScheduleTime: formatTime(due) };
  writeStatus(context, RESOURCES.cronJobs, cronJob, status);
}
