// Owns strategic merge patch: merging by a kind's patch strategies and merge keys, with its directives. Pure; inputs are
// not changed, parts of them are shared with the result.
import { formatGoMap } from '../go-values.ts';
import { equalJson, getKey, isRecord, setKey } from '../object.ts';
import type { SchemaNode } from '../schema/node.ts';

/** A patch that cannot be applied. `malformed` tells a bad patch (400) from what the API server answers with 500. */
export class StrategicPatchError extends Error {
  readonly malformed: boolean;

  constructor(message: string, malformed = false) {
    super(message);
    this.malformed = malformed;
  }
}

const DIRECTIVE = '$patch';
const RETAIN_KEYS = '$retainKeys';
const DELETE_PRIMITIVES = '$deleteFromPrimitiveList/';
const ORDER = '$setElementOrder/';

type Body = Record<string, unknown>;

/** The target with the patch merged in. Throws StrategicPatchError. */
export function strategicPatch(node: SchemaNode | undefined, target: unknown, patch: unknown): unknown {
  if (!isRecord(patch)) throw new StrategicPatchError('invalid patch: not a JSON object');
  return mergeObject(node, isRecord(target) ? target : {}, patch);
}

function mergeObject(node: SchemaNode | undefined, target: Body, patch: Body): Body {
  if (Object.hasOwn(patch, DIRECTIVE)) return follow(patch);
  const out = { ...retained(target, patch) };
  const ordered = mergeOrdered(node, out, patch);
  for (const key of Object.keys(patch)) {
    if (key === RETAIN_KEYS || key.startsWith(ORDER) || ordered.has(key)) continue;
    const change = getKey(patch, key);
    if (key.startsWith(DELETE_PRIMITIVES)) deletePrimitives(out, key.slice(DELETE_PRIMITIVES.length), change);
    else if (change === null) delete out[key];
    else setOrDrop(out, key, mergeValue(fieldOf(node, key), getKey(out, key), change));
  }
  return out;
}

function fieldOf(node: SchemaNode | undefined, key: string): SchemaNode | undefined {
  return node?.map?.fields.get(key) ?? node?.map?.values;
}

/** What a map with a directive makes of the map on the server. */
function follow(patch: Body): Body {
  const { [DIRECTIVE]: directive, ...rest } = patch;
  if (directive === 'replace') return rest;
  if (directive === 'delete') return {};
  throw unknownDirective(directive, patch);
}

function unknownDirective(directive: unknown, patch: Body): StrategicPatchError {
  return new StrategicPatchError(`unknown patch type: ${String(directive)} in map: ${formatGoMap(patch)}`);
}

/** The target without the fields that the patch does not retain. */
function retained(target: Body, patch: Body): Body {
  if (!Object.hasOwn(patch, RETAIN_KEYS)) return target;
  const keys = patch[RETAIN_KEYS];
  const isDirective = (key: string): boolean =>
    key === RETAIN_KEYS || key.startsWith(DELETE_PRIMITIVES) || key.startsWith(ORDER);
  const strays = (list: unknown[]): boolean =>
    Object.keys(patch).some((key) => !isDirective(key) && patch[key] !== null && !list.includes(key));
  if (!Array.isArray(keys) || strays(keys)) {
    throw new StrategicPatchError('invalid patch format of retainKeys', true);
  }
  const out: Body = {};
  for (const key of Object.keys(target)) if (keys.includes(key)) setKey(out, key, getKey(target, key));
  return out;
}

/** Merges the lists that the patch sets an order of. Changes `out`; returns their names. */
function mergeOrdered(node: SchemaNode | undefined, out: Body, patch: Body): ReadonlySet<string> {
  const done = new Set<string>();
  for (const key of Object.keys(patch)) {
    if (!key.startsWith(ORDER)) continue;
    const name = key.slice(ORDER.length);
    const [order, server, change] = [patch[key], getKey(out, name), getKey(patch, name)];
    const field = node?.map?.fields.get(name);
    if (!Array.isArray(order)) throw new StrategicPatchError('invalid patch format of setElementOrder list');
    if (Array.isArray(change)) checkOrder(change, order, mergeKeyOf(field));
    done.add(name);
    const merged = change === undefined ? server : mergeValue(field, server, change);
    if (!Array.isArray(merged)) continue;
    setKey(out, name, reorder(merged, order, mergeKeyOf(field), Array.isArray(server) ? server : []));
  }
  return done;
}

/** What a patch adds or changes must stand in the order that it sets. */
function checkOrder(patch: readonly unknown[], order: readonly unknown[], key: string): void {
  if (patch.length === 0 || order.length === 0) return;
  const identity = (item: unknown): unknown => (key !== '' && isRecord(item) ? getKey(item, key) : item);
  const left = patch.filter((item) => !(isRecord(item) && Object.hasOwn(item, DIRECTIVE)));
  for (const place of order) if (left.length > 0 && equalJson(identity(left[0]), identity(place))) left.shift();
  if (left.length === 0) return;
  const lists = `${formatGoMap(patch)}\n doesn't match $setElementOrder list:\n${formatGoMap(order)}\n`;
  throw new StrategicPatchError(`The order in patch list:\n${lists}`);
}

