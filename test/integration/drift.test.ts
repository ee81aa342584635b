// Drift is seen by watching and put back at once; what is ours to leave alone is left alone (lockstep.md §2, §3).
import { isDeepStrictEqual } from 'node:util';
import { describe, expect, it } from 'vitest';
import { configMapYaml, deploymentYaml, gitRepository, kustomization } from '../support/build.ts';
import { clusters, useCluster } from '../support/cluster.ts';
import { condition, isReady, type Live, paths, useReconciler } from '../support/reconciler.ts';

/** An edit that somebody makes by hand, and how the field is read. */
interface Edit {
  readonly name: string;
  readonly manager: string;
  readonly type: 'merge' | 'json' | 'strategic' | 'apply';
  readonly patch: (namespace: string) => unknown;
}

const container = (change: object) => ({ spec: { template: { spec: { containers: [{ name: 'main', ...change }] } } } });
const edits: readonly Edit[] = [
  { name: 'set image', manager: 'kubectl-set', type: 'strategic', patch: () => container({ image: 'nginx:bad' }) },
  {
    name: 'edit the number of replicas',
    manager: 'kubectl-edit',
    type: 'merge',
    patch: () => ({ spec: { replicas: 7 } }),
  },
  { name: 'label', manager: 'kubectl-label', type: 'merge', patch: () => ({ metadata: { labels: { by: 'hand' } } }) },
  {
    name: 'overwrite a label',
    manager: 'kubectl-label',
    type: 'merge',
    patch: () => ({ metadata: { labels: { app: 'x' } } }),
  },
  {
    name: 'annotate',
    manager: 'kubectl-annotate',
    type: 'merge',
    patch: () => ({ metadata: { annotations: { by: 'hand' } } }),
  },
  {
    name: 'add an environment variable',
    manager: 'kubectl-set',
    type: 'strategic',
    patch: () => container({ env: [{ name: 'A', value: 'b' }] }),
  },
  {
    name: 'add a port',
    manager: 'kubectl-patch',
    type: 'strategic',
    patch: () => container({ ports: [{ containerPort: 8080, protocol: 'TCP' }] }),
  },
  {
    name: 'remove an ownership label',
    manager: 'kubectl-label',
    type: 'merge',
    patch: () => ({ metadata: { labels: { 'kustomize.toolkit.fluxcd.io/name': null } } }),
  },
  {
    name: 'replace a field as another manager',
    manager: 'curl',
    type: 'merge',
    patch: () => ({ spec: { replicas: 9 } }),
  },
  {
    name: 'apply a changed manifest on the server',
    manager: 'kubectl',
    type: 'apply',
    patch: (namespace) => ({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'web', namespace, labels: { extra: 'yes' } },
      spec: { replicas: 4 },
    }),
  },
  {
    name: 'change the strategy',
    manager: 'kubectl-edit',
    type: 'merge',
    patch: () => ({ spec: { minReadySeconds: 3 } }),
  },
];
const CONTENT_TYPES = {
  merge: 'application/merge-patch+json',
  json: 'application/json-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  apply: 'application/apply-patch+yaml',
} as const;

