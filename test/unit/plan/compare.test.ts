import { describe, expect, it } from 'vitest';
import type { Manifest } from '../../../src/objects/manifest.ts';
import { differs, gainsFields, sameJson } from '../../../src/plan/compare.ts';

const object = (metadata: object, rest: object = {}): Manifest =>
  ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'x', ...metadata }, ...rest }) as Manifest;

describe('differs', () => {
  it.each([
    [
      'resourceVersion and managedFields',
      object({ resourceVersion: '1' }),
      object({ resourceVersion: '2', managedFields: [] }),
      false,
    ],
    ['status', object({}, { status: { a: 1 } }), object({}, { status: { a: 2 } }), false],
    ['the order of keys', object({}, { data: { a: '1', b: '2' } }), object({}, { data: { b: '2', a: '1' } }), false],
    ['labels', object({ labels: { a: '1' } }), object({ labels: { a: '2' } }), true],
    ['annotations', object({}), object({ annotations: { a: '2' } }), true],
    ['content', object({}, { data: { a: '1' } }), object({}, { data: {} }), true],
    ['integers beyond a double', object({}, { n: 9007199254740993n }), object({}, { n: 9007199254740992n }), true],
  ])('judges %s', (_name, live, dryRun, want) => {
    expect(differs(live, dryRun)).toBe(want);
  });

  it('compares lists by place', () => {
    expect(sameJson([1, 2], [2, 1])).toBe(false);
    expect(sameJson([{ a: [] }], [{ a: [] }])).toBe(true);
    expect(sameJson([], {})).toBe(false);
  });
});

describe('gainsFields', () => {
  const owned = (manager: string, ...names: string[]) =>
    object({
      managedFields: [
        { manager, operation: 'Apply', fieldsV1: { 'f:data': Object.fromEntries(names.map((name) => [name, {}])) } },
      ],
    });

  it.each([
    ['the same fields', owned('ours', 'f:a'), owned('ours', 'f:a'), false],
    ['fewer fields', owned('ours', 'f:a', 'f:b'), owned('ours', 'f:a'), false],
    ['another field', owned('ours', 'f:a'), owned('ours', 'f:a', 'f:b'), true],
    ['all fields, where somebody cleared them', object({}), owned('ours', 'f:a'), true],
  ])('judges %s', (_name, live, dryRun, want) => {
    expect(gainsFields(live, dryRun, 'ours')).toBe(want);
  });
});
