// Owns what a write does to field ownership: the Update and Apply of structured-merge-diff over all managers.
// Managers are keyed by an opaque identity (identity.ts); times and encoding are managed.ts. Pure.
import type { SchemaNode } from '../schema/node.ts';
import {
  difference,
  type FieldSet,
  intersection,
  type PathElement,
  pathsOf,
  recursiveDifference,
  union,
} from './fieldset.ts';
import { type Comparison, compareTyped, mergeTyped, removeTyped, toFieldSet, withNamedFields } from './typed.ts';

/** What one manager owns, in the API version it wrote with. */
export interface OwnedFields {
  readonly set: FieldSet;
  readonly apiVersion: string;
  readonly applied: boolean;
}

export type Managers = Map<string, OwnedFields>;

/** The schema of an API version; undefined when the version is no longer served. */
export type SchemaOf = (apiVersion: string) => SchemaNode | undefined;

/** An object in another API version; absent where versions differ in nothing but their name. */
export type Convert = (object: unknown, apiVersion: string) => unknown;

export interface Ownership {
  readonly apiVersion: string;
  readonly schemaOf: SchemaOf;
  readonly convert?: Convert | undefined;
  /** Paths that this write may not touch and so never owns (status on the main resource). */
  readonly reset: FieldSet;
  /** Identity of the writing manager. */
  readonly manager: string;
}

export interface FieldConflict {
  readonly manager: string;
  readonly path: PathElement[];
}

/** Thrown by `applyOwned` when others own what the configuration changes. */
export class OwnershipConflict extends Error {
  readonly conflicts: readonly FieldConflict[];

  constructor(conflicts: readonly FieldConflict[]) {
    super(`${conflicts.length} field(s) have another owner`);
    this.conflicts = conflicts;
  }
}

function writingSchema(ownership: Ownership): SchemaNode {
  const node = ownership.schemaOf(ownership.apiVersion);
  if (node === undefined) throw new Error(`no schema for ${ownership.apiVersion}`);
  return node;
}

const AS_IT_IS: Convert = (object) => object;

/** Takes changed fields from the other managers. Throws OwnershipConflict unless forced. */
function takeChanges(
  ownership: Ownership,
  change: { readonly live: unknown; readonly next: unknown; readonly force: boolean },
  managers: Managers,
): Comparison {
  const convert = ownership.convert ?? AS_IT_IS;
  const byVersion = new Map<string, Comparison>();
  const comparisonIn = (apiVersion: string): Comparison | undefined => {
    const known = byVersion.get(apiVersion);
    if (known) return known;
    const node = ownership.schemaOf(apiVersion);
    if (node === undefined) return undefined;
    const all = compareTyped(node, convert(change.live, apiVersion), convert(change.next, apiVersion));
    const comparison = ownership.reset.isEmpty ? all : withoutReset(all, ownership.reset);
    byVersion.set(apiVersion, comparison);
    return comparison;
  };
  const own = comparisonIn(ownership.apiVersion)!;

  const conflicts: FieldConflict[] = [];
  const next: Managers = new Map();
  for (const [manager, fields] of managers) {
    if (manager === ownership.manager) continue;
    const comparison = comparisonIn(fields.apiVersion);
    // A version that is gone takes its ownership with it.
    if (comparison === undefined) {
      managers.delete(manager);
      continue;
    }
    const lost = intersection(fields.set, union(comparison.modified, comparison.added));
    if (lost.isEmpty && comparison.removed.isEmpty) continue;
    for (const path of change.force ? [] : pathsOf(lost)) conflicts.push({ manager, path });
    next.set(manager, { ...fields, set: difference(difference(fields.set, lost), comparison.removed) });
  }
  if (conflicts.length > 0) throw new OwnershipConflict(conflicts);
  for (const [manager, fields] of next) managers.set(manager, fields);
  for (const [manager, fields] of managers) if (fields.set.isEmpty) managers.delete(manager);
  return own;
}

