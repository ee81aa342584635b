import { describe, expect, it } from 'vitest';
import { createApi } from '../../../../src/sandbox/api.ts';
import type { KubeObject } from '../../../../src/sandbox/object.ts';
import type { ResourceId } from '../../../../src/sandbox/store.ts';

const PODS: ResourceId = { group: '', resource: 'pods' };
const ACCOUNTS: ResourceId = { group: '', resource: 'serviceaccounts' };
const PATH = '/var/run/secrets/kubernetes.io/serviceaccount';

interface Pod extends KubeObject {
  spec: {
    containers: { volumeMounts?: { name: string; mountPath: string }[] }[];
    volumes?: { name: string; projected?: object }[];
    imagePullSecrets?: object[];
  };
}

function create(spec: object, account: object = {}): Pod {
  const { store } = createApi();
  const metadata = { name: 'robot', namespace: 'default' };
  store.create(ACCOUNTS, { apiVersion: 'v1', kind: 'ServiceAccount', metadata, ...account });
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'one', namespace: 'default' } };
  const own = { serviceAccountName: 'robot', containers: [{ name: 'main', image: 'app:1' }] };
  return store.create(PODS, { ...pod, spec: { ...own, ...spec } }) as Pod;
}

describe('a new pod', () => {
  it('mounts a token of its account', () => {
    const { spec } = create({});

    const [volume] = spec.volumes ?? [];
    expect(volume?.name).toMatch(/^kube-api-access-[bcdfghjklmnpqrstvwxz2456789]{5}$/);
    expect(volume?.projected).toMatchObject({ defaultMode: 420 });
    expect(spec.containers[0]?.volumeMounts).toEqual([{ name: volume?.name, mountPath: PATH, readOnly: true }]);
  });

  it.each([
    { who: 'the pod', spec: { automountServiceAccountToken: false }, account: { automountServiceAccountToken: true } },
    { who: 'its account', spec: {}, account: { automountServiceAccountToken: false } },
  ])('mounts none when $who does not want it', ({ spec, account }) => {
    expect(create(spec, account).spec.volumes).toBeUndefined();
  });

  it('keeps what it mounts at that place itself', () => {
    const containers = [{ name: 'main', image: 'app:1', volumeMounts: [{ name: 'own', mountPath: PATH }] }];

    const { spec } = create({ containers, volumes: [{ name: 'own', emptyDir: {} }] });

    expect(spec.volumes?.map(({ name }) => name)).toEqual(['own']);
  });

  it('takes over the pull secrets of its account, unless it has its own', () => {
    const account = { imagePullSecrets: [{ name: 'registry' }] };

    expect(create({}, account).spec.imagePullSecrets).toEqual([{ name: 'registry' }]);
    expect(create({ imagePullSecrets: [{ name: 'own' }] }, account).spec.imagePullSecrets).toEqual([{ name: 'own' }]);
  });

  it('is refused when its account is not there', () => {
    expect(() => create({ serviceAccountName: 'nobody' })).toThrow(
      'pods "one" is forbidden: error looking up service account default/nobody: serviceaccount "nobody" not found',
    );
  });
});
