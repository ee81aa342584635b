import { describe, expect, it } from 'vitest';
import { type Deployment, type Pod, RESOURCES, type ReplicaSet } from '../../../../../src/sandbox/stages/types.ts';
import { createWorld, podTemplate, type World, workload } from '../../../../support/stages.ts';

const { deployments, replicaSets, pods } = RESOURCES;

function conditions(world: World, name = 'web'): string[] {
  const { status } = world.get<Deployment>(deployments, name);
  return (status?.conditions ?? []).map(
    ({ type, status: value, reason, message }) => `${type}=${value} ${reason}: ${message}`,
  );
}

function sizes(world: World): Record<string, number> {
  const entries = world
    .list<ReplicaSet>(replicaSets)
    .map((set) => [set.spec.template.spec.containers[0]?.image, set.spec.replicas] as const);
  return Object.fromEntries(entries);
}

function setImage(world: World, image: string): Promise<void> {
  return world.change(deployments, 'web', { template: podTemplate('web', image) });
}

describe('a Deployment', () => {
  it('comes up with one ReplicaSet whose pods are ready', async () => {
    const world = await createWorld();

    await world.create(workload('Deployment', 'web', 'app:1', { replicas: 3 }));

    const deployment = world.get<Deployment>(deployments, 'web');
    const [set] = world.list<ReplicaSet>(replicaSets);
    const hash = set?.metadata.labels?.['pod-template-hash'] ?? '';
    expect(hash).toMatch(/^[bcdfghjklmnpqrstvwxz2456789]{5,10}$/);
    expect(set?.metadata.name).toBe(`web-${hash}`);
    expect(set?.metadata.annotations).toEqual({
      'deployment.kubernetes.io/desired-replicas': '3',
      'deployment.kubernetes.io/max-replicas': '4',
      'deployment.kubernetes.io/revision': '1',
    });
    expect(set?.spec.selector).toEqual({ matchLabels: { app: 'web', 'pod-template-hash': hash } });
    expect(deployment.metadata.annotations).toEqual({ 'deployment.kubernetes.io/revision': '1' });
    const { conditions: _, ...counts } = deployment.status ?? {};
    expect(counts).toEqual({
      observedGeneration: 1,
      replicas: 3,
      updatedReplicas: 3,
      readyReplicas: 3,
      availableReplicas: 3,
      terminatingReplicas: 0,
    });
    expect(conditions(world)).toEqual([
      'Available=True MinimumReplicasAvailable: Deployment has minimum availability.',
      `Progressing=True NewReplicaSetAvailable: ReplicaSet "web-${hash}" has successfully progressed.`,
    ]);
    expect(world.events()).toContain(`Normal ScalingReplicaSet Scaled up replica set web-${hash} from 0 to 3`);
    expect(world.bugs).toEqual([]);
  });

  it('rolls to a new image within surge and unavailability', async () => {
    const world = await createWorld();
    const strategy = { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } };
    await world.create(workload('Deployment', 'web', 'app:1', { replicas: 2, strategy }));
    const most = { all: 0, ready: 9 };
    // What is wanted of the ReplicaSets is bounded: a pod that is not wanted any more goes a moment later.
    world.store.watch(replicaSets, () => {
      const wanted = world.list<ReplicaSet>(replicaSets).reduce((sum, { spec }) => sum + (spec.replicas ?? 0), 0);
      most.all = Math.max(most.all, wanted);
    });
    world.store.watch(pods, () => {
      const running = world.list<Pod>(pods).filter(({ metadata, status }) => {
        return metadata.deletionTimestamp === undefined && status?.phase === 'Running';
      });
      most.ready = Math.min(most.ready, running.length);
    });

    await setImage(world, 'app:2');

    expect(sizes(world)).toEqual({ 'app:1': 0, 'app:2': 2 });
    expect(most).toEqual({ all: 3, ready: 2 });
    expect(world.get<Deployment>(deployments, 'web').metadata.annotations?.['deployment.kubernetes.io/revision']).toBe(
      '2',
    );
    const rolled = world
      .events()
      .filter((event) => event.includes('ScalingReplicaSet'))
      .slice(1);
    expect(rolled.map((event) => event.replace(/web-\w+/, 'SET'))).toEqual([
      'Normal ScalingReplicaSet Scaled up replica set SET from 0 to 1',
      'Normal ScalingReplicaSet Scaled down replica set SET from 2 to 1',
      'Normal ScalingReplicaSet Scaled up replica set SET from 1 to 2',
      'Normal ScalingReplicaSet Scaled down replica set SET from 1 to 0',
    ]);
  });

  it('keeps the old pods when the new image cannot be pulled, and says when its time is over', async () => {
    const world = await createWorld();
    await world.create(workload('Deployment', 'web', 'app:1', { replicas: 4, progressDeadlineSeconds: 60 }));

    await setImage(world, 'registry.example/does-not-exist:2');

    expect(sizes(world)).toEqual({ 'app:1': 3, 'registry.example/does-not-exist:2': 2 });
    expect(conditions(world)[1]).toMatch(/^Progressing=True ReplicaSetUpdated: ReplicaSet "web-\w+" is progressing\.$/);

    await world.pass(62);

    expect(conditions(world)[0]).toMatch(/^Available=True/);
    expect(conditions(world)[1]).toMatch(
      /^Progressing=False ProgressDeadlineExceeded: ReplicaSet "web-\w+" has timed out progressing\.$/,
    );
  });

  it('goes back to a ReplicaSet that it had, with a new revision and its history', async () => {
    const world = await createWorld();
    await world.create(workload('Deployment', 'web', 'app:1', { replicas: 1 }));
    await setImage(world, 'app:2');

    await setImage(world, 'app:1');

    expect(sizes(world)).toEqual({ 'app:1': 1, 'app:2': 0 });
    const back = world.list<ReplicaSet>(replicaSets).find(({ spec }) => spec.replicas === 1);
    expect(back?.metadata.annotations).toMatchObject({
      'deployment.kubernetes.io/revision': '3',
      'deployment.kubernetes.io/revision-history': '1',
    });
  });

  it('scales all active ReplicaSets in proportion in the middle of a rollout', async () => {
    const world = await createWorld();
    const strategy = { type: 'RollingUpdate', rollingUpdate: { maxSurge: 3, maxUnavailable: 2 } };
    await world.create(workload('Deployment', 'web', 'app:1', { replicas: 10, strategy }));
    await setImage(world, 'app:bad');
    expect(sizes(world)).toEqual({ 'app:1': 8, 'app:bad': 5 });

    await world.change(deployments, 'web', { replicas: 15 });

    expect(sizes(world)).toEqual({ 'app:1': 11, 'app:bad': 7 });
  });

  it('does nothing but scale while paused', async () => {
    const world = await createWorld();
    await world.create(workload('Deployment', 'web', 'app:1', { replicas: 1 }));

    await world.change(deployments, 'web', { paused: true, replicas: 2, template: podTemplate('web', 'app:2') });

    expect(sizes(world)).toEqual({ 'app:1': 2 });
    expect(conditions(world)).toContain('Progressing=Unknown DeploymentPaused: Deployment is paused');

    await world.change(deployments, 'web', { paused: false });

    expect(sizes(world)).toEqual({ 'app:1': 0, 'app:2': 2 });
    expect(conditions(world).at(-1)).toMatch(/^Progressing=True NewReplicaSetAvailable/);
  });

  it('recreates: no new pod before the last old one is gone', async () => {
    const world = await createWorld();
    await world.create(workload('Deployment', 'web', 'app:1', { replicas: 2, strategy: { type: 'Recreate' } }));
    const seen = new Set<string>();
    world.store.watch(pods, () => {
      const images = world.list<Pod>(pods).map(({ spec }) => spec.containers[0]?.image);
      seen.add([...new Set(images)].sort().join('+'));
    });

    await setImage(world, 'app:2');

    expect(seen).toEqual(new Set(['app:1', '', 'app:2']));
    expect(sizes(world)).toEqual({ 'app:1': 0, 'app:2': 2 });
  });

  it('forgets old ReplicaSets beyond the history limit', async () => {
    const world = await createWorld();
    await world.create(workload('Deployment', 'web', 'app:1', { replicas: 1, revisionHistoryLimit: 1 }));

    await setImage(world, 'app:2');
    await setImage(world, 'app:3');
    await setImage(world, 'app:4');

    expect(sizes(world)).toEqual({ 'app:3': 0, 'app:4': 1 });
  });

  it('waits for minReadySeconds before it counts a pod', async () => {
    const world = await createWorld();
    await world.create(workload('Deployment', 'web', 'app:1', { replicas: 1, minReadySeconds: 10 }));
    expect(world.get<Deployment>(deployments, 'web').status).toMatchObject({
      readyReplicas: 1,
      unavailableReplicas: 1,
    });

    await world.pass(11);

    expect(world.get<Deployment>(deployments, 'web').status).toMatchObject({ readyReplicas: 1, availableReplicas: 1 });
    expect(world.get<Deployment>(deployments, 'web').status).not.toHaveProperty('unavailableReplicas');
  });

  it('adopts a matching ReplicaSet that nobody owns', async () => {
    const world = await createWorld();
    const deployment = workload('Deployment', 'web', 'app:1', { replicas: 1 });
    await world.create(deployment);
    const [set] = world.list<ReplicaSet>(replicaSets);
    const { ownerReferences: _, ...metadata } = set?.metadata ?? { name: '' };
    world.store.delete(deployments, 'default', 'web', { propagationPolicy: 'Orphan' });
    await world.settle();
    expect(world.list<ReplicaSet>(replicaSets)[0]?.metadata.ownerReferences).toBeUndefined();

    await world.create(deployment);

    const [adopted] = world.list<ReplicaSet>(replicaSets);
    expect(world.list(replicaSets)).toHaveLength(1);
    expect(adopted?.metadata.name).toBe(metadata.name);
    expect(adopted?.metadata.ownerReferences?.[0]).toMatchObject({ kind: 'Deployment', name: 'web', controller: true });
  });

  it('writes nothing when there is nothing to do', async () => {
    const world = await createWorld();
    await world.create(workload('Deployment', 'web', 'app:1', { replicas: 2 }));
    const before = world.get(deployments, 'web').metadata.resourceVersion;
    let writes = 0;
    for (const resource of Object.values(RESOURCES)) world.store.watch(resource, () => writes++);

    await world.pass(1800);

    expect(writes).toBe(0);
    expect(world.get(deployments, 'web').metadata.resourceVersion).toBe(before);
  });
});
