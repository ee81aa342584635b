// Fights over a field with another controller: they are slowed down and told of, and who stays has the last word
// (lockstep.md §3).
import { describe, expect, it } from 'vitest';
import type { Clock } from '../../../src/lib/clock.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { configMapYaml, deploymentYaml, gitRepository, kustomization } from '../../support/build.ts';
import { type ClusterChoice, clusters, useCluster } from '../../support/cluster.ts';
import { createFastClock } from '../../support/fast-clock.ts';
import { condition, conditionStatus, isReady, type Live, paths, useReconciler } from '../../support/reconciler.ts';

const SPEED = 40;
const PAUSE_MS = 5;

for (const choice of clusters) {
  describe(`a fight over a field on ${choice.name}`, () => {
    const world = useFights(choice, createFastClock(SPEED));

    it('slows down, names the other one, and ends when that one gives up', async () => {
      const { cluster, suite } = world;
      await world.ready({ 'web.yaml': deploymentYaml('web', 'nginx:1', 1) });
      const web = paths.deployment(cluster.namespace, 'web');

      let told: Live | undefined;
      const { count, tookMs } = await world.countApplies(web, async (spentMs) => {
        const live = await suite.get(web);
        if (live.spec.replicas !== 3) await world.write(web, 'rival', { spec: { replicas: 3 } });
        told = await suite.get(world.path);
        return spentMs > 120_000 && condition(told, 'Drifted') !== undefined;
      });

      expect(count).toBeLessThanOrEqual(mostCorrections(3, tookMs));
      expect(condition(told, 'Drifted')).toMatchObject({
        status: 'True',
        message: `Deployment/${cluster.namespace}/web (.spec.replicas by rival)`,
      });
      expect(conditionStatus(told, 'Ready')).toBe('True');
      await suite.waitFor(web, (live) => live.spec.replicas === 1, 'put back when the rival has given up');
      await suite.waitFor(world.path, (live) => condition(live, 'Drifted') === undefined, 'calm');
    });
  });

  describe(`a fight over ever other fields on ${choice.name}`, () => {
    const world = useFights(choice, systemClock);

    it('slows down, too', async () => {
      await world.ready({ 'cm.yaml': configMapYaml('cm', { a: '1' }) });
      const cm = paths.configMap(world.cluster.namespace, 'cm');
      let round = 0;

      // Under the name of kubectl: what it adds is taken over and removed.
      const { count, tookMs } = await world.countApplies(cm, async () => {
        await world.write(cm, 'kubectl-edit', { data: { [`key-${round++}`]: 'x' } });
        return round === 100;
      });

      expect(count).toBeLessThanOrEqual(mostCorrections(30, tookMs));
    });
  });
}

/** How many corrections there may be in a time: some at once, then after 10, 20, 40, … s. */
function mostCorrections(atOnce: number, ms: number): number {
  return atOnce + Math.floor(Math.log2(ms / 10_000 + 1));
}

function useFights(choice: ClusterChoice, clock: Clock) {
  const cluster = useCluster(choice);
  const suite = useReconciler(cluster, { clock });
  return {
    cluster,
    suite,
    get path() {
      return paths.kustomization(cluster.namespace, 'app');
    },
    async ready(files: Record<string, string>): Promise<void> {
      const { namespace } = cluster;
      const repository = await suite.repository(files);
      await suite.apply(gitRepository('app', repository.url));
      await suite.apply(kustomization('app', 'app', { targetNamespace: namespace }));
      await suite.waitFor(paths.kustomization(namespace, 'app'), isReady, 'Ready');
    },
    write: (object: string, manager: string, body: object) =>
      cluster.admin.call('PATCH', `${object}?fieldManager=${manager}`, { body }),
    /** How often an object was applied while somebody did something until it was done. */
    async countApplies(object: string, doSome: (spentMs: number) => Promise<boolean>) {
      const started = clock.monotonic();
      const requests = await suite.countRequests(async () => {
        while (!(await doSome(clock.monotonic() - started))) await systemClock.sleep(PAUSE_MS);
      });
      const tookMs = clock.monotonic() - started;
      const isApply = ({ path: to }: { path: string }) => to.includes('force=true') && !to.includes('dryRun=');
      const count = requests.filter((request) => request.path.split('?')[0] === object && isApply(request)).length;
      return { count, tookMs };
    },
  };
}
