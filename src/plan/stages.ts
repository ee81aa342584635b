// Owns which objects are applied together, and after which of them to wait (flux.md §4.8).
import { groupOf, type Manifest } from '../objects/manifest.ts';
import { compareForApply } from '../objects/order.ts';

/** Objects that are dry-run together and then applied one by one, in order. */
export interface Stage {
  readonly name: 'definitions' | 'classes' | 'custom' | 'rest';
  /** Wait until all are healthy before the next stage begins. */
  readonly wait: boolean;
  readonly objects: readonly Manifest[];
}

/**
 * Splits objects into stages, empty ones left out.
 * @param customKinds `group/Kind` of kinds that have a stage of their own before the rest
 */
export function planStages(objects: readonly Manifest[], customKinds: readonly string[] = []): readonly Stage[] {
  const custom = new Set(customKinds);
  const stageOf = (object: Manifest): Stage['name'] => {
    if (isDefinition(object)) return 'definitions';
    if (object.kind.endsWith('Class')) return 'classes';
    return custom.has(`${groupOf(object.apiVersion)}/${object.kind}`) ? 'custom' : 'rest';
  };
  const members = Map.groupBy(objects, stageOf);
  const names = ['definitions', 'classes', 'custom', 'rest'] as const;
  return names.flatMap((name) => {
    const list = members.get(name);
    if (list === undefined) return [];
    return [{ name, wait: name === 'definitions' || name === 'classes', objects: list.toSorted(compareForApply) }];
  });
}

function isDefinition(object: Manifest): boolean {
  return (
    object.kind === 'CustomResourceDefinition' ||
    object.kind === 'ClusterRole' ||
    (object.kind === 'Namespace' && object.apiVersion === 'v1')
  );
}
