// Owns the tables of built-in kinds: their columns as a real kube-apiserver names them (columns.generated.json, made by
// test/generate/columns.ts), and the cells of an object. Columns of custom resources are their CRD's.
import { readFileSync } from 'node:fs';
import { clusterCells } from './cells/cluster.ts';
import { networkCells } from './cells/network.ts';
import { podCells, podRowConditions } from './cells/pods.ts';
import { policyCells } from './cells/policy.ts';
import { storageCells } from './cells/storage.ts';
import { age, type Cell, type CellsOf } from './cells/text.ts';
import type { KubeObject } from './object.ts';

/** A column as `meta.k8s.io/v1 Table` has it. Priority 0 is always shown, 1 only in wide tables. */
export interface Column {
  readonly name: string;
  readonly type: string;
  readonly format: string;
  readonly description: string;
  readonly priority: number;
}

const CELLS: Readonly<Record<string, CellsOf>> = {
  ...clusterCells,
  ...networkCells,
  ...podCells,
  ...policyCells,
  ...storageCells,
};

/** What the server shows of kinds that it has no printer for. */
const CREATED_AT = 'Created At';

/** The columns of every built-in resource by `group/resource`, read once. */
export function loadColumns(): ReadonlyMap<string, readonly Column[]> {
  const { descriptions, columns } = JSON.parse(
    readFileSync(new URL('./columns.generated.json', import.meta.url), 'utf8'),
  ) as {
    descriptions: readonly string[];
    columns: Readonly<Record<string, readonly (readonly [string, string, string, number, number])[]>>;
  };
  return new Map(
    Object.entries(columns).map(([resource, rows]) => [
      resource,
      rows.map(([name, type, format, priority, description]) => {
        return { name, type, format, description: descriptions[description] ?? '', priority };
      }),
    ]),
  );
}

/** The cells of an object of the resource (`group/resource`), one for each of its columns. */
export function builtinCells(resource: string, columns: readonly Column[], object: KubeObject, now: number): Cell[] {
  const cellsOf = Object.hasOwn(CELLS, resource) ? CELLS[resource] : undefined;
  if (cellsOf !== undefined) return cellsOf(object, now);
  const isPlain = columns.at(-1)?.name === CREATED_AT;
  return [object.metadata.name, isPlain ? (object.metadata.creationTimestamp ?? null) : age(object, now)];
}

/** What a row says of its object beside the cells; undefined for nothing. */
export function builtinRowConditions(resource: string, object: KubeObject): object[] | undefined {
  return resource === '/pods' ? podRowConditions(object) : undefined;
}