function withoutReset(all: Comparison, reset: FieldSet): Comparison {
  return {
    added: recursiveDifference(all.added, reset),
    modified: recursiveDifference(all.modified, reset),
    removed: recursiveDifference(all.removed, reset),
  };
}

/** Ownership after a create, update or patch. `live` is the zero object for a create. Changes `managers`. */
export function updateOwned(ownership: Ownership, live: unknown, next: unknown, managers: Managers): void {
  const changes = takeChanges(ownership, { live, next, force: true }, managers);
  const before = managers.get(ownership.manager);
  let set = union(changes.modified, changes.added);
  if (before) set = union(difference(before.set, changes.removed), set);
  set = recursiveDifference(set, ownership.reset);
  if (set.isEmpty) managers.delete(ownership.manager);
  else managers.set(ownership.manager, { set, apiVersion: ownership.apiVersion, applied: false });
}

/**
 * Merges a configuration into the live object and moves ownership. Changes `managers`.
 * Returns the merged object; fields that this manager applied before and gives up now are removed unless others own them.
 */
export function applyOwned(
  ownership: Ownership,
  live: unknown,
  config: unknown,
  options: { readonly managers: Managers; readonly force: boolean },
): unknown {
  const { managers } = options;
  const node = writingSchema(ownership);
  const merged = mergeTyped(node, live, config);
  const last = managers.get(ownership.manager);
  const set = recursiveDifference(toFieldSet(node, config), ownership.reset);
  managers.set(ownership.manager, { set, apiVersion: ownership.apiVersion, applied: true });
  const next = prune(ownership, merged, managers, last);
  takeChanges(ownership, { live, next, force: options.force }, managers);
  return next;
}

/** Removes what the manager applied last time, does not apply now, and nobody else owns. */
function prune(ownership: Ownership, merged: unknown, managers: Managers, last: OwnedFields | undefined): unknown {
  if (last === undefined || last.set.isEmpty) return merged;
  const now = managers.get(ownership.manager)!;
  // The usual case: everything applied before is applied again, so there is nothing to give up.
  if (last.apiVersion === now.apiVersion && difference(last.set, now.set).isEmpty) return merged;
  const node = ownership.schemaOf(last.apiVersion);
  if (node === undefined) return merged;
  const convert = ownership.convert ?? AS_IT_IS;
  const before = convert(merged, last.apiVersion);
  let pruned = removeTyped(node, before, withNamedFields(last.set, node));
  const owned = new Map<string, FieldSet>();
  for (const fields of managers.values()) {
    const known = owned.get(fields.apiVersion);
    owned.set(fields.apiVersion, known ? union(known, fields.set) : fields.set);
  }
  const versions = [...owned.keys()].sort((a, b) => Number(b === last.apiVersion) - Number(a === last.apiVersion));
  for (const version of versions) {
    const versionNode = ownership.schemaOf(version);
    if (versionNode === undefined) continue;
    const [whole, rest] = [convert(before, version), convert(pruned, version)];
    pruned = addBackOwned(versionNode, whole, rest, owned.get(version)!);
  }
  const kept = addBackDangling(node, before, convert(pruned, last.apiVersion), last.set);
  return convert(kept, ownership.apiVersion);
}

function addBackOwned(node: SchemaNode, merged: unknown, pruned: unknown, owned: FieldSet): unknown {
  const mergedSet = withNamedFields(toFieldSet(node, merged), node);
  const prunedSet = withNamedFields(toFieldSet(node, pruned), node);
  return removeTyped(node, merged, difference(mergedSet, union(prunedSet, withNamedFields(owned, node))));
}

/** Puts back what pruning took although the manager never owned it. */
function addBackDangling(node: SchemaNode, merged: unknown, pruned: unknown, last: FieldSet): unknown {
  const prunedSet = withNamedFields(toFieldSet(node, pruned), node);
  const mergedSet = withNamedFields(toFieldSet(node, merged), node);
  return removeTyped(node, merged, intersection(difference(mergedSet, prunedSet), withNamedFields(last, node)));
}
