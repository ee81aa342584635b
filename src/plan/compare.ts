// Owns what counts as a difference between a live object and the server's dry-run of the desired one
// (flux.md §4.8 step 6). Drift seen by watching is drift.ts.
import { isJsonObject, type JsonObject, type JsonValue } from '../lib/json.ts';
import { applyEntryOf, containsFields, fieldsOf } from '../objects/managed-fields.ts';
import { annotationsOf, labelsOf, type Manifest, managedFieldsOf } from '../objects/manifest.ts';

/** Deep equality of JSON values; the order of keys does not count. */
export function sameJson(a: JsonValue | undefined, b: JsonValue | undefined): boolean {
  if (a === b) return true;
  if (Array.isArray(a)) {
    return Array.isArray(b) && a.length === b.length && a.every((item, index) => sameJson(item, b[index]));
  }
  if (!isJsonObject(a) || !isJsonObject(b)) return false;
  const keys = Object.keys(a);
  return (
    keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && sameJson(a[key], b[key]))
  );
}

/** True when an apply would change labels, annotations or anything else but metadata and status. */
export function differs(live: Manifest, dryRun: Manifest): boolean {
  return (
    !sameJson(labelsOf(live), labelsOf(dryRun)) ||
    !sameJson(annotationsOf(live), annotationsOf(dryRun)) ||
    !sameJson(contentOf(live), contentOf(dryRun))
  );
}

/**
 * True when an apply would give the manager fields that it does not own, although their values are right: another one
 * changed them and changed them back, or the managed fields were cleared. Drift of a field that is not owned could not
 * be seen by watching.
 */
export function gainsFields(live: Manifest, dryRun: Manifest, manager: string): boolean {
  const ownedIn = (manifest: Manifest) => fieldsOf(applyEntryOf(managedFieldsOf(manifest), manager));
  return !containsFields(ownedIn(live), ownedIn(dryRun));
}

function contentOf(manifest: Manifest): JsonObject {
  const { metadata: _metadata, status: _status, ...content } = manifest as JsonObject;
  return content;
}
