// Owns which leases a reconciler takes before it acts, and how metrics show them.
import { hostname } from 'node:os';
import type { DynamicClient } from '../cluster/client.ts';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import { becomeLeader } from '../runtime/leader.ts';
import type { MetricRegistry } from '../runtime/metrics.ts';
import { showLeadership } from '../runtime/process-metrics.ts';
import type { Shard } from '../runtime/shard.ts';
import type { ReconcilerSettings } from './settings.ts';

export interface LeadershipOptions {
  readonly client: DynamicClient;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly registry: MetricRegistry;
  readonly shard: Shard;
  readonly options: ReconcilerSettings;
  /** Told what is waited for; undefined once it leads. */
  readonly onState: (state: string | undefined) => void;
  readonly onLost: (reason: unknown) => void;
}

/** Holder of Flux's leases where replicas share the keys. */
const SHARED_IDENTITY = 'lockstep-shards';

/** Waits for Flux's leases, where they are wanted. Answers how to give them back; undefined where there are none. */
export async function waitForLeadership(
  { client, clock, random, log, registry, shard, options, onState, onLost }: LeadershipOptions,
  signal: AbortSignal,
): Promise<(() => Promise<void>) | undefined> {
  const namespace = options.leaderElectionNamespace;
  if (namespace === undefined) return undefined;
  const leases = ['source-controller', 'kustomize-controller', 'helm-controller'].map((name) => shard.leaseName(name));
  // Replicas that share the keys hold them together, against everybody else: what one gave back, all would lose.
  const isShared = options.shards !== undefined;
  const identity = isShared ? SHARED_IDENTITY : `${hostname()}_${process.pid}`;
  const timing = {
    durationMs: options.leaseDurationMs,
    renewDeadlineMs: options.leaseRenewDeadlineMs,
    retryMs: options.leaseRetryMs,
    givesBack: isShared ? false : options.leaseGivesBack,
  };
  const held = await becomeLeader(
    { client, clock, random, log, namespace, identity, leases, onState, ...timing },
    signal,
  );
  const show = showLeadership(registry);
  for (const lease of leases) show(lease, true);
  held.lost.addEventListener('abort', () => {
    for (const lease of leases) show(lease, false);
    onLost(held.lost.reason);
  });
  return held.release;
}
