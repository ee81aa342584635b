// Owns how a chart's defaults come under the values that were given: nulls that delete, tables that merge, globals that
// run down into subcharts. Which subcharts take part is dependencies.ts.
import { formatValue, sprintf } from '../../lang/gotemplate/printf.ts';
import type { GoValue } from '../../lang/gotemplate/value.ts';
import { goQuote } from '../../lib/goquote.ts';
import type { Chart } from './chart.ts';
import type { Compat } from './compat.ts';
import { HelmError } from './errors.ts';
import { copyTable, isTable, type Table } from './table.ts';

const GLOBAL = 'global';

/** What one merge carries along. */
export interface CoalesceOptions {
  readonly compat: Compat;
  /** Gets each of Helm's warnings. */
  readonly warn: (text: string) => void;
  /** Keep nulls, for values that will be coalesced again. */
  readonly keepNulls: boolean;
}

/**
 * The values that a chart and all its subcharts see: `given` over the chart's defaults. Neither is changed.
 * Throws HelmError `ValuesInvalid` when a subchart's section is no table.
 */
export function coalesceValues(chart: Chart, given: Table, options: CoalesceOptions): Table {
  const values = copyTable(given);
  coalesceChart(chart, values, '', options);
  return values;
}

function coalesceChart(chart: Chart, values: Table, prefix: string, options: CoalesceOptions): void {
  coalesceDefaults(chart, values, prefix, options);
  const path = join(prefix, chart.metadata.name);
  for (const subchart of chart.subcharts) {
    let section = values.get(subchart.metadata.name);
    if (section === undefined) values.set(subchart.metadata.name, (section = new Map()));
    else if (!isTable(section)) {
      const text = sprintf('type mismatch on %s: %t', [subchart.metadata.name, section]);
      throw new HelmError('ValuesInvalid', text, {});
    }
    coalesceGlobals(section, values, path, options);
    coalesceChart(subchart, section, path, options);
  }
}

function coalesceDefaults(chart: Chart, values: Table, prefix: string, options: CoalesceOptions): void {
  const path = join(prefix, chart.metadata.name);
  for (const [key, fallback] of copyTable(chart.values)) {
    const value = values.get(key);
    if (value === undefined) {
      const kept = options.compat === 'helm4' && !options.keepNulls ? withoutNulls(fallback) : fallback;
      if (kept !== undefined) values.set(key, kept);
    } else if (value === null && !options.keepNulls) values.delete(key);
    else if (isTable(value)) {
      if (isTable(fallback)) {
        const keepNulls = options.keepNulls || chart.subcharts.some((subchart) => subchart.metadata.name === key);
        if (options.compat === 'helm4' && !keepNulls) withoutNulls(fallback);
        mergeTables(value, fallback, join(path, key), { ...options, keepNulls });
      } else if (fallback !== null) options.warn(`warning: skipped value for ${path}.${key}: Not a table.`);
    }
  }
}

/** Drops nulls inside tables, in place. Undefined for a null itself. */
function withoutNulls(value: GoValue): GoValue {
  if (value === null) return undefined;
  if (!isTable(value)) return value;
  for (const [key, item] of value) if (withoutNulls(item) === undefined) value.delete(key);
  return value;
}

function coalesceGlobals(section: Table, parent: Table, prefix: string, options: CoalesceOptions): void {
  const own = section.get(GLOBAL) ?? absentOr(section, new Map());
  const inherited = parent.get(GLOBAL) ?? absentOr(parent, new Map());
  if (!isTable(own)) {
    options.warn('warning: skipping globals because destination global is not a table.');
    return;
  }
  if (!isTable(inherited)) {
    options.warn('warning: skipping globals because source global is not a table.');
    return;
  }
  for (const [key, value] of inherited) {
    const below = own.get(key);
    if (isTable(value)) {
      if (below === undefined) own.set(key, new Map(value));
      else if (!isTable(below)) {
        options.warn(`Conflict: cannot merge map onto non-map for ${goQuote(key)}. Skipping.`);
      } else {
        const merged: Table = new Map(value);
        mergeTables(merged, below, join(prefix, key), { ...options, keepNulls: true });
        own.set(key, merged);
      }
    } else if (isTable(below)) options.warn(`key ${key} is table. Skipping`);
    else own.set(key, value);
  }
  section.set(GLOBAL, own);
}

/** A null global is no table; an absent one is an empty table. */
function absentOr(table: Table, empty: Table): Table | null {
  return table.has(GLOBAL) ? null : empty;
}

/**
 * Merges `source` under `target`, in place; `target` wins. Both are used up: tables of the source are shared, and nulls
 * of the target are written into the source.
 */
export function mergeTables(target: Table, source: Table, path: string, options: CoalesceOptions): void {
  const hadValue = new Set<string>();
  for (const [key, value] of source) if (value !== null) hadValue.add(key);
  for (const [key, value] of target) if (value === null) source.set(key, null);
  for (const [key, value] of source) {
    const here = target.get(key);
    const fullKey = join(path, key);
    if (here === undefined) target.set(key, value);
    // A null over a default takes the default away; over nothing it stays.
    else if (here === null && !options.keepNulls && hadValue.has(key)) target.delete(key);
    else if (isTable(value)) {
      if (isTable(here)) mergeTables(here, value, fullKey, options);
      else options.warn(`warning: cannot overwrite table with non table for ${fullKey} (${formatValue(value)})`);
    } else if (isTable(here) && value !== null) {
      options.warn(`warning: destination for ${fullKey} is a table. Ignoring non-table value (${formatValue(value)})`);
    }
  }
}

function join(prefix: string, name: string): string {
  return prefix === '' ? name : `${prefix}.${name}`;
}
