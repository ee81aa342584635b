// Owns the words for what fails in a registry: Flux's before the cause, and what to do where that is known.
import type { OCIRepository } from '../../api/source/ocirepository.ts';
import { errorCode, errorMessage } from '../../lib/errors.ts';
import { RegistryError } from '../../remote/oci/errors.ts';
import { ReconcileError } from '../../runtime/reconcile-error.ts';

export function registryFailure(object: OCIRepository, error: unknown, reason: string, prefix: string): ReconcileError {
  if (error instanceof ReconcileError) return error;
  const retryAfterMs = error instanceof RegistryError ? error.data.retryAfterMs : undefined;
  return new ReconcileError(reason, prefix + errorMessage(error) + hint(object, error), {
    condition: 'FetchFailed',
    cause: error,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}

function hint({ spec }: OCIRepository, error: unknown): string {
  const isAnonymous = spec.secretRef === undefined && !spec.serviceAccountName;
  if (!isAnonymous || !['RegistryUnauthorized', 'RegistryDenied'].includes(errorCode(error) ?? '')) return '';
  return ' (the registry wants a login: name its Secret in spec.secretRef)';
}
