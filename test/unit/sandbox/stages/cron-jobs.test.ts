import { describe, expect, it } from 'vitest';
import type { KubeObject } from '../../../../src/sandbox/object.ts';
import { RESOURCES } from '../../../../src/sandbox/stages/types.ts';
import { createWorld, type World } from '../../../support/stages.ts';

const { cronJobs, jobs } = RESOURCES;

function cronJob(image: string, spec: object = {}): object {
  const template = { spec: { restartPolicy: 'Never', containers: [{ name: 'main', image }] } };
  return {
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    metadata: { name: 'tick' },
    spec: { schedule: '* * * * *', jobTemplate: { spec: { template } }, ...spec },
  };
}

function names(world: World): string[] {
  return world.list<KubeObject>(jobs).map(({ metadata }) => metadata.name);
}

// Minutes since 1970 at 2026-01-01T00:00:00Z.
const FIRST = Date.UTC(2026, 0, 1) / 60_000;

describe('a CronJob', () => {
  it('starts a Job at each time, and remembers the last', async () => {
    const world = await createWorld();
    await world.create(cronJob('busybox'));
    expect(names(world)).toEqual([]);

    await world.pass(60);

    expect(names(world)).toEqual([`tick-${FIRST + 1}`]);
    expect(world.get<KubeObject>(cronJobs, 'tick')['status']).toEqual({
      lastScheduleTime: '2026-01-01T00:01:00Z',
      lastSuccessfulTime: '2026-01-01T00:01:00Z',
    });
    expect(world.events()).toContain(
      `Normal SawCompletedJob Saw completed job: tick-${FIRST + 1}, condition: Complete`,
    );
    expect(world.list<KubeObject>(jobs)[0]?.metadata.annotations).toEqual({
      'batch.kubernetes.io/cronjob-scheduled-timestamp': '2026-01-01T00:01:00Z',
    });
  });

  it('keeps the newest successes only', async () => {
    const world = await createWorld();
    await world.create(cronJob('busybox', { successfulJobsHistoryLimit: 2 }));

    for (let minute = 0; minute < 4; minute++) await world.pass(60);

    expect(names(world)).toEqual([`tick-${FIRST + 3}`, `tick-${FIRST + 4}`]);
  });

  it('makes up for missed times with one Job', async () => {
    const world = await createWorld();
    await world.create(cronJob('busybox', { suspend: true }));
    await world.pass(600);

    await world.change(cronJobs, 'tick', { suspend: false });

    expect(names(world)).toEqual([`tick-${FIRST + 10}`]);
  });

  it.each([
    { policy: 'Allow', want: [1, 2] },
    { policy: 'Forbid', want: [1] },
    { policy: 'Replace', want: [2] },
  ])('with $policy beside one that still runs', async ({ policy, want }) => {
    const world = await createWorld();
    await world.create(cronJob('app:bad', { concurrencyPolicy: policy }));

    await world.pass(60);
    await world.pass(60);

    expect(names(world)).toEqual(want.map((minute) => `tick-${FIRST + minute}`));
  });
});
