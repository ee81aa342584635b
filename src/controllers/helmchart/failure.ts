// Owns the failures of making a chart: reason, condition and the words before the cause (helm.md §22.2).
import { helmChartReasons as reasons } from '../../api/source/helmchart.ts';
import { errorCode, errorMessage } from '../../lib/errors.ts';
import { ChartRepositoryError } from '../../remote/charts/repository.ts';
import { RegistryError } from '../../remote/oci/errors.ts';
import { ReconcileError, type Retry } from '../../runtime/reconcile-error.ts';

/** What can go wrong: each with its condition, its words, and whether only a change of spec or source can cure it. */
const FAILURES = {
  [reasons.invalidChartReference]: { words: 'invalid chart reference', condition: 'FetchFailed', retry: 'stalled' },
  [reasons.chartPullError]: { words: 'chart pull error', condition: 'FetchFailed', retry: 'transient' },
  [reasons.metadataPatchError]: { words: 'chart metadata patch error', condition: 'BuildFailed', retry: 'stalled' },
  [reasons.valuesFilesError]: { words: 'values files merge error', condition: 'BuildFailed', retry: 'stalled' },
  [reasons.dependencyBuildError]: { words: 'dependency build error', condition: 'BuildFailed', retry: 'transient' },
  [reasons.chartPackageError]: { words: 'chart package error', condition: 'BuildFailed', retry: 'transient' },
  [reasons.chartVerificationError]: {
    words: 'chart verification error',
    condition: 'BuildFailed',
    retry: 'transient',
  },
} as const satisfies Record<string, { words: string; condition: string; retry: Retry }>;

export type BuildReason = keyof typeof FAILURES;

/** The error of a reason; `prefix` comes between the reason's words and the cause. */
export function buildError(reason: BuildReason, error: unknown, prefix = ''): ReconcileError {
  if (error instanceof ReconcileError) return error;
  const { words, condition, retry } = FAILURES[reason];
  const isRemote = error instanceof RegistryError || error instanceof ChartRepositoryError;
  const retryAfterMs = isRemote ? error.data.retryAfterMs : undefined;
  return new ReconcileError(reason, `${words}: ${prefix}${errorMessage(error)}`, {
    condition,
    retry,
    cause: error,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}

const AUTH_CODES: ReadonlySet<string> = new Set(['ChartRepositoryUnauthorized', 'RegistryUnauthorized', 'RemoteTls']);

/** The error of a download: one of credentials or trust is told apart, as Flux does it. */
export function pullError(error: unknown, prefix: string): ReconcileError {
  if (!AUTH_CODES.has(errorCode(error) ?? '')) return buildError(reasons.chartPullError, error, prefix);
  const message = `failed to authenticate with the Helm repository: ${errorMessage(error)}`;
  return new ReconcileError(reasons.authenticationFailed, message, { condition: 'FetchFailed', cause: error });
}
