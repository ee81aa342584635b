// Owns JSON patch (RFC 6902) as the API server applies it, with its messages. Pure; the document is not changed.
import { cloneObject, equalJson, getKey, isRecord, setKey } from '../object.ts';

/** A patch that does not apply. `malformed` tells a bad patch (400) from one that does not fit the object (422). */
export class JsonPatchError extends Error {
  readonly malformed: boolean;

  constructor(message: string, malformed = false) {
    super(message);
    this.malformed = malformed;
  }
}

const MAX_OPERATIONS = 10_000;
const KINDS: ReadonlySet<unknown> = new Set(['add', 'remove', 'replace', 'move', 'copy', 'test']);

/** The document with all operations applied. Throws JsonPatchError. */
export function jsonPatch(document: unknown, patch: unknown): unknown {
  if (!Array.isArray(patch)) {
    throw new JsonPatchError(
      'error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp',
      true,
    );
  }
  if (patch.length > MAX_OPERATIONS)
    throw new JsonPatchError(
      `The allowed maximum operations in a JSON patch is ${MAX_OPERATIONS}, got ${patch.length}`,
      true,
    );
  let root = { value: cloneObject(document) };
  const odd = patch.find((operation) => !isRecord(operation) && operation !== null);
  if (odd !== undefined) {
    const got = Array.isArray(odd) ? 'array' : typeof odd === 'boolean' ? 'bool' : typeof odd;
    const why = `json: cannot unmarshal ${got} into Go value of type handlers.jsonPatchOp`;
    throw new JsonPatchError(`error decoding patch: ${why}`, true);
  }
  for (const operation of patch) root = { value: applyOperation(root.value, operation ?? {}) };
  return root.value;
}

function applyOperation(document: unknown, operation: Record<string, unknown>): unknown {
  const { op } = operation;
  if (!KINDS.has(op)) throw new JsonPatchError(`Unexpected kind: ${typeof op === 'string' ? op : 'unknown'}`);
  const path = pointer(operation['path'], String(op));
  switch (op) {
    case 'add':
      return add(document, path, cloneObject(getKey(operation, 'value') ?? null));
    case 'remove':
      return remove(document, path);
    case 'replace':
      return path.length === 0
        ? wholeOf(getKey(operation, 'value'))
        : set(document, path, cloneObject(getKey(operation, 'value') ?? null));
    case 'move': {
      const from = pointer(operation['from'], 'move');
      const value = find(document, from, 'move');
      return add(remove(document, from), path, value);
    }
    case 'copy':
      return add(document, path, cloneObject(copied(document, pointer(operation['from'], 'copy'))));
    default: {
      // test
      const found = lookup(document, path);
      if (equalJson(found ?? null, getKey(operation, 'value') ?? null)) return document;
      throw new JsonPatchError(`testing value ${formatPointer(path)} failed: test failed`);
    }
  }
}

function pointer(text: unknown, op: string): string[] {
  if (typeof text !== 'string') throw new JsonPatchError(`${op} operation failed: missing path`);
  if (text === '') return [];
  // What stands before the first slash is ignored, be it nothing or not.
  const [, ...steps] = text.split('/');
  if (steps.length === 0) {
    const why = `doc is missing path: ${JSON.stringify(text)}: missing value`;
    throw new JsonPatchError(`${op} operation does not apply: ${why}`);
  }
  return steps.map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function formatPointer(path: readonly string[]): string {
  return path.map((step) => `/${step.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

function lookup(document: unknown, path: readonly string[]): unknown {
  let current = document;
  for (const step of path) {
    if (Array.isArray(current)) current = current[index(step, current.length, false)];
    else if (isRecord(current)) current = getKey(current, step);
    else return undefined;
  }
  return current;
}

function index(step: string, length: number, append: boolean): number {
  if (step === '-' && append) return length;
  const at = /^-?\d+$/.test(step) ? Number(step) : Number.NaN;
  return at < 0 ? length + at : at;
}

function find(document: unknown, path: readonly string[], op: string): unknown {
  const value = lookup(document, path);
  if (value === undefined) throw missing(op, path);
  return value;
}

/** What is absent is copied as null, so long as there is something to look in. */
function copied(document: unknown, from: readonly string[]): unknown {
  const holder = holderOf(document, from, 'copy');
  return Array.isArray(holder) ? find(document, from, 'copy') : (lookup(document, from) ?? null);
}

function wholeOf(value: unknown): unknown {
  if (isRecord(value) || Array.isArray(value)) return value;
  throw new JsonPatchError('replace operation does not apply: the document must be an object or a list');
}

function missing(op: string, path: readonly string[]): JsonPatchError {
  const text = formatPointer(path);
  const what = op === 'replace' ? 'missing key' : 'path';
  if (op === 'replace')
    return new JsonPatchError(`replace operation does not apply: doc is missing key: ${text}: missing value`);
  if (op === 'remove')
    return new JsonPatchError(
      `remove operation does not apply: doc is missing ${what}: ${JSON.stringify(text)}: missing value`,
    );
  return new JsonPatchError(
    `${op} operation does not apply: doc is missing ${what}: ${JSON.stringify(text)}: missing value`,
  );
}

function holderOf(document: unknown, path: readonly string[], op: string): Record<string, unknown> | unknown[] {
  const holder = lookup(document, path.slice(0, -1));
  if (typeof holder !== 'object' || holder === null) throw missing(op, path);
  return holder as Record<string, unknown> | unknown[];
}

function add(document: unknown, path: readonly string[], value: unknown): unknown {
  const last = path.at(-1);
  if (last === undefined) return value;
  const holder = holderOf(document, path, 'add');
  if (Array.isArray(holder)) {
    const at = index(last, holder.length, true);
    if (!(at >= 0 && at <= holder.length))
      throw new JsonPatchError(
        `add operation does not apply: doc is missing path: ${JSON.stringify(formatPointer(path))}: invalid index referenced`,
      );
    holder.splice(at, 0, value);
  } else setKey(holder, last, value);
  return document;
}

function remove(document: unknown, path: readonly string[]): unknown {
  const last = path.at(-1);
  if (last === undefined) throw missing('remove', path);
  const holder = holderOf(document, path, 'remove');
  if (Array.isArray(holder)) {
    const at = index(last, holder.length, false);
    if (!(at >= 0 && at < holder.length)) throw missing('remove', path);
    holder.splice(at, 1);
  } else {
    if (!Object.hasOwn(holder, last)) {
      throw new JsonPatchError(
        `remove operation does not apply: doc is missing key: ${formatPointer(path)}: missing value`,
      );
    }
    delete holder[last];
  }
  return document;
}

function set(document: unknown, path: readonly string[], value: unknown): unknown {
  const last = path.at(-1)!;
  const holder = holderOf(document, path, 'replace');
  if (Array.isArray(holder)) {
    const at = index(last, holder.length, false);
    if (!(at >= 0 && at < holder.length)) throw missing('replace', path);
    holder[at] = value;
  } else setKey(holder, last, value);
  return document;
}
