import { describe, expect, it } from 'vitest';
import type { ManagedFieldsEntry } from '../../../src/api/meta/object.ts';
import type { JsonObject, JsonValue } from '../../../src/lib/json.ts';
import { type JsonPatchOperation as AnyOperation, applyJsonPatch as applyPatch } from '../../../src/lib/jsonpatch.ts';
import { type Manifest, managedFieldsOf } from '../../../src/objects/manifest.ts';
import {
  isTakenOver,
  type JsonPatchOperation,
  migrateVersionPatch,
  takeOverPatch,
  withOverrideManagers,
} from '../../../src/plan/take-over.ts';

const OURS = 'kustomize-controller';
const entry = (
  manager: string,
  operation: 'Apply' | 'Update',
  fieldsV1: JsonObject,
  subresource?: string,
): ManagedFieldsEntry => ({
  manager,
  operation,
  apiVersion: 'v1',
  fieldsType: 'FieldsV1',
  fieldsV1,
  ...(subresource === undefined ? {} : { subresource }),
});

function applyJsonPatch(object: Manifest, patch: readonly JsonPatchOperation[]): Manifest {
  return applyPatch(object, patch as unknown as readonly AnyOperation[]) as Manifest;
}

function live(managedFields: readonly ManagedFieldsEntry[], annotations: Record<string, string> = {}): Manifest {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'x', resourceVersion: '7', annotations, managedFields: managedFields as unknown as JsonValue },
  };
}

describe('takeOverPatch', () => {
  it('has nothing to do when only we and other managers own fields', () => {
    const object = live([
      entry(OURS, 'Apply', { 'f:data': {} }),
      entry('operator', 'Update', { 'f:data': { 'f:x': {} } }),
    ]);

    expect(takeOverPatch(object, OURS)).toBeUndefined();
  });

  it("merges the fields of kubectl's managers into our entry and drops theirs", () => {
    const object = live([
      entry(OURS, 'Apply', { 'f:data': { 'f:a': {} } }),
      entry('kubectl-edit', 'Update', { 'f:data': { 'f:b': {} } }),
      entry('kubectl', 'Apply', { 'f:metadata': { 'f:labels': { 'f:x': {} } } }),
      entry('operator', 'Update', { 'f:data': { 'f:c': {} } }),
    ]);

    const merged = applyJsonPatch(object, takeOverPatch(object, OURS)!);

    expect(managedFieldsOf(merged)).toEqual([
      entry(OURS, 'Apply', { 'f:data': { 'f:a': {}, 'f:b': {} }, 'f:metadata': { 'f:labels': { 'f:x': {} } } }),
      entry('operator', 'Update', { 'f:data': { 'f:c': {} } }),
    ]);
  });

  it('makes our entry where there is none', () => {
    const object = live([entry('kubectl', 'Update', { 'f:data': {} }), entry('kubectl', 'Apply', { 'f:x': {} })]);

    const merged = applyJsonPatch(object, takeOverPatch(object, OURS)!);

    expect(managedFieldsOf(merged)).toEqual([entry(OURS, 'Apply', { 'f:data': {}, 'f:x': {} })]);
  });

  it('holds when a status was written meanwhile, and fails when one of the entries is another', () => {
    const before = [entry(OURS, 'Apply', { 'f:a': {} }), entry('kubectl', 'Update', { 'f:b': {} })];
    const patch = takeOverPatch(live(before), OURS)!;
    const withStatus = live([...before, entry('controller', 'Update', { 'f:status': {} }, 'status')]);
    const withMore = live([before[0]!, entry('kubectl', 'Update', { 'f:b': {}, 'f:c': {} })]);

    expect(managedFieldsOf(applyJsonPatch(withStatus, patch)).map(({ manager }) => manager)).toEqual([
      OURS,
      'controller',
    ]);
    expect(() => applyJsonPatch(withMore, patch)).toThrow();
  });

  it('leaves subresources to their managers', () => {
    const object = live([entry('kubectl', 'Update', { 'f:status': {} }, 'status')]);

    expect(takeOverPatch(object, OURS)).toBeUndefined();
  });

  it('takes our own old Update entry, but no manager whose name only begins like ours', () => {
    const object = live([entry('kustomize-controller-fork', 'Update', { 'f:data': {} })]);

    expect(takeOverPatch(object, OURS)).toBeUndefined();
    expect(takeOverPatch(live([entry(OURS, 'Update', { 'f:data': {} })]), OURS)).toHaveLength(3);
  });

  it('removes what kubectl apply leaves in annotations', () => {
    const patch = takeOverPatch(live([], { 'kubectl.kubernetes.io/last-applied-configuration': '{}' }), OURS);

    expect(patch).toEqual([
      { op: 'remove', path: '/metadata/annotations/kubectl.kubernetes.io~1last-applied-configuration' },
    ]);
  });
});

describe('managers that are taken over by a flag', () => {
  it('are known by the beginning of their names, whatever they did', () => {
    const managers = withOverrideManagers(['rancher']);

    expect(isTakenOver(entry('rancher-ui', 'Update', {}), managers)).toBe(true);
    expect(isTakenOver(entry('rancher', 'Apply', {}), managers)).toBe(true);
    expect(isTakenOver(entry('kubectl-edit', 'Update', {}), managers)).toBe(true);
    expect(isTakenOver(entry('rancher', 'Update', {}, 'status'), managers)).toBe(false);
    expect(isTakenOver(entry('operator', 'Update', {}), managers)).toBe(false);
  });

  it('are known by their whole names where only those are given', () => {
    const managers = withOverrideManagers([], ['legacy']);

    expect(isTakenOver(entry('legacy', 'Update', {}), managers)).toBe(true);
    expect(isTakenOver(entry('legacy', 'Apply', {}), managers)).toBe(true);
    expect(isTakenOver(entry('legacy-too', 'Update', {}), managers)).toBe(false);
  });
});

describe('migrateVersionPatch', () => {
  it('writes the version into every entry, those of others and of subresources too', () => {
    const old = { ...entry('operator', 'Update', { 'f:status': {} }, 'status'), apiVersion: 'v1beta1' };
    const object = live([entry(OURS, 'Apply', {}), old]);

    expect(migrateVersionPatch(object, 'v1')).toEqual([
      { op: 'replace', path: '/metadata/resourceVersion', value: '7' },
      {
        op: 'replace',
        path: '/metadata/managedFields',
        value: [entry(OURS, 'Apply', {}), { ...old, apiVersion: 'v1' }],
      },
    ]);
    expect(migrateVersionPatch(live([entry(OURS, 'Apply', {})]), 'v1')).toBeUndefined();
    expect(migrateVersionPatch(live([]), 'v1')).toBeUndefined();
  });
});
