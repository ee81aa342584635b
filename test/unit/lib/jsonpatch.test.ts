import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JsonObject, JsonValue } from '../../../src/lib/json.ts';
import { applyJsonPatch, JsonPatchError, parseJsonPatch } from '../../../src/lib/jsonpatch.ts';

function apply(document: JsonValue, ...operations: JsonObject[]): JsonValue {
  return applyJsonPatch(document, parseJsonPatch(operations));
}

function failure(work: () => unknown): { readonly code: string; readonly message: string } {
  try {
    work();
  } catch (error) {
    if (error instanceof JsonPatchError) return { code: error.code, message: error.message };
    throw error;
  }
  throw new Error('it did not fail');
}

describe('applyJsonPatch', () => {
  const rows: { name: string; document: JsonValue; operation: JsonObject; want: JsonValue }[] = [
    { name: 'adds a key', document: {}, operation: { op: 'add', path: '/a', value: 1 }, want: { a: 1 } },
    { name: 'adds null when no value is given', document: {}, operation: { op: 'add', path: '/a' }, want: { a: null } },
    { name: 'appends', document: { l: [1] }, operation: { op: 'add', path: '/l/-', value: 2 }, want: { l: [1, 2] } },
    { name: 'inserts', document: { l: [1] }, operation: { op: 'add', path: '/l/0', value: 2 }, want: { l: [2, 1] } },
    {
      name: 'inserts at the end for -1',
      document: { l: [1] },
      operation: { op: 'add', path: '/l/-1', value: 2 },
      want: { l: [1, 2] },
    },
    {
      name: 'unescapes ~1 and ~0',
      document: {},
      operation: { op: 'add', path: '/a~1b~0~01', value: 1 },
      want: { 'a/b~~1': 1 },
    },
    {
      name: 'removes by a negative index',
      document: { l: [1, 2, 3] },
      operation: { op: 'remove', path: '/l/-2' },
      want: { l: [1, 3] },
    },
    {
      name: 'replaces a missing key',
      document: { m: {} },
      operation: { op: 'replace', path: '/m/a', value: 1 },
      want: { m: { a: 1 } },
    },
    {
      name: 'replaces the whole document',
      document: { a: 1 },
      operation: { op: 'replace', path: '', value: { b: 2 } },
      want: { b: 2 },
    },
    { name: 'moves', document: { a: 1 }, operation: { op: 'move', from: '/a', path: '/b' }, want: { b: 1 } },
    {
      name: 'copies',
      document: { a: [1] },
      operation: { op: 'copy', from: '/a', path: '/b' },
      want: { a: [1], b: [1] },
    },
    {
      name: 'copies nothing as null',
      document: {},
      operation: { op: 'copy', from: '/a', path: '/b' },
      want: { b: null },
    },
    {
      name: 'tests maps without regard to order',
      document: { a: { x: 1, y: [2] } },
      operation: { op: 'test', path: '/a', value: { y: [2], x: 1 } },
      want: { a: { x: 1, y: [2] } },
    },
    {
      name: 'finds a missing key equal to null',
      document: {},
      operation: { op: 'test', path: '/a', value: null },
      want: {},
    },
    {
      name: 'keeps big integers',
      document: { a: 9007199254740993n },
      operation: { op: 'copy', from: '/a', path: '/b' },
      want: { a: 9007199254740993n, b: 9007199254740993n },
    },
  ];
  it.each(rows)('$name', ({ document, operation, want }) => {
    expect(apply(document, operation)).toEqual(want);
  });

  const faults: { name: string; document: JsonValue; operation: JsonObject; message: string }[] = [
    {
      name: 'add below a missing parent',
      document: {},
      operation: { op: 'add', path: '/a/b', value: 1 },
      message: 'add operation does not apply: doc is missing path: "/a/b": missing value',
    },
    {
      name: 'replace below a missing parent',
      document: {},
      operation: { op: 'replace', path: '/a/b', value: 1 },
      message: 'replace operation does not apply: doc is missing path: /a/b: missing value',
    },
    {
      name: 'remove of a missing key',
      document: {},
      operation: { op: 'remove', path: '/a' },
      message: "error in remove for path: '/a': Unable to remove nonexistent key: a: missing value",
    },
    {
      name: 'remove beyond the list',
      document: { l: [] },
      operation: { op: 'remove', path: '/l/9' },
      message: "error in remove for path: '/l/9': Unable to access invalid index: 9: invalid index referenced",
    },
    {
      name: 'add beyond the list',
      document: { l: [] },
      operation: { op: 'add', path: '/l/9', value: 1 },
      message: "error in add for path: '/l/9': Unable to access invalid index: 9: invalid index referenced",
    },
    {
      name: 'replace beyond the list',
      document: { l: [] },
      operation: { op: 'replace', path: '/l/0', value: 1 },
      message: 'replace operation does not apply: doc is missing key: /l/0: missing value',
    },
    {
      name: 'a test that does not hold',
      document: { a: 1 },
      operation: { op: 'test', path: '/a', value: 2 },
      message: 'testing value /a failed: test failed',
    },
    {
      name: 'no path',
      document: {},
      operation: { op: 'add', value: 1 },
      message: 'add operation failed to decode path: missing value',
    },
    {
      name: 'an unknown operation',
      document: {},
      operation: { op: 'merge', path: '/a' },
      message: 'Unexpected kind: merge',
    },
    {
      name: 'a way through a text',
      document: { a: 'x' },
      operation: { op: 'add', path: '/a/b', value: 1 },
      message: 'add operation does not apply: doc is missing path: "/a/b": missing value',
    },
  ];
  it.each(faults)('refuses $name', ({ document, operation, message }) => {
    expect(failure(() => apply(document, operation)).message).toBe(message);
  });

  it.each(['/__proto__/x', '/constructor/prototype/x', '/a/__proto__'])('refuses the path %s', (path) => {
    const { code } = failure(() => apply({ a: {} }, { op: 'add', path, value: 1 }));

    expect(code).toBe('PatchForbidden');
    expect(({} as Record<string, unknown>)['x']).toBeUndefined();
  });

  it('keeps a key named __proto__ that the document has', () => {
    const document = JSON.parse('{"__proto__": {"a": 1}}') as JsonValue;

    const patched = apply(document, { op: 'add', path: '/b', value: 2 });

    expect(JSON.stringify(patched)).toBe('{"__proto__":{"a":1},"b":2}');
  });

  it('leaves the document and the patch as they are', () => {
    const document = Object.freeze({ list: Object.freeze([1]) }) as unknown as JsonObject;
    const value = { deep: [1] };

    const patched = apply(document, { op: 'add', path: '/v', value }, { op: 'add', path: '/v/deep/-', value: 2 });

    expect(patched).toEqual({ list: [1], v: { deep: [1, 2] } });
    expect(value).toEqual({ deep: [1] });
  });

  it('add then remove gives the document back', () => {
    const keys = fc.string().filter((key) => !['__proto__', 'constructor', 'prototype'].includes(key));
    fc.assert(
      fc.property(fc.dictionary(keys, fc.jsonValue()), keys, fc.jsonValue(), (raw, key, value) => {
        fc.pre(!Object.hasOwn(raw, key));
        // JSON has neither a negative zero nor objects without a prototype.
        const document = JSON.parse(JSON.stringify(raw)) as JsonObject;
        const path = `/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`;

        const patched = apply(document, { op: 'add', path, value: value as JsonValue }, { op: 'remove', path });

        expect(patched).toEqual(document);
      }),
    );
  });
});

describe('parseJsonPatch', () => {
  it('takes null for no operations', () => {
    expect(parseJsonPatch(null)).toEqual([]);
  });

  it.each([
    [{ op: 'add' }, 'json: cannot unmarshal object into Go value of type jsonpatch.Patch'],
    ['text', 'json: cannot unmarshal string into Go value of type jsonpatch.Patch'],
    [['text'], 'json: cannot unmarshal string into Go value of type jsonpatch.Operation'],
  ])('refuses %j', (value, message) => {
    expect(failure(() => parseJsonPatch(value as JsonValue))).toEqual({ code: 'PatchInvalid', message });
  });
});
