// Owns which subcharts take part in a render: aliases, tags, conditions, and the values that parents import from
// them. It works on a chart copied for this render (chart.ts copyChart).
import { formatValue } from '../../lang/gotemplate/printf.ts';
import { fromJson } from '../../lang/gotemplate/value-json.ts';
import { goQuote } from '../../lib/goquote.ts';
import { parseVersion } from '../../lib/semver.ts';
import { parseConstraint, satisfies } from '../../lib/semver-constraint.ts';
import { addSubchart, type Chart } from './chart.ts';
import { type CoalesceOptions, coalesceValues, mergeTables } from './coalesce.ts';
import { HelmError } from './errors.ts';
import { type Dependency, parseImport } from './metadata.ts';
import { copyTable, isTable, scalarAt, type Table, tableAt } from './table.ts';

/**
 * Checks that every declared dependency lies in charts/, by name only.
 * Throws HelmError `DependencyMissing`.
 */
export function checkDependencies(chart: Chart, compat: CoalesceOptions['compat']): void {
  const present = new Set(chart.subcharts.map((subchart) => subchart.metadata.name));
  const missing = (chart.metadata.dependencies ?? []).map(({ name }) => name).filter((name) => !present.has(name));
  if (missing.length === 0) return;
  const list = `found in Chart.yaml, but missing in charts/ directory: ${missing.join(', ')}`;
  const advice =
    compat === 'helm3'
      ? 'An error occurred while checking for chart dependencies. You may need to run `helm dependency build` to fetch missing dependencies'
      : "an error occurred while checking for chart dependencies. You may need to run 'helm dependency build' to fetch missing dependencies";
  throw new HelmError('DependencyMissing', `${advice}: ${list}`, {});
}

/** Prunes the chart's subcharts by the given values and imports values from those that stay. Changes the chart. */
export function processDependencies(chart: Chart, values: Table, options: Omit<CoalesceOptions, 'keepNulls'>): void {
  enableSubcharts(chart, values, '', { ...options, keepNulls: false });
  importFromSubcharts(chart, { ...options, keepNulls: true });
}

function enableSubcharts(chart: Chart, values: Table, path: string, options: CoalesceOptions): void {
  const declared = chart.metadata.dependencies;
  if (declared === undefined) return;
  chart.subcharts = resolveAliases(chart, declared, options);
  for (const subchart of chart.subcharts) subchart.parent = chart;
  for (const dependency of declared) dependency.enabled = true;
  // Below the root this lays the chart's defaults over the root's values, as Helm does; conditions carry the path.
  const coalesced = coalesceValues(chart, values, options);
  applyTags(declared, coalesced, options);
  applyConditions(declared, coalesced, path, options);
  const disabled = new Set(declared.filter((each) => !each.enabled).map((each) => each.name));
  const enabled = chart.subcharts.filter((subchart) => !disabled.has(subchart.metadata.name));
  for (const subchart of enabled) enableSubcharts(subchart, coalesced, `${path}${subchart.metadata.name}.`, options);
  const kept = declared.filter((each) => !disabled.has(each.name));
  chart.metadata.dependencies = kept.length === 0 ? undefined : kept;
  chart.subcharts = [];
  for (const subchart of enabled) addSubchart(chart, subchart);
}

/** Undeclared subcharts, then one copy of a subchart for every declaration that it fulfils. */
function resolveAliases(chart: Chart, declared: Dependency[], { compat }: CoalesceOptions): Chart[] {
  const present = chart.subcharts;
  const resolved = present.filter((subchart) => !declared.some((dependency) => fulfils(subchart, dependency)));
  for (const dependency of declared) {
    const found = present.find((subchart) => fulfils(subchart, dependency));
    if (found !== undefined) resolved.push(copyForAlias(found, dependency, compat));
    if (dependency.alias !== '') dependency.name = dependency.alias;
  }
  return resolved;
}

function fulfils(chart: Chart, dependency: Dependency): boolean {
  return chart.metadata.name === dependency.name && isCompatible(dependency.version, chart.metadata.version);
}

