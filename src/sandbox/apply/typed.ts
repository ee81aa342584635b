// Owns the operations on a value with its schema that field ownership rests on: its field set, the comparison of two
// values, merging one into another, removing paths. Semantics are those of structured-merge-diff v6. Pure.
import { formatGoMap, formatGoSyntax, goTypeOf } from '../go-values.ts';
import { equalJson, getKey, isRecord, setKey } from '../object.ts';
import type { ListShape, SchemaNode } from '../schema/node.ts';
import { FieldSet, formatElement, type PathElement } from './fieldset.ts';
import { fieldNode, indexItems, itemElement, shapeOf, type TypeProblem } from './items.ts';

/** Paths that two values differ in. */
export interface Comparison {
  readonly added: FieldSet;
  readonly modified: FieldSet;
  readonly removed: FieldSet;
}

/** The paths that a configuration claims. */
export function toFieldSet(node: SchemaNode, value: unknown): FieldSet {
  const set = new FieldSet();
  collectFields(node, value, [], set);
  return set;
}

function collectFields(node: SchemaNode, value: unknown, path: PathElement[], set: FieldSet): void {
  switch (shapeOf(node, value)) {
    case 'scalar':
      insertAt(set, path);
      return;
    case 'list': {
      const list = node.list!;
      if (list.atomic) insertAt(set, path);
      else if (Array.isArray(value)) collectItems(list, value, path, set);
      return;
    }
    case 'map': {
      const map = node.map!;
      if (map.atomic) {
        insertAt(set, path);
        return;
      }
      if (!isRecord(value)) return;
      for (const key of Object.keys(value)) {
        const item = getKey(value, key);
        path.push(`f:${key}`);
        collectFields(fieldNode(map, key), item, path, set);
        if (item === null || (isRecord(item) && Object.keys(item).length === 0) || !map.fields.has(key))
          set.insert(path);
        path.pop();
      }
    }
  }
}

/** The root itself is no path. */
function insertAt(set: FieldSet, path: readonly PathElement[]): void {
  if (path.length > 0) set.insert(path);
}

function collectItems(list: ListShape, items: readonly unknown[], path: PathElement[], set: FieldSet): void {
  for (const [element, same] of indexItems(list, items)) {
    path.push(element);
    if (same.length === 1) collectFields(list.items, same[0], path, set);
    set.insert(path);
    path.pop();
  }
}

/** Compares two values; undefined stands for an absent one. */
export function compareTyped(node: SchemaNode, left: unknown, right: unknown): Comparison {
  const result = { added: new FieldSet(), modified: new FieldSet(), removed: new FieldSet() };
  if (left !== right) compareAt(node, left, right, [], result);
  return result;
}

function compareAt(node: SchemaNode, left: unknown, right: unknown, path: PathElement[], result: Comparison): void {
  if (left === right) return;
  if (compareInside(node, left, right, path, result)) {
    if (left === undefined) insertAt(result.added, path);
    else if (right === undefined) insertAt(result.removed, path);
    return;
  }
  if (left === undefined) insertAt(result.added, path);
  else if (right === undefined) insertAt(result.removed, path);
  else if (!equalJson(left, right)) insertAt(result.modified, path);
}

/** Descends where the schema has parts with owners of their own; false when the value is one leaf. */
function compareInside(
  node: SchemaNode,
  left: unknown,
  right: unknown,
  path: PathElement[],
  result: Comparison,
): boolean {
  const shape = shapeOf(node, right === undefined ? left : right);
  if (shape === 'scalar' || (left !== undefined && right !== undefined && shapeOf(node, left) !== shape)) return false;
  if (shape === 'map') {
    const map = node.map!;
    const before = isRecord(left) ? left : {};
    const after = isRecord(right) ? right : {};
    const beforeKeys = Object.keys(before);
    const afterKeys = Object.keys(after);
    if (map.atomic || (beforeKeys.length === 0 && afterKeys.length === 0)) return false;
    for (const key of beforeKeys) {
      path.push(`f:${key}`);
      compareAt(fieldNode(map, key), getKey(before, key), getKey(after, key), path, result);
      path.pop();
    }
    for (const key of afterKeys) {
      if (Object.hasOwn(before, key)) continue;
      path.push(`f:${key}`);
      compareAt(fieldNode(map, key), undefined, getKey(after, key), path, result);
      path.pop();
    }
    return true;
  }
  const list = node.list!;
  const before = Array.isArray(left) ? left : [];
  const after = Array.isArray(right) ? right : [];
  if (list.atomic || (before.length === 0 && after.length === 0)) return false;
  compareItems(list, indexItems(list, before), indexItems(list, after), path, result);
  return true;
}

