import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  chooseMember,
  chooseMembers,
  formatAssignment,
  parseAssignment,
  planMoves,
  SLOT_COUNT,
  slotOf,
  slotsOf,
  withMoves,
} from '../../../../src/runtime/shards/slots.ts';

const everySlot = Array.from({ length: SLOT_COUNT }, (_, slot) => slot);
const members = (count: number) => Array.from({ length: count }, (_, index) => `lockstep-shard-pod-${index}-0a1b2c3d`);
const spread = (of: readonly string[]) => new Map(everySlot.map((slot) => [slot, chooseMember(slot, of)!]));

describe('slotOf', () => {
  it('spreads keys of any kind evenly over the slots', () => {
    const counts = new Array<number>(SLOT_COUNT).fill(0);
    for (let index = 0; index < 25_600; index++) counts[slotOf('Kustomization', `team-${index % 40}/app-${index}`)]!++;

    expect(Math.min(...counts)).toBeGreaterThan(60);
    expect(Math.max(...counts)).toBeLessThan(145);
  });

  it('keeps the GitRepositories of a namespace together, and no others', () => {
    const names = Array.from({ length: 50 }, (_, index) => `flux-system/app-${index}`);

    expect(new Set(names.map((key) => slotOf('GitRepository', key))).size).toBe(1);
    expect(new Set(names.map((key) => slotOf('Kustomization', key))).size).toBeGreaterThan(30);
    expect(slotOf('GitRepository', 'one/app')).not.toBe(slotOf('GitRepository', 'two/app'));
  });
});

describe('chooseMember', () => {
  it.each([2, 3, 5, 10])('gives each of %i replicas about as many slots', (count) => {
    const spreadOut = spread(members(count));
    const sizes = members(count).map((member) => slotsOf(spreadOut, member).size);

    expect(Math.min(...sizes)).toBeGreaterThan((SLOT_COUNT / count) * 0.6);
    expect(Math.max(...sizes)).toBeLessThan((SLOT_COUNT / count) * 1.5);
  });

  it('moves only what the one that comes gets, or the one that goes had', () => {
    const name = fc.string({ minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(fc.uniqueArray(name, { minLength: 1, maxLength: 8 }), name, (before, extra) => {
        if (before.includes(extra)) return;
        const small = spread(before);
        const large = spread([...before, extra]);
        for (const slot of everySlot) {
          if (large.get(slot) !== small.get(slot)) expect(large.get(slot)).toBe(extra);
        }
      }),
    );
  });

  it('does not depend on the order of the replicas', () => {
    expect(spread(members(4).toReversed())).toEqual(spread(members(4)));
  });

  it('knows nobody without replicas', () => {
    expect(chooseMember(1, [])).toBeUndefined();
  });
});

describe('planMoves', () => {
  const [a, b, c] = members(3) as [string, string, string];
  const none = () => false;

  it('takes at the start what is to be its own, and nothing else', () => {
    const moves = planMoves({ me: a, wanted: chooseMembers(new Set([a, b])), isGone: none, assignment: new Map() });

    expect(moves.give.size).toBe(0);
    expect([...moves.take]).toEqual(everySlot.filter((slot) => chooseMember(slot, [a, b]) === a));
  });

  it('gives to one that comes what it ought to have, and takes nothing of one that lives', () => {
    const assignment = spread([a, b]);

    const moves = planMoves({ me: a, wanted: chooseMembers(new Set([a, b, c])), isGone: none, assignment });

    expect(moves.take.size).toBe(0);
    expect(new Set(moves.give.values())).toEqual(new Set([c]));
    const after = withMoves(assignment, moves, a);
    expect(slotsOf(after, b)).toEqual(slotsOf(assignment, b));
  });

  it('leaves the slots of one that is silent until it is known to be gone', () => {
    const view = { me: a, wanted: chooseMembers(new Set([a, b])), assignment: spread([a, b, c]) };

    expect(planMoves({ ...view, isGone: none }).take.size).toBe(0);
    const taken = planMoves({ ...view, isGone: (owner) => owner === c }).take;
    expect(taken.size).toBeGreaterThan(0);
    for (const slot of taken) expect(view.assignment.get(slot)).toBe(c);
  });
});

describe('the table of slots', () => {
  it('reads what it wrote, whatever replicas are called', () => {
    const owners = fc.dictionary(fc.integer({ min: 0, max: SLOT_COUNT - 1 }).map(String), fc.string({ minLength: 1 }));
    fc.assert(
      fc.property(owners, (record) => {
        const assignment = new Map(Object.entries(record).map(([slot, owner]) => [Number(slot), owner]));
        const read = parseAssignment(formatAssignment(assignment));
        expect([...read].sort()).toEqual([...assignment].sort());
      }),
    );
    expect(parseAssignment(undefined).size).toBe(0);
  });

  it.each(['{', '{"a":1}', '{"a":[-1]}', '{"a":[256]}', '{"a":["0"]}'])('refuses %s', (text) => {
    expect(() => parseAssignment(text)).toThrow();
  });
});
