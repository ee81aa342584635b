// Owns the metrics that describe reconciled objects themselves, for dashboards made for Flux (flux.md §6.3).
import { conditionTypes } from '../api/meta/condition.ts';
import { getCondition } from './conditions.ts';
import type { ControlledKind, Reconcilable } from './controller.ts';
import type { MetricRegistry } from './metrics.ts';

/** A kind and how to list its objects. */
export interface MeasuredKind {
  readonly kind: ControlledKind;
  readonly list: () => readonly Reconcilable[];
}

/** Registers readiness and suspension of the objects, read from cache when the metrics are. */
export function registerResourceMetrics(registry: MetricRegistry, kinds: readonly MeasuredKind[]): void {
  const info = registry.family('gotk_resource_info', 'The current state of a Flux resource.', 'gauge');
  const suspended = registry.family(
    'gotk_suspend_status',
    'The current suspend status of a GitOps Toolkit resource.',
    'gauge',
  );
  const condition = registry.family(
    'gotk_reconcile_condition',
    'The current condition status of a GitOps Toolkit resource reconciliation.',
    'gauge',
  );
  registry.beforeRender(() => {
    for (const family of [info, suspended, condition]) family.clear();
    for (const { kind, list } of kinds) {
      for (const object of list()) {
        const { name, namespace = '' } = object.metadata;
        const ready = getCondition(object.status?.conditions, conditionTypes.ready)?.status ?? 'Unknown';
        const isSuspended = (object.spec as { suspend?: unknown } | undefined)?.suspend === true;
        info.set(infoLabels(kind, object, ready, isSuspended), 1);
        suspended.set({ kind: kind.kind, name, namespace }, isSuspended ? 1 : 0);
        for (const status of ['True', 'False', 'Unknown']) {
          condition.set({ kind: kind.kind, name, namespace, status, type: 'Ready' }, status === ready ? 1 : 0);
        }
      }
    }
  });
}

function infoLabels(
  kind: ControlledKind,
  object: Reconcilable,
  ready: string,
  suspended: boolean,
): Record<string, string> {
  const slash = kind.apiVersion.indexOf('/');
  return {
    customresource_group: kind.apiVersion.slice(0, Math.max(slash, 0)),
    customresource_version: kind.apiVersion.slice(slash + 1),
    customresource_kind: kind.kind,
    exported_namespace: object.metadata.namespace ?? '',
    name: object.metadata.name,
    ready,
    suspended: suspended ? 'true' : 'false',
    revision: revisionOf(object),
  };
}

/** Sources carry it in their artifact, appliers as the last applied one. */
function revisionOf(object: Reconcilable): string {
  const status = object.status as
    | { readonly artifact?: { readonly revision?: string }; readonly lastAppliedRevision?: string }
    | undefined;
  return status?.lastAppliedRevision ?? status?.artifact?.revision ?? '';
}
