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
  for (const side of [desired, live]) {
    if (hasPolicy(side, reconcileKey, 'disabled')) return 'reconcile: disabled';
    if (hasPolicy(side, ssaKey, 'Ignore')) return 'ssa: Ignore';
  }
  if (live !== undefined && hasPolicy(desired, ssaKey, 'IfNotPresent')) return 'ssa: IfNotPresent';
  return undefined;
}

/** Why a live object that left the inventory is not deleted, or undefined when it may be. */
export function pruneExclusion(live: Manifest): string | undefined {
  if (hasPolicy(live, pruneKey, 'disabled')) return 'prune: disabled';
  if (hasPolicy(live, reconcileKey, 'disabled')) return 'reconcile: disabled';
  if (hasPolicy(live, ssaKey, 'Ignore')) return 'ssa: Ignore';
  return undefined;
}
