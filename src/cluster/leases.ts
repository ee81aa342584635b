// Owns holding one Lease as client-go's leader election does: taking it, keeping it, losing it, giving it back. Which
// leases make a leader is runtime/leader.ts.
import type { KubeObject } from '../api/meta/object.ts';
import type { Clock } from '../lib/clock.ts';
import { errorMessage } from '../lib/errors.ts';
import type { Log } from '../lib/log.ts';
import { formatMicroTime } from '../lib/time.ts';
import { isConflict } from './api-error.ts';
import type { DynamicClient } from './client.ts';

export interface LeaseOptions {
  readonly client: DynamicClient;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly namespace: string;
  readonly name: string;
  /** Unique per process, or the name of a group of which each process renews the lease. */
  readonly identity: string;
  /** How long others wait after the last renewal. @default 35_000 */
  readonly durationMs?: number | undefined;
  /** After so long without a renewal the lease counts as lost. @default 30_000 */
  readonly renewDeadlineMs?: number | undefined;
  /** @default 5_000 */
  readonly retryMs?: number | undefined;
  /** False: at the end the lease is left to run out. @default true */
  readonly givesBack?: boolean | undefined;
  /** Told when somebody else holds the lease, once for each holder. */
  readonly onWaiting?: ((holder: string) => void) | undefined;
}

/** A lease that is held. */
export interface HeldLease {
  /** Aborts when the lease is lost. */
  readonly lost: AbortSignal;
  /** Stops renewing and, unless told otherwise, gives it back, so that the next one need not wait. */
  release(): Promise<void>;
}

interface LeaseSpec {
  readonly holderIdentity?: string;
  readonly leaseDurationSeconds?: number;
  readonly acquireTime?: string;
  readonly renewTime?: string;
  readonly leaseTransitions?: number;
}

interface Lease extends KubeObject {
  readonly spec?: LeaseSpec;
}

const RELEASE_TIMEOUT_MS = 2_000;
const RELEASE_TRIES = 3;
const KIND = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease' } as const;

/** Waits until the lease is ours. Rejects only when the signal aborts. */
export async function acquireLease(options: LeaseOptions, signal: AbortSignal): Promise<HeldLease> {
  const candidate = new Candidate(options);
  for (;;) {
    signal.throwIfAborted();
    if (await candidate.attempt(signal)) return new Holding(candidate, options);
    const retryMs = options.retryMs ?? 5_000;
    await options.clock.sleep(retryMs * (1 + 1.2 * options.random()), signal);
  }
}

/** Tries to get or renew one lease, and remembers what it saw of it. */
class Candidate {
  readonly #options: LeaseOptions;
  #seen: Lease | undefined;
  #seenAt = 0;
  #toldOf: string | undefined;

  constructor(options: LeaseOptions) {
    this.#options = options;
  }

  /** True when the lease is ours afterwards. Errors of the API count as not. */
  async attempt(signal: AbortSignal): Promise<boolean> {
    try {
      return await this.#tryOnce(signal);
    } catch (error) {
      signal.throwIfAborted();
      this.#options.log.info('lease cannot be written', { lease: this.#options.name, error: errorMessage(error) });
      return false;
    }
  }

  async release(): Promise<void> {
    const { client, clock, identity, namespace, name } = this.#options;
    for (let tries = 1; ; tries++) {
      // Read anew: a renewal that was cut off may have been stored all the same.
      const current = await client.find<Lease>({ ...KIND, namespace, name }, { timeoutMs: RELEASE_TIMEOUT_MS });
      if (current?.spec?.holderIdentity !== identity) return;
      const now = formatMicroTime(clock.now());
      const spec = { ...current.spec, holderIdentity: '', leaseDurationSeconds: 1, renewTime: now, acquireTime: now };
      try {
        await client.update<Lease>({ ...current, spec }, { timeoutMs: RELEASE_TIMEOUT_MS });
        return;
      } catch (error) {
        if (!isConflict(error) || tries >= RELEASE_TRIES) throw error;
      }
    }
  }

