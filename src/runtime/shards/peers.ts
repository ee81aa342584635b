// Owns what one replica concludes of the others from their Leases: who is alive, who has ceased to act, whose Lease has
// run out. Judged by its own clock from when it saw a Lease change: clocks of two machines may differ.
import type { Clock } from '../../lib/clock.ts';
import type { GroupLease } from './group-leases.ts';

/** What is to be done about the others. */
export interface PeerVerdicts {
  /** Replicas that are taken to be alive. */
  readonly alive: ReadonlySet<string>;
  /** Leases that ran out: their holders have fenced themselves, and are to be marked as gone. */
  readonly expired: readonly GroupLease[];
  /** Leases of replicas that are gone for a whole period: nobody needs to know any more. */
  readonly forgotten: readonly GroupLease[];
}

interface Seen {
  readonly version: string | undefined;
  readonly at: number;
  readonly durationMs: number;
}

/** The memory of one replica about the others. */
export class Peers {
  readonly #clock: Pick<Clock, 'monotonic'>;
  /** A period for what says none. */
  readonly #durationMs: number;
  readonly #seen = new Map<string, Seen>();
  /** Owners of slots without a Lease, and since when. */
  readonly #missing = new Map<string, number>();
  #leases: ReadonlyMap<string, GroupLease> = new Map();

  constructor(clock: Pick<Clock, 'monotonic'>, durationMs: number) {
    this.#clock = clock;
    this.#durationMs = durationMs;
  }

  /** Takes note of the Leases as they are known now. */
  observe(leases: readonly GroupLease[], owners: ReadonlySet<string>): PeerVerdicts {
    this.#leases = new Map(leases.map((lease) => [lease.metadata.name, lease]));
    for (const name of this.#seen.keys()) if (!this.#leases.has(name)) this.#seen.delete(name);
    for (const name of this.#missing.keys()) if (this.#leases.has(name)) this.#missing.delete(name);
    const now = this.#clock.monotonic();
    for (const owner of owners) {
      if (!this.#leases.has(owner) && !this.#missing.has(owner)) this.#missing.set(owner, now);
    }
    const alive = new Set<string>();
    const expired: GroupLease[] = [];
    const forgotten: GroupLease[] = [];
    for (const [name, lease] of this.#leases) {
      const { at, durationMs } = this.#note(name, lease);
      const isOver = now - at >= durationMs;
      if (isFenced(lease)) {
        if (isOver && !owners.has(name)) forgotten.push(lease);
      } else if (isOver) expired.push(lease);
      else alive.add(name);
    }
    return { alive, expired, forgotten };
  }

  /**
   * Whether a replica has provably stopped acting: it said so or its Lease was taken from it, neither of which can be
   * undone. One whose Lease somebody deleted by hand gets a whole period to notice.
   */
  isGone(name: string): boolean {
    const lease = this.#leases.get(name);
    if (lease !== undefined) return isFenced(lease);
    const since = this.#missing.get(name);
    return since !== undefined && this.#clock.monotonic() - since >= this.#durationMs;
  }

  #note(name: string, lease: GroupLease): Seen {
    const known = this.#seen.get(name);
    if (known !== undefined && known.version === lease.metadata.resourceVersion) return known;
    const now = this.#clock.monotonic();
    const seconds = lease.spec?.leaseDurationSeconds ?? 0;
    const durationMs = isFenced(lease) || seconds <= 0 ? this.#durationMs : seconds * 1000;
    const seen = { version: lease.metadata.resourceVersion, at: now, durationMs };
    this.#seen.set(name, seen);
    return seen;
  }
}

/** Whether a replica's Lease says that it acts no more. */
export function isFenced({ spec }: GroupLease): boolean {
  return (spec?.holderIdentity ?? '') === '';
}