function compareItems(
  list: ListShape,
  before: Map<PathElement, unknown[]>,
  after: Map<PathElement, unknown[]>,
  path: PathElement[],
  result: Comparison,
): void {
  for (const element of new Set([...before.keys(), ...after.keys()])) {
    const old = before.get(element) ?? [];
    const now = after.get(element) ?? [];
    path.push(element);
    if (old.length <= 1 && now.length <= 1) compareAt(list.items, old[0], now[0], path, result);
    else if (old.length >= 2 && now.length >= 2) {
      if (!equalJson(old, now)) result.modified.insert(path);
    } else if (old.length >= 2) {
      // Duplicates that are duplicates no more: the survivor is new, the marker of the duplicates goes.
      if (now.length > 0) compareAt(list.items, undefined, now[0], path, result);
      result.removed.insert(path);
    } else {
      if (old.length > 0) compareAt(list.items, old[0], undefined, path, result);
      result.added.insert(path);
    }
    path.pop();
  }
}

/** Merges `right` over `left`; parts of both are shared with the result. Both must fit the schema. */
export function mergeTyped(node: SchemaNode, left: unknown, right: unknown): unknown {
  if (right === undefined) return left;
  if (left === undefined || left === right) return right;
  const shape = shapeOf(node, right);
  if (shape === 'scalar' || shapeOf(node, left) !== shape) return right;
  if (shape === 'map') {
    const map = node.map!;
    const before = isRecord(left) ? left : {};
    const after = isRecord(right) ? right : {};
    const afterKeys = Object.keys(after);
    if (map.atomic || (afterKeys.length === 0 && Object.keys(before).length === 0)) return right;
    const out: Record<string, unknown> = {};
    for (const key of Object.keys(before))
      setKey(out, key, mergeTyped(fieldNode(map, key), before[key], getKey(after, key)));
    for (const key of afterKeys) if (!Object.hasOwn(before, key)) setKey(out, key, getKey(after, key));
    return out;
  }
  const list = node.list!;
  const before = Array.isArray(left) ? left : [];
  const after = Array.isArray(right) ? right : [];
  if (list.atomic || (before.length === 0 && after.length === 0)) return right;
  return mergeItems(list, before, after);
}

/** Keeps the order of the applied list and puts live-only items where they stood relative to shared ones. */
function mergeItems(list: ListShape, left: readonly unknown[], right: readonly unknown[]): unknown[] {
  const leftElements = left.map((item) => itemElement(list, item) as PathElement);
  const rightElements = right.map((item) => itemElement(list, item) as PathElement);
  const inLeft = indexItems(list, left);
  const inRight = new Map(rightElements.map((element, i) => [element, right[i]]));
  const shared = rightElements.filter((element) => inLeft.has(element));
  const merged = new Set<PathElement>();
  const out: unknown[] = [];
  // A duplicated live item is not merged with the applied one, it is replaced.
  const liveItem = (element: PathElement): unknown => {
    const items = inLeft.get(element);
    return items?.length === 1 ? items[0] : undefined;
  };
  let next = shared.shift();
  for (let l = 0, r = 0; l < left.length || r < right.length; ) {
    if (l < left.length && r < right.length) {
      const element = leftElements[l]!;
      if (element === rightElements[r]) {
        merged.add(element);
        out.push(mergeTyped(list.items, liveItem(element), inRight.get(element)));
        l++;
        r++;
        next = shared.shift();
        continue;
      }
      if (inRight.has(element) && next !== undefined && next !== element) {
        l++;
        continue;
      }
    }
    if (l < left.length) {
      const element = leftElements[l]!;
      if (!inRight.has(element)) {
        out.push(left[l]);
        l++;
        continue;
      }
      if (merged.has(element)) l++;
    }
    if (r < right.length) {
      const element = rightElements[r]!;
      merged.add(element);
      out.push(mergeTyped(list.items, liveItem(element), inRight.get(element)));
      r++;
      if (next === element) next = shared.shift();
    }
  }
  return out;
}

/**
 * The value without the given paths. A container that is emptied becomes null, as in structured-merge-diff 6.3.3: built-in
 * kinds drop the null when they are read back, custom resources may be refused for it.
 */
