// Owns one replica's place among those that share the keys: its Lease, and which slots it holds by the Lease of the
// slots. The protocol, and why no slot is held twice, is README.md of this folder.
import { isAlreadyExists, isConflict, isNotFound } from '../../cluster/api-error.ts';
import type { Clock } from '../../lib/clock.ts';
import { errorMessage } from '../../lib/errors.ts';
import type { Log } from '../../lib/log.ts';
import { formatMicroTime } from '../../lib/time.ts';
import type { WriteFence } from './fence.ts';
import { type GroupLease, type GroupLeases, groupLabel, slotsAnnotation } from './group-leases.ts';
import { isFenced, Peers } from './peers.ts';
import type { KeyShare } from './share.ts';
import {
  type Assignment,
  chooseMembers,
  formatAssignment,
  parseAssignment,
  planMoves,
  type SlotMoves,
  slotsOf,
  type Wanted,
  withMoves,
} from './slots.ts';

export interface MembershipOptions {
  readonly leases: GroupLeases;
  readonly fence: WriteFence;
  readonly share: Pick<KeyShare, 'hold' | 'drain'>;
  readonly clock: Clock;
  readonly log: Log;
  /** Name of this replica's Lease; never used before, nor again. */
  readonly name: string;
  /** Replicas that are waited for at the start, for a little while. */
  readonly expected: number;
  /** How long others wait after the last renewal that they saw, in ms; whole seconds. */
  readonly durationMs: number;
  /** After so long without a renewal this replica acts no more. Shorter than the duration. */
  readonly renewDeadlineMs: number;
  /** Between two renewals. */
  readonly retryMs: number;
}

/** Name of the Lease that says who holds which slot. */
export const slotsLease = 'lockstep-shards';

/** Renewals for which a replica that starts waits for the others before it takes slots. */
const GATHERING_RENEWALS = 2;
const RELEASE_TIMEOUT_MS = 2_000;
const RELEASE_TRIES = 3;

/** A replica's place. It ends with `leave`, or when the fence closes. */
export class Membership {
  readonly #options: MembershipOptions;
  readonly #peers: Peers;
  readonly #ending = new AbortController();
  #mine: GroupLease;
  #joinedAt = 0;
  #gathered = false;
  #tableUid: string | undefined;
  #wanted: { readonly of: ReadonlySet<string>; readonly slots: Wanted } | undefined;
  /** A table write of which it is not known whether it was stored: its slots are nobody's until the table is another. */
  #unsure: { readonly version: string | undefined; readonly give: ReadonlySet<number> } | undefined;
  #stepping: Promise<void> | undefined;
  #again = false;
  #renewing: Promise<void> | undefined;

  constructor(options: MembershipOptions) {
    this.#options = options;
    this.#peers = new Peers(options.clock, options.durationMs);
    this.#mine = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name: options.name } };
  }

