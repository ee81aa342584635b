import { describe, expect, it } from 'vitest';
import type { KubeObject } from '../../../../src/sandbox/object.ts';
import { formatIndexes } from '../../../../src/sandbox/stages/jobs.ts';
import { type Condition, type Pod, RESOURCES } from '../../../../src/sandbox/stages/types.ts';
import { createWorld, type World } from '../../../support/stages.ts';

const { jobs, pods } = RESOURCES;

function job(image: string, spec: object = {}): object {
  const template = { spec: { restartPolicy: 'Never', containers: [{ name: 'main', image }] } };
  return { apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'work' }, spec: { template, ...spec } };
}

function status(world: World): Record<string, unknown> {
  const { conditions, ...counts } = world.get<KubeObject>(jobs, 'work')['status'] as { conditions?: Condition[] };
  const said = conditions?.map(({ type, status: value, reason, message }) => `${type}=${value} ${reason}: ${message}`);
  return said === undefined ? { ...counts } : { ...counts, conditions: said };
}

const TIME = '2026-01-01T00:00:00Z';

describe('a Job', () => {
  it('completes when its pod has succeeded', async () => {
    const world = await createWorld();

    await world.create(job('busybox'));

    expect(status(world)).toEqual({
      startTime: TIME,
      completionTime: TIME,
      succeeded: 1,
      ready: 0,
      terminating: 0,
      uncountedTerminatedPods: {},
      conditions: [
        'SuccessCriteriaMet=True CompletionsReached: Reached expected number of succeeded pods',
        'Complete=True CompletionsReached: Reached expected number of succeeded pods',
      ],
    });
    expect(world.list<Pod>(pods).map(({ metadata }) => metadata.finalizers)).toEqual([undefined]);
    expect(world.events()).toContain('Normal Completed Job completed');
  });

  it('tries again after a while, until the limit', async () => {
    const world = await createWorld();
    await world.create(job('app:fail', { backoffLimit: 2 }));
    expect(world.list(pods)).toHaveLength(1);

    await world.pass(11);
    expect(world.list(pods)).toHaveLength(2);

    await world.pass(21);

    expect(world.list(pods)).toHaveLength(3);
    expect(status(world)).toMatchObject({
      failed: 3,
      conditions: [
        'FailureTarget=True BackoffLimitExceeded: Job has reached the specified backoff limit',
        'Failed=True BackoffLimitExceeded: Job has reached the specified backoff limit',
      ],
    });
    expect(world.events()).toContain('Warning BackoffLimitExceeded Job has reached the specified backoff limit');
  });

  it('runs several pods at a time, each with its index', async () => {
    const world = await createWorld();
    let most = 0;
    world.store.watch(pods, () => {
      const active = world.list<Pod>(pods).filter(({ status: own }) => own?.phase !== 'Succeeded');
      most = Math.max(most, active.length);
    });

    await world.create(job('busybox', { completions: 5, parallelism: 2, completionMode: 'Indexed' }));

    expect(most).toBe(2);
    expect(status(world)).toMatchObject({ succeeded: 5, completedIndexes: '0-4' });
    const hosts = world.list<Pod>(pods).map(({ spec }) => spec.hostname);
    expect(hosts.sort()).toEqual(['work-0', 'work-1', 'work-2', 'work-3', 'work-4']);
  });

  it('is held while suspended', async () => {
    const world = await createWorld();
    await world.create(job('busybox', { suspend: true }));
    expect(world.list(pods)).toEqual([]);
    expect(status(world)).toMatchObject({ conditions: ['Suspended=True JobSuspended: Job suspended'] });

    await world.change(jobs, 'work', { suspend: false });

    expect(status(world)['conditions']).toEqual([
      'Suspended=False JobResumed: Job resumed',
      'SuccessCriteriaMet=True CompletionsReached: Reached expected number of succeeded pods',
      'Complete=True CompletionsReached: Reached expected number of succeeded pods',
    ]);
  });

  it('counts a pod that is deleted as failed, and makes another', async () => {
    const world = await createWorld();
    await world.create(job('app:bad', { backoffLimit: 1 }));
    const [first] = world.list<Pod>(pods);

    await world.remove(pods, first?.metadata.name ?? '');
    await world.pass(2);

    expect(status(world)).toMatchObject({ failed: 1, active: 1 });
    expect(world.list<Pod>(pods).map(({ metadata }) => metadata.name)).not.toContain(first?.metadata.name);
  });

  it('takes its pods away when it is suspended, and does not count them', async () => {
    const world = await createWorld();
    await world.create(job('app:bad'));

    await world.change(jobs, 'work', { suspend: true });

    expect(world.list(pods)).toEqual([]);
    expect(status(world)).not.toHaveProperty('failed');
  });

  it('fails when its time is over', async () => {
    const world = await createWorld();
    await world.create(job('app:bad', { activeDeadlineSeconds: 30 }));

    await world.pass(31);

    expect(status(world)['conditions']).toEqual([
      'FailureTarget=True DeadlineExceeded: Job was active longer than specified deadline',
      'Failed=True DeadlineExceeded: Job was active longer than specified deadline',
    ]);
    expect(world.list(pods)).toEqual([]);
  });

  it('is removed some time after its end', async () => {
    const world = await createWorld();
    await world.create(job('busybox', { ttlSecondsAfterFinished: 60 }));

    await world.pass(59);
    expect(world.list(jobs)).toHaveLength(1);
    await world.pass(2);

    expect(world.list(jobs)).toEqual([]);
    expect(world.list(pods)).toEqual([]);
  });
});

describe('formatIndexes', () => {
  it.each([
    [[], ''],
    [[3], '3'],
    [[0, 1], '0,1'],
    [[2, 0, 1], '0-2'],
    [[0, 1, 2, 5, 7, 8], '0-2,5,7,8'],
    [[1, 1, 2], '1,2'],
  ])('%j is %s', (indexes, want) => {
    expect(formatIndexes(indexes)).toBe(want);
  });
});
