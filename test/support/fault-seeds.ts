// Owns the seeds of the fault suites: LOCKSTEP_FAULT_SEEDS of them per point (1 unless set), or the one of LOCKSTEP_SEED.
import { it } from 'vitest';
import { createChoices, firstSeed, type Random } from './seeded-choices.ts';

const count = process.env['LOCKSTEP_SEED'] === undefined ? Number(process.env['LOCKSTEP_FAULT_SEEDS'] ?? 1) : 1;
const base = firstSeed();

/** One test per seed, whose name says how to run it again. */
export function checkSeeds(name: string, run: (choices: Random) => Promise<void>): void {
  for (let seed = base; seed < base + count; seed += 1) {
    it(`${name} (LOCKSTEP_SEED=${seed})`, () => run(createChoices(seed)));
  }
}
