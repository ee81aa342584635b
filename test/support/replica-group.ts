// Owns a group of replicas in memory for tests of how they share keys: an API server that is nothing but Leases with
// resourceVersions, and members whose clocks run at their own rates, which can be stopped, cut off and killed.
import { ApiError } from '../../src/cluster/api-error.ts';
import type { CancelTimer, Clock } from '../../src/lib/clock.ts';
import { silentLog } from '../../src/lib/log.ts';
import { WriteFence } from '../../src/runtime/shards/fence.ts';
import type { GroupLease, GroupLeases } from '../../src/runtime/shards/group-leases.ts';
import { Membership, slotsLease } from '../../src/runtime/shards/membership.ts';
import { KeyShare } from '../../src/runtime/shards/share.ts';
import { settle } from './clock.ts';

/** How long Leases last in these tests. */
export const timing = { durationMs: 35_000, renewDeadlineMs: 30_000, retryMs: 5_000 } as const;

/** A clock that follows the world's at its own rate, and not at all while its process is stopped. */
class DriftingClock implements Clock {
  readonly #timers = new Set<{ readonly at: number; readonly run: () => void }>();
  readonly #rate: number;
  #time = 0;

  constructor(rate: number) {
    this.#rate = rate;
  }

  now(): number {
    return this.#time;
  }

  monotonic(): number {
    return this.#time;
  }

