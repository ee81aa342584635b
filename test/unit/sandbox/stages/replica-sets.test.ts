import { describe, expect, it } from 'vitest';
import { type Pod, RESOURCES, type ReplicaSet } from '../../../../src/sandbox/stages/types.ts';
import { createWorld, workload } from '../../../support/stages.ts';

const { replicaSets, pods } = RESOURCES;

describe('a ReplicaSet', () => {
  it('keeps its number of pods', async () => {
    const world = await createWorld();
    await world.create(workload('ReplicaSet', 'web', 'app:1', { replicas: 3 }));
    const [first] = world.list<Pod>(pods);

    await world.remove(pods, first?.metadata.name ?? '');

    const names = world.list<Pod>(pods).map(({ metadata }) => metadata.name);
    expect(names).toHaveLength(3);
    expect(names).not.toContain(first?.metadata.name);
    expect(world.get<ReplicaSet>(replicaSets, 'web').status).toEqual({
      replicas: 3,
      fullyLabeledReplicas: 3,
      readyReplicas: 3,
      availableReplicas: 3,
      terminatingReplicas: 0,
      observedGeneration: 1,
    });
  });

  it('takes away pods that are not ready before those that are', async () => {
    const world = await createWorld();
    await world.create(workload('ReplicaSet', 'web', 'app:1', { replicas: 3 }));
    const victim = world.list<Pod>(pods)[1]?.metadata.name ?? '';
    const live = world.get<Pod>(pods, victim);
    const conditions = live.status?.conditions?.map((condition) =>
      condition.type === 'Ready' ? { ...condition, status: 'False' } : condition,
    );
    world.store.update(pods, { ...live, status: { ...live.status, conditions } }, { subresource: 'status' });
    await world.settle();

    await world.change(replicaSets, 'web', { replicas: 2 });

    expect(world.list<Pod>(pods).map(({ metadata }) => metadata.name)).not.toContain(victim);
    expect(world.events()).toContain(`Normal SuccessfulDelete Deleted pod: ${victim}`);
  });

  it('heeds what a pod is worth', async () => {
    const world = await createWorld();
    await world.create(workload('ReplicaSet', 'web', 'app:1', { replicas: 2 }));
    const [dear, cheap] = world.list<Pod>(pods);
    const annotations = { 'controller.kubernetes.io/pod-deletion-cost': '10' };
    world.store.update(pods, { ...(dear as Pod), metadata: { ...(dear as Pod).metadata, annotations } });
    await world.settle();

    await world.change(replicaSets, 'web', { replicas: 1 });

    const [left] = world.list<Pod>(pods);
    expect(left?.metadata.name).toBe(dear?.metadata.name);
    expect(left?.metadata.name).not.toBe(cheap?.metadata.name);
  });

  it('adopts a pod that matches and lets go of one that no longer does', async () => {
    const world = await createWorld();
    const spec = { containers: [{ name: 'main', image: 'app:1' }] };
    await world.create({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'orphan', labels: { app: 'web' } }, spec });

    await world.create(workload('ReplicaSet', 'web', 'app:1', { replicas: 1 }));

    expect(world.list(pods)).toHaveLength(1);
    const adopted = world.get<Pod>(pods, 'orphan');
    expect(adopted.metadata.ownerReferences?.[0]).toMatchObject({ kind: 'ReplicaSet', name: 'web', controller: true });

    world.store.update(pods, { ...adopted, metadata: { ...adopted.metadata, labels: { app: 'apart' } } });
    await world.settle();

    expect(world.get<Pod>(pods, 'orphan').metadata.ownerReferences).toBeUndefined();
    expect(world.list(pods)).toHaveLength(2);
  });
});
