import { describe, expect, it } from 'vitest';
import type { KubeObject } from '../../../../src/sandbox/object.ts';
import { type Pod, RESOURCES } from '../../../../src/sandbox/stages/types.ts';
import { createWorld, podTemplate, type World, workload } from '../../../support/stages.ts';

const { statefulSets, pods, persistentVolumeClaims, persistentVolumes, controllerRevisions } = RESOURCES;

function images(world: World): Record<string, string | undefined> {
  return Object.fromEntries(world.list<Pod>(pods).map((pod) => [pod.metadata.name, pod.spec.containers[0]?.image]));
}

function status(world: World): Record<string, unknown> {
  return world.get<KubeObject>(statefulSets, 'db')['status'] as Record<string, unknown>;
}

describe('a StatefulSet', () => {
  it('makes its pods one after the other', async () => {
    const world = await createWorld();
    const running: string[] = [];
    world.store.watch(pods, ({ type, object }) => {
      if (type === 'ADDED') running.push(`${object.metadata.name} after ${ready(world)}`);
    });

    await world.create(workload('StatefulSet', 'db', 'db:1', { replicas: 3, serviceName: 'db' }));

    expect(running).toEqual(['db-0 after 0', 'db-1 after 1', 'db-2 after 2']);
    expect(world.get<Pod>(pods, 'db-1').metadata.labels).toMatchObject({
      'apps.kubernetes.io/pod-index': '1',
      'statefulset.kubernetes.io/pod-name': 'db-1',
    });
    expect(world.get<Pod>(pods, 'db-1').spec).toMatchObject({ hostname: 'db-1', subdomain: 'db' });
    expect(status(world)).toMatchObject({ replicas: 3, readyReplicas: 3, currentReplicas: 3, availableReplicas: 3 });
    expect(status(world)['currentRevision']).toBe(status(world)['updateRevision']);
  });

  it('stops at a pod that does not come up', async () => {
    const world = await createWorld();

    await world.create(workload('StatefulSet', 'db', 'db:bad', { replicas: 3, serviceName: 'db' }));

    expect(Object.keys(images(world))).toEqual(['db-0']);
    expect(status(world)).toMatchObject({ replicas: 1, availableReplicas: 0 });
  });

  it('makes all at once when told so', async () => {
    const world = await createWorld();

    await world.create(
      workload('StatefulSet', 'db', 'db:bad', { replicas: 3, serviceName: 'db', podManagementPolicy: 'Parallel' }),
    );

    expect(Object.keys(images(world))).toEqual(['db-0', 'db-1', 'db-2']);
  });

  it('updates from the highest down to the partition', async () => {
    const world = await createWorld();
    const updateStrategy = { type: 'RollingUpdate', rollingUpdate: { partition: 1 } };
    await world.create(workload('StatefulSet', 'db', 'db:1', { replicas: 3, serviceName: 'db', updateStrategy }));

    await world.change(statefulSets, 'db', { template: podTemplate('db', 'db:2') });

    expect(images(world)).toEqual({ 'db-0': 'db:1', 'db-1': 'db:2', 'db-2': 'db:2' });
    expect(status(world)).toMatchObject({ currentReplicas: 1, updatedReplicas: 2 });
    expect(status(world)['currentRevision']).not.toBe(status(world)['updateRevision']);

    await world.remove(pods, 'db-0');

    expect(images(world)['db-0']).toBe('db:1');
  });

  it('goes back to an older revision without making a new one', async () => {
    const world = await createWorld();
    await world.create(workload('StatefulSet', 'db', 'db:1', { replicas: 1, serviceName: 'db' }));
    await world.change(statefulSets, 'db', { template: podTemplate('db', 'db:2') });

    await world.change(statefulSets, 'db', { template: podTemplate('db', 'db:1') });

    expect(images(world)).toEqual({ 'db-0': 'db:1' });
    const revisions = world.list<KubeObject>(controllerRevisions).map(({ revision }) => revision);
    expect([...revisions].sort()).toEqual([2, 3]);
  });

  it('keeps the volumes of pods that go', async () => {
    const world = await createWorld();
    const volumeClaimTemplates = [
      {
        metadata: { name: 'data' },
        spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
      },
    ];
    await world.create(workload('StatefulSet', 'db', 'db:1', { replicas: 2, serviceName: 'db', volumeClaimTemplates }));
    expect(world.get<Pod>(pods, 'db-1').spec.volumes?.[0]).toEqual({
      name: 'data',
      persistentVolumeClaim: { claimName: 'data-db-1' },
    });

    await world.change(statefulSets, 'db', { replicas: 0 });

    expect(world.list(pods)).toEqual([]);
    const phases = world
      .list<KubeObject & { status?: { phase?: string } }>(persistentVolumeClaims)
      .map((claim) => `${claim.metadata.name} ${claim.status?.phase}`);
    expect(phases).toEqual(['data-db-0 Bound', 'data-db-1 Bound']);
    expect(world.list(persistentVolumes)).toHaveLength(2);
  });

  it('takes its pods away from the highest', async () => {
    const world = await createWorld();
    await world.create(workload('StatefulSet', 'db', 'db:1', { replicas: 3, serviceName: 'db' }));

    await world.change(statefulSets, 'db', { replicas: 1 });

    expect(Object.keys(images(world))).toEqual(['db-0']);
    expect(world.events().filter((event) => event.includes('Delete Pod'))).toEqual([
      'Normal SuccessfulDelete Delete Pod db-2 in StatefulSet db successful',
      'Normal SuccessfulDelete Delete Pod db-1 in StatefulSet db successful',
    ]);
  });
});

function ready(world: World): number {
  return world.list<Pod>(pods).filter(({ status: own }) => own?.phase === 'Running').length;
}
