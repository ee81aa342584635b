// Owns RFC 6902 patches with the behaviour of Go's evanphx/json-patch v4, which kustomize and Flux use: negative
// indexes, `replace` that creates a missing key, `copy` of nothing as null, and its error texts.
import fastJsonPatch from 'fast-json-patch';
import { CodedError } from './errors.ts';
import { isJsonObject, type JsonObject, type JsonValue } from './json.ts';

/**
 * `PatchInvalid`: not a list of operations. `PatchFailed`: an operation does not apply. `PatchTestFailed`: a `test` did
 * not hold. `PatchForbidden`: a path goes through `__proto__` or its like.
 */
export type JsonPatchErrorCode = 'PatchInvalid' | 'PatchFailed' | 'PatchTestFailed' | 'PatchForbidden';

/** A patch that cannot be read or applied. `path` is the JSON pointer, when one is to blame. */
export class JsonPatchError extends CodedError<JsonPatchErrorCode, { readonly path?: string }> {}

/** One operation, parts still unchecked: they are judged when it is applied. */
export type JsonPatchOperation = JsonObject;

/** Checks that a value is a patch. Throws with Go's text for a value of the wrong type. */
export function parseJsonPatch(value: JsonValue): readonly JsonPatchOperation[] {
  if (value === null) return [];
  if (!Array.isArray(value)) {
    throw new JsonPatchError('PatchInvalid', wrongType(value, 'jsonpatch.Patch'), {});
  }
  return value.map((operation: JsonValue) => {
    if (operation === null) return {};
    if (!isJsonObject(operation)) {
      throw new JsonPatchError('PatchInvalid', wrongType(operation, 'jsonpatch.Operation'), {});
    }
    return operation;
  });
}

function wrongType(value: JsonValue, type: string): string {
  const words: Readonly<Record<string, string>> = {
    string: 'string',
    boolean: 'bool',
    number: 'number',
    bigint: 'number',
  };
  const word = Array.isArray(value) ? 'array' : (words[typeof value] ?? 'object');
  return `json: cannot unmarshal ${word} into Go value of type ${type}`;
}

type Container = JsonObject | JsonValue[];

/** A document that operations are applied to, one after the other. */
interface Target {
  root: Container;
}

/**
 * Applies a patch to a copy of the document and answers it; the document and the patch stay as they are.
 * Throws `JsonPatchError` at the first operation that does not apply.
 */
export function applyJsonPatch(document: JsonValue, patch: readonly JsonPatchOperation[]): JsonValue {
  if (typeof document !== 'object' || document === null) {
    throw new JsonPatchError('PatchFailed', wrongType(document, 'jsonpatch.partialDoc'), {});
  }
  const target: Target = { root: clone(document) as Container };
  for (const operation of patch) applyOperation(target, operation);
  return target.root as JsonValue;
}

/** Deep copy that keeps big integers and keys such as `__proto__`. */
function clone(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(clone);
  if (!isJsonObject(value)) return value;
  const copy: JsonObject = {};
  for (const [key, item] of Object.entries(value)) {
    if (key === '__proto__') defineKey(copy, key, clone(item));
    else copy[key] = clone(item);
  }
  return copy;
}

function defineKey(object: JsonObject, key: string, value: JsonValue): void {
  Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
}

function applyOperation(target: Target, operation: JsonPatchOperation): void {
  const kind = textOf(operation, 'op') ?? 'unknown';
  const apply = OPERATIONS.get(kind);
  if (apply === undefined) throw failure(`Unexpected kind: ${kind}`);
  apply(target, operation);
}

const OPERATIONS: ReadonlyMap<string, (target: Target, operation: JsonPatchOperation) => void> = new Map([
  ['add', add],
  ['remove', remove],
  ['replace', replace],
  ['move', move],
  ['test', test],
  ['copy', copy],
]);

function failure(message: string, path?: string): JsonPatchError {
  return new JsonPatchError('PatchFailed', message, path === undefined ? {} : { path });
}

function textOf(operation: JsonPatchOperation, field: string): string | undefined {
  const value = Object.hasOwn(operation, field) ? operation[field] : undefined;
  return typeof value === 'string' ? value : undefined;
}

const MISSING = 'missing value';
const BAD_INDEX = 'invalid index referenced';

