// Owns one kustomization's part of a build: reading its file, accumulating what it names, and running its generators,
// components, transformers and validators in the fixed order. The steps after the recursion are build.ts.
import { goQuote } from '../../../lib/goquote.ts';
import { BuildError, buildError, faultText, withPrefix, wrapError } from '../errors.ts';
import { type Missing, MissingSignal } from '../missing.ts';
import { defaultConfig, emptyConfig, mergeConfig, parseConfig, type TransformerConfig } from './config.ts';
import { formatGoConfig } from './config-text.ts';
import { configureTransformers } from './configure.ts';
import { parseCrds } from './crds.ts';
import { generateObject, mergeGeneratorOptions } from './generate.ts';
import { prepareChart, type RenderChart } from './helm.ts';
import { COMPONENT_KIND, parseKustomization } from './kustomization.ts';
import type { HelmChartEntry, HelmGlobals, Kustomization } from './kustomization-fields.ts';
import type { Loader } from './loader.ts';
import {
  appendOrigin,
  builtinOrigin,
  formatOrigin,
  type Origin,
  pluginOrigin,
  readOrigin,
  recordTransformation,
  setOrigin,
} from './origin.ts';
import { type Generator, loadPlugin, type PluginContext } from './plugins.ts';
import { isMalformedYaml, readResourceFile, readResources } from './read.ts';
import { absorbAll, appendAll, createResMap, dropEmpties, type ResMap } from './resmap.ts';
import { annotation, metadataMap, type Resource, setMetadataMap } from './resource.ts';
import type { Schemas } from './schemas.ts';
import type { Transformer } from './transform.ts';
import { decodeYamlText } from './utf8.ts';
import { requireUnchanged, takeSnapshot } from './validators.ts';
import { addVars, formatVarEntries, mergeVars, type VarSet } from './vars.ts';

/** What grows while kustomizations are accumulated. */
export interface Accumulator {
  map: ResMap;
  config: TransformerConfig;
  readonly vars: VarSet;
}

/** What all targets of a build share. */
export interface BuildContext {
  readonly schemas: Schemas;
  readonly warn: (line: string) => void;
  /** Absent: helm is off. */
  readonly renderChart: RenderChart | undefined;
  readonly missing: Missing[];
}

/** A kustomization file that has been read, and where it stands in the build. */
export interface Target {
  readonly kustomization: Kustomization;
  readonly fileName: string;
  readonly loader: Loader;
  /** The list of the top kustomization counts for all. */
  readonly buildMetadata: readonly string[];
  /** Undefined when origins are not recorded. */
  readonly origin: Origin | undefined;
  /** Namespace of the nearest parent that has one, for charts. */
  readonly chartNamespace: string;
}

const FILE_NAMES = ['kustomization.yaml', 'kustomization.yml', 'Kustomization'] as const;

export function createAccumulator(): Accumulator {
  return { map: createResMap(), config: emptyConfig, vars: new Map() };
}

/** Reads the kustomization file of a directory. */
export function loadTarget(loader: Loader, context: BuildContext): Target {
  const found = FILE_NAMES.flatMap((name) => {
    if (!loader.has(name)) return [];
    try {
      return [{ name, bytes: loader.load(name) }];
    } catch {
      return [];
    }
  });
  if (found.length === 0) {
    throw buildError(
      `unable to find one of 'kustomization.yaml', 'kustomization.yml' or 'Kustomization' in directory '${loader.root}'`,
      'KustomizationInvalid',
    );
  }
  if (found.length > 1) {
    throw buildError(`Found multiple kustomization files under: ${loader.root}\n`, 'KustomizationInvalid');
  }
  const { name, bytes } = found[0]!;
  const text = withPrefix('invalid Kustomization', () => decodeYamlText(bytes));
  const kustomization = parseKustomization(text, loader.root, context.warn);
  const { buildMetadata } = kustomization;
  return { kustomization, fileName: name, loader, buildMetadata, origin: undefined, chartNamespace: '' };
}

