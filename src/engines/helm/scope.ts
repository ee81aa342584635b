// Owns what each chart's templates see as `.`, and which templates there are: one scope per chart, nested as the charts.
import { type GoValue, int } from '../../lang/gotemplate/value.ts';
import type { Capabilities } from './capabilities.ts';
import { type Chart, type ChartTemplate, chartPath } from './chart.ts';
import type { Compat } from './compat.ts';
import { filesObject } from './files.ts';
import { capabilitiesObject, chartObject, valuesObject } from './objects.ts';
import { type Table, tableAt } from './table.ts';

/** What is being released, `.Release`. */
export interface ReleaseInfo {
  readonly name: string;
  readonly namespace: string;
  /** @default 1 */
  readonly revision?: number | undefined;
  /** @default false, which makes it an install */
  readonly isUpgrade?: boolean | undefined;
}

/** A template file with the data it is run with. */
export interface ScopedTemplate {
  /** From the root chart's name on: `root/charts/sub/templates/x.yaml`. */
  readonly path: string;
  readonly text: string;
  readonly scope: Table;
  readonly basePath: string;
}

/** What all scopes of one render have in common. */
interface Shared {
  readonly release: Table;
  readonly capabilities: GoValue;
  readonly compat: Compat;
  readonly templates: Map<string, ScopedTemplate>;
}

/** Every template of a chart and its subcharts; of library charts only the files that define things. */
export function collectTemplates(
  chart: Chart,
  values: Table,
  options: { readonly release: ReleaseInfo; readonly capabilities: Capabilities; readonly compat: Compat },
): Map<string, ScopedTemplate> {
  const { release, compat } = options;
  const isUpgrade = release.isUpgrade === true;
  const shared: Shared = {
    release: new Map<string, GoValue>([
      ['Name', release.name],
      ['Namespace', release.namespace],
      ['IsUpgrade', isUpgrade],
      ['IsInstall', !isUpgrade],
      ['Revision', int(release.revision ?? 1)],
      ['Service', 'Helm'],
    ]),
    capabilities: capabilitiesObject(options.capabilities, compat),
    compat,
    templates: new Map(),
  };
  addChart(chart, values, shared);
  return shared.templates;
}

function addChart(chart: Chart, values: Table, shared: Shared): Table {
  const subscopes: Table = new Map();
  const scope: Table = new Map<string, GoValue>([
    ['Chart', chartObject(chart.metadata, chart.parent === undefined, shared.compat)],
    ['Files', filesObject(chart.files, shared.compat)],
    ['Release', shared.release],
    ['Capabilities', shared.capabilities],
    ['Values', valuesObject(values, shared.compat)],
    ['Subcharts', subscopes],
  ]);
  for (const subchart of chart.subcharts) {
    const { name } = subchart.metadata;
    // The name is read as a path, so a chart whose name has a dot sees no values, as in Helm.
    const section = tableAt(values, name);
    subscopes.set(name, addChart(subchart, 'table' in section ? section.table : new Map(), shared));
  }
  const path = chartPath(chart);
  const isLibrary = chart.metadata.type.toLowerCase() === 'library';
  for (const { name, text } of chart.templates) {
    if (isLibrary && !isPartial(name)) continue;
    const full = `${path}/${name}`;
    shared.templates.set(full, { path: full, text, scope, basePath: `${path}/templates` });
  }
  return scope;
}

/** True for files that only define templates. */
export function isPartial(path: ChartTemplate['name']): boolean {
  return path.slice(path.lastIndexOf('/') + 1).startsWith('_');
}
