// Owns the annotation, label and finalizer names with a meaning (flux.md §1.1, lockstep.md §6). What they mean is the
// business of those who read them.

/** Annotation: a changed value asks for a reconcile; the handled one is copied to `status.lastHandledReconcileAt`. */
export const requestedAtAnnotation = 'reconcile.fluxcd.io/requestedAt';
/** Finalizer of every reconciled kind. */
export const finalizer = 'finalizers.fluxcd.io';
/** Prefix of annotations that are copied into every event's metadata. */
export const eventMetadataPrefix = 'event.toolkit.fluxcd.io/';

/** Labels of every object that a Kustomization applied: who owns it. */
export const ownerNameLabel = 'kustomize.toolkit.fluxcd.io/name';
export const ownerNamespaceLabel = 'kustomize.toolkit.fluxcd.io/namespace';
/** `disabled`: neither apply nor prune. */
export const reconcileKey = 'kustomize.toolkit.fluxcd.io/reconcile';
/** `disabled`: never delete. */
export const pruneKey = 'kustomize.toolkit.fluxcd.io/prune';
/** `Override`, `Merge`, `IfNotPresent` or `Ignore`. */
export const ssaKey = 'kustomize.toolkit.fluxcd.io/ssa';
/** `enabled`: recreate when an immutable field changes. */
export const forceKey = 'kustomize.toolkit.fluxcd.io/force';

/** Annotations of our own (lockstep.md §6). */
export const driftAnnotation = 'lockstep.dev/drift';
export const continueOnErrorAnnotation = 'lockstep.dev/continue-on-error';

/** Label or annotation, exactly `disabled`: no variable substitution (flux.md §4.7). */
export const substituteKey = 'kustomize.toolkit.fluxcd.io/substitute';
/** Annotation, `disabled` without case: no SOPS decryption, and encrypted Secrets are let through (flux.md §4.6). */
export const decryptAnnotation = 'kustomize.toolkit.fluxcd.io/decrypt';