/** Takes the schema that a kustomization brings, if it is the first to bring one. */
export function useSchema(target: Target, context: BuildContext): void {
  const { openapi } = target.kustomization;
  const path = openapi.get('path');
  context.schemas.use(openapi, path === undefined ? undefined : decodeYamlText(target.loader.load(path)));
}

/** Adds everything that a kustomization makes to an accumulator: its parent's for a component, else one of its own. */
export function accumulateTarget(target: Target, into: Accumulator, context: BuildContext): void {
  const { kustomization, loader } = target;
  withPrefix('accumulating resources', () => accumulatePaths(target, kustomization.resources, into, context));
  into.config = mergeConfig(into.config, loadConfig(target));
  const crds = withPrefix(`loading CRDs [${kustomization.crds.join(' ')}]`, () =>
    kustomization.crds.reduce(
      (config, path) => mergeConfig(config, parseCrds(decodeYamlText(loader.load(path)), path)),
      emptyConfig,
    ),
  );
  into.config = mergeConfig(into.config, crds);
  runGenerators(target, into, context);
  withPrefix('accumulating components', () => accumulateComponents(target, into, context));
  runTransformers(target, into, context);
  runValidators(target, into, context);
  if (kustomization.vars.length > 0) {
    withPrefix(`merging vars ${formatVarEntries(kustomization.vars)}`, () =>
      addVars(into.vars, kustomization.vars, into.map),
    );
  }
}

function loadConfig({ kustomization, loader }: Target): TransformerConfig {
  let own = emptyConfig;
  for (const path of kustomization.configurations)
    own = mergeConfig(own, parseConfig(decodeYamlText(loader.load(path))));
  return mergeConfig(defaultConfig, own);
}

/** Each path is a file or, failing that, a directory or a repository. */
function accumulatePaths(target: Target, paths: readonly string[], into: Accumulator, context: BuildContext): void {
  for (const path of paths) {
    try {
      accumulatePath(target, path, into, context);
    } catch (error) {
      // All that is missing is reported together, so that one round fetches it.
      if (!(error instanceof MissingSignal)) throw error;
      context.missing.push(error.missing);
    }
  }
}

function accumulatePath(target: Target, path: string, into: Accumulator, context: BuildContext): void {
  const fileError = accumulateFile(target, path, into, context);
  if (fileError === undefined) return;
  if (fileError instanceof BuildError && fileError.data.http === true) throw fileError;
  const place = `accumulation err='${faultText(fileError)}'`;
  let loader: Loader;
  try {
    loader = target.loader.open(path);
  } catch (error) {
    if (error instanceof MissingSignal) throw error;
    throw isMalformedYaml(fileError) ? fileError : wrapError(error, place);
  }
  withPrefix(place, () => accumulateDirectory(target, path, loader, into, context));
}

/** Adds the resources of a file; answers the fault when there is one. */
function accumulateFile(target: Target, path: string, into: Accumulator, context: BuildContext): unknown {
  let resources: Resource[];
  try {
    const read = readResourceFile(target.loader.load(path), path, context.schemas.scopes);
    resources = createResMap(read).resources;
  } catch (error) {
    if (error instanceof MissingSignal) throw error;
    return wrapError(error, `accumulating resources from '${path}'`);
  }
  if (target.origin !== undefined) {
    const origin = formatOrigin(appendOrigin(target.origin, path));
    for (const resource of resources) annotate(resource, annotation.origin, origin);
  }
  try {
    appendAll(into.map, resources);
  } catch (error) {
    return wrapError(error, `merging resources from '${path}'`);
  }
  return undefined;
}

function annotate(resource: Resource, key: string, value: string): void {
  const annotations = metadataMap(resource.node, 'annotations');
  annotations.set(key, value);
  setMetadataMap(resource.node!, 'annotations', annotations);
}

function accumulateComponents(target: Target, into: Accumulator, context: BuildContext): void {
  for (const path of target.kustomization.components) {
    try {
      const loader = quoteFault('loader.New ', () => target.loader.open(path));
      quoteFault('accumulateDirectory: ', () => accumulateComponent(target, path, loader, into, context));
    } catch (error) {
      if (!(error instanceof MissingSignal)) throw error;
      context.missing.push(error.missing);
    }
  }
}

