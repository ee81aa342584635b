// Owns what of a status is written, and the rules every status keeps. Setting conditions is conditions.ts.
import type { Condition } from '../api/meta/condition.ts';
import { getCondition, readiness } from './conditions.ts';
import type { Reconcilable } from './controller.ts';

type Plain = { readonly [key: string]: unknown };

/** JSON merge patch that makes `from` into `to`; undefined when they are equal. Arrays are replaced as a whole. */
export function mergePatch(from: unknown, to: unknown): Record<string, unknown> | undefined {
  const before = isPlain(from) ? from : {};
  const after = isPlain(to) ? to : {};
  const patch: Record<string, unknown> = {};
  let changed = false;
  const put = (key: string, value: unknown): void => {
    changed = true;
    Object.defineProperty(patch, key, { value, enumerable: true, configurable: true, writable: true });
  };
  for (const [key, value] of Object.entries(after)) {
    if (value === undefined) continue;
    const old = Object.hasOwn(before, key) ? before[key] : undefined;
    if (isPlain(value) && isPlain(old)) {
      const inner = mergePatch(old, value);
      if (inner !== undefined) put(key, inner);
    } else if (!deepEqual(old, value)) {
      put(key, value);
    }
  }
  for (const [key, value] of Object.entries(before)) {
    if (value === undefined || value === null) continue;
    if (!Object.hasOwn(after, key) || after[key] === undefined) put(key, null);
  }
  return changed ? patch : undefined;
}

/** Equality of JSON values; a key with `undefined` counts as absent. */
export function deepEqual(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (Array.isArray(a)) {
    return Array.isArray(b) && a.length === b.length && a.every((item, at) => deepEqual(item, b[at]));
  }
  if (!isPlain(a) || !isPlain(b)) return false;
  const keys = (value: Plain) => Object.keys(value).filter((key) => value[key] !== undefined);
  const keysOfA = keys(a);
  return (
    keysOfA.length === keys(b).length && keysOfA.every((key) => Object.hasOwn(b, key) && deepEqual(a[key], b[key]))
  );
}

function isPlain(value: unknown): value is Plain {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Whether a pass is still at work on the object (waiting counts) or has finished. */
export type PassState = 'running' | 'finished';

/**
 * Breaches of the rules that every status keeps (style.md §7), in words; none is right. Tests call it after each
 * reconcile.
 * @param negative types whose True is the bad case, beside Reconciling and Stalled
 */
export function checkStatusRules(object: Reconcilable, state: PassState, negative: readonly string[] = []): string[] {
  const problems: string[] = [];
  const must = (holds: boolean, problem: string): void => {
    if (!holds) problems.push(problem);
  };
  const conditions = object.status?.conditions;
  const generation = object.metadata.generation ?? 0;
  const observed = object.status?.observedGeneration;
  const ready = readiness(conditions);
  const reconciling = getCondition(conditions, 'Reconciling');
  const stalled = getCondition(conditions, 'Stalled');
  must(ready !== undefined, 'Ready is absent');
  must(reconciling === undefined || stalled === undefined, 'both Reconciling and Stalled are present');
  for (const condition of [reconciling, stalled]) {
    must(condition === undefined || condition.status === 'True', `${condition?.type} is present but not True`);
  }
  must(stalled === undefined || ready === 'False', 'Stalled without Ready=False');
  must(observed === undefined || observed <= generation, 'observedGeneration is ahead of generation');
  for (const problem of (conditions ?? []).flatMap((condition) => checkCondition(condition, generation)))
    must(false, problem);
  if (ready === 'Unknown') must(reconciling !== undefined, 'Ready=Unknown without Reconciling');
  if (state === 'finished') {
    must(ready !== 'Unknown', 'Ready=Unknown at the end');
    if (reconciling !== undefined) must(ready !== 'True', 'Reconciling is left over beside Ready=True');
    if (ready === 'True') {
      for (const type of negative)
        must(getCondition(conditions, type)?.status !== 'True', `Ready=True beside ${type}=True`);
      must(observed === generation, 'Ready=True but observedGeneration is not generation');
      for (const condition of conditions ?? []) {
        must(condition.observedGeneration === generation, `${condition.type} is not of this generation`);
      }
    }
  }
  return problems;
}

function checkCondition(condition: Condition, generation: number): string[] {
  const problems: string[] = [];
  if (condition.reason === '') problems.push(`${condition.type} has no reason`);
  if ((condition.observedGeneration ?? 0) > generation) problems.push(`${condition.type} is ahead of generation`);
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(condition.lastTransitionTime)) {
    problems.push(`lastTransitionTime of ${condition.type} is not in whole seconds`);
  }
  return problems;
}
