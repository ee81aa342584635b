// Owns built-in generators and transformers that are configured by files of their own (`generators`, `transformers`,
// `validators`). Plugins that would run other people's code are refused.
import { posix } from 'node:path';
import { buildError, wrapError } from '../errors.ts';
import { fieldSpecDecoder } from './config.ts';
import {
  arrayOf,
  booleanDecoder,
  type Decoder,
  decodeLoose,
  intOf,
  mapOf,
  objectOf,
  optional,
  stringDecoder,
} from './decode.ts';
import {
  configMapArgsDecoder,
  helmChartDecoder,
  helmGlobalsDecoder,
  imageDecoder,
  objectMetaDecoder,
  patchDecoder,
  replacementDecoder,
  replicaDecoder,
  secretArgsDecoder,
  selectorDecoder,
} from './field-decoders.ts';
import type { FieldSpec } from './fieldspec.ts';
import { type GeneratedKind, generateObject, hashSuffix } from './generate.ts';
import { imagesTransformer } from './images.ts';
import type { GeneratorArgs, HelmChartEntry, HelmGlobals, ReplacementEntry, Selector } from './kustomization-fields.ts';
import { resourceToYaml } from './output.ts';
import { json6902Transformer, type PatchContext, patchTransformer, strategicMergeTransformer } from './patches.ts';
import { readResources } from './read.ts';
import { replacementTransformer } from './replacements.ts';
import { formatGvk, formatResId } from './resid.ts';
import { type ResMap, touch } from './resmap.ts';
import {
  annotation,
  gvkOf,
  isEnabled,
  nameOf,
  originalId,
  type Resource,
  setName,
  storePreviousId,
} from './resource.ts';
import {
  createNamespaceWriter,
  entriesTransformer,
  namespaceTransformer,
  parseSubjectMode,
  renameTransformer,
  replicasTransformer,
  type Transformer,
} from './transform.ts';
import { addValueTransformer, type ValueTarget } from './value-add.ts';
import { readYamlValue } from './yaml.ts';

/** What plugins are configured with. */
export interface PluginContext extends PatchContext {
  readonly root: string;
  /** Renders a chart to resources. */
  readonly inflate: (chart: HelmChartEntry, globals: HelmGlobals) => Resource[];
}

/** A configured step that makes resources. */
export type Generator = () => Resource[];

/** A configured plugin: one of the two. */
export type Plugin = { readonly generate: Generator } | { readonly transform: Transformer };

const strings = arrayOf(stringDecoder);
const specs = arrayOf(fieldSpecDecoder);
const stringMap = mapOf(stringDecoder);

type Configure = (config: string, context: PluginContext) => Plugin;

function transformerOf<T extends object>(
  name: string,
  fields: { readonly [Field in keyof T]-?: Decoder<T[Field]> },
  make: (config: T, context: PluginContext, text: string) => Transformer,
): Configure {
  const decoder = objectOf<T>(name, fields);
  return (text, context) => ({ transform: make(decodeLoose(text, decoder), context, text) });
}

function requireSpecs(found: readonly FieldSpec[] | undefined): readonly FieldSpec[] {
  if (found === undefined) throw buildError('fieldSpecs is not expected to be nil');
  return found;
}

function generatorOf(kind: GeneratedKind, decoder: Decoder<GeneratorArgs>): Configure {
  const metadata = objectOf<{ metadata: { name: string; namespace: string } | undefined }>('ObjectMeta', {
    metadata: optional(objectMetaDecoder),
  });
  return (text, context) => {
    const args = decodeLoose(text, decoder);
    const own = decodeLoose(text, metadata).metadata;
    const named = {
      ...args,
      name: args.name || (own?.name ?? ''),
      namespace: args.namespace || (own?.namespace ?? ''),
    };
    return { generate: () => [generateObject(kind, named, { load: context.loadBytes, scopes: context.scopes })] };
  };
}

