// The API server answers with errors, late or not at all, for a while: afterwards the world equals Git, bystanders are
// untouched, and nothing was asked in a loop. What else can break is faults*.test.ts; seeds are support/fault-seeds.ts.
import { describe, expect } from 'vitest';
import { CANARY } from '../support/canary.ts';
import { clusters } from '../support/cluster.ts';
import { passingFaults, passingRule } from '../support/fault-points.ts';
import { checkSeeds } from '../support/fault-seeds.ts';
import { useFaultWorld } from '../support/fault-world.ts';
import { condition, hasFailed, paths } from '../support/reconciler.ts';

for (const choice of clusters) {
  describe(`the API server answers on ${choice.name}`, () => {
    const world = useFaultWorld(choice);

    for (const fault of passingFaults) {
      checkSeeds(fault.name, async (choices) => {
        const repository = await world.deploy();
        let hits = 0;

        world.inject(passingRule(fault, choices, () => (hits += 1)));
        const head = await world.push(repository);

        await world.expectLive(head);
        expect(hits).toBeGreaterThan(0);
      });
    }

    checkSeeds('422 that quotes a Secret', async () => {
      const repository = await world.deploy();
      const message = `Secret "hidden" is invalid: data: Invalid value: "${CANARY}": injected`;
      const refusal = { kind: 'status', status: 422, reason: 'Invalid', message } as const;

      world.inject(({ method, url }) => (method === 'PATCH' && url.includes('/secrets/') ? refusal : undefined));
      const head = await world.push(repository);
      const path = paths.kustomization(world.cluster.namespace, 'app');
      const failed = await world.suite.waitFor(path, hasFailed('ReconciliationFailed'), 'a refusal');
      world.inject(undefined);

      expect(condition(failed, 'Ready')?.message).toContain('Secret/');
      await world.expectLive(head);
    });
  });
}
