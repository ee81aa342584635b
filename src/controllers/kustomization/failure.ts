// Owns the error of a Kustomization pass that got as far as a revision: it says at which step, for history and
// conditions.
import { ReconcileError, stage } from '../../runtime/reconcile-error.ts';

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

/** Where a pass is when a stage of it fails. */
export interface FailureContext {
  readonly revision: string;
  readonly digest?: string | undefined;
  readonly retryAfterMs: number;
  readonly step: Step;
}

/** A stage whose failures carry the revision and digest they happened at. `byCode` gives some codes another reason. */
export async function failingStage<T>(
  reason: string,
  context: FailureContext,
  run: () => T | Promise<T>,
  byCode: Readonly<Record<string, string>> = {},
): Promise<T> {
  try {
    return await stage(reason, run);
  } catch (error) {
    if (!(error instanceof ReconcileError)) throw error;
    const code = (error.cause as { code?: unknown } | undefined)?.code;
    const actual = typeof code === 'string' && Object.hasOwn(byCode, code) ? byCode[code]! : error.reason;
    if (error.retry !== 'transient') throw error;
    throw new KustomizationError(actual, error.message, { ...context, cause: error.cause });
  }
}
