import { describe, expect, it } from 'vitest';
import type { KubeObject } from '../../../../src/sandbox/object.ts';
import { type Pod, RESOURCES } from '../../../../src/sandbox/stages/types.ts';
import { createWorld, podTemplate, workload } from '../../../support/stages.ts';

const { daemonSets, pods } = RESOURCES;

function node(name: string, labels: object = {}): object {
  return { apiVersion: 'v1', kind: 'Node', metadata: { name, labels }, spec: {} };
}

describe('a DaemonSet', () => {
  it('has a pod on each node, also on one that comes later', async () => {
    const world = await createWorld();
    await world.create(workload('DaemonSet', 'agent', 'agent:1'));
    expect(world.list<Pod>(pods).map(({ spec }) => spec.nodeName)).toEqual(['node-0']);

    await world.create(node('node-1'));

    expect(
      world
        .list<Pod>(pods)
        .map(({ spec }) => spec.nodeName)
        .sort(),
    ).toEqual(['node-0', 'node-1']);
    expect(world.get<KubeObject>(daemonSets, 'agent')['status']).toEqual({
      currentNumberScheduled: 2,
      numberMisscheduled: 0,
      desiredNumberScheduled: 2,
      numberReady: 2,
      observedGeneration: 1,
      updatedNumberScheduled: 2,
      numberAvailable: 2,
    });
  });

  it('replaces its pods when the template changes', async () => {
    const world = await createWorld();
    await world.create(node('node-1'), workload('DaemonSet', 'agent', 'agent:1'));

    await world.change(daemonSets, 'agent', { template: podTemplate('agent', 'agent:2') });

    expect(world.list<Pod>(pods).map(({ spec }) => spec.containers[0]?.image)).toEqual(['agent:2', 'agent:2']);
  });

  it('keeps the last good pod when the new one cannot start on the first node', async () => {
    const world = await createWorld();
    await world.create(node('node-1'), workload('DaemonSet', 'agent', 'agent:1'));

    await world.change(daemonSets, 'agent', { template: podTemplate('agent', 'agent:bad') });

    expect(
      world
        .list<Pod>(pods)
        .map(({ spec }) => spec.containers[0]?.image)
        .sort(),
    ).toEqual(['agent:1', 'agent:bad']);
    expect(world.get<KubeObject>(daemonSets, 'agent')['status']).toMatchObject({
      numberAvailable: 1,
      numberUnavailable: 1,
    });
  });

  it('stays off nodes that its selector leaves out', async () => {
    const world = await createWorld();
    const template = podTemplate('agent', 'agent:1');

    await world.create(
      node('node-1', { disk: 'fast' }),
      workload('DaemonSet', 'agent', 'agent:1', {
        template: { ...template, spec: { ...template.spec, nodeSelector: { disk: 'fast' } } },
      }),
    );

    expect(world.list<Pod>(pods).map(({ spec }) => spec.nodeName)).toEqual(['node-1']);
  });
});
