// Owns the metrics of what all controllers share: requests to the API server, renders, and leadership.
import type { ReceivedAnswer } from '../cluster/rest.ts';
import type { MetricRegistry } from './metrics.ts';

/** Counts answers of the API server; for `onAnswer` of the client. */
export function countAnswers(registry: MetricRegistry): (answer: ReceivedAnswer) => void {
  const total = registry.family(
    'rest_client_requests_total',
    'Number of HTTP requests, partitioned by status code, method, and host.',
    'counter',
  );
  return ({ status, host, method }) => total.add({ code: String(status), host, method });
}

/** Counts renders; for `onRender` of the renderer. */
export function countRenders(
  registry: MetricRegistry,
): (render: { readonly engine: string; readonly place: string; readonly outcome: string }) => void {
  const total = registry.family(
    'lockstep_renders_total',
    'Number of renders, partitioned by engine, by where they ran (loop, worker) and by outcome (done, failed, cut).',
    'counter',
  );
  return ({ engine, place, outcome }) => total.add({ engine, place, outcome });
}

/** Shows which leases are held; call it with each change. */
export function showLeadership(registry: MetricRegistry): (lease: string, leads: boolean) => void {
  const status = registry.family(
    'leader_election_master_status',
    'Gauge of if the reporting system is master of the relevant lease, 0 indicates backup, 1 indicates master.',
    'gauge',
  );
  return (name, leads) => status.set({ name }, leads ? 1 : 0);
}

/** Shows how many slots of the keys this replica holds, read when the metrics are. */
export function showSlots(registry: MetricRegistry, count: () => number): void {
  const slots = registry.family('lockstep_shard_slots', 'Slots of the keys that this replica holds.', 'gauge');
  registry.beforeRender(() => slots.set({}, count()));
}
