// Owns the error of a repository index that cannot be read or has not what is asked for. Texts are Helm's own.
import { CodedError } from '../../../lib/errors.ts';

/**
 * - `IndexInvalid`: it is no index · `ChartUnknown`: no chart of that name, no version that fits
 */
export type RepositoryErrorCode = 'IndexInvalid' | 'ChartUnknown';

/** An index that is not usable, or a chart that is not in it. */
export class RepositoryError extends CodedError<RepositoryErrorCode, Record<string, never>> {}

/** The error of an index that cannot be read. */
export function invalidIndex(message: string, cause?: unknown): RepositoryError {
  return new RepositoryError('IndexInvalid', message, {}, { cause });
}