function mergeKeyOf(field: SchemaNode | undefined): string {
  return field?.patchMergeKey ?? '';
}

/** Undefined where nothing is left of the change. */
function mergeValue(field: SchemaNode | undefined, target: unknown, change: unknown): unknown {
  const both = Array.isArray(change)
    ? Array.isArray(target) && 'lists'
    : isRecord(change) && isRecord(target) && ('maps' as const);
  // What the server has not, or has in another shape, is taken as it is.
  if (!both) return withoutDirectives(change);
  if (both === 'maps') {
    return field?.patchStrategy === 'replace' ? change : mergeObject(field, target as Body, change as Body);
  }
  const [server, patch] = [target as unknown[], change as unknown[]];
  if (field?.patchStrategy.split(',').includes('merge') !== true) return patch;
  if (server.length === 0 && patch.length === 0) return server;
  return reorder(mergeList(field, server, patch), patch, field.patchMergeKey, server);
}

function mergeList(field: SchemaNode, server: readonly unknown[], patch: readonly unknown[]): unknown[] {
  const items = [...server, ...patch];
  if (items.some((item) => isRecord(item) !== isRecord(items[0]))) {
    throw new StrategicPatchError(`list element types are not identical: ${formatGoMap([server, patch])}`);
  }
  const key = field.patchMergeKey;
  if (!isRecord(items[0])) return items.filter((item, i) => items.findIndex((other) => equalJson(other, item)) === i);
  let out = [...server] as Body[];
  const plain: Body[] = [];
  const keyOf = (item: Body): unknown => {
    if (Object.hasOwn(item, key)) return item[key];
    throw new StrategicPatchError(`map: ${formatGoMap(item)} does not contain declared merge key: ${key}`);
  };
  for (const item of patch as Body[]) {
    const directive = item[DIRECTIVE];
    if (!Object.hasOwn(item, DIRECTIVE)) plain.push(item);
    else if (directive === 'delete') {
      const gone = keyOf(item);
      out = out.filter((other) => !equalJson(getKey(other, key), gone));
    } else if (directive === 'merge') {
      throw new StrategicPatchError('merging lists cannot yet be specified in the patch');
    } else if (directive !== 'replace') throw unknownDirective(directive, item);
  }
  if ((patch as Body[]).some((item) => item[DIRECTIVE] === 'replace')) return plain;
  for (const item of plain) {
    const value = keyOf(item);
    const at = out.findIndex((other) => equalJson(getKey(other, key), value));
    if (at < 0) out.push(item);
    else out[at] = mergeObject(field.list?.items, out[at]!, item);
  }
  return out;
}

/**
 * Items that the order names come in that order. Of the others, which only the server has, one comes before a named one
 * where it stood before it on the server; so what a patch adds goes to the front of what it does not name.
 */
function reorder(
  list: readonly unknown[],
  order: readonly unknown[],
  key: string,
  server: readonly unknown[],
): unknown[] {
  const identity = (item: unknown): unknown => (key !== '' && isRecord(item) ? getKey(item, key) : item);
  const positionIn = (among: readonly unknown[], item: unknown): number =>
    among.findIndex((other) => equalJson(identity(other), identity(item)));
  const named = list
    .filter((item) => positionIn(order, item) >= 0)
    .sort((a, b) => positionIn(order, a) - positionIn(order, b));
  const others = list.filter((item) => positionIn(order, item) < 0);
  const out: unknown[] = [];
  for (const item of named) {
    const at = positionIn(server, item);
    while (others.length > 0 && at >= 0 && positionIn(server, others[0]) < at) out.push(others.shift());
    out.push(item);
  }
  return [...out, ...others];
}

function deletePrimitives(out: Body, key: string, items: unknown): void {
  const list = getKey(out, key);
  if (Array.isArray(list) && Array.isArray(items))
    setKey(
      out,
      key,
      list.filter((item) => !items.some((other) => equalJson(other, item))),
    );
}

/** The value without nulls, and without the maps that have a directive; undefined when it is such a map itself. */
function withoutDirectives(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutDirectives).filter((item) => item !== undefined);
  if (!isRecord(value)) return value;
  if (Object.hasOwn(value, DIRECTIVE)) return undefined;
  const out: Body = {};
  for (const key of Object.keys(value)) if (value[key] !== null) setOrDrop(out, key, withoutDirectives(value[key]));
  return out;
}

function setOrDrop(target: Body, key: string, value: unknown): void {
  if (value === undefined) delete target[key];
  else setKey(target, key, value);
}
