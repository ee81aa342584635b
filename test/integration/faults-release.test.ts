// The process dies amid an install or an upgrade of a HelmRelease. Afterwards the cluster holds what the revision holds
// that storage names as deployed, nothing is pending or orphaned, and nothing was asked in a loop. What goes backward, and
// an API server that misbehaves, is faults-release-ending.test.ts; seeds are support/fault-seeds.ts.
import { describe } from 'vitest';
import { clusters } from '../support/cluster.ts';
import { deathRule } from '../support/fault-points.ts';
import { actionDeathPoints, amidObjects, pruneDeathPoints, useReleaseFaultWorld } from '../support/fault-release.ts';
import { checkSeeds } from '../support/fault-seeds.ts';

const upgrades = [
  ['the server', [...actionDeathPoints, ...pruneDeathPoints]],
  ['the client', amidObjects],
] as const;

for (const choice of clusters) {
  describe(`a release on ${choice.name}`, () => {
    const world = useReleaseFaultWorld(choice);

    describe('when the process dies amid an install', () => {
      for (const point of actionDeathPoints) {
        checkSeeds(point.name, async (choices) => {
          await world.prepare();

          world.inject(deathRule(point, choices));
          await world.release();
          await world.replace({ lostDisk: choices.chance(0.5) });

          await world.expectReleased('first');
        });
      }
    });

    for (const [method, points] of upgrades) {
      describe(`when the process dies amid an upgrade that ${method} merges`, () => {
        const install = { serverSideApply: method === 'the server', remediation: { retries: -1 } };
        for (const point of points) {
          checkSeeds(point.name, async (choices) => {
            const repository = await world.prepare();
            await world.release({ install });
            await world.settled();

            world.inject(deathRule(point, choices));
            await world.commit(repository, 'second');
            await world.replace({ lostDisk: choices.chance(0.5) });

            await world.expectReleased('second');
          });
        }
      });
    }
  });
}
