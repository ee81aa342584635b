// How far a HelmRelease reaches: into another cluster, for a chart that somebody else serves, past a suspension, and into
// what an earlier or failed revision left (helm.md §21.1), on every server.
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { defaultFeatureGates } from '../../../src/controllers/shared/feature-gates.ts';
import { writeTar } from '../../../src/lib/tar.ts';
import { type Sandbox, startSandbox } from '../../../src/sandbox/server.ts';
import { type Api, openApi } from '../../support/api.ts';
import { clusters, useCluster } from '../../support/cluster.ts';
import { createFastClock, FAR_LIMIT_MS } from '../../support/fast-clock.ts';
import { configChart, fragileFiles, helmRelease } from '../../support/helm-charts.ts';
import {
  condition,
  conditionStatus,
  hasFailed,
  isReady,
  type Live,
  pathOf,
  paths,
  useReconciler,
} from '../../support/reconciler.ts';
import { useRelease } from '../../support/releases.ts';

/** The chart as an archive: the folder that a release of Git has, packed under the chart's name. */
function chartArchive(version: string): Buffer {
  const entries = Object.entries(configChart(version)).map(([name, text]) => ({
    name: name.replace('chart/', 'config/'),
    kind: 'file' as const,
    mode: 0o644,
    data: Buffer.from(String(text)),
  }));
  return gzipSync(writeTar(entries));
}

