// Owns the error of a Kustomization pass that got as far as a revision: it says at which step, for history and
// conditions.
import { ReconcileError } from '../../runtime/reconcile-error.ts';

export type Step = 'fetch' | 'build' | 'apply' | 'prune' | 'health';

export class KustomizationError extends ReconcileError {
  readonly revision: string;
  /** Digest of the build; undefined when it failed before there was one. */
  readonly digest: string | undefined;
  readonly step: Step;

  constructor(
    reason: string,
    message: string,
    details: {
      readonly revision: string;
      readonly digest?: string | undefined;
      readonly step: Step;
      readonly retryAfterMs: number;
      readonly cause?: unknown;
    },
  ) {
    super(reason, message, { retryAfterMs: details.retryAfterMs, cause: details.cause });
    this.revision = details.revision;
    this.digest = details.digest;
    this.step = details.step;
  }
}
