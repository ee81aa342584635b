// Owns a reconciler's place among replicas that share the keys: its name, its Lease, and what metrics say of it.
import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import type { DynamicClient } from '../cluster/client.ts';
import type { Informers } from '../cluster/informers.ts';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import type { MetricRegistry } from '../runtime/metrics.ts';
import { showLeadership, showSlots } from '../runtime/process-metrics.ts';
import { WriteFence } from '../runtime/shards/fence.ts';
import { followGroupLeases } from '../runtime/shards/group-leases.ts';
import { Membership } from '../runtime/shards/membership.ts';
import { KeyShare } from '../runtime/shards/share.ts';
import type { ReconcilerSettings } from './settings.ts';

/** Leases as long as those of leader election (flux.md §6.4). */
const DEFAULTS = { durationMs: 35_000, renewDeadlineMs: 30_000, retryMs: 5_000 } as const;

/** What there is before anything is asked of the cluster. */
export interface ReplicaPlace {
  readonly fence: WriteFence;
  readonly share: KeyShare;
}

/** What joining needs. */
export interface JoinOptions {
  readonly client: DynamicClient;
  readonly informers: Informers;
  readonly clock: Clock;
  readonly log: Log;
  readonly registry: MetricRegistry;
  readonly options: ReconcilerSettings;
  /** Told when others may act on what was this replica's. */
  readonly onLost: (reason: unknown) => void;
}

/** The place of this process; undefined where it shares nothing. */
export function createReplicaPlace({ shards }: ReconcilerSettings, clock: Clock): ReplicaPlace | undefined {
  if (shards === undefined) return undefined;
  const fence = new WriteFence(clock);
  return { fence, share: new KeyShare(fence) };
}

/** Joins the replicas. Resolves once it takes part; answers how to leave, for when nothing is under way any more. */
export async function joinReplicas(
  { fence, share }: ReplicaPlace,
  { client, informers, clock, log, registry, options, onLost }: JoinOptions,
  signal: AbortSignal,
): Promise<() => Promise<void>> {
  const { count, namespace } = options.shards!;
  const name = replicaName(hostname());
  const leases = await followGroupLeases({ client, informers, namespace }, signal);
  const membership = new Membership({
    ...{ leases, fence, share, clock, log, name },
    expected: count,
    durationMs: options.leaseDurationMs ?? DEFAULTS.durationMs,
    renewDeadlineMs: options.leaseRenewDeadlineMs ?? DEFAULTS.renewDeadlineMs,
    retryMs: options.leaseRetryMs ?? DEFAULTS.retryMs,
  });
  const show = showLeadership(registry);
  await membership.join(signal);
  show(name, true);
  showSlots(registry, () => share.slots.size);
  let isLeaving = false;
  fence.signal.addEventListener('abort', () => {
    show(name, false);
    if (!isLeaving) onLost(fence.signal.reason);
  });
  return async () => {
    isLeaving = true;
    await membership.leave();
    leases.release();
  };
}

/** Name of a replica's Lease: no other process, and no later one of the same host, has the same. */
function replicaName(host: string): string {
  const safe = host
    .toLowerCase()
    .replace(/[^a-z0-9.-]/g, '-')
    .replace(/^[.-]+/, '')
    .slice(0, 63);
  return `lockstep-shard-${safe}-${randomBytes(4).toString('hex')}`.replace(/\.-|-\./g, '--');
}
