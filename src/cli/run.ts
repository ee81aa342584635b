// The command `run`: the reconciler against any cluster, until a signal.
import { resolve } from 'node:path';
import type { ListenAddress, ReconcilerSettings } from '../app/settings.ts';
import { startReconciler } from '../app.ts';
import type { ClusterAccess } from '../cluster/access.ts';
import { inClusterAccess } from '../cluster/in-cluster.ts';
import { readKubeconfig } from '../cluster/kubeconfig.ts';
import { type FeatureGates, parseFeatureGates } from '../controllers/shared/feature-gates.ts';
import type { DigestAlgorithm } from '../lib/digest.ts';
import { errorMessage } from '../lib/errors.ts';
import { systemClock } from '../runtime/clock.ts';
import { createLog } from '../runtime/telemetry.ts';
import { parseListenAddress } from './arguments.ts';
import { growHeapSlowly } from './heap.ts';
import { installNamespace } from './install-manifests.ts';
import { type CliIo, environmentProxy } from './io.ts';
import { untilEnd } from './signals.ts';
import { version } from './version.ts';

/** The flags of run-flags.ts as commander names them. Durations are in ms. */
export interface RunOptions {
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly state: string;
  readonly httpPort: number;
  readonly internalPort: number;
  readonly listen: string;
  readonly namespace?: string;
  readonly legacyRevisions: boolean;
  readonly profiling: boolean;
  readonly concurrent: number;
  readonly requeueDependency: number;
  readonly minRetryDelay?: number;
  readonly maxRetryDelay?: number;
  readonly intervalJitterPercentage: number;
  readonly watchAllNamespaces: 'true' | 'false';
  readonly watchLabelSelector?: string;
  readonly shards?: number;
  readonly watchConfigsLabelSelector?: string;
  readonly eventsAddr?: string;
  readonly metricsAddr?: ListenAddress;
  readonly healthAddr?: ListenAddress;
  readonly featureGates: string;
  readonly enableLeaderElection: boolean;
  readonly leaderElectionLeaseDuration?: number;
  readonly leaderElectionRenewDeadline?: number;
  readonly leaderElectionRetryPeriod?: number;
  readonly leaderElectionReleaseOnCancel: 'true' | 'false';
  readonly tokenCacheMaxSize?: number;
  readonly tokenCacheMaxDuration?: number;
  readonly logLevel: 'silent' | 'error' | 'warn' | 'info' | 'debug' | 'trace';
  readonly logEncoding: 'json' | 'console';
  readonly concurrentSsa: number;
  /** False with `--no-cross-namespace-refs`. */
  readonly crossNamespaceRefs: boolean;
  /** False with `--no-remote-bases`. */
  readonly remoteBases: boolean;
  readonly defaultServiceAccount?: string;
  readonly defaultKubeconfigServiceAccount?: string;
  readonly defaultDecryptionServiceAccount?: string;
  readonly overrideManager?: readonly string[];
  readonly overrideManagerBeforeDryRun?: readonly string[];
  readonly customApplyStageKinds?: readonly string[];
  readonly sopsAgeSecret?: string;
  readonly insecureKubeconfigTls: boolean;
  readonly storagePath?: string;
  readonly storageAddr?: ListenAddress;
  readonly storageAdvAddr?: string;
  readonly artifactRetentionTtl: number;
  readonly artifactRetentionRecords: number;
  readonly helmIndexMaxSize: number;
  readonly helmChartMaxSize: number;
  readonly helmChartFileMaxSize?: number;
  readonly artifactDigestAlgo: DigestAlgorithm;
  readonly sshKexAlgos?: readonly string[];
  readonly sshHostkeyAlgos?: readonly string[];
  readonly insecureKubeconfigExec: boolean;
  readonly sopsVaultConfigmap?: string;
}

