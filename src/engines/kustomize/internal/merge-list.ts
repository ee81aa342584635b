// Owns the merge of lists whose elements are known by keys: pairing elements of target and patch, and the order of
// the result. The walk that merges each pair is merge.ts.
import { createNode, type YamlNode } from '../../../lib/goyaml/node.ts';
import type { MergeSchema } from '../../../objects/schema/merge-schema.ts';
import type { MergePlace, Sources } from './merge.ts';
import {
  fieldOf,
  getField,
  isEmptyMap,
  isNull,
  nodeValue,
  requireKind,
  scalarNode,
  setField,
  setScalar,
} from './node.ts';

/** Values of the keys in one element, in key order; '' where the element has none. */
type Values = readonly string[];

/**
 * Merges a list by its keys. The patch's elements come first in the patch's order, then what is left of the target;
 * with two keys in play merged elements stay where the target has them, behind the new ones.
 */
export function mergeKeyedList(sources: Sources, schema: MergeSchema, merge: MergePlace): YamlNode | undefined {
  const keys = schema.mergeKeys!;
  const dest = sources[0]!;
  const byValue = keys.length === 0 || (keys.length === 1 && keys[0] === '');
  const effective = byValue ? [''] : keys;
  let tuples = byValue ? elementTexts(sources) : elementTuples(sources, keys);
  if (effective.length > 1) tuples = completeTuples(tuples);
  if (tuples.length === 0) return isNull(dest) ? undefined : dest;

  const used = byValue ? effective : keysInUse(tuples, effective);
  const merged = createNode('sequence');
  const added = createAppender(merged, used);
  const finders = sources.map((source) => createFinder(source, used));
  const removals = createRemover(dest, used);
  for (const tuple of tuples) {
    const values = used.length === effective.length ? tuple : tuple.filter((_value, i) => used.includes(effective[i]!));
    const pair: Sources = [finders[0]!(values), finders[1]!(values)];
    const { node } = merge(pair, schema.elements);
    if (isNull(node) || isEmptyMap(node)) {
      removals.remove(values);
      continue;
    }
    for (const [i, key] of used.entries()) {
      if (fieldOf(node, key) !== undefined || values[i] === '') continue;
      if (key === '') setScalar(node!, scalarNode(values[i]!));
      else setField(node!, key, scalarNode(values[i]!));
    }
    added(node!, values);
  }
  removals.finish();
  appendRest(merged, dest, used);
  return isNull(merged) ? undefined : merged;
}

/** Finds elements of one side; by an index where every value is given, so that long lists stay linear. */
function createFinder(list: YamlNode | undefined, keys: readonly string[]): (values: Values) => YamlNode | undefined {
  let index: Map<string, YamlNode> | undefined;
  return (values) => {
    if (list === undefined || list.kind !== 'sequence') return undefined;
    if (list.content.length < MIN_INDEXED || values.includes('')) return findByTuple(list, keys, values);
    if (index === undefined) {
      index = new Map();
      for (const element of list.content) {
        const text = tupleText(element, keys);
        if (text !== undefined && !index.has(text)) index.set(text, element);
      }
    }
    return index.get(values.join('\0'));
  };
}

/** Shorter lists are searched faster than indexed. */
const MIN_INDEXED = 16;

/** Takes elements out of the target. Those with all values are taken out together at the end. */
function createRemover(dest: YamlNode, keys: readonly string[]): { remove(values: Values): void; finish(): void } {
  const texts = new Set<string>();
  return {
    remove: (values) => {
      if (dest.content.length >= MIN_INDEXED && values.length === keys.length && !values.includes('')) {
        texts.add(values.join('\0'));
        return;
      }
      replaceElement(dest, undefined, keys, values);
    },
    finish: () => {
      if (texts.size === 0) return;
      dest.content = dest.content.filter((element) => {
        if (isNull(element) || isEmptyMap(element)) return false;
        const text = tupleText(element, keys);
        return text === undefined || !texts.has(text);
      });
    },
  };
}

