// Health messages say why (lockstep.md §5 of issue 7), and objects of others are waited for by watching them.
import { describe, expect, it } from 'vitest';
import { parseDurationMs } from '../../../src/lib/duration.ts';
import { configMapYaml, deploymentYaml, gitRepository, kustomization } from '../../support/build.ts';
import { clusters, useCluster } from '../../support/cluster.ts';
import { createFastClock, FAR_LIMIT_MS } from '../../support/fast-clock.ts';
import {
  condition,
  hasFailed,
  hasStuckPod,
  isReady,
  type Live,
  paths,
  useReconciler,
} from '../../support/reconciler.ts';

for (const choice of clusters) {
  describe(`reasons of health on ${choice.name}`, () => {
    const cluster = useCluster(choice);
    const clock = createFastClock(1);
    const suite = useReconciler(cluster, { clock });

    async function apply(files: Record<string, string>, spec: object): Promise<string> {
      const repository = await suite.repository(files);
      await suite.apply(gitRepository('app', repository.url));
      const common = {
        targetNamespace: cluster.namespace,
        interval: '10m',
        retryInterval: '10m',
        timeout: `${FAR_LIMIT_MS}ms`,
      };
      await suite.apply(kustomization('app', 'app', { ...common, ...spec } as never));
      return paths.kustomization(cluster.namespace, 'app');
    }

    /** Lets the time limit pass once the wait has begun, however long it took to get there. */
    const failure = async (path: string): Promise<string> => {
      await suite.waitFor(path, (object) => condition(object, 'Healthy')?.status === 'Unknown', 'waiting');
      await suite.quiet();
      clock.skip(FAR_LIMIT_MS);
      return condition(await suite.waitFor(path, hasFailed('HealthCheckFailed'), 'failed'), 'Ready').message;
    };

    it("tells a pod's waiting reason, of what is not healthy alone", async () => {
      const { namespace } = cluster;
      const path = await apply(
        { 'good.yaml': deploymentYaml('good', 'nginx:1'), 'bad.yaml': deploymentYaml('bad', 'nginx:broken') },
        { wait: true },
      );
      await suite.waitFor(`/api/v1/namespaces/${namespace}/pods`, hasStuckPod, 'a pod without its image');
      await suite.waitFor(paths.deployment(namespace, 'good'), (live) => live?.status.availableReplicas === 1, 'good');

      const message = await failure(path);

      const [, took = '', what] = /^health check failed after (\S+): (.*)/s.exec(message) ?? [];
      expect(parseDurationMs(took)).toBeGreaterThanOrEqual(FAR_LIMIT_MS);
      expect(what).toMatch(/^timeout waiting for: \[/);
      expect(message).toContain(`Deployment/${namespace}/bad status: 'InProgress'`);
      expect(message).toMatch(
        new RegExp(`Pod/${namespace}/bad-\\S+: container "main": (ErrImagePull|ImagePullBackOff)`),
      );
      expect(message).not.toContain('good');
    });

    it('tells the last warning about an object whose status says nothing', async () => {
      const { namespace } = cluster;
      const claim =
        'apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata:\n  name: data\nspec:\n  storageClassName: none\n  accessModes: [ReadWriteOnce]\n  resources:\n    requests:\n      storage: 1Gi\n';
      const involvedObject = { apiVersion: 'v1', kind: 'PersistentVolumeClaim', name: 'data', namespace };
      const events = [
        { type: 'Normal', reason: 'Waiting', message: 'fine', lastTimestamp: '2026-01-03T00:00:00Z' },
        {
          type: 'Warning',
          reason: 'ProvisioningFailed',
          message: 'no such class',
          lastTimestamp: '2099-01-02T00:00:00Z',
        },
        { type: 'Warning', reason: 'ProvisioningFailed', message: 'older', lastTimestamp: '2026-01-01T00:00:00Z' },
      ];
      for (const [index, event] of events.entries()) {
        const body = { apiVersion: 'v1', kind: 'Event', metadata: { name: `e${index}` }, involvedObject, ...event };
        const answer = await cluster.admin.call('POST', `/api/v1/namespaces/${namespace}/events`, { body });
        expect(answer.status).toBe(201);
      }

      const message = await failure(await apply({ 'claim.yaml': claim }, { wait: true }));

      expect(message).toContain(`PersistentVolumeClaim/${namespace}/data: ProvisioningFailed: no such class`);
    });

    it('takes a finished Job that was removed for healthy, and does not run it again', async () => {
      const { namespace } = cluster;
      const job = (ttl: string) =>
        `apiVersion: batch/v1\nkind: Job\nmetadata:\n  name: once\nspec:${ttl}\n  template:\n    spec:\n      restartPolicy: Never\n      containers:\n      - name: main\n        image: once:1\n`;
      const path = await apply({ 'job.yaml': job('\n  ttlSecondsAfterFinished: 1') }, { wait: true, timeout: '10m' });

      await suite.waitFor(path, isReady, 'Ready');
      const live = `/apis/batch/v1/namespaces/${namespace}/jobs/once`;
      await suite.waitFor(live, (object) => object === undefined, 'removed');
      await suite.quiet();

      expect(await suite.get(live)).toBeUndefined();
      expect(isReady(await suite.get(path))).toBe(true);
    });

    it('waits for an object of somebody else without a request, and sees it come', async () => {
      const { namespace } = cluster;
      const flag = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'flag', namespace }, data: { done: 'no' } };
      const create = await cluster.admin.call('POST', `/api/v1/namespaces/${namespace}/configmaps`, { body: flag });
      expect(create.status).toBe(201);
      const path = await apply(
        { 'cm.yaml': configMapYaml('cm', { a: '1' }) },
        {
          healthChecks: [
            { apiVersion: 'v1', kind: 'ConfigMap', name: 'flag', namespace },
            { apiVersion: 'v1', kind: 'ConfigMap', name: 'later', namespace },
          ],
          healthCheckExprs: [{ apiVersion: 'v1', kind: 'ConfigMap', current: "data.done == 'yes'" }],
          timeout: '10m',
        },
      );
      await suite.waitFor(path, (object) => condition(object, 'Healthy')?.status === 'Unknown', 'waiting');
      await suite.quiet();

      // Long enough for polling to show.
      const requests = await suite.countRequests(async () => {
        clock.skip(60_000);
        await suite.quiet();
      });
      expect(requests).toEqual([]);

      await cluster.admin.call('PATCH', paths.configMap(namespace, 'flag'), { body: { data: { done: 'yes' } } });
      const later = { ...flag, metadata: { name: 'later', namespace }, data: { done: 'yes' } };
      await cluster.admin.call('POST', `/api/v1/namespaces/${namespace}/configmaps`, { body: later });
      const object = await suite.waitFor(path, isReady, 'Ready');
      expect(object.status.inventory.entries.map(({ id }: Live) => id)).toEqual([`${namespace}_cm__ConfigMap`]);
    });
  });
}
