// Owns the points at which the fault suite breaks things: where a process dies, and how the API server misbehaves.
// Each is data or a rule made from seeded choices; running them is test/integration/faults.test.ts.
import type { ApiFault, ApiRequest, FaultRule } from './fault-api.ts';
import type { Random } from './seeded-choices.ts';

/** A point at which the process dies. */
export interface DeathPoint {
  readonly name: string;
  readonly at: (request: ApiRequest) => boolean;
  readonly when: 'before' | 'after';
  /** It dies at one of the first so many matching requests: no more than there are for sure. @default 1 */
  readonly of?: number;
}

const isStatusOf =
  (plural: string, field: string) =>
  ({ method, url, body }: ApiRequest): boolean =>
    method === 'PATCH' && url.includes(`/${plural}/app/status`) && body.includes(`"${field}"`);
const isSourceStatus = isStatusOf('gitrepositories', 'artifact');
const isInventory = (request: ApiRequest): boolean =>
  isStatusOf('kustomizations', 'inventory')(request) && !request.body.includes('"lastAppliedRevision"');
const isFinalStatus = isStatusOf('kustomizations', 'lastAppliedRevision');
const isDryRun = ({ url }: ApiRequest): boolean => url.includes('dryRun=All');
const isObject = ({ url }: ApiRequest): boolean => /\/(configmaps|secrets)\//.test(url);
const isApply = (request: ApiRequest): boolean => request.method === 'PATCH' && request.write && isObject(request);
const isDelete = (request: ApiRequest): boolean => request.method === 'DELETE' && isObject(request);
const isEvent = ({ method, url }: ApiRequest): boolean => method === 'POST' && /\/events(\?|$)/.test(url);

/** Deaths during the pass of a new revision that creates, changes and prunes. In the order of the pass. */
export const deathPoints: readonly DeathPoint[] = [
  { name: 'after the fetch, before the source says so', at: isSourceStatus, when: 'before' },
  { name: 'after the source said so', at: isSourceStatus, when: 'after' },
  { name: 'amid the dry-runs', at: isDryRun, when: 'before', of: 6 },
  { name: 'before the union inventory is stored', at: isInventory, when: 'before' },
  { name: 'after the union inventory is stored', at: isInventory, when: 'after' },
  { name: 'before an apply', at: isApply, when: 'before', of: 5 },
  { name: 'after an apply', at: isApply, when: 'after', of: 5 },
  { name: 'after all applies, before the prune', at: isDelete, when: 'before' },
  { name: 'amid the prune, before a deletion', at: isDelete, when: 'before', of: 3 },
  { name: 'amid the prune, after a deletion', at: isDelete, when: 'after', of: 3 },
  { name: 'before the final status', at: isFinalStatus, when: 'before' },
  { name: 'after the final status', at: isFinalStatus, when: 'after' },
  { name: 'before an event is told', at: isEvent, when: 'before', of: 2 },
  // Such a pass sends 24, the last ones for events.
  { name: 'at any request', at: ({ watch }) => !watch, when: 'before', of: 20 },
];

/** Deaths after which some objects of the new revision are there and the status does not say so. */
export const takenBackPoints: readonly DeathPoint[] = [
  { name: 'after some applies', at: isApply, when: 'after', of: 5 },
  { name: 'before the prune', at: isDelete, when: 'before' },
  { name: 'amid the prune', at: isDelete, when: 'after', of: 3 },
  { name: 'before the final status', at: isFinalStatus, when: 'before' },
];

/** Deaths while a deleted Kustomization takes its objects along. */
export const deletionDeathPoints: readonly DeathPoint[] = [
  { name: 'before a deletion of its finalizer', at: isDelete, when: 'before', of: 4 },
  { name: 'after a deletion of its finalizer', at: isDelete, when: 'after', of: 4 },
  {
    name: 'before the finalizer goes',
    at: ({ method, url }) => method === 'PATCH' && /\/kustomizations\/app(\?|$)/.test(url),
    when: 'before',
  },
];

/** A moment of a pass at which the API server goes away. */
export type RestartPoint = Omit<DeathPoint, 'when'>;

