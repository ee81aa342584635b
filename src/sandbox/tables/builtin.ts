// Owns the table of a built-in kind, from the columns that a real API server shows (columns.ts).
import { builtinCells, builtinRowConditions, type Column, loadColumns } from '../columns.ts';
import type { Resource } from '../registry.ts';
import type { TableShape } from './table.ts';

let loaded: ReadonlyMap<string, readonly Column[]> | undefined;

/** The table of a built-in kind. */
export function builtinTable(resource: Resource): TableShape {
  loaded ??= loadColumns();
  const id = `${resource.group}/${resource.plural}`;
  const columns = loaded.get(id) ?? [];
  return {
    columns,
    cells: (object, now) => builtinCells(id, columns, object, now.getTime()),
    conditions: (object) => builtinRowConditions(id, object),
  };
}
