// Owns the error of a kustomize build. Texts are the reference's, letter for letter; programs test the code.
import { CodedError, errorMessage } from '../../lib/errors.ts';
import { MissingSignal } from './missing.ts';

/**
 * `KustomizationInvalid`: the kustomization file is missing, doubled or not to be read. `LoadFailed`: a path is absent,
 * outside the root, a cycle or could not be fetched. `ResourceInvalid`: a resource file is not to be read.
 * `WrongNodeKind`: a field is a map where a list was expected, and the like. `NotSupported`: a plugin this engine
 * refuses. `BuildFailed`: everything else.
 */
export type BuildErrorCode =
  | 'KustomizationInvalid'
  | 'LoadFailed'
  | 'ResourceInvalid'
  | 'WrongNodeKind'
  | 'NotSupported'
  | 'BuildFailed';

/** Why a build failed. The message is what `kustomize build` prints after `Error: `. */
export class BuildError extends CodedError<BuildErrorCode, { readonly actualKind?: string; readonly http?: boolean }> {}

/** Makes a build error with the reference's text. */
export function buildError(message: string, code: BuildErrorCode = 'BuildFailed'): BuildError {
  return new BuildError(code, message, {});
}

/** The text of a fault; an exhausted stack means input nested beyond all reason. */
export function faultText(error: unknown): string {
  return error instanceof RangeError ? 'input is nested too deeply' : errorMessage(error);
}

/**
 * The same error with `prefix: ` in front; code and data survive, so that callers can still tell what it was.
 * Something missing is no error: it is thrown on as it is.
 */
export function wrapError(error: unknown, prefix: string): BuildError {
  if (error instanceof MissingSignal) throw error;
  const message = `${prefix}: ${faultText(error)}`;
  if (error instanceof BuildError) return new BuildError(error.code, message, error.data, { cause: error });
  return new BuildError('BuildFailed', message, {}, { cause: error });
}

/** Runs `work` and puts `prefix: ` in front of whatever it throws. */
export function withPrefix<T>(prefix: string | (() => string), work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw wrapError(error, typeof prefix === 'string' ? prefix : prefix());
  }
}