/** True when the version is in the range; false also when either does not parse. */
export function isCompatible(constraint: string, version: string): boolean {
  try {
    return satisfies(parseVersion(version), parseConstraint(constraint));
  } catch {
    return false;
  }
}

/**
 * Helm 3 copies the chart only: its subcharts keep the original as their parent, and its declarations are shared with
 * every other alias of it. Helm 4 copies those as well.
 */
function copyForAlias(chart: Chart, dependency: Dependency, compat: CoalesceOptions['compat']): Chart {
  const copy: Chart = { ...chart, metadata: { ...chart.metadata } };
  if (compat === 'helm4') {
    copy.metadata.dependencies = chart.metadata.dependencies?.map((each) => ({ ...each }));
    copy.subcharts = [];
    for (const subchart of chart.subcharts) addSubchart(copy, { ...subchart });
  }
  if (dependency.alias !== '') copy.metadata.name = dependency.alias;
  return copy;
}

function applyTags(declared: readonly Dependency[], values: Table, { warn }: CoalesceOptions): void {
  const tags = values.get('tags');
  if (!isTable(tags)) return;
  for (const dependency of declared) {
    const states = (dependency.tags ?? []).flatMap((name) => {
      const state = tags.get(name);
      if (state === undefined) return [];
      if (typeof state === 'boolean') return [state];
      warn(`Warning: Tag '${name}' for chart ${dependency.name} returned non-bool value`);
      return [];
    });
    dependency.enabled = states.length === 0 || states.includes(true);
  }
}

function applyConditions(
  declared: readonly Dependency[],
  values: Table,
  path: string,
  { warn }: CoalesceOptions,
): void {
  for (const dependency of declared) {
    for (const condition of dependency.condition.trim().split(',')) {
      if (condition === '') continue;
      const state = scalarAt(values, path + condition);
      if (typeof state === 'boolean') {
        dependency.enabled = state;
        break;
      }
      if (state === undefined) continue;
      warn(`Warning: Condition path '${condition}' for chart ${dependency.name} returned non-bool value`);
    }
  }
}

function importFromSubcharts(chart: Chart, options: CoalesceOptions): void {
  for (const subchart of chart.subcharts) importFromSubcharts(subchart, options);
  const declared = chart.metadata.dependencies;
  if (declared === undefined) return;
  const defaults = coalesceValues(chart, new Map(), options);
  const imported: Table = new Map();
  for (const dependency of declared) importFrom(dependency, defaults, imported, options);
  // The parent's own defaults, its subcharts' folded in, win over what is imported.
  chart.values = copyTable(defaults);
  mergeTables(chart.values, imported, '', options);
}

function importFrom(dependency: Dependency, defaults: Table, imported: Table, options: CoalesceOptions): void {
  const entries = (dependency['import-values'] ?? []).flatMap((entry) => {
    const parsed = parseImport(entry, (value) => formatValue(value === undefined ? null : fromJson(value)));
    return parsed === undefined ? [] : [parsed];
  });
  for (const { child, parent, short } of entries) {
    const found = tableAt(defaults, `${dependency.name}.${child}`);
    if ('missing' in found) {
      const from = short ? '' : ` from chart ${dependency.name}`;
      options.warn(`Warning: ImportValues missing table${from}: ${goQuote(found.missing)} is not a table`);
      continue;
    }
    mergeTables(imported, wrapInPath(found.table, parent), '', options);
  }
  // Another alias of the same chart shares this declaration and finds nothing left to import, as in Helm.
  dependency.imported = entries.length === 0 ? undefined : entries.map(({ child, parent }) => ({ child, parent }));
  dependency['import-values'] = undefined;
}

function wrapInPath(table: Table, path: string): Table {
  // An empty table is never shared, so that nothing is merged into the subchart's own.
  let wrapped: Table = table.size === 0 ? new Map() : table;
  if (path === '.') return wrapped;
  for (const name of path.split('.').reverse()) wrapped = new Map([[name, wrapped]]);
  return wrapped;
}
