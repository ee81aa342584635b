// Owns what counts as drift of an applied object when it is seen by watching, without asking the API server
// (lockstep.md §3). The comparison by dry-run is compare.ts.

import { ownerNameLabel, ownerNamespaceLabel, ssaKey } from '../api/meta/keys.ts';
import type { ManagedFieldsEntry } from '../api/meta/object.ts';
import type { JsonObject } from '../lib/json.ts';
import { contentDigest } from '../objects/abridge.ts';
import {
  applyEntryOf,
  commonFields,
  containsFields,
  fieldPaths,
  fieldsOf,
  missingFields,
  unionFields,
} from '../objects/managed-fields.ts';
import { labelsOf, type Manifest, managedFieldsOf } from '../objects/manifest.ts';
import { hasPolicy, ownExclusion } from '../objects/policy.ts';
import { isTakenOver, type TakenManager, takenManagers } from './take-over.ts';

/** What is remembered of an object after it was applied: enough to see drift in any later version of it. */
export interface AppliedMark {
  readonly uid: string;
  /** Our own managedFields entry; of an object that was compared, the one that an apply would write. */
  readonly fields: JsonObject;
  /** When the server wrote that entry, in whole seconds; '' when it does not say. An apply that changes nothing leaves it. */
  readonly time: string;
  readonly ownerName: string;
  readonly ownerNamespace: string;
  /**
   * What would be drift. `content`: any of it. `presence`: that it is gone, as it is created and then left alone.
   * `inclusion`: that it no longer asks to be left alone, or is gone.
   */
  readonly watchFor: 'content' | 'presence' | 'inclusion';
  /** How an object was that was compared only: its fields may be anybody's, so that our own entry tells nothing. */
  readonly compared?: { readonly content: string; readonly holders: readonly Holder[] };
}

/** Who has fields of an object, and since when. */
interface Holder {
  readonly manager: string;
  readonly operation: string;
  /** When it wrote any of its fields last, in whole seconds; '' when the server does not say. */
  readonly time: string;
  readonly fields: JsonObject;
}

/** How an object has drifted: who did it, as far as managedFields tell, and which fields. */
export interface Drift {
  readonly because:
    | 'deleted'
    | 'recreated'
    | 'fields lost'
    | 'manager'
    | 'ownership'
    | 'no longer excluded'
    /** By one who has the fields already, after the mark was made: in our name a write that came late, or somebody else's. */
    | 'applied again';
  readonly manager: string;
  readonly fields: readonly string[];
}

/** The mark of an object as the API server answered an apply of it, or as it was when it was left alone. */
export function markApplied(applied: Manifest, desired: Manifest, manager: string): AppliedMark {
  const own = labelsOf(applied);
  const entry = applyEntryOf(managedFieldsOf(applied), manager);
  const isKept = hasPolicy(desired, ssaKey, 'IfNotPresent');
  return {
    uid: typeof applied.metadata['uid'] === 'string' ? applied.metadata['uid'] : '',
    fields: fieldsOf(entry),
    time: entry?.time ?? '',
    ownerName: own[ownerNameLabel] ?? '',
    ownerNamespace: own[ownerNamespaceLabel] ?? '',
    watchFor: isKept ? 'presence' : ownExclusion(applied) === undefined ? 'content' : 'inclusion',
  };
}

/**
 * The mark of an object that was compared, as a release's are, whoever has its fields: those that are patched from the
 * client's side have no Apply entry of ours.
 * @param dryRun what an apply would make of it
 */
export function markCompared(live: Manifest, dryRun: Manifest, desired: Manifest, manager: string): AppliedMark {
  const fields = fieldsOf(applyEntryOf(managedFieldsOf(dryRun), manager));
  const compared = { content: contentDigest(live), holders: holdersOf(managedFieldsOf(live), fields) };
  return { ...markApplied(live, desired, manager), fields, compared };
}

/** Each manager and operation once, although there is an entry for each API version. */
function holdersOf(entries: readonly ManagedFieldsEntry[], wanted: JsonObject): Holder[] {
  const holders: Holder[] = [];
  for (const entry of entries) {
    const fields = (entry.subresource ?? '') === '' ? commonFields(fieldsOf(entry), wanted) : undefined;
    if (fields === undefined) continue;
    const { manager = '', operation = '', time = '' } = entry;
    const index = holders.findIndex((other) => isSameHolder(other, { manager, operation }));
    const other = holders[index];
    if (other === undefined) holders.push({ manager, operation, time, fields });
    else {
      holders[index] = {
        manager,
        operation,
        time: newestOf([time, other.time]),
        fields: unionFields(other.fields, fields),
      };
    }
  }
  return holders;
}

