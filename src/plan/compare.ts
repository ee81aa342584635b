// Owns what counts as a difference between a live object and the server's dry-run of the desired one
// (flux.md §4.8 step 6). Drift seen by watching is drift.ts.
import { isJsonObject, type JsonObject, type JsonValue } from '../lib/json.ts';
import { annotationsOf, labelsOf, type Manifest } from '../objects/manifest.ts';

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

function contentOf(manifest: Manifest): JsonObject {
  const { metadata: _metadata, status: _status, ...content } = manifest as JsonObject;
  return content;
}