/** Runs until `ending` aborts, or until leadership is lost. Answers the exit code. */
export async function run(options: RunOptions, io: CliIo, ending: AbortSignal): Promise<number> {
  growHeapSlowly();
  const settings = toSettings(options, io);
  const log = createLog({
    clock: systemClock,
    level: options.logLevel,
    encoding: options.logEncoding,
    write: (line) => io.stderr(line),
  });
  const access = await clusterAccess(options, io);
  if (ending.aborted) return 0;
  const reconciler = await startReconciler({
    ...settings,
    access,
    stateDir: resolve(io.cwd, options.state),
    clock: systemClock,
    random: Math.random,
    log,
    version,
    internalPort: options.internalPort,
    httpPort: options.httpPort,
    listen: options.listen,
    advertisedAddress: options.storageAdvAddr ?? io.env['STORAGE_ADV_ADDR'],
  });
  log.info('running', { http: reconciler.httpUrl, internal: reconciler.internalUrl });
  io.stdout(`lockstep ${version} is running: http ${reconciler.httpUrl}, internal ${reconciler.internalUrl}\n`);
  const reason = await untilEnd(ending, reconciler.lost);
  await reconciler.stop();
  if (reason !== 'leadership lost') return 0;
  io.stderr(`leadership was lost: ${errorMessage(reconciler.lost.reason)}\n`);
  return 1;
}

/** What the flags say, with the environment where Flux reads it. Throws for what is refused, naming the flag. */
export function toSettings(options: RunOptions, io: Pick<CliIo, 'cwd' | 'env'>): ReconcilerSettings {
  const namespace = options.namespace ?? io.env['RUNTIME_NAMESPACE'] ?? installNamespace;
  const gates = parseFeatureGates(options.featureGates);
  refuse(options, gates);
  if (options.shards !== undefined) refuseShards(options, io.env);
  const storagePath = options.storagePath ?? io.env['STORAGE_PATH'];
  const storageAddress = io.env['STORAGE_ADDRESS'];
  return {
    gates,
    environmentProxy: environmentProxy(io.env),
    concurrent: options.concurrent,
    concurrentSsa: options.concurrentSsa,
    watchNamespace: options.watchAllNamespaces === 'true' ? undefined : namespace,
    watchLabelSelector: options.watchLabelSelector,
    watchConfigsLabelSelector: options.watchConfigsLabelSelector,
    noCrossNamespaceRefs: !options.crossNamespaceRefs,
    noRemoteBases: !options.remoteBases,
    defaultServiceAccount: options.defaultServiceAccount,
    defaultKubeconfigServiceAccount: options.defaultKubeconfigServiceAccount,
    insecureKubeconfigTls: options.insecureKubeconfigTls,
    overrideManagers: options.overrideManager,
    overrideManagersBeforeDryRun: options.overrideManagerBeforeDryRun,
    customApplyStageKinds: options.customApplyStageKinds,
    sopsAgeSecret: options.sopsAgeSecret ? { namespace, name: options.sopsAgeSecret } : undefined,
    legacyRevisions: options.legacyRevisions,
    artifactDigestAlgorithm: options.artifactDigestAlgo,
    profiling: options.profiling,
    intervalJitterPercent: options.intervalJitterPercentage,
    requeueDependencyMs: options.requeueDependency,
    minRetryDelayMs: options.minRetryDelay,
    maxRetryDelayMs: options.maxRetryDelay,
    eventsUrl: options.eventsAddr === undefined ? undefined : parseEventsUrl(options.eventsAddr),
    metricsAddress: options.metricsAddr,
    healthAddress: options.healthAddr,
    storageAddress: options.storageAddr ?? (storageAddress ? parseListenAddress(storageAddress) : undefined),
    storagePath: storagePath ? resolve(io.cwd, storagePath) : undefined,
    artifactRetention: { ttlMs: options.artifactRetentionTtl, records: options.artifactRetentionRecords },
    sourceLimits: { indexBytes: options.helmIndexMaxSize, chartBytes: options.helmChartMaxSize },
    tokenCacheSize: options.tokenCacheMaxSize,
    tokenCacheMaxDurationMs: options.tokenCacheMaxDuration,
    shards: options.shards === undefined ? undefined : { count: options.shards, namespace },
    leaderElectionNamespace: options.enableLeaderElection ? namespace : undefined,
    leaseDurationMs: options.leaderElectionLeaseDuration,
    leaseRenewDeadlineMs: options.leaderElectionRenewDeadline,
    leaseRetryMs: options.leaderElectionRetryPeriod,
    leaseGivesBack: options.leaderElectionReleaseOnCancel === 'true',
    sshKexAlgorithms: options.sshKexAlgos,
    sshHostKeyAlgorithms: options.sshHostkeyAlgos,
  };
}

