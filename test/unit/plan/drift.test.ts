import { describe, expect, it } from 'vitest';
import type { JsonObject, JsonValue } from '../../../src/lib/json.ts';
import type { Manifest } from '../../../src/objects/manifest.ts';
import { findDrift, markApplied } from '../../../src/plan/drift.ts';

const OURS = 'kustomize-controller';

interface Parts {
  readonly uid?: string;
  readonly fields?: JsonObject;
  readonly others?: readonly JsonObject[];
  readonly labels?: JsonObject;
  readonly deletionTimestamp?: string;
}

function object(parts: Parts = {}): Manifest {
  const owner = { 'kustomize.toolkit.fluxcd.io/name': 'app', 'kustomize.toolkit.fluxcd.io/namespace': 'ns' };
  const own = { manager: OURS, operation: 'Apply', fieldsV1: parts.fields ?? { 'f:spec': { 'f:replicas': {} } } };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {
      name: 'web',
      uid: parts.uid ?? 'u1',
      labels: parts.labels ?? owner,
      managedFields: [own, ...(parts.others ?? [])] as JsonValue,
      ...(parts.deletionTimestamp === undefined ? {} : { deletionTimestamp: parts.deletionTimestamp }),
    },
  };
}

const mark = markApplied(object(), OURS);

describe('findDrift', () => {
  it.each([
    ['the same object', object()],
    ['more fields of ours', object({ fields: { 'f:spec': { 'f:replicas': {}, 'f:paused': {} } } })],
    [
      'fields of a manager that we leave alone',
      object({ others: [{ manager: 'hpa', operation: 'Update', fieldsV1: { 'f:spec': { 'f:x': {} } } }] }),
    ],
    [
      'status written through its subresource',
      object({ others: [{ manager: 'kubectl', operation: 'Update', subresource: 'status', fieldsV1: {} }] }),
    ],
  ])('sees none in %s', (_name, live) => {
    expect(findDrift(mark, live, OURS)).toBeUndefined();
  });

  it.each([
    ['an object that is gone', undefined, { because: 'deleted', manager: '', fields: [] }],
    [
      'an object that is going',
      object({ deletionTimestamp: '2026-01-01T00:00:00Z' }),
      { because: 'deleted', manager: '', fields: [] },
    ],
    ['another incarnation', object({ uid: 'u2' }), { because: 'recreated', manager: '', fields: [] }],
    [
      'a field that another manager took',
      object({
        fields: {},
        others: [{ manager: 'curl', operation: 'Update', fieldsV1: { 'f:spec': { 'f:replicas': {} } } }],
      }),
      { because: 'fields lost', manager: 'curl', fields: ['.spec.replicas'] },
    ],
    [
      'a manager that we take over',
      object({
        others: [
          { manager: 'kubectl-label', operation: 'Update', fieldsV1: { 'f:metadata': { 'f:labels': { 'f:by': {} } } } },
        ],
      }),
      { because: 'manager', manager: 'kubectl-label', fields: ['.metadata.labels.by'] },
    ],
    ['a lost ownership label', object({ labels: {} }), { because: 'ownership', manager: '', fields: [] }],
  ])('sees %s', (_name, live, want) => {
    expect(findDrift(mark, live, OURS)).toEqual(want);
  });
});
