// Owns the fields of a kustomization file as types. How each is decoded is field-decoders.ts; reading the file is
// kustomization.ts.
import type { JsonObject } from '../../../lib/json.ts';
import type { FieldSpec } from './fieldspec.ts';
import type { Gvk } from './resid.ts';

type StringMap = ReadonlyMap<string, string>;

/** Selects resources; empty parts match all. What the texts are (patterns or names) depends on the user of it. */
export interface Selector extends Gvk {
  readonly name: string;
  readonly namespace: string;
  readonly annotationSelector: string;
  readonly labelSelector: string;
}

export interface PatchEntry {
  readonly path: string;
  readonly patch: string;
  readonly target: Selector | undefined;
  readonly options: { readonly allowNameChange: boolean; readonly allowKindChange: boolean } | undefined;
}

export interface LabelEntry {
  readonly pairs: StringMap;
  readonly includeSelectors: boolean;
  readonly includeTemplates: boolean;
  readonly fields: readonly FieldSpec[];
}

export interface ImageEntry {
  readonly name: string;
  readonly newName: string;
  readonly tagSuffix: string;
  readonly newTag: string;
  readonly digest: string;
}

export interface ReplicaEntry {
  readonly name: string;
  readonly count: bigint;
}

export interface FieldOptions {
  readonly delimiter: string;
  readonly index: bigint;
  readonly encoding: string;
  readonly create: boolean;
}

export interface ReplacementSource extends Gvk {
  readonly name: string;
  readonly namespace: string;
  readonly fieldPath: string;
  readonly options: FieldOptions | undefined;
}

export interface ReplacementTarget {
  readonly select: Selector | undefined;
  readonly reject: readonly (Selector | undefined)[];
  readonly fieldPaths: readonly string[];
  readonly options: FieldOptions | undefined;
}

export interface ReplacementEntry {
  readonly path: string;
  readonly source: ReplacementSource | undefined;
  readonly sourceValue: string | undefined;
  readonly targets: readonly ReplacementTarget[] | undefined;
}

export interface VarEntry {
  readonly name: string;
  readonly objref: Gvk & { readonly apiVersion: string; readonly name: string; readonly namespace: string };
  readonly fieldref: { readonly fieldPath: string };
}

export interface GeneratorOptions {
  readonly labels: StringMap;
  readonly annotations: StringMap;
  readonly disableNameSuffixHash: boolean;
  readonly immutable: boolean;
}

export interface GeneratorArgs {
  readonly namespace: string;
  readonly name: string;
  readonly behavior: string;
  readonly literals: readonly string[];
  readonly files: readonly string[];
  readonly envs: readonly string[];
  readonly env: string;
  readonly options: GeneratorOptions | undefined;
  /** Of Secrets only. */
  readonly type: string;
}

/** A helm chart to inflate, as written; `values` and the rest are the helm generator's affair. */
export interface HelmChartEntry {
  readonly name: string;
  readonly version: string;
  readonly repo: string;
  readonly releaseName: string;
  readonly namespace: string;
  readonly additionalValuesFiles: readonly string[];
  readonly valuesFile: string;
  readonly valuesInline: JsonObject | undefined;
  readonly valuesMerge: string;
  readonly includeCRDs: boolean;
  readonly skipHooks: boolean;
  readonly apiVersions: readonly string[];
  readonly kubeVersion: string;
  readonly nameTemplate: string;
  readonly skipTests: boolean;
  readonly debug: boolean;
  readonly devel: boolean;
}

export interface HelmGlobals {
  readonly chartHome: string;
  readonly configHome: string;
}

export interface LegacyHelmChart {
  readonly chartName: string;
  readonly chartVersion: string;
  readonly chartRepoUrl: string;
  readonly chartHome: string;
  readonly chartRepoName: string;
  readonly helmBin: string;
  readonly helmHome: string;
  readonly values: string;
  readonly valuesLocal: JsonObject | undefined;
  readonly valuesMerge: string;
  readonly releaseName: string;
  readonly releaseNamespace: string;
  readonly extraArgs: readonly string[];
}

export interface SortOptions {
  readonly order: string;
  readonly legacySortOptions:
    | { readonly orderFirst: readonly string[]; readonly orderLast: readonly string[] }
    | undefined;
}

export interface ObjectMeta {
  readonly name: string;
  readonly namespace: string;
  readonly labels: StringMap;
  readonly annotations: StringMap;
}

/** A kustomization file after the legacy fields were moved. */
export interface Kustomization {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMeta | undefined;
  readonly openapi: StringMap;
  readonly namePrefix: string;
  readonly nameSuffix: string;
  readonly namespace: string;
  readonly commonLabels: StringMap;
  readonly labels: readonly LabelEntry[];
  readonly commonAnnotations: StringMap;
  readonly patchesStrategicMerge: readonly string[];
  readonly patchesJson6902: readonly PatchEntry[];
  readonly patches: readonly PatchEntry[];
  readonly images: readonly ImageEntry[];
  readonly imageTags: readonly ImageEntry[];
  readonly replacements: readonly ReplacementEntry[];
  readonly replicas: readonly ReplicaEntry[];
  readonly vars: readonly VarEntry[];
  readonly sortOptions: SortOptions | undefined;
  readonly resources: readonly string[];
  readonly components: readonly string[];
  readonly crds: readonly string[];
  readonly bases: readonly string[];
  readonly configMapGenerator: readonly GeneratorArgs[];
  readonly secretGenerator: readonly GeneratorArgs[];
  readonly helmGlobals: HelmGlobals | undefined;
  readonly helmCharts: readonly HelmChartEntry[];
  readonly helmChartInflationGenerator: readonly LegacyHelmChart[];
  readonly generatorOptions: GeneratorOptions | undefined;
  readonly configurations: readonly string[];
  readonly generators: readonly string[];
  readonly transformers: readonly string[];
  readonly validators: readonly string[];
  readonly buildMetadata: readonly string[];
}
