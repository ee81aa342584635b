// Owns the order of the output: as accumulated, or the legacy order by kind.
import { buildError } from '../errors.ts';
import type { SortOptions } from './kustomization-fields.ts';
import { compareText, formatGvk, gvkEquals, gvkSortText, kindRanks, legacyOrder, type ResId } from './resid.ts';
import { type ResMap, touch } from './resmap.ts';
import { currentId } from './resource.ts';

/** Sorts as `sortOptions` say. Throws when they contradict themselves. */
export function sortResources(map: ResMap, { order, legacySortOptions }: SortOptions): void {
  if (order !== 'fifo' && order !== 'legacy') {
    throw buildError("the field 'sortOptions.order' must be one of [fifo, legacy]");
  }
  if (order === 'fifo') {
    if (legacySortOptions === undefined) return;
    throw buildError(
      "the field 'sortOptions.legacySortOptions' is set but the selected sort order is 'fifo', not 'legacy'",
    );
  }
  const ranks = kindRanks(legacySortOptions ?? legacyOrder);
  const rows = map.resources.map((resource) => {
    const id = currentId(resource);
    const text = `${formatGvk(id)}|${id.namespace || '~X'}|${id.name || '~N'}`;
    return { resource, id, rank: ranks.get(id.kind) ?? 0, type: gvkSortText(id), text };
  });
  rows.sort((a, b) => {
    if (gvkEquals(a.id, b.id)) return compareText(a.text, b.text);
    return a.rank - b.rank || compareTypes(a, b);
  });
  map.resources = rows.map((row) => row.resource);
  touch(map);
}

function compareTypes(
  a: { readonly id: ResId; readonly type: string },
  b: { readonly id: ResId; readonly type: string },
): number {
  const difference = compareText(a.type, b.type);
  // Core namespaces come before those of other groups.
  const bothNamespaces = a.id.kind === 'Namespace' && b.id.kind === 'Namespace';
  return bothNamespaces && (a.id.group === '' || b.id.group === '') ? -difference : difference;
}
