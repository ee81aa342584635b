// Owns the rule that an object in another Kustomization's inventory is left to it (lockstep.md §3).
import type { Kustomization } from '../../api/kustomize/kustomization.ts';
import { ownerNameLabel, ownerNamespaceLabel } from '../../api/meta/keys.ts';
import { labelsOf, type Manifest, referenceOf } from '../../objects/manifest.ts';
import { toInventoryEntry } from '../../plan/inventory.ts';
import type { KustomizationPorts } from './ports.ts';

/** Tells the key of the other Kustomization that still counts a live object as its own; undefined when none does. */
export function otherOwner(object: Kustomization, ports: KustomizationPorts): (live: Manifest) => string | undefined {
  return (live) => {
    const labels = labelsOf(live);
    const name = labels[ownerNameLabel];
    const namespace = labels[ownerNamespaceLabel];
    if (name === undefined || namespace === undefined) return undefined;
    if (name === object.metadata.name && namespace === object.metadata.namespace) return undefined;
    const other = ports.findKustomization(namespace, name);
    if (other === undefined || other.metadata.deletionTimestamp !== undefined) return undefined;
    const { id } = toInventoryEntry(referenceOf(live));
    if (ports.moves.isLeaving(`${namespace}/${name}`, id)) return undefined;
    const isListed = other.status?.inventory?.entries.some((entry) => entry.id === id) ?? false;
    return isListed ? `${namespace}/${name}` : undefined;
  };
}