const configurers: Readonly<Record<string, Configure>> = {
  ConfigMapGenerator: generatorOf('ConfigMap', configMapArgsDecoder),
  SecretGenerator: generatorOf('Secret', secretArgsDecoder),
  HelmChartInflationGenerator: (text, context) => {
    const chart = decodeLoose(text, helmChartDecoder);
    const globals = decodeLoose(text, helmGlobalsDecoder);
    return { generate: () => context.inflate(chart, globals) };
  },
  IAMPolicyGenerator: configureIamPolicy,
  HashTransformer: () => ({ transform: addHashes }),
  AnnotationsTransformer: transformerOf(
    'AnnotationsTransformerPlugin',
    { annotations: stringMap, fieldSpecs: specs },
    (config) => entriesTransformer(config.annotations, config.fieldSpecs),
  ),
  LabelTransformer: transformerOf('LabelTransformerPlugin', { labels: stringMap, fieldSpecs: specs }, (config) =>
    entriesTransformer(config.labels, config.fieldSpecs),
  ),
  ImageTagTransformer: transformerOf(
    'ImageTagTransformerPlugin',
    { imageTag: imageDecoder, fieldSpecs: specs },
    (config) => imagesTransformer(config.imageTag, config.fieldSpecs),
  ),
  NamespaceTransformer: transformerOf(
    'NamespaceTransformerPlugin',
    {
      metadata: optional(objectMetaDecoder),
      fieldSpecs: specs,
      unsetOnly: booleanDecoder,
      setRoleBindingSubjects: stringDecoder,
    },
    (config) =>
      namespaceTransformer(config.metadata?.namespace ?? '', {
        specs: config.fieldSpecs,
        unsetOnly: config.unsetOnly,
        subjects: parseSubjectMode(config.setRoleBindingSubjects),
      }),
  ),
  PrefixTransformer: transformerOf(
    'PrefixTransformerPlugin',
    { prefix: stringDecoder, fieldSpecs: optional(specs) },
    (config) => renameTransformer('prefix', config.prefix, requireSpecs(config.fieldSpecs)),
  ),
  SuffixTransformer: transformerOf(
    'SuffixTransformerPlugin',
    { suffix: stringDecoder, fieldSpecs: optional(specs) },
    (config) => renameTransformer('suffix', config.suffix, requireSpecs(config.fieldSpecs)),
  ),
  PrefixSuffixTransformer: transformerOf(
    'PrefixTransformerPlugin',
    { prefix: stringDecoder, suffix: stringDecoder, fieldSpecs: optional(specs) },
    (config) => {
      const used = requireSpecs(config.fieldSpecs);
      const prefix = renameTransformer('prefix', config.prefix, used);
      const suffix = renameTransformer('suffix', config.suffix, used);
      return (map) => {
        prefix(map);
        suffix(map);
      };
    },
  ),
  PatchTransformer: (text, context) => ({
    transform: patchTransformer(decodeLoose(text, patchDecoder), text, context),
  }),
  PatchStrategicMergeTransformer: transformerOf(
    'PatchStrategicMergeTransformerPlugin',
    { paths: strings, patches: stringDecoder },
    (config, context) => strategicMergeTransformer(config.paths, config.patches, context),
  ),
  PatchJson6902Transformer: transformerOf(
    'PatchJson6902TransformerPlugin',
    { target: optional(selectorDecoder), path: stringDecoder, jsonOp: stringDecoder },
    (config, context) => json6902Transformer(config, context),
  ),
  ReplacementTransformer: transformerOf(
    'ReplacementTransformerPlugin',
    { replacements: arrayOf(replacementDecoder) },
    (config, context) => replacementTransformer(loadReplacements(config.replacements, context.load)),
  ),
  ReplicaCountTransformer: transformerOf(
    'ReplicaCountTransformerPlugin',
    { replica: replicaDecoder, fieldSpecs: specs },
    (config) => replicasTransformer(config.replica, config.fieldSpecs),
  ),
  ValueAddTransformer: configureValueAdd,
};

/** Replacements with those behind a `path` in place; a file holds one or a list. */
export function loadReplacements(
  entries: readonly ReplacementEntry[],
  load: (path: string) => string,
): readonly ReplacementEntry[] {
  return entries.flatMap((entry) => {
    if (entry.path === '') return [entry];
    if (entry.source !== undefined || (entry.targets?.length ?? 0) > 0) {
      throw buildError('cannot specify both path and inline replacement');
    }
    const text = load(entry.path);
    const value = readYamlValue(text, false);
    if (Array.isArray(value)) return decodeLoose(text, arrayOf(replacementDecoder));
    if (typeof value === 'object' && value !== null) return [decodeLoose(text, replacementDecoder)];
    const kinds: Readonly<Record<string, string>> = {
      string: 'string',
      boolean: 'bool',
      number: 'float64',
      bigint: 'int64',
    };
    const kind = kinds[typeof value] ?? 'invalid';
    throw buildError(`unsupported replacement type encountered within replacement path: ${kind}`);
  });
}

