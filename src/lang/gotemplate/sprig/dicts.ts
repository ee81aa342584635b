// Owns sprig's map functions. `set`, `unset` and the merges change the map they are given.
import { func, type GoFunction, variadic } from '../function.ts';
import {
  ANY,
  GoError,
  type GoMap,
  GoObject,
  type GoValue,
  isTrue,
  MAP,
  STRING,
  sortedKeys,
  stringList,
  TypedMap,
  typeName,
} from '../value.ts';
import { toText } from './cast.ts';
import { deepCopy } from './compare.ts';
import { withMust } from './lists.ts';

export function dictFunctions(): [string, GoFunction][] {
  return [
    ['dict', variadic([], ANY, dict)],
    ['get', func([MAP, STRING], (map, key) => (map.has(key) ? map.get(key) : ''))],
    ['set', func([MAP, STRING, ANY], (map, key, value) => writable(map).set(key, value))],
    ['unset', func([MAP, STRING], unset)],
    ['hasKey', func([MAP, STRING], (map, key) => map.has(key))],
    // Go's order is random; sorted is one of its orders.
    ['keys', variadic([], MAP, (...maps) => stringList(maps.flatMap(sortedKeys)))],
    ['values', func([MAP], (map) => sortedKeys(map).map((key) => map.get(key)))],
    ['pluck', variadic([STRING], MAP, (key, ...maps) => maps.filter((map) => map.has(key)).map((map) => map.get(key)))],
    ['pick', variadic([MAP], STRING, pick)],
    ['omit', variadic([MAP], STRING, omit)],
    ...withMust(
      'merge',
      variadic([MAP], MAP, (target, ...sources) => mergeAll(target, sources, false)),
    ),
    ...withMust(
      'mergeOverwrite',
      variadic([MAP], MAP, (target, ...sources) => mergeAll(target, sources, true)),
    ),
    ['dig', variadic([], ANY, dig)],
    ...withMust('deepCopy', func([ANY], copyOf)),
  ];
}

function dict(...entries: GoValue[]): GoMap {
  const map: GoMap = new Map();
  for (let i = 0; i < entries.length; i += 2) {
    const key = entries[i];
    map.set(typeof key === 'string' ? key : toText(key), i + 1 < entries.length ? entries[i + 1] : '');
  }
  return map;
}

function copyOf(value: GoValue): GoValue {
  if (value === null) throw new GoError('reflect: call of reflect.Value.Type on zero Value');
  return deepCopy(value);
}

function writable(map: GoMap): GoMap {
  if (map instanceof TypedMap && map.isNil) throw new GoError('assignment to entry in nil map');
  return map;
}

function unset(map: GoMap, key: string): GoMap {
  map.delete(key);
  return map;
}

function pick(map: GoMap, ...keys: string[]): GoMap {
  return new Map(keys.filter((key) => map.has(key)).map((key) => [key, map.get(key)]));
}

function omit(map: GoMap, ...keys: string[]): GoMap {
  const omitted = new Set(keys);
  return new Map([...map].filter(([key]) => !omitted.has(key)));
}

// ---- merging ------------------------------------------------------------------------------------

/** Merges that one call may do, entry by entry: shared subtrees can make a small value exponentially large. */
const MAX_ENTRIES = 500_000;

function mergeAll(target: GoMap, sources: readonly GoMap[], overwrite: boolean): GoMap {
  const merged = target instanceof TypedMap && target.isNil ? new Map<string, GoValue>() : target;
  const left = { entries: MAX_ENTRIES };
  for (const source of sources) mergeMap(merged, source, { overwrite, left });
  return merged;
}

interface MergeOptions {
  readonly overwrite: boolean;
  readonly left: { entries: number };
}

/**
 * mergo's rules: nested maps merge; otherwise the target keeps what is not empty, or with `overwrite` the source wins
 * (nil, zero and empty lists too).
 */
function mergeMap(target: GoMap, source: GoMap, options: MergeOptions): void {
  for (const [key, value] of [...source]) {
    if (--options.left.entries < 0) throw new GoError('value is too large to merge');
    if (value === null) {
      if (options.overwrite) target.set(key, null);
      continue;
    }
    const existing = target.get(key);
    if (value instanceof Map && existing instanceof Map) mergeMap(existing, value, options);
    if (keepsExisting(existing, value, options.overwrite)) continue;
    target.set(key, value);
  }
}

function keepsExisting(existing: GoValue, value: GoValue, overwrite: boolean): boolean {
  const isFilled = existing instanceof GoObject || isTrue(existing);
  if (!isFilled) return false;
  return !overwrite || (value instanceof Map && existing instanceof Map);
}

// ---- dig ----------------------------------------------------------------------------------------

function dig(...args: GoValue[]): GoValue {
  if (args.length < 3) throw new GoError('dig needs at least three arguments');
  const fallback = args.at(-2);
  let step = asserted(args.at(-1), MAP.name, isPlainMap(args.at(-1)));
  const keys = args.slice(0, -2).map((key) => asserted(key, 'string', typeof key === 'string') as string);
  for (const key of keys) {
    asserted(step, MAP.name, isPlainMap(step));
    const map = step as GoMap;
    if (!map.has(key)) return fallback;
    step = map.get(key);
  }
  return step;
}

function isPlainMap(value: GoValue): boolean {
  return value instanceof Map && !(value instanceof TypedMap && value.type !== MAP);
}

/** Go's type assertion and its panic. */
function asserted(value: GoValue, wanted: string, holds: boolean): GoValue {
  if (holds) return value;
  const actual = value === null || value === undefined ? 'nil' : typeName(value);
  throw new GoError(`interface conversion: interface {} is ${actual}, not ${wanted}`);
}