for (const choice of clusters) {
  describe(choice.name, () => {
    const cluster = useCluster(choice);
    const clock = createFastClock(1);
    const gates = { ...defaultFeatureGates, ExternalArtifact: true };
    const reconciler = useReconciler(cluster, { clock, gates });

    const { at, configMap, prepare, release } = useRelease(cluster, reconciler);
    const isAt = (version: number) => (object: Live) => isReady(object) && object.status.history[0].version === version;
    const secrets = async (): Promise<string[]> => {
      const path = `/api/v1/namespaces/${cluster.namespace}/secrets?labelSelector=owner%3Dhelm`;
      const { items } = (await cluster.admin.call('GET', path)).body as Live;
      return items.map((item: Live) => `${item.metadata.labels.version} ${item.metadata.labels.status}`).sort();
    };

    describe('another cluster', () => {
      let other: Sandbox;
      let otherAdmin: Api;
      const folder = mkdtempSync(join(tmpdir(), 'lockstep-other-'));

      beforeAll(async () => {
        other = await startSandbox();
        writeFileSync(join(folder, 'kubeconfig'), other.kubeconfig(), { mode: 0o600 });
        otherAdmin = await openApi(join(folder, 'kubeconfig'));
      });
      afterAll(async () => {
        await otherAdmin.close();
        await other.close();
        rmSync(folder, { recursive: true });
      });

      it('is released to, upgraded and cleaned up', async () => {
        await prepare();
        await reconciler.apply({
          apiVersion: 'v1',
          kind: 'Secret',
          metadata: { name: 'other' },
          stringData: { value: other.kubeconfig() },
        });
        const spec = {
          interval: '1s',
          kubeConfig: { secretRef: { name: 'other' } },
          targetNamespace: 'default',
          storageNamespace: 'default',
          releaseName: cluster.namespace,
        };

        await release(spec);
        await reconciler.waitFor(at(), isAt(1));
        await release({ ...spec, values: { color: 'red' } });
        await reconciler.waitFor(at(), isAt(2));

        const there = async (path: string) => (await otherAdmin.call('GET', path)).body as Live;
        expect((await there(paths.configMap('default', cluster.namespace))).data.color).toBe('red');
        expect(await configMap(cluster.namespace)).toBeUndefined();
        expect(await secrets()).toEqual([]);

        await cluster.admin.call('DELETE', at());
        await reconciler.waitFor(at(), (object) => object === undefined, 'deletion');
        expect(await there(paths.configMap('default', cluster.namespace))).toMatchObject({ reason: 'NotFound' });
      });
    });

    it('refuses a kubeconfig that runs a program', async () => {
      await prepare();
      const user = { exec: { apiVersion: 'client.authentication.k8s.io/v1', command: '/bin/touch' } };
      const config = {
        apiVersion: 'v1',
        kind: 'Config',
        'current-context': 'x',
        contexts: [{ name: 'x', context: { cluster: 'x', user: 'x' } }],
        clusters: [{ name: 'x', cluster: { server: 'https://127.0.0.1:1' } }],
        users: [{ name: 'x', user }],
      };
      const stringData = { value: JSON.stringify(config) };
      await reconciler.apply({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'other' }, stringData });

      await release({ kubeConfig: { secretRef: { name: 'other' } } });

      const failed = await reconciler.waitFor(at(), hasFailed('RESTClientError'));
      expect(condition(failed, 'Ready').message).toContain('exec');
    });

    describe('an ExternalArtifact', () => {
      const archives = new Map<string, Buffer>();
      let server: Server;
      let url = '';

      beforeAll(async () => {
        server = createServer((request, response) => {
          const archive = archives.get(String(request.url));
          response.writeHead(archive === undefined ? 404 : 200).end(archive);
        });
        await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
        url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      });
      afterAll(() => void server.close());

      /** Does what a third party does: serves an archive and says so in the status of an object. */
      async function publish(archive: Buffer, revision: (sum: string) => string, isServed = true): Promise<string> {
        const sum = createHash('sha256').update(archive).digest('hex');
        if (isServed) archives.set(`/${sum}.tgz`, archive);
        const whole = {
          apiVersion: 'source.toolkit.fluxcd.io/v1',
          kind: 'ExternalArtifact',
          metadata: { name: 'app', namespace: cluster.namespace },
          spec: { sourceRef: { kind: 'Anything', name: 'else' } },
          status: {
            artifact: {
              digest: `sha256:${sum}`,
              lastUpdateTime: '2026-01-01T00:00:00Z',
              path: `${sum}.tgz`,
              revision: revision(sum),
              size: archive.length,
              url: `${url}/${sum}.tgz`,
            },
          },
        };
        for (const part of ['', '/status']) {
          await cluster.admin.call('PATCH', `${pathOf(whole)}${part}?fieldManager=maker&force=true`, {
            body: whole,
            contentType: 'application/apply-patch+yaml',
          });
        }
        return sum;
      }

      const consume = async (): Promise<void> => {
        const whole = helmRelease('web', 'charts') as Live;
        const { chart: _chart, ...spec } = whole.spec;
        await reconciler.apply({ ...whole, spec: { ...spec, chartRef: { kind: 'ExternalArtifact', name: 'app' } } });
      };

      it('is released, and again when another one is published', async () => {
        const sum = await publish(chartArchive('1.0.0'), (digest) => `latest@sha256:${digest}`);
        await consume();
        const first = await reconciler.waitFor(at(), isAt(1));
        expect(first.status.history[0].chartVersion).toBe(`1.0.0+${sum.slice(0, 12)}`);

        // A revision without a digest is a version: the chart's own stays as it is.
        await publish(chartArchive('1.1.0'), () => '1.1.0');
        const second = await reconciler.waitFor(at(), isAt(2));
        expect(second.status.history[0].chartVersion).toBe('1.1.0');
        expect((await configMap()).data.chart).toBe('1.1.0');
      });

      it('is waited for while it is announced and not served yet', async () => {
        await publish(chartArchive('3.0.0'), () => '3.0.0', false);
        await consume();

        const failed = await reconciler.waitFor(at(), hasFailed('ArtifactFailed', 'Source not ready'));

        expect(condition(failed, 'Ready').message).toBe('Source not ready: artifact not found. Retrying in 30s');
      });
    });

    it('suspended amid an action, brings it to its end and begins nothing more', async () => {
      await prepare(fragileFiles);
      await release();
      await reconciler.waitFor(at(), isAt(1));
      const upgrade = { values: { image: 'app:bad' }, timeout: `${FAR_LIMIT_MS}ms` };
      await release(upgrade);
      await reconciler.waitFor(at(), (object) => conditionStatus(object, 'Ready') === 'Unknown');
      const deployment = paths.deployment(cluster.namespace, 'web');
      await reconciler.waitFor(deployment, (object) => object !== undefined, 'the Deployment');
      expect(await secrets()).toEqual(['1 deployed', '2 pending-upgrade']);

      await release({ ...upgrade, suspend: true });
      await reconciler.noticesSuspension('HelmRelease', 'web');
      await reconciler.quiet();
      clock.skip(FAR_LIMIT_MS);
      const ended = await reconciler.waitFor(at(), (object) => object?.status?.history?.[0]?.status === 'failed');

      expect(condition(ended, 'Released')).toMatchObject({ status: 'False', reason: 'UpgradeFailed' });
      expect(await secrets()).toEqual(['1 deployed', '2 failed']);
      await release({ values: { color: 'red' }, suspend: true });
      await reconciler.quiet();
      expect((await configMap()).data.color).toBe('blue');
      await release({ values: { color: 'red' } });
      await reconciler.waitFor(at(), isAt(3));
    });

    it('cleans up what a failed upgrade has made, when told to', async () => {
      const repository = await prepare();
      await release({ upgrade: { cleanupOnFail: true } });
      await reconciler.waitFor(at(), isAt(1));

      const added = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: added}\n';
      await repository.commit(configChart('1.1.0', { ...fragileFiles, 'templates/added.yaml': added }));
      await release({ upgrade: { cleanupOnFail: true }, values: { breaks: 'api', color: 'red' } });
      await reconciler.waitFor(at(), (object) => condition(object, 'Stalled') !== undefined);

      await reconciler.waitFor(
        paths.configMap(cluster.namespace, 'added'),
        (object) => object === undefined,
        'deletion',
      );
      // What was there before is not taken back: that is for a remediation.
      expect((await configMap()).data.color).toBe('red');
    });

    it.each([true, false])('uses the name of an uninstalled release again: install.replace %s', async (replace) => {
      await prepare();
      await release({ uninstall: { keepHistory: true } });
      await reconciler.waitFor(at(), isAt(1));
      await cluster.admin.call('DELETE', at());
      await reconciler.waitFor(at(), (object) => object === undefined, 'deletion');
      expect(await secrets()).toEqual(['1 uninstalled']);

      await release({ install: { replace } });

      if (replace) {
        await reconciler.waitFor(at(), isAt(2));
        expect(await secrets()).toEqual(['1 superseded', '2 deployed']);
      } else {
        const failed = await reconciler.waitFor(at(), hasFailed('InstallFailed'));
        expect(condition(failed, 'Ready').message).toContain('cannot re-use a name that is still in use');
      }
    });
  });
}
