// Owns the HelmChart kind: types, schema, reasons, columns (flux.md §3.4, §5; helm.md §22.2). How it is reconciled is
// controllers/helmchart.
import { ageColumn, readyColumn, statusColumn } from '../kind.ts';
import type { LocalObjectReference } from '../meta/object.ts';
import { boolean, duration, list, object, type Schema, string } from '../schema.ts';
import { artifact } from './artifact.ts';
import { type OciVerification, type SourceObject, type SourceStatus, sourceReasons } from './source-object.ts';
import { accessFrom, ociVerification, sourceKind, sourceStatus, unusedUrl } from './source-schema.ts';

export type HelmChartSourceKind = 'HelmRepository' | 'GitRepository' | 'Bucket';

/** The source of a chart, in the chart's own namespace. */
export interface HelmChartSourceReference extends LocalObjectReference {
  readonly apiVersion?: string;
  readonly kind: HelmChartSourceKind;
}

export interface HelmChartSpec {
  /** Name of the chart in a HelmRepository, path of its folder or archive in the other sources. */
  readonly chart: string;
  /** Version or range; without effect for GitRepository and Bucket. @default '*' */
  readonly version?: string;
  readonly sourceRef: HelmChartSourceReference;
  readonly interval: string;
  /** Whether a new revision of the source with the same chart version makes a new artifact. @default 'ChartVersion' */
  readonly reconcileStrategy?: 'ChartVersion' | 'Revision';
  readonly valuesFiles?: readonly string[];
  /** v1beta2's one values file, before `valuesFiles`. */
  readonly valuesFile?: string;
  readonly ignoreMissingValuesFiles?: boolean;
  readonly suspend?: boolean;
  readonly verify?: OciVerification;
}

export interface HelmChartStatus extends SourceStatus {
  readonly observedChartName?: string;
  readonly observedSourceArtifactRevision?: string;
  readonly observedValuesFiles?: readonly string[];
}

export type HelmChart = SourceObject<'HelmChart', HelmChartSpec, HelmChartStatus>;

// A new chart is told with the reason of how it came.
const { newArtifact: _newArtifact, ...withoutNewArtifact } = sourceReasons;

/** Reasons of HelmChart conditions and events (helm.md §22.2). */
export const helmChartReasons = {
  ...withoutNewArtifact,
  chartPullSucceeded: 'ChartPullSucceeded',
  chartPackageSucceeded: 'ChartPackageSucceeded',
  sourceUnavailable: 'SourceUnavailable',
  noSourceArtifact: 'NoSourceArtifact',
  invalidChartReference: 'InvalidChartReference',
  chartPullError: 'ChartPullError',
  metadataPatchError: 'MetadataPatchError',
  valuesFilesError: 'ValuesFilesError',
  dependencyBuildError: 'DependencyBuildError',
  chartPackageError: 'ChartPackageError',
  chartVerificationError: 'ChartVerificationError',
  verificationError: 'VerificationError',
} as const;

const sourceRef = object(
  'Where the chart is.',
  {
    apiVersion: string('API version of the referent.'),
    kind: string('Kind of the referent.', { enum: ['HelmRepository', 'GitRepository', 'Bucket'] }),
    name: string('Name of the referent.'),
  },
  ['kind', 'name'],
);

const common: { readonly [name: string]: Schema } = {
  chart: string('Name of the chart in a HelmRepository, or its path in another source.'),
  ignoreMissingValuesFiles: boolean('Pass over values files that are not there.'),
  interval: duration('How often the source is looked at for a new version.'),
  reconcileStrategy: string('What makes a new artifact: a new chart version, or any new revision of the source.', {
    default: 'ChartVersion',
    enum: ['ChartVersion', 'Revision'],
  }),
  sourceRef,
  suspend: boolean('Stop looking; the artifact stays and is still served.'),
  valuesFiles: list('Values files that become values.yaml of the chart, later ones winning.', { type: 'string' }),
  verify: ociVerification(),
  version: string('Version or range of versions; the highest is taken. Only for charts of a HelmRepository.', {
    default: '*',
  }),
};

const valuesFile = string('One values file, before valuesFiles. Deprecated: valuesFiles has it too.');
const required = ['chart', 'interval', 'sourceRef'];

const what = 'Which chart, and how it is packaged.';

const status = sourceStatus({
  artifact: artifact('The stored chart.'),
  observedChartName: string('Name of the chart as its own metadata says it.'),
  observedSourceArtifactRevision: string('Revision of the source that the chart was made of.'),
  observedValuesFiles: list('Values files that were merged into the chart.', { type: 'string' }),
  url: unusedUrl,
});

export const helmChartKind = sourceKind({
  kind: 'HelmChart',
  plural: 'helmcharts',
  singular: 'helmchart',
  shortNames: ['hc'],
  columns: [
    { name: 'Chart', type: 'string', jsonPath: '.spec.chart' },
    { name: 'Version', type: 'string', jsonPath: '.spec.version' },
    { name: 'Source Kind', type: 'string', jsonPath: '.spec.sourceRef.kind' },
    { name: 'Source Name', type: 'string', jsonPath: '.spec.sourceRef.name' },
    ageColumn,
    readyColumn,
    statusColumn,
  ],
  description: 'A Helm chart that is fetched or packaged and kept as an artifact for releases to use.',
  v1: {
    // What is written as v1beta2 is stored as v1 and must not lose its values file on the way.
    spec: object(what, { ...common, valuesFile }, required, {
      'x-kubernetes-validations': [
        {
          message: "spec.verify is only supported when spec.sourceRef.kind is 'HelmRepository'",
          rule: "!has(self.verify) || self.sourceRef.kind == 'HelmRepository'",
        },
      ],
    }),
    status,
  },
  v1beta2: { spec: object(what, { ...common, accessFrom: accessFrom(), valuesFile }, required), status },
});
