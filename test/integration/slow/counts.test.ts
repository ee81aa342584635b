// What a fleet costs, counted: an idle one sends nothing, a commit costs what it touches, a requested pass one status
// write (lockstep.md §2, §4).
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/runtime/clock.ts';
import { createLog } from '../../../src/runtime/telemetry.ts';
import { configMapYaml, deploymentYaml, gitRepository, kustomization } from '../../support/build.ts';
import { clusters, useCluster } from '../../support/cluster.ts';
import { isReady, type Live, paths, useReconciler } from '../../support/reconciler.ts';

const FLEET = 50;
const TICKS = 10;
/** A bound on hanging: fifty take their time beside other suites. */
const DEADLINE_MS = 120_000;
const names = Array.from({ length: FLEET }, (_, index) => `app-${index}`);
const fleetFiles = Object.fromEntries(names.map((name) => [`${name}/cm.yaml`, configMapYaml(name, { a: '1' })]));

interface PassLine {
  readonly controller: string;
  readonly msg: string;
  readonly namespace?: string;
  readonly trigger?: string;
  readonly revision?: string;
  readonly untouched?: boolean;
  readonly changed?: boolean;
}

for (const choice of clusters) {
  describe(`counts on ${choice.name}`, () => {
    let lines: PassLine[] = [];
    const cluster = useCluster(choice);
    const suite = useReconciler(cluster, {
      deadlineMs: DEADLINE_MS,
      log: createLog({ clock: systemClock, level: 'debug', write: (line) => lines.push(JSON.parse(line)) }),
    });

    /** Fifty Kustomizations of one repository that are Ready. */
    async function deployFleet(interval: string) {
      const { namespace } = cluster;
      const repository = await suite.repository(fleetFiles);
      await suite.apply(gitRepository('fleet', repository.url));
      const spec = { targetNamespace: namespace, interval };
      await Promise.all(names.map((name) => suite.apply(kustomization(name, 'fleet', { ...spec, path: `./${name}` }))));
      await untilAll(isReady);
      await suite.quiet();
      return repository;
    }
    async function untilAll(holds: (object: Live) => boolean): Promise<void> {
      const collection = paths.kustomization(cluster.namespace, '').slice(0, -1);
      await suite.waitFor(collection, (list) => list.items.every(holds), 'what all are to be');
    }
    /** Passes of this test's Kustomizations that have ended: those of the one before may still be on their way out. */
    const passes = () =>
      lines.filter(
        ({ controller, msg, namespace }) =>
          controller === 'kustomization' && msg === 'reconciled' && namespace === cluster.namespace,
      );

    it(`sends nothing but watches over ${TICKS} ticks of ${FLEET} Kustomizations`, async () => {
      await deployFleet('200ms');

      const before = passes().length;
      const requests = await suite.countRequests(async () => {
        while (passes().length < before + TICKS * FLEET) await systemClock.sleep(50);
      });

      expect(requests).toEqual([]);
    });

    it(`builds and applies one of ${FLEET} when a commit touches one`, async () => {
      const repository = await deployFleet('1h');
      const { namespace } = cluster;
      lines = [];

      let head = '';
      const requests = await suite.countRequests(async () => {
        head = await repository.commit({ 'app-7/cm.yaml': configMapYaml('app-7', { a: '2' }) });
        const body = { metadata: { annotations: { 'reconcile.fluxcd.io/requestedAt': 'now' } } };
        await cluster.admin.call('PATCH', paths.git(namespace, 'fleet'), { body });
        await untilAll((object) => object.status.lastAppliedRevision === `main@sha1:${head}`);
        await suite.quiet();
      });

      const ended = passes().filter(({ revision }) => revision?.endsWith(head));
      expect(ended.filter((line) => line.untouched)).toHaveLength(FLEET - 1);
      expect(ended.filter((line) => line.changed)).toHaveLength(1);
      // One pass says that a key is not touched, and one moves it when nobody waits; nothing else wakes it.
      expect(passes().filter(({ trigger }) => trigger === 'source revision')).toHaveLength(FLEET);
      expect(passes().filter(({ trigger }) => trigger === 'background')).toHaveLength(FLEET - 1);
      expect(passes().filter(({ trigger }) => trigger === 'artifact stored')).toEqual([]);
      const onObjects = requests.filter(({ path }) => path.includes('/configmaps/'));
      expect(
        onObjects.map(
          ({ method, path }) => `${method} ${path.includes('dryRun=All') ? 'dry-run ' : ''}${path.split(/[/?]/)[6]}`,
        ),
      ).toEqual(['PATCH dry-run app-7', 'PATCH app-7']);
      const statusWrites = requests.filter(({ path }) => /\/kustomizations\/[\w-]+\/status/.test(path));
      expect(statusWrites).toHaveLength(FLEET);
      expect((await suite.get(paths.configMap(namespace, 'app-7'))).data).toEqual({ a: '2' });
    });

    it('reads no object that it has in cache, nor one that is not there yet', async () => {
      const { namespace } = cluster;
      const repository = await suite.repository({
        'web.yaml': deploymentYaml('read', 'nginx:1'),
        'cm.yaml': configMapYaml('read', { a: '1' }),
      });
      await suite.apply(gitRepository('read', repository.url));
      const onObjects = (requests: readonly { method: string; path: string }[]) =>
        requests
          .filter(({ path }) => path.includes(`/namespaces/${namespace}/`) && path.split('?')[0]!.endsWith('/read'))
          .filter(({ path }) => !path.includes('toolkit.fluxcd.io'))
          .map(
            ({ method, path }) => `${method} ${path.split('/').at(-2)}${path.includes('dryRun=All') ? ' dry-run' : ''}`,
          )
          .sort();

      const first = await suite.countRequests(async () => {
        await suite.apply(kustomization('read', 'read', { targetNamespace: namespace, wait: true }));
        await suite.waitFor(paths.kustomization(namespace, 'read'), isReady, 'Ready');
        await suite.quiet();
      });
      expect(onObjects(first)).toEqual([
        'PATCH configmaps',
        'PATCH configmaps dry-run',
        'PATCH deployments',
        'PATCH deployments dry-run',
      ]);

      const again = await suite.countRequests(async () => {
        const body = { metadata: { annotations: { 'reconcile.fluxcd.io/requestedAt': 'again' } } };
        await cluster.admin.call('PATCH', paths.kustomization(namespace, 'read'), { body });
        const handled = (object: Live) => object.status.lastHandledReconcileAt === 'again';
        await suite.waitFor(paths.kustomization(namespace, 'read'), handled, 'handled');
        await suite.quiet();
      });
      expect(onObjects(again)).toEqual(['PATCH configmaps dry-run', 'PATCH deployments dry-run']);
    });

    it('pays one status write for a requested pass of a source and of a Kustomization that waits for health', async () => {
      const { namespace } = cluster;
      const repository = await suite.repository({
        'web.yaml': deploymentYaml('web', 'nginx:1'),
        'cm.yaml': configMapYaml('cm', { a: '1' }),
      });
      await suite.apply(gitRepository('app', repository.url));
      await suite.apply(kustomization('app', 'app', { targetNamespace: namespace, wait: true }));
      await suite.waitFor(paths.kustomization(namespace, 'app'), isReady, 'Ready');
      await suite.quiet();

      for (const path of [paths.git(namespace, 'app'), paths.kustomization(namespace, 'app')]) {
        const before = await suite.get(path);
        const requests = await suite.countRequests(async () => {
          const body = { metadata: { annotations: { 'reconcile.fluxcd.io/requestedAt': 'once' } } };
          await cluster.admin.call('PATCH', path, { body });
          await suite.waitFor(path, (object) => object.status.lastHandledReconcileAt === 'once', 'handled');
          await suite.quiet();
        });

        const writes = requests.filter((request) => request.method !== 'GET' && !request.path.includes('dryRun=All'));
        expect(writes.map((request) => request.path.split('?')[0])).toEqual([`${path}/status`]);
        const { lastHandledReconcileAt: _handled, ...status } = (await suite.get(path)).status;
        const { lastHandledReconcileAt: _before, ...statusBefore } = before.status;
        expect(status).toEqual(statusBefore);
      }
    });
  });
}
