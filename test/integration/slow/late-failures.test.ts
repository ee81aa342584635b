// What fails after everything before it went well: an apply after its dry-run, the archive after the fetch, an
// include after its repository was Ready, a dependency that is behind. Words are Flux's (flux.md §2.8, §4.4, §4.5, §4.8).
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { configMapYaml, gitRepository, kustomization } from '../../support/build.ts';
import { clusters, useCluster } from '../../support/cluster.ts';
import { type ApiFault, type FaultRule, type FaultyApi, inNamespace, startFaultyApi } from '../../support/fault-api.ts';
import { condition, hasFailed, isReady, type Live, paths, useReconciler } from '../../support/reconciler.ts';

for (const choice of clusters) {
  describe(`late failures on ${choice.name}`, () => {
    const cluster = useCluster(choice);
    let road: FaultyApi | undefined;
    const suite = useReconciler(cluster, {
      requeueDependencyMs: 300,
      route: async (access) => {
        road = await startFaultyApi(access);
        return road.access;
      },
    });
    const app = () => paths.kustomization(cluster.namespace, 'app');
    const message = (object: Live): string => condition(object, 'Ready').message;

    async function apply(files: Record<string, string>, spec: object = {}) {
      const repository = await suite.repository(files);
      await suite.apply(gitRepository('app', repository.url));
      await suite.apply(
        kustomization('app', 'app', { targetNamespace: cluster.namespace, retryInterval: '1s', ...spec }),
      );
      return repository;
    }

    const inject = (rule: FaultRule): void => road?.inject(inNamespace(cluster.namespace, rule));
    const requestFetch = (): Promise<unknown> =>
      cluster.admin.call('PATCH', paths.git(cluster.namespace, 'app'), {
        body: { metadata: { annotations: { 'reconcile.fluxcd.io/requestedAt': 'now' } } },
      });

    it('names the object whose apply is refused after its dry-run, and what was applied before it', async () => {
      inject(({ method, url, write }) =>
        method === 'PATCH' && write && url.includes('/configmaps/second')
          ? { kind: 'status', status: 403, reason: 'Forbidden', message: 'exceeded quota: configmaps' }
          : undefined,
      );
      const files = {
        'first.yaml': configMapYaml('first', { a: '1' }),
        'second.yaml': configMapYaml('second', { a: '1' }),
      };
      // The next try, which makes nothing anew, waits until it is asked for.
      await apply(files, { retryInterval: '1h' });
      const { namespace } = cluster;

      const failed = await suite.waitFor(app(), hasFailed('ReconciliationFailed'), 'a refusal');
      road?.inject(undefined);

      expect(message(failed)).toBe(
        `ConfigMap/${namespace}/second apply failed: exceeded quota: configmaps\nConfigMap/${namespace}/first created`,
      );
      const ids = failed.status.inventory.entries.map(({ id }: Live) => id);
      expect(ids).toEqual([`${namespace}_first__ConfigMap`, `${namespace}_second__ConfigMap`]);
      const body = { metadata: { annotations: { 'reconcile.fluxcd.io/requestedAt': 'again' } } };
      await cluster.admin.call('PATCH', app(), { body });
      await suite.waitFor(app(), isReady, 'Ready');
      expect((await suite.get(paths.configMap(namespace, 'second'))).data).toEqual({ a: '1' });
    });

    it('does not wait for its retry interval when the failure could not be told', async () => {
      const { namespace } = cluster;
      const files = { 'first.yaml': configMapYaml('first', { a: '1' }), 'second.yaml': configMapYaml('second', {}) };
      const repository = await apply(files, { interval: '1h', retryInterval: '1h' });
      await suite.waitFor(app(), isReady, 'Ready');
      const refused: string[] = [];
      const refuseOnce = (what: string): ApiFault | undefined => {
        if (refused.includes(what)) return undefined;
        refused.push(what);
        return { kind: 'status', status: 500, reason: 'InternalError' };
      };
      inject(({ method, url, body }) => {
        if (method === 'DELETE' && url.includes('/configmaps/second')) return refuseOnce('deletion');
        return url.includes('/app/status') && body.includes('"PruneFailed"') ? refuseOnce('failure') : undefined;
      });

      const head = await repository.commit({ 'second.yaml': null });
      await requestFetch();
      await suite.waitFor(
        app(),
        (object) => isReady(object) && object.status.lastAppliedRevision === `main@sha1:${head}`,
        'Ready',
      );
      road?.inject(undefined);

      expect(refused).toEqual(['deletion', 'failure']);
      expect(await suite.get(paths.configMap(namespace, 'second'))).toBeUndefined();
    });

    it('waits for a dependency that has not come to the revision yet', async () => {
      const { namespace } = cluster;
      const repository = await apply(
        {
          'one/cm.yaml': configMapYaml('one', { a: '1' }),
          'two/cm.yaml': configMapYaml('two', { a: '1' }),
        },
        { path: 'one' },
      );
      await suite.apply(
        kustomization('second', 'app', { path: 'two', targetNamespace: namespace, dependsOn: [{ name: 'app' }] }),
      );
      const second = paths.kustomization(namespace, 'second');
      await suite.waitFor(second, isReady, 'Ready');
      await suite.quiet();
      // What is suspended stays Ready where it is.
      await cluster.admin.call('PATCH', app(), { body: { spec: { suspend: true } } });
      // Suspending made a new generation, which nobody has observed: as if it had been before.
      await suite.noticesSuspension('Kustomization', 'app');
      const { generation } = (await suite.get(app())).metadata;
      await cluster.admin.call('PATCH', `${app()}/status`, { body: { status: { observedGeneration: generation } } });

      await repository.commit({ 'two/cm.yaml': configMapYaml('two', { a: '2' }) });
      await requestFetch();

      const isBehind = (object: Live | undefined) =>
        hasFailed('DependencyNotReady')(object) && message(object).includes('revision');
      const waiting = await suite.waitFor(second, isBehind, 'a dependency that is behind');
      expect(message(waiting)).toBe(`dependency '${namespace}/app' revision is not up to date`);
      await cluster.admin.call('PATCH', app(), { body: { spec: { suspend: false } } });
      await suite.waitFor(second, isReady, 'Ready');
      expect((await suite.get(paths.configMap(namespace, 'two'))).data).toEqual({ a: '2' });
    });

    it('names what has no name after the substitution', async () => {
      await apply({ 'cm.yaml': configMapYaml('${NAME}', { a: '1' }) }, { postBuild: { substitute: { NAME: '' } } });

      const failed = await suite.waitFor(app(), hasFailed('BuildFailed'), 'a failure');

      const what = '{"apiVersion":"v1","kind":"ConfigMap"}';
      expect(message(failed)).toBe(`failed to decode Kubernetes apiVersion, kind and name from: ${what}`);
    });

    it('says that an archive cannot be stored, and stores it when it can', async () => {
      const { namespace } = cluster;
      const repository = await suite.repository({ 'cm.yaml': configMapYaml('cm', { a: '1' }) });
      const parent = join(suite.stateDir, 'artifacts', 'gitrepository');
      mkdirSync(parent, { recursive: true });
      const blocker = join(parent, namespace);
      writeFileSync(blocker, 'no folder');

      await suite.apply(gitRepository('app', repository.url));
      const path = paths.git(namespace, 'app');
      const failed = await suite.waitFor(path, hasFailed('ArchiveOperationFailed'), 'a failure');
      rmSync(blocker);

      expect(message(failed)).toMatch(/^unable to archive artifact to storage: /);
      expect(condition(failed, 'StorageOperationFailed')?.status).toBe('True');
      const stored = await suite.waitFor(path, isReady, 'Ready');
      expect(condition(stored, 'StorageOperationFailed')).toBeUndefined();
    });
  });
}
