// Owns the patches by which objects are changed on the client's side, as `kubectl apply` and Helm make them: of what was
// desired last, what is desired now and what is live (helm.md §18). Applying on the server is compare.ts.
import { CodedError } from '../lib/errors.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../lib/json.ts';
import type { PatchField, PatchType } from '../objects/schema/patch-schema.ts';
import { sameJson } from './compare.ts';

/** An item of a list that merges lacks what it is told apart by. */
export class MergeKeyError extends CodedError<
  'MergeKeyMissing',
  { readonly field: string; readonly mergeKey: string }
> {}

/** What a patch is made of. */
export interface ThreeWays {
  /** As it was desired last: what it has and `desired` has not, goes. */
  readonly old: JsonObject;
  readonly desired: JsonObject;
  /** What others have added to it stays. */
  readonly live: JsonObject;
}

/** The same of one map or list; `old` is undefined where it had none of the sort. */
type Ways<T> = { readonly old: T | undefined; readonly desired: T; readonly live: T };

/** The strategic merge patch that makes of `live` what is desired; empty when it is. Throws `MergeKeyError`. */
export function strategicMergePatch({ old, desired, live }: ThreeWays, type: PatchType): JsonObject {
  return patchMap({ old, desired, live }, type, false);
}

function patchMap({ old = {}, desired, live }: Ways<JsonObject>, type: PatchType, retainsKeys: boolean): JsonObject {
  const patch = emptyMap();
  for (const [key, wanted] of Object.entries(desired)) {
    Object.assign(
      patch,
      patchField(key, { old: own(old, key), desired: wanted, live: own(live, key) }, type.field(key)),
    );
  }
  for (const key of goneKeys(old, desired, live)) patch[key] = null;
  if (!retainsKeys) return patch;
  const kept = Object.keys(desired).filter((key) => desired[key] !== null);
  const hasMore = Object.keys(live).some((key) => !Object.hasOwn(desired, key));
  return kept.length > 0 && (hasMore || !isEmpty(patch)) ? Object.assign(patch, { $retainKeys: kept.sort() }) : patch;
}

/** The part of a patch that is about one field: its value and the directives beside it. */
function patchField(
  key: string,
  {
    old,
    desired,
    live,
  }: { readonly old: JsonValue | undefined; readonly desired: JsonValue; readonly live: JsonValue | undefined },
  field: PatchField,
): JsonObject {
  if (live === undefined) return desired === null ? {} : single(key, desired);
  if (isJsonObject(desired) && isJsonObject(live) && !field.replaces) {
    const below = patchMap({ old: isJsonObject(old) ? old : undefined, desired, live }, field.type, field.retainsKeys);
    return isEmpty(below) ? {} : single(key, below);
  }
  if (Array.isArray(desired) && Array.isArray(live) && field.merges) {
    return patchList(key, { old: Array.isArray(old) ? old : undefined, desired, live }, field);
  }
  return sameJson(desired, live) ? {} : single(key, desired);
}

function patchList(key: string, lists: Ways<readonly JsonValue[]>, field: PatchField): JsonObject {
  return field.mergeKey === '' ? patchValues(key, lists) : patchItems(key, lists, field);
}

/** A list of texts or numbers: it is a set. */
function patchValues(key: string, { old = [], desired, live }: Ways<readonly JsonValue[]>): JsonObject {
  const added = desired.filter((item) => !live.includes(item));
  const gone = old.filter((item) => !desired.includes(item) && live.includes(item));
  return {
    ...(added.length > 0 ? { [key]: added } : {}),
    ...(gone.length > 0 ? { [`$deleteFromPrimitiveList/${key}`]: gone } : {}),
    ...(added.length > 0 || !isInOrder(live, desired) ? { [`$setElementOrder/${key}`]: desired } : {}),
  };
}

