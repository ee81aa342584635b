// What can break around a pass: the API server goes away, the Git server misbehaves, watches end, the wall clock jumps.
// Afterwards the world equals Git, bystanders are untouched, and nothing was asked in a loop. Errors of the API server are
// faults-answers.test.ts, its restart faults-restart.test.ts, the disk faults-disk.test.ts, the end of the process
// faults-death.test.ts and faults-second-death.test.ts; seeds are support/fault-seeds.ts.
import { describe, expect } from 'vitest';
import { clusters } from '../support/cluster.ts';
import type { FaultRule } from '../support/fault-api.ts';
import { type Fault, startFaultProxy } from '../support/fault-proxy.ts';
import { checkSeeds } from '../support/fault-seeds.ts';
import { type FaultWorld, useFaultWorld } from '../support/fault-world.ts';
import { conditionStatus, hasFailed, paths, untilTold } from '../support/reconciler.ts';
import type { Random } from '../support/seeded-choices.ts';

const HOUR_MS = 3_600_000;
/** More in the time of a few retries are a hot loop. */
const MOST_GIT_REQUESTS = 40;

for (const choice of clusters) {
  describe(`faults on ${choice.name}`, () => {
    const world = useFaultWorld(choice);

    describe('watches', () => {
      for (const expired of [false, true]) {
        checkSeeds(expired ? 'end with 410' : 'are closed', async (choices) => {
          const repository = await world.deploy();
          expect(world.api.watches()).toBeGreaterThan(0);

          world.inject(closingWatches(world, expired, choices));
          world.api.closeWatches(expired);
          const head = await world.push(repository);

          await world.expectLive(head);
        });
      }

      checkSeeds('are refused with 410 for a while', async (choices) => {
        const repository = await world.deploy();
        let left = 5 + choices.below(10);
        const gone = { kind: 'status', status: 410, reason: 'Expired' } as const;

        world.inject(({ watch }) => (watch && left-- > 0 ? gone : undefined));
        world.api.closeWatches();
        const head = await world.push(repository);

        await world.expectLive(head);
        expect(left).toBeLessThanOrEqual(0);
      });
    });

    describe('the API server is away', () => {
      checkSeeds('in the midst of a pass', async (choices) => {
        const repository = await world.deploy();
        const reached = Promise.withResolvers<void>();
        let left = 1 + choices.below(20);

        world.inject(({ watch }) => {
          if (!watch && --left === 0) reached.resolve();
          return left <= 0 ? { kind: 'reset' } : undefined;
        });
        const head = await world.push(repository);
        await untilTold('the midst of a pass', reached.promise);
        await world.api.down();
        await world.clock.sleep(5_000 + choices.below(20_000));
        world.inject(undefined);
        await world.api.up();

        await world.expectLive(head);
      });
    });

    describe('the Git server', () => {
      const faults: readonly { name: string; make: (choices: Random) => Fault }[] = [
        { name: 'dies amid the fetch', make: (choices) => ({ kind: 'cut', bytes: choices.below(120) }) },
        { name: 'stalls amid the fetch', make: (choices) => ({ kind: 'stall', bytes: choices.below(120) }) },
        { name: 'resets connections', make: () => ({ kind: 'reset' }) },
        { name: 'answers 503', make: () => ({ kind: 'status', status: 503 }) },
      ];
      for (const { name, make } of faults) {
        checkSeeds(`${name}, and the last good state is kept`, async (choices) => {
          const proxy = await startFaultProxy(world.suite.git.url);
          try {
            const { namespace } = world.cluster;
            const repository = await world.deploy((url) => url.replace(world.suite.git.url, proxy.url));
            const before = await world.suite.get(paths.kustomization(namespace, 'app'));
            const fetches = choices.chance(0.5);

            proxy.inject(make(choices), ({ method }) => method === 'POST' || !fetches);
            const head = await world.push(repository);
            const isFailed = hasFailed('GitOperationFailed');
            const failed = await world.suite.waitFor(paths.git(namespace, 'app'), isFailed, 'a failure');
            const during = await world.suite.get(paths.kustomization(namespace, 'app'));
            proxy.inject(undefined);

            expect(proxy.requests().length, 'requests to the Git server').toBeLessThan(MOST_GIT_REQUESTS);
            expect(conditionStatus(failed, 'ArtifactInStorage')).toBe('True');
            expect(failed.status.artifact.revision).toBe(before.status.lastAppliedRevision);
            expect(during.status).toEqual(before.status);
            await world.expectLive(head);
          } finally {
            await proxy.close();
          }
        });
      }
    });

    describe('the wall clock', () => {
      for (const direction of [1, -1]) {
        checkSeeds(direction > 0 ? 'jumps ahead' : 'jumps back', async (choices) => {
          const repository = await world.deploy();
          const jumps: FaultRule = () => {
            if (choices.chance(0.3)) world.clock.jump(direction * choices.below(48) * HOUR_MS);
            return undefined;
          };

          world.inject(jumps);
          const head = await world.push(repository);

          await world.expectLive(head);
        });
      }
    });
  });
}

/** Closes all watches at some of the first requests. */
function closingWatches({ api }: FaultWorld, expired: boolean, choices: Random): FaultRule {
  let left = 6;
  return ({ watch }) => {
    if (!watch && left > 0 && choices.chance(0.4)) {
      left -= 1;
      api.closeWatches(expired);
    }
    return undefined;
  };
}
