// What a soak does is chosen by its seed, and each round leaves the world as large as it was.
import { describe, expect, it } from 'vitest';
import { type Change, planRound } from '../../soak/plan.ts';
import { createChoices } from '../../support/seeded-choices.ts';

const input = { apps: 100, round: 7, faults: 5, deleted: [1, 2, 3] };
const rounds = Array.from({ length: 200 }, (_, seed) => planRound(input, createChoices(seed)));
const appsOf = (change: Change): readonly number[] => ('apps' in change ? change.apps : []);

describe('planRound', () => {
  it('is the same for the same seed, and another one for another', () => {
    expect(planRound(input, createChoices(3))).toEqual(rounds[3]);
    expect(new Set(rounds.map((changes) => JSON.stringify(changes))).size).toBe(rounds.length);
  });

  it('makes again what the round before deleted, and at the end deletes as many others', () => {
    for (const changes of rounds) {
      const made = changes.filter((change) => change.do === 'create');
      const gone = changes.at(-1)!;

      expect(made.map(appsOf)).toEqual([input.deleted]);
      expect(gone.do).toBe('delete');
      expect(new Set(appsOf(gone)).size).toBe(3);
      expect(appsOf(gone).filter((index) => input.deleted.includes(index))).toEqual([]);
    }
  });

  it('comes to every kind of change', () => {
    const kinds = new Set(rounds.flat().map((change) => (change.do === 'drift' ? change.how : change.do)));

    expect([...kinds].sort()).toEqual([
      'create',
      'data',
      'delete',
      'delete Deployment',
      'delete Service',
      'end watches',
      'fault',
      'push',
      'replicas',
      'take back',
    ]);
  });
});
