// Owns safe reading of nested fields of live objects, for the health rules.
import { isJsonObject, type JsonObject, type JsonValue } from '../lib/json.ts';

/** A condition of any Kubernetes object; fields may be missing in the wild. */
export interface ObjectCondition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
  readonly lastTransitionTime: string;
}

/** The value at a path of keys; undefined as soon as one is absent. */
export function fieldAt(value: JsonValue | undefined, ...path: readonly string[]): JsonValue | undefined {
  let here = value;
  for (const key of path) {
    if (!isJsonObject(here) || !Object.hasOwn(here, key)) return undefined;
    here = here[key];
  }
  return here;
}

/** The number at a path, or the fallback when there is none. */
export function numberAt(object: JsonObject, path: readonly string[], fallback: number): number {
  const value = fieldAt(object, ...path);
  return typeof value === 'number' ? value : fallback;
}

export function textAt(object: JsonValue | undefined, ...path: readonly string[]): string {
  const value = fieldAt(object, ...path);
  return typeof value === 'string' ? value : '';
}

export function listAt(object: JsonValue | undefined, ...path: readonly string[]): readonly JsonObject[] {
  const value = fieldAt(object, ...path);
  return Array.isArray(value) ? value.filter(isJsonObject) : [];
}

/** The first condition of the type. Asked for several times in each verdict: only what is found is copied. */
export function conditionOf(object: JsonObject, type: string): ObjectCondition | undefined {
  const conditions = fieldAt(object, 'status', 'conditions');
  if (!Array.isArray(conditions)) return undefined;
  const found = conditions.find((condition) => isJsonObject(condition) && condition['type'] === type);
  return found === undefined ? undefined : toCondition(found);
}

function toCondition(condition: JsonObject): ObjectCondition {
  return {
    type: textAt(condition, 'type'),
    status: textAt(condition, 'status'),
    reason: textAt(condition, 'reason'),
    message: textAt(condition, 'message'),
    lastTransitionTime: textAt(condition, 'lastTransitionTime'),
  };
}