  setTimer(ms: number, run: () => void): CancelTimer {
    const timer = { at: this.#time + Math.max(0, ms), run };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const cancel = this.setTimer(ms, resolve);
      signal?.addEventListener('abort', () => {
        cancel();
        reject(signal.reason);
      });
    });
  }

  /** Time has passed in the world; timers do not run yet. */
  pass(worldMs: number): void {
    this.#time += worldMs * this.#rate;
  }

  /** Runs what is due. */
  fire(): void {
    for (const timer of [...this.#timers].sort((a, b) => a.at - b.at)) {
      if (timer.at > this.#time || !this.#timers.delete(timer)) continue;
      timer.run();
    }
  }
}

/** One replica. */
export interface Replica {
  readonly name: string;
  readonly fence: WriteFence;
  readonly share: KeyShare;
  readonly membership: Membership;
  /** Slots that it would act on now: those it holds, and those whose passes have not ended yet. */
  acting(): ReadonlySet<number>;
  state: 'running' | 'stopped' | 'dead';
  /** Requests fail, and the watch tells nothing. */
  isCut: boolean;
  /** Answers of writes are lost although they were stored. */
  losesAnswers: boolean;
  /** Writes of the table fail and are stored all the same, some steps of time later. */
  writesLate: boolean;
  /** How long passes take to end, in ms of the world. */
  drainMs: number;
}

/** The group and its server. */
export class ReplicaGroup {
  readonly replicas: Replica[] = [];
  /** Requests that reached the server: name of the replica and verb. */
  readonly requests: string[] = [];
  /** What went wrong without two acting: slots that were lost while passes could be under way for them. */
  readonly undrained: string[] = [];
  /** Steps of time after which a late write is stored. */
  lateSteps = 3;
  readonly #leases = new Map<string, GroupLease>();
  readonly #clocks = new Map<Replica, DriftingClock>();
  readonly #wakes = new Map<Replica, (() => void)[]>();
  readonly #held = new Map<Replica, (() => void)[]>();
  readonly #expected: number;
  #late: { steps: number; readonly act: () => unknown }[] = [];
  #version = 0;

  constructor(expected: number) {
    this.#expected = expected;
  }

  get table(): GroupLease | undefined {
    return this.#leases.get(slotsLease);
  }

  lease(replica: Replica): GroupLease | undefined {
    return this.#leases.get(replica.name);
  }

  /** Somebody deletes a Lease by hand. */
  remove(name: string): void {
    this.#leases.delete(name);
    this.#tellAll();
  }

  /** Starts a replica whose clock runs at `rate`. */
  async start(rate = 1): Promise<Replica> {
    const clock = new DriftingClock(rate);
    const fence = new WriteFence(clock);
    const share = new KeyShare(fence);
    const name = `lockstep-shard-${this.replicas.length}`;
    const draining = new Map<number, number>();
    const observedShare = {
      hold: (slots: ReadonlySet<number>) => {
        const lost = [...share.slots].filter((slot) => !slots.has(slot));
        if (lost.length > 0) this.undrained.push(`${name} lost ${lost.length} slots with passes under way`);
        share.hold(slots);
      },
      drain: async (slots: ReadonlySet<number>) => {
        const held = [...slots].filter((slot) => replica.acting().has(slot));
        for (const slot of held) draining.set(slot, (draining.get(slot) ?? 0) + 1);
        await share.drain(slots);
        if (held.length > 0 && replica.drainMs > 0) await clock.sleep(replica.drainMs);
        for (const slot of held) draining.delete(slot);
      },
    };
    const replica: Replica = {
      name,
      fence,
      share,
      membership: new Membership({
        ...timing,
        ...{ leases: this.#door(() => replica), fence, share: observedShare, clock, log: silentLog, name },
        expected: this.#expected,
      }),
      acting: () => {
        if (replica.state !== 'running' || !fence.isOpen()) return new Set();
        return draining.size === 0 ? share.slots : new Set([...share.slots, ...draining.keys()]);
      },
      state: 'running',
      isCut: false,
      losesAnswers: false,
      writesLate: false,
      drainMs: 0,
    };
    this.replicas.push(replica);
    this.#clocks.set(replica, clock);
    void replica.membership.join(new AbortController().signal).catch(() => {});
    await settle();
    return replica;
  }

  /** Moves the world on in steps; `check` sees every state, also that of a process that just woke up. */
  async pass(ms: number, check: () => void = () => {}, stepMs = 1_000): Promise<void> {
    for (let left = ms; left > 0; left -= stepMs) {
      for (const clock of this.#clocks.values()) clock.pass(Math.min(left, stepMs));
      check();
      await this.#storeLate();
      check();
      for (const [replica, clock] of this.#clocks) {
        if (replica.state !== 'running') continue;
        clock.fire();
        await settle();
        check();
      }
    }
  }

  stop(replica: Replica): void {
    if (replica.state === 'running') replica.state = 'stopped';
  }

  /** A stopped process goes on: first where it was, then with what came meanwhile. */
  async wake(replica: Replica, check: () => void = () => {}): Promise<void> {
    if (replica.state !== 'stopped') return;
    replica.state = 'running';
    check();
    for (const resume of this.#held.get(replica)?.splice(0) ?? []) resume();
    await settle();
    check();
    this.#tell(replica);
    await settle();
    check();
  }

  kill(replica: Replica): void {
    replica.state = 'dead';
  }

  async leave(replica: Replica): Promise<void> {
    if (replica.state !== 'running') return;
    // As app.ts does: the controllers have ended before.
    await replica.share.drain(replica.share.slots);
    const left = replica.membership.leave();
    for (let at = 0; at < 10; at++) await settle();
    this.#clocks.get(replica)?.fire();
    void left.catch(() => {});
  }

  setCut(replica: Replica, isCut: boolean): void {
    replica.isCut = isCut;
    if (!isCut) this.#tell(replica);
  }

  /** What a replica knows of the Leases, and how it asks for more. */
  #door(self: () => Replica): GroupLeases {
    const known = new Map<string, GroupLease>();
    const put = (lease: GroupLease): GroupLease => {
      const before = known.get(lease.metadata.name);
      const replaced = before?.metadata.uid !== lease.metadata.uid;
      if (before === undefined || replaced || versionOf(before) < versionOf(lease)) {
        known.set(lease.metadata.name, lease);
      }
      return lease;
    };
    const request = async <T>(verb: string, name: string, act: () => T): Promise<T> => {
      const replica = self();
      if (verb !== 'GET') replica.fence.check();
      if (replica.isCut || replica.state === 'dead') throw unreachable();
      this.requests.push(`${replica.name} ${verb}`);
      if (verb !== 'GET' && replica.writesLate && name === slotsLease) {
        this.#late.push({ steps: this.lateSteps, act });
        throw unreachable();
      }
      let answer: T;
      try {
        answer = act();
        if (verb !== 'GET' && replica.losesAnswers) throw unreachable();
      } finally {
        await this.#untilAwake(replica);
      }
      return answer;
    };
    const write = (verb: string, lease: GroupLease, check: (current: GroupLease | undefined) => void): GroupLease => {
      const current = this.#leases.get(lease.metadata.name);
      check(current);
      const metadata = {
        ...lease.metadata,
        uid: current?.metadata.uid ?? `uid-${this.#version}`,
        resourceVersion: String(++this.#version),
      };
      const stored = { ...lease, metadata };
      if (verb === 'DELETE') this.#leases.delete(lease.metadata.name);
      else this.#leases.set(lease.metadata.name, stored);
      this.#tellAll();
      return stored;
    };
    const mustBe = (lease: GroupLease) => (current: GroupLease | undefined) => {
      if (current === undefined) throw refusal(404, 'NotFound');
      if (current.metadata.resourceVersion !== lease.metadata.resourceVersion) throw refusal(409, 'Conflict');
    };
    return {
      list: () => [...known.values()],
      onChange: (run) => {
        const replica = self();
        const see = (): void => {
          if (replica.isCut || replica.state !== 'running') return;
          for (const name of known.keys()) if (!this.#leases.has(name)) known.delete(name);
          for (const lease of this.#leases.values()) put(lease);
          run();
        };
        this.#wakes.set(replica, [...(this.#wakes.get(replica) ?? []), see]);
        see();
      },
      read: (name) =>
        request('GET', name, () => {
          const found = this.#leases.get(name);
          if (found === undefined) known.delete(name);
          return found && put(found);
        }),
      create: async (lease) =>
        put(
          await request('POST', lease.metadata.name, () =>
            write('POST', lease, (current) => {
              if (current !== undefined) throw refusal(409, 'AlreadyExists');
            }),
          ),
        ),
      update: async (lease) => put(await request('PUT', lease.metadata.name, () => write('PUT', lease, mustBe(lease)))),
      remove: async (lease) => {
        await request('DELETE', lease.metadata.name, () => write('DELETE', lease, mustBe(lease)));
        known.delete(lease.metadata.name);
      },
    };
  }

  async #storeLate(): Promise<void> {
    for (const write of this.#late) write.steps -= 1;
    const due = this.#late.filter(({ steps }) => steps <= 0);
    this.#late = this.#late.filter(({ steps }) => steps > 0);
    for (const { act } of due) {
      try {
        act();
      } catch {
        // Refused: somebody else has written meanwhile.
      }
    }
    if (due.length > 0) await settle();
  }

  #untilAwake(replica: Replica): Promise<void> | undefined {
    if (replica.state === 'running') return undefined;
    return new Promise((resolve) => {
      this.#held.set(replica, [...(this.#held.get(replica) ?? []), resolve]);
    });
  }

  #tellAll(): void {
    for (const replica of this.replicas) this.#tell(replica);
  }

  #tell(replica: Replica): void {
    for (const see of this.#wakes.get(replica) ?? []) queueMicrotask(see);
  }
}

function versionOf({ metadata }: GroupLease): number {
  return Number(metadata.resourceVersion);
}

function refusal(status: number, reason: string): ApiError {
  return new ApiError('ApiConflict', reason, { status, reason, causes: [], request: 'PUT' });
}

function unreachable(): ApiError {
  return new ApiError('ApiUnreachable', 'cut', { status: 0, reason: '', causes: [], request: 'PUT' });
}
