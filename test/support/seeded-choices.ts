// Owns seeded choices for generators of test inputs: the same seed gives the same input on every machine.
import { createRandom } from './random.ts';

/** A source of random choices. */
export interface Random {
  /** A number in [0, 1). */
  next(): number;
  /** A whole number in [0, limit). */
  below(limit: number): number;
  /** True with that probability. */
  chance(probability: number): boolean;
  /** One of the items. */
  pick<T>(items: readonly T[]): T;
  /** Some of the items, in order; each with that probability. */
  some<T>(items: readonly T[], probability: number): T[];
}

/** Makes the source of one seed. */
export function createChoices(seed: number): Random {
  const next = createRandom(seed);
  const below = (limit: number): number => Math.floor(next() * limit);
  const chance = (probability: number): boolean => next() < probability;
  return {
    next,
    below,
    chance,
    pick: (items) => items[below(items.length)]!,
    some: (items, probability) => items.filter(() => chance(probability)),
  };
}

/**
 * The seed that a suite begins with: the one of LOCKSTEP_SEED; else another one in each run, but 1 under CI, where a
 * submission is not judged by luck.
 */
export function firstSeed(): number {
  return Number(process.env['LOCKSTEP_SEED'] ?? (process.env['CI'] === 'true' ? 1 : Date.now() % 1_000_000));
}
