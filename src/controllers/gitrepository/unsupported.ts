// Owns the refusal of GitRepository fields that are not done yet. It shrinks; when it is empty this file goes.
import type { GitRepositorySpec } from '../../api/source/gitrepository.ts';

/** What is not supported, without `spec.`; undefined when everything is. */
export function unsupportedField(spec: GitRepositorySpec): string | undefined {
  if (spec.provider === 'aws' || spec.provider === 'azure') return `provider ${spec.provider}`;
  return spec.serviceAccountName === undefined || spec.serviceAccountName === '' ? undefined : 'serviceAccountName';
}
