import { describe, expect, it } from 'vitest';
import type { KubeObject } from '../../../../src/sandbox/object.ts';
import { RESOURCES } from '../../../../src/sandbox/stages/types.ts';
import { createWorld, workload } from '../../../support/stages.ts';

function budget(spec: object): object {
  const selector = { matchLabels: { app: 'web' } };
  return {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: { name: 'web' },
    spec: { selector, ...spec },
  };
}

describe('a PodDisruptionBudget', () => {
  it.each([
    { spec: { minAvailable: 2 }, want: { desiredHealthy: 2, disruptionsAllowed: 1, expectedPods: 3 } },
    { spec: { minAvailable: '50%' }, want: { desiredHealthy: 2, disruptionsAllowed: 1, expectedPods: 3 } },
    { spec: { maxUnavailable: 2 }, want: { desiredHealthy: 1, disruptionsAllowed: 2, expectedPods: 3 } },
    { spec: { maxUnavailable: '10%' }, want: { desiredHealthy: 2, disruptionsAllowed: 1, expectedPods: 3 } },
    { spec: { minAvailable: 3 }, want: { desiredHealthy: 3, disruptionsAllowed: 0, expectedPods: 3 } },
  ])('with $spec', async ({ spec, want }) => {
    const world = await createWorld();

    await world.create(workload('Deployment', 'web', 'app:1', { replicas: 3 }), budget(spec));

    const status = world.get<KubeObject>(RESOURCES.podDisruptionBudgets, 'web')['status'];
    expect(status).toMatchObject({ ...want, currentHealthy: 3, observedGeneration: 1 });
    const reason = want.disruptionsAllowed > 0 ? 'SufficientPods' : 'InsufficientPods';
    expect(status).toMatchObject({ conditions: [{ type: 'DisruptionAllowed', reason }] });
  });
});
