// Owns the reading of Flux's per-object policies, which may stand as label or as annotation (flux.md §1.1).
import { pruneKey, reconcileKey, ssaKey } from '../api/meta/keys.ts';
import { annotationsOf, labelsOf, type Manifest } from './manifest.ts';

/** True when label or annotation `key` has the value, compared without case. An empty value never matches. */
export function hasPolicy(manifest: Manifest | undefined, key: string, value: string): boolean {
  if (manifest === undefined || value === '') return false;
  const wanted = value.toLowerCase();
  return labelsOf(manifest)[key]?.toLowerCase() === wanted || annotationsOf(manifest)[key]?.toLowerCase() === wanted;
}

/** Why an object is neither applied nor compared, or undefined when it is. */
export function applyExclusion(desired: Manifest, live: Manifest | undefined): string | undefined {
  const because = ownExclusion(desired) ?? ownExclusion(live);
  if (because !== undefined) return because;
  if (live !== undefined && hasPolicy(desired, ssaKey, 'IfNotPresent')) return 'ssa: IfNotPresent';
  return undefined;
}

/** Why an object says of itself that it is left alone, or undefined when it does not. */
export function ownExclusion(manifest: Manifest | undefined): string | undefined {
  if (hasPolicy(manifest, reconcileKey, 'disabled')) return 'reconcile: disabled';
  return hasPolicy(manifest, ssaKey, 'Ignore') ? 'ssa: Ignore' : undefined;
}

/** Why a live object that left the inventory is not deleted, or undefined when it may be. */
export function pruneExclusion(live: Manifest): string | undefined {
  return hasPolicy(live, pruneKey, 'disabled') ? 'prune: disabled' : ownExclusion(live);
}
