// Owns seeded randomness for generators of test inputs: the same seed gives the same input on every machine.

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

/** Makes the source of one seed (mulberry32). */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
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
