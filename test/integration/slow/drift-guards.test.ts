// Drift that is not put back at once, or at all: objects that are paused, kept or on their way out are left alone, and
// are not asked about in a loop (lockstep.md §3, flux.md §4.8). Fights with other controllers are slow/drift-fights.test.ts.
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/runtime/clock.ts';
import { configMapYaml, deploymentYaml, gitRepository, jobYaml, kustomization } from '../../support/build.ts';
import { clusters, useCluster } from '../../support/cluster.ts';
import { conditionStatus, hasFailed, isReady, type Live, paths, useReconciler } from '../../support/reconciler.ts';

const policy = (name: string, value: string | null) => ({
  metadata: { annotations: { [`kustomize.toolkit.fluxcd.io/${name}`]: value } },
});

for (const choice of clusters) {
  describe(`guards of drift on ${choice.name}`, () => {
    const cluster = useCluster(choice);
    const suite = useReconciler(cluster);
    const path = () => paths.kustomization(cluster.namespace, 'app');

    async function deployed(files: Record<string, string>, spec: object = {}) {
      const { namespace } = cluster;
      const repository = await suite.repository(files);
      await suite.apply(gitRepository('app', repository.url));
      await suite.apply(kustomization('app', 'app', { targetNamespace: namespace, ...spec }));
      return repository;
    }
    async function ready(files: Record<string, string>, spec: object = {}) {
      const repository = await deployed(files, spec);
      await suite.waitFor(path(), isReady, 'Ready');
      return repository;
    }
    const patch = (object: string, manager: string, body: object) =>
      cluster.admin.call('PATCH', `${object}?fieldManager=${manager}`, { body });
    /** Requests of the reconciler about an object, dry-runs included. */
    const requestsOf = (object: string, from = 0) =>
      suite.requests.slice(from).filter((request) => request.path.split('?')[0] === object);

    it('waits for an object that is on its way out, and makes it again when it is gone', async () => {
      await ready({ 'cm.yaml': configMapYaml('cm', { a: '1' }) });
      const cm = paths.configMap(cluster.namespace, 'cm');
      await patch(cm, 'operator', { metadata: { finalizers: ['example.com/hold'] } });
      await suite.quiet();

      const before = suite.requests.length;
      const { uid } = (await suite.get(cm)).metadata;
      await cluster.admin.call('DELETE', cm);
      await patch(cm, 'operator', { metadata: { annotations: { still: 'here' } } });
      await suite.quiet();
      expect(requestsOf(cm, before)).toEqual([]);
      await patch(cm, 'operator', { metadata: { finalizers: null } });

      await suite.waitFor(cm, (live) => live !== undefined && live.metadata.uid !== uid, 'made again');
    });

    it('leaves an object alone while it is paused by hand, and puts it back afterwards', async () => {
      await ready({ 'cm.yaml': configMapYaml('cm', { a: '1' }) }, { interval: '200ms' });
      const cm = paths.configMap(cluster.namespace, 'cm');
      await patch(cm, 'kubectl-annotate', policy('reconcile', 'disabled'));
      await suite.quiet();
      const before = suite.requests.length;

      await patch(cm, 'kubectl-edit', { data: { a: '2' } });
      await systemClock.sleep(1_500);

      expect(requestsOf(cm, before)).toEqual([]);
      expect((await suite.get(cm)).data).toEqual({ a: '2' });
      await patch(cm, 'kubectl-annotate', policy('reconcile', null));
      await suite.waitFor(cm, (live) => live.data.a === '1', 'put back');
    });

    it('sees the end of a pause that began before a restart', async () => {
      await ready({ 'cm.yaml': configMapYaml('cm', { a: '1' }) });
      const cm = paths.configMap(cluster.namespace, 'cm');
      await patch(cm, 'operator', { ...policy('reconcile', 'disabled'), data: { a: '2' } });
      await suite.restart();
      await suite.quiet();

      await patch(cm, 'operator', policy('reconcile', null));

      await suite.waitFor(cm, (live) => live.data.a === '1', 'put back');
    });

    it('keeps what kubectl added under ssa: Merge, without asking again and again', async () => {
      const yaml = configMapYaml('cm', { a: '1' }).replace(
        'metadata:\n',
        'metadata:\n  annotations:\n    kustomize.toolkit.fluxcd.io/ssa: Merge\n',
      );
      await ready({ 'cm.yaml': yaml });
      const cm = paths.configMap(cluster.namespace, 'cm');
      await suite.quiet();
      const before = suite.requests.length;

      await patch(cm, 'kubectl-edit', { data: { mine: 'x' } });
      await suite.quiet();

      expect((await suite.get(cm)).data).toEqual({ a: '1', mine: 'x' });
      expect(requestsOf(cm, before)).toEqual([]);
    });

    it('makes an object under ssa: IfNotPresent again when it is deleted, and leaves edits in it', async () => {
      const yaml = configMapYaml('cm', { a: '1' }).replace(
        'metadata:\n',
        'metadata:\n  annotations:\n    kustomize.toolkit.fluxcd.io/ssa: IfNotPresent\n',
      );
      await ready({ 'cm.yaml': yaml });
      const cm = paths.configMap(cluster.namespace, 'cm');
      await suite.quiet();
      const before = suite.requests.length;

      await patch(cm, 'kubectl-edit', { data: { a: '2' } });
      await suite.quiet();
      expect((await suite.get(cm)).data).toEqual({ a: '2' });
      expect(requestsOf(cm, before)).toEqual([]);
      await cluster.admin.call('DELETE', cm);

      await suite.waitFor(cm, (live) => live?.data.a === '1', 'made again');
    });

    it('owns its fields again after somebody changed them and changed them back', async () => {
      await ready({ 'cm.yaml': configMapYaml('cm', { a: '1' }) });
      const cm = paths.configMap(cluster.namespace, 'cm');
      const before = await suite.get(cm);

      await patch(cm, 'curl', { metadata: { managedFields: [{}] } });

      const isOurs = (live: Live) =>
        live.metadata.managedFields?.some((entry: Live) => entry.manager === 'kustomize-controller');
      expect(isOurs(before)).toBe(true);
      await suite.waitFor(cm, isOurs, 'owned');
      await patch(cm, 'curl', { data: { a: '2' } });
      await suite.waitFor(cm, (live) => live.data.a === '1', 'put back');
    });

    it('puts drift back while it waits for health', async () => {
      await deployed(
        { 'web.yaml': deploymentYaml('web', 'nginx:broken', 1), 'cm.yaml': configMapYaml('cm', { a: '1' }) },
        { wait: true, timeout: '30m' },
      );
      const { namespace } = cluster;
      const isWaiting = (object: Live | undefined) => conditionStatus(object, 'Healthy') === 'Unknown';
      const waiting = await suite.waitFor(path(), isWaiting, 'waiting for health');

      await patch(paths.deployment(namespace, 'web'), 'kubectl-scale', { spec: { replicas: 4 } });
      await patch(paths.configMap(namespace, 'cm'), 'kubectl-edit', { data: { a: '2' } });

      await suite.waitFor(paths.deployment(namespace, 'web'), (live) => live.spec.replicas === 1, 'put back');
      await suite.waitFor(paths.configMap(namespace, 'cm'), (live) => live.data.a === '1', 'put back');
      await suite.quiet();
      const after = await suite.get(path());
      expect(after.status.conditions).toEqual(waiting.status.conditions);
    });

    it('puts drift back after a failure of health, and repeats nothing else before its retry is due', async () => {
      await deployed(
        { 'job.yaml': jobYaml('migrate', 'migrate:fail'), 'cm.yaml': configMapYaml('cm', { a: '1' }) },
        { wait: true },
      );
      const { namespace } = cluster;
      const failed = await suite.waitFor(path(), hasFailed('HealthCheckFailed'), 'failed');
      await suite.quiet();
      const jobs = `/apis/batch/v1/namespaces/${namespace}/jobs/migrate`;
      const before = suite.requests.length;

      for (let round = 0; round < 5; round += 1)
        await patch(jobs, 'operator', { metadata: { annotations: { a: `${round}` } } });
      await patch(paths.configMap(namespace, 'cm'), 'kubectl-edit', { data: { a: '2' } });

      await suite.waitFor(paths.configMap(namespace, 'cm'), (live) => live.data.a === '1', 'put back');
      await suite.quiet();
      expect(requestsOf(jobs, before)).toEqual([]);
      expect((await suite.get(path())).status).toEqual(failed.status);
    });
  });
}