/** Adds the hash of their content to the names of generated objects. */
export function addHashes(map: ResMap): void {
  let changed = false;
  for (const resource of map.resources) {
    if (!isEnabled(resource.node, annotation.needsHashSuffix)) continue;
    const hash = hashSuffix(resource.node!);
    storePreviousId(resource);
    setName(resource.node!, `${nameOf(resource.node)}-${hash}`);
    changed = true;
  }
  if (changed) touch(map);
}

function configureIamPolicy(text: string, context: PluginContext): Plugin {
  const config = decodeLoose(
    text,
    objectOf<{
      cloud: string;
      kubernetesService: { name: string; namespace: string };
      serviceAccount: { name: string; projectId: string };
    }>('IAMPolicyGeneratorArgs', {
      cloud: stringDecoder,
      kubernetesService: objectOf('KubernetesService', { name: stringDecoder, namespace: stringDecoder }),
      serviceAccount: objectOf('ServiceAccount', { name: stringDecoder, projectId: stringDecoder }),
    }),
  );
  return {
    generate: () => {
      if (config.cloud !== 'gke') throw buildError(`cloud provider ${config.cloud} not supported yet`);
      const { kubernetesService: service, serviceAccount: account } = config;
      const lines = [
        'apiVersion: v1',
        'kind: ServiceAccount',
        'metadata:',
        '  annotations:',
        `    iam.gke.io/gcp-service-account: ${account.name}@${account.projectId}.iam.gserviceaccount.com`,
        `  name: ${service.name}`,
      ];
      if (service.namespace !== '') lines.push(`  namespace: ${service.namespace}`);
      return readResources(`${lines.join('\n')}\n`, context.scopes);
    },
  };
}

interface ValueTargetConfig {
  readonly selector: Selector | undefined;
  readonly fieldPath: string;
  readonly filePathPosition: bigint;
}

function configureValueAdd(text: string, context: PluginContext): Plugin {
  const targets = arrayOf(
    objectOf<ValueTargetConfig>('Target', {
      selector: optional(selectorDecoder),
      fieldPath: stringDecoder,
      filePathPosition: intOf('int'),
    }),
  );
  const config = decodeLoose(
    text,
    objectOf<{ value: string; targets: readonly ValueTargetConfig[]; targetFilePath: string }>(
      'ValueAddTransformerPlugin',
      {
        value: stringDecoder,
        targets,
        targetFilePath: stringDecoder,
      },
    ),
  );
  const value = config.value.trim() || posix.basename(context.root);
  const all = [...config.targets];
  if (config.targetFilePath !== '') {
    const file = objectOf<{ targets: readonly ValueTargetConfig[] }>('', { targets });
    all.push(...decodeLoose(context.load(config.targetFilePath), file).targets);
  }
  if (all.length === 0) throw buildError('must specify at least one target');
  for (const target of all) {
    if (target.fieldPath === '') throw buildError('fieldPath cannot be empty');
    if (target.filePathPosition < 0n) {
      throw buildError(`value of FilePathPosition (${target.filePathPosition}) cannot be negative`);
    }
  }
  const settled = all.map((target): ValueTarget => ({ ...target, filePathPosition: Number(target.filePathPosition) }));
  const writeNamespace = createNamespaceWriter(value, { specs: [], unsetOnly: false, subjects: 'defaultOnly' });
  return { transform: addValueTransformer(value, settled, writeNamespace) };
}

/** Configures the plugin that a resource describes. `wanted` is what the field it stands in takes. */
export function loadPlugin(resource: Resource, wanted: 'generator' | 'transformer', context: PluginContext): Plugin {
  const gvk = gvkOf(resource.node);
  const id = originalId(resource);
  if (gvk.group !== '' || gvk.version !== 'builtin') {
    throw buildError(`external plugins disabled; unable to load external plugin '${id.kind}'`, 'NotSupported');
  }
  const configure = Object.hasOwn(configurers, gvk.kind) ? configurers[gvk.kind]! : undefined;
  if (configure === undefined) throw buildError(`unable to load builtin ${formatGvk(gvk)}`, 'NotSupported');
  let plugin: Plugin;
  try {
    plugin = configure(resourceToYaml(resource), context);
  } catch (error) {
    throw wrapError(error, `plugin ${formatResId(id)} fails configuration`);
  }
  if ((wanted === 'generator') !== 'generate' in plugin) throw buildError(`plugin ${formatResId(id)} not a ${wanted}`);
  return plugin;
}
