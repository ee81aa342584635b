// A Kustomization that is too large for the event loop: built in a worker thread from Git objects, with the same outcome
// and the same knowledge of what it read.
import { describe, expect, it } from 'vitest';
import { configMapYaml, gitRepository, kustomization } from '../support/build.ts';
import { clusters, useCluster } from '../support/cluster.ts';
import { isReady, paths, useReconciler } from '../support/reconciler.ts';

for (const choice of clusters) {
  describe(`large builds on ${choice.name}`, () => {
    const cluster = useCluster(choice);
    const suite = useReconciler(cluster);

    /** How many builds ended as they should, by where they ran. */
    async function builds(place: 'loop' | 'worker'): Promise<number> {
      return suite.metric('lockstep_renders_total', 'engine="kustomize"', `place="${place}"`, 'outcome="done"');
    }

    it('run in a worker thread and know what they read', async () => {
      const { namespace } = cluster;
      const before = { worker: await builds('worker'), loop: await builds('loop') };
      const repository = await suite.repository({
        'app/large.yaml': configMapYaml('large', { text: 'x'.repeat(60_000), level: '${LEVEL}' }),
        'other/a.yaml': configMapYaml('a', {}),
      });
      const spec = { path: './app', targetNamespace: namespace, postBuild: { substitute: { LEVEL: 'high' } } };

      await suite.apply(gitRepository('app', repository.url));
      await suite.apply(kustomization('app', 'app', spec));
      await suite.waitFor(paths.kustomization(namespace, 'app'), isReady, 'Ready');
      const large = await suite.get(`/api/v1/namespaces/${namespace}/configmaps/large`);
      await repository.commit({ 'other/a.yaml': configMapYaml('a', { changed: 'yes' }) });
      const body = { metadata: { annotations: { 'reconcile.fluxcd.io/requestedAt': 'now' } } };
      await cluster.admin.call('PATCH', paths.git(namespace, 'app'), { body });
      const head = await repository.git('rev-parse', 'HEAD');
      await suite.waitFor(
        paths.kustomization(namespace, 'app'),
        (object) => object?.status?.lastAppliedRevision === `main@sha1:${head}`,
        'moved to the new revision',
      );

      expect(large.data.level).toBe('high');
      // The commit touched nothing that the build read: there was no second one.
      expect({ worker: await builds('worker'), loop: await builds('loop') }).toEqual({
        worker: before.worker + 1,
        loop: before.loop,
      });
    });
  });
}
