// Twenty thousand objects in one Kustomization: applied, judged, followed and idle. Time and memory are printed.
import { describe, expect, it } from 'vitest';
import { configMapYaml, gitRepository, kustomization } from '../../support/build.ts';
import { clusters, useCluster } from '../../support/cluster.ts';
import { condition, hasFailed, isReady, paths, useReconciler } from '../../support/reconciler.ts';

const GIVEN = process.env['LOCKSTEP_OBJECTS'];
const PER_FILE = 200;
// A bound on hanging: other suites run beside this one.
const DEADLINE_MS = 900_000;
/** Looking costs, too: an answer has a megabyte. */
const LOOK_MS = 1_000;

for (const choice of clusters) {
  describe(`scale on ${choice.name}`, () => {
    // A real server takes several times as long for each: enough of them to see that it goes by the number alone.
    const objects = Number(GIVEN ?? (choice.name === 'sandbox' ? 20_000 : 5_000));
    const cluster = useCluster(choice);
    const suite = useReconciler(cluster, { deadlineMs: DEADLINE_MS, lookMs: LOOK_MS });

    it('refuses an inventory that status cannot hold, before anything is asked or made', async () => {
      const { namespace } = cluster;
      const long = 'x'.repeat(200);
      const documents = Array.from({ length: 8_000 }, (_, index) => configMapYaml(`cm-${index}-${long}`, { a: '1' }));
      const repository = await suite.repository({ 'all.yaml': documents.join('---\n') });
      await suite.apply(gitRepository('app', repository.url));

      const requests = await suite.countRequests(async () => {
        await suite.apply(kustomization('app', 'app', { targetNamespace: namespace, interval: '1h' }));
        const path = paths.kustomization(namespace, 'app');
        const object = await suite.waitFor(path, hasFailed('ReconciliationFailed'), 'a refusal');
        expect(condition(object, 'Ready').message).toMatch(
          /^the inventory of 8000 objects does not fit into status \(\d+ bytes\): .*too large.*; spread the objects over several Kustomizations$/,
        );
        expect(object.status.inventory).toBeUndefined();
        await suite.quiet();
      });

      expect(requests.filter(({ path }) => path.includes('/configmaps/'))).toEqual([]);
    });

    it(`applies ${objects} objects, and then sends nothing`, { timeout: DEADLINE_MS }, async () => {
      const { namespace } = cluster;
      const name = (index: number) => `cm-${index}`;
      const documents = Array.from({ length: objects }, (_, index) =>
        configMapYaml(name(index), { index: `${index}` }),
      );
      const files: Record<string, string> = {};
      for (let from = 0; from < objects; from += PER_FILE) {
        files[`${from}.yaml`] = documents.slice(from, from + PER_FILE).join('---\n');
      }
      const repository = await suite.repository(files);
      const started = performance.now();
      const before = process.memoryUsage().rss;

      await suite.apply(gitRepository('app', repository.url));
      await suite.apply(
        kustomization('app', 'app', { targetNamespace: namespace, interval: '1h', wait: true, timeout: '10m' }),
      );
      const object = await suite.waitFor(paths.kustomization(namespace, 'app'), isReady, 'Ready');

      const seconds = ((performance.now() - started) / 1000).toFixed(1);
      const mebibytes = Math.round((process.memoryUsage().rss - before) / 2 ** 20);
      const inventory = JSON.stringify(object.status.inventory).length;
      console.log(
        `printed: ${objects} objects on ${choice.name}: ${seconds} s, ${mebibytes} MiB more, ${inventory} bytes of inventory`,
      );
      expect(object.status.inventory.entries).toHaveLength(objects);
      await suite.quiet();
      const requests = await suite.countRequests(async () => {
        await cluster.admin.call('PATCH', `${paths.configMap(namespace, name(7))}?fieldManager=kubectl-edit`, {
          body: { data: { index: 'drifted' } },
        });
        await suite.waitFor(paths.configMap(namespace, name(7)), (live) => live.data.index === '7', 'put back');
        await suite.quiet();
      });
      expect(
        requests.filter(({ path }) => !path.includes(`/configmaps/${name(7)}`) && !path.includes('/events')),
      ).toEqual([]);
      // Deleted while it is suspended it leaves its objects to the end of the namespace.
      await suite.apply(kustomization('app', 'app', { suspend: true }));
    });
  });
}
