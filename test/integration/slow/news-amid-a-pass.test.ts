// What happens while a pass is under way counts: nothing waits for the next interval, which is an hour away here.
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/runtime/clock.ts';
import { configMapYaml, gitRepository, kustomization } from '../../support/build.ts';
import { clusters, useCluster } from '../../support/cluster.ts';
import {
  type ApiFault,
  type ApiRequest,
  type FaultyApi,
  inNamespace,
  startFaultyApi,
} from '../../support/fault-api.ts';
import { condition, isReady, type Live, paths, useReconciler } from '../../support/reconciler.ts';

for (const choice of clusters) {
  describe(`news amid a pass on ${choice.name}`, () => {
    const cluster = useCluster(choice);
    let road: FaultyApi | undefined;
    const suite = useReconciler(cluster, {
      route: async (access) => {
        road = await startFaultyApi(access);
        return road.access;
      },
    });
    const path = (name: string) => paths.kustomization(cluster.namespace, name);
    const request = (token: string) =>
      cluster.admin.call('PATCH', paths.git(cluster.namespace, 'app'), {
        body: { metadata: { annotations: { 'reconcile.fluxcd.io/requestedAt': token } } },
      });

    /** Holds the first such request back; answers when it has come, and how to let it go. */
    function holdBack(isMeant: (request: ApiRequest) => boolean, kind: 'wait' | 'late' = 'wait') {
      const reached = Promise.withResolvers<void>();
      const until = Promise.withResolvers<void>();
      const holdFirst = (sent: ApiRequest): ApiFault | undefined => {
        if (!isMeant(sent)) return undefined;
        road?.inject(undefined);
        reached.resolve();
        return { kind, until: until.promise };
      };
      road?.inject(inNamespace(cluster.namespace, holdFirst));
      return { reached: reached.promise, release: until.resolve };
    }
    const isApplyOf =
      (name: string) =>
      ({ method, url, write }: ApiRequest): boolean =>
        method === 'PATCH' && write && url.includes(`/configmaps/${name}`);

    /** A ConfigMap of the first commit that is applied, and another Kustomization that the second does not touch. */
    async function deployFirst() {
      const { namespace } = cluster;
      const repository = await suite.repository({
        'app/cm.yaml': configMapYaml('cm', { a: 'first' }),
        'other/cm.yaml': configMapYaml('other', { a: 'same' }),
      });
      await suite.apply(gitRepository('app', repository.url));
      const isAt = (commit: string) => (live: Live | undefined) =>
        isReady(live) && live.status.lastAppliedRevision === `main@sha1:${commit}`;
      const first = await repository.git('rev-parse', 'HEAD');
      for (const name of ['app', 'other']) {
        await suite.apply(kustomization(name, 'app', { path: name, targetNamespace: namespace }));
        await suite.waitFor(path(name), isAt(first), 'Ready at the first revision');
      }
      return {
        isAtFirst: isAt(first),
        /** Resolves when the other one has moved: whoever is woken by the source has been woken then. */
        push: async () => {
          const second = await repository.commit({ 'app/cm.yaml': configMapYaml('cm', { a: 'second' }) });
          await request('second');
          await suite.waitFor(path('other'), isAt(second), 'at the second revision');
        },
        takeBack: async () => {
          await repository.git('push', '--quiet', '--force', 'origin', `${first}:main`);
          await request('first');
          await suite.waitFor(path('other'), isAt(first), 'at the first revision again');
        },
      };
    }

    it('goes back to the revision before, when a push is taken back while it is applied', async () => {
      const configMap = paths.configMap(cluster.namespace, 'cm');
      const app = await deployFirst();
      const { resourceVersion } = (await suite.get(configMap)).metadata;

      const held = holdBack(isApplyOf('cm'));
      await app.push();
      await held.reached;
      const sent = suite.requests.length;
      await app.takeBack();
      // A write that is under way is waited for: whatever came after it could be undone by it.
      expect(suite.requests.slice(sent).filter(({ path }) => path.includes(configMap))).toEqual([]);
      held.release();

      const isPutBack = (live: Live | undefined) =>
        live?.metadata.resourceVersion !== resourceVersion && live?.data.a === 'first';
      await suite.waitFor(configMap, isPutBack, 'put back');
      await suite.waitFor(path('app'), app.isAtFirst, 'Ready at the first revision');
    });

    it('puts back what a request does that was lost and comes late', async () => {
      const configMap = paths.configMap(cluster.namespace, 'cm');
      const app = await deployFirst();

      const held = holdBack(isApplyOf('cm'), 'late');
      await app.push();
      await suite.waitFor(configMap, (live) => live?.data.a === 'second', 'the second revision');
      await app.takeBack();
      await suite.waitFor(path('app'), app.isAtFirst, 'Ready at the first revision');
      const { resourceVersion, managedFields } = (await suite.get(configMap)).metadata;
      // The server's times of an apply are whole seconds.
      while (Date.now() < Date.parse(managedFields[0].time) + 1_000) await systemClock.sleep(50);
      held.release();

      const isPutBack = (live: Live | undefined) =>
        live?.metadata.resourceVersion !== resourceVersion && live?.data.a === 'first';
      await suite.waitFor(configMap, isPutBack, 'put back');
    });

    it('makes an object whose owner goes while another one gives way to it', async () => {
      const { namespace } = cluster;
      const shared = configMapYaml('shared', { a: '1' });
      const repository = await suite.repository({
        'one/shared.yaml': shared,
        'two/shared.yaml': shared,
        'two/own.yaml': configMapYaml('own', { a: '1' }),
      });
      await suite.apply(gitRepository('app', repository.url));
      await suite.apply(kustomization('one', 'app', { path: 'one', targetNamespace: namespace }));
      await suite.waitFor(path('one'), isReady, 'Ready');

      const held = holdBack(isApplyOf('own'));
      await suite.apply(kustomization('two', 'app', { path: 'two', targetNamespace: namespace }));
      await held.reached;
      await cluster.admin.call('DELETE', path('one'));
      await suite.waitFor(path('one'), (live) => live === undefined, 'gone');
      held.release();

      const isTwos = (live: Live | undefined) => live?.metadata.labels?.['kustomize.toolkit.fluxcd.io/name'] === 'two';
      await suite.waitFor(paths.configMap(namespace, 'shared'), isTwos, "the other's");
      const hasNoConflict = (live: Live | undefined) =>
        isReady(live) && condition(live, 'OwnershipConflict') === undefined;
      await suite.waitFor(path('two'), hasNoConflict, 'Ready without a conflict');
    });
  });
}
