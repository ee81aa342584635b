// What `lockstep install` prints: which rights each choice has, and what holds of every pod.
import { describe, expect, it } from 'vitest';
import { type InstallOptions, installManifests } from '../../../src/cli/install-manifests.ts';

// biome-ignore lint/suspicious/noExplicitAny: tests reach into objects of every kind.
type Any = any;

function manifests(options: Partial<InstallOptions> = {}): Any[] {
  return installManifests({ image: 'lockstep:1', rbac: 'tenant', persistent: false, ...options });
}

function named(kind: string, name: string, options: Partial<InstallOptions> = {}): Any {
  return manifests(options).find((object) => object.kind === kind && object.metadata.name === name);
}

describe('install', () => {
  it('binds cluster-admin only where that is asked for', () => {
    const roles = (rbac: InstallOptions['rbac']) =>
      manifests({ rbac })
        .filter(({ kind }) => /Binding$/.test(kind))
        .map(({ roleRef }) => roleRef.name);

    expect(roles('tenant')).toEqual(['lockstep-controller', 'lockstep-leader-election']);
    expect(roles('cluster-admin')).toEqual(['lockstep-controller', 'lockstep-leader-election', 'cluster-admin']);
  });

  it('gives a tenant install no wildcard, no list of Secrets and no lease of another namespace', () => {
    const { rules } = named('ClusterRole', 'lockstep-controller');

    expect(JSON.stringify(rules)).not.toContain('"*"');
    expect(rules.filter(({ resources }: Any) => resources?.includes('secrets'))).toEqual([
      { apiGroups: [''], resources: ['secrets', 'configmaps'], verbs: ['get'] },
    ]);
    expect(rules.filter(({ resources }: Any) => resources?.includes('leases'))).toEqual([]);
    expect(rules.filter(({ verbs }: Any) => verbs.includes('impersonate'))).toEqual([
      { apiGroups: [''], resources: ['serviceaccounts'], verbs: ['get', 'impersonate'] },
    ]);
  });

  it('claims a volume only with --persistent', () => {
    const volume = (options: Partial<InstallOptions>) =>
      named('Deployment', 'lockstep', options).spec.template.spec.volumes.find((item: Any) => item.name === 'state');

    expect(manifests().filter(({ kind }) => kind === 'PersistentVolumeClaim')).toEqual([]);
    expect(volume({})).toEqual({ name: 'state', emptyDir: {} });
    expect(named('PersistentVolumeClaim', 'lockstep-state', { persistent: true }).spec.accessModes).toEqual([
      'ReadWriteOnce',
    ]);
    expect(volume({ persistent: true }).persistentVolumeClaim).toEqual({ claimName: 'lockstep-state' });
  });

  it('runs the image as nobody, on a read-only root, with probes', () => {
    const pod = named('Deployment', 'lockstep').spec.template.spec;
    const [container] = pod.containers;

    expect(container.image).toBe('lockstep:1');
    expect(pod.securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
    expect(container.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
    expect(container.readinessProbe.httpGet.path).toBe('/readyz');
    expect(container.livenessProbe.httpGet.path).toBe('/healthz');
  });

  it('makes replicas that share the objects of --shards: each with a name, an address and a volume of its own', () => {
    const set = named('StatefulSet', 'lockstep', { shards: 3, persistent: true });
    const [container] = set.spec.template.spec.containers;

    expect(manifests({ shards: 3, persistent: true }).map(({ kind }) => kind)).not.toContain('Deployment');
    expect(manifests({ shards: 3, persistent: true }).map(({ kind }) => kind)).not.toContain('PersistentVolumeClaim');
    expect(set.spec).toMatchObject({ replicas: 3, serviceName: 'lockstep-replicas', podManagementPolicy: 'Parallel' });
    expect(set.spec.volumeClaimTemplates).toHaveLength(1);
    expect(container.args).toContain('--shards=3');
    expect(container.args).toContain(
      '--storage-adv-addr=$(POD_NAME).lockstep-replicas.flux-system.svc.cluster.local.:9090',
    );
    expect(container.env).toEqual([{ name: 'POD_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }]);
    expect(named('Service', 'lockstep-replicas', { shards: 3 }).spec).toMatchObject({
      clusterIP: 'None',
      publishNotReadyAddresses: true,
    });
    expect(named('Service', 'lockstep-replicas')).toBeUndefined();
  });

  it('lets replicas watch the Leases of their own namespace, and only them', () => {
    const verbs = (shards?: number) => named('Role', 'lockstep-leader-election', { shards }).rules[0].verbs;

    expect(verbs()).toEqual(['get', 'create', 'update']);
    expect(verbs(3)).toEqual(['get', 'create', 'update', 'list', 'watch', 'delete']);
  });
});
