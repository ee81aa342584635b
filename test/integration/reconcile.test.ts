// The main road: push to deploy, roll back, prune, and what a pass costs (lockstep.md §2, lesson 04).
import { describe, expect, it } from 'vitest';
import { configMapYaml, deploymentYaml, gitRepository, kustomization } from '../support/build.ts';
import { clusters, useCluster } from '../support/cluster.ts';
import { condition, isReady, type Live, paths, useReconciler } from '../support/reconciler.ts';

for (const choice of clusters) {
  describe(`reconcile on ${choice.name}`, () => {
    const cluster = useCluster(choice);
    const suite = useReconciler(cluster);

    async function deploy(files: Record<string, string>, spec: Record<string, unknown> = {}) {
      const repository = await suite.repository(files);
      const { namespace } = cluster;
      await suite.apply(gitRepository('app', repository.url));
      await suite.apply(kustomization('app', 'app', { targetNamespace: namespace, ...spec } as never));
      const ready = await suite.waitFor(paths.kustomization(namespace, 'app'), isReady, 'Ready');
      return { repository, ready, namespace };
    }

    /** Asks for a pass of source and Kustomization and waits until both have handled it. */
    async function request(namespace: string, token: string): Promise<void> {
      const body = { metadata: { annotations: { 'reconcile.fluxcd.io/requestedAt': token } } };
      for (const path of [paths.git(namespace, 'app'), paths.kustomization(namespace, 'app')]) {
        await cluster.admin.call('PATCH', path, { body });
        await suite.waitFor(path, (object) => object?.status?.lastHandledReconcileAt === token, `handled ${token}`);
      }
    }

    /** The Kustomization once it is Ready at a commit: a request may be handled before the source's news has come. */
    function reached(namespace: string, commit: string) {
      const revision = `main@sha1:${commit}`;
      const isReached = (object: Live | undefined) => isReady(object) && object.status.lastAppliedRevision === revision;
      return suite.waitFor(paths.kustomization(namespace, 'app'), isReached, `Ready at ${revision}`);
    }

    it('applies what is pushed, with inventory, history and revision', async () => {
      const { repository, ready, namespace } = await deploy({ 'deployment.yaml': deploymentYaml('web', 'nginx:1') });

      const head = await repository.git('rev-parse', 'HEAD');
      const revision = `main@sha1:${head}`;
      expect(condition(ready, 'Ready')).toMatchObject({
        status: 'True',
        reason: 'ReconciliationSucceeded',
        message: `Applied revision: ${revision}`,
      });
      expect(ready.status).toMatchObject({
        lastAppliedRevision: revision,
        lastAttemptedRevision: revision,
        inventory: { entries: [{ id: `${namespace}_web_apps_Deployment`, v: 'v1' }] },
      });
      expect(ready.status.history).toHaveLength(1);
      const source = await suite.get(paths.git(namespace, 'app'));
      expect(condition(source, 'Ready')).toMatchObject({
        status: 'True',
        reason: 'Succeeded',
        message: `stored artifact for revision '${revision}'`,
      });
      expect(source.status.artifact).toMatchObject({
        path: `gitrepository/${namespace}/app/${head}.tar.gz`,
        revision,
      });
      const live = await suite.get(paths.deployment(namespace, 'web'));
      expect(live.metadata.labels).toMatchObject({
        'kustomize.toolkit.fluxcd.io/name': 'app',
        'kustomize.toolkit.fluxcd.io/namespace': namespace,
      });
      const managers = live.metadata.managedFields.filter(
        (entry: { operation: string }) => entry.operation === 'Apply',
      );
      expect(managers.map((entry: { manager: string }) => entry.manager)).toEqual(['kustomize-controller']);
    });

    it('rolls forward, and back by a forced push', async () => {
      const { repository, namespace } = await deploy({ 'deployment.yaml': deploymentYaml('web', 'nginx:1') });
      const first = await repository.git('rev-parse', 'HEAD');
      const image = (object: { spec: { template: { spec: { containers: { image: string }[] } } } } | undefined) =>
        object?.spec.template.spec.containers[0]?.image;

      await repository.commit({ 'deployment.yaml': deploymentYaml('web', 'nginx:2') });
      await request(namespace, 'forward');
      await suite.waitFor(paths.deployment(namespace, 'web'), (object) => image(object) === 'nginx:2', 'nginx:2');
      await repository.git('reset', '--quiet', '--hard', first);
      await repository.git('push', '--quiet', '--force', 'origin', 'HEAD:main');
      await request(namespace, 'back');

      await reached(namespace, first);
      expect(image(await suite.get(paths.deployment(namespace, 'web')))).toBe('nginx:1');
    });

    it('prunes what leaves Git and keeps the rest', async () => {
      const { repository, namespace } = await deploy({
        'keep.yaml': configMapYaml('keep', { a: '1' }),
        'drop.yaml': configMapYaml('drop', { a: '1' }),
      });

      const head = await repository.commit({ 'drop.yaml': null });
      await request(namespace, 'pruned');

      const object = await reached(namespace, head);
      expect(object.status.inventory.entries).toEqual([{ id: `${namespace}_keep__ConfigMap`, v: 'v1' }]);
      expect(await suite.get(paths.configMap(namespace, 'drop'))).toBeUndefined();
      expect(await suite.get(paths.configMap(namespace, 'keep'))).toMatchObject({ data: { a: '1' } });
    });

    it('costs one status write when a pass is requested and nothing has changed', async () => {
      const { namespace } = await deploy({ 'cm.yaml': configMapYaml('cm', { a: '1' }) });
      const path = paths.kustomization(namespace, 'app');
      const body = { metadata: { annotations: { 'reconcile.fluxcd.io/requestedAt': 'once' } } };
      await suite.quiet();

      const requests = await suite.countRequests(async () => {
        await cluster.admin.call('PATCH', path, { body });
        await suite.waitFor(path, (object) => object?.status?.lastHandledReconcileAt === 'once', 'handled');
        await suite.quiet();
      });

      const writes = requests.filter(({ method, path: to }) => method !== 'GET' && !to.includes('dryRun=All'));
      expect(writes.map(({ method }) => method)).toEqual(['PATCH']);
      expect(writes[0]?.path).toContain('/kustomizations/app/status');
      expect(requests.filter(({ path: to }) => to.includes('dryRun=All'))).toHaveLength(1);
    });

    it('keeps an object that asks for it right before its Kustomization is deleted', async () => {
      const { namespace } = await deploy({
        'keep.yaml': configMapYaml('keep', { a: '1' }),
        'drop.yaml': configMapYaml('drop', { a: '1' }),
      });
      const body = { metadata: { annotations: { 'kustomize.toolkit.fluxcd.io/prune': 'disabled' } } };

      await cluster.admin.call('PATCH', paths.configMap(namespace, 'keep'), { body });
      await cluster.admin.call('DELETE', paths.kustomization(namespace, 'app'));

      await suite.waitFor(paths.kustomization(namespace, 'app'), (object) => object === undefined, 'gone');
      expect(await suite.get(paths.configMap(namespace, 'drop'))).toBeUndefined();
      expect(await suite.get(paths.configMap(namespace, 'keep'))).toMatchObject({ data: { a: '1' } });
    });

    it('deletes its objects when it is deleted', async () => {
      const { namespace } = await deploy({ 'cm.yaml': configMapYaml('cm', { a: '1' }) });

      await cluster.admin.call('DELETE', paths.kustomization(namespace, 'app'));

      await suite.waitFor(paths.configMap(namespace, 'cm'), (object) => object === undefined, 'gone');
      await suite.waitFor(paths.kustomization(namespace, 'app'), (object) => object === undefined, 'gone');
      await cluster.admin.call('DELETE', paths.git(namespace, 'app'));
      await suite.waitFor(paths.git(namespace, 'app'), (object) => object === undefined, 'gone');
    });
  });
}
