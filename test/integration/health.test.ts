// Waiting for health: without a worker, interrupted by news, with the reason of what does not come up (flux.md §4.12,
// lockstep.md §5).
import { describe, expect, it } from 'vitest';
import { configMapYaml, deploymentYaml, gitRepository, jobYaml, kustomization } from '../support/build.ts';
import { clusters, useCluster } from '../support/cluster.ts';
import { condition, hasFailed, isReady, paths, useReconciler } from '../support/reconciler.ts';

for (const choice of clusters) {
  describe(`health on ${choice.name}`, () => {
    const cluster = useCluster(choice);
    const suite = useReconciler(cluster, { requeueDependencyMs: 500 });

    async function source(files: Record<string, string>, name = 'app') {
      const repository = await suite.repository(files);
      await suite.apply(gitRepository(name, repository.url, { interval: '1s' }));
      return repository;
    }

    it('becomes Ready when everything is healthy, and says so in Healthy', async () => {
      const { namespace } = cluster;
      await source({ 'web.yaml': deploymentYaml('web', 'nginx:1', 2) });

      await suite.apply(kustomization('app', 'app', { targetNamespace: namespace, wait: true }));

      const object = await suite.waitFor(paths.kustomization(namespace, 'app'), isReady, 'Ready');
      expect(condition(object, 'Healthy')).toMatchObject({ status: 'True', reason: 'Succeeded' });
      expect(condition(object, 'Healthy').message).toMatch(/^Health check passed in /);
      const live = await suite.get(paths.deployment(namespace, 'web'));
      expect(live.status.availableReplicas).toBe(2);
    });

    it('says why a Deployment does not come up, and is freed by the next revision', async () => {
      const { namespace } = cluster;
      const repository = await source({ 'web.yaml': deploymentYaml('web', 'nginx:broken') });
      await suite.apply(
        kustomization('app', 'app', { targetNamespace: namespace, wait: true, timeout: '10m', interval: '1h' }),
      );
      const path = paths.kustomization(namespace, 'app');
      const waiting = await suite.waitFor(
        path,
        (object) => condition(object, 'Healthy')?.status === 'Unknown',
        'waiting for health',
      );
      expect(condition(waiting, 'Reconciling').message).toMatch(
        /^Running health checks for revision main@sha1:\w+ with a timeout of 10m0s$/,
      );

      await repository.commit({ 'web.yaml': deploymentYaml('web', 'nginx:2') });

      const object = await suite.waitFor(path, isReady, 'Ready after the fix');
      expect(object.status.lastAppliedRevision).toBe(`main@sha1:${await repository.git('rev-parse', 'HEAD')}`);
    });

    it('fails early when a Job fails, with its message', async () => {
      const { namespace } = cluster;
      await source({ 'job.yaml': jobYaml('migrate', 'migrate:fail') });

      await suite.apply(kustomization('app', 'app', { targetNamespace: namespace, wait: true, timeout: '10m' }));

      const object = await suite.waitFor(
        paths.kustomization(namespace, 'app'),
        hasFailed('HealthCheckFailed'),
        'failed',
      );
      expect(condition(object, 'Ready').message).toContain(`Job/${namespace}/migrate status: 'Failed'`);
      expect(condition(object, 'Healthy')).toMatchObject({ status: 'False', reason: 'HealthCheckFailed' });
      expect(object.status.lastAppliedRevision).toBeUndefined();
      expect(object.status.inventory.entries).toHaveLength(1);
    });

    it('waits for a dependency and goes on by itself', async () => {
      const { namespace } = cluster;
      await source({ 'a.yaml': configMapYaml('a', { x: '1' }) }, 'first');
      await source({ 'b.yaml': configMapYaml('b', { x: '1' }) }, 'second');

      await suite.apply(
        kustomization('second', 'second', { targetNamespace: namespace, dependsOn: [{ name: 'first' }] }),
      );
      const path = paths.kustomization(namespace, 'second');
      const waiting = await suite.waitFor(path, hasFailed('DependencyNotReady'), 'waiting');
      expect(condition(waiting, 'Ready').message).toContain(`dependency '${namespace}/first' not found`);
      await suite.apply(kustomization('first', 'first', { targetNamespace: namespace }));

      await suite.waitFor(path, isReady, 'Ready');
    });

    it('moves on without a build when a commit touches nothing of it', async () => {
      const { namespace } = cluster;
      const repository = await source({
        'one/cm.yaml': configMapYaml('one', { a: '1' }),
        'two/cm.yaml': configMapYaml('two', { a: '1' }),
      });
      for (const name of ['one', 'two']) {
        await suite.apply(kustomization(name, 'app', { path: `./${name}`, targetNamespace: namespace }));
        await suite.waitFor(paths.kustomization(namespace, name), isReady, 'Ready');
      }

      await suite.quiet();

      let head = '';
      const requests = await suite.countRequests(async () => {
        head = await repository.commit({ 'two/cm.yaml': configMapYaml('two', { a: '2' }) });
        for (const name of ['one', 'two']) {
          await suite.waitFor(
            paths.kustomization(namespace, name),
            (object) => object?.status.lastAppliedRevision === `main@sha1:${head}`,
            'the new revision',
          );
        }
      });

      const touched = requests.filter(({ path }) => path.includes(`/namespaces/${namespace}/configmaps/`));
      expect(new Set(touched.map(({ path }) => path.replace(/\?.*/, '').split('/').at(-1)))).toEqual(new Set(['two']));
      const one = await suite.get(paths.kustomization(namespace, 'one'));
      expect(one.status.history[0].metadata.revision).toBe(`main@sha1:${head}`);
    });

    it('sends nothing but watches while nothing changes', async () => {
      const { namespace } = cluster;
      await source({ 'cm.yaml': configMapYaml('cm', { a: '1' }) });
      await suite.apply(kustomization('app', 'app', { targetNamespace: namespace, interval: '200ms' }));
      await suite.waitFor(paths.kustomization(namespace, 'app'), isReady, 'Ready');
      await suite.quiet();

      const requests = await suite.countRequests(async () => {
        await new Promise((resolve) => setTimeout(resolve, 2_500));
      });

      expect(requests).toEqual([]);
    });
  });
}
