// Owns which objects' health a Kustomization waits for (flux.md §4.12).
import type { Kustomization } from '../../api/kustomize/kustomization.ts';
import type { Change } from '../../apply/apply.ts';
import { formatObjectId, groupOf, identityKey, namespaceOf, referenceOf } from '../../objects/manifest.ts';
import type { HealthTarget } from './types.ts';

/** With `wait` everything that was applied and not skipped, else what `healthChecks` lists; never the object itself. */
export function healthTargetsOf(object: Kustomization, changes: readonly Change[]): readonly HealthTarget[] {
  if (object.spec?.wait === true) {
    return changes.flatMap((change) => {
      if (change.action === 'skipped' || isItself(object, change)) return [];
      const { desired } = change;
      const { kind, namespace, name } = referenceOf(desired);
      return [toTarget({ apiVersion: desired.apiVersion, kind, namespace, name })];
    });
  }
  return (object.spec?.healthChecks ?? []).map((check) =>
    toTarget({
      apiVersion: check.apiVersion || 'apps/v1',
      kind: check.kind,
      namespace: check.namespace ?? '',
      name: check.name,
    }),
  );
}

function toTarget(reference: HealthTarget['reference']): HealthTarget {
  return { id: formatObjectId(reference), reference };
}

function isItself(object: Kustomization, change: Change): boolean {
  const own = {
    group: groupOf(object.apiVersion),
    kind: object.kind,
    namespace: object.metadata.namespace ?? '',
    name: object.metadata.name,
  };
  return identityKey(own) === identityKey({ ...referenceOf(change.desired), namespace: namespaceOf(change.desired) });
}
