// Owns the seeds of the fault suites: LOCKSTEP_FAULT_SEEDS of them per point (1 unless set), or the one of LOCKSTEP_SEED.
// They are others in each run, but under CI, where a submission is not judged by luck.
import { it } from 'vitest';
import { createChoices, type Random } from './seeded-choices.ts';

const given = process.env['LOCKSTEP_SEED'];
const count = given === undefined ? Number(process.env['LOCKSTEP_FAULT_SEEDS'] ?? 1) : 1;
const base = Number(given ?? (process.env['CI'] === 'true' ? 1 : Date.now() % 1_000_000));

/** One test per seed, whose name says how to run it again. */
export function checkSeeds(name: string, run: (choices: Random) => Promise<void>): void {
  for (let seed = base; seed < base + count; seed += 1) {
    it(`${name} (LOCKSTEP_SEED=${seed})`, () => run(createChoices(seed)));
  }
}
