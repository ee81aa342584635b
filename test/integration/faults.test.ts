// Everything that can break around a pass: the process dies, the API server and the Git server misbehave, the wall
// clock jumps. Afterwards the world equals Git, bystanders are untouched, and nothing was asked in a loop.
// LOCKSTEP_FAULT_SEEDS sets the number of seeds per point; LOCKSTEP_SEED replays one.
import { describe, expect, it } from 'vitest';
import { clusters } from '../support/cluster.ts';
import type { FaultRule } from '../support/fault-api.ts';
import {
  type DeathPoint,
  deathPoints,
  deathRule,
  deletionDeathPoints,
  passingFaults,
  passingRule,
} from '../support/fault-points.ts';
import { type Fault, startFaultProxy } from '../support/fault-proxy.ts';
import { CANARY, type FaultWorld, useFaultWorld } from '../support/fault-world.ts';
import { condition, conditionStatus, hasFailed, paths } from '../support/reconciler.ts';
import { restartableSandbox } from '../support/restartable.ts';
import { createChoices, type Random } from '../support/seeded-choices.ts';

const given = process.env['LOCKSTEP_SEED'];
const count = given === undefined ? Number(process.env['LOCKSTEP_FAULT_SEEDS'] ?? 1) : 1;
const base = Number(given ?? Date.now() % 1_000_000);
const seeds = Array.from({ length: count }, (_, index) => base + index);

const HOUR_MS = 3_600_000;

const sandbox = restartableSandbox();
for (const choice of clusters.map((cluster) => (cluster.name === 'sandbox' ? sandbox : cluster))) {
  describe(`faults on ${choice.name}`, () => {
    const world = useFaultWorld(choice);

    /** One test per seed, whose name says how to run it again. */
    function check(name: string, run: (choices: Random) => Promise<void>): void {
      for (const seed of seeds) it(`${name} (LOCKSTEP_SEED=${seed})`, () => run(createChoices(seed)));
    }

    describe('the process dies', () => {
      for (const point of deathPoints) {
        check(point.name, async (choices) => {
          const repository = await world.deploy();

          world.inject(deathRule(point, choices));
          const head = await world.push(repository);
          await world.replace(choices.chance(0.5));

          await world.expectSecond(head);
        });
      }

      check('twice in one roll-out', async (choices) => {
        const [early, late] = [choices.below(7), 7 + choices.below(4)];
        const repository = await world.deploy();

        world.inject(deathRule(deathPoints[early] as DeathPoint, choices));
        const head = await world.push(repository);
        const lostDisk = choices.chance(0.5);
        // The second one waits for the next process, which does the rest of the pass.
        await world.replace(lostDisk);
        world.inject(deathRule({ ...(deathPoints[late] as DeathPoint), of: 1 }, choices));
        await Promise.race([world.replace(choices.chance(0.5)), world.expectSecond(head)]);

        await world.expectSecond(head);
      });

      for (const point of deletionDeathPoints) {
        check(point.name, async (choices) => {
          await world.deploy();

          world.inject(deathRule(point, choices));
          await world.cluster.admin.call('DELETE', paths.kustomization(world.cluster.namespace, 'app'));
          await world.replace(choices.chance(0.5));

          await world.expectGone();
        });
      }
    });

    describe('the API server answers', () => {
      for (const fault of passingFaults) {
        check(fault.name, async (choices) => {
          const repository = await world.deploy();
          let hits = 0;

          world.inject(passingRule(fault, choices, () => (hits += 1)));
          const head = await world.push(repository);

          await world.expectSecond(head);
          expect(hits).toBeGreaterThan(0);
        });
      }

      check('422 that quotes a Secret', async () => {
        const repository = await world.deploy();
        const message = `Secret "hidden" is invalid: data: Invalid value: "${CANARY}": injected`;
        const refusal = { kind: 'status', status: 422, reason: 'Invalid', message } as const;

        world.inject(({ method, url }) => (method === 'PATCH' && url.includes('/secrets/') ? refusal : undefined));
        const head = await world.push(repository);
        const path = paths.kustomization(world.cluster.namespace, 'app');
        const failed = await world.suite.waitFor(path, hasFailed('ReconciliationFailed'), 'a refusal');
        world.inject(undefined);

        expect(condition(failed, 'Ready')?.message).toContain('Secret/');
        await world.expectSecond(head);
      });
    });

    describe('watches', () => {
      for (const expired of [false, true]) {
        check(expired ? 'end with 410' : 'are closed', async (choices) => {
          const repository = await world.deploy();
          expect(world.api.watches()).toBeGreaterThan(0);

          world.inject(closingWatches(world, expired, choices));
          world.api.closeWatches(expired);
          const head = await world.push(repository);

          await world.expectSecond(head);
        });
      }

      check('are refused with 410 for a while', async (choices) => {
        const repository = await world.deploy();
        let left = 5 + choices.below(10);
        const gone = { kind: 'status', status: 410, reason: 'Expired' } as const;

        world.inject(({ watch }) => (watch && left-- > 0 ? gone : undefined));
        world.api.closeWatches();
        const head = await world.push(repository);

        await world.expectSecond(head);
        expect(left).toBeLessThanOrEqual(0);
      });
    });

    describe('the API server is away', () => {
      check('in the midst of a pass', async (choices) => {
        const repository = await world.deploy();
        const reached = Promise.withResolvers<void>();
        let left = 1 + choices.below(20);

        world.inject(({ watch }) => {
          if (!watch && --left === 0) reached.resolve();
          return left <= 0 ? { kind: 'reset' } : undefined;
        });
        const head = await world.push(repository);
        await reached.promise;
        await world.api.down();
        await world.clock.sleep(5_000 + choices.below(20_000));
        world.inject(undefined);
        await world.api.up();

        await world.expectSecond(head);
      });

      check('and starts again with its state', async (choices) => {
        if (choice.name !== 'sandbox') return expect(choice.name, 'only our own server is restarted').not.toBe('');
        const repository = await world.deploy();
        const reached = Promise.withResolvers<void>();
        let left = 1 + choices.below(20);

        world.inject(({ watch }) => {
          if (!watch && --left === 0) reached.resolve();
          return undefined;
        });
        const head = await world.push(repository);
        await reached.promise;
        await sandbox.restart();

        await world.expectSecond(head);
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
        check(`${name}, and the last good state is kept`, async (choices) => {
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

            expect(conditionStatus(failed, 'ArtifactInStorage')).toBe('True');
            expect(failed.status.artifact.revision).toBe(before.status.lastAppliedRevision);
            expect(during.status).toEqual(before.status);
            await world.expectSecond(head);
          } finally {
            await proxy.close();
          }
        });
      }
    });

    describe('the wall clock', () => {
      for (const direction of [1, -1]) {
        check(direction > 0 ? 'jumps ahead' : 'jumps back', async (choices) => {
          const repository = await world.deploy();
          const jumps: FaultRule = () => {
            if (choices.chance(0.3)) world.clock.jump(direction * choices.below(48) * HOUR_MS);
            return undefined;
          };

          world.inject(jumps);
          const head = await world.push(repository);

          await world.expectSecond(head);
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