const CHART_FILE_BYTES = 5 * 1024 * 1024;

function refuse(options: RunOptions, gates: FeatureGates): void {
  if (options.insecureKubeconfigExec) {
    throw new Error('--insecure-kubeconfig-exec is not supported: the reconciler runs no programs');
  }
  if (options.sopsVaultConfigmap) {
    throw new Error('--sops-vault-configmap is not supported: encrypt for an age or OpenPGP key, too');
  }
  if ((options.helmChartFileMaxSize ?? CHART_FILE_BYTES) !== CHART_FILE_BYTES) {
    throw new Error(`--helm-chart-file-max-size is not supported: the limit is ${CHART_FILE_BYTES} bytes`);
  }
  const accounts = [options.defaultKubeconfigServiceAccount, options.defaultDecryptionServiceAccount];
  if (accounts.some(Boolean) && !gates.ObjectLevelWorkloadIdentity) {
    const gate = 'ObjectLevelWorkloadIdentity';
    throw new Error(`cannot set default service accounts when the feature gate ${gate} is not enabled`);
  }
  for (const kind of options.customApplyStageKinds ?? []) {
    if (!/^[^/]*\/[^/]+$/.test(kind)) throw new Error(`--custom-apply-stage-kinds: '${kind}' is no group/Kind`);
  }
}

/** What would make two replicas act on one key, or leave artifacts where no other replica finds them. */
function refuseShards(options: RunOptions, env: CliIo['env']): void {
  const { leaderElectionLeaseDuration: lease = 35_000, leaderElectionRenewDeadline: deadline = 30_000 } = options;
  const { leaderElectionRetryPeriod: retry = 5_000 } = options;
  if (options.watchLabelSelector) {
    throw new Error('--shards and --watch-label-selector exclude each other: either of them divides the objects');
  }
  if (lease < 1_000 || deadline >= lease || retry <= 0 || 2 * retry > deadline) {
    throw new Error(
      '--shards: --leader-election-retry-period must be at most half of --leader-election-renew-deadline, and that ' +
        'less than --leader-election-lease-duration, which is a second at least',
    );
  }
  const address = options.storageAdvAddr ?? env['STORAGE_ADV_ADDR'];
  if (!address && /^(?:0\.0\.0\.0|::)$/.test(options.listen)) {
    throw new Error(
      '--shards needs --storage-adv-addr: the address at which other replicas find the artifacts of this',
    );
  }
}

function parseEventsUrl(text: string): string | undefined {
  if (text === '') return undefined;
  if (/^https?:/.test(text) && URL.canParse(text)) return text;
  throw new Error(`--events-addr: '${text}' is no http or https URL`);
}

async function clusterAccess(options: RunOptions, io: CliIo): Promise<ClusterAccess> {
  const path = options.kubeconfig ?? io.env['KUBECONFIG'];
  if (path === undefined || path === '') return inClusterAccess({ clock: systemClock, env: io.env });
  const choice = options.context === undefined ? {} : { context: options.context };
  return readKubeconfig(resolve(io.cwd, path), { clock: systemClock, ...choice });
}