function patchItems(key: string, lists: Ways<readonly JsonValue[]>, field: PatchField): JsonObject {
  const { mergeKey, type, retainsKeys } = field;
  const toItems = (items: readonly JsonValue[]) => toMaps(items, key, mergeKey);
  const [old, desired, live] = [toItems(lists.old ?? []), toItems(lists.desired), toItems(lists.live)];
  if ([desired, live].some((items) => hasTwins(items, mergeKey))) {
    // Two ports of one number: no patch can name one of them.
    const isLive = (item: JsonObject) =>
      live.some((other) => isEmpty(patchMap({ old: undefined, desired: item, live: other }, type, retainsKeys)));
    const isDone = sameJson([...(lists.old ?? [])], [...lists.desired]) && desired.every(isLive);
    return isDone ? {} : { [key]: [...lists.desired, { $patch: 'replace' }] };
  }
  const find = (items: readonly JsonObject[], item: JsonObject) =>
    items.find((other) => sameJson(other[mergeKey], item[mergeKey]));
  const changes: JsonObject[] = [];
  for (const item of old) {
    if (find(desired, item) === undefined && find(live, item) !== undefined)
      changes.push({ $patch: 'delete', [mergeKey]: item[mergeKey]! });
  }
  for (const item of desired) {
    const current = find(live, item);
    const below =
      current === undefined
        ? item
        : patchMap({ old: find(old, item), desired: item, live: current }, type, retainsKeys);
    if (!isEmpty(below)) changes.push({ ...below, [mergeKey]: item[mergeKey]! });
  }
  const keys = (items: readonly JsonObject[]) => items.map((item) => item[mergeKey]!);
  if (changes.length === 0 && isInOrder(keys(live), keys(desired))) return {};
  const order = keys(desired).map((value) => ({ [mergeKey]: value }));
  return { ...(changes.length === 0 ? {} : { [key]: changes }), [`$setElementOrder/${key}`]: order };
}

function toMaps(items: readonly JsonValue[], field: string, mergeKey: string): readonly JsonObject[] {
  return items.map((item) => {
    if (isJsonObject(item) && Object.hasOwn(item, mergeKey)) return item;
    const message = `${field}: an item does not contain declared merge key: ${mergeKey}`;
    throw new MergeKeyError('MergeKeyMissing', message, { field, mergeKey });
  });
}

function hasTwins(items: readonly JsonObject[], mergeKey: string): boolean {
  return new Set(items.map((item) => item[mergeKey])).size < items.length;
}

/** True when what both have stands in the same order in both. */
function isInOrder(live: readonly JsonValue[], desired: readonly JsonValue[]): boolean {
  const shared = live.filter((item) => desired.includes(item));
  return sameJson(
    [...shared],
    desired.filter((item) => live.includes(item)),
  );
}

/**
 * The merge patch (RFC 7386) for a kind without strategies. As Helm does it, what is live does not count; with `adopts`
 * it is brought to what is desired, whoever made it.
 */
export function jsonMergePatch(
  { old, desired, live }: ThreeWays,
  { adopts }: { readonly adopts: boolean },
): JsonObject {
  return mergePatch(adopts ? { old, desired, live } : { old, desired, live: old });
}

function mergePatch({ old, desired, live }: Ways<JsonObject>): JsonObject {
  const patch = emptyMap();
  for (const [key, wanted] of Object.entries(desired)) {
    const current = own(live, key);
    const before = own(old ?? {}, key);
    if (wanted === null && current === undefined) continue;
    if (isJsonObject(wanted) && isJsonObject(current)) {
      const below = mergePatch({ old: isJsonObject(before) ? before : undefined, desired: wanted, live: current });
      if (!isEmpty(below)) patch[key] = below;
    } else if (current === undefined || !sameJson(wanted, current)) patch[key] = wanted;
  }
  for (const key of goneKeys(old ?? {}, desired, live)) patch[key] = null;
  return patch;
}

function goneKeys(old: JsonObject, desired: JsonObject, live: JsonObject): string[] {
  return Object.keys(old).filter((key) => !Object.hasOwn(desired, key) && Object.hasOwn(live, key));
}

function own(map: JsonObject, key: string): JsonValue | undefined {
  return Object.hasOwn(map, key) ? map[key] : undefined;
}

function single(key: string, value: JsonValue): JsonObject {
  return Object.assign(emptyMap(), { [key]: value });
}

/** Keys are users': none may be the prototype's. */
function emptyMap(): JsonObject {
  return Object.create(null) as JsonObject;
}

function isEmpty(map: JsonObject): boolean {
  return Object.keys(map).length === 0;
}
