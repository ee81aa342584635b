// Owns what becomes of the claims of a StatefulSet: with its policy they are owned by the set, or by the pod that goes, and
// the garbage collector takes them along.
import type { KubeObject, OwnerReference } from '../object.ts';
import { equalJson } from '../object.ts';
import type { StageContext } from './loop.ts';
import { controllerReference } from './ownership.ts';
import { type Pod, RESOURCES } from './types.ts';

/** `spec.persistentVolumeClaimRetentionPolicy`. */
export interface ClaimRetention {
  readonly whenDeleted?: string;
  readonly whenScaled?: string;
}

interface Retained {
  readonly set: KubeObject;
  readonly pod: Pod;
  /** The pod is one that the set does not want any more. */
  readonly isSurplus: boolean;
  readonly claims: readonly string[];
  readonly policy: ClaimRetention;
}

/** Writes the owners of a pod's claims, where they are others than the policy says. */
export function retainClaims({ store }: StageContext, { set, pod, isSurplus, claims, policy }: Retained): void {
  const namespace = set.metadata.namespace ?? '';
  const goesWithPod = policy.whenScaled === 'Delete' && isSurplus;
  const goesWithSet = policy.whenDeleted === 'Delete' && !goesWithPod;
  const owner = goesWithPod ? pod : goesWithSet ? set : undefined;
  for (const name of claims) {
    const claim = store.get(RESOURCES.persistentVolumeClaims, namespace, name);
    if (claim === undefined) continue;
    const before = claim.metadata.ownerReferences ?? [];
    // Somebody else's claim stays that.
    if (before.some((reference) => reference.controller === true && !isOf(reference, set, pod))) continue;
    const others = before.filter((reference) => !isOf(reference, set, pod));
    const after = owner === undefined ? others : [...others, controllerReference(owner)];
    if (equalJson(before, after)) continue;
    const { ownerReferences: _, ...metadata } = claim.metadata;
    const owned = after.length === 0 ? metadata : { ...metadata, ownerReferences: after };
    store.update(RESOURCES.persistentVolumeClaims, { ...claim, metadata: owned });
  }
}

function isOf({ uid }: OwnerReference, set: KubeObject, pod: KubeObject): boolean {
  return uid === set.metadata.uid || uid === pod.metadata.uid;
}
