// Owns rendering a loaded chart with values: the whole way from user values to sorted manifests, hooks and notes.
// Loading is folder.ts and archive.ts, printing is output.ts, and whoever calls fetches what lookups miss.
import type { Limits, TemplateHost } from '../../lang/gotemplate/execution.ts';
import {
  createExecution,
  createTemplateCache,
  createTemplateSet,
  type TemplateCache,
  type TemplateSet,
} from '../../lang/gotemplate/template.ts';
import { compareStrings } from '../../lang/gotemplate/value.ts';
import { type Capabilities, defaultApiVersions, defaultKubeVersion } from './capabilities.ts';
import { type Chart, type CrdFile, copyChart, listCrds } from './chart.ts';
import { coalesceValues } from './coalesce.ts';
import type { Compat } from './compat.ts';
import { checkDependencies, isCompatible, processDependencies } from './dependencies.ts';
import { HelmError, wrapError } from './errors.ts';
import { FUNCTIONS, type Lookup, type RenderContext, withoutNoValue } from './functions.ts';
import { type Hook, type Manifest, sortManifests } from './manifests.ts';
import { templateObject, valuesObject } from './objects.ts';
import { checkReleaseName } from './release-name.ts';
import { type SchemaCache, validateSchemas } from './schema.ts';
import { collectTemplates, isPartial, type ReleaseInfo, type ScopedTemplate } from './scope.ts';
import type { Table } from './table.ts';
import { describeTemplateError } from './template-errors.ts';

/** Combinations of subcharts that are kept for one chart. */
const MAX_SETS = 8;

/** Parsed templates and schemas, kept between renders. Charts share it: templates are found by path and text. */
export interface RenderCache {
  readonly templates: Readonly<Record<Compat, TemplateCache>>;
  readonly schemas: SchemaCache;
  /** Parsed template sets of a loaded chart, for the combinations of subcharts that took part. */
  readonly sets: WeakMap<Chart, ParsedSet[]>;
}

type ParsedText = Pick<ScopedTemplate, 'path' | 'text'>;

interface ParsedSet {
  readonly compat: Compat;
  readonly templates: readonly ParsedText[];
  readonly set: TemplateSet;
}

/** Makes an empty cache; one per process (or worker) is enough. */
export function createRenderCache(): RenderCache {
  return {
    templates: { helm3: createTemplateCache(FUNCTIONS.helm3), helm4: createTemplateCache(FUNCTIONS.helm4) },
    schemas: new WeakMap(),
    sets: new WeakMap(),
  };
}

/** How to render. */
export interface RenderOptions {
  readonly release: ReleaseInfo;
  /** Clock and randomness for templates. */
  readonly host: TemplateHost;
  readonly cache: RenderCache;
  /** @default 'helm3' */
  readonly compat?: Compat;
  /** @default what Helm assumes without a cluster */
  readonly capabilities?: Capabilities;
  /**
   * Answers a template's lookup of cluster objects: the object, the list, or an empty object when it does not exist;
   * undefined when it is not known yet. Without this function every lookup finds nothing, as offline Helm has it.
   */
  readonly lookup?: (wanted: Lookup) => ReturnType<RenderContext['lookup']>;
  /** @default false */
  readonly skipSchemaValidation?: boolean;
  /** Notes of subcharts too. @default false */
  readonly subNotes?: boolean;
  /** Gets each of Helm's warnings. */
  readonly warn?: (text: string) => void;
  /** Changes what the templates wrote, text by path, notes aside, before it is split and sorted. */
  readonly postRender?: (files: ReadonlyMap<string, string>) => ReadonlyMap<string, string>;
  readonly limits?: Partial<Limits>;
}

/** What a chart renders to. */
export interface RenderedChart {
  /** In install order. */
  readonly manifests: readonly Manifest[];
  /** By kind in install order; their run order is by weight, then name. */
  readonly hooks: readonly Hook[];
  readonly notes: string;
  /** Files of crds/ of all enabled charts, never templated. */
  readonly crds: readonly CrdFile[];
  /** The values that the root chart's templates saw. */
  readonly values: Table;
}

/** Something that the render asked for and was not given; fetch it and render again. */
export interface MissingLookup extends Lookup {
  readonly missing: 'lookup';
}

/**
 * Renders a chart; the chart and the values are left as they are. Synchronous: `lookup` must answer at once, and what
 * it does not know comes back as `missing` instead of a result.
 * Throws HelmError with the text that helm prints after `Error: `.
 */
