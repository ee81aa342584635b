// Owns what counts as drift of an applied object when it is seen by watching, without asking the API server
// (lockstep.md §3). The comparison by dry-run is compare.ts.

import { ownerNameLabel, ownerNamespaceLabel } from '../api/meta/keys.ts';
import type { JsonObject } from '../lib/json.ts';
import { applyEntryOf, containsFields, fieldPaths, fieldsOf, missingFields } from '../objects/managed-fields.ts';
import { labelsOf, type Manifest, managedFieldsOf } from '../objects/manifest.ts';
import { isTakenOver, type TakenManager, takenManagers } from './take-over.ts';

/** What is remembered of an object after it was applied: enough to see drift in any later version of it. */
export interface AppliedMark {
  readonly uid: string;
  /** Our own managedFields entry. */
  readonly fields: JsonObject;
  readonly ownerName: string;
  readonly ownerNamespace: string;
}

/** How an object has drifted: who did it, as far as managedFields tell, and which fields. */
export interface Drift {
  readonly because: 'deleted' | 'recreated' | 'fields lost' | 'manager' | 'ownership';
  readonly manager: string;
  readonly fields: readonly string[];
}

/** The mark of an object as the API server answered an apply of it. */
export function markApplied(applied: Manifest, manager: string): AppliedMark {
  const own = labelsOf(applied);
  return {
    uid: typeof applied.metadata['uid'] === 'string' ? applied.metadata['uid'] : '',
    fields: fieldsOf(applyEntryOf(managedFieldsOf(applied), manager)),
    ownerName: own[ownerNameLabel] ?? '',
    ownerNamespace: own[ownerNamespaceLabel] ?? '',
  };
}

/** How the live object differs from its mark; undefined when it does not. `live` undefined means it is gone. */
export function findDrift(
  mark: AppliedMark,
  live: Manifest | undefined,
  manager: string,
  managers: readonly TakenManager[] = takenManagers,
): Drift | undefined {
  if (live === undefined || live.metadata['deletionTimestamp'] !== undefined) {
    return { because: 'deleted', manager: '', fields: [] };
  }
  if (live.metadata['uid'] !== mark.uid) return { because: 'recreated', manager: '', fields: [] };
  const entries = managedFieldsOf(live);
  const taken = entries.find((entry) => isTakenOver(entry, managers));
  if (taken !== undefined) {
    return { because: 'manager', manager: taken.manager ?? '', fields: fieldPaths(fieldsOf(taken)) };
  }
  const own = fieldsOf(applyEntryOf(entries, manager));
  if (!containsFields(own, mark.fields)) {
    const lost = missingFields(own, mark.fields);
    return { because: 'fields lost', manager: whoHas(live, lost, manager), fields: lost };
  }
  const owner = labelsOf(live);
  if (owner[ownerNameLabel] !== mark.ownerName || owner[ownerNamespaceLabel] !== mark.ownerNamespace) {
    return { because: 'ownership', manager: '', fields: [] };
  }
  return undefined;
}

/** The manager that has one of the lost fields now; '' when the field was removed and nobody has it. */
function whoHas(live: Manifest, lost: readonly string[], manager: string): string {
  const wanted = new Set(lost);
  const others = managedFieldsOf(live).filter((entry) => entry.manager !== manager);
  const owner = others.find((entry) => fieldPaths(fieldsOf(entry)).some((path) => wanted.has(path)));
  return owner?.manager ?? '';
}
