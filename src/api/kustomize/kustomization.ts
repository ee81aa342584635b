// Owns the Kustomization kind of Flux: types, reasons, columns (flux.md §4, §5, §9). The schema is
// kustomization-schema.ts; how it is reconciled is controllers/kustomization.
import { ageColumn, type KindDescription, readyColumn, statusColumn } from '../kind.ts';
import type { Condition } from '../meta/condition.ts';
import type { LocalObjectReference, ObjectMeta } from '../meta/object.ts';
import { kustomizationSchemaV1, kustomizationSchemaV1Beta2 } from './kustomization-schema.ts';

export type SourceKind = 'OCIRepository' | 'GitRepository' | 'Bucket' | 'ExternalArtifact';

/** The source of a Kustomization; its own namespace when none is said. */
export interface SourceReference {
  readonly apiVersion?: string;
  readonly kind: SourceKind;
  readonly name: string;
  readonly namespace?: string;
}

export interface Dependency {
  readonly name: string;
  readonly namespace?: string;
  readonly readyExpr?: string;
}

/** Selects objects of a build; name, kind and the like are anchored regular expressions (kustomize.md). */
export interface PatchTarget {
  readonly group?: string;
  readonly version?: string;
  readonly kind?: string;
  readonly name?: string;
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly annotationSelector?: string;
}

export interface KustomizationPatch {
  readonly patch: string;
  readonly target?: PatchTarget;
}

export interface KustomizationImage {
  readonly name: string;
  readonly newName?: string;
  readonly newTag?: string;
  readonly digest?: string;
}

export interface HealthCheckReference {
  readonly apiVersion?: string;
  readonly kind: string;
  readonly name: string;
  readonly namespace?: string;
}

export interface HealthCheckExpression {
  readonly apiVersion: string;
  readonly kind?: string;
  readonly current: string;
  readonly inProgress?: string;
  readonly failed?: string;
}

export interface SubstituteReference {
  readonly kind: 'Secret' | 'ConfigMap';
  readonly name: string;
  readonly optional?: boolean;
}

export interface PostBuild {
  readonly substitute?: Readonly<Record<string, string>>;
  readonly substituteFrom?: readonly SubstituteReference[];
  readonly substituteStrategy?: 'WithVariables' | 'Always';
}

/** A drift-ignore rule: JSON pointers whose value is left alone on the objects that the target selects. */
export interface IgnoreRule {
  readonly paths: readonly string[];
  readonly target?: PatchTarget;
}

/** An operation of `patchesJson6902` (v1beta2). */
export interface Json6902Operation {
  readonly op: 'test' | 'remove' | 'add' | 'replace' | 'move' | 'copy';
  readonly path: string;
  readonly from?: string;
  readonly value?: unknown;
}

export type DeletionPolicy = 'MirrorPrune' | 'Delete' | 'WaitForTermination' | 'Orphan';

export interface KustomizationSpec {
  readonly interval: string;
  readonly prune: boolean;
  readonly sourceRef: SourceReference;
  readonly path?: string;
  readonly retryInterval?: string;
  readonly timeout?: string;
  readonly dependsOn?: readonly Dependency[];
  readonly suspend?: boolean;
  readonly wait?: boolean;
  readonly healthChecks?: readonly HealthCheckReference[];
  readonly healthCheckExprs?: readonly HealthCheckExpression[];
  readonly targetNamespace?: string;
  readonly namePrefix?: string;
  readonly nameSuffix?: string;
  readonly commonMetadata?: {
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly patches?: readonly KustomizationPatch[];
  readonly patchesStrategicMerge?: readonly unknown[];
  readonly patchesJson6902?: readonly { readonly patch: readonly Json6902Operation[]; readonly target: PatchTarget }[];
  readonly images?: readonly KustomizationImage[];
  readonly components?: readonly string[];
  readonly ignoreMissingComponents?: boolean;
  readonly buildMetadata?: readonly ('originAnnotations' | 'transformerAnnotations')[];
  readonly postBuild?: PostBuild;
  readonly decryption?: {
    readonly provider: 'sops';
    readonly secretRef?: LocalObjectReference;
    readonly serviceAccountName?: string;
  };
  readonly force?: boolean;
  readonly ignore?: readonly IgnoreRule[];
  readonly serviceAccountName?: string;
  readonly kubeConfig?: {
    readonly secretRef?: { readonly name: string; readonly key?: string };
    readonly configMapRef?: LocalObjectReference;
  };
  readonly deletionPolicy?: DeletionPolicy;
}

/** An object that the Kustomization owns: `id` is `<namespace>_<name>_<group>_<kind>`, `v` the API version. */
export interface InventoryEntry {
  readonly id: string;
  readonly v: string;
}

/** One entry of `status.history`, keyed by digest and outcome; at most five, newest first. */
export interface HistoryEntry {
  readonly digest: string;
  readonly firstReconciled: string;
  readonly lastReconciled: string;
  readonly lastReconciledDuration: string;
  readonly lastReconciledStatus: string;
  readonly totalReconciliations: number;
  readonly metadata?: Readonly<Record<string, string>>;
}

export interface KustomizationStatus {
  readonly observedGeneration?: number;
  readonly conditions?: readonly Condition[];
  readonly lastAppliedRevision?: string;
  readonly lastAppliedOriginRevision?: string;
  readonly lastAttemptedRevision?: string;
  readonly lastHandledReconcileAt?: string;
  readonly inventory?: { readonly entries: readonly InventoryEntry[] };
  readonly history?: readonly HistoryEntry[];
}

export interface Kustomization {
  readonly apiVersion: string;
  readonly kind: 'Kustomization';
  readonly metadata: ObjectMeta;
  /** Absent when the object was made without one: the schema admits it (flux.md §4.1). */
  readonly spec?: KustomizationSpec;
  readonly status?: KustomizationStatus;
}

/** Reasons of Kustomization conditions and events (flux.md §4.13, lockstep.md §3, §6). */
export const kustomizationReasons = {
  reconciliationSucceeded: 'ReconciliationSucceeded',
  reconciliationFailed: 'ReconciliationFailed',
  progressing: 'Progressing',
  progressingWithRetry: 'ProgressingWithRetry',
  artifactFailed: 'ArtifactFailed',
  accessDenied: 'AccessDenied',
  buildFailed: 'BuildFailed',
  dependencyNotReady: 'DependencyNotReady',
  pruneFailed: 'PruneFailed',
  healthCheckFailed: 'HealthCheckFailed',
  healthCheckCanceled: 'HealthCheckCanceled',
  healthCheckSucceeded: 'Succeeded',
  invalidCelExpression: 'InvalidCELExpression',
  featureGateDisabled: 'FeatureGateDisabled',
  ownershipConflict: 'OwnershipConflict',
  drifted: 'Drifted',
} as const;

export const kustomizationKind: KindDescription = {
  group: 'kustomize.toolkit.fluxcd.io',
  kind: 'Kustomization',
  plural: 'kustomizations',
  singular: 'kustomization',
  shortNames: ['ks'],
  categories: ['all', 'fluxcd', 'fluxcd-appliers'],
  columns: [ageColumn, readyColumn, statusColumn],
  versions: [
    { name: 'v1', storage: true, schema: kustomizationSchemaV1 },
    {
      name: 'v1beta2',
      storage: false,
      deprecationWarning: 'v1beta2 Kustomization is deprecated, upgrade to v1',
      schema: kustomizationSchemaV1Beta2,
    },
  ],
};
