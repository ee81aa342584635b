// Owns chart values as data: tables and lists in the template language's own value model, their copies and look-ups.
// Merging rules are coalesce.ts, reading is values-file.ts and set.ts.
import { type GoMap, type GoValue, TypedMap } from '../../lang/gotemplate/value.ts';

/** A table of values, Go's `map[string]interface {}`. Mutable: Helm merges in place and templates may `set` into it. */
export type Table = GoMap;

/** True for a plain table; maps of another Go type are no tables to Helm either. */
export function isTable(value: GoValue): value is Table {
  return value instanceof Map && !(value instanceof TypedMap);
}

/** A copy that shares no table and no list. */
export function copyValue(value: GoValue): GoValue {
  if (Array.isArray(value)) return value.map(copyValue);
  return isTable(value) ? copyTable(value) : value;
}

/** A copy of a table that shares no table and no list. */
export function copyTable(table: Table): Table {
  const copy: Table = new Map();
  for (const [key, value] of table) copy.set(key, copyValue(value));
  return copy;
}

/** The table at a dotted path; otherwise the step that is absent or no table. */
export function tableAt(table: Table, path: string): { readonly table: Table } | { readonly missing: string } {
  let here = table;
  for (const name of path.split('.')) {
    const next = here.get(name);
    if (!isTable(next)) return { missing: name };
    here = next;
  }
  return { table: here };
}

/** The value at a dotted path that is no table; undefined when there is none. */
export function scalarAt(table: Table, path: string): GoValue {
  const dot = path.lastIndexOf('.');
  const parent = dot < 0 ? { table } : tableAt(table, path.slice(0, dot));
  const value = 'table' in parent ? parent.table.get(path.slice(dot + 1)) : undefined;
  return isTable(value) ? undefined : value;
}

/** Merges two tables as values files are merged: tables deeply, everything else from the second. Shares what it can. */
export function mergeMaps(base: Table, over: Table): Table {
  const merged: Table = new Map(base);
  for (const [key, value] of over) {
    const below = merged.get(key);
    merged.set(key, isTable(value) && isTable(below) ? mergeMaps(below, value) : value);
  }
  return merged;
}