function quoteFault<T>(where: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof MissingSignal) throw error;
    const code = error instanceof BuildError ? error.code : 'BuildFailed';
    throw new BuildError(code, `${where}${goQuote(faultText(error))}`, {}, { cause: error });
  }
}

function loadChild(parent: Target, path: string, loader: Loader, context: BuildContext): Target {
  const child = withPrefix(`couldn't make target for path '${loader.root}'`, () => loadTarget(loader, context));
  useSchema(child, context);
  return {
    ...child,
    buildMetadata: parent.buildMetadata,
    origin: parent.origin === undefined ? undefined : appendOrigin(parent.origin, path),
    chartNamespace: parent.kustomization.namespace || parent.chartNamespace,
  };
}

function accumulateDirectory(
  parent: Target,
  path: string,
  loader: Loader,
  into: Accumulator,
  context: BuildContext,
): void {
  const child = loadChild(parent, path, loader, context);
  if (child.kustomization.kind === COMPONENT_KIND) {
    throw buildError(`expected kind != 'Component' for path '${loader.root}'`, 'KustomizationInvalid');
  }
  const own = createAccumulator();
  withPrefix(`recursed accumulation of path '${loader.root}'`, () => accumulateTarget(child, own, context));
  withPrefix(`recursed merging from path '${loader.root}'`, () => {
    appendAll(into.map, own.map.resources);
    into.config = mergeConfig(into.config, own.config);
    mergeVars(into.vars, own.vars);
  });
}

function accumulateComponent(
  parent: Target,
  path: string,
  loader: Loader,
  into: Accumulator,
  context: BuildContext,
): void {
  const child = loadChild(parent, path, loader, context);
  const { kind } = child.kustomization;
  if (kind !== COMPONENT_KIND) {
    throw buildError(`expected kind 'Component' for path '${loader.root}' but got '${kind}'`, 'KustomizationInvalid');
  }
  withPrefix(`recursed accumulation of path '${loader.root}'`, () => accumulateTarget(child, into, context));
}

/** What generators and transformers of this target are configured with. */
function pluginContext(target: Target, context: BuildContext): PluginContext {
  const { loader } = target;
  return {
    root: loader.root,
    load: (path) => decodeYamlText(loader.load(path)),
    loadBytes: loader.load,
    scopes: context.schemas.scopes,
    schemas: context.schemas,
    inflate: createInflater(target, context),
  };
}

function createInflater(
  { loader }: Target,
  context: BuildContext,
): (chart: HelmChartEntry, globals: HelmGlobals) => Resource[] {
  return (chart, globals) => {
    const render = context.renderChart;
    if (render === undefined) throw buildError('must specify --enable-helm', 'NotSupported');
    const request = prepareChart(chart, globals, { root: loader.root, tree: loader.tree, load: loader.load });
    const rendered = render(request);
    if ('missing' in rendered) throw new MissingSignal(rendered.missing);
    const resources = readResources(rendered.manifests, context.schemas.scopes);
    for (const resource of resources) annotate(resource, annotation.helmGenerated, 'true');
    return resources;
  };
}

interface Step<T> {
  readonly run: T;
  readonly origin: Origin | undefined;
}

function runGenerators(target: Target, into: Accumulator, context: BuildContext): void {
  const plugins = pluginContext(target, context);
  const steps = builtinGenerators(target, plugins, context);
  if (target.kustomization.generators.length > 0) {
    steps.push(
      ...withPrefix('loading generator plugins', () => {
        const files = accumulatePlugins(target, target.kustomization.generators, context);
        return files.map((file): Step<Generator> => {
          const plugin = withPrefix('failed to load generator', () => loadPlugin(file, 'generator', plugins));
          return { run: (plugin as { readonly generate: Generator }).generate, origin: pluginOrigin(file) };
        });
      }),
    );
  }
  for (const { run, origin } of steps) {
    const resources = run();
    if (origin !== undefined) for (const one of resources) if (readOrigin(one) === undefined) setOrigin(one, origin);
    // The reference prints the generator's address here.
    const name = `&{0xc000000000 ${origin === undefined ? '<nil>' : '0xc000000000'}}`;
    withPrefix(`merging from generator ${name}`, () => absorbAll(into.map, createResMap(resources).resources));
  }
}