function pathOf(operation: JsonPatchOperation, field: 'path' | 'from', complaint: string): string {
  const path = textOf(operation, field);
  if (path === undefined) throw failure(`${complaint}: ${MISSING}`);
  return path;
}

/** The container that a pointer ends in, and the last key; undefined when the way is not there. */
function find(target: Target, path: string): { readonly container: Container; readonly key: string } | undefined {
  const segments = path.split('/');
  if (segments.length < 2) return undefined;
  const keys = segments.slice(1).map(decodeKey);
  const key = keys.pop()!;
  for (const segment of [...keys, key]) refusePrototype(segment, path);
  let container = target.root;
  for (const segment of keys) {
    const next = peek(container, segment);
    if (typeof next !== 'object' || next === null) return undefined;
    container = next as Container;
  }
  return { container, key };
}

function decodeKey(key: string): string {
  // One pass, as Go's replacer does it: `~01` is `~1`.
  return key.replace(/~[01]/g, (code) => (code === '~1' ? '/' : '~'));
}

/** Documents may hold such keys; patches may not reach through them, whatever the code behind does with objects. */
function refusePrototype(key: string, path: string): void {
  if (key === '__proto__' || key === 'constructor' || key === 'prototype') {
    throw new JsonPatchError('PatchForbidden', `patch path '${path}' goes through the forbidden key '${key}'`, {
      path,
    });
  }
}

function peek(container: Container, key: string): JsonValue | undefined {
  if (!Array.isArray(container)) return Object.hasOwn(container, key) ? container[key] : undefined;
  const index = parseIndex(key);
  if (index === undefined || index >= container.length || index < -container.length) return undefined;
  return container.at(index);
}

function parseIndex(key: string): number | undefined {
  return /^[+-]?\d{1,15}$/.test(key) ? Number(key) : undefined;
}

function notAnIndex(key: string): string {
  return `strconv.Atoi: parsing ${JSON.stringify(key)}: invalid syntax`;
}

/** What stands at a key; throws Go's fault when an index is none or out of range. Null when a map lacks the key. */
function get(container: Container, key: string): JsonValue | undefined {
  if (!Array.isArray(container)) return peek(container, key);
  const index = parseIndex(key);
  if (index === undefined) throw failure(notAnIndex(key));
  if (index >= container.length || index < -container.length) throw badIndex(index);
  return container.at(index);
}

function badIndex(index: number): JsonPatchError {
  return failure(`Unable to access invalid index: ${index}: ${BAD_INDEX}`);
}

function withContext<T>(context: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof JsonPatchError && error.code === 'PatchFailed') throw failure(`${context}: ${error.message}`);
    throw error;
  }
}

function pointer(key: string | number): string {
  return `/${fastJsonPatch.escapePathComponent(String(key))}`;
}

/** Inserts into a list, or sets a key. */
function insert(container: Container, key: string, value: JsonValue): void {
  let at: string | number = key;
  if (Array.isArray(container) && key !== '-') {
    const index = parseIndex(key);
    if (index === undefined) throw failure(`value was not a proper array index: '${key}': ${notAnIndex(key)}`);
    if (index > container.length || index < -(container.length + 1)) throw badIndex(index);
    at = index < 0 ? index + container.length + 1 : index;
  }
  fastJsonPatch.applyOperation(container, { op: 'add', path: pointer(at), value });
}

function drop(container: Container, key: string): void {
  let at: string | number = key;
  if (Array.isArray(container)) {
    const index = parseIndex(key);
    if (index === undefined) throw failure(notAnIndex(key));
    if (index >= container.length || index < -container.length) throw badIndex(index);
    at = index < 0 ? index + container.length : index;
  } else if (!Object.hasOwn(container, key)) {
    throw failure(`Unable to remove nonexistent key: ${key}: ${MISSING}`);
  }
  fastJsonPatch.applyOperation(container, { op: 'remove', path: pointer(at) });
}

function operationValue(operation: JsonPatchOperation): JsonValue {
  return Object.hasOwn(operation, 'value') ? clone(operation['value']!) : null;
}

function add(target: Target, operation: JsonPatchOperation): void {
  const path = pathOf(operation, 'path', 'add operation failed to decode path');
  const place = find(target, path);
  if (place === undefined) {
    throw failure(`add operation does not apply: doc is missing path: "${path}": ${MISSING}`, path);
  }
  withContext(`error in add for path: '${path}'`, () => insert(place.container, place.key, operationValue(operation)));
}

