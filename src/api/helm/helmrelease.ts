// Owns the HelmRelease kind of Flux: types, reasons, columns (helm.md §21). The schemas are helmrelease-schema.ts; how
// it is reconciled is controllers/helmrelease.
import type { JsonObject } from '../../lib/json.ts';
import { ageColumn, type KindDescription, readyColumn, statusColumn } from '../kind.ts';
import type {
  Dependency,
  HealthCheckExpression,
  IgnoreRule,
  InventoryEntry,
  KustomizationImage,
  KustomizationPatch,
} from '../kustomize/kustomization.ts';
import type { Condition } from '../meta/condition.ts';
import type { LocalObjectReference, ObjectMeta } from '../meta/object.ts';
import type { HelmChartSpec } from '../source/helmchart.ts';
import { helmReleaseSchema } from './helmrelease-schema.ts';

/** The HelmChart that is made for a release. */
export interface ChartTemplate {
  readonly metadata?: {
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec: Omit<HelmChartSpec, 'sourceRef' | 'interval' | 'suspend'> & {
    readonly sourceRef: {
      readonly apiVersion?: string;
      readonly kind: 'HelmRepository' | 'GitRepository' | 'Bucket';
      readonly name: string;
      readonly namespace?: string;
    };
    readonly interval?: string;
  };
}

export interface ChartReference {
  readonly apiVersion?: string;
  readonly kind: 'OCIRepository' | 'HelmChart' | 'ExternalArtifact';
  readonly name: string;
  readonly namespace?: string;
}

export interface ValuesReference {
  readonly kind: 'Secret' | 'ConfigMap';
  readonly name: string;
  /** @default 'values.yaml' */
  readonly valuesKey?: string;
  readonly targetPath?: string;
  readonly optional?: boolean;
  readonly literal?: boolean;
}

export interface PostRenderer {
  readonly kustomize?: {
    readonly patches?: readonly KustomizationPatch[];
    readonly images?: readonly KustomizationImage[];
    /** v2beta2 and before. */
    readonly patchesStrategicMerge?: readonly unknown[];
    readonly patchesJson6902?: readonly JsonObject[];
  };
}

export type CrdsPolicy = 'Skip' | 'Create' | 'CreateReplace';

/** What install and upgrade say of a failure. `retries` below 0: for ever. */
export interface Remediation {
  readonly retries?: number;
  readonly ignoreTestFailures?: boolean;
  readonly remediateLastFailure?: boolean;
  /** Upgrades only. @default 'rollback' */
  readonly strategy?: 'rollback' | 'uninstall';
}

export interface ActionStrategy {
  readonly name: 'RemediateOnFailure' | 'RetryOnFailure';
  readonly retryInterval?: string;
}

/** What all actions that change objects have in common. */
export interface ActionSpec {
  readonly timeout?: string;
  readonly disableWait?: boolean;
  readonly disableWaitForJobs?: boolean;
  readonly disableHooks?: boolean;
}

interface ReleaseActionSpec extends ActionSpec {
  readonly disableTakeOwnership?: boolean;
  readonly disableOpenAPIValidation?: boolean;
  readonly disableSchemaValidation?: boolean;
  readonly crds?: CrdsPolicy;
  readonly remediation?: Remediation;
  readonly strategy?: ActionStrategy;
}

export interface InstallSpec extends ReleaseActionSpec {
  readonly replace?: boolean;
  readonly createNamespace?: boolean;
  readonly serverSideApply?: boolean;
  readonly skipCRDs?: boolean;
}

export interface UpgradeSpec extends ReleaseActionSpec {
  readonly force?: boolean;
  readonly preserveValues?: boolean;
  readonly cleanupOnFail?: boolean;
  readonly serverSideApply?: ApplyMode;
  readonly chartNameChangeStrategy?: 'Reinstall' | 'InPlaceUpdate';
}

export type ApplyMode = 'enabled' | 'disabled' | 'auto';

export interface RollbackSpec extends ActionSpec {
  readonly force?: boolean;
  readonly recreate?: boolean;
  readonly cleanupOnFail?: boolean;
  readonly serverSideApply?: ApplyMode;
}

export interface TestSpec {
  readonly enable?: boolean;
  readonly timeout?: string;
  readonly ignoreFailures?: boolean;
  readonly filters?: readonly { readonly name: string; readonly exclude?: boolean }[];
}

export interface UninstallSpec extends Omit<ActionSpec, 'disableWaitForJobs'> {
  readonly keepHistory?: boolean;
  readonly deletionPropagation?: 'background' | 'foreground' | 'orphan';
}

export interface DriftDetection {
  /** @default 'disabled' */
  readonly mode?: 'enabled' | 'warn' | 'disabled';
  readonly ignore?: readonly IgnoreRule[];
}

export interface HelmReleaseSpec {
  readonly interval: string;
  readonly chart?: ChartTemplate;
  readonly chartRef?: ChartReference;
  readonly suspend?: boolean;
  readonly releaseName?: string;
  readonly targetNamespace?: string;
  readonly storageNamespace?: string;
  readonly dependsOn?: readonly Dependency[];
  readonly timeout?: string;
  /** @default 5 */
  readonly maxHistory?: number;
  readonly serviceAccountName?: string;
  readonly persistentClient?: boolean;
  readonly kubeConfig?: {
    readonly secretRef?: { readonly name: string; readonly key?: string };
    readonly configMapRef?: LocalObjectReference;
  };
  readonly valuesFrom?: readonly ValuesReference[];
  readonly values?: JsonObject;
  readonly commonMetadata?: {
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly postRenderers?: readonly PostRenderer[];
  /** @default 'combined' */
  readonly postRenderStrategy?: 'nohooks' | 'combined' | 'separate';
  readonly waitStrategy?: { readonly name: 'poller' | 'legacy' };
  readonly healthCheckExprs?: readonly HealthCheckExpression[];
  readonly driftDetection?: DriftDetection;
  readonly install?: InstallSpec;
  readonly upgrade?: UpgradeSpec;
  readonly rollback?: RollbackSpec;
  readonly test?: TestSpec;
  readonly uninstall?: UninstallSpec;
}

export interface TestHookStatus {
  readonly lastStarted?: string;
  readonly lastCompleted?: string;
  readonly phase?: string;
}

/** One revision of a release as this controller saw it; `digest` finds changes by others. */
export interface Snapshot {
  readonly apiVersion?: string;
  readonly digest: string;
  readonly name: string;
  readonly namespace: string;
  readonly version: number;
  readonly status: string;
  readonly action?: 'install' | 'upgrade' | 'rollback' | 'uninstall' | 'uninstall-remediation';
  readonly chartName: string;
  readonly chartVersion: string;
  readonly appVersion?: string;
  readonly configDigest: string;
  readonly firstDeployed: string;
  readonly lastDeployed: string;
  readonly deleted?: string;
  readonly testHooks?: Readonly<Record<string, TestHookStatus>>;
  readonly ociDigest?: string;
}

export interface HelmReleaseStatus {
  readonly observedGeneration?: number;
  readonly conditions?: readonly Condition[];
  /** `namespace/name` of the HelmChart that was made. */
  readonly helmChart?: string;
  readonly storageNamespace?: string;
  /** Newest first. */
  readonly history?: readonly Snapshot[];
  readonly inventory?: { readonly entries: readonly InventoryEntry[] };
  readonly failures?: number;
  readonly installFailures?: number;
  readonly upgradeFailures?: number;
  readonly lastAppliedRevision?: string;
  readonly lastAttemptedGeneration?: number;
  readonly lastAttemptedRevision?: string;
  readonly lastAttemptedRevisionDigest?: string;
  readonly lastAttemptedConfigDigest?: string;
  readonly lastAttemptedReleaseAction?: 'install' | 'upgrade';
  readonly lastAttemptedReleaseActionDuration?: string;
  readonly lastHandledReconcileAt?: string;
  readonly lastHandledForceAt?: string;
  readonly lastHandledResetAt?: string;
  readonly observedPostRenderersDigest?: string;
  readonly observedCommonMetadataDigest?: string;
}

export interface HelmRelease {
  readonly apiVersion: string;
  readonly kind: 'HelmRelease';
  readonly metadata: ObjectMeta;
  /** Absent when the object was made without one: the schema admits it. */
  readonly spec?: HelmReleaseSpec;
  readonly status?: HelmReleaseStatus;
}

/** Reasons of HelmRelease conditions and events (helm.md §21.2, §21.5). */
export const helmReleaseReasons = {
  installSucceeded: 'InstallSucceeded',
  installFailed: 'InstallFailed',
  upgradeSucceeded: 'UpgradeSucceeded',
  upgradeFailed: 'UpgradeFailed',
  testSucceeded: 'TestSucceeded',
  testFailed: 'TestFailed',
  awaitingTests: 'AwaitingTests',
  rollbackSucceeded: 'RollbackSucceeded',
  rollbackFailed: 'RollbackFailed',
  uninstallSucceeded: 'UninstallSucceeded',
  uninstallFailed: 'UninstallFailed',
  pendingRelease: 'PendingRelease',
  driftDetected: 'DriftDetected',
  noDriftDetected: 'NoDriftDetected',
  driftCorrected: 'DriftCorrected',
  driftCorrectionFailed: 'DriftCorrectionFailed',
  progressing: 'Progressing',
  progressingWithRetry: 'ProgressingWithRetry',
  dependencyNotReady: 'DependencyNotReady',
  sourceNotReady: 'SourceNotReady',
  artifactFailed: 'ArtifactFailed',
  accessDenied: 'AccessDenied',
  valuesError: 'ValuesError',
  chartMutateError: 'ChartMutateError',
  restClientError: 'RESTClientError',
  helmChartCreated: 'HelmChartCreated',
  helmChartConfigured: 'HelmChartConfigured',
  helmChartDeleted: 'HelmChartDeleted',
  helmChartSyncError: 'HelmChartSyncErr',
  retriesExceeded: 'RetriesExceeded',
  missingRollbackTarget: 'MissingRollbackTarget',
  invalidCelExpression: 'InvalidCELExpression',
  healthCheckCanceled: 'HealthCheckCanceled',
  stateError: 'StateError',
  reconcileError: 'ReconcileError',
} as const;

export const helmReleaseKind: KindDescription = {
  group: 'helm.toolkit.fluxcd.io',
  kind: 'HelmRelease',
  plural: 'helmreleases',
  singular: 'helmrelease',
  shortNames: ['hr'],
  categories: ['all', 'fluxcd', 'fluxcd-appliers'],
  columns: [ageColumn, readyColumn, statusColumn],
  versions: [
    { name: 'v2', storage: true, schema: helmReleaseSchema('v2') },
    {
      name: 'v2beta2',
      storage: false,
      deprecationWarning: 'v2beta2 HelmRelease is deprecated, upgrade to v2',
      schema: helmReleaseSchema('v2beta2'),
    },
    {
      name: 'v2beta1',
      storage: false,
      deprecationWarning: 'v2beta1 HelmRelease is deprecated, upgrade to v2',
      schema: helmReleaseSchema('v2beta1'),
    },
  ],
};
