// Owns the shape and the names of status conditions that all kinds share (flux.md §1.3). Setting them is
// runtime/conditions.ts.

export type ConditionStatus = 'True' | 'False' | 'Unknown';

/** metav1.Condition. */
export interface Condition {
  readonly type: string;
  readonly status: ConditionStatus;
  /** CamelCase word for programs. */
  readonly reason: string;
  /** For people; at most 32768 bytes. */
  readonly message: string;
  /** RFC 3339 in UTC, whole seconds. Moves when status, reason or message changes. */
  readonly lastTransitionTime: string;
  /** `metadata.generation` at the time of setting. */
  readonly observedGeneration?: number;
}

/** Condition types that are the same on every kind. */
export const conditionTypes = {
  ready: 'Ready',
  reconciling: 'Reconciling',
  stalled: 'Stalled',
} as const;

/** Reasons that the machine itself writes; each kind has its own beside these. */
export const metaReasons = {
  succeeded: 'Succeeded',
  failed: 'Failed',
  progressing: 'Progressing',
  progressingWithRetry: 'ProgressingWithRetry',
  suspended: 'Suspended',
  dependencyNotReady: 'DependencyNotReady',
} as const;
