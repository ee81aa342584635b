// Owns JSON merge patch (RFC 7386). Pure; inputs are not changed, parts of them are shared with the result.
import { getKey, isRecord, setKey } from '../object.ts';

/** The target with the patch applied: null removes a key, objects merge, anything else replaces. */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isRecord(patch)) return patch;
  const out: Record<string, unknown> = {};
  const base = isRecord(target) ? target : {};
  for (const key of Object.keys(base)) {
    if (!Object.hasOwn(patch, key)) setKey(out, key, getKey(base, key));
    else if (patch[key] !== null) setKey(out, key, mergePatch(getKey(base, key), getKey(patch, key)));
  }
  for (const key of Object.keys(patch)) {
    if (Object.hasOwn(base, key) || getKey(patch, key) === null) continue;
    setKey(out, key, mergePatch(undefined, getKey(patch, key)));
  }
  return out;
}
