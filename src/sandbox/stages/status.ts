// Owns writing of status: conditions by type, and no write where nothing changed.
import { cloneObject, equalJson, type KubeObject } from '../object.ts';
import type { ResourceId } from '../store.ts';
import type { StageContext } from './loop.ts';
import type { Condition } from './types.ts';

export function findCondition(conditions: readonly Condition[] | undefined, type: string): Condition | undefined {
  return conditions?.find((condition) => condition.type === type);
}

export function hasCondition(conditions: readonly Condition[] | undefined, type: string): boolean {
  return findCondition(conditions, type)?.status === 'True';
}

/** The status without fields that are undefined, as the server would store it. */
export function compact<T extends object>(status: T): T {
  return Object.fromEntries(Object.entries(status).filter(([, value]) => value !== undefined)) as T;
}

/** Writes the status when it differs from the live one. Returns what is stored afterwards. */
export function writeStatus<T extends KubeObject>(
  context: StageContext,
  resource: ResourceId,
  live: T,
  status: object,
  manager = 'kube-controller-manager',
): T {
  const wanted = compact(status);
  if (equalJson(live['status'] ?? {}, wanted)) return live;
  const changed = { ...live, status: cloneObject(wanted) };
  return context.store.update(resource, changed, { subresource: 'status', manager }) as T;
}
