// The API server ends without a word and starts again with its state: in the middle of a pass, and while nothing is to do.
// Afterwards the world equals Git and bystanders are untouched; while it is away it is not asked in a loop. Seeds are
// support/fault-seeds.ts.
import { describe } from 'vitest';
import { deletionRestartPoint, type RestartPoint, reachedRule, restartPoints } from '../support/fault-points.ts';
import { checkSeeds } from '../support/fault-seeds.ts';
import { useFaultWorld } from '../support/fault-world.ts';
import { paths, untilTold } from '../support/reconciler.ts';
import { restartableClusters } from '../support/restartable.ts';
import type { Random } from '../support/seeded-choices.ts';

const MINUTE_MS = 60_000;
/** A real server takes ten seconds to start, and a minute where many others want the machine. */
const TIMEOUT_MS = 300_000;
/** Meanwhile a real server answers so slowly that the time limits of a faster clock would be too short. */
const SPEED = 4;

for (const choice of restartableClusters) {
  describe(`the API server is restarted on ${choice.name}`, { timeout: TIMEOUT_MS }, () => {
    const world = useFaultWorld(choice, choice.name === 'sandbox' ? {} : { speed: SPEED });

    const restart = (awayMs: number): Promise<void> =>
      world.away(async () => {
        await choice.down();
        await world.clock.sleep(awayMs);
        await choice.up();
      });

    /** Does something, and takes the server away when it has come to the point. */
    async function restartAt<T>(point: RestartPoint, choices: Random, begin: () => Promise<T>): Promise<T> {
      const reached = Promise.withResolvers<void>();
      world.inject(reachedRule(point, choices, reached.resolve));
      const begun = await begin();
      await untilTold(`a request ${point.name}`, reached.promise);
      world.inject(undefined);
      await restart(5_000 + choices.below(20_000));
      return begun;
    }

    for (const point of restartPoints) {
      checkSeeds(point.name, async (choices) => {
        const repository = await world.deploy();

        const head = await restartAt(point, choices, () => world.push(repository));

        await world.expectLive(head);
      });
    }

    checkSeeds(deletionRestartPoint.name, async (choices) => {
      await world.deploy();

      await restartAt(deletionRestartPoint, choices, () =>
        world.cluster.admin.call('DELETE', paths.kustomization(world.cluster.namespace, 'app')),
      );

      await world.expectGone();
    });

    checkSeeds('while nothing is to do', async () => {
      const repository = await world.deploy();

      await restart(MINUTE_MS);
      const head = await world.push(repository);

      await world.expectLive(head);
    });
  });
}