for (const choice of clusters) {
  describe(`drift on ${choice.name}`, () => {
    const cluster = useCluster(choice);
    const suite = useReconciler(cluster);

    async function deployed(files: Record<string, string>, annotations: Record<string, string> = {}) {
      const repository = await suite.repository(files);
      const { namespace } = cluster;
      await suite.apply(gitRepository('app', repository.url));
      await suite.apply(kustomization('app', 'app', { targetNamespace: namespace }, { annotations }));
      await suite.waitFor(paths.kustomization(namespace, 'app'), isReady, 'Ready');
      return namespace;
    }

    /** What of a Deployment Git decides. */
    const content = ({ metadata, spec }: Live) => ({
      labels: metadata.labels,
      annotations: withoutRevision(metadata),
      spec,
    });
    const withoutRevision = ({ annotations = {} }: Live) => {
      const { 'deployment.kubernetes.io/revision': _revision, ...rest } = annotations;
      return rest;
    };

    it.each(edits)('puts back: $name', async ({ manager, type, patch }) => {
      const namespace = await deployed({ 'web.yaml': deploymentYaml('web', 'nginx:1', 2) });
      const path = paths.deployment(namespace, 'web');
      const before = content(await suite.get(path));

      const force = type === 'apply' ? '&force=true' : '';
      const answer = await cluster.admin.call('PATCH', `${path}?fieldManager=${manager}${force}`, {
        body: patch(namespace) as object,
        contentType: CONTENT_TYPES[type],
      });

      expect(answer.status).toBe(200);
      expect(content(answer.body)).not.toEqual(before);
      await suite.waitFor(path, (live) => isDeepStrictEqual(content(live), before), 'put back');
    });

    it('makes a deleted object again', async () => {
      const namespace = await deployed({ 'cm.yaml': configMapYaml('cm', { a: '1' }) });
      const path = paths.configMap(namespace, 'cm');
      const { uid } = (await suite.get(path)).metadata;

      await cluster.admin.call('DELETE', path);

      await suite.waitFor(path, (live) => live !== undefined && live.metadata.uid !== uid, 'made again');
    });

    it('leaves fields of other managers that Git says nothing of', async () => {
      const namespace = await deployed({ 'cm.yaml': configMapYaml('cm', { a: '1' }) });
      const path = paths.configMap(namespace, 'cm');

      await cluster.admin.call('PATCH', `${path}?fieldManager=operator`, { body: { data: { added: 'x' } } });
      await suite.quiet();
      const requests = await suite.countRequests(async () => {
        await cluster.admin.call('PATCH', `${path}?fieldManager=operator`, { body: { data: { added: 'y' } } });
        await suite.quiet();
      });

      expect((await suite.get(path)).data).toEqual({ a: '1', added: 'y' });
      expect(requests.filter(({ method }) => method !== 'GET')).toEqual([]);
    });

    it('only tells of drift under lockstep.dev/drift: warn', async () => {
      const namespace = await deployed(
        { 'web.yaml': deploymentYaml('web', 'nginx:1', 2) },
        { 'lockstep.dev/drift': 'warn' },
      );
      const path = paths.deployment(namespace, 'web');

      await cluster.admin.call('PATCH', `${path}?fieldManager=kubectl-scale`, { body: { spec: { replicas: 5 } } });

      const object = await suite.waitFor(
        paths.kustomization(namespace, 'app'),
        (live) => condition(live, 'Drifted')?.status === 'True',
        'Drifted',
      );
      expect(condition(object, 'Drifted').message).toContain(
        `Deployment/${namespace}/web (.spec.replicas by kubectl-scale)`,
      );
      expect(condition(object, 'Ready').status).toBe('True');
      expect((await suite.get(path)).spec.replicas).toBe(5);
    });

    it('leaves an object of another Kustomization to it, and says so on both', async () => {
      const namespace = await deployed({ 'cm.yaml': configMapYaml('cm', { a: 'first' }) });
      const other = await suite.repository({ 'cm.yaml': configMapYaml('cm', { a: 'second' }) });
      await suite.apply(gitRepository('other', other.url));

      await suite.apply(kustomization('other', 'other', { targetNamespace: namespace }));

      for (const name of ['app', 'other']) {
        const object = await suite.waitFor(
          paths.kustomization(namespace, name),
          (live) => condition(live, 'OwnershipConflict')?.status === 'True',
          'OwnershipConflict',
        );
        expect(condition(object, 'OwnershipConflict').message).toContain(`ConfigMap/${namespace}/cm`);
        expect(condition(object, 'Ready').status).toBe('True');
      }
      expect((await suite.get(paths.configMap(namespace, 'cm'))).data).toEqual({ a: 'first' });
    });
  });
}