export function renderChart(
  chart: Chart,
  values: Table,
  options: RenderOptions,
): RenderedChart | { readonly missing: readonly MissingLookup[] } {
  const { compat = 'helm3', warn = () => {} } = options;
  checkInstallable(chart, compat, warn);
  checkReleaseName(options.release.name, compat);
  const copy = copyChart(chart);
  prune(copy, values, compat, warn);
  const seen = coalesceValues(copy, values, { compat, warn, keepNulls: false });
  if (options.skipSchemaValidation !== true) validateSchemas(copy, seen, { cache: options.cache.schemas, warn });
  const capabilities = options.capabilities ?? {
    kubeVersion: defaultKubeVersion(compat),
    apiVersions: defaultApiVersions(compat),
  };
  checkKubeVersion(copy, capabilities);
  const templates = collectTemplates(copy, seen, { release: options.release, capabilities, compat });
  const { files, missing } = runTemplates(chart, templates, options, compat);
  if (missing.length > 0) return { missing };
  const notes = takeNotes(files, `${copy.metadata.name}/templates/NOTES.txt`, options.subNotes === true);
  const changed = options.postRender?.(files) ?? files;
  return { ...sortManifests(changed, { compat, warn }), notes, crds: listCrds(copy), values: seen };
}

function checkInstallable(chart: Chart, compat: Compat, warn: (text: string) => void): void {
  const { type, deprecated } = chart.metadata;
  if (type !== '' && type !== 'application')
    throw new HelmError('ChartInvalid', `${type} charts are not installable`, {});
  if (deprecated) warn(compat === 'helm3' ? 'WARNING: This chart is deprecated' : 'this chart is deprecated');
  checkDependencies(chart, compat);
}

function prune(chart: Chart, values: Table, compat: Compat, warn: (text: string) => void): void {
  try {
    processDependencies(chart, values, { compat, warn });
  } catch (error) {
    throw compat === 'helm3' ? error : wrapError('ValuesInvalid', 'chart dependencies processing failed', error);
  }
}

function checkKubeVersion(chart: Chart, { kubeVersion }: Capabilities): void {
  const wanted = chart.metadata.kubeVersion;
  if (wanted === '' || isCompatible(wanted, kubeVersion.normalized || kubeVersion.version)) return;
  const text = `chart requires kubeVersion: ${wanted} which is incompatible with Kubernetes ${kubeVersion.version}`;
  throw new HelmError('KubeVersionMismatch', text, {});
}

/** Deepest paths first and, among equals, the last name first: what is parsed later replaces what was before. */
function parseOrder(templates: ReadonlyMap<string, ScopedTemplate>): ScopedTemplate[] {
  const ranked = [...templates.values()].map((template) => ({ template, depth: template.path.split('/').length }));
  ranked.sort((a, b) => b.depth - a.depth || compareStrings(b.template.path, a.template.path));
  return ranked.map(({ template }) => template);
}

/** The set of a chart's templates: parsed once for every combination of subcharts that values switch on. */
function parseTemplates(
  chart: Chart,
  ordered: readonly ScopedTemplate[],
  cache: RenderCache,
  compat: Compat,
): TemplateSet {
  const parsed = cache.sets.get(chart) ?? [];
  const known = parsed.find((each) => each.compat === compat && isSame(each.templates, ordered));
  if (known !== undefined) return known.set;
  const set = createTemplateSet(cache.templates[compat]);
  for (const { path, text } of ordered) set.parse(path, text);
  const templates = ordered.map(({ path, text }) => ({ path, text }));
  cache.sets.set(chart, [...parsed.slice(1 - MAX_SETS), { compat, templates, set }]);
  return set;
}

function isSame(a: readonly ParsedText[], b: readonly ParsedText[]): boolean {
  if (a.length !== b.length) return false;
  return a.every(({ path, text }, index) => path === b[index]!.path && text === b[index]!.text);
}

function runTemplates(
  chart: Chart,
  templates: ReadonlyMap<string, ScopedTemplate>,
  options: RenderOptions,
  compat: Compat,
): { files: Map<string, string>; missing: MissingLookup[] } {
  const missing = new Map<string, MissingLookup>();
  const lookup = (wanted: Lookup) => {
    const found = options.lookup?.(wanted);
    if (found === undefined && options.lookup !== undefined) {
      missing.set(JSON.stringify(Object.values(wanted)), { missing: 'lookup', ...wanted });
    }
    return found;
  };
  const files = new Map<string, string>();
  try {
    const ordered = parseOrder(templates);
    const set = parseTemplates(chart, ordered, options.cache, compat);
    const context: RenderContext = { included: new Map(), lookup };
    const { host, limits = {} } = options;
    const execution = createExecution(set, { host, context, limits });
    for (const { path, scope, basePath } of ordered) {
      if (isPartial(path)) continue;
      scope.set('Template', templateObject(path, basePath, compat));
      files.set(path, withoutNoValue(set.execute(path, valuesObject(scope, compat), execution)));
    }
  } catch (error) {
    // A render that lacked a lookup may well fail; only the one that had them all counts.
    if (missing.size === 0) throw describeTemplateError(error, compat);
  }
  return { files, missing: [...missing.values()] };
}

/** Takes the notes out of the rendered files; those of subcharts are dropped unless asked for. */
function takeNotes(files: Map<string, string>, own: string, subNotes: boolean): string {
  const notes: string[] = [];
  for (const path of [...files.keys()].sort(compareStrings)) {
    if (!path.endsWith('NOTES.txt')) continue;
    if (subNotes || path === own) notes.push(files.get(path)!);
    files.delete(path);
  }
  return notes.filter((text, index) => index === 0 || text !== '').join('\n');
}
