// Owns turning a kustomization's fields into its built-in transformers, in the fixed order. All are configured before
// the first one runs.
import { buildError, withPrefix, wrapError } from '../errors.ts';
import type { TransformerConfig } from './config.ts';
import { formatGoConfig } from './config-text.ts';
import { type FieldSpec, mergeFieldSpecs } from './fieldspec.ts';
import { imagesTransformer } from './images.ts';
import type { Kustomization, LabelEntry } from './kustomization-fields.ts';
import { json6902Transformer, type PatchContext, patchTransformer, strategicMergeTransformer } from './patches.ts';
import { loadReplacements } from './plugins.ts';
import { replacementTransformer } from './replacements.ts';
import {
  entriesTransformer,
  namespaceTransformer,
  renameTransformer,
  replicasTransformer,
  type Transformer,
} from './transform.ts';

/** A built-in transformer and the name that records give it. */
export interface NamedTransformer {
  readonly name: string;
  readonly run: Transformer;
}

/** The built-in transformers of a kustomization. */
export function configureTransformers(
  kustomization: Kustomization,
  config: TransformerConfig,
  context: PatchContext,
): readonly NamedTransformer[] {
  const steps: NamedTransformer[] = [];
  const add = (name: string, run: Transformer): void => {
    steps.push({ name, run });
  };
  configurePatches(kustomization, context, add);
  if (kustomization.namespace !== '') {
    const options = { specs: config.namespace, unsetOnly: false, subjects: 'defaultOnly' } as const;
    add('NamespaceTransformer', namespaceTransformer(kustomization.namespace, options));
  }
  if (kustomization.namePrefix !== '') {
    add('PrefixTransformer', renameTransformer('prefix', kustomization.namePrefix, config.namePrefix));
  }
  if (kustomization.nameSuffix !== '') {
    add('SuffixTransformer', renameTransformer('suffix', kustomization.nameSuffix, config.nameSuffix));
  }
  configureLabels(kustomization, config, add);
  if (kustomization.commonAnnotations.size > 0) {
    add('AnnotationsTransformer', entriesTransformer(kustomization.commonAnnotations, config.commonAnnotations));
  }
  for (const { target, path, patch } of kustomization.patchesJson6902) {
    const entry = { target, path, jsonOp: patch };
    add(
      'PatchJson6902Transformer',
      configure('PatchJson6902Transformer', entry, () => json6902Transformer(entry, context)),
    );
  }
  for (const entry of kustomization.replicas)
    add('ReplicaCountTransformer', replicasTransformer(entry, config.replicas));
  for (const entry of kustomization.images) add('ImageTagTransformer', imagesTransformer(entry, config.images));
  // Written down as configuration an empty list of targets is left out, and so is none at all.
  const replacements = kustomization.replacements.map((entry) =>
    entry.targets?.length === 0 ? { ...entry, targets: undefined } : entry,
  );
  if (replacements.length > 0) {
    const run = configure('ReplacementTransformer', { Replacements: replacements }, () =>
      replacementTransformer(loadReplacements(replacements, context.load)),
    );
    add('ReplacementTransformer', run);
  }
  return steps;
}

type Add = (name: string, run: Transformer) => void;

function configure(name: string, config: object, make: (text: string) => Transformer): Transformer {
  let text: string | undefined;
  try {
    return make((text = formatGoConfig(config)));
  } catch (error) {
    throw wrapError(error, `trouble configuring builtin ${name} with config: \`\n${text ?? ''}\``);
  }
}

function configurePatches(kustomization: Kustomization, context: PatchContext, add: Add): void {
  const { patchesStrategicMerge: merges, patches } = kustomization;
  if (merges.length > 0) {
    const run = configure('PatchStrategicMergeTransformer', { paths: merges }, () =>
      strategicMergeTransformer(merges, '', context),
    );
    add('PatchStrategicMergeTransformer', run);
  }
  for (const { path, patch, target, options } of patches) {
    const entry = { path, patch, target, options };
    const run = configure('PatchTransformer', entry, (text) => patchTransformer(entry, text, context));
    add('PatchTransformer', run);
  }
}

const OWN_LABELS: FieldSpec = { group: '', version: '', kind: '', path: 'metadata/labels', create: true };

function configureLabels(kustomization: Kustomization, config: TransformerConfig, add: Add): void {
  const { labels, commonLabels } = kustomization;
  for (const entry of labels) add('LabelTransformer', entriesTransformer(entry.pairs, labelSpecs(entry, config)));
  // One more runs for the common labels, even when there are none; it leaves a record only.
  if (labels.length > 0 || commonLabels.size > 0) {
    add('LabelTransformer', entriesTransformer(commonLabels, config.commonLabels));
  }
}

function labelSpecs(entry: LabelEntry, config: TransformerConfig): readonly FieldSpec[] {
  return withPrefix('failed to merge labels', () => {
    const specs = mergeFieldSpecs(entry.fields, config.labels);
    if (entry.includeSelectors) return mergeFieldSpecs(specs, config.commonLabels);
    if (!entry.includeTemplates) return mergeFieldSpecs(specs, [OWN_LABELS]);
    let withTemplates: readonly FieldSpec[];
    try {
      withTemplates = mergeFieldSpecs(specs, config.templateLabels);
    } catch {
      throw buildError('failed to merge template fieldSpec: conflicting fieldspecs');
    }
    return mergeFieldSpecs(withTemplates, [OWN_LABELS]);
  });
}
