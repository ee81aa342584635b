import { describe, expect, it } from 'vitest';
import type { JsonObject, JsonValue } from '../../../src/lib/json.ts';
import { abridge } from '../../../src/objects/abridge.ts';
import type { Manifest } from '../../../src/objects/manifest.ts';
import { findDrift, markApplied, markCompared } from '../../../src/plan/drift.ts';

const OURS = 'kustomize-controller';

interface Parts {
  readonly uid?: string;
  readonly fields?: JsonObject;
  readonly time?: string;
  readonly others?: readonly JsonObject[];
  readonly labels?: JsonObject;
  readonly deletionTimestamp?: string;
  readonly annotations?: JsonObject;
}

function object(parts: Parts = {}): Manifest {
  const owner = { 'kustomize.toolkit.fluxcd.io/name': 'app', 'kustomize.toolkit.fluxcd.io/namespace': 'ns' };
  const fieldsV1 = parts.fields ?? { 'f:spec': { 'f:replicas': {} } };
  const own = { manager: OURS, operation: 'Apply', time: parts.time ?? '2026-01-01T00:00:00Z', fieldsV1 };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {
      name: 'web',
      uid: parts.uid ?? 'u1',
      labels: parts.labels ?? owner,
      managedFields: [own, ...(parts.others ?? [])] as JsonValue,
      annotations: parts.annotations ?? {},
      ...(parts.deletionTimestamp === undefined ? {} : { deletionTimestamp: parts.deletionTimestamp }),
    },
  };
}

const mark = markApplied(object(), object(), OURS);
const disabled = { annotations: { 'kustomize.toolkit.fluxcd.io/reconcile': 'disabled' } };
const byKubectl = {
  manager: 'kubectl-label',
  operation: 'Update',
  fieldsV1: { 'f:metadata': { 'f:labels': { 'f:by': {} } } },
};

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
    ['an object that is on its way out', object({ deletionTimestamp: '2026-01-01T00:00:00Z', others: [byKubectl] })],
    ['an object that asks to be left alone', object({ ...disabled, others: [byKubectl] })],
    [
      'fields of kubectl that are kept by ssa: Merge',
      object({ annotations: { 'kustomize.toolkit.fluxcd.io/ssa': 'Merge' }, others: [byKubectl] }),
    ],
  ])('sees none in %s', (_name, live) => {
    expect(findDrift(mark, live, OURS)).toBeUndefined();
  });

  it.each([
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
      object({ others: [byKubectl] }),
      { because: 'manager', manager: 'kubectl-label', fields: ['.metadata.labels.by'] },
    ],
    [
      'an apply in our name that the mark was not made of',
      object({ time: '2026-01-01T00:00:01Z' }),
      { because: 'applied again', manager: OURS, fields: [] },
    ],
    ['a lost ownership label', object({ labels: {} }), { because: 'ownership', manager: '', fields: [] }],
  ])('sees %s', (_name, live, want) => {
    expect(findDrift(mark, live, OURS)).toEqual(want);
  });

  it('sees that an object no longer asks to be left alone', () => {
    const excluded = markApplied(object(disabled), object(), OURS);

    expect(findDrift(excluded, object(disabled), OURS)).toBeUndefined();
    expect(findDrift(excluded, object(), OURS)).toEqual({ because: 'no longer excluded', manager: '', fields: [] });
  });

  it('sees nothing in an object that is only created and then left alone', () => {
    const desired = object({ annotations: { 'kustomize.toolkit.fluxcd.io/ssa': 'IfNotPresent' } });
    const kept = markApplied(desired, desired, OURS);

    expect(findDrift(kept, object({ uid: 'u2', others: [byKubectl] }), OURS)).toBeUndefined();
  });
});

describe('findDrift of an object that was only compared', () => {
  const entry = (manager: string, fieldsV1: JsonObject, time = '2026-01-01T00:00:00Z', more: JsonObject = {}) => ({
    manager,
    operation: 'Update',
    time,
    fieldsV1,
    ...more,
  });
  const data = (...keys: readonly string[]): JsonObject => ({
    'f:data': { '.': {}, ...Object.fromEntries(keys.map((key) => [`f:${key}`, {}])) },
  });
  const configMap = (values: JsonObject, ...entries: readonly JsonObject[]): Manifest => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'web', uid: 'u1', managedFields: entries as JsonValue },
    data: values,
  });
  const values = { color: 'blue', size: '1' };
  const LATER = '2026-01-01T00:00:05Z';
  const live = configMap(values, entry(OURS, data('color')), entry('hand', data('size', 'theirs')));
  const dryRun = configMap(values, { ...entry(OURS, data('color', 'size')), operation: 'Apply' });
  const compared = markCompared(live, dryRun, live, OURS);
  const changed = { ...values, color: 'red' };

  it.each([
    ['the same content with other holders', configMap(values, entry('hand', data('color', 'size'), LATER))],
    ['its short form', abridge(live)],
    [
      'fields that are not desired',
      configMap(
        { ...values, more: 'x' },
        entry(OURS, data('color')),
        entry('hand', data('size', 'theirs')),
        entry('other', data('more'), LATER),
      ),
    ],
  ])('sees none in %s', (_name, object) => {
    expect(findDrift(compared, object, OURS, [])).toBeUndefined();
  });

  it.each([
    [
      'a field that somebody took',
      configMap(changed, entry('hand', data('color', 'size', 'theirs'))),
      { because: 'fields lost', manager: 'hand', fields: ['.data.color'] },
    ],
    [
      'a field that is gone',
      configMap({ size: '1' }, entry('hand', data('size'))),
      { because: 'fields lost', manager: '', fields: ['.data.color'] },
    ],
    [
      'a later change by one who has the field, whoever wrote last',
      configMap(
        changed,
        entry(OURS, data('color')),
        entry('hand', data('size'), '2026-01-01T00:00:04Z'),
        entry('other', { 'f:status': {} }, LATER, { subresource: 'status' }),
      ),
      { because: 'applied again', manager: 'hand', fields: [] },
    ],
    [
      'a change in the second of the mark',
      configMap({ ...values, size: '2' }, entry(OURS, data('color')), entry('hand', data('size', 'theirs'))),
      { because: 'applied again', manager: OURS, fields: [] },
    ],
    [
      'a change by one whose fields stand under two API versions',
      configMap(
        changed,
        entry(OURS, data('color'), LATER, { apiVersion: 'v2' }),
        entry(OURS, data('size'), '2026-01-01T00:00:00Z', { apiVersion: 'v1' }),
      ),
      { because: 'fields lost', manager: OURS, fields: ['.data.size'] },
    ],
  ])('sees %s', (_name, object, want) => {
    expect(findDrift(compared, object, OURS, [])).toEqual(want);
  });
});
