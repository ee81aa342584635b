// Owns rendering one template snippet in the chart and release of the corpus, through the Helm engine.
import { archiveReader } from '../../src/engines/helm/archive.ts';
import { defaultApiVersions, parseKubeVersion } from '../../src/engines/helm/capabilities.ts';
import { type ChartFile, createChart } from '../../src/engines/helm/chart.ts';
import { coalesceValues } from '../../src/engines/helm/coalesce.ts';
import type { Compat } from '../../src/engines/helm/compat.ts';
import { FUNCTIONS, type RenderContext, withoutNoValue } from '../../src/engines/helm/functions.ts';
import { templateObject, valuesObject } from '../../src/engines/helm/objects.ts';
import { collectTemplates, isPartial } from '../../src/engines/helm/scope.ts';
import { describeTemplateError } from '../../src/engines/helm/template-errors.ts';
import type { Limits } from '../../src/lang/gotemplate/execution.ts';
import { createExecution, createTemplateCache, createTemplateSet } from '../../src/lang/gotemplate/template.ts';
import { compareStrings } from '../../src/lang/gotemplate/value.ts';
import { errorMessage } from '../../src/lib/errors.ts';
import { fromYaml } from '../../src/lib/goyaml/sigs.ts';
import { isJsonObject, stringifyJson } from '../../src/lib/json.ts';
import { testHost } from './template-host.ts';

/** The files of a chart named `c` and what it is rendered as. */
export interface SnippetChart {
  /** Chart.yaml as an object. */
  readonly metadata: object;
  readonly values: string;
  /** Path in the chart → text. */
  readonly files: Readonly<Record<string, string>>;
  readonly release: { readonly name: string; readonly namespace: string };
  readonly kubeVersion: string;
}

const caches = { helm3: createTemplateCache(FUNCTIONS.helm3), helm4: createTemplateCache(FUNCTIONS.helm4) };

/**
 * The values of the chart as JSON text, which is YAML too. As Helm's ReadValues: the first document only, errors without
 * the name of a file.
 */
function readValues(text: string, compat: Compat): string {
  const values = explained(() => fromYaml(text));
  if (values === null) return '{}';
  if (isJsonObject(values)) return stringifyJson(values);
  const kind = Array.isArray(values) ? 'array' : typeof values === 'boolean' ? 'bool' : typeof values;
  const type = compat === 'helm3' ? 'chartutil.Values' : 'common.Values';
  throw new Error(
    `values: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal ${kind} into Go value of type ${type}`,
  );
}

function explained<T>(run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw new Error(`values: ${errorMessage(error)}`, { cause: error });
  }
}

/** Renders one template of a chart. Throws HelmError as Helm words it. */
export function renderSnippet(
  chart: SnippetChart,
  template: string,
  compat: Compat,
  limits: Partial<Limits> = {},
): string {
  const files: ChartFile[] = Object.entries({
    'Chart.yaml': JSON.stringify(chart.metadata),
    'values.yaml': readValues(chart.values, compat),
    ...chart.files,
  }).map(([name, text]) => ({ name, data: Buffer.from(text) }));
  const loaded = createChart(files, archiveReader(), { compat });
  const values = coalesceValues(loaded, new Map(), { compat, warn: () => {}, keepNulls: false });
  const capabilities = {
    // The corpus was recorded with a version that was set, not parsed: Helm 4's normalized form of it is empty.
    kubeVersion: { ...parseKubeVersion(chart.kubeVersion, compat), normalized: '' },
    apiVersions: defaultApiVersions(compat),
  };
  const templates = collectTemplates(loaded, values, { release: chart.release, capabilities, compat });
  const ordered = [...templates.values()].sort((a, b) => compareStrings(b.path, a.path));
  try {
    const set = createTemplateSet(caches[compat]);
    for (const { path, text } of ordered) set.parse(path, text);
    const context: RenderContext = { included: new Map(), lookup: () => undefined };
    const execution = createExecution(set, { host: testHost(), context, limits });
    let rendered = '';
    for (const { path, scope, basePath } of ordered) {
      if (isPartial(path)) continue;
      scope.set('Template', templateObject(path, basePath, compat));
      const text = withoutNoValue(set.execute(path, valuesObject(scope, compat), execution));
      if (path === `c/${template}`) rendered = text;
    }
    return rendered;
  } catch (error) {
    throw describeTemplateError(error, compat);
  }
}
