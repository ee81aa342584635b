// Owns the list of Kustomization fields that are not done yet. It shrinks; when it is empty this file goes.
import type { Kustomization, KustomizationSpec } from '../../api/kustomize/kustomization.ts';

const UNSUPPORTED: readonly (keyof KustomizationSpec)[] = ['decryption', 'healthCheckExprs', 'ignore', 'postBuild'];

/** The first field of the spec that is not supported, without `spec.`; undefined when there is none. */
export function unsupportedField(object: Kustomization): string | undefined {
  const spec = object.spec;
  if (spec === undefined) return undefined;
  const field = UNSUPPORTED.find((name) => isGiven(spec[name]));
  if (field !== undefined) return field;
  if (spec.kubeConfig?.configMapRef !== undefined) return 'kubeConfig.configMapRef';
  const expression = spec.dependsOn?.findIndex((dependency) => (dependency.readyExpr ?? '') !== '') ?? -1;
  return expression < 0 ? undefined : `dependsOn[${expression}].readyExpr`;
}

function isGiven(value: unknown): boolean {
  if (value === undefined || value === null || value === '') return false;
  return Array.isArray(value) ? value.length > 0 : true;
}
