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
});
