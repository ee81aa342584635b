// Owns replicas of `lockstep run --shards` as processes on one API server, each behind a proxy of its own that writes down
// what it wrote and what the server made of it. What the table of slots said at that time comes from a watch.
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readKubeconfig } from '../../src/cluster/kubeconfig.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { slotsAnnotation } from '../../src/runtime/shards/group-leases.ts';
import { slotsLease } from '../../src/runtime/shards/membership.ts';
import { type Assignment, parseAssignment } from '../../src/runtime/shards/slots.ts';
import type { ClusterUse } from './cluster.ts';
import { type FaultyApi, startFaultyApi } from './fault-api.ts';
import type { Live } from './reconciler.ts';
import { startCommand, type Up } from './up.ts';

/** A write that the server accepted. */
export interface RecordedWrite {
  /** Name of the replica's Lease. */
  readonly replica: string;
  readonly path: string;
  /** The object as the server stored it. */
  readonly object: Live;
}

/** A replica at work. */
export interface ReplicaProcess {
  readonly run: Up;
  readonly api: FaultyApi;
  /** Name of its Lease; undefined before it has joined. */
  readonly lease: () => string | undefined;
  /** Writes that reached the server, Leases and Events aside. */
  readonly sent: () => number;
  /** Renewals that the server has answered. */
  readonly renewals: () => number;
}

/**
 * Times of the Leases: short, and yet nothing that a busy machine would miss by chance. A renewal that meets another's
 * takes three requests, each of which takes seconds where processes wait for a core.
 */
export const replicaTimes = { leaseS: 24, deadlineS: 20, retryS: 2 } as const;

const LEASES = '/apis/coordination.k8s.io/v1/namespaces/';

/** The replicas of one test. */
export class ReplicaProcesses {
  readonly writes: RecordedWrite[] = [];
  /** The table of slots by its resourceVersions, in order. */
  readonly tables: { readonly version: bigint; readonly assignment: Assignment }[] = [];
  readonly #cluster: ClusterUse;
  readonly #folder: string;
  readonly #running: ReplicaProcess[] = [];
  readonly #count: number;
  #started = 0;

  constructor(cluster: ClusterUse, folder: string, count: number) {
    this.#cluster = cluster;
    this.#folder = folder;
    this.#count = count;
  }

  /** Starts one more; it acts on the objects of the test's namespace alone. */
  async start(): Promise<ReplicaProcess> {
    const index = this.#started++;
    const { kubeconfig, namespace } = this.#cluster;
    const access = await readKubeconfig(kubeconfig, { clock: systemClock });
    let lease: string | undefined;
    let sent = 0;
    let renewals = 0;
    const api = await startFaultyApi(access, ({ method, url, body }, status, answer) => {
      const isLease = url.startsWith(LEASES);
      if (isLease && method === 'POST' && status < 300) lease ??= memberName(JSON.parse(body));
      if (isLease && url.includes(`/${lease}`)) renewals += 1;
      if (isLease && status < 300) this.#seeTable(JSON.parse(answer));
      if (isLease || url.includes('/events')) return;
      sent += 1;
      if (status >= 300) return;
      this.writes.push({ replica: lease ?? `replica ${index}`, path: url.split('?')[0]!, object: JSON.parse(answer) });
    });
    const file = join(this.#folder, `kubeconfig-${index}`);
    writeFileSync(file, await kubeconfigOf(api), { mode: 0o600 });
    const { leaseS, deadlineS, retryS } = replicaTimes;
    const run = await startCommand(
      [
        ...['run', '--kubeconfig', file, '--state', join(this.#folder, `state-${index}`)],
        ...['--namespace', namespace, '--watch-all-namespaces=false', '--shards', String(this.#count)],
        '--enable-leader-election',
        ...['--requeue-dependency', '500ms', '--max-retry-delay', '2s', '--log-level', 'info'],
        `--leader-election-lease-duration=${leaseS}s`,
        `--leader-election-renew-deadline=${deadlineS}s`,
        `--leader-election-retry-period=${retryS}s`,
      ],
      ' is running: ',
    );
    const replica = { run, api, lease: () => lease, sent: () => sent, renewals: () => renewals };
    this.#running.push(replica);
    return replica;
  }

  /** Slots that a replica has by the newest table. */
  slotsOf(replica: ReplicaProcess): number {
    const assignment = this.tables.at(-1)?.assignment ?? new Map<number, string>();
    return [...assignment.values()].filter((owner) => owner === replica.lease()).length;
  }

  /** Who had a slot when the server was at a resourceVersion. */
  ownerAt(slot: number, version: bigint): string | undefined {
    const newest = this.tables.findLast((table) => table.version <= version);
    return newest?.assignment.get(slot);
  }

  /** Which of them run and what they said at last, for a test that waits in vain. */
  describe(): string {
    const lines = this.#running.map((replica) => {
      const { exitCode, signalCode } = replica.run.process;
      const state = exitCode === null && signalCode === null ? 'runs' : `ended with ${exitCode ?? signalCode}`;
      const said = replica.run.output().trimEnd().split('\n').slice(-5).join('\n');
      return `${replica.lease()} ${state}, ${this.slotsOf(replica)} slots:\n${said}`;
    });
    return lines.join('\n');
  }

  /** Ends all of them. */
  async stop(): Promise<void> {
    for (const { run } of this.#running) {
      run.process.kill('SIGCONT');
      run.process.kill('SIGTERM');
    }
    await Promise.all(this.#running.map(({ run }) => run.ended));
    await Promise.all(this.#running.map(({ api }) => api.close()));
  }

  #seeTable(object: Live): void {
    if (object.metadata?.name !== slotsLease) return;
    const version = BigInt(object.metadata.resourceVersion);
    this.tables.push({ version, assignment: parseAssignment(object.metadata.annotations?.[slotsAnnotation]) });
    this.tables.sort((a, b) => (a.version < b.version ? -1 : 1));
  }
}

function memberName({ metadata: { name } }: Live): string | undefined {
  return name.startsWith('lockstep-shard-') ? name : undefined;
}

async function kubeconfigOf({ access }: FaultyApi): Promise<string> {
  const authorization = (await access.authorization?.()) ?? '';
  const token = authorization.replace(/^Bearer /, '');
  const name = createHash('sha256').update(access.server).digest('hex').slice(0, 8);
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': name,
    contexts: [{ name, context: { cluster: name, user: name } }],
    clusters: [{ name, cluster: { server: access.server } }],
    users: [{ name, user: token === '' ? {} : { token } }],
  });
}
