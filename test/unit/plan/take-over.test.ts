import { describe, expect, it } from 'vitest';
import type { ManagedFieldsEntry } from '../../../src/api/meta/object.ts';
import type { JsonObject, JsonValue } from '../../../src/lib/json.ts';
import type { Manifest } from '../../../src/objects/manifest.ts';
import { takeOverPatch } from '../../../src/plan/take-over.ts';

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

    const patch = takeOverPatch(object, OURS);

    expect(patch?.[0]).toEqual({ op: 'replace', path: '/metadata/resourceVersion', value: '7' });
    expect(patch?.[1]).toMatchObject({ op: 'replace', path: '/metadata/managedFields' });
    expect(patch?.[1]?.value).toEqual([
      entry(OURS, 'Apply', { 'f:data': { 'f:a': {}, 'f:b': {} }, 'f:metadata': { 'f:labels': { 'f:x': {} } } }),
      entry('operator', 'Update', { 'f:data': { 'f:c': {} } }),
    ]);
  });

  it('leaves subresources to their managers', () => {
    const object = live([entry('kubectl', 'Update', { 'f:status': {} }, 'status')]);

    expect(takeOverPatch(object, OURS)).toBeUndefined();
  });

  it('takes our own old Update entry, but no manager whose name only begins like ours', () => {
    const object = live([entry('kustomize-controller-fork', 'Update', { 'f:data': {} })]);

    expect(takeOverPatch(object, OURS)).toBeUndefined();
    expect(takeOverPatch(live([entry(OURS, 'Update', { 'f:data': {} })]), OURS)).toHaveLength(2);
  });

  it('removes what kubectl apply leaves in annotations', () => {
    const patch = takeOverPatch(live([], { 'kubectl.kubernetes.io/last-applied-configuration': '{}' }), OURS);

    expect(patch?.[1]).toEqual({
      op: 'remove',
      path: '/metadata/annotations/kubectl.kubernetes.io~1last-applied-configuration',
    });
  });
});
