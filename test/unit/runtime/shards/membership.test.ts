// The protocol of src/runtime/shards/README.md: replicas in memory, with clocks of their own.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { slotsAnnotation } from '../../../../src/runtime/shards/group-leases.ts';
import { slotsLease } from '../../../../src/runtime/shards/membership.ts';
import { parseAssignment, SLOT_COUNT, slotsOf } from '../../../../src/runtime/shards/slots.ts';
import { settle } from '../../../support/clock.ts';
import { type Replica, ReplicaGroup, timing } from '../../../support/replica-group.ts';

/** A slot may be without an owner for so long, when that owner was lost. */
const PERIOD_MS = timing.durationMs + 2 * timing.retryMs;

/** Fails when a slot is acted on by two, or was lost while it was acted on. */
function expectOneOwner(group: ReplicaGroup): void {
  if (group.undrained.length > 0) throw new Error(group.undrained.join(', '));
  const owners: (string | undefined)[] = [];
  for (const replica of group.replicas) {
    for (const slot of replica.acting()) {
      if (owners[slot] !== undefined) {
        throw new Error(`slot ${slot} is acted on by ${owners[slot]} and ${replica.name}`);
      }
      owners[slot] = replica.name;
    }
  }
}

const covered = (group: ReplicaGroup): number =>
  new Set(group.replicas.flatMap((replica) => [...replica.acting()])).size;

async function startGroup(count: number): Promise<ReplicaGroup> {
  const group = new ReplicaGroup(count);
  for (let index = 0; index < count; index++) await group.start();
  await group.pass(timing.retryMs, () => expectOneOwner(group));
  expect(covered(group)).toBe(SLOT_COUNT);
  return group;
}

const replicaOf = (group: ReplicaGroup, index: number): Replica => group.replicas[index]!;

