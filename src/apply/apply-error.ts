// Owns the errors of applying and pruning, in Flux's words (flux.md §4.8, §4.11).
import { ApiError } from '../cluster/api-error.ts';
import { CodedError, errorCode, errorMessage } from '../lib/errors.ts';
import { formatObjectId, type Manifest, namespaceOf, referenceOf } from '../objects/manifest.ts';

/** Codes say which request failed. `data.object` is `Kind/namespace/name`. */
export class ApplyError extends CodedError<
  'DryRunFailed' | 'ApplyFailed' | 'InventoryTooLarge' | 'DeleteFailed' | 'PruneFailed' | 'StageTimeout',
  { readonly object: string }
> {}

/** The error of a dry-run that the API server refused. */
export function dryRunError(desired: Manifest, cause: unknown): ApplyError {
  const object = formatObjectId(referenceOf(desired));
  return new ApplyError('DryRunFailed', dryRunMessage(desired, object, cause), { object }, { cause });
}

function dryRunMessage(desired: Manifest, object: string, cause: unknown): string {
  if (errorCode(cause) === 'NoMatch') {
    return `${object} dry-run failed: ${errorMessage(cause)}; is its CustomResourceDefinition installed?`;
  }
  if (!(cause instanceof ApiError)) return `${object} dry-run failed: ${errorMessage(cause)}`;
  if (cause.data.status === 404 && namespaceOf(desired) !== '') return `${object} not found: ${cause.message}`;
  const reason = cause.data.reason === '' ? '' : ` (${cause.data.reason})`;
  return `${object} dry-run failed${reason}: ${cause.message}`;
}

/** The API version of managedFields could not be written. */
export function migrateError(desired: Manifest, cause: unknown): ApplyError {
  const object = formatObjectId(referenceOf(desired));
  const why = `failed to migrate managed fields API version to ${desired.apiVersion}: ${errorMessage(cause)}`;
  return new ApplyError('DryRunFailed', `${object} failed to migrate API version: ${why}`, { object }, { cause });
}

/** A namespaced object that names no namespace; nothing was sent. */
export function namespaceMissing(desired: Manifest): ApplyError {
  const object = formatObjectId(referenceOf(desired));
  return new ApplyError(
    'DryRunFailed',
    `${object} namespace not specified: the server could not find the requested resource`,
    { object },
  );
}

export function applyError(desired: Manifest, cause: unknown): ApplyError {
  const object = formatObjectId(referenceOf(desired));
  return new ApplyError('ApplyFailed', `${object} apply failed: ${errorMessage(cause)}`, { object }, { cause });
}

export function immutableDeleteError(desired: Manifest, cause: unknown): ApplyError {
  const object = formatObjectId(referenceOf(desired));
  const message = `${object} immutable field detected, failed to delete object: ${errorMessage(cause)}`;
  return new ApplyError('DeleteFailed', message, { object }, { cause });
}
