// The real helm works on releases, whoever made them: lockstep, helm itself, or one after the other (helm.md §19).
import { describe, expect, it } from 'vitest';
import { gitRepository } from '../../support/build.ts';
import { clusters, useCluster } from '../../support/cluster.ts';
import { findHelm, useHelm } from '../../support/helm.ts';
import { configChart, helmRelease, talkativeFiles } from '../../support/helm-charts.ts';
import { isReady, type Live, paths, useReconciler } from '../../support/reconciler.ts';

const binary = await findHelm();
if (binary === undefined && process.env['CI'] === 'true')
  throw new Error('helm is missing: build it with test/cluster');

type Maker = 'lockstep' | 'helm' | 'both';

const first = configChart('1.0.0', talkativeFiles);
const second = configChart('1.1.0', talkativeFiles);

for (const choice of clusters) {
  describe.skipIf(binary === undefined)(`${choice.name}${binary === undefined ? ' (skipped: no helm)' : ''}`, () => {
    const cluster = useCluster(choice);
    const reconciler = useReconciler(cluster);
    const helm = useHelm(binary, cluster, { first, second });

    /** Makes revision 1 with chart 1.0.0 and revision 2 with chart 1.1.0 and another color. */
    async function make(maker: Maker): Promise<void> {
      if (maker !== 'lockstep') {
        await helm.ok('install', 'web', helm.chart('first'));
      }
      if (maker === 'helm') {
        await helm.ok('upgrade', 'web', helm.chart('second'), '--set', 'color=red');
        return;
      }
      const repository = await reconciler.repository(maker === 'lockstep' ? first : second);
      await reconciler.apply(gitRepository('charts', repository.url, { interval: '1s' }));
      const values = { color: 'red' };
      await reconciler.apply(helmRelease('web', 'charts', maker === 'lockstep' ? {} : { values }));
      const at = paths.helmRelease(cluster.namespace, 'web');
      if (maker === 'lockstep') {
        await reconciler.waitFor(at, isReady);
        await repository.commit(second);
        await reconciler.waitFor(at, (object) => isReady(object) && object.status.history[0].version === 2);
        await reconciler.apply(helmRelease('web', 'charts', { values }));
        await reconciler.waitFor(at, (object) => isReady(object) && object.status.history[0].version === 3);
      } else {
        await reconciler.waitFor(at, isReady);
      }
      // From here on helm is alone with the release.
      await reconciler.apply({ ...helmRelease('web', 'charts', { values, suspend: true }) });
      await reconciler.noticesSuspension('HelmRelease', 'web');
      await reconciler.quiet();
    }

    describe.each<[Maker, number]>([
      ['lockstep', 3],
      ['helm', 2],
      ['both', 2],
    ])('a release made by %s', (maker, revision) => {
      it('is listed, shown, tested, rolled back and uninstalled by helm', async () => {
        await make(maker);
        const json = async (...args: string[]): Promise<Live> => JSON.parse(await helm.ok(...args, '-o', 'json'));

        expect(await json('list')).toEqual([
          expect.objectContaining({
            name: 'web',
            namespace: cluster.namespace,
            revision: `${revision}`,
            status: 'deployed',
            chart: 'config-1.1.0',
            app_version: '1',
          }),
        ]);
        const history = await json('history', 'web');
        expect(history.map((entry: Live) => [entry.revision, entry.status])).toEqual(
          Array.from({ length: revision }, (_, at) => [at + 1, at + 1 === revision ? 'deployed' : 'superseded']),
        );
        expect(history.at(-1).description).toBe('Upgrade complete');
        expect(await json('status', 'web')).toMatchObject({
          name: 'web',
          version: revision,
          info: { status: 'deployed', notes: expect.stringContaining('Color is red.') },
        });
        expect(await json('get', 'values', 'web')).toEqual({ color: 'red' });
        expect(await json('get', 'values', 'web', '--all')).toMatchObject({ color: 'red' });
        expect(await json('get', 'metadata', 'web')).toMatchObject({ chart: 'config', version: '1.1.0', revision });
        expect(await helm.ok('get', 'manifest', 'web')).toContain('kind: ConfigMap');
        expect(await helm.ok('get', 'notes', 'web')).toContain('Color is red.');
        const hooks = await helm.ok('get', 'hooks', 'web');
        expect(hooks).toContain('web-hook');
        expect(hooks).toContain('web-test');
        expect(await helm.ok('get', 'all', 'web')).toContain('REVISION: ');

        expect(await helm.ok('test', 'web', '--timeout', '60s')).toContain('Succeeded');
        await helm.ok('rollback', 'web', '1', '--wait', '--timeout', '60s');
        const live = await reconciler.get(paths.configMap(cluster.namespace, 'web'));
        expect(live.data).toEqual({ color: 'blue', chart: '1.0.0' });
        expect((await json('list'))[0]).toMatchObject({ revision: `${revision + 1}`, chart: 'config-1.0.0' });
        await helm.ok('uninstall', 'web', '--wait', '--timeout', '60s');
        expect(await json('list', '--all')).toEqual([]);
        expect(await reconciler.get(paths.configMap(cluster.namespace, 'web'))).toBeUndefined();
      });
    });

    it('that helm changed is put right again, as a new revision', async () => {
      await make('both');
      await helm.ok('rollback', 'web', '1');
      const at = paths.helmRelease(cluster.namespace, 'web');

      await reconciler.apply(helmRelease('web', 'charts', { values: { color: 'red' } }));
      const object = await reconciler.waitFor(at, (live) => isReady(live) && live.status.history[0].version === 4);

      expect(object.status.history).toHaveLength(1);
      const live = await reconciler.get(paths.configMap(cluster.namespace, 'web'));
      expect(live.data).toEqual({ color: 'red', chart: '1.1.0' });
    });
  });
}