describe('replicas that share the keys', () => {
  it('divide the slots among themselves as soon as all are there', async () => {
    const group = new ReplicaGroup(3);
    for (let index = 0; index < 3; index++) await group.start();
    for (let round = 0; round < 10; round++) await settle();

    expect(covered(group)).toBe(SLOT_COUNT);
    expectOneOwner(group);
    for (const replica of group.replicas) expect(replica.acting().size).toBeGreaterThan(SLOT_COUNT / 5);
  });

  it('begin without those that do not come, after two renewals', async () => {
    const group = new ReplicaGroup(3);
    await group.start();
    await group.pass(2 * timing.retryMs - 1_000);
    expect(covered(group)).toBe(0);

    await group.pass(2_000);
    expect(covered(group)).toBe(SLOT_COUNT);
  });

  it('give one that comes its share only when their passes have ended', async () => {
    const group = await startGroup(2);
    for (const replica of group.replicas) replica.drainMs = 7_000;
    const before = group.replicas.map((replica) => replica.acting());

    const third = await group.start();
    await group.pass(5_000, () => expectOneOwner(group));
    expect(third.acting().size).toBe(0);

    await group.pass(15_000, () => expectOneOwner(group));
    expect(third.acting().size).toBeGreaterThan(SLOT_COUNT / 5);
    expect(covered(group)).toBe(SLOT_COUNT);
    // Nothing moved between the two that were there.
    before.forEach((slots, index) => {
      for (const slot of replicaOf(group, index).acting()) expect(slots.has(slot)).toBe(true);
    });
  });

  it('take over from one that leaves without waiting for its Lease', async () => {
    const group = await startGroup(3);

    await group.leave(replicaOf(group, 0));
    await group.pass(1_000, () => expectOneOwner(group));

    expect(replicaOf(group, 0).acting().size).toBe(0);
    expect(covered(group)).toBe(SLOT_COUNT);
  });

  it('take over from one that was killed when its Lease has run out', async () => {
    const group = await startGroup(3);
    const lost = replicaOf(group, 1).acting().size;
    group.kill(replicaOf(group, 1));

    await group.pass(timing.renewDeadlineMs, () => expectOneOwner(group));
    expect(covered(group)).toBe(SLOT_COUNT - lost);

    await group.pass(PERIOD_MS - timing.renewDeadlineMs, () => expectOneOwner(group));
    expect(covered(group)).toBe(SLOT_COUNT);
  });

  it('take what nobody has before they wait for passes to end', async () => {
    const group = await startGroup(3);
    const first = replicaOf(group, 0);
    const before = first.acting();
    first.drainMs = 60_000;
    // It learns at once of one that has left and one that has come.
    group.stop(first);
    await group.leave(replicaOf(group, 1));
    await group.start();
    await group.wake(first, () => expectOneOwner(group));
    await group.pass(1_000, () => expectOneOwner(group));

    const taken = [...first.acting()].filter((slot) => !before.has(slot));
    expect(taken.length).toBeGreaterThan(0);
  });

  it('find one fenced that was stopped, even in the moment in which it wakes', async () => {
    const group = await startGroup(3);
    const stopped = replicaOf(group, 1);
    group.stop(stopped);
    await group.pass(PERIOD_MS, () => expectOneOwner(group));
    expect(covered(group)).toBe(SLOT_COUNT);

    await group.wake(stopped, () => expectOneOwner(group));

    expect(stopped.fence.isOpen()).toBe(false);
    expect(stopped.acting().size).toBe(0);
  });

  it('go on undisturbed when one is stopped for less than its deadline', async () => {
    const group = await startGroup(3);
    const table = group.table?.metadata.resourceVersion;
    group.stop(replicaOf(group, 1));
    await group.pass(20_000, () => expectOneOwner(group));

    await group.wake(replicaOf(group, 1), () => expectOneOwner(group));
    await group.pass(PERIOD_MS, () => expectOneOwner(group));

    expect(covered(group)).toBe(SLOT_COUNT);
    expect(group.table?.metadata.resourceVersion).toBe(table);
  });

  it('are fenced by themselves when they cannot reach the server, before others take over', async () => {
    const group = await startGroup(2);
    group.setCut(replicaOf(group, 0), true);
    await group.pass(timing.renewDeadlineMs, () => expectOneOwner(group));
    expect(replicaOf(group, 0).fence.signal.aborted).toBe(true);

    await group.pass(PERIOD_MS - timing.renewDeadlineMs, () => expectOneOwner(group));
    expect(covered(group)).toBe(SLOT_COUNT);
  });

  it('come again after all of them were killed at once', async () => {
    const group = await startGroup(3);
    for (const replica of [...group.replicas]) group.kill(replica);

    for (let index = 0; index < 3; index++) await group.start();
    await group.pass(PERIOD_MS, () => expectOneOwner(group));

    expect(covered(group)).toBe(SLOT_COUNT);
  });

  it('do not hold a slot whose hand-over may yet be stored', async () => {
    const group = await startGroup(2);
    const [first] = group.replicas;
    const before = first!.acting();
    first!.writesLate = true;

    await group.start();
    await group.pass(2_000, () => expectOneOwner(group));
    const kept = first!.acting();
    expect(kept.size).toBeLessThan(before.size);

    first!.writesLate = false;
    await group.pass(2 * timing.retryMs, () => expectOneOwner(group));
    expect(covered(group)).toBe(SLOT_COUNT);
  });

  it('take nothing up again that a write of theirs may still give away', async () => {
    const group = new ReplicaGroup(1);
    group.lateSteps = 70;
    const first = await group.start();
    first.writesLate = true;
    const second = await group.start();
    await settle();
    group.kill(second);
    await group.pass(PERIOD_MS + timing.retryMs, () => expectOneOwner(group));
    expect(covered(group)).toBeLessThan(SLOT_COUNT);

    first.writesLate = false;
    await group.pass(60_000, () => expectOneOwner(group));

    expect(first.fence.isOpen()).toBe(true);
    expect(covered(group)).toBe(SLOT_COUNT);
    const table = parseAssignment(group.table?.metadata.annotations?.[slotsAnnotation]);
    expect(slotsOf(table, first.name).size).toBe(SLOT_COUNT);
  });

  it('end when somebody deletes the Lease of the slots or their own', async () => {
    const group = await startGroup(3);
    group.remove(slotsLease);
    await group.pass(1_000);
    for (const replica of group.replicas) expect(replica.fence.isOpen()).toBe(false);

    const other = await startGroup(3);
    other.remove(replicaOf(other, 0).name);
    await other.pass(timing.retryMs + 1_000);
    expect(replicaOf(other, 0).fence.isOpen()).toBe(false);
    await other.pass(PERIOD_MS, () => expectOneOwner(other));
    expect(covered(other)).toBe(SLOT_COUNT);
  });

  it('write two renewals in ten seconds each, and nothing else while nobody comes or goes', async () => {
    const group = await startGroup(3);
    await group.pass(PERIOD_MS);
    group.requests.length = 0;

    await group.pass(10_000);

    const each = group.replicas.map(({ name }) => [`${name} PUT`, `${name} PUT`]);
    expect(group.requests.toSorted()).toEqual(each.flat().toSorted());
  });

  it('tidy up after replicas that are gone for a whole period', async () => {
    const group = await startGroup(3);
    await group.leave(replicaOf(group, 2));

    await group.pass(PERIOD_MS + timing.durationMs);

    expect(group.lease(replicaOf(group, 2))).toBeUndefined();
    expect(group.lease(replicaOf(group, 0))?.spec?.holderIdentity).toBe(replicaOf(group, 0).name);
    const table = parseAssignment(group.table?.metadata.annotations?.[slotsAnnotation]);
    expect(slotsOf(table, replicaOf(group, 2).name).size).toBe(0);
  });
});

