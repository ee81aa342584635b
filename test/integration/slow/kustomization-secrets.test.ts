// A secret value is told to nobody: not by status, events, posted events, logs or metrics, whatever refuses it
// (lockstep.md §9, threats.md row 10, CVE-2025-23216, the note of Flux 2.9.6).
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/runtime/clock.ts';
import { createLog } from '../../../src/runtime/telemetry.ts';
import { configMapYaml, gitRepository, kustomization } from '../../support/build.ts';
import { clusters, useCluster } from '../../support/cluster.ts';
import { condition, hasFailed, isReady, type Live, paths, useReconciler } from '../../support/reconciler.ts';

const SUBSTITUTED = 'Canary-7431-substituted';
const APPLIED = 'Canary-9925-applied';
const ENCODED = Buffer.from(APPLIED).toString('base64');

for (const choice of clusters) {
  describe(`secrets on ${choice.name}`, () => {
    const cluster = useCluster(choice);
    const lines: string[] = [];
    const log = createLog({ clock: systemClock, level: 'debug', write: (line) => lines.push(line) });
    const suite = useReconciler(cluster, { log });

    const service = (type: string) =>
      `apiVersion: v1\nkind: Service\nmetadata:\n  name: web\nspec:\n  type: ${type}\n  ports:\n  - port: 80\n`;
    const secret = `apiVersion: v1\nkind: Secret\nmetadata:\n  name: s\nstringData:\n  password: ${APPLIED}\n`;

    async function expectSilence(): Promise<void> {
      await suite.quiet();
      const { namespace } = cluster;
      const metrics = await (await fetch(`${suite.internalUrl}/metrics`)).text();
      const told = JSON.stringify([
        await suite.get(paths.kustomization(namespace, 'app')),
        await suite.get(paths.git(namespace, 'app')),
        await suite.get(`/api/v1/namespaces/${namespace}/events`),
        lines,
        metrics,
      ]);
      for (const canary of [SUBSTITUTED, APPLIED, ENCODED]) expect(told).not.toContain(canary);
    }

    it('hides them where the API server quotes what it refuses', async () => {
      const { namespace } = cluster;
      await suite.apply({
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: 'vars' },
        stringData: { TYPE: SUBSTITUTED },
      });
      const repository = await suite.repository({ 'secret.yaml': secret, 'service.yaml': service('${TYPE}') });
      await suite.apply(gitRepository('app', repository.url, { interval: '1s' }));
      const postBuild = { substituteFrom: [{ kind: 'Secret', name: 'vars' }] };
      await suite.apply(kustomization('app', 'app', { targetNamespace: namespace, retryInterval: '1s', postBuild }));
      const path = paths.kustomization(namespace, 'app');

      const refused = condition(await suite.waitFor(path, hasFailed('ReconciliationFailed'), 'refused'), 'Ready');
      expect(refused.message).toContain('Unsupported value: "*****"');
      await expectSilence();

      // The same of a value that an applied Secret holds, elsewhere in the build.
      await repository.commit({ 'service.yaml': service(APPLIED) });
      await suite.waitFor(path, (object: Live) => object.status.lastAttemptedRevision !== undefined, 'attempted');
      const again = await suite.waitFor(
        path,
        (object) => hasFailed('ReconciliationFailed')(object) && object.status.history?.length === 2,
        'refused again',
      );
      expect(condition(again, 'Ready').message).toContain('Unsupported value: "*****"');
      await expectSilence();
    });

    it('hides them where a build quotes what it cannot read', async () => {
      const { namespace } = cluster;
      await suite.apply({
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: 'vars' },
        stringData: { A: `${SUBSTITUTED}: {` },
      });
      const repository = await suite.repository({ 'cm.yaml': configMapYaml('cm', { a: '1' }).replace('"1"', '${A}') });
      await suite.apply(gitRepository('app', repository.url));
      const postBuild = { substituteFrom: [{ kind: 'Secret', name: 'vars' }] };
      await suite.apply(kustomization('app', 'app', { targetNamespace: namespace, retryInterval: '1s', postBuild }));

      await suite.waitFor(paths.kustomization(namespace, 'app'), hasFailed('BuildFailed'), 'refused');

      await expectSilence();
    });

    it('hides them where drift cannot be put back', async () => {
      const { namespace } = cluster;
      const repository = await suite.repository({ 'secret.yaml': secret });
      await suite.apply(gitRepository('app', repository.url, { interval: '1s' }));
      await suite.apply(kustomization('app', 'app', { targetNamespace: namespace, retryInterval: '1s', wait: true }));
      const path = paths.kustomization(namespace, 'app');
      await suite.waitFor(path, isReady, 'Ready');

      const live = `/api/v1/namespaces/${namespace}/secrets/s`;
      await cluster.admin.call('PATCH', `${live}?fieldManager=kubectl-edit`, {
        body: { data: { password: btoa('other') }, immutable: true },
      });

      await suite.waitFor(path, hasFailed('ReconciliationFailed'), 'refused');
      await expectSilence();
    });
  });
}
