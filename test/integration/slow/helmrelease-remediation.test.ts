// What is done about installs, upgrades and tests that fail (helm.md §21.4), on every server.
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/lib/json.ts';
import { gitRepository } from '../../support/build.ts';
import { clusters, useCluster } from '../../support/cluster.ts';
import { createFastClock, FAR_LIMIT_MS } from '../../support/fast-clock.ts';
import { configChart, fragileFiles, helmRelease } from '../../support/helm-charts.ts';
import {
  condition,
  conditionStatus,
  hasStuckPod,
  isReady,
  type Live,
  paths,
  useReconciler,
} from '../../support/reconciler.ts';

const stalled = (object: Live) => condition(object, 'Stalled')?.reason;
const lastVersion = (object: Live) => object?.status?.history?.[0]?.version;
const statuses = (object: Live) => object.status.history.map((entry: Live) => [entry.version, entry.status]);

for (const choice of clusters) {
  describe(choice.name, () => {
    const cluster = useCluster(choice);
    const clock = createFastClock(1);
    const reconciler = useReconciler(cluster, { clock });

    const at = () => paths.helmRelease(cluster.namespace, 'web');
    const color = async (): Promise<unknown> =>
      (await reconciler.get(paths.configMap(cluster.namespace, 'web')))?.data?.color;
    const secrets = async (): Promise<string[]> => {
      const path = `/api/v1/namespaces/${cluster.namespace}/secrets?labelSelector=owner%3Dhelm`;
      const { items } = (await cluster.admin.call('GET', path)).body as Live;
      return items.map((item: Live) => `${item.metadata.labels.version} ${item.metadata.labels.status}`).sort();
    };

    /** A release of the chart that breaks by its values. */
    async function release(spec: JsonObject): Promise<Live> {
      return reconciler.apply(helmRelease('web', 'charts', spec));
    }
    async function prepare(): Promise<void> {
      const { url } = await reconciler.repository(configChart('1.0.0', fragileFiles));
      await reconciler.apply(gitRepository('charts', url));
    }

    it('says where a template fails, stores nothing, and installs once the values are right', async () => {
      await prepare();

      await release({ values: { breaks: 'template' } });
      const failed = await reconciler.waitFor(at(), (object) => conditionStatus(object, 'Released') === 'False');

      expect(condition(failed, 'Ready')).toMatchObject({ status: 'False', reason: 'InstallFailed' });
      const message = condition(failed, 'Ready').message;
      expect(message).toContain(`Helm install failed for release ${cluster.namespace}/web with chart config@1.0.0: `);
      expect(message).toContain('config/templates/fragile.yaml:2');
      expect(message).toContain('as you wish');
      expect(failed.status).toMatchObject({ failures: expect.any(Number) });
      expect(failed.status.installFailures).toBeUndefined();
      expect(await secrets()).toEqual([]);

      await release({ values: {} });
      await reconciler.waitFor(at(), isReady);
      expect(await secrets()).toEqual(['1 deployed']);
    });

    it('stalls after a failed install without retries, and upgrades when the spec changes', async () => {
      await prepare();

      await release({ values: { breaks: 'api' } });
      const failed = await reconciler.waitFor(at(), (object) => stalled(object) !== undefined);

      expect(condition(failed, 'Stalled')).toMatchObject({
        reason: 'RetriesExceeded',
        message: 'Failed to install after 1 attempt(s)',
      });
      expect(condition(failed, 'Ready')).toMatchObject({ status: 'False', reason: 'InstallFailed' });
      expect(failed.status).toMatchObject({ installFailures: 1, failures: 1, lastAttemptedReleaseAction: 'install' });
      expect(await secrets()).toEqual(['1 failed']);

      await release({ values: { color: 'green' } });
      const cured = await reconciler.waitFor(at(), isReady);
      expect(statuses(cured)[0]).toEqual([2, 'deployed']);
      expect(cured.status.installFailures).toBeUndefined();
      expect(await color()).toBe('green');
    });

    it('uninstalls a failed install before it tries again, as often as it may', async () => {
      await prepare();

      await release({ values: { breaks: 'api' }, install: { remediation: { retries: 1 } } });
      const failed = await reconciler.waitFor(at(), (object) => stalled(object) !== undefined);

      expect(failed.status.installFailures).toBe(2);
      expect(condition(failed, 'Stalled').message).toBe('Failed to install after 2 attempt(s)');
      expect(await secrets()).toEqual(['1 failed']);
    });

    it('rolls a failed upgrade back, and goes on when the spec changes', async () => {
      await prepare();
      await release({ values: { color: 'green' } });
      await reconciler.waitFor(at(), isReady);

      const remediation = { remediation: { remediateLastFailure: true } };
      await release({ values: { color: 'red', breaks: 'api' }, upgrade: remediation });
      const failed = await reconciler.waitFor(at(), (object) => stalled(object) !== undefined);

      expect(condition(failed, 'Remediated')).toMatchObject({
        status: 'True',
        reason: 'RollbackSucceeded',
        message: `Helm rollback to previous release ${cluster.namespace}/web.v1 with chart config@1.0.0 succeeded`,
      });
      expect(condition(failed, 'Ready')).toMatchObject({ status: 'False', reason: 'RollbackSucceeded' });
      expect(condition(failed, 'Released').message).toContain('Helm upgrade failed for release');
      expect(condition(failed, 'Stalled').message).toBe('Failed to upgrade after 1 attempt(s)');
      expect(statuses(failed)).toEqual([
        [3, 'deployed'],
        [2, 'failed'],
        [1, 'superseded'],
      ]);
      expect(await secrets()).toEqual(['1 superseded', '2 failed', '3 deployed']);
      expect(await color()).toBe('green');

      await release({ values: { color: 'blue' }, upgrade: remediation });
      const cured = await reconciler.waitFor(at(), isReady);
      expect(lastVersion(cured)).toBe(4);
      expect(condition(cured, 'Remediated')).toBeUndefined();
      expect(condition(cured, 'Stalled')).toBeUndefined();
    });

    it('is ready again when what a rollback brought back is what the spec says', async () => {
      await prepare();
      await release({ values: { color: 'green' } });
      await reconciler.waitFor(at(), isReady);
      await release({ values: { breaks: 'api' }, upgrade: { remediation: { remediateLastFailure: true } } });
      await reconciler.waitFor(at(), (object) => stalled(object) !== undefined);

      await release({ values: { color: 'green' } });
      const cured = await reconciler.waitFor(at(), isReady);

      expect(lastVersion(cured)).toBe(3);
      expect(condition(cured, 'Ready')).toMatchObject({ reason: 'UpgradeSucceeded' });
      expect(condition(cured, 'Ready').message).toContain('web.v3');
    });

    it('uninstalls after a failed upgrade when that is the strategy', async () => {
      await prepare();
      await release({});
      await reconciler.waitFor(at(), isReady);

      const remediation = { strategy: 'uninstall', remediateLastFailure: true };
      await release({ values: { breaks: 'api' }, upgrade: { remediation } });
      const failed = await reconciler.waitFor(at(), (object) => stalled(object) !== undefined);

      expect(condition(failed, 'Remediated')).toMatchObject({ status: 'True', reason: 'UninstallSucceeded' });
      expect(await secrets()).toEqual([]);
      expect(await color()).toBeUndefined();
    });

    it('tries a failure again without remediation when that is the strategy', async () => {
      await prepare();
      await release({});
      await reconciler.waitFor(at(), isReady);

      const strategy = { name: 'RetryOnFailure', retryInterval: '1s' };
      await release({ values: { breaks: 'api' }, upgrade: { strategy } });
      const failed = await reconciler.waitFor(at(), (object) => object?.status?.upgradeFailures >= 2);

      expect(condition(failed, 'Remediated')).toBeUndefined();
      expect(stalled(failed)).toBeUndefined();
      expect((await secrets()).filter((item) => item.endsWith('deployed'))).toEqual(['1 deployed']);
    });

    it('tells of tests that pass, and rolls back after tests that fail', async () => {
      await prepare();
      const spec = { test: { enable: true }, upgrade: { remediation: { remediateLastFailure: true } } };
      await release({ ...spec, values: { color: 'green' } });
      const tested = await reconciler.waitFor(at(), isReady);
      expect(condition(tested, 'Ready')).toMatchObject({ reason: 'TestSucceeded' });
      expect(condition(tested, 'Ready').message).toContain(': 1 test hook completed successfully');
      expect(tested.status.history[0].testHooks).toEqual({
        'web-test': { phase: 'Succeeded', lastStarted: expect.any(String), lastCompleted: expect.any(String) },
      });

      await release({ ...spec, values: { color: 'red', testImage: 'checker-fail' } });
      const failed = await reconciler.waitFor(at(), (object) => stalled(object) !== undefined);

      expect(condition(failed, 'TestSuccess')).toMatchObject({ status: 'False', reason: 'TestFailed' });
      expect(condition(failed, 'Remediated')).toMatchObject({ status: 'True', reason: 'RollbackSucceeded' });
      expect(await color()).toBe('green');
    });

    it('takes a failed test for no failure when told so', async () => {
      await prepare();
      await release({ test: { enable: true, ignoreFailures: true }, values: { testImage: 'checker-fail' } });

      const object = await reconciler.waitFor(at(), isReady);

      expect(condition(object, 'Ready').reason).toBe('InstallSucceeded');
      expect(condition(object, 'TestSuccess')).toMatchObject({ status: 'False', reason: 'TestFailed' });
    });

    it('fails with a hook that fails, and with one that hangs', async () => {
      await prepare();
      await release({ values: { hookImage: 'migrate-fail' } });
      const failed = await reconciler.waitFor(at(), (object) => stalled(object) !== undefined);
      expect(condition(failed, 'Ready').message).toContain(
        ': failed pre-install: job web-hook failed: BackoffLimitExceeded',
      );

      const job = `/apis/batch/v1/namespaces/${cluster.namespace}/jobs/web-hook`;
      const { uid } = (await reconciler.get(job)).metadata;
      await release({ values: { hookImage: 'does-not-exist' }, timeout: `${FAR_LIMIT_MS}ms` });
      await reconciler.waitFor(job, (live) => live !== undefined && live.metadata.uid !== uid, 'the hook');
      await reconciler.quiet();
      clock.skip(FAR_LIMIT_MS);
      const hanging = await reconciler.waitFor(
        at(),
        (object) => object?.status?.lastAttemptedReleaseAction === 'upgrade' && stalled(object) !== undefined,
      );
      expect(condition(hanging, 'Ready').message).toMatch(/pre-upgrade hooks failed: health check failed after \S+: /);
      expect(condition(hanging, 'Ready').message).toContain(
        `timeout waiting for: [Job/${cluster.namespace}/web-hook status`,
      );
    });

    it('says why a Deployment does not get ready', async () => {
      await prepare();

      // The wait goes on to its end, as a bad image may yet come.
      await release({ values: { image: 'app:bad' }, timeout: `${FAR_LIMIT_MS}ms` });
      await reconciler.waitFor(`/api/v1/namespaces/${cluster.namespace}/pods`, hasStuckPod, 'a pod without its image');
      await reconciler.quiet();
      clock.skip(FAR_LIMIT_MS);
      const failed = await reconciler.waitFor(at(), (object) => stalled(object) !== undefined);

      const { message } = condition(failed, 'Ready');
      expect(message).toContain(`Deployment/${cluster.namespace}/web status: 'InProgress'`);
      expect(message).toMatch(/ImagePullBackOff|ErrImagePull/);
    });

    it('has one more try with a request to force or to reset', async () => {
      await prepare();
      await release({ values: { breaks: 'api' } });
      await reconciler.waitFor(at(), (object) => stalled(object) !== undefined);

      for (const [token, key] of [
        ['1', 'forceAt'],
        ['2', 'resetAt'],
      ] as const) {
        await cluster.kubectl.ok([
          ...['annotate', '--overwrite', 'helmrelease', 'web'],
          ...[`reconcile.fluxcd.io/requestedAt=${token}`, `reconcile.fluxcd.io/${key}=${token}`],
        ]);
        await reconciler.waitFor(
          at(),
          (object) => object.status.lastHandledReconcileAt === token && stalled(object) !== undefined,
        );
      }

      const { status } = await reconciler.get(at());
      expect(status).toMatchObject({ lastHandledForceAt: '1', lastHandledResetAt: '2', upgradeFailures: 1 });
      expect(await secrets()).toEqual(['1 failed', '2 failed', '3 failed']);
    });
  });
}