function remove(target: Target, operation: JsonPatchOperation): void {
  const path = pathOf(operation, 'path', 'remove operation failed to decode path');
  const place = find(target, path);
  if (place === undefined) {
    throw failure(`remove operation does not apply: doc is missing path: "${path}": ${MISSING}`, path);
  }
  withContext(`error in remove for path: '${path}'`, () => drop(place.container, place.key));
}

function replace(target: Target, operation: JsonPatchOperation): void {
  const path = pathOf(operation, 'path', 'replace operation failed to decode path: operation missing path field');
  const value = operationValue(operation);
  if (path === '') {
    if (typeof value !== 'object' || value === null) {
      throw failure('replace operation value must be object or array: %!w(<nil>)', path);
    }
    target.root = value as Container;
    return;
  }
  const place = find(target, path);
  if (place === undefined) {
    throw failure(`replace operation does not apply: doc is missing path: ${path}: ${MISSING}`, path);
  }
  const { container, key } = place;
  if (!Array.isArray(container)) {
    fastJsonPatch.applyOperation(container, { op: 'add', path: pointer(key), value });
    return;
  }
  const index = parseIndex(key);
  if (index === undefined || index >= container.length || index < -container.length) {
    throw failure(`replace operation does not apply: doc is missing key: ${path}: ${MISSING}`, path);
  }
  fastJsonPatch.applyOperation(container, {
    op: 'replace',
    path: pointer((index + container.length) % container.length),
    value,
  });
}

function move(target: Target, operation: JsonPatchOperation): void {
  const from = pathOf(operation, 'from', 'move operation failed to decode from: operation, missing from field');
  const source = find(target, from);
  if (source === undefined) {
    throw failure(`move operation does not apply: doc is missing from path: ${from}: ${MISSING}`, from);
  }
  const value = withContext(`error in move for path: '${source.key}'`, () => {
    const found = get(source.container, source.key);
    drop(source.container, source.key);
    return found ?? null;
  });
  const path = pathOf(operation, 'path', 'move operation failed to decode path: operation missing path field');
  const place = find(target, path);
  if (place === undefined) {
    throw failure(`move operation does not apply: doc is missing destination path: ${path}: ${MISSING}`, path);
  }
  withContext(`error in move for path: '${path}'`, () => insert(place.container, place.key, value));
}

function copy(target: Target, operation: JsonPatchOperation): void {
  const from = pathOf(operation, 'from', 'copy operation failed to decode from: operation, missing from field');
  const source = find(target, from);
  if (source === undefined) {
    throw failure(`copy operation does not apply: doc is missing from path: ${from}: ${MISSING}`, from);
  }
  const value = withContext(`error in copy for from: '${from}'`, () => get(source.container, source.key) ?? null);
  const path = pathOf(operation, 'path', 'copy operation failed to decode path');
  const place = find(target, path);
  if (place === undefined) {
    throw failure(`copy operation does not apply: doc is missing destination path: ${path}: ${MISSING}`, path);
  }
  withContext('error while adding value during copy', () => insert(place.container, place.key, clone(value)));
}

function test(target: Target, operation: JsonPatchOperation): void {
  const path = pathOf(operation, 'path', 'test operation failed to decode path: operation missing path field');
  const wanted = operationValue(operation);
  let found: JsonValue;
  if (path === '') found = target.root as JsonValue;
  else {
    const place = find(target, path);
    if (place === undefined) throw failure(`test operation does not apply: is missing path: ${path}: ${MISSING}`, path);
    found = withContext(`error in test for path: '${path}'`, () => get(place.container, place.key) ?? null);
  }
  if (equals(found, wanted)) return;
  throw new JsonPatchError('PatchTestFailed', `testing value ${path} failed: test failed`, { path });
}

/** Equality of JSON values; the order of keys does not count. */
function equals(a: JsonValue, b: JsonValue): boolean {
  if (a === b) return true;
  if (Array.isArray(a)) {
    return (
      Array.isArray(b) && a.length === b.length && a.every((item: JsonValue, i) => equals(item, b[i] as JsonValue))
    );
  }
  if (!isJsonObject(a) || !isJsonObject(b)) return false;
  const keys = Object.keys(a);
  return (
    keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && equals(a[key]!, b[key]!))
  );
}