  /** Makes the Lease, and from then on keeps it and takes part. Tries until the signal aborts. */
  async join(signal: AbortSignal): Promise<void> {
    const { clock, leases, log, name, retryMs, fence } = this.#options;
    for (;;) {
      signal.throwIfAborted();
      const mark = fence.mark();
      try {
        this.#mine = await leases.create(this.#lease(), retryMs);
        fence.extend(mark, this.#options.renewDeadlineMs);
        break;
      } catch (error) {
        // Stored by an attempt whose answer was lost: the name is nobody else's.
        const stored = isAlreadyExists(error) ? await leases.read(name).catch(() => undefined) : undefined;
        if (stored !== undefined && !isFenced(stored)) {
          this.#mine = stored;
          if (await this.#renewOnce()) break;
        }
        log.info('cannot join the replicas yet', { error: errorMessage(error) });
        await clock.sleep(retryMs, signal);
      }
    }
    this.#joinedAt = clock.monotonic();
    log.info('joined the replicas', { lease: name });
    leases.onChange(() => this.#wake());
    this.#renewing = this.#renew();
    this.#wake();
  }

  /** Says that it acts no more, so that others need not wait. Nothing may be under way for any key. */
  async leave(): Promise<void> {
    const { leases, fence, log } = this.#options;
    this.#ending.abort();
    await this.#stepping;
    await this.#renewing;
    this.#options.share.hold(new Set());
    try {
      for (let tries = 1; fence.isOpen(); tries++) {
        const spec = { ...this.#mine.spec, holderIdentity: '' };
        try {
          await leases.update({ ...this.#mine, spec }, RELEASE_TIMEOUT_MS);
          break;
        } catch (error) {
          if (!isConflict(error) || tries >= RELEASE_TRIES) throw error;
          const current = await leases.read(this.#options.name);
          if (current === undefined || isFenced(current)) break;
          this.#mine = current;
        }
      }
    } catch (error) {
      // It runs out by itself.
      log.info('the Lease was not given back', { error: errorMessage(error) });
    }
    fence.close('it has left');
  }

  get #isEnded(): boolean {
    return this.#ending.signal.aborted || !this.#options.fence.isOpen();
  }

  #lease(): GroupLease {
    const { clock, name, durationMs } = this.#options;
    const now = formatMicroTime(clock.now());
    const { acquireTime = now } = this.#mine.spec ?? {};
    return {
      ...this.#mine,
      metadata: { ...this.#mine.metadata, labels: { [groupLabel]: 'member' } },
      spec: {
        holderIdentity: name,
        leaseDurationSeconds: Math.ceil(durationMs / 1000),
        acquireTime,
        renewTime: now,
      },
    };
  }

  async #renew(): Promise<void> {
    const { clock, retryMs, fence } = this.#options;
    const until = AbortSignal.any([this.#ending.signal, fence.signal]);
    for (;;) {
      await clock.sleep(retryMs, until).catch(() => {});
      if (this.#isEnded) return;
      await this.#renewOnce();
      // Time that passes is news, too: a Lease may have run out.
      this.#wake();
    }
  }

  /** True when the Lease is renewed. Errors of the API count as not; the fence closes when there are too many. */
  async #renewOnce(): Promise<boolean> {
    const { leases, fence, log, name, renewDeadlineMs } = this.#options;
    const mark = fence.mark();
    try {
      const limit = Math.max(1, Math.min(fence.leftMs, renewDeadlineMs));
      this.#mine = await leases.update(this.#lease(), limit);
      fence.extend(mark, renewDeadlineMs);
      return true;
    } catch (error) {
      if (!isConflict(error) && !isNotFound(error)) {
        if (!this.#isEnded) log.info('the Lease cannot be renewed', { lease: name, error: errorMessage(error) });
        return false;
      }
      const current = await leases.read(name).catch(() => this.#mine);
      if (current === undefined || isFenced(current)) fence.close('another replica has taken its Lease away');
      // An own renewal whose answer was lost.
      else this.#mine = current;
      return false;
    }
  }

  #wake(): void {
    this.#again = true;
    this.#stepping ??= this.#steps().finally(() => {
      this.#stepping = undefined;
    });
  }

  async #steps(): Promise<void> {
    while (this.#again && !this.#isEnded) {
      this.#again = false;
      try {
        await this.#step();
      } catch (error) {
        // With the next renewal, or the next change.
        if (!this.#isEnded) this.#options.log.info('slots cannot be settled now', { error: errorMessage(error) });
      }
    }
  }

  async #step(): Promise<void> {
    const { leases, fence, name } = this.#options;
    const known = leases.list();
    const own = known.find((lease) => lease.metadata.name === name);
    if (own !== undefined && isFenced(own)) return fence.close('another replica has taken its Lease away');
    const table = known.find((lease) => lease.metadata.name === slotsLease);
    if (table === undefined) return this.#makeTable();
    this.#tableUid ??= table.metadata.uid;
    if (table.metadata.uid !== this.#tableUid) return fence.close('the Lease of the slots was replaced');
    const assignment = parseAssignment(table.metadata.annotations?.[slotsAnnotation]);
    const others = known.filter(({ metadata }) => metadata.name !== slotsLease && metadata.name !== name);
    const verdicts = this.#peers.observe(others, ownersOf(assignment, name));
    for (const lease of verdicts.expired) await this.#fenceOff(lease);
    for (const lease of verdicts.forgotten) await leases.remove(lease).catch(ignoreConflict);
    if (verdicts.expired.length > 0) this.#again = true;
    const members = new Set([...verdicts.alive, name]);
    const isGone = (owner: string) => this.#peers.isGone(owner);
    const moves = planMoves({ me: name, wanted: this.#wantedOf(members), isGone, assignment });
    const take = this.#hasGathered(members) ? moves.take : new Set<number>();
    // What nobody has comes first: giving waits for passes to end.
    const isGivingLater = take.size > 0 && moves.give.size > 0;
    if (isGivingLater) this.#again = true;
    await this.#settle(table, assignment, { take, give: isGivingLater ? new Map() : moves.give });
  }

  #wantedOf(members: ReadonlySet<string>): Wanted {
    const known = this.#wanted;
    if (known?.of.size === members.size && [...members].every((member) => known.of.has(member))) return known.slots;
    this.#wanted = { of: members, slots: chooseMembers(members) };
    return this.#wanted.slots;
  }

  /** A replica that starts waits a little for the others: what it would take first, it would have to give away again. */
  #hasGathered(members: ReadonlySet<string>): boolean {
    const { clock, expected, retryMs } = this.#options;
    const waited = clock.monotonic() - this.#joinedAt;
    this.#gathered ||= members.size >= expected || waited >= GATHERING_RENEWALS * retryMs;
    return this.#gathered;
  }

  /** Makes the moves, and holds what the table says afterwards. */
  async #settle(table: GroupLease, assignment: Assignment, moves: SlotMoves): Promise<void> {
    const { leases, share, fence, name, log, retryMs } = this.#options;
    const version = table.metadata.resourceVersion;
    if (this.#unsure !== undefined && this.#unsure.version !== version) this.#unsure = undefined;
    // Whatever became of it: after another write on top of the same table it cannot be stored any more.
    const mustWrite = this.#unsure !== undefined;
    if (moves.give.size === 0 && moves.take.size === 0 && !mustWrite) return this.#hold(assignment);
    const give = new Set([...moves.give.keys(), ...(this.#unsure?.give ?? [])]);
    await share.drain(give);
    if (this.#isEnded || !fence.isOpen()) return;
    this.#unsure = { version, give };
    try {
      const next = withMoves(assignment, moves, name);
      const annotations = { ...table.metadata.annotations, [slotsAnnotation]: formatAssignment(next) };
      const spec = { ...table.spec, renewTime: formatMicroTime(this.#options.clock.now()) };
      await leases.update({ ...table, metadata: { ...table.metadata, annotations }, spec }, retryMs);
      this.#unsure = undefined;
      log.info('slots have moved', { given: moves.give.size, taken: moves.take.size });
      this.#hold(next);
    } catch (error) {
      if (isConflict(error) || isNotFound(error)) {
        await leases.read(slotsLease);
        this.#again = true;
        return;
      }
      throw error;
    }
  }

  #hold(assignment: Assignment): void {
    const { share, fence, name } = this.#options;
    if (!this.#isEnded && fence.isOpen()) share.hold(slotsOf(assignment, name));
  }

  async #makeTable(): Promise<void> {
    const { leases, fence, retryMs } = this.#options;
    if (this.#tableUid !== undefined) return fence.close('the Lease of the slots was deleted');
    const lease: GroupLease = {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name: slotsLease, labels: { [groupLabel]: 'slots' } },
      spec: {},
    };
    try {
      await leases.create(lease, retryMs);
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
      await leases.read(slotsLease);
    }
    this.#again = true;
  }

  /** Takes the Lease of a replica away that did not renew it: only if it is still what was seen to run out. */
  async #fenceOff(lease: GroupLease): Promise<void> {
    const { leases, log, retryMs } = this.#options;
    const { name } = lease.metadata;
    try {
      await leases.update({ ...lease, spec: { ...lease.spec, holderIdentity: '' } }, retryMs);
      log.info('a replica is gone', { lease: name });
    } catch (error) {
      // It lives, or somebody else was faster.
      ignoreConflict(error);
      await leases.read(name);
    }
  }
}

function ownersOf(assignment: Assignment, me: string): Set<string> {
  const owners = new Set(assignment.values());
  owners.delete(me);
  return owners;
}

function ignoreConflict(error: unknown): void {
  if (!isConflict(error) && !isNotFound(error)) throw error;
}