/** Of times as the server writes them. */
function newestOf(times: readonly string[]): string {
  return times.toSorted().at(-1) ?? '';
}

function isSameHolder(a: Pick<Holder, 'manager' | 'operation'>, b: Pick<Holder, 'manager' | 'operation'>): boolean {
  return a.manager === b.manager && a.operation === b.operation;
}

/**
 * How the live object differs from its mark; undefined when it does not, or when that is to be left alone. One that is
 * gone is not asked about; one that is going cannot be put back before it is gone.
 */
export function findDrift(
  mark: AppliedMark,
  live: Manifest,
  manager: string,
  managers: readonly TakenManager[] = takenManagers,
): Drift | undefined {
  if (mark.watchFor === 'presence' || live.metadata['deletionTimestamp'] !== undefined) return undefined;
  if (ownExclusion(live) !== undefined) return undefined;
  if (mark.watchFor === 'inclusion') return { because: 'no longer excluded', manager: '', fields: [] };
  if (live.metadata['uid'] !== mark.uid) return { because: 'recreated', manager: '', fields: [] };
  const entries = managedFieldsOf(live);
  const taken = hasPolicy(live, ssaKey, 'Merge') ? undefined : entries.find((entry) => isTakenOver(entry, managers));
  if (taken !== undefined) {
    return { because: 'manager', manager: taken.manager ?? '', fields: fieldPaths(fieldsOf(taken)) };
  }
  if (mark.compared !== undefined) return findChange(mark.fields, mark.compared, live);
  const entry = applyEntryOf(entries, manager);
  const own = fieldsOf(entry);
  if (!containsFields(own, mark.fields)) {
    const lost = missingFields(own, mark.fields);
    return { because: 'fields lost', manager: whoHas(live, lost, manager), fields: lost };
  }
  const owner = labelsOf(live);
  const [name, namespace] = [owner[ownerNameLabel] ?? '', owner[ownerNamespaceLabel] ?? ''];
  if (name !== mark.ownerName || namespace !== mark.ownerNamespace) {
    return { because: 'ownership', manager: '', fields: [] };
  }
  return (entry?.time ?? '') === mark.time ? undefined : appliedAgain(manager);
}

/** Whether one of the fields may have changed: by somebody who had it not, or who has it and wrote since. */
function findChange(
  fields: JsonObject,
  { content, holders: before }: NonNullable<AppliedMark['compared']>,
  live: Manifest,
): Drift | undefined {
  if (contentDigest(live) === content) return undefined;
  const entries = managedFieldsOf(live);
  const after = holdersOf(entries, fields);
  const known = (holder: Holder) => before.find((other) => isSameHolder(other, holder));
  for (const holder of after) {
    const gained = missingFields(known(holder)?.fields ?? {}, holder.fields);
    if (gained.length > 0) return { because: 'fields lost', manager: holder.manager, fields: gained };
  }
  for (const holder of before) {
    const lost = missingFields(after.find((other) => isSameHolder(other, holder))?.fields ?? {}, holder.fields);
    if (lost.length > 0) return { because: 'fields lost', manager: '', fields: lost };
  }
  // Times are whole seconds: the newest holder may have written again in the one of the mark.
  const newest = newestOf(entries.map(({ time = '' }) => time));
  const writer = after.find((holder) => holder.time === newest || holder.time !== known(holder)?.time);
  return writer === undefined ? undefined : appliedAgain(writer.manager);
}

/** A write in the manager's name that the mark does not know. Which values it wrote only a dry-run tells. */
export function appliedAgain(manager: string): Drift {
  return { because: 'applied again', manager, fields: [] };
}

/** The manager that has one of the lost fields now; '' when the field was removed and nobody has it. */
function whoHas(live: Manifest, lost: readonly string[], manager: string): string {
  const wanted = new Set(lost);
  const others = managedFieldsOf(live).filter((entry) => entry.manager !== manager);
  const owner = others.find((entry) => fieldPaths(fieldsOf(entry)).some((path) => wanted.has(path)));
  return owner?.manager ?? '';
}
