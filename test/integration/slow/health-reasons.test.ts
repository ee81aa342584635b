// Health messages say why (lockstep.md §5 of issue 7), and objects of others are waited for by watching them.
import { describe, expect, it } from 'vitest';
import { configMapYaml, deploymentYaml, gitRepository, kustomization } from '../../support/build.ts';
import { clusters, useCluster } from '../../support/cluster.ts';
import { createFastClock } from '../../support/fast-clock.ts';
import { condition, hasFailed, isReady, type Live, paths, useReconciler } from '../../support/reconciler.ts';

/** The least timeout is half a minute; nothing here is worth that. */
const SPEED = 10;

for (const choice of clusters) {
  describe(`reasons of health on ${choice.name}`, () => {
    const cluster = useCluster(choice);
    const suite = useReconciler(cluster, { clock: createFastClock(SPEED) });

    async function apply(files: Record<string, string>, spec: object): Promise<string> {
      const repository = await suite.repository(files);
      await suite.apply(gitRepository('app', repository.url));
      const common = { targetNamespace: cluster.namespace, interval: '10m', retryInterval: '10m', timeout: '30s' };
      await suite.apply(kustomization('app', 'app', { ...common, ...spec } as never));
      return paths.kustomization(cluster.namespace, 'app');
    }

    const failure = async (path: string): Promise<string> =>
      condition(await suite.waitFor(path, hasFailed('HealthCheckFailed'), 'failed'), 'Ready').message;

    it("tells a pod's waiting reason, of what is not healthy alone", async () => {
      const { namespace } = cluster;
      const path = await apply(
        { 'good.yaml': deploymentYaml('good', 'nginx:1'), 'bad.yaml': deploymentYaml('bad', 'nginx:broken') },
        { wait: true },
      );

      const message = await failure(path);

      expect(message).toMatch(/^health check failed after 30(\.\d+)?s: timeout waiting for: \[/);
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

      // Long enough for polling to show, at the speed of this clock.
      const requests = await suite.countRequests(() => suite.quiet(1_500));
      expect(requests).toEqual([]);

      await cluster.admin.call('PATCH', paths.configMap(namespace, 'flag'), { body: { data: { done: 'yes' } } });
      const later = { ...flag, metadata: { name: 'later', namespace }, data: { done: 'yes' } };
      await cluster.admin.call('POST', `/api/v1/namespaces/${namespace}/configmaps`, { body: later });
      const object = await suite.waitFor(path, isReady, 'Ready');
      expect(object.status.inventory.entries.map(({ id }: Live) => id)).toEqual([`${namespace}_cm__ConfigMap`]);
    });
  });
}