describe('whatever happens', () => {
  const index = fc.nat({ max: 5 });
  const event = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.integer({ min: 500, max: 40_000 }) }),
    },
    fc.record({ do: fc.constant('start' as const), rate: fc.double({ min: 0.95, max: 1.05, noNaN: true }) }),
    fc.record({ do: fc.constantFrom('stop', 'wake', 'kill', 'leave', 'cut', 'heal', 'late', 'lose', 'well'), index }),
    fc.record({ do: fc.constant('drain' as const), index, ms: fc.integer({ min: 0, max: 20_000 }) }),
  );

  type Event = typeof event extends fc.Arbitrary<infer T> ? T : never;

  async function play(group: ReplicaGroup, step: Event, check: () => void): Promise<void> {
    if (step.do === 'pass') return group.pass(step.ms, check, 2_000);
    if (step.do === 'start') return void (group.replicas.length < 6 && (await group.start(step.rate)));
    const replica = group.replicas[step.index % group.replicas.length]!;
    switch (step.do) {
      case 'stop':
        return group.stop(replica);
      case 'wake':
        return group.wake(replica, check);
      case 'kill':
        return group.kill(replica);
      case 'leave':
        return group.leave(replica);
      case 'cut':
      case 'heal':
        return group.setCut(replica, step.do === 'cut');
      case 'late':
        replica.writesLate = true;
        return;
      case 'lose':
        replica.losesAnswers = true;
        return;
      case 'well':
        replica.writesLate = false;
        replica.losesAnswers = false;
        return;
      case 'drain':
        replica.drainMs = step.ms;
        return;
      default:
        step satisfies never;
    }
  }

  it('no slot is acted on by two, and all are again once the trouble is over', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(event, { minLength: 5, maxLength: 30 }), async (events) => {
        const group = new ReplicaGroup(2);
        const check = () => expectOneOwner(group);
        await group.start(0.95);
        await group.start(1.05);
        for (const step of events) {
          await play(group, step, check);
          await settle();
          check();
        }

        for (const replica of group.replicas) {
          replica.writesLate = false;
          replica.losesAnswers = false;
          replica.drainMs = 0;
          await group.wake(replica, check);
          group.setCut(replica, false);
        }
        await group.start();
        await group.pass(3 * PERIOD_MS, check, 2_000);
        expect(covered(group)).toBe(SLOT_COUNT);
      }),
      { numRuns: Number(process.env['LOCKSTEP_RUNS'] ?? 15) },
    );
  });
});
