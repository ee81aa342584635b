// Owns the Table form of lists: columns and cells as `kubectl get` prints them. Which columns a built-in kind has is
// data; a custom kind brings its own. Pure.
import type { Core } from '../core.ts';
import type { KubeObject } from '../object.ts';
import type { PrinterColumn } from '../registry.ts';
import { badRequest } from '../rest/errors.ts';
import type { Form } from '../rest/negotiate.ts';
import { type Presented, partialObject } from '../rest/partial.ts';
import { humanAge } from './age.ts';
import { builtinTable } from './builtin.ts';
import { evaluateJsonPath } from './jsonpath.ts';

export interface ColumnDefinition {
  readonly name: string;
  readonly type: string;
  readonly format: string;
  readonly description: string;
  readonly priority: number;
}

/** Columns of a kind and how its cells are computed. */
export interface TableShape {
  readonly columns: readonly ColumnDefinition[];
  cells(object: KubeObject, now: Date): unknown[];
  /** What a row says of its object beside the cells. */
  conditions?(object: KubeObject): object[] | undefined;
}

const NAME: ColumnDefinition = {
  name: 'Name',
  type: 'string',
  format: 'name',
  description:
    'Name must be unique within a namespace. Is required when creating resources, although some resources may allow a client to request the generation of an appropriate name automatically. Name is primarily intended for creation idempotence and configuration definition. Cannot be updated. More info: https://kubernetes.io/docs/concepts/overview/working-with-objects/names#names',
  priority: 0,
};

/** The Table of some objects. `includeObject` in the query: Metadata (default), Object or None. */
export function tableOf(
  core: Core,
  { resource, version, query, omitColumns }: Presented,
  list: { objects: readonly KubeObject[]; metadata: Record<string, unknown>; version: Form['version'] },
): Record<string, unknown> {
  const shape = version.custom ? customTable(version.custom.columns) : builtinTable(resource);
  const include = query.get('includeObject') || 'Metadata';
  if (!['Metadata', 'Object', 'None'].includes(include)) throw wrongInclude(include);
  const now = core.now();
  return {
    kind: 'Table',
    apiVersion: `meta.k8s.io/${list.version}`,
    metadata: list.metadata,
    columnDefinitions: omitColumns ? null : shape.columns,
    rows: list.objects.map((object) => ({
      cells: shape.cells(object, now),
      ...rowConditions(shape, object),
      object: include === 'None' ? null : include === 'Object' ? object : partialObject(object, list.version),
    })),
  };
}

function rowConditions(shape: TableShape, object: KubeObject): { conditions?: object[] } {
  const conditions = shape.conditions?.(object);
  return conditions ? { conditions } : {};
}

function wrongInclude(include: string): Error {
  const why = `includeObject: Invalid value: ${JSON.stringify(include)}: must be 'Metadata', 'Object', 'None', or empty`;
  return badRequest(`Unable to convert to Table as requested: ${why}`);
}

const AGE: PrinterColumn = { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' };
const AGE_DESCRIPTION =
  'CreationTimestamp is a timestamp representing the server time when this object was created. It is not guaranteed to be set in happens-before order across separate operations. Clients may not set this value. It is represented in RFC3339 form and is in UTC.\n\nPopulated by the system. Read-only. Null for lists. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata';

function customTable(declared: readonly PrinterColumn[]): TableShape {
  const columns = declared.length > 0 ? declared : [AGE];
  return {
    columns: [
      NAME,
      ...columns.map((column) => ({
        name: column.name,
        type: column.type,
        format: column.format ?? '',
        description:
          column.description ||
          (column === AGE
            ? AGE_DESCRIPTION
            : `Custom resource definition column (in JSONPath format): ${column.jsonPath}`),
        priority: column.priority ?? 0,
      })),
    ],
    cells: (object, now) => [object.metadata.name, ...columns.map((column) => customCell(column, object, now))],
  };
}

/** A cell as the column's type wants it; null when the path finds nothing of that type. */
function customCell(column: PrinterColumn, object: KubeObject, now: Date): unknown {
  const values = evaluateJsonPath(column.jsonPath, object);
  if (values.length === 0) return null;
  const value = values[0];
  if (value === null || value === undefined) return column.type === 'date' ? '<unknown>' : null;
  switch (column.type) {
    case 'integer':
      return typeof value === 'number' ? Math.trunc(value) : typeof value === 'bigint' ? value : null;
    case 'number':
      return typeof value === 'number' ? value : null;
    case 'boolean':
      return typeof value === 'boolean' ? value : null;
    case 'date':
      return typeof value === 'string' ? humanAge(value, now) : '<invalid>';
    default:
      return values.map(cellText).join(',');
  }
}

function cellText(value: unknown): string {
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
