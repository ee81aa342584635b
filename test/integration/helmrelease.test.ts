// A HelmRelease from its first install to its deletion (helm.md §21, lockstep.md §2-§5), on every server.
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/lib/json.ts';
import { gitRepository } from '../support/build.ts';
import { clusters, useCluster } from '../support/cluster.ts';
import { configChart, helmRelease } from '../support/helm-charts.ts';
import { condition, hasFailed, isReady, type Live, paths, useReconciler } from '../support/reconciler.ts';

for (const choice of clusters) {
  describe(choice.name, () => {
    const cluster = useCluster(choice);
    const reconciler = useReconciler(cluster);

    const at = (name = 'web') => paths.helmRelease(cluster.namespace, name);
    const configMap = (name = 'web') => paths.configMap(cluster.namespace, name);
    const data = async (name = 'web'): Promise<Live> => (await reconciler.get(configMap(name)))?.data;
    const isAt = (version: number) => (object: Live) => isReady(object) && object.status.history[0].version === version;
    const release = (spec: JsonObject = {}, name = 'web') => reconciler.apply(helmRelease(name, 'charts', spec));

    async function prepare(more: Readonly<Record<string, string>> = {}) {
      const repository = await reconciler.repository(configChart('1.0.0', more));
      await reconciler.apply(gitRepository('charts', repository.url, { interval: '1s' }));
      return repository;
    }

    it('installs, upgrades with new values and a new chart, and uninstalls', async () => {
      const repository = await prepare();

      await release();
      const installed = await reconciler.waitFor(at(), isReady);
      expect(condition(installed, 'Ready')).toMatchObject({
        reason: 'InstallSucceeded',
        message: `Helm install succeeded for release ${cluster.namespace}/web.v1 with chart config@1.0.0`,
      });
      expect(installed.status).toMatchObject({
        helmChart: `${cluster.namespace}/${cluster.namespace}-web`,
        storageNamespace: cluster.namespace,
        lastAttemptedRevision: '1.0.0',
        lastAttemptedReleaseAction: 'install',
        inventory: { entries: [{ id: `${cluster.namespace}_web__ConfigMap`, v: 'v1' }] },
      });
      const live = await reconciler.get(configMap());
      expect(live.metadata.labels).toMatchObject({
        'app.kubernetes.io/managed-by': 'Helm',
        'helm.toolkit.fluxcd.io/name': 'web',
        'helm.toolkit.fluxcd.io/namespace': cluster.namespace,
      });
      expect(live.metadata.annotations).toEqual({
        'meta.helm.sh/release-name': 'web',
        'meta.helm.sh/release-namespace': cluster.namespace,
      });

      await release({ values: { color: 'red' } });
      await reconciler.waitFor(at(), isAt(2));
      expect(await data()).toEqual({ color: 'red', chart: '1.0.0' });

      await repository.commit(configChart('1.1.0'));
      const newer = await reconciler.waitFor(at(), isAt(3));
      expect(newer.status.history.map((entry: Live) => [entry.version, entry.status, entry.chartVersion])).toEqual([
        [3, 'deployed', '1.1.0'],
        [2, 'superseded', '1.0.0'],
      ]);
      expect(await data()).toEqual({ color: 'red', chart: '1.1.0' });

      await cluster.admin.call('DELETE', at());
      await reconciler.waitFor(at(), (object) => object === undefined, 'deletion');
      expect(await data()).toBeUndefined();
    });

    it('sends nothing at an interval in which nothing changes, and one status write for a request', async () => {
      await prepare();
      await release({ interval: '1s' });
      await reconciler.waitFor(at(), isReady);
      await reconciler.quiet();

      const ticks = await reconciler.countRequests(async () => reconciler.quiet(2_200));
      expect(
        ticks.filter((request) => request.path.includes('helmreleases') || request.path.includes('secrets')),
      ).toEqual([]);

      const asked = await reconciler.countRequests(async () => {
        const body = { metadata: { annotations: { 'reconcile.fluxcd.io/requestedAt': 'now' } } };
        await cluster.admin.call('PATCH', at(), { body });
        await reconciler.waitFor(at(), (object) => object.status.lastHandledReconcileAt === 'now');
        await reconciler.quiet();
      });
      const writes = asked.filter((request) => request.method !== 'GET');
      expect(writes.map((request) => request.path.replace(/.*\/namespaces\//, ''))).toEqual([
        `${cluster.namespace}/helmreleases/web/status?fieldManager=helm-controller`,
      ]);
    });

    it('takes values from ConfigMaps and Secrets, and notices when they change', async () => {
      await prepare();
      const valuesFrom = [{ kind: 'Secret', name: 'paint' }];
      await release({ valuesFrom });
      const failed = await reconciler.waitFor(at(), hasFailed('ValuesError'));
      expect(condition(failed, 'Ready').message).toBe(
        `could not resolve Secret chart values reference '${cluster.namespace}/paint' with key 'values.yaml': secrets "paint" not found`,
      );

      const paint = (color: string) => ({
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: 'paint' },
        data: { 'values.yaml': Buffer.from(`color: ${color}\n`).toString('base64') },
      });
      await reconciler.apply(paint('pink'));
      await reconciler.waitFor(at(), isAt(1));
      expect((await data()).color).toBe('pink');

      await reconciler.apply(paint('teal'));
      await reconciler.waitFor(at(), isAt(2));
      expect((await data()).color).toBe('teal');
    });

    it('waits for the releases that it depends on', async () => {
      await prepare();
      await release({ dependsOn: [{ name: 'base' }] });
      const waiting = await reconciler.waitFor(at(), hasFailed('DependencyNotReady'));
      expect(condition(waiting, 'Ready').message).toContain(`unable to get '${cluster.namespace}/base' dependency: `);

      await release({}, 'base');

      await reconciler.waitFor(at(), isReady);
    });

    it.each<[string, boolean]>([
      ['enabled', true],
      ['warn', false],
    ])('notices drift with mode %s', async (mode, corrects) => {
      await prepare();
      await release({ driftDetection: { mode } });
      await reconciler.waitFor(at(), isReady);
      await reconciler.quiet();

      await cluster.admin.call('PATCH', `${configMap()}?fieldManager=kubectl-edit`, {
        body: { data: { color: 'mine' } },
        contentType: 'application/merge-patch+json',
      });

      if (corrects) {
        await reconciler.waitFor(configMap(), (object) => object.data.color === 'blue');
        await reconciler.waitFor(at(), (object) => condition(object, 'Drifted')?.status === 'False');
      } else {
        const warned = await reconciler.waitFor(at(), (object) => condition(object, 'Drifted')?.status === 'True');
        expect(condition(warned, 'Drifted')).toMatchObject({
          reason: 'DriftDetected',
          message:
            `Cluster state of release ${cluster.namespace}/web.v1 has drifted from the desired state:\n` +
            `ConfigMap/${cluster.namespace}/web changed (0 additions, 1 changes, 0 removals)`,
        });
        expect((await data()).color).toBe('mine');
        expect(condition(warned, 'Ready').status).toBe('True');
      }
    });

    it('puts an object back that was deleted, and leaves fields alone that may differ', async () => {
      await prepare();
      const ignore = [{ paths: ['/data/color'], target: { kind: 'ConfigMap' } }];
      await release({ driftDetection: { mode: 'enabled', ignore } });
      await reconciler.waitFor(at(), isReady);
      await reconciler.quiet();

      const patch = { body: { data: { color: 'mine', chart: 'mine' } }, contentType: 'application/merge-patch+json' };
      await cluster.admin.call('PATCH', `${configMap()}?fieldManager=kubectl-edit`, patch);
      await reconciler.waitFor(configMap(), (object) => object?.data.chart === '1.0.0');
      expect((await data()).color).toBe('mine');

      await cluster.admin.call('DELETE', configMap());
      await reconciler.waitFor(configMap(), (object) => object?.data.chart === '1.0.0');
    });

    it('goes on after a process that died in the middle of an upgrade', async () => {
      await prepare();
      await release();
      await reconciler.waitFor(at(), isReady);
      await reconciler.stop();
      const path = `/api/v1/namespaces/${cluster.namespace}/secrets`;
      const stored = await reconciler.get(`${path}/sh.helm.release.v1.web.v1`);
      await cluster.admin.call('POST', path, { body: pendingCopy(stored, 2) });
      await reconciler.start();

      const object = await reconciler.waitFor(at(), isAt(3));

      expect((await reconciler.get(`${path}/sh.helm.release.v1.web.v2`)).metadata.labels.status).toBe('failed');
      expect(condition(object, 'Ready').reason).toBe('UpgradeSucceeded');
    });

    it('releases into other namespaces, and uninstalls where the release was when its place changes', async () => {
      await prepare();
      const elsewhere = `${cluster.namespace}-target`;
      await release({ targetNamespace: elsewhere, install: { createNamespace: true } });
      const object = await reconciler.waitFor(at(), isReady);
      expect(object.status.history[0]).toMatchObject({ name: `${elsewhere}-web`, namespace: elsewhere });
      expect((await reconciler.get(paths.configMap(elsewhere, `${elsewhere}-web`))).data.color).toBe('blue');

      await release({ releaseName: 'web' });
      const moved = await reconciler.waitFor(at(), (live) => isReady(live) && live.status.history[0].name === 'web');

      expect(moved.status.history[0].version).toBe(1);
      expect(await reconciler.get(paths.configMap(elsewhere, `${elsewhere}-web`))).toBeUndefined();
      await cluster.admin.call('DELETE', `/api/v1/namespaces/${elsewhere}`);
    });

    it('leaves everything as it is while suspended, also when it is deleted', async () => {
      await prepare();
      await release();
      await reconciler.waitFor(at(), isReady);

      await release({ suspend: true, values: { color: 'red' } });
      await reconciler.quiet();
      await cluster.admin.call('DELETE', at());
      await reconciler.waitFor(at(), (object) => object === undefined, 'deletion');

      expect((await data()).color).toBe('blue');
    });

    it('says which kind is not served', async () => {
      await prepare({ 'templates/widget.yaml': 'apiVersion: example.com/v1\nkind: Widget\nmetadata:\n  name: w\n' });

      await release();
      const failed = await reconciler.waitFor(at(), hasFailed('InstallFailed'));

      expect(condition(failed, 'Ready').message).toContain('no matches for kind "Widget" in version "example.com/v1"');
      expect(condition(failed, 'Ready').message).toContain('ensure CRDs are installed first');
    });
  });
}

/** The Secret of a release as a process leaves it that dies in an upgrade. */
function pendingCopy(stored: Live, version: number): Live {
  const name = `sh.helm.release.v1.web.v${version}`;
  const labels = { ...stored.metadata.labels, status: 'pending-upgrade', version: `${version}` };
  const release = rewrite(stored.data.release, (value) => ({
    ...value,
    version,
    info: { ...value.info, status: 'pending-upgrade', description: 'Preparing upgrade' },
  }));
  return { apiVersion: 'v1', kind: 'Secret', metadata: { name, labels }, type: stored.type, data: { release } };
}

/** Changes the JSON of a stored release; readers take it without compression too. */
function rewrite(data: string, change: (value: Live) => Live): string {
  const text = Buffer.from(data, 'base64').toString('latin1');
  const value = JSON.parse(gunzipSync(Buffer.from(text, 'base64')).toString('utf8'));
  const json = Buffer.from(JSON.stringify(change(value))).toString('base64');
  return Buffer.from(json).toString('base64');
}
