// Owns which metrics the machine has of controllers, queues and reconciled objects.
import type { MetricRegistry } from './metrics.ts';
import type { QueueObserver } from './queue.ts';

/** What the machine counts of controllers, under the names that Flux and controller-runtime have (flux.md §6.3). */
export interface ControllerMetrics {
  started(controller: string, concurrent: number): void;
  active(controller: string, workers: number): void;
  passed(controller: string, result: 'success' | 'error' | 'requeue' | 'requeue_after', durationMs: number): void;
  reconciled(kind: string, object: { readonly namespace: string; readonly name: string }, durationMs: number): void;
  /** The object is gone: its series go too. */
  forget(kind: string, object: { readonly namespace: string; readonly name: string }): void;
  queue(controller: string): QueueObserver;
}

/** Ten exponential steps from 10 ms to half an hour, as Flux has them. */
const DURATION_BOUNDS = Array.from({ length: 10 }, (_, step) => 0.01 * (1800 / 0.01) ** (step / 9));
/** Of controller-runtime and client-go. */
const RECONCILE_BOUNDS = [
  0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.25, 1.5, 1.75, 2,
  2.5, 3, 3.5, 4, 4.5, 5, 6, 7, 8, 9, 10, 15, 20, 25, 30, 40, 50, 60,
];
const QUEUE_BOUNDS = [1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1, 10, 100, 1000];

/** Registers the machine's metrics. */
export function createControllerMetrics(registry: MetricRegistry): ControllerMetrics {
  const duration = registry.family(
    'gotk_reconcile_duration_seconds',
    'The duration in seconds of a GitOps Toolkit resource reconciliation.',
    'histogram',
    DURATION_BOUNDS,
  );
  const total = registry.family(
    'controller_runtime_reconcile_total',
    'Total number of reconciliations per controller',
    'counter',
  );
  const errors = registry.family(
    'controller_runtime_reconcile_errors_total',
    'Total number of reconciliation errors per controller',
    'counter',
  );
  const time = registry.family(
    'controller_runtime_reconcile_time_seconds',
    'Length of time per reconciliation per controller',
    'histogram',
    RECONCILE_BOUNDS,
  );
  const active = registry.family(
    'controller_runtime_active_workers',
    'Number of currently used workers per controller',
    'gauge',
  );
  const concurrency = registry.family(
    'controller_runtime_max_concurrent_reconciles',
    'Maximum number of concurrent reconciles per controller',
    'gauge',
  );
  const depth = registry.family('workqueue_depth', 'Current depth of workqueue', 'gauge');
  const adds = registry.family('workqueue_adds_total', 'Total number of adds handled by workqueue', 'counter');
  const waited = registry.family(
    'workqueue_queue_duration_seconds',
    'How long in seconds an item stays in workqueue before being requested',
    'histogram',
    QUEUE_BOUNDS,
  );
  const worked = registry.family(
    'workqueue_work_duration_seconds',
    'How long in seconds processing an item from workqueue takes.',
    'histogram',
    QUEUE_BOUNDS,
  );
  const retries = registry.family('workqueue_retries_total', 'Total number of retries handled by workqueue', 'counter');
  return {
    started: (controller, concurrent) => {
      concurrency.set({ controller }, concurrent);
      active.set({ controller }, 0);
      errors.add({ controller }, 0);
      for (const result of ['error', 'requeue', 'requeue_after', 'success']) total.add({ controller, result }, 0);
    },
    active: (controller, workers) => active.set({ controller }, workers),
    passed: (controller, result, ms) => {
      total.add({ controller, result });
      if (result === 'error') errors.add({ controller });
      time.observe({ controller }, ms / 1000);
    },
    reconciled: (kind, { namespace, name }, ms) => duration.observe({ kind, name, namespace }, ms / 1000),
    forget: (kind, { namespace, name }) => duration.remove({ kind, name, namespace }),
    queue: (name) => ({
      added: () => adds.add({ name }),
      depth: (keys) => depth.set({ name }, keys),
      waited: (ms) => waited.observe({ name }, ms / 1000),
      worked: (ms) => worked.observe({ name }, ms / 1000),
      retried: () => retries.add({ name }),
    }),
  };
}
