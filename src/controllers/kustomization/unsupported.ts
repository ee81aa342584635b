// Owns the refusal of Kustomization fields that are not done yet. It shrinks; when it is empty this file goes.
import type { Kustomization } from '../../api/kustomize/kustomization.ts';

/** The first field of the spec that is not supported, without `spec.`; undefined when there is none. */
export function unsupportedField({ spec }: Kustomization): string | undefined {
  if (spec?.kubeConfig?.configMapRef !== undefined) return 'kubeConfig.configMapRef';
  return spec?.decryption?.serviceAccountName ? 'decryption.serviceAccountName' : undefined;
}
