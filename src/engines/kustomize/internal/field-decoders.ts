// Owns how each field of a kustomization file is decoded. What the fields are is kustomization-fields.ts.
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
import type {
  FieldOptions,
  GeneratorArgs,
  GeneratorOptions,
  HelmChartEntry,
  HelmGlobals,
  ImageEntry,
  Kustomization,
  LabelEntry,
  LegacyHelmChart,
  ObjectMeta,
  PatchEntry,
  ReplacementEntry,
  ReplacementSource,
  ReplacementTarget,
  ReplicaEntry,
  Selector,
  SortOptions,
  VarEntry,
} from './kustomization-fields.ts';

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
