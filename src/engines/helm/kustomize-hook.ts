// Owns rendering a chart for kustomize's `helmCharts`: how its values come together and which flags of `helm template`
// an entry stands for. It knows nothing of kustomize but the request's shape; callers join the two.

import type { TemplateHost } from '../../lang/gotemplate/execution.ts';
import { createExecution, createTemplateCache, createTemplateSet } from '../../lang/gotemplate/template.ts';
import { fromJson } from '../../lang/gotemplate/value-json.ts';
import type { FileTree } from '../../lib/filetree.ts';
import type { JsonObject } from '../../lib/json.ts';
import { defaultApiVersions, defaultKubeVersion, parseKubeVersion } from './capabilities.ts';
import type { Chart } from './chart.ts';
import { HelmError } from './errors.ts';
import { loadChartFolder } from './folder.ts';
import { FUNCTIONS } from './functions.ts';
import { formatOutput } from './output.ts';
import { type RenderCache, renderChart } from './render.ts';
import { isTable, mergeMaps, type Table } from './table.ts';
import { parseValues } from './values-file.ts';

/** An entry of `helmCharts` with its paths resolved. */
export interface ChartRequest {
  readonly chart: {
    readonly name: string;
    readonly repo: string;
    readonly releaseName: string;
    readonly namespace: string;
    readonly nameTemplate: string;
    readonly includeCRDs: boolean;
    readonly skipHooks: boolean;
    readonly skipTests: boolean;
    readonly apiVersions: readonly string[];
    readonly kubeVersion: string;
  };
  readonly tree: FileTree;
  /** Folder of the chart, from the tree's root on. */
  readonly chartPath: string;
  /** The first is the entry's own (its text is undefined where it is the chart's values.yaml); each later one wins. */
  readonly valuesFiles: readonly { readonly path: string; readonly text: string | undefined }[];
  readonly valuesInline: JsonObject | undefined;
  readonly valuesMerge: 'merge' | 'override' | 'replace';
}

/** What rendering needs besides the request. */
export interface HookOptions {
  readonly host: TemplateHost;
  readonly cache: RenderCache;
  readonly warn?: (text: string) => void;
}

/** Renders the chart and answers what `helm template` would print. Throws HelmError. */
export function renderChartRequest(request: ChartRequest, options: HookOptions): { readonly manifests: string } {
  const { chart: entry } = request;
  const chart = load(request, options);
  const name = entry.releaseName || templateName(entry.nameTemplate, options.host) || 'release-name';
  const rendered = renderChart(chart, mergeValues(request, chart), {
    ...options,
    release: { name, namespace: entry.namespace || 'default' },
    capabilities: {
      kubeVersion: entry.kubeVersion === '' ? defaultKubeVersion('helm3') : parseKubeVersion(entry.kubeVersion),
      apiVersions: [...defaultApiVersions('helm3'), ...entry.apiVersions],
    },
  });
  if ('missing' in rendered) throw new HelmError('TemplateFailed', 'lookups have no answer in a build', {});
  const { includeCRDs: includeCrds, skipHooks: noHooks, skipTests } = entry;
  return { manifests: formatOutput(rendered, { includeCrds, noHooks, skipTests }) };
}

function load({ chart, tree, chartPath }: ChartRequest, { warn = () => {} }: HookOptions): Chart {
  const path = chartPath.replace(/^\/+|\/+$/g, '');
  if (tree.stat(path) !== undefined) return loadChartFolder(tree, path, { warn });
  const text =
    chart.repo === ''
      ? `no repo specified for pull, no chart found at ''`
      : `chart ${chart.name} is not at ${chartPath}, and charts are not pulled from ${chart.repo} in a build`;
  throw new HelmError('ChartInvalid', text, { path: chartPath });
}

/** Inline values and the first file make one, by the entry's word; further files go over it. */
function mergeValues({ valuesFiles, valuesInline, valuesMerge }: ChartRequest, chart: Chart): Table {
  const [first, ...more] = valuesFiles.map(({ text }) =>
    text === undefined ? chart.values : parseValues(text, 'helm3'),
  );
  const file: Table = first ?? new Map();
  let values = file;
  if (valuesInline !== undefined && Object.keys(valuesInline).length > 0) {
    const inline = fromJson(valuesInline) as Table;
    if (valuesMerge === 'replace') values = inline;
    else values = valuesMerge === 'override' ? overlay(file, inline) : overlay(inline, file);
  }
  return more.reduce(mergeMaps, values);
}

/** `over` on top of `base`, where a null takes the key away. */
function overlay(base: Table, over: Table): Table {
  const merged: Table = new Map(base);
  for (const [key, value] of over) {
    const below = merged.get(key);
    if (value === null) merged.delete(key);
    else merged.set(key, isTable(value) && isTable(below) ? overlay(below, value) : value);
  }
  return merged;
}

function templateName(text: string, host: TemplateHost): string {
  if (text === '') return '';
  const set = createTemplateSet(createTemplateCache(FUNCTIONS.helm3), { name: 'name-template' });
  set.parse('name-template', text);
  return set.execute('name-template', null, createExecution(set, { host, context: undefined }));
}
