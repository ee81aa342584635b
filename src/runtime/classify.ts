// Owns the table from the code of an error to its retry class. It works by code, so that it imports no domain room.
import { errorCode } from '../lib/errors.ts';
import type { Retry } from './reconcile-error.ts';

/**
 * Codes that only a change of the spec can cure. Everything else may work later: networks, conflicts, refused applies,
 * builds that wait for a commit, and Secrets, whose change is not seen on the object.
 */
const RETRY_OF_CODE: Readonly<Record<string, Retry>> = {
  GitUrlInvalid: 'stalled',
  InvalidDuration: 'stalled',
  RemoteUrlInvalid: 'stalled',
};

/** The retry class of anything that was thrown; unlisted codes are transient. */
export function classify(error: unknown): Retry {
  const code = errorCode(error);
  return code !== undefined && Object.hasOwn(RETRY_OF_CODE, code) ? RETRY_OF_CODE[code]! : 'transient';
}
