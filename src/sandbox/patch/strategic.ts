// Owns strategic merge patch: merging by a kind's patch strategies and merge keys, with its directives. Pure; inputs are
// not changed, parts of them are shared with the result.
import { equalJson, getKey, isRecord, setKey } from '../object.ts';
import type { SchemaNode } from '../schema/node.ts';

/** A patch that cannot be applied. */
export class StrategicPatchError extends Error {}

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
  const directive = patch[DIRECTIVE];
  if (directive === 'replace') return withoutDirectives(patch);
  if (directive === 'delete') return {};
  if (directive !== undefined && directive !== 'merge')
    throw new StrategicPatchError(`Unknown patch type found: ${String(directive)}`);

  const retain = patch[RETAIN_KEYS];
  const out: Body = {};
  for (const key of Object.keys(target)) {
    if (Array.isArray(retain) && !retain.includes(key)) continue;
    setKey(out, key, getKey(target, key));
  }
  for (const key of Object.keys(patch)) {
    if (key === DIRECTIVE || key === RETAIN_KEYS || key.startsWith(ORDER)) continue;
    if (key.startsWith(DELETE_PRIMITIVES)) {
      deletePrimitives(out, key.slice(DELETE_PRIMITIVES.length), patch[key]);
      continue;
    }
    const change = getKey(patch, key);
    if (change === null) {
      delete out[key];
      continue;
    }
    const field = node?.map?.fields.get(key) ?? node?.map?.values;
    const order = patch[ORDER + key];
    setKey(out, key, mergeValue(field, getKey(out, key), change, Array.isArray(order) ? order : undefined));
  }
  // An order may come alone, with no change to the items.
  for (const key of Object.keys(patch)) {
    if (!key.startsWith(ORDER)) continue;
    const field = key.slice(ORDER.length);
    const list = getKey(out, field);
    if (Object.hasOwn(patch, field) || !Array.isArray(list) || !Array.isArray(patch[key])) continue;
    const server = getKey(target, field);
    const live = Array.isArray(server) ? server : [];
    setKey(out, field, reorder(list, patch[key], mergeKeyOf(node?.map?.fields.get(field)), live));
  }
  return out;
}

/** A value as Go's `%v` prints it, for messages: `map[image:x]`. */
export function formatGoMap(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(formatGoMap).join(' ')}]`;
  if (!isRecord(value)) return value === null ? '<nil>' : String(value);
  const parts = Object.keys(value)
    .sort()
    .map((key) => `${key}:${formatGoMap(value[key])}`);
  return `map[${parts.join(' ')}]`;
}

function mergeKeyOf(field: SchemaNode | undefined): string {
  return field?.patchMergeKey ?? '';
}

function mergeValue(
  field: SchemaNode | undefined,
  target: unknown,
  patch: unknown,
  order: readonly unknown[] | undefined,
): unknown {
  if (isRecord(patch)) {
    if (field?.patchStrategy === 'replace') return withoutDirectives(patch);
    return mergeObject(field, isRecord(target) ? target : {}, patch);
  }
  if (!Array.isArray(patch)) return patch;
  const merges = field?.patchStrategy.split(',').includes('merge') === true;
  if (!merges)
    return patch
      .filter((item) => !(isRecord(item) && item[DIRECTIVE] === 'replace' && Object.keys(item).length === 1))
      .map(cleanItem);
  const server = Array.isArray(target) ? target : [];
  const merged = mergeList(field!, server, patch);
  return reorder(merged, order ?? patch, mergeKeyOf(field), server);
}

function mergeList(field: SchemaNode, target: readonly unknown[], patch: readonly unknown[]): unknown[] {
  const key = field.patchMergeKey;
  if (key === '') return [...target, ...patch.filter((item) => !target.some((other) => equalJson(other, item)))];
  if (patch.some((item) => isRecord(item) && item[DIRECTIVE] === 'replace')) {
    return patch.filter((item) => isRecord(item) && item[DIRECTIVE] !== 'replace').map(cleanItem);
  }
  let out = [...target];
  for (const item of patch) {
    if (!isRecord(item)) throw new StrategicPatchError(`expected an object in a list merged by ${key}`);
    const value = getKey(item, key);
    if (value === undefined)
      throw new StrategicPatchError(`map: ${formatGoMap(item)} does not contain declared merge key: ${key}`);
    const same = (other: unknown): boolean => isRecord(other) && equalJson(getKey(other, key), value);
    if (item[DIRECTIVE] === 'delete') {
      out = out.filter((other) => !same(other));
      continue;
    }
    const at = out.findIndex(same);
    if (at < 0) out.push(mergeObject(field.list?.items, {}, item));
    else out[at] = mergeObject(field.list?.items, out[at] as Body, item);
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

function withoutDirectives(patch: Body): Body {
  const out: Body = {};
  for (const key of Object.keys(patch)) {
    if (key === DIRECTIVE || key === RETAIN_KEYS || key.startsWith(ORDER) || key.startsWith(DELETE_PRIMITIVES))
      continue;
    const value = getKey(patch, key);
    if (value !== null) setKey(out, key, cleanItem(value));
  }
  return out;
}

function cleanItem(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(cleanItem);
  return isRecord(value) ? withoutDirectives(value) : value;
}