  async #tryOnce(signal: AbortSignal): Promise<boolean> {
    const { client, clock, identity, namespace, name } = this.#options;
    const current = await client.find<Lease>({ ...KIND, namespace, name }, { signal, timeoutMs: 10_000 });
    if (current === undefined) {
      this.#observe(
        await client.create<Lease>({ ...KIND, metadata: { namespace, name }, spec: this.#spec() }, { signal }),
      );
      return true;
    }
    if (current.metadata.resourceVersion !== this.#seen?.metadata.resourceVersion) this.#observe(current);
    const { holderIdentity = '', leaseDurationSeconds = 0 } = current.spec ?? {};
    // Judged by our own clock from when we saw it change: clocks of two machines may differ.
    const expires = this.#seenAt + leaseDurationSeconds * 1000;
    if (holderIdentity !== '' && holderIdentity !== identity && clock.monotonic() < expires) {
      this.#tell(holderIdentity);
      return false;
    }
    const spec = this.#spec(current.spec);
    try {
      this.#observe(await client.update<Lease>({ ...current, spec }, { signal, timeoutMs: 10_000 }));
    } catch (error) {
      if (!isConflict(error) || !(await this.#isRenewedSince(current, signal))) throw error;
    }
    this.#toldOf = undefined;
    return true;
  }

  /**
   * True when the lease was renewed in our name after it was read: by a replica that shares the name, or by a write of
   * ours whose answer was lost. Replicas that renew at the same moment would else lose a lease that none of them gave up.
   */
  async #isRenewedSince({ spec }: Lease, signal: AbortSignal): Promise<boolean> {
    const { client, identity, namespace, name } = this.#options;
    const now = await client.find<Lease>({ ...KIND, namespace, name }, { signal, timeoutMs: 10_000 });
    if (now?.spec?.holderIdentity !== identity || now.spec.renewTime === spec?.renewTime) return false;
    this.#observe(now);
    return true;
  }

  #spec(previous: LeaseSpec = {}): LeaseSpec {
    const { clock, identity, durationMs = 35_000 } = this.#options;
    const now = formatMicroTime(clock.now());
    const kept = previous.holderIdentity === identity;
    return {
      holderIdentity: identity,
      leaseDurationSeconds: Math.ceil(durationMs / 1000),
      acquireTime: kept ? (previous.acquireTime ?? now) : now,
      renewTime: now,
      leaseTransitions: (previous.leaseTransitions ?? 0) + (kept || previous.holderIdentity === undefined ? 0 : 1),
    };
  }

  #observe(lease: Lease): void {
    this.#seen = lease;
    this.#seenAt = this.#options.clock.monotonic();
  }

  #tell(holder: string): void {
    if (this.#toldOf === holder) return;
    this.#toldOf = holder;
    this.#options.onWaiting?.(holder);
  }
}

/** Renews a lease until it is lost or given back. */
class Holding implements HeldLease {
  readonly #candidate: Candidate;
  readonly #options: LeaseOptions;
  readonly #lost = new AbortController();
  readonly #releasing = new AbortController();
  readonly #renewing: Promise<void>;

  constructor(candidate: Candidate, options: LeaseOptions) {
    this.#candidate = candidate;
    this.#options = options;
    this.#renewing = this.#renew();
  }

  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  async release(): Promise<void> {
    this.#releasing.abort();
    await this.#renewing;
    if (this.#lost.signal.aborted || this.#options.givesBack === false) return;
    try {
      await this.#candidate.release();
    } catch (error) {
      // It runs out by itself.
      this.#options.log.info('lease was not given back', { lease: this.#options.name, error: errorMessage(error) });
    }
  }

  async #renew(): Promise<void> {
    const { clock, name, renewDeadlineMs = 30_000, retryMs = 5_000 } = this.#options;
    const { signal } = this.#releasing;
    let renewedAt = clock.monotonic();
    try {
      while (clock.monotonic() - renewedAt < renewDeadlineMs) {
        await clock.sleep(retryMs, signal);
        if (await this.#attemptBefore(renewedAt + renewDeadlineMs, signal)) renewedAt = clock.monotonic();
      }
    } catch (error) {
      if (signal.aborted) return;
      throw error;
    }
    this.#lost.abort(new Error(`lease ${name} was lost`));
  }

  /** An attempt that ends at the deadline at the latest: a server that hangs must not make two leaders. */
  async #attemptBefore(deadline: number, signal: AbortSignal): Promise<boolean> {
    const limit = new AbortController();
    const cancel = this.#options.clock.setTimer(deadline - this.#options.clock.monotonic(), () => limit.abort());
    try {
      return await this.#candidate.attempt(AbortSignal.any([signal, limit.signal]));
    } catch (error) {
      if (signal.aborted) throw error;
      return false;
    } finally {
      cancel();
    }
  }
}
