// Owns whose child an object is: controller references, adoption of orphans that match, release of those that do not.
import type { KubeObject, OwnerReference } from '../object.ts';
import type { ResourceId } from '../store.ts';
import type { Key, StageContext } from './loop.ts';
import { matchesSelector } from './selector.ts';
import type { LabelSelector } from './types.ts';

/** The reference of the controller of an object, if it has one. */
export function controllerOf(object: KubeObject): OwnerReference | undefined {
  return object.metadata.ownerReferences?.find(({ controller }) => controller === true);
}

export function isControlledBy(object: KubeObject, owner: KubeObject): boolean {
  return controllerOf(object)?.uid === owner.metadata.uid;
}

/** The reference that a controller puts on what it creates. */
export function controllerReference(owner: KubeObject): OwnerReference {
  return {
    apiVersion: owner.apiVersion,
    kind: owner.kind,
    name: owner.metadata.name,
    uid: owner.metadata.uid ?? '',
    controller: true,
    blockOwnerDeletion: true,
  };
}

/** Watch mapping: the key of the object's controller, when that is of the kind. */
export function keyOfController(kind: string): (object: KubeObject) => readonly Key[] {
  return (object) => {
    const owner = controllerOf(object);
    return owner?.kind === kind ? [{ namespace: object.metadata.namespace ?? '', name: owner.name }] : [];
  };
}

/** Watch mapping: the key of the object's controller, or of everything that might adopt it. */
export function keyOfControllerOrSelectors(kind: string, owners: ResourceId) {
  const byController = keyOfController(kind);
  return (object: KubeObject, { store }: StageContext): readonly Key[] => {
    if (controllerOf(object) !== undefined) return byController(object);
    const namespace = object.metadata.namespace ?? '';
    return store
      .list(owners, { namespace })
      .filter((owner) => matchesSelector(selectorOf(owner), object.metadata.labels))
      .map((owner) => ({ namespace, name: owner.metadata.name }));
  };
}

function selectorOf(owner: KubeObject): LabelSelector | undefined {
  return (owner['spec'] as { selector?: LabelSelector } | undefined)?.selector;
}

/**
 * The objects that the owner controls. Matching orphans get its reference first, and controlled ones that no longer
 * match lose it, as every workload controller does before anything else.
 */
export function claimChildren<Child extends KubeObject>(
  context: StageContext,
  resource: ResourceId,
  owner: KubeObject,
  selector: LabelSelector | undefined,
): Child[] {
  const claimed: Child[] = [];
  const namespace = owner.metadata.namespace ?? '';
  for (const child of context.store.list(resource, { namespace })) {
    const controller = controllerOf(child);
    // Most children of a namespace are somebody else's: tell them apart before looking at labels.
    if (controller !== undefined && controller.uid !== owner.metadata.uid) continue;
    const matches = matchesSelector(selector, child.metadata.labels);
    if (controller === undefined) {
      if (!matches || owner.metadata.deletionTimestamp !== undefined) continue;
      if (child.metadata.deletionTimestamp !== undefined) continue;
      const references = [...(child.metadata.ownerReferences ?? []), controllerReference(owner)];
      claimed.push(context.store.update(resource, withReferences(child, references)) as Child);
    } else if (matches) {
      claimed.push(child as Child);
    } else if (owner.metadata.deletionTimestamp === undefined) {
      const references = (child.metadata.ownerReferences ?? []).filter(({ uid }) => uid !== owner.metadata.uid);
      context.store.update(resource, withReferences(child, references));
    }
  }
  return claimed;
}

function withReferences(object: KubeObject, ownerReferences: OwnerReference[]): KubeObject {
  const { ownerReferences: _, ...metadata } = object.metadata;
  return { ...object, metadata: ownerReferences.length > 0 ? { ...metadata, ownerReferences } : metadata };
}
