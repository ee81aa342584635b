// Two hundred edits and more of every kind: all are put back, or left alone where that is right (lockstep.md §3). The
// time that it takes is printed; how fast it is asked to be is one second in 95 of 100 cases.
import { afterAll, describe, expect, it } from 'vitest';
import { clusters, useCluster } from '../../support/cluster.ts';
import { runDriftRound } from '../../support/drift-round.ts';
import { useReconciler } from '../../support/reconciler.ts';
import { createChoices, firstSeed } from '../../support/seeded-choices.ts';

const ROUNDS = 7;
const base = firstSeed();

for (const choice of clusters) {
  describe(`many edits on ${choice.name}`, () => {
    const times: number[] = [];
    const cluster = useCluster(choice);
    const suite = useReconciler(cluster);

    for (let seed = base; seed < base + ROUNDS; seed += 1) {
      it(`puts every kind of edit back (LOCKSTEP_SEED=${seed})`, async () => {
        const round = await runDriftRound(cluster, suite, createChoices(seed));

        expect(round.length).toBeGreaterThan(20);
        times.push(...round);
      });
    }

    afterAll(() => {
      const sorted = times.toSorted((a, b) => a - b);
      const at = (share: number) => Math.round(sorted[Math.floor(share * (sorted.length - 1))] ?? 0);
      console.log(
        `drift on ${choice.name}: ${times.length} edits put back, median ${at(0.5)} ms, p95 ${at(0.95)} ms, longest ${at(1)} ms`,
      );
    });
  });
}
