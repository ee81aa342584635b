// Owns the version of a built chart: build metadata that tells builds of one version apart (helm.md §22.2). Pure.
import type { HelmChart } from '../../api/source/helmchart.ts';
import { formatVersion, parseVersion } from '../../lib/semver.ts';
import type { ChartSource } from './ports.ts';

const SHORT = 12;

/** Values files that change the chart: the chart's own alone is none. */
export function valuesFilesOf({ spec }: HelmChart): readonly string[] {
  const files = [...(spec.valuesFile ? [spec.valuesFile] : []), ...(spec.valuesFiles ?? [])];
  const [only] = files;
  return files.length === 1 && only!.replace(/^(?:\.\/)+/, '') === 'values.yaml' ? [] : files;
}

/** The version of the artifact. Throws SemverError for a version that can carry no metadata. */
export function builtVersion(object: HelmChart, source: ChartSource, version: string): string {
  const parts = [revisionPart(object, source), generationPart(object)].filter((part) => part !== '');
  if (parts.length === 0) return version;
  return formatVersion({ ...parseVersion(version), metadata: parts.join('.') });
}

function revisionPart({ spec }: HelmChart, source: ChartSource): string {
  if (spec.reconcileStrategy !== 'Revision' || spec.sourceRef.kind === 'HelmRepository') return '';
  const revision = source.status?.artifact?.revision ?? '';
  return revision.slice(Math.max(revision.lastIndexOf(':'), revision.lastIndexOf('/')) + 1).slice(0, SHORT);
}

function generationPart(object: HelmChart): string {
  return valuesFilesOf(object).length === 0 ? '' : String(object.metadata.generation ?? 0);
}
