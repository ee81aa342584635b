// Owns a whole kustomize build: the recursion through kustomizations, then hashes, references, variables, order and
// clean-up. Pure: everything is read from the tree, and what only the network has is answered as `missing`.
import type { FileTree } from '../../lib/filetree.ts';
import type { YamlNode } from '../../lib/goyaml/node.ts';
import type { JsonObject } from '../../lib/json.ts';
import { BuildError, faultText } from './errors.ts';
import type { RenderChart } from './internal/helm.ts';
import type { SortOptions } from './internal/kustomization-fields.ts';
import { createLoader } from './internal/loader.ts';
import { fixNameReferences } from './internal/name-references.ts';
import { isNilOrEmpty } from './internal/node.ts';
import { emptyOrigin } from './internal/origin.ts';
import { resourceToJson, stripAnnotations, writeFiles, writeStream } from './internal/output.ts';
import { addHashes } from './internal/plugins.ts';
import { validate } from './internal/read.ts';
import { type ResMap, touch } from './internal/resmap.ts';
import { annotation, annotationOf, type Resource } from './internal/resource.ts';
import { createSchemas } from './internal/schemas.ts';
import { sortResources } from './internal/sort.ts';
import {
  type Accumulator,
  accumulateTarget,
  type BuildContext,
  createAccumulator,
  loadTarget,
  type Target,
  useSchema,
} from './internal/target.ts';
import { entriesTransformer } from './internal/transform.ts';
import { resolveVars } from './internal/vars.ts';
import { type Fetched, type Missing, MissingSignal } from './missing.ts';

export type { Missing } from './missing.ts';

/** How to build. The defaults are those of the reference's library, inside the tree's root. */
export interface BuildOptions {
  /** `rootOnly` refuses files outside the directory of the kustomization that names them. @default 'rootOnly' */
  readonly loadRestrictions?: 'rootOnly' | 'none';
  /** Order when no `sortOptions` say: `none` as accumulated; `unspecified` is the command line's, legacy. @default 'none' */
  readonly reorder?: 'none' | 'legacy' | 'unspecified';
  /** False when the tree is a whole file system, where `/..` is `/`; true when its root is a fence. @default true */
  readonly jailed?: boolean;
  /** Directory that a relative target is relative to. @default '/' */
  readonly cwd?: string;
  /** A custom OpenAPI file takes the place of the built-in schema (kustomize) or adds to it (Flux). @default 'replace' */
  readonly openapi?: 'replace' | 'add';
  /** Adds the label `app.kubernetes.io/managed-by`. @default false */
  readonly addManagedByLabel?: boolean;
  /** Renders charts of `helmCharts`; absent means helm is off. */
  readonly renderChart?: RenderChart;
  /** What was fetched after an earlier answer of `missing`. */
  readonly fetched?: Fetched;
  /** Receives warnings, one line each without a line break. */
  readonly warn?: (line: string) => void;
}

/** What a build made. */
export interface Built {
  readonly ok: true;
  /** One node per object, in order. */
  readonly resources: readonly YamlNode[];
  /** The YAML stream, byte for byte what `kustomize build` prints. Throws when an object has no JSON form. */
  yaml(): string;
  /** The objects as JSON. Throws as `yaml` does. */
  objects(): JsonObject[];
  /** File name → YAML of one object, as `-o` with a directory writes them. Throws as `yaml` does. */
  files(): ReadonlyMap<string, string>;
}

/** The objects, or what has to be fetched first; the shell then builds again with `fetched`. */
export type BuildResult = Built | { readonly ok: false; readonly missing: readonly Missing[] };

const MANAGED_BY = 'app.kubernetes.io/managed-by';
const MANAGER = 'kustomize-v5.8.1';

/**
 * Builds the kustomization in directory `target` of the tree.
 * Throws `BuildError` with the text that `kustomize build` 5.8.1 prints.
 */
export function buildKustomization(tree: FileTree, target: string, options: BuildOptions = {}): BuildResult {
  const missing: Missing[] = [];
  try {
    const map = build(tree, target, options, missing);
    return missing.length > 0 ? { ok: false, missing } : toBuilt(map);
  } catch (error) {
    if (error instanceof MissingSignal) missing.push(error.missing);
    // A fault behind something missing may come of its absence.
    if (missing.length > 0) return { ok: false, missing };
    throw toBuildError(error);
  }
}

function toBuildError(error: unknown): Error {
  if (error instanceof BuildError) return error;
  return new BuildError('BuildFailed', faultText(error), {}, { cause: error });
}

function guard<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw toBuildError(error);
  }
}

function toBuilt({ resources }: ResMap): Built {
  return {
    ok: true,
    resources: resources.flatMap(({ node }) => (node === undefined ? [] : [node])),
    yaml: () => guard(() => writeStream(resources)),
    objects: () => guard(() => resources.map(resourceToJson)),
    files: () => guard(() => writeFiles(resources)),
  };
}

function build(tree: FileTree, path: string, options: BuildOptions, missing: Missing[]): ResMap {
  const warn = options.warn ?? (() => {});
  const loader = createLoader(tree, path, options.cwd ?? '/', {
    rootOnly: options.loadRestrictions !== 'none',
    jailed: options.jailed ?? true,
    fetched: options.fetched,
    warn,
  });
  const schemas = createSchemas({ keepBuiltIn: options.openapi === 'add' });
  const context: BuildContext = { schemas, warn, renderChart: options.renderChart, missing };
  const loaded = loadTarget(loader, context);
  const target: Target = { ...loaded, origin: loaded.buildMetadata.length > 0 ? emptyOrigin : undefined };
  useSchema(target, context);
  const accumulator = createAccumulator();
  accumulateTarget(target, accumulator, context);
  finish(accumulator, warn);
  const { map } = accumulator;
  sort(map, target, options);
  cleanUp(map, target, options);
  return map;
}

/** The steps that are done once, after the recursion. */
function finish({ map, config, vars }: Accumulator, warn: (line: string) => void): void {
  addHashes(map);
  fixNameReferences(map, config.nameReference);
  touch(map);
  resolveVars(map, vars, config.varReference, warn);
  map.resources = map.resources.filter(isForTheCluster);
  touch(map);
}

function isForTheCluster({ node }: Resource): boolean {
  if (isNilOrEmpty(node)) return false;
  validate(node!);
  const local = annotationOf(node, annotation.localConfig);
  return local === undefined || local === 'false';
}

function sort(map: ResMap, { kustomization }: Target, options: BuildOptions): void {
  const legacy: SortOptions = { order: 'legacy', legacySortOptions: undefined };
  if (kustomization.sortOptions !== undefined) sortResources(map, kustomization.sortOptions);
  else if (options.reorder === 'legacy' || options.reorder === 'unspecified') sortResources(map, legacy);
}

function cleanUp(map: ResMap, { buildMetadata }: Target, options: BuildOptions): void {
  if (options.addManagedByLabel === true || buildMetadata.includes('managedByLabel')) {
    const spec = { group: '', version: '', kind: '', path: 'metadata/labels', create: true };
    entriesTransformer(new Map([[MANAGED_BY, MANAGER]]), [spec])(map);
  }
  const keep = {
    origin: buildMetadata.includes('originAnnotations'),
    transformations: buildMetadata.includes('transformerAnnotations'),
  };
  for (const { node } of map.resources) stripAnnotations(node!, keep);
}
