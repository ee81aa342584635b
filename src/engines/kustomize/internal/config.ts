// Owns the transformer configuration: which field specs each transformer uses, read from `configurations` files and
// merged down the tree of kustomizations.
import { withPrefix } from '../errors.ts';
import { arrayOf, booleanDecoder, type Decoder, decodeLoose, objectOf, stringDecoder } from './decode.ts';
import { defaultFieldSpecs } from './default-config.ts';
import { type FieldSpec, mergeFieldSpecs, sortFieldSpecs } from './fieldspec.ts';
import { compareGvk, type Gvk, gvkEquals } from './resid.ts';

/** Fields that hold the name of an object of some type. */
export interface NameReference extends Gvk {
  readonly referrers: readonly FieldSpec[];
}

/** Field specs of each transformer. */
export interface TransformerConfig {
  readonly namePrefix: readonly FieldSpec[];
  readonly nameSuffix: readonly FieldSpec[];
  readonly namespace: readonly FieldSpec[];
  readonly commonLabels: readonly FieldSpec[];
  readonly labels: readonly FieldSpec[];
  readonly templateLabels: readonly FieldSpec[];
  readonly commonAnnotations: readonly FieldSpec[];
  readonly nameReference: readonly NameReference[];
  readonly varReference: readonly FieldSpec[];
  readonly images: readonly FieldSpec[];
  readonly replicas: readonly FieldSpec[];
}

/** Lists of specs in the order in which merging them reports conflicts, with the name that the report gives them. */
const LISTS = [
  ['namePrefix', 'NamePrefix'],
  ['nameSuffix', 'NameSuffix'],
  ['namespace', 'NameSpace'],
  ['commonAnnotations', 'CommonAnnotations'],
  ['commonLabels', 'CommonLabels'],
  ['labels', 'Labels'],
  ['templateLabels', 'TemplateLabels'],
  ['varReference', 'VarReference'],
  ['images', 'Images'],
  ['replicas', 'Replicas'],
] as const;

export const emptyConfig: TransformerConfig = {
  namePrefix: [],
  nameSuffix: [],
  namespace: [],
  commonLabels: [],
  labels: [],
  templateLabels: [],
  commonAnnotations: [],
  nameReference: [],
  varReference: [],
  images: [],
  replicas: [],
};

function sorted(config: TransformerConfig): TransformerConfig {
  const result: Record<string, unknown> = {};
  for (const [field] of LISTS) result[field] = sortFieldSpecs(config[field]);
  result['nameReference'] = [...config.nameReference].sort(compareGvk);
  return result as unknown as TransformerConfig;
}

/** The built-in configuration. */
export const defaultConfig: TransformerConfig = sorted(defaultFieldSpecs);

/** Adds one configuration to another. Throws on specs that differ only in whether they create. */
export function mergeConfig(config: TransformerConfig, added: TransformerConfig): TransformerConfig {
  // Most kustomizations bring the defaults only.
  if (added === config || added === emptyConfig) return config;
  if (config === emptyConfig && added === defaultConfig) return added;
  const merged: Record<string, unknown> = {};
  for (const [field, name] of LISTS.slice(0, 8)) {
    merged[field] = withPrefix(`failed to merge ${name} fieldSpec`, () => mergeFieldSpecs(config[field], added[field]));
  }
  merged['nameReference'] = withPrefix('failed to merge NameReference fieldSpec', () =>
    mergeNameReferences(config.nameReference, added.nameReference),
  );
  for (const [field, name] of LISTS.slice(8)) {
    merged[field] = withPrefix(`failed to merge ${name} fieldSpec`, () => mergeFieldSpecs(config[field], added[field]));
  }
  return sorted(merged as unknown as TransformerConfig);
}

function mergeNameReferences(
  references: readonly NameReference[],
  added: readonly NameReference[],
): readonly NameReference[] {
  const result = [...references];
  for (const one of added) {
    const at = result.findIndex((known) => gvkEquals(known, one));
    if (at < 0) result.push(one);
    else result[at] = { ...result[at]!, referrers: mergeFieldSpecs(result[at]!.referrers, one.referrers) };
  }
  return result;
}

const gvkFields = { group: stringDecoder, version: stringDecoder, kind: stringDecoder };

/** Decoder of a field spec as a file spells it. */
export const fieldSpecDecoder: Decoder<FieldSpec> = objectOf(
  'FieldSpec',
  { ...gvkFields, path: stringDecoder, create: booleanDecoder },
  { group: 'Gvk', version: 'Gvk', kind: 'Gvk' },
);

const specsDecoder = arrayOf(fieldSpecDecoder);

interface ConfigFile extends Omit<TransformerConfig, 'nameReference'> {
  readonly nameReference: readonly (Gvk & { readonly fieldSpecs: readonly FieldSpec[] })[];
}

const configDecoder: Decoder<ConfigFile> = objectOf('TransformerConfig', {
  ...(Object.fromEntries(LISTS.map(([field]) => [field, specsDecoder])) as Record<
    (typeof LISTS)[number][0],
    Decoder<readonly FieldSpec[]>
  >),
  nameReference: arrayOf(objectOf('NameBackReferences', { ...gvkFields, fieldSpecs: specsDecoder })),
});

/** Reads a `configurations` file. Unknown keys are refused. */
export function parseConfig(text: string): TransformerConfig {
  const file = decodeLoose(text, configDecoder, { strict: true });
  const references = file.nameReference.map(({ fieldSpecs, ...gvk }) => ({ ...gvk, referrers: fieldSpecs }));
  return sorted({ ...file, nameReference: references });
}
