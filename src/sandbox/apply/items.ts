// Owns how list items and values are named by path elements and which shape of an any-typed schema a value takes.
import { isRecord } from '../object.ts';
import { DEDUCED, type ListShape, type MapShape, type SchemaNode } from '../schema/node.ts';
import { keyElement, type PathElement, valueElement } from './fieldset.ts';

/** A value that does not fit its schema; `path` is written as `.spec.list[0]`. */
export interface TypeProblem {
  readonly path: string;
  readonly message: string;
}

export type Shape = 'map' | 'scalar' | 'list';

/** The shape that merging takes for a value; a null or absent one takes the first that the schema allows. */
export function shapeOf(node: SchemaNode, value: unknown): Shape {
  if (value !== undefined && value !== null) {
    if (Array.isArray(value)) {
      if (node.list) return 'list';
    } else if (typeof value === 'object') {
      if (node.map) return 'map';
    } else if (node.scalar) return 'scalar';
  }
  if (node.map) return 'map';
  return node.scalar ? 'scalar' : 'list';
}

/** Type of a key of a map; deduced when the key is not declared (it was accepted by an older schema). */
export function fieldNode(map: MapShape, key: string): SchemaNode {
  return map.fields.get(key) ?? map.values ?? DEDUCED;
}

/** The path element of a list item, or why it has none. */
export function itemElement(list: ListShape, item: unknown): PathElement | { readonly problem: string } {
  if (list.keys.length > 0) return keyedElement(list, item);
  if (isRecord(item)) return { problem: "associative list without keys has an element that's a map type" };
  if (Array.isArray(item)) return { problem: 'not supported: associative list with lists as elements' };
  if (item === null) return { problem: "associative list without keys has an element that's an explicit null" };
  return valueElement(item);
}

function keyedElement(list: ListShape, item: unknown): PathElement | { readonly problem: string } {
  if (item === null) return { problem: 'associative list with keys may not have a null element' };
  if (!isRecord(item)) return { problem: 'associative list with keys may not have non-map elements' };
  const keys: Record<string, unknown> = {};
  let found = 0;
  for (const name of list.keys) {
    const value = Object.hasOwn(item, name) ? item[name] : list.items.map?.fields.get(name)?.default;
    if (value === undefined) continue;
    keys[name] = value;
    found++;
  }
  if (found === 0) {
    const names = list.keys.map((key) => JSON.stringify(key)).join(' ');
    return {
      problem: `associative list with keys has an element that omits all key fields [${names}] (and doesn't have default values for any key fields)`,
    };
  }
  return keyElement(keys);
}

/** Items of a list by path element, in order of first appearance; several under one element are duplicates. */
export function indexItems(list: ListShape, items: readonly unknown[]): Map<PathElement, unknown[]> {
  const index = new Map<PathElement, unknown[]>();
  for (const item of items) {
    const element = itemElement(list, item);
    if (typeof element !== 'string') continue;
    const known = index.get(element);
    if (known) known.push(item);
    else index.set(element, [item]);
  }
  return index;
}