export const restartPoints: readonly RestartPoint[] = [
  { name: 'amid the dry-runs', at: isDryRun, of: 6 },
  { name: 'amid the applies', at: isApply, of: 5 },
  { name: 'amid the prune', at: isDelete, of: 3 },
  { name: 'at any request', at: ({ watch }) => !watch, of: 20 },
];

export const deletionRestartPoint: RestartPoint = { name: 'amid the deletions of its finalizer', at: isDelete, of: 4 };

/** Tells when one of the point's requests is on its way. */
export function reachedRule({ at, of = 1 }: RestartPoint, choices: Random, onReached: () => void): FaultRule {
  let left = 1 + choices.below(of);
  return (request) => {
    if (at(request) && --left === 0) onReached();
    return undefined;
  };
}

/** Dies at one of the point's requests. */
export function deathRule({ at, when, of = 1 }: DeathPoint, choices: Random): FaultRule {
  let left = 1 + choices.below(of);
  return (request) => {
    if (!at(request)) return undefined;
    left -= 1;
    return left === 0 ? { kind: 'death', when } : undefined;
  };
}

/** A misbehaviour of the API server that passes. */
export interface PassingFault {
  readonly name: string;
  readonly on: (request: ApiRequest) => boolean;
  readonly fault: (choices: Random) => ApiFault;
  /** So many requests are hit. */
  readonly hits: number;
}

const isPlain = ({ watch }: ApiRequest): boolean => !watch;
const isWrite = ({ write }: ApiRequest): boolean => write;
const isStatus = ({ method, url }: ApiRequest): boolean => method === 'PATCH' && url.includes('/app/status');
const status = (code: number, reason: string, retryAfterSeconds?: number) => (): ApiFault => ({
  kind: 'status',
  status: code,
  reason,
  ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
});

const chaos: readonly ((choices: Random) => ApiFault)[] = [
  status(429, 'TooManyRequests', 1),
  status(500, 'InternalError'),
  status(503, 'ServiceUnavailable'),
  status(504, 'Timeout'),
  () => ({ kind: 'reset' }),
  () => ({ kind: 'lost answer' }),
];

export const passingFaults: readonly PassingFault[] = [
  { name: '409 on applies', on: isApply, fault: status(409, 'Conflict'), hits: 3 },
  { name: '409 on dry-runs', on: isDryRun, fault: status(409, 'Conflict'), hits: 3 },
  { name: '409 on status writes', on: isStatus, fault: status(409, 'Conflict'), hits: 3 },
  { name: '409 on deletions', on: isDelete, fault: status(409, 'Conflict'), hits: 2 },
  { name: '429 with Retry-After', on: isPlain, fault: status(429, 'TooManyRequests', 1), hits: 8 },
  { name: '500', on: isPlain, fault: status(500, 'InternalError'), hits: 6 },
  { name: '503', on: isPlain, fault: status(503, 'ServiceUnavailable'), hits: 6 },
  { name: '503 with Retry-After', on: isPlain, fault: status(503, 'ServiceUnavailable', 1), hits: 6 },
  { name: '504', on: isPlain, fault: status(504, 'Timeout'), hits: 6 },
  { name: 'a request that hangs', on: isPlain, fault: () => ({ kind: 'hang' }), hits: 1 },
  {
    name: 'connections reset before the server sees the request',
    on: isPlain,
    fault: () => ({ kind: 'reset' }),
    hits: 8,
  },
  { name: 'answers to writes lost', on: isWrite, fault: () => ({ kind: 'lost answer' }), hits: 8 },
  { name: 'everything at random', on: isPlain, fault: (choices) => choices.pick(chaos)(choices), hits: 12 },
];

/** Hits about every second request that the fault is for, until it has hit often enough; tells each hit. */
export function passingRule({ on, fault, hits }: PassingFault, choices: Random, onHit: () => void): FaultRule {
  let left = hits;
  return (request) => {
    if (left === 0 || !on(request) || (left < hits && choices.chance(0.5))) return undefined;
    left -= 1;
    onHit();
    return fault(choices);
  };
}
