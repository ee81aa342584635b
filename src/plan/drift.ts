// Owns what counts as drift of an applied object when it is seen by watching, without asking the API server
// (lockstep.md §3). The comparison by dry-run is compare.ts.

import { ownerNameLabel, ownerNamespaceLabel, ssaKey } from '../api/meta/keys.ts';
import type { JsonObject } from '../lib/json.ts';
import { applyEntryOf, containsFields, fieldPaths, fieldsOf, missingFields } from '../objects/managed-fields.ts';
import { labelsOf, type Manifest, managedFieldsOf } from '../objects/manifest.ts';
import { hasPolicy, ownExclusion } from '../objects/policy.ts';
import { isTakenOver, type TakenManager, takenManagers } from './take-over.ts';

/** What is remembered of an object after it was applied: enough to see drift in any later version of it. */
export interface AppliedMark {
  readonly uid: string;
  /** Our own managedFields entry. */
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
    /** In our own name, after the mark was made: a write that was given up and came late, or somebody else's. */
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

/** An apply in our own name that the mark does not know. Which values it wrote only a dry-run tells. */
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
