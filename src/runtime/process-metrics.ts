// Owns the metrics of what all controllers share: requests to the API server, and leadership.
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

/** Shows which leases are held; call it with each change. */
export function showLeadership(registry: MetricRegistry): (lease: string, leads: boolean) => void {
  const status = registry.family(
    'leader_election_master_status',
    'Gauge of if the reporting system is master of the relevant lease, 0 indicates backup, 1 indicates master.',
    'gauge',
  );
  return (name, leads) => status.set({ name }, leads ? 1 : 0);
}