function builtinGenerators(target: Target, plugins: PluginContext, context: BuildContext): Step<Generator>[] {
  const { kustomization } = target;
  const steps: Step<Generator>[] = [];
  const originOf = (kind: string): Origin | undefined =>
    target.origin === undefined ? undefined : builtinOrigin(target.origin, target.fileName, kind);
  const data = { load: plugins.loadBytes, scopes: plugins.scopes };
  for (const [kind, entries] of [
    ['ConfigMap', kustomization.configMapGenerator],
    ['Secret', kustomization.secretGenerator],
  ] as const) {
    for (const entry of entries) {
      const args = { ...entry, options: mergeGeneratorOptions(entry.options, kustomization.generatorOptions) };
      steps.push({ run: () => [generateObject(kind, args, data)], origin: originOf(`${kind}Generator`) });
    }
  }
  const globals = kustomization.helmGlobals ?? { chartHome: '', configHome: '' };
  for (const entry of kustomization.helmCharts) {
    const chart = { ...entry, namespace: entry.namespace || kustomization.namespace || target.chartNamespace };
    if (context.renderChart === undefined) {
      const config = formatGoConfig({ ...globals, ...chart });
      throw buildError(
        `trouble configuring builtin HelmChartInflationGenerator with config: \`\n${config}\`: must specify --enable-helm`,
        'NotSupported',
      );
    }
    steps.push({ run: () => plugins.inflate(chart, globals), origin: originOf('HelmChartInflationGenerator') });
  }
  return steps;
}

/** Plugin files: YAML in place where it reads as resources, else paths. */
function accumulatePlugins(target: Target, entries: readonly string[], context: BuildContext): readonly Resource[] {
  const files = createAccumulator();
  const paths: string[] = [];
  for (const entry of entries) {
    let resources: Resource[];
    try {
      resources = createResMap(readResources(entry, context.schemas.scopes)).resources;
    } catch {
      paths.push(entry);
      continue;
    }
    if (target.origin !== undefined) {
      for (const resource of resources) setOrigin(resource, appendOrigin(target.origin, target.fileName));
    }
    appendAll(files.map, resources);
  }
  accumulatePaths(target, paths, files, context);
  return files.map.resources;
}

function pluginTransformers(target: Target, entries: readonly string[], context: BuildContext): Step<Transformer>[] {
  if (entries.length === 0) return [];
  const plugins = pluginContext(target, context);
  return accumulatePlugins(target, entries, context).map((file) => {
    const plugin = loadPlugin(file, 'transformer', plugins);
    return { run: (plugin as { readonly transform: Transformer }).transform, origin: pluginOrigin(file) };
  });
}

function runTransformers(target: Target, into: Accumulator, context: BuildContext): void {
  const { kustomization, origin, fileName } = target;
  const steps: Step<Transformer>[] = configureTransformers(
    kustomization,
    into.config,
    pluginContext(target, context),
  ).map(({ name, run }) => ({ run, origin: origin === undefined ? undefined : builtinOrigin(origin, fileName, name) }));
  steps.push(...pluginTransformers(target, kustomization.transformers, context));
  for (const step of steps) {
    step.run(into.map);
    if (step.origin !== undefined) for (const one of into.map.resources) recordTransformation(one, step.origin);
    dropEmpties(into.map);
  }
}

function runValidators(target: Target, into: Accumulator, context: BuildContext): void {
  for (const { run } of pluginTransformers(target, target.kustomization.validators, context)) {
    const before = takeSnapshot(into.map);
    run(into.map);
    requireUnchanged(before, into.map);
  }
}
