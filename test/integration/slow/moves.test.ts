// An object that leaves one Kustomization and appears in another of the same source is handed over, not deleted
// (lockstep.md §6).
import { describe, expect, it } from 'vitest';
import { configMapYaml, gitRepository, kustomization } from '../../support/build.ts';
import { clusters, useCluster } from '../../support/cluster.ts';
import { condition, hasFailed, isReady, type Live, paths, useReconciler } from '../../support/reconciler.ts';

const OWNER = 'kustomize.toolkit.fluxcd.io/name';
const moved = configMapYaml('moved', { a: '1' });
const other = (name: string) => ({ [`${name}/stays.yaml`]: configMapYaml(`${name}-stays`, { a: '1' }) });

for (const choice of clusters) {
  describe(`moves on ${choice.name}`, () => {
    const cluster = useCluster(choice);
    const suite = useReconciler(cluster, { requeueDependencyMs: 300 });

    const path = (name: string) => paths.kustomization(cluster.namespace, name);
    const ids = (object: Live): string[] => object.status.inventory.entries.map(({ id }: Live) => id.split('_')[1]);
    const isAt = (revision: string) => (object: Live | undefined) =>
      isReady(object) && object.status.lastAppliedRevision === `main@sha1:${revision}`;

    async function define(name: string, spec: object = {}): Promise<void> {
      const common = { path: name, targetNamespace: cluster.namespace, interval: '10m' };
      await suite.apply(kustomization(name, 'app', { ...common, ...spec } as never));
    }

    /** Two Kustomizations of one source; `moved` is the first one's. Answers the uid of the object. */
    async function deployed(second: object = {}) {
      const repository = await suite.repository({ ...other('one'), ...other('two'), 'one/moved.yaml': moved });
      await suite.apply(gitRepository('app', repository.url, { interval: '1s' }));
      await define('one');
      await define('two', second);
      for (const name of ['one', 'two']) await suite.waitFor(path(name), isReady, 'Ready');
      const live = await suite.get(paths.configMap(cluster.namespace, 'moved'));
      expect(live.metadata.labels[OWNER]).toBe('one');
      return { repository, uid: live.metadata.uid as string };
    }

    async function expectHandedOver(uid: string): Promise<void> {
      const { namespace } = cluster;
      await suite.waitFor(path('one'), (object) => !ids(object).includes('moved'), 'an inventory without the object');
      const owner = await suite.waitFor(path('two'), (object) => ids(object).includes('moved'), 'the new owner');
      const live = await suite.get(paths.configMap(namespace, 'moved'));
      expect(live.metadata.uid).toBe(uid);
      expect(live.metadata.labels[OWNER]).toBe('two');
      expect(condition(owner, 'OwnershipConflict')).toBeUndefined();
    }

    it('hands an object over that its owner gives up first', async () => {
      // It applies only after the first has.
      const { repository, uid } = await deployed({ dependsOn: [{ name: 'one' }] });

      const revision = await repository.commit({ 'one/moved.yaml': null, 'two/moved.yaml': moved });

      await suite.waitFor(path('two'), isAt(revision), 'the new revision');
      await expectHandedOver(uid);
    });

    it('hands an object over that another wants before its owner gives it up', async () => {
      const { repository, uid } = await deployed();
      await define('one', { suspend: true });
      await suite.noticesSuspension('Kustomization', 'one');
      const revision = await repository.commit({ 'one/moved.yaml': null, 'two/moved.yaml': moved });
      const waiting = await suite.waitFor(
        path('two'),
        (object) => isAt(revision)(object) && condition(object, 'OwnershipConflict') !== undefined,
        'a conflict',
      );
      expect(ids(waiting)).not.toContain('moved');

      await define('one', { suspend: false });

      await expectHandedOver(uid);
      const object = await suite.waitFor(path('one'), (one) => condition(one, 'OwnershipConflict') === undefined);
      expect(isReady(object)).toBe(true);
    });

    it('hands over what its owner leaves behind without pruning', async () => {
      const { repository, uid } = await deployed({ dependsOn: [{ name: 'one' }] });
      await define('one', { prune: false });
      await suite.waitFor(path('one'), isReady, 'Ready');

      await repository.commit({ 'one/moved.yaml': null, 'two/moved.yaml': moved });

      await expectHandedOver(uid);
    });

    it('deletes what nobody takes over, once all have seen the revision', async () => {
      const { namespace } = cluster;
      const { repository } = await deployed({ dependsOn: [{ name: 'one' }] });

      await repository.commit({ 'one/moved.yaml': null });

      await suite.waitFor(paths.configMap(namespace, 'moved'), (object) => object === undefined, 'gone');
      const object = await suite.waitFor(path('one'), (one) => !ids(one).includes('moved'), 'a smaller inventory');
      expect(isReady(object)).toBe(true);
      await suite.waitFor(
        `/api/v1/namespaces/${namespace}/events`,
        (list) => list?.items.some(({ message }: Live) => message === `ConfigMap/${namespace}/moved deleted`),
        'an event',
      );
    });

    it('goes on after a restart in the middle', async () => {
      const { repository, uid } = await deployed();
      await define('two', { dependsOn: [{ name: 'gate' }] });
      await suite.waitFor(path('two'), hasFailed('DependencyNotReady'), 'waiting for its dependency');
      const revision = await repository.commit({ ...other('gate'), 'one/moved.yaml': null, 'two/moved.yaml': moved });
      const before = await suite.waitFor(path('one'), isAt(revision), 'the new revision');
      expect(ids(before)).toContain('moved');

      await suite.restart();
      await define('gate');

      await expectHandedOver(uid);
    });
  });
}
