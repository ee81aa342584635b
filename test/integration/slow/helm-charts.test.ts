// Charts that people use, all the way: install, upgrade, an upgrade that never gets ready, its rollback, uninstall.
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/lib/json.ts';
import { gitRepository } from '../../support/build.ts';
import { clusters, useCluster } from '../../support/cluster.ts';
import { corpusFolder } from '../../support/corpus.ts';
import { createFastClock, FAR_LIMIT_MS } from '../../support/fast-clock.ts';
import { helmRelease } from '../../support/helm-charts.ts';
import { condition, hasStuckPod, isReady, type Live, paths, useReconciler } from '../../support/reconciler.ts';

const corpus = corpusFolder('helm/charts');
/**
 * Values without which a chart cannot get ready where nothing provides volumes or addresses. None has a StatefulSet: one
 * whose pod does not start stays so after a rollback until somebody deletes the pod, as Kubernetes has it.
 */
const charts: Readonly<Record<string, JsonObject>> = {
  podinfo: {},
  'helm-guestbook': {},
  'kube-state-metrics': {},
  prometheus: {
    alertmanager: { enabled: false },
    'prometheus-pushgateway': { enabled: false },
    'prometheus-node-exporter': { enabled: false },
    server: { persistentVolume: { enabled: false } },
  },
  'prometheus-adapter': {},
  'prometheus-blackbox-exporter': {},
  'prometheus-elasticsearch-exporter': {},
  'prometheus-node-exporter': {},
  'bitnami-nginx': { tls: { enabled: false }, service: { type: 'ClusterIP' } },
  'bitnami-sealed-secrets': {},
};

/** Makes the first container of every workload run an image that cannot be pulled. */
const broken: JsonObject = {
  kustomize: {
    patches: [
      {
        target: { kind: 'Deployment|DaemonSet' },
        patch: '- op: replace\n  path: /spec/template/spec/containers/0/image\n  value: app:bad\n',
      },
    ],
  },
};

for (const choice of clusters) {
  describe.skipIf(corpus === undefined)(`${choice.name}${corpus === undefined ? ' (skipped: no corpus)' : ''}`, () => {
    const cluster = useCluster(choice);
    const clock = createFastClock(1);
    const reconciler = useReconciler(cluster, { clock });

    it.each(Object.entries(charts))('%s', async (name, values) => {
      const repository = await reconciler.repository({ 'README.md': name });
      cpSync(join(corpus!, name, 'chart'), join(repository.dir, 'chart'), { recursive: true });
      await repository.commit({}, 'The chart');
      await reconciler.apply(gitRepository('charts', repository.url));
      const at = paths.helmRelease(cluster.namespace, 'web');
      const release = (spec: JsonObject) =>
        reconciler.apply(
          helmRelease('web', 'charts', {
            values,
            upgrade: { timeout: `${FAR_LIMIT_MS}ms`, remediation: { remediateLastFailure: true } },
            ...spec,
          }),
        );

      await release({});
      const installed = await reconciler.waitFor(at, isReady, 'install');
      const objects = installed.status.inventory.entries.length;
      expect(objects).toBeGreaterThan(0);

      await release({ commonMetadata: { labels: { round: 'two' } } });
      const upgraded = await reconciler.waitFor(
        at,
        (object) => isReady(object) && object.status.history[0].version === 2,
        'upgrade',
      );
      expect(upgraded.status.inventory.entries).toHaveLength(objects);

      await release({ commonMetadata: { labels: { round: 'three' } }, postRenderers: [broken] });
      await reconciler.waitFor(`/api/v1/namespaces/${cluster.namespace}/pods`, hasStuckPod, 'a pod without its image');
      await reconciler.quiet();
      clock.skip(FAR_LIMIT_MS);
      const rolledBack = await reconciler.waitFor(
        at,
        (object) => condition(object, 'Stalled') !== undefined,
        'rollback',
      );
      expect(condition(rolledBack, 'Remediated')).toMatchObject({ status: 'True', reason: 'RollbackSucceeded' });
      expect(condition(rolledBack, 'Released').message).toMatch(/ImagePullBackOff|ErrImagePull/);
      expect(rolledBack.status.history.map((entry: Live) => [entry.version, entry.status])).toEqual([
        [4, 'deployed'],
        [3, 'failed'],
        [2, 'superseded'],
      ]);

      await cluster.admin.call('DELETE', at);
      await reconciler.waitFor(at, (object) => object === undefined, 'uninstall');
      const left = await cluster.kubectl.ok([
        'get',
        'all,configmaps,secrets',
        '-l',
        'helm.toolkit.fluxcd.io/name=web',
        '-o',
        'name',
      ]);
      // What controllers make of a Service has its labels, and goes a moment later.
      expect(
        left.split('\n').filter((line) => line !== '' && !line.startsWith('endpoint') && !line.startsWith('pod/')),
      ).toEqual([]);
    });
  });
}
