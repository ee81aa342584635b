// Owns what a soak does to its world: each round is a list of changes, made of seeded choices and of what the rounds
// before left behind. Doing them is world.ts. Each round brings back what the one before took away, so that the world is
// of the same size after each of them and what is left over in memory can be seen.
import type { Random } from '../support/seeded-choices.ts';

/** A way to change live objects behind the back of the reconciler. */
export type DriftKind = 'data' | 'replicas' | 'delete Deployment' | 'delete Service';

export type Change =
  /** A commit that gives applications a new value; every other time one with an object less. */
  | { readonly do: 'push'; readonly apps: readonly number[]; readonly value: string }
  /** A forced push to the commit before the last one. */
  | { readonly do: 'take back' }
  | { readonly do: 'drift'; readonly apps: readonly number[]; readonly how: DriftKind }
  /** Kustomizations are deleted, and their objects with them. */
  | { readonly do: 'delete'; readonly apps: readonly number[] }
  /** Those that were deleted in the round before are made again. */
  | { readonly do: 'create'; readonly apps: readonly number[] }
  /** The API server misbehaves from now on: a row of `passingFaults`, for so many requests. */
  | { readonly do: 'fault'; readonly row: number; readonly hits: number }
  /** All watches end; with 410 in the stream if `expired`. */
  | { readonly do: 'end watches'; readonly expired: boolean };

export interface PlanInput {
  readonly apps: number;
  readonly round: number;
  /** How many rows `passingFaults` has. */
  readonly faults: number;
  /** Applications without a Kustomization. */
  readonly deleted: readonly number[];
}

const DRIFTS: readonly DriftKind[] = ['data', 'replicas', 'delete Deployment', 'delete Service'];
/** Of the applications, in one push or drift at the most. */
const MOST_TOUCHED = 0.3;
/** Of the applications, deleted in each round. */
const DELETED = 0.03;

/** The changes of a round, in order. The same choices and input give the same ones. */
export function planRound({ apps, round, faults, deleted }: PlanInput, choices: Random): readonly Change[] {
  const present = Array.from({ length: apps }, (_, index) => index).filter((index) => !deleted.includes(index));
  const some = (): number[] => choices.some(present, choices.next() * MOST_TOUCHED);
  const changes: Change[] = [{ do: 'create', apps: deleted }];
  for (let left = 1 + choices.below(3); left > 0; left -= 1) {
    changes.push({ do: 'push', apps: some(), value: `${String(round).padStart(6, '0')}-${left}` });
    if (choices.chance(0.3)) changes.push({ do: 'take back' });
  }
  for (let left = 1 + choices.below(3); left > 0; left -= 1) {
    changes.push({ do: 'drift', apps: some(), how: choices.pick(DRIFTS) });
  }
  if (choices.chance(0.6)) {
    changes.push({ do: 'fault', row: choices.below(faults), hits: 1 + choices.below(60) });
  }
  if (choices.chance(0.4)) changes.push({ do: 'end watches', expired: choices.chance(0.5) });
  return [...shuffled(changes, choices), { do: 'delete', apps: drawn(present, Math.ceil(apps * DELETED), choices) }];
}

function drawn(from: readonly number[], count: number, choices: Random): number[] {
  return shuffled(from, choices)
    .slice(0, count)
    .sort((a, b) => a - b);
}

function shuffled<T>(items: readonly T[], choices: Random): T[] {
  const left = [...items];
  for (let at = left.length - 1; at > 0; at -= 1) {
    const other = choices.below(at + 1);
    [left[at], left[other]] = [left[other]!, left[at]!];
  }
  return left;
}
