// Drift is seen by watching and put back at once; what is ours to leave alone is left alone (lockstep.md §2, §3). Many
// rounds are slow/drift.test.ts, fights and pauses drift-guards.test.ts.
import { describe, expect, it } from 'vitest';
import { configMapYaml, deploymentYaml, gitRepository, kustomization } from '../support/build.ts';
import { clusters, useCluster } from '../support/cluster.ts';
import { runDriftRound } from '../support/drift-round.ts';
import { checkSeeds } from '../support/fault-seeds.ts';
import { condition, isReady, paths, useReconciler } from '../support/reconciler.ts';

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

    checkSeeds('puts every kind of edit back, and leaves alone what is not ours', async (choices) => {
      const times = await runDriftRound(cluster, suite, choices);

      expect(times.length).toBeGreaterThan(20);
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
