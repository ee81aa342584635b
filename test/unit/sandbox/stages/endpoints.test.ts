import { describe, expect, it } from 'vitest';
import type { KubeObject } from '../../../../src/sandbox/object.ts';
import { type Pod, RESOURCES } from '../../../../src/sandbox/stages/types.ts';
import { createWorld, workload } from '../../../support/stages.ts';

const { endpoints, endpointSlices, pods, services } = RESOURCES;

function service(spec: object = {}): object {
  const ports = [{ name: 'http', port: 80, targetPort: 'web' }];
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'web' },
    spec: { selector: { app: 'web' }, ports, ...spec },
  };
}

function backend(name: string, image = 'app:1', port = 8080): object {
  const containers = [{ name: 'main', image, ports: [{ name: 'web', containerPort: port }] }];
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name, labels: { app: 'web' } }, spec: { containers } };
}

describe('the endpoints of a Service', () => {
  it('are its ready pods, by named port', async () => {
    const world = await createWorld();

    await world.create(
      service(),
      backend('a'),
      backend('b'),
      workload('ReplicaSet', 'other', 'app:1', { replicas: 1 }),
    );

    const subsets = world.get<KubeObject>(endpoints, 'web')['subsets'] as { addresses: object[]; ports: object[] }[];
    expect(subsets).toHaveLength(1);
    expect(subsets[0]?.addresses).toHaveLength(2);
    expect(subsets[0]?.ports).toEqual([{ name: 'http', port: 8080, protocol: 'TCP' }]);
    const [slice] = world.list<KubeObject>(endpointSlices);
    expect(slice?.metadata.labels).toMatchObject({ 'kubernetes.io/service-name': 'web' });
    expect(slice?.['ports']).toEqual([{ name: 'http', port: 8080, protocol: 'TCP' }]);
    expect(slice?.['endpoints']).toHaveLength(2);
  });

  it('show a pod that is not ready apart', async () => {
    const world = await createWorld();
    await world.create(service(), backend('a'));
    const live = world.get<Pod>(pods, 'a');
    const conditions = live.status?.conditions?.map((condition) => ({ ...condition, status: 'False' }));
    world.store.update(pods, { ...live, status: { ...live.status, conditions } }, { subresource: 'status' });
    await world.settle();

    const subsets = world.get<KubeObject>(endpoints, 'web')['subsets'] as object[];
    expect(subsets[0]).toHaveProperty('notReadyAddresses');
    expect(subsets[0]).not.toHaveProperty('addresses');
    expect(world.list<KubeObject>(endpointSlices)[0]?.['endpoints']).toMatchObject([
      { conditions: { ready: false, serving: false, terminating: false } },
    ]);
  });

  it('lose a pod that goes, and go with the Service', async () => {
    const world = await createWorld();
    await world.create(service(), backend('a'));

    await world.remove(pods, 'a');
    expect(world.get<KubeObject>(endpoints, 'web')['subsets']).toBeUndefined();
    await world.remove(services, 'web');

    expect(world.list(endpoints)).toEqual([]);
    expect(world.list(endpointSlices)).toEqual([]);
  });

  it('are two groups when a named port has two numbers', async () => {
    const world = await createWorld();

    await world.create(service(), backend('a', 'app:1', 8080), backend('b', 'app:1', 9090));

    const subsets = world.get<KubeObject>(endpoints, 'web')['subsets'] as { ports: { port: number }[] }[];
    expect(subsets.map(({ ports }) => ports[0]?.port).sort()).toEqual([8080, 9090]);
    expect(world.list(endpointSlices)).toHaveLength(2);
  });

  it('are left to others without a selector', async () => {
    const world = await createWorld();

    await world.create({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'own' },
      spec: { ports: [{ port: 1 }] },
    });

    expect(world.list(endpoints)).toEqual([]);
  });
});
