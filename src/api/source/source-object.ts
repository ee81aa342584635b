// Owns the type parts that several source kinds share. Their schemas are source-schema.ts.
import type { Artifact } from '../meta/artifact.ts';
import type { Condition } from '../meta/condition.ts';
import type { LocalObjectReference, ObjectMeta } from '../meta/object.ts';

/** What every source says of itself. */
export interface SourceStatus {
  readonly observedGeneration?: number;
  readonly conditions?: readonly Condition[];
  readonly artifact?: Artifact;
  /** Kept for old readers; nobody writes it. */
  readonly url?: string;
  readonly lastHandledReconcileAt?: string;
}

/** An object whose artifact others consume. */
export interface SourceObject<Kind extends string, Spec, Status extends SourceStatus> {
  readonly apiVersion: string;
  readonly kind: Kind;
  readonly metadata: ObjectMeta;
  readonly spec: Spec;
  readonly status?: Status;
}

/** Signature check of what comes from a registry (flux.md §3.1). */
export interface OciVerification {
  readonly provider: 'cosign' | 'notation';
  readonly secretRef?: LocalObjectReference;
  readonly matchOIDCIdentity?: readonly { readonly issuer: string; readonly subject: string }[];
  /** OCIRepository only. */
  readonly trustedRootSecretRef?: LocalObjectReference;
}

/** How to log in beyond what a Secret says. */
export type CloudProvider = 'generic' | 'aws' | 'azure' | 'gcp';

/** Reasons that all kinds with an artifact of their own share (flux.md §2.8, §3). */
export const sourceReasons = {
  succeeded: 'Succeeded',
  progressing: 'Progressing',
  progressingWithRetry: 'ProgressingWithRetry',
  newArtifact: 'NewArtifact',
  urlInvalid: 'URLInvalid',
  authenticationFailed: 'AuthenticationFailed',
  fieldNotSupported: 'FieldNotSupported',
  archiveOperationFailed: 'ArchiveOperationFailed',
  garbageCollectionSucceeded: 'GarbageCollectionSucceeded',
} as const;
