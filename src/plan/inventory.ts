// Owns the inventory: ids of owned objects, unions, and what is stale. Deleting is apply/prune.ts.
import type { InventoryEntry } from '../api/kustomize/kustomization.ts';
import type { ObjectIdentity, ObjectReference } from '../objects/manifest.ts';

const RBAC_GROUP = 'rbac.authorization.k8s.io';
const RBAC_KINDS = new Set(['Role', 'ClusterRole', 'RoleBinding', 'ClusterRoleBinding']);

/**
 * The entry of an object: id `<namespace>_<name>_<group>_<kind>`, `:` in names of RBAC kinds as `__` (flux.md §4.11).
 */
export function toInventoryEntry(reference: ObjectReference): InventoryEntry {
  const name = isRbac(reference) ? reference.name.replaceAll(':', '__') : reference.name;
  return { id: `${reference.namespace}_${name}_${reference.group}_${reference.kind}`, v: reference.version };
}

/** The object that an entry stands for; undefined when the id has not the four parts. */
export function parseInventoryEntry(entry: InventoryEntry): ObjectReference | undefined {
  const first = entry.id.indexOf('_');
  const last = entry.id.lastIndexOf('_');
  const beforeLast = entry.id.lastIndexOf('_', last - 1);
  if (first < 0 || beforeLast <= first || last < 0) return undefined;
  const identity = {
    namespace: entry.id.slice(0, first),
    group: entry.id.slice(beforeLast + 1, last),
    kind: entry.id.slice(last + 1),
  };
  const name = entry.id.slice(first + 1, beforeLast);
  if (name === '' || identity.kind === '') return undefined;
  return { ...identity, name: isRbac(identity) ? name.replaceAll('__', ':') : name, version: entry.v };
}

function isRbac(identity: Pick<ObjectIdentity, 'group' | 'kind'>): boolean {
  return identity.group === RBAC_GROUP && RBAC_KINDS.has(identity.kind);
}

/** Entries of both lists, each id once; the first list's order, and its version where both have an id. */
export function unionInventory(
  first: readonly InventoryEntry[],
  second: readonly InventoryEntry[],
): readonly InventoryEntry[] {
  const seen = new Set(first.map((entry) => entry.id));
  return [...first, ...second.filter((entry) => !seen.has(entry.id))];
}

/** Entries of the old list whose id the new one lacks, in the old order. The API version does not count. */
export function staleEntries(
  old: readonly InventoryEntry[],
  current: readonly InventoryEntry[],
): readonly InventoryEntry[] {
  const keep = new Set(current.map((entry) => entry.id));
  return old.filter((entry) => !keep.has(entry.id));
}

/** Bytes of the entries as JSON, nearly: how much of a status they take. */
export function inventorySize(entries: readonly InventoryEntry[]): number {
  const empty = '{"id":"","v":""},'.length;
  return entries.reduce((sum, { id, v }) => sum + empty + id.length + v.length, 0);
}

/** True when every id of `part` is in `whole`. */
export function coversInventory(whole: readonly InventoryEntry[], part: readonly InventoryEntry[]): boolean {
  const ids = new Set(whole.map((entry) => entry.id));
  return part.every((entry) => ids.has(entry.id));
}
