// Owns the list of fields that are accepted by the schema and not done yet: they are refused by name.
import type { HelmRelease } from '../../api/helm/helmrelease.ts';

/** Path below `spec` of the first field that is not supported yet, or undefined. */
export function unsupportedField({ spec }: HelmRelease): string | undefined {
  if (spec?.chartRef?.kind === 'ExternalArtifact') return 'chartRef.kind ExternalArtifact';
  return undefined;
}
