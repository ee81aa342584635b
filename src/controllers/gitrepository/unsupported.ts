// Owns the list of GitRepository fields that are not done yet. It shrinks; when it is empty this file goes.
import type { GitRepositorySpec } from '../../api/source/gitrepository.ts';

const UNSUPPORTED: readonly (keyof GitRepositorySpec)[] = [
  'verify',
  'recurseSubmodules',
  'sparseCheckout',
  'serviceAccountName',
  'proxySecretRef',
];

/** The first field of the spec that is not supported, without `spec.`; undefined when there is none. */
export function unsupportedField(spec: GitRepositorySpec): string | undefined {
  const field = UNSUPPORTED.find((name) => isGiven(spec[name]));
  if (field !== undefined) return field;
  return (spec.provider ?? 'generic') === 'generic' ? undefined : 'provider';
}

function isGiven(value: unknown): boolean {
  if (value === undefined || value === null || value === '' || value === false) return false;
  return Array.isArray(value) ? value.length > 0 : true;
}
