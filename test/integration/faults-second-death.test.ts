// The process dies, and the world is another one when the next process begins: the commit was taken back, that one dies
// too, or the Kustomization is being deleted. The points of one death are faults-death.test.ts.
import { describe } from 'vitest';
import { clusters } from '../support/cluster.ts';
import {
  type DeathPoint,
  deathPoints,
  deathRule,
  deletionDeathPoints,
  takenBackPoints,
} from '../support/fault-points.ts';
import { checkSeeds } from '../support/fault-seeds.ts';
import { useFaultWorld } from '../support/fault-world.ts';
import { paths } from '../support/reconciler.ts';

for (const choice of clusters) {
  describe(`the process dies amid changes on ${choice.name}`, () => {
    const world = useFaultWorld(choice);

    // Whatever the first process has made by then must go again: it is in an inventory, or it is orphaned.
    for (const point of takenBackPoints) {
      checkSeeds(`${point.name}, and the commit is taken back`, async (choices) => {
        const repository = await world.deploy();

        world.inject(deathRule(point, choices));
        await world.push(repository);
        let head = '';
        await world.replace({
          // With the artifact at hand the next process would go on with the commit first, and know all its objects.
          lostDisk: true,
          meanwhile: async () => {
            head = await world.takeBack(repository);
          },
        });

        await world.expectLive(head, 'first');
      });
    }

    checkSeeds('twice in one roll-out', async (choices) => {
      const beforePrune = deathPoints.slice(0, 7);
      const later = deathPoints.slice(7, 11);
      const repository = await world.deploy();

      world.inject(deathRule(choices.pick(beforePrune), choices));
      const head = await world.push(repository);
      const again: DeathPoint = { ...choices.pick(later), of: 1 };
      await world.replace({ lostDisk: choices.chance(0.5), rule: deathRule(again, choices) });
      await world.replace({ lostDisk: choices.chance(0.5) });

      await world.expectLive(head);
    });

    for (const point of deletionDeathPoints) {
      checkSeeds(point.name, async (choices) => {
        await world.deploy();

        world.inject(deathRule(point, choices));
        await world.cluster.admin.call('DELETE', paths.kustomization(world.cluster.namespace, 'app'));
        await world.replace({ lostDisk: choices.chance(0.5) });

        await world.expectGone();
      });
    }
  });
}