/** Patch first, each tuple once. */
function elementTuples([dest, patch]: Sources, keys: readonly string[]): Values[] {
  const tuples: Values[] = [];
  const seen = new Set<string>();
  for (const source of [patch, dest]) {
    if (source?.kind !== 'sequence' || isNull(source)) continue;
    for (const element of source.content) {
      const tuple = keys.map((key) => {
        const field = fieldOf(element, key);
        return isNull(field) || isEmptyMap(field) || (field!.kind === 'sequence' && field!.content.length === 0)
          ? ''
          : field!.value;
      });
      const text = tuple.join('\0');
      if (seen.has(text)) continue;
      seen.add(text);
      tuples.push(tuple);
    }
  }
  return tuples;
}

function elementTexts([dest, patch]: Sources): Values[] {
  const texts = new Set<string>();
  for (const source of [patch, dest]) for (const element of source?.content ?? []) texts.add(element.value);
  return [...texts].map((text) => [text]);
}

/** Fills the holes of tuples that agree where both have a value; the reference does so in place, pair by pair. */
function completeTuples(tuples: readonly Values[]): Values[] {
  const result = [...tuples];
  // Only tuples with a hole can change or be changed by one.
  if (!result.some((tuple) => tuple.includes(''))) return result;
  for (let i = 0; i < result.length; i++) {
    for (let j = 0; j < result.length; j++) {
      const both = unite(result[i]!, result[j]!);
      if (both === undefined) continue;
      result[i] = both;
      result[j] = both;
    }
  }
  return result;
}

function unite(a: Values, b: Values): Values | undefined {
  if (a === b) return undefined;
  let common = false;
  const values: string[] = [];
  for (let i = 0; i < a.length; i++) {
    if (a[i] === b[i]) common = true;
    else if (a[i] !== '' && b[i] !== '') return undefined;
    values.push(a[i] !== '' ? a[i]! : b[i]!);
  }
  return common ? values : undefined;
}

/** Keys for which any element has a value; all of them when none has. */
function keysInUse(tuples: readonly Values[], keys: readonly string[]): readonly string[] {
  const used = keys.filter((_key, i) => tuples.some((tuple) => tuple[i] !== ''));
  return used.length === 0 ? keys : used;
}

/** The element of one side that a tuple means: keys without a value are not asked for. */
function findByTuple(list: YamlNode | undefined, keys: readonly string[], values: Values): YamlNode | undefined {
  if (list === undefined || list.kind !== 'sequence') return undefined;
  let asked = keys;
  let wanted = values;
  if (values.some((value) => value === '') && values.some((value) => value !== '')) {
    asked = keys.filter((_key, i) => values[i] !== '');
    wanted = values.filter((value) => value !== '');
  }
  if (asked[0] === '') return list.content.find((element) => element.value === wanted[0]);
  return list.content.find(
    (element) =>
      element.kind === 'mapping' &&
      !isNull(element) &&
      asked.every((key, i) => fieldOf(element, key)?.value === wanted[i]),
  );
}

/** Does the element have these values? A key without a wanted value only has to be there. */
function matchesTuple(element: YamlNode, keys: readonly string[], values: Values): boolean {
  let found: YamlNode | undefined;
  for (let i = 0; i < keys.length; i++) {
    if (i < values.length) {
      if (keys[i] === '') {
        requireKind(element, 'scalar');
        found = nodeValue(element) === values[i] ? element : undefined;
      } else {
        const field = getField(element, keys[i]!);
        found = field !== undefined && (values[i] === '' || field.value === values[i]) ? field : undefined;
      }
    }
    if (found === undefined) return false;
  }
  return true;
}

/**
 * Puts an element in the place of all that have its values, or removes those when there is no element; at the end
 * when there were none. Null and empty elements fall out on the way.
 */
