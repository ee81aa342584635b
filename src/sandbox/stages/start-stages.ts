// Owns the start of the fake controllers that make workloads come alive in the embedded API server.
import type { Clock } from '../../lib/clock.ts';
import type { Log } from '../../lib/log.ts';
import type { Store } from '../store.ts';
import { cronJobs } from './cron-jobs.ts';
import { daemonSets } from './daemon-sets.ts';
import { deployments } from './deployments/deployments.ts';
import { disruptionBudgets } from './disruption-budgets.ts';
import { endpoints } from './endpoints.ts';
import { createEventExpiry } from './event-expiry.ts';
import { createEventRecorder } from './events.ts';
import { jobs } from './jobs.ts';
import { runLoop, type StageContext, type StageController } from './loop.ts';
import { ensureNode } from './nodes.ts';
import { createPods } from './pods.ts';
import { replicaSets } from './replica-sets.ts';
import { statefulSets } from './stateful-sets.ts';
import { ensureStorageClass, volumeClaims, volumes } from './volumes.ts';

export interface StagesOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** The Kubernetes version that the fake node shows. @default 'v1.36.3' */
  readonly version?: string;
}

/**
 * Starts one node, a default storage class and all controllers: they catch up with what is stored, then follow it by
 * watches until closed. They write as `kube-controller-manager`, `kube-scheduler` and `kubelet`.
 */
export function startStages(store: Store, options: StagesOptions): { close(): void } {
  const { clock, log } = options;
  ensureNode(store, clock, options.version ?? 'v1.36.3');
  ensureStorageClass({ store });
  const context: StageContext = { store, clock, log, events: createEventRecorder(store, clock) };
  const controllers: readonly StageController[] = [
    createPods(),
    deployments,
    replicaSets,
    statefulSets,
    daemonSets,
    jobs,
    cronJobs,
    endpoints,
    disruptionBudgets,
    volumeClaims,
    volumes,
    createEventExpiry(),
  ];
  return runLoop(controllers, context);
}
