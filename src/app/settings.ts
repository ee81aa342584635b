// Owns what a reconciler may be told beyond what it cannot do without: the settings that Flux's controllers take as
// flags (flux.md §6.1, §6.2). What is not said has Flux's default.
import type { FeatureGates } from '../controllers/shared/feature-gates.ts';
import type { SourceLimits } from '../controllers/shared/source-ports.ts';
import type { DigestAlgorithm } from '../lib/digest.ts';
import type { HttpDoorOptions } from '../remote/http.ts';

/** An address to listen on, and a port; 0 takes a free one. */
export interface ListenAddress {
  readonly listen: string;
  readonly port: number;
}

export interface ReconcilerSettings {
  /** Workers of each controller. @default 4 */
  readonly concurrent?: number | undefined;
  /** Dry-runs of one Kustomization that are under way at once. @default 4 */
  readonly concurrentSsa?: number | undefined;
  readonly gates?: FeatureGates | undefined;
  /** Only objects of this namespace are reconciled; all when absent. */
  readonly watchNamespace?: string | undefined;
  readonly watchLabelSelector?: string | undefined;
  /** Of ConfigMaps and Secrets whose change wakes those that name them; all when absent. */
  readonly watchConfigsLabelSelector?: string | undefined;
  readonly noCrossNamespaceRefs?: boolean | undefined;
  readonly noRemoteBases?: boolean | undefined;
  readonly defaultServiceAccount?: string | undefined;
  /** ServiceAccount whose token opens the cluster of a ConfigMap that names none. */
  readonly defaultKubeconfigServiceAccount?: string | undefined;
  readonly insecureKubeconfigTls?: boolean | undefined;
  /** Field managers, by the beginning of their names, whose fields are taken over. */
  readonly overrideManagers?: readonly string[] | undefined;
  /** The same by their whole names. */
  readonly overrideManagersBeforeDryRun?: readonly string[] | undefined;
  /** `group/Kind` of kinds that are applied before the rest. */
  readonly customApplyStageKinds?: readonly string[] | undefined;
  /** Secret with age keys for Kustomizations that name none. */
  readonly sopsAgeSecret?: { readonly namespace: string; readonly name: string } | undefined;
  /** @default sha256 */
  readonly artifactDigestAlgorithm?: DigestAlgorithm | undefined;
  readonly legacyRevisions?: boolean | undefined;
  /** Serve profiles of the process to this machine. @default false */
  readonly profiling?: boolean | undefined;
  /** @default 5 */
  readonly intervalJitterPercent?: number | undefined;
  /** @default 30_000 */
  readonly requeueDependencyMs?: number | undefined;
  /** Of exponential back-off. @default 750 and 15 minutes */
  readonly minRetryDelayMs?: number | undefined;
  readonly maxRetryDelayMs?: number | undefined;
  /** Where each event is posted, too. */
  readonly eventsUrl?: string | undefined;
  /** More addresses that serve metrics, probes or artifacts, as Flux's controllers do. */
  readonly metricsAddress?: ListenAddress | undefined;
  readonly healthAddress?: ListenAddress | undefined;
  readonly storageAddress?: ListenAddress | undefined;
  /** Folder of the archives. @default `artifacts` of the state directory */
  readonly storagePath?: string | undefined;
  /** Archives that stay beside the current one. @default 1 minute, 2 with the current one */
  readonly artifactRetention?: { readonly ttlMs: number; readonly records: number } | undefined;
  /** @default Flux's */
  readonly sourceLimits?: SourceLimits | undefined;
  readonly tokenCacheSize?: number | undefined;
  readonly tokenCacheMaxDurationMs?: number | undefined;
  /** Replicas that share the keys, this one included, and the namespace of their Leases; none when absent. */
  readonly shards?: { readonly count: number; readonly namespace: string } | undefined;
  /** Namespace of the leader-election Leases; none are taken when absent. */
  readonly leaderElectionNamespace?: string | undefined;
  readonly leaseDurationMs?: number | undefined;
  readonly leaseRenewDeadlineMs?: number | undefined;
  readonly leaseRetryMs?: number | undefined;
  /** Leases are given back at the end. @default true */
  readonly leaseGivesBack?: boolean | undefined;
  /** Proxies of the process environment, for sources that name none. */
  readonly environmentProxy?: HttpDoorOptions['environmentProxy'];
  readonly sshKexAlgorithms?: readonly string[] | undefined;
  readonly sshHostKeyAlgorithms?: readonly string[] | undefined;
}