export function removeTyped(node: SchemaNode, value: unknown, paths: FieldSet): unknown {
  if (paths.isEmpty) return value;
  const shape = shapeOf(node, value);
  if (shape === 'map' && isRecord(value)) {
    const keys = Object.keys(value);
    if (keys.length === 0) return value;
    if (node.map!.atomic) return null;
    const out: Record<string, unknown> = {};
    let kept = 0;
    for (const key of keys) {
      const element = `f:${key}`;
      if (paths.members.has(element)) continue;
      kept++;
      const inside = paths.children.get(element);
      const item = getKey(value, key);
      setKey(out, key, inside ? removeTyped(fieldNode(node.map!, key), item, inside) : item);
    }
    return kept > 0 ? out : null;
  }
  if (shape === 'list' && Array.isArray(value)) {
    const list = node.list!;
    if (value.length === 0) return value;
    if (list.atomic) return null;
    const out: unknown[] = [];
    for (const item of value) {
      const element = itemElement(list, item);
      if (typeof element !== 'string') out.push(item);
      else if (!paths.members.has(element)) {
        const inside = paths.children.get(element);
        out.push(inside ? removeTyped(list.items, item, inside) : item);
      }
    }
    return out.length > 0 ? out : null;
  }
  return value;
}

/** The set with every declared field on the way to a member being a member itself. */
export function withNamedFields(set: FieldSet, node: SchemaNode | undefined): FieldSet {
  const out = new FieldSet();
  for (const element of set.members) out.add(element);
  for (const [element, child] of set.children) {
    let below: SchemaNode | undefined;
    if (element.startsWith('f:') && node?.map) {
      const key = element.slice(2);
      const field = node.map.fields.get(key);
      if (field) out.add(element);
      below = field ?? node.map.values;
    } else if (element.startsWith('k:') && node?.list) below = node.list.items;
    out.attach(element, withNamedFields(child, below));
  }
  return out;
}

/** Faults of a configuration against its schema, in structured-merge-diff's words. */
export function checkTyped(
  node: SchemaNode,
  value: unknown,
  options?: { readonly allowDuplicates?: boolean },
): TypeProblem[] {
  const problems: TypeProblem[] = [];
  checkAt(node, value, '', options?.allowDuplicates === true, problems);
  return problems;
}

function checkAt(node: SchemaNode, value: unknown, path: string, duplicates: boolean, problems: TypeProblem[]): void {
  if (value === null || value === undefined) return;
  const shape = shapeOf(node, value);
  if (shape === 'map') {
    if (!isRecord(value)) {
      problems.push({ path, message: `expected map, got &{${formatGoMap(value)}}` });
      return;
    }
    for (const key of Object.keys(value)) {
      const child = node.map!.fields.get(key) ?? node.map!.values;
      if (child === undefined) {
        problems.push({ path: `${path}.${key}`, message: 'field not declared in schema' });
        return;
      }
      checkAt(child, getKey(value, key), `${path}.${key}`, duplicates, problems);
    }
    return;
  }
  if (shape === 'list') {
    if (!Array.isArray(value)) problems.push({ path, message: `expected list, got &{${formatGoMap(value)}}` });
    else checkItems(node.list!, value, path, duplicates, problems);
    return;
  }
  const wrong = scalarProblem(node.type, value);
  if (wrong !== undefined) problems.push({ path, message: wrong });
}

function checkItems(
  list: ListShape,
  items: readonly unknown[],
  path: string,
  duplicates: boolean,
  problems: TypeProblem[],
): void {
  const seen = new Set<PathElement>();
  for (const [i, item] of items.entries()) {
    let step = `[${i}]`;
    if (!list.atomic) {
      const element = itemElement(list, item);
      if (typeof element !== 'string') {
        problems.push({ path, message: `element ${i}: ${element.problem}` });
        return;
      }
      step = formatElement(element);
      if (seen.has(element) && !duplicates) problems.push({ path, message: `duplicate entries for key ${step}` });
      seen.add(element);
    }
    checkAt(list.items, item, path + step, duplicates, problems);
  }
}

function scalarProblem(type: string, value: unknown): string | undefined {
  const numeric = typeof value === 'number' || typeof value === 'bigint';
  if (type === 'integer' || type === 'number') {
    if (!numeric) return `expected numeric (int or float), got ${goTypeOf(value)}`;
  } else if (type === 'string') {
    if (typeof value !== 'string')
      return `expected string, got &value.valueUnstructured{Value:${formatGoSyntax(value)}}`;
  } else if (type === 'boolean') {
    if (typeof value !== 'boolean') return `expected boolean, got &{${formatGoMap(value)}}`;
  } else if (typeof value === 'object') return `expected any scalar, got &{${formatGoMap(value)}}`;
  return undefined;
}
