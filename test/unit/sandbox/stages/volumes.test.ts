import { describe, expect, it } from 'vitest';
import type { KubeObject } from '../../../../src/sandbox/object.ts';
import { RESOURCES } from '../../../../src/sandbox/stages/types.ts';
import { createWorld } from '../../../support/stages.ts';

const { persistentVolumeClaims: claims, persistentVolumes: volumes, pods } = RESOURCES;

function claim(spec: object = {}): object {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name: 'data' },
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } }, ...spec },
  };
}

function volume(spec: object = {}): object {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name: 'disk' },
    spec: {
      accessModes: ['ReadWriteOnce'],
      capacity: { storage: '5Gi' },
      hostPath: { path: '/disk' },
      storageClassName: 'own',
      persistentVolumeReclaimPolicy: 'Retain',
      ...spec,
    },
  };
}

describe('a volume claim', () => {
  it('gets a volume of the default class, which goes with it', async () => {
    const world = await createWorld();

    await world.create(claim());

    const bound = world.get<KubeObject>(claims, 'data');
    expect(bound['spec']).toMatchObject({ storageClassName: 'standard', volumeName: `pvc-${bound.metadata.uid}` });
    expect(bound['status']).toEqual({ phase: 'Bound', accessModes: ['ReadWriteOnce'], capacity: { storage: '1Gi' } });
    expect(world.list<KubeObject>(volumes)[0]?.['status']).toMatchObject({ phase: 'Bound' });

    await world.remove(claims, 'data');

    expect(world.list(claims)).toEqual([]);
    expect(world.list(volumes)).toEqual([]);
  });

  it('waits for a volume of a class that makes none, and releases it', async () => {
    const world = await createWorld();
    await world.create(claim({ storageClassName: 'own' }));
    expect(world.get<KubeObject>(claims, 'data')['status']).toEqual({ phase: 'Pending' });

    await world.create(volume());

    expect(world.get<KubeObject>(claims, 'data')['status']).toMatchObject({
      phase: 'Bound',
      capacity: { storage: '5Gi' },
    });
    await world.remove(claims, 'data');
    expect(world.get<KubeObject>(volumes, 'disk')['status']).toMatchObject({ phase: 'Released' });
  });

  it('says why it waits', async () => {
    const world = await createWorld();

    await world.create(claim({ storageClassName: 'none' }));

    expect(world.events()).toEqual(['Warning ProvisioningFailed storageclass.storage.k8s.io "none" not found']);
  });

  it('stays while a pod uses it', async () => {
    const world = await createWorld();
    const spec = {
      containers: [{ name: 'main', image: 'app:1' }],
      volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }],
    };
    await world.create(claim(), { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'user' }, spec });
    expect(world.get(claims, 'data').metadata.finalizers).toEqual(['kubernetes.io/pvc-protection']);

    await world.remove(claims, 'data');
    expect(world.list(claims)).toHaveLength(1);
    await world.remove(pods, 'user');

    expect(world.list(claims)).toEqual([]);
  });
});
