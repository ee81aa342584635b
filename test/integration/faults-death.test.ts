// The process dies at numbered points of a pass, as the API server sees it: from one request on nothing more arrives,
// and another process begins, on the same disk or an empty one. Afterwards the world equals Git and bystanders are
// untouched. What changes meanwhile is faults-second-death.test.ts; seeds are support/fault-seeds.ts.
import { describe } from 'vitest';
import { clusters } from '../support/cluster.ts';
import { deathPoints, deathRule } from '../support/fault-points.ts';
import { checkSeeds } from '../support/fault-seeds.ts';
import { useFaultWorld } from '../support/fault-world.ts';

for (const choice of clusters) {
  describe(`the process dies on ${choice.name}`, () => {
    const world = useFaultWorld(choice);

    for (const point of deathPoints) {
      checkSeeds(point.name, async (choices) => {
        const repository = await world.deploy();

        world.inject(deathRule(point, choices));
        const head = await world.push(repository);
        await world.replace({ lostDisk: choices.chance(0.5) });

        await world.expectLive(head);
      });
    }
  });
}
