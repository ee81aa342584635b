// With one worker only: whatever a Kustomization waits for or fails with, another one goes its way meanwhile
// (lockstep.md §5).
import { describe, expect, it } from 'vitest';
import { configMapYaml, deploymentYaml, gitRepository, kustomization } from '../../support/build.ts';
import { clusters, useCluster } from '../../support/cluster.ts';
import { condition, conditionStatus, isReady, type Live, paths, useReconciler } from '../../support/reconciler.ts';

for (const choice of clusters) {
  describe(`fairness on ${choice.name}`, () => {
    const cluster = useCluster(choice);
    const suite = useReconciler(cluster, { concurrent: 1 });

    async function deploy(name: string, files: Record<string, string>, spec: object = {}) {
      const repository = await suite.repository(files);
      await suite.apply(gitRepository(name, repository.url));
      await suite.apply(kustomization(name, name, { targetNamespace: cluster.namespace, ...spec }));
    }
    /** Another Kustomization comes and becomes Ready. */
    async function otherIsReady(): Promise<void> {
      await deploy('other', { 'cm.yaml': configMapYaml('other', { a: '1' }) });
      await suite.waitFor(paths.kustomization(cluster.namespace, 'other'), isReady, 'Ready');
    }
    const object = () => suite.get(paths.kustomization(cluster.namespace, 'app'));

    it('is kept while one waits for health', async () => {
      await deploy('app', { 'web.yaml': deploymentYaml('web', 'nginx:broken') }, { wait: true, timeout: '10m' });
      const isWaiting = (live: Live | undefined) => conditionStatus(live, 'Healthy') === 'Unknown';
      await suite.waitFor(paths.kustomization(cluster.namespace, 'app'), isWaiting, 'waiting');

      await otherIsReady();

      expect(isWaiting(await object())).toBe(true);
    });

    it('is kept while one waits for a namespace that is on its way out', async () => {
      const name = `${cluster.namespace}-stuck`;
      const held = paths.configMap(name, 'held');
      const path = `/api/v1/namespaces/${name}`;
      await cluster.admin.call('POST', '/api/v1/namespaces', { body: { metadata: { name } } });
      await cluster.admin.call('POST', `${path}/configmaps`, {
        body: { metadata: { name: 'held', finalizers: ['example.com/hold'] } },
      });
      await cluster.admin.call('DELETE', path);
      try {
        await suite.waitFor(path, (live) => live?.status.phase === 'Terminating', 'on its way out');
        const yaml = `apiVersion: v1\nkind: Namespace\nmetadata:\n  name: ${name}\n  labels:\n    team: red\n`;
        await deploy('app', { 'namespace.yaml': yaml }, { targetNamespace: name });
        await suite.waitFor(path, (live) => live.metadata.labels['team'] === 'red', 'applied');

        await otherIsReady();

        // What it says is from before: the pass goes on.
        expect(condition(await object(), 'Ready')?.reason).not.toBe('ReconciliationFailed');
      } finally {
        await cluster.admin.call('PATCH', held, { body: { metadata: { finalizers: null } } });
      }
    });

    it('is kept while a deleted one waits for its objects to go', async () => {
      const { namespace } = cluster;
      await deploy('app', { 'cm.yaml': configMapYaml('cm', { a: '1' }) }, { deletionPolicy: 'WaitForTermination' });
      await suite.waitFor(paths.kustomization(namespace, 'app'), isReady, 'Ready');
      const cm = paths.configMap(namespace, 'cm');
      await cluster.admin.call('PATCH', cm, { body: { metadata: { finalizers: ['example.com/hold'] } } });
      await cluster.admin.call('DELETE', paths.kustomization(namespace, 'app'));
      await suite.waitFor(cm, (live) => live.metadata.deletionTimestamp !== undefined, 'on its way out');

      await otherIsReady();

      expect(await object()).toMatchObject({ metadata: { deletionTimestamp: expect.any(String) } });
      await cluster.admin.call('PATCH', cm, { body: { metadata: { finalizers: null } } });
      await suite.waitFor(paths.kustomization(namespace, 'app'), (live) => live === undefined, 'gone');
    });
  });
}
