// The command `run`: the reconciler against any cluster, until a signal.
import { resolve } from 'node:path';
import { startReconciler } from '../app.ts';
import type { ClusterAccess } from '../cluster/access.ts';
import { inClusterAccess } from '../cluster/in-cluster.ts';
import { readKubeconfig } from '../cluster/kubeconfig.ts';
import { parseDurationMs } from '../lib/duration.ts';
import { systemClock } from '../runtime/clock.ts';
import { createLog } from '../runtime/telemetry.ts';
import type { CliIo } from './io.ts';
import { untilSignal } from './signals.ts';
import { version } from './version.ts';

export interface RunOptions {
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly concurrent: number;
  readonly state: string;
  readonly httpPort: number;
  readonly internalPort: number;
  readonly listen: string;
  readonly storageAdvAddr?: string;
  readonly enableLeaderElection: boolean;
  readonly namespace: string;
  readonly watchLabelSelector?: string;
  /** False with `--no-cross-namespace-refs`. */
  readonly crossNamespaceRefs: boolean;
  /** False with `--no-remote-bases`. */
  readonly remoteBases: boolean;
  readonly defaultServiceAccount?: string;
  readonly intervalJitterPercentage: number;
  readonly requeueDependency: string;
  readonly legacyRevisions: boolean;
  readonly logLevel: 'silent' | 'error' | 'warn' | 'info' | 'debug';
}

/** Runs until SIGINT or SIGTERM, or until leadership is lost. Answers the exit code. */
export async function run(options: RunOptions, io: CliIo): Promise<number> {
  const log = createLog({ clock: systemClock, level: options.logLevel, write: (line) => io.stderr(line) });
  const reconciler = await startReconciler({
    access: await clusterAccess(options, io),
    stateDir: resolve(io.cwd, options.state),
    clock: systemClock,
    random: Math.random,
    log,
    version,
    internalPort: options.internalPort,
    httpPort: options.httpPort,
    listen: options.listen,
    advertisedAddress: options.storageAdvAddr,
    concurrent: options.concurrent,
    leaderElectionNamespace: options.enableLeaderElection ? options.namespace : undefined,
    watchLabelSelector: options.watchLabelSelector,
    noCrossNamespaceRefs: !options.crossNamespaceRefs,
    noRemoteBases: !options.remoteBases,
    defaultServiceAccount: options.defaultServiceAccount,
    legacyRevisions: options.legacyRevisions,
    intervalJitterPercent: options.intervalJitterPercentage,
    requeueDependencyMs: parseDurationMs(options.requeueDependency),
  });
  log.info('running', { http: reconciler.httpUrl, internal: reconciler.internalUrl });
  io.stdout(`lockstep ${version} is running: http ${reconciler.httpUrl}, internal ${reconciler.internalUrl}\n`);
  const reason = await untilSignal(reconciler.lost);
  await reconciler.stop();
  if (reason !== 'leadership lost') return 0;
  io.stderr('leadership was lost\n');
  return 1;
}

async function clusterAccess(options: RunOptions, io: CliIo): Promise<ClusterAccess> {
  const path = options.kubeconfig ?? io.env['KUBECONFIG'];
  if (path === undefined || path === '') return inClusterAccess({ clock: systemClock, env: io.env });
  const choice = options.context === undefined ? {} : { context: options.context };
  return readKubeconfig(resolve(io.cwd, path), { clock: systemClock, ...choice });
}
