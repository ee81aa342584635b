// Owns sprig's list functions. Lists are never changed: each gives a new one. `x` and `mustX` differ in nothing that a
// template can see, as a panic fails it like an error does.
import { func, type GoFunction, variadic } from '../function.ts';
import { ANY, GoError, type GoValue, INT, kindOf, LIST_LIST, listItems, TypedSlice } from '../value.ts';
import { isEmpty, toInt } from './cast.ts';
import { deepEqual } from './compare.ts';

export function listFunctions(): [string, GoFunction][] {
  return [
    ['list', variadic([], ANY, (...items) => items)],
    ['tuple', variadic([], ANY, (...items) => items)],
    ['concat', variadic([], ANY, concat)],
    ...withMust(
      'first',
      func([ANY], (list) => itemsFor(list, 'Cannot find first on type')[0] ?? null),
    ),
    ...withMust(
      'last',
      func([ANY], (list) => itemsFor(list, 'Cannot find last on type').at(-1) ?? null),
    ),
    ...withMust(
      'rest',
      func([ANY], (list) => part(list, 'rest', (items) => items.slice(1))),
    ),
    ...withMust(
      'initial',
      func([ANY], (list) => part(list, 'initial', (items) => items.slice(0, -1))),
    ),
    ...withMust('append', func([ANY, ANY], append)),
    ...withMust('push', func([ANY, ANY], append)),
    ...withMust(
      'prepend',
      func([ANY, ANY], (list, item) => [item, ...itemsFor(list, 'Cannot prepend on type')]),
    ),
    ...withMust(
      'reverse',
      func([ANY], (list) => itemsFor(list, 'Cannot find reverse on type').toReversed()),
    ),
    ...withMust('uniq', func([ANY], uniq)),
    ...withMust('compact', func([ANY], compact)),
    ...withMust('without', variadic([ANY], ANY, without)),
    ...withMust('has', func([ANY, ANY], has)),
    ...withMust('slice', variadic([ANY], ANY, slice)),
    ...withMust('chunk', func([INT, ANY], chunk)),
    ['all', variadic([], ANY, (...values) => !values.some(isEmpty))],
    ['any', variadic([], ANY, (...values) => values.some((value) => !isEmpty(value)))],
  ];
}

/** The function under its name and as `mustName`. */
export function withMust(name: string, fn: GoFunction): [string, GoFunction][] {
  return [
    [name, fn],
    [`must${name[0]!.toUpperCase()}${name.slice(1)}`, fn],
  ];
}

const NIL_POINTER = 'runtime error: invalid memory address or nil pointer dereference';

/** The elements, or the complaint with the kind of what was given. */
function itemsFor(list: GoValue, complaint: string): readonly GoValue[] {
  const items = listItems(list);
  if (items !== undefined) return items;
  throw new GoError(list === null || list === undefined ? NIL_POINTER : `${complaint} ${kindOf(list)}`);
}

/** rest and initial of an empty list are nil. */
function part(list: GoValue, name: string, cut: (items: readonly GoValue[]) => GoValue[]): GoValue {
  const items = itemsFor(list, `Cannot find ${name} on type`);
  return items.length === 0 ? NIL_LIST : cut(items);
}

const NIL_LIST = new TypedSlice([], LIST_LIST.elem!, true);

function append(list: GoValue, item: GoValue): GoValue {
  return [...itemsFor(list, 'Cannot push on type'), item];
}

function concat(...lists: GoValue[]): GoValue {
  const all: GoValue[] = [];
  for (const list of lists) {
    const items = listItems(list);
    if (items === undefined) {
      throw new GoError(list === null ? NIL_POINTER : `Cannot concat type ${kindOf(list)} as list`);
    }
    for (const item of items) all.push(item);
  }
  return all.length === 0 ? NIL_LIST : all;
}

/** A value to look others up by: scalars by type and text at once, the rest one by one. */
class Members {
  readonly #scalars = new Set<GoValue>();
  readonly #others: GoValue[] = [];

  add(value: GoValue): void {
    if (isPlainScalar(value)) this.#scalars.add(value);
    else this.#others.push(value);
  }

  has(value: GoValue): boolean {
    if (isPlainScalar(value)) return this.#scalars.has(value);
    return this.#others.some((other) => deepEqual(value, other));
  }
}

/** Strings, booleans, nil and numbers that equal themselves: a Set compares them as Go does. */
function isPlainScalar(value: GoValue): boolean {
  return (
    value === null ||
    typeof value === 'string' ||
    typeof value === 'boolean' ||
    (typeof value === 'number' && !Number.isNaN(value))
  );
}

function uniq(list: GoValue): GoValue {
  const seen = new Members();
  const unique: GoValue[] = [];
  for (const item of itemsFor(list, 'Cannot find uniq on type')) {
    if (seen.has(item)) continue;
    seen.add(item);
    unique.push(item);
  }
  return unique;
}

function compact(list: GoValue): GoValue {
  return itemsFor(list, 'Cannot compact on type').filter((item) => !isEmpty(item));
}

function without(list: GoValue, ...omitted: GoValue[]): GoValue {
  const members = new Members();
  for (const item of omitted) members.add(item);
  return itemsFor(list, 'Cannot find without on type').filter((item) => !members.has(item));
}

function has(needle: GoValue, list: GoValue): boolean {
  if (list === null) return false;
  return itemsFor(list, 'Cannot find has on type').some((item) => deepEqual(needle, item));
}

function slice(list: GoValue, ...indices: GoValue[]): GoValue {
  const items = itemsFor(list, 'list should be type of slice or array but');
  if (items.length === 0) return null;
  const from = indices.length > 0 ? toInt(indices[0]) : 0;
  const to = indices.length > 1 ? toInt(indices[1]) : items.length;
  if (from < 0 || to < from || to > items.length) throw new GoError('reflect.Value.Slice: slice index out of bounds');
  const cut = items.slice(from, to);
  if (list instanceof TypedSlice) return new TypedSlice(cut, list.type);
  return list instanceof Uint8Array ? list.subarray(from, to) : cut;
}

function chunk(size: number, list: GoValue): GoValue {
  const items = itemsFor(list, 'Cannot chunk type');
  // The Go function counts chunks with floats and makes them before it looks at the list.
  const count = Math.floor((items.length - 1) / size) + 1;
  if (size < 0 && count === 0) return new TypedSlice([], LIST_LIST);
  if (size <= 0) throw new GoError('runtime error: makeslice: len out of range');
  const chunks: GoValue[] = [];
  for (let from = 0; from < items.length; from += size) chunks.push(items.slice(from, from + size));
  return new TypedSlice(chunks, LIST_LIST);
}
