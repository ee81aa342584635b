// Owns the fields of a kustomization file: their types and how each is decoded. Reading the file is kustomization.ts.
import type { JsonObject } from '../../../lib/json.ts';
import { fieldSpecDecoder } from './config.ts';
import {
  arrayOf,
  booleanDecoder,
  type Decoder,
  intOf,
  mapOf,
  objectDecoder,
  objectOf,
  optional,
  stringDecoder,
  stringOf,
} from './decode.ts';
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

interface ObjectMeta {
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

const string = stringDecoder;
const strings = arrayOf(string);
const boolean = booleanDecoder;
const stringMap = mapOf(string);
const gvk = { group: string, version: string, kind: string };

const EMBEDDED_GVK = { group: 'Gvk', version: 'Gvk', kind: 'Gvk' };
const EMBEDDED_ID = {
  group: 'ResId.Gvk',
  version: 'ResId.Gvk',
  kind: 'ResId.Gvk',
  name: 'ResId',
  namespace: 'ResId',
};

export const selectorDecoder: Decoder<Selector> = objectOf(
  'Selector',
  { ...gvk, name: string, namespace: string, annotationSelector: string, labelSelector: string },
  EMBEDDED_ID,
);

const patchOptions = objectOf<NonNullable<PatchEntry['options']>>('PatchArgs', {
  allowNameChange: boolean,
  allowKindChange: boolean,
});

export const patchDecoder: Decoder<PatchEntry> = objectOf('Patch', {
  path: string,
  patch: string,
  target: optional(selectorDecoder),
  options: optional(patchOptions),
});

export const imageDecoder: Decoder<ImageEntry> = objectOf('Image', {
  name: string,
  newName: string,
  tagSuffix: string,
  newTag: string,
  digest: string,
});

export const replicaDecoder: Decoder<ReplicaEntry> = objectOf('Replica', { name: string, count: intOf('int64') });

const fieldOptions = objectOf<FieldOptions>('FieldOptions', {
  delimiter: string,
  index: intOf('int'),
  encoding: string,
  create: boolean,
});

const replacementTarget = objectOf<ReplacementTarget>('TargetSelector', {
  select: optional(selectorDecoder),
  reject: arrayOf(optional(selectorDecoder)),
  fieldPaths: strings,
  options: optional(fieldOptions),
});

const replacementSource = objectOf<ReplacementSource>(
  'SourceSelector',
  { ...gvk, name: string, namespace: string, fieldPath: string, options: optional(fieldOptions) },
  EMBEDDED_ID,
);

export const replacementDecoder: Decoder<ReplacementEntry> = objectOf(
  'ReplacementField',
  {
    path: string,
    source: optional(replacementSource),
    sourceValue: optional(string),
    targets: optional(arrayOf(replacementTarget)),
  },
  { source: 'Replacement', sourceValue: 'Replacement', targets: 'Replacement' },
);

const varDecoder = objectOf<VarEntry>('Var', {
  name: string,
  objref: objectOf<VarEntry['objref']>(
    'Target',
    { ...gvk, apiVersion: string, name: string, namespace: string },
    EMBEDDED_GVK,
  ),
  fieldref: objectOf<VarEntry['fieldref']>('FieldSelector', { fieldPath: string }),
});

const generatorOptionsDecoder: Decoder<GeneratorOptions> = objectOf('GeneratorOptions', {
  labels: stringMap,
  annotations: stringMap,
  disableNameSuffixHash: boolean,
  immutable: boolean,
});

const kvFields = { literals: strings, files: strings, envs: strings, env: string };
const EMBEDDED_ARGS = {
  namespace: 'GeneratorArgs',
  name: 'GeneratorArgs',
  behavior: 'GeneratorArgs',
  options: 'GeneratorArgs',
  literals: 'GeneratorArgs.KvPairSources',
  files: 'GeneratorArgs.KvPairSources',
  envs: 'GeneratorArgs.KvPairSources',
  env: 'GeneratorArgs.KvPairSources',
};
const noType: Decoder<string> = { zero: '', goType: 'string', decode: () => '' };

function generatorArgs(structName: string, type: Decoder<string>): Decoder<GeneratorArgs> {
  const fields = {
    namespace: string,
    name: string,
    behavior: string,
    ...kvFields,
    options: optional(generatorOptionsDecoder),
  };
  if (type !== noType) return objectOf<GeneratorArgs>(structName, { ...fields, type }, EMBEDDED_ARGS);
  const decoder = objectOf<Omit<GeneratorArgs, 'type'>>(structName, fields, EMBEDDED_ARGS);
  return {
    zero: { ...decoder.zero, type: '' },
    goType: decoder.goType,
    decode: (value, context) => ({ ...decoder.decode(value, context), type: '' }),
  };
}

export const configMapArgsDecoder = generatorArgs('ConfigMapArgs', noType);
export const secretArgsDecoder = generatorArgs('SecretArgs', string);

export const helmGlobalsDecoder: Decoder<HelmGlobals> = objectOf('HelmGlobals', {
  chartHome: string,
  configHome: string,
});

const helmChartFields = {
  name: string,
  version: string,
  repo: string,
  releaseName: string,
  namespace: string,
  additionalValuesFiles: strings,
  valuesFile: string,
  valuesInline: objectDecoder,
  valuesMerge: string,
  includeCRDs: boolean,
  skipHooks: boolean,
  apiVersions: strings,
  kubeVersion: string,
  nameTemplate: string,
  skipTests: boolean,
  debug: boolean,
  devel: boolean,
};

export const helmChartDecoder: Decoder<HelmChartEntry> = objectOf('HelmChart', helmChartFields);

const legacyHelmChart = objectOf<LegacyHelmChart>('HelmChartArgs', {
  chartName: string,
  chartVersion: string,
  chartRepoUrl: string,
  chartHome: string,
  chartRepoName: string,
  helmBin: string,
  helmHome: string,
  values: string,
  valuesLocal: objectDecoder,
  valuesMerge: string,
  releaseName: string,
  releaseNamespace: string,
  extraArgs: strings,
});

const sortOptions = objectOf<SortOptions>('SortOptions', {
  order: stringOf('types.SortOrder'),
  legacySortOptions: optional(
    objectOf<NonNullable<SortOptions['legacySortOptions']>>('LegacySortOptions', {
      orderFirst: strings,
      orderLast: strings,
    }),
  ),
});

export const objectMetaDecoder: Decoder<ObjectMeta> = objectOf('ObjectMeta', {
  name: string,
  namespace: string,
  labels: stringMap,
  annotations: stringMap,
});

export const kustomizationDecoder = objectOf<Kustomization>(
  'Kustomization',
  {
    apiVersion: string,
    kind: string,
    metadata: optional(objectMetaDecoder),
    openapi: stringMap,
    namePrefix: string,
    nameSuffix: string,
    namespace: string,
    commonLabels: stringMap,
    labels: arrayOf(
      objectOf<LabelEntry>('Label', {
        pairs: stringMap,
        includeSelectors: boolean,
        includeTemplates: boolean,
        fields: arrayOf(fieldSpecDecoder),
      }),
    ),
    commonAnnotations: stringMap,
    patchesStrategicMerge: arrayOf(stringOf('types.PatchStrategicMerge')),
    patchesJson6902: arrayOf(patchDecoder),
    patches: arrayOf(patchDecoder),
    images: arrayOf(imageDecoder),
    imageTags: arrayOf(imageDecoder),
    replacements: arrayOf(replacementDecoder),
    replicas: arrayOf(replicaDecoder),
    vars: arrayOf(varDecoder),
    sortOptions: optional(sortOptions),
    resources: strings,
    components: strings,
    crds: strings,
    bases: strings,
    configMapGenerator: arrayOf(configMapArgsDecoder),
    secretGenerator: arrayOf(secretArgsDecoder),
    helmGlobals: optional(helmGlobalsDecoder),
    helmCharts: arrayOf(helmChartDecoder),
    helmChartInflationGenerator: arrayOf(legacyHelmChart),
    generatorOptions: optional(generatorOptionsDecoder),
    configurations: strings,
    generators: strings,
    transformers: strings,
    validators: strings,
    buildMetadata: strings,
  },
  { apiVersion: 'TypeMeta', kind: 'TypeMeta' },
);
