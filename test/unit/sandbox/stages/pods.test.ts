import { describe, expect, it } from 'vitest';
import { type Pod, RESOURCES } from '../../../../src/sandbox/stages/types.ts';
import { createWorld, type World } from '../../../support/stages.ts';

const { pods, nodes } = RESOURCES;

function pod(name: string, image: string, spec: object = {}): object {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name },
    spec: { containers: [{ name: 'main', image }], ...spec },
  };
}

function conditions(world: World, name: string): string[] {
  const { status } = world.get<Pod>(pods, name);
  return (status?.conditions ?? []).map(({ type, status: value, reason }) =>
    [type, value, reason].filter(Boolean).join(' '),
  );
}

describe('a pod', () => {
  it('is scheduled, gets an address and runs', async () => {
    const world = await createWorld();

    await world.create(pod('one', 'app:1'));

    const { spec, status } = world.get<Pod>(pods, 'one');
    expect(spec.nodeName).toBe('node-0');
    expect(status).toMatchObject({ phase: 'Running', podIP: '10.244.0.1', hostIP: '127.0.0.1' });
    expect(status?.containerStatuses?.[0]).toMatchObject({
      name: 'main',
      image: 'app:1',
      ready: true,
      restartCount: 0,
    });
    expect(conditions(world, 'one')).toEqual([
      'PodReadyToStartContainers True',
      'Initialized True',
      'Ready True',
      'ContainersReady True',
      'PodScheduled True',
    ]);
    expect(world.events()).toEqual(['Normal Scheduled Successfully assigned default/one to node-0']);
  });

  it.each(['registry.example/does-not-exist', 'app:bad', 'app:broken'])(
    'waits in ImagePullBackOff with the image %s',
    async (image) => {
      const world = await createWorld();

      await world.create(pod('one', image));

      const { status } = world.get<Pod>(pods, 'one');
      expect(status?.phase).toBe('Pending');
      expect(status?.containerStatuses?.[0]?.state).toEqual({
        waiting: { reason: 'ImagePullBackOff', message: `Back-off pulling image "${image}"` },
      });
      expect(conditions(world, 'one')).toContain('Ready False ContainersNotReady');
      expect(world.events()).toContain('Warning Failed Error: ImagePullBackOff');
    },
  );

  it('runs after its image is put right', async () => {
    const world = await createWorld();
    await world.create(pod('one', 'app:bad'));
    const [container] = world.get<Pod>(pods, 'one').spec.containers;

    await world.change(pods, 'one', { containers: [{ ...container, image: 'app:good' }] });

    expect(world.get<Pod>(pods, 'one').status).toMatchObject({ phase: 'Running' });
    expect(conditions(world, 'one')).toContain('Ready True');
  });

  it.each([
    { image: 'busybox', phase: 'Succeeded', exitCode: 0, reason: 'Completed' },
    { image: 'registry.example/fail:1', phase: 'Failed', exitCode: 1, reason: 'Error' },
  ])('that may end does: $image is $phase', async ({ image, phase, exitCode, reason }) => {
    const world = await createWorld();

    await world.create(pod('one', image, { restartPolicy: 'Never' }));

    const { status } = world.get<Pod>(pods, 'one');
    expect(status?.phase).toBe(phase);
    expect(status?.containerStatuses?.[0]?.state).toMatchObject({ terminated: { exitCode, reason } });
  });

  it('waits for a node that fits, and takes it when it comes', async () => {
    const world = await createWorld();
    await world.create(pod('one', 'app:1', { nodeSelector: { disk: 'fast' } }));
    expect(conditions(world, 'one')).toEqual(['PodScheduled False Unschedulable']);
    expect(world.events()).toEqual([
      "Warning FailedScheduling 0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector.",
    ]);

    await world.create({
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name: 'fast', labels: { disk: 'fast' } },
      spec: {},
    });

    expect(world.get<Pod>(pods, 'one').spec.nodeName).toBe('fast');
    expect(conditions(world, 'one')).toContain('PodScheduled True');
  });

  it('is held by scheduling gates', async () => {
    const world = await createWorld();

    await world.create(pod('one', 'app:1', { schedulingGates: [{ name: 'example.com/wait' }] }));

    expect(world.get<Pod>(pods, 'one').spec.nodeName).toBeUndefined();
    expect(conditions(world, 'one')).toEqual(['PodScheduled False SchedulingGated']);
  });

  it('goes at once when it is deleted, and its address is free again', async () => {
    const world = await createWorld();
    await world.create(pod('one', 'app:1'));

    await world.remove(pods, 'one');

    expect(world.list(pods)).toEqual([]);
  });

  it('stays as long as it has a finalizer', async () => {
    const world = await createWorld();
    await world.create({
      ...pod('one', 'app:1'),
      metadata: { name: 'one', finalizers: ['example.com/hold'] },
    });

    await world.remove(pods, 'one');

    const held = world.get<Pod>(pods, 'one');
    expect(held.metadata).toMatchObject({ deletionTimestamp: expect.any(String), finalizers: ['example.com/hold'] });
    const { finalizers: _, ...metadata } = held.metadata;
    world.store.update(pods, { ...held, metadata });
    await world.settle();
    expect(world.list(pods)).toEqual([]);
  });

  it('never shares an address with another', async () => {
    const world = await createWorld();

    await world.create(...Array.from({ length: 300 }, (_, i) => pod(`p${i}`, 'app:1')));

    expect(new Set(world.list<Pod>(pods).map(({ status }) => status?.podIP)).size).toBe(300);
  });
});

describe('the node', () => {
  it('is ready and has room', async () => {
    const world = await createWorld();

    const [node, ...others] = world.list(nodes);

    expect(others).toEqual([]);
    expect(node?.['status']).toMatchObject({ capacity: { cpu: '64' }, nodeInfo: { kubeletVersion: 'v1.36.3' } });
  });
});