function replaceElement(list: YamlNode, element: YamlNode | undefined, keys: readonly string[], values: Values): void {
  const content: YamlNode[] = [];
  let matched = false;
  const wantsMap = keys[0] !== '' && values.length > 0 && values[0] !== '';
  for (const current of list.content) {
    if (isNull(current) || isEmptyMap(current)) continue;
    if (current.kind !== 'mapping' && wantsMap) {
      content.push(current);
    } else if (!matchesTuple(current, keys, values)) {
      if (values.length > 0) content.push(current);
    } else {
      matched = true;
      if (element !== undefined) content.push(element);
    }
  }
  if (!matched && !isNull(element)) content.push(element!);
  list.content = content;
}

/**
 * Adds merged elements one by one. Tuples are distinct, so an element can only meet an earlier one where a value is
 * missing; the scan for that is skipped as long as all values are there.
 */
function createAppender(list: YamlNode, keys: readonly string[]): (element: YamlNode, values: Values) => void {
  const seen = new Set<string>();
  let complete = true;
  return (element, values) => {
    const text = values.join('\0');
    complete &&=
      values.length === keys.length && !values.includes('') && !seen.has(text) && hasValues(element, keys, values);
    seen.add(text);
    if (complete) list.content.push(element);
    else replaceElement(list, element, keys, values);
  };
}

function hasValues(element: YamlNode, keys: readonly string[], values: Values): boolean {
  if (keys[0] === '') return element.kind === 'scalar' && element.value === values[0];
  return keys.every((key, i) => fieldOf(element, key)?.value === values[i]);
}

/** Appends what the target has and the merged list lacks; what both have ends as the target's own node. */
function appendRest(merged: YamlNode, dest: YamlNode, keys: readonly string[]): void {
  const rest = [...dest.content];
  const handled = appendIndexed(merged, rest, keys);
  for (const element of rest.slice(handled)) appendSlowly(merged, element, keys);
}

function appendSlowly(merged: YamlNode, element: YamlNode, keys: readonly string[]): void {
  if (keys[0] === '') {
    replaceElement(merged, element, [''], [element.value]);
    return;
  }
  const values: string[] = [];
  for (const key of keys) {
    const field = getField(element, key);
    // An element without a key is appended once for each key it lacks, and once more below: so does the reference.
    if (field === undefined) merged.content.push(element);
    else values.push(field.value);
  }
  if (keys.length > 1) replaceElement(merged, undefined, keys, values);
  replaceElement(merged, element, keys, values);
}

/**
 * The same in linear time, for as long as every element has a value for every key. Answers how many elements of `rest`
 * were taken; the others need the slow way.
 */
function appendIndexed(merged: YamlNode, rest: readonly YamlNode[], keys: readonly string[]): number {
  const content: (YamlNode | undefined)[] = [...merged.content];
  const positions = new Map<string, number>();
  for (let i = 0; i < content.length; i++) {
    const text = tupleText(content[i]!, keys);
    if (text === undefined || positions.has(text)) return 0;
    positions.set(text, i);
  }
  let taken = 0;
  for (; taken < rest.length; taken++) {
    const element = rest[taken]!;
    const text = tupleText(element, keys);
    if (text === undefined) break;
    const position = positions.get(text);
    if (position !== undefined && keys.length === 1) {
      content[position] = element;
      continue;
    }
    if (position !== undefined) content[position] = undefined;
    positions.set(text, content.length);
    content.push(element);
  }
  merged.content = content.filter((element) => element !== undefined);
  return taken;
}

/** Text of an element's key values; undefined when one is missing or empty. */
function tupleText(element: YamlNode, keys: readonly string[]): string | undefined {
  if (isNull(element)) return undefined;
  if (keys[0] === '') return element.kind === 'scalar' && element.value !== '' ? element.value : undefined;
  if (element.kind !== 'mapping') return undefined;
  const values: string[] = [];
  for (const key of keys) {
    const value = fieldOf(element, key)?.value ?? '';
    if (value === '') return undefined;
    values.push(value);
  }
  return values.join('\0');
}
