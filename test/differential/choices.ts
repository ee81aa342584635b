// Owns random choices for generators of inputs: the same seed gives the same choices.
import { createRandom } from '../support/random.ts';

/** A source of choices. */
export interface Choices {
  /** A whole number in [0, limit). */
  below(limit: number): number;
  /** True with that probability. */
  chance(probability: number): boolean;
  /** One of the items. */
  pick<T>(items: readonly T[]): T;
}

export function createChoices(seed: number): Choices {
  const next = createRandom(seed);
  const below = (limit: number): number => Math.floor(next() * limit);
  return { below, chance: (probability) => next() < probability, pick: (items) => items[below(items.length)]! };
}
