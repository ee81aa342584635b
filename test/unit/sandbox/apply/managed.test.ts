import { describe, expect, it } from 'vitest';
import { FieldSet } from '../../../../src/sandbox/apply/fieldset.ts';
import { applyManaged, type FieldWrite, updateManaged } from '../../../../src/sandbox/apply/managed.ts';
import type { KubeObject } from '../../../../src/sandbox/object.ts';
import { ApiError } from '../../../../src/sandbox/rest/errors.ts';
import { customSchema } from '../schema-of.ts';

const schema = customSchema({
  type: 'object',
  properties: {
    apiVersion: { type: 'string' },
    kind: { type: 'string' },
    metadata: { $ref: 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta' },
    spec: {
      type: 'object',
      properties: {
        size: { type: 'integer' },
        color: { type: 'string' },
        tags: { type: 'array', items: { type: 'string' }, 'x-kubernetes-list-type': 'set' },
        items: {
          type: 'array',
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['name'],
          items: { type: 'object', properties: { name: { type: 'string' }, value: { type: 'string' } } },
        },
      },
    },
  },
});

const zero: KubeObject = { apiVersion: 'e.com/v1', kind: 'W', metadata: { name: '' } };

function write(manager: string, minute = 0): FieldWrite {
  return {
    manager,
    apiVersion: 'e.com/v1',
    subresource: '',
    schemaOf: (apiVersion) => (apiVersion === 'e.com/v1' ? schema : undefined),
    reset: new FieldSet(),
    now: `2026-01-01T00:${String(minute).padStart(2, '0')}:00Z`,
    zero,
  };
}

function widget(spec: object, metadata: object = {}): KubeObject {
  return { apiVersion: 'e.com/v1', kind: 'W', metadata: { name: 'w', ...metadata }, spec };
}

function apply(
  manager: string,
  live: KubeObject | undefined,
  spec: object,
  options: { force?: boolean; minute?: number } = {},
): KubeObject {
  return applyManaged(write(manager, options.minute), live, widget(spec), { force: options.force === true });
}

/** Owners as `manager/operation: fieldsV1`. */
function owners(object: KubeObject): Record<string, unknown> {
  return Object.fromEntries(
    (object.metadata.managedFields ?? []).map((entry) => [`${entry.manager}/${entry.operation}`, entry.fieldsV1]),
  );
}

describe('server-side apply', () => {
  it('creates with the applier owning what it set', () => {
    const object = apply('a', undefined, { size: 1 });

    expect(object['spec']).toEqual({ size: 1 });
    expect(owners(object)).toEqual({ 'a/Apply': { 'f:spec': { 'f:size': {} } } });
  });

  it('shares a field that two appliers set to one value', () => {
    const object = apply('b', apply('a', undefined, { size: 1 }), { size: 1 });

    expect(owners(object)).toEqual({
      'a/Apply': { 'f:spec': { 'f:size': {} } },
      'b/Apply': { 'f:spec': { 'f:size': {} } },
    });
  });

  it("refuses to change a field of another applier, in the API server's words", () => {
    const live = apply('a', undefined, { size: 1, color: 'red' });

    const attempt = (): KubeObject => apply('b', live, { size: 2, color: 'blue' });

    expect(attempt).toThrow('Apply failed with 2 conflicts: conflicts with "a":\n- .spec.color\n- .spec.size');
    expect(attempt).toThrow(ApiError);
  });

  it('names version and operation when the other is an updater', () => {
    const live = updateManaged(write('kubectl-edit'), undefined, widget({ size: 1 }));

    expect(() => apply('b', live, { size: 2 })).toThrow(
      'Apply failed with 1 conflict: conflict with "kubectl-edit" using e.com/v1: .spec.size',
    );
  });

  it('takes a field over when forced', () => {
    const object = apply('b', apply('a', undefined, { size: 1, color: 'red' }), { size: 2 }, { force: true });

    expect(object['spec']).toEqual({ size: 2, color: 'red' });
    expect(owners(object)).toEqual({
      'a/Apply': { 'f:spec': { 'f:color': {} } },
      'b/Apply': { 'f:spec': { 'f:size': {} } },
    });
  });

  it('removes a field that its only applier gives up', () => {
    const object = apply('a', apply('a', undefined, { size: 1, color: 'red' }), { size: 1 });

    expect(object['spec']).toEqual({ size: 1 });
  });

  it('keeps a field that one of two appliers gives up', () => {
    const shared = apply('b', apply('a', undefined, { size: 1, color: 'red' }), { color: 'red' });

    const object = apply('a', shared, { size: 1 });

    expect(object['spec']).toEqual({ size: 1, color: 'red' });
  });

  it('removes only its own items of a keyed list and of a set', () => {
    const first = apply('a', undefined, { items: [{ name: 'x' }], tags: ['x'] });
    const both = apply('b', first, { items: [{ name: 'y' }], tags: ['y'] });

    const object = apply('a', both, {});

    expect(object['spec']).toEqual({ items: [{ name: 'y' }], tags: ['y'] });
  });

  it('takes its last item with it although an updater added to it, and leaves null', () => {
    const live = apply('a', undefined, { size: 1, items: [{ name: 'x' }] });
    const updated = updateManaged(write('u', 1), live, {
      ...live,
      spec: { size: 1, items: [{ name: 'x', value: '1' }] },
    });

    const object = apply('a', updated, { size: 1 });

    expect(object['spec']).toEqual({ size: 1, items: null });
    expect(owners(object)).toEqual({ 'a/Apply': { 'f:spec': { 'f:size': {} } } });
  });

  it('calls the owner of everything before the first apply before-first-apply', () => {
    const live = widget({ size: 1, color: 'red' });

    const object = apply('a', live, { size: 1 });

    expect(owners(object)).toEqual({
      'a/Apply': { 'f:spec': { 'f:size': {} } },
      'before-first-apply/Update': { 'f:spec': { '.': {}, 'f:color': {}, 'f:size': {} } },
    });
  });

  it('keeps its time when nothing changed', () => {
    const first = apply('a', undefined, { size: 1 });

    const second = apply('a', first, { size: 1 }, { minute: 5 });

    expect(second.metadata.managedFields).toEqual(first.metadata.managedFields);
  });

  it('refuses managedFields in the configuration', () => {
    const config = widget({}, { managedFields: [] });

    expect(() => applyManaged(write('a'), undefined, config, { force: false })).toThrow(
      'metadata.managedFields must be nil',
    );
  });
});

describe('updates', () => {
  it('gives the updater what it changed and takes it from the applier', () => {
    const live = apply('a', undefined, { size: 1, color: 'red' });

    const object = updateManaged(write('u', 1), live, { ...live, spec: { size: 2, color: 'red' } });

    expect(owners(object)).toEqual({
      'a/Apply': { 'f:spec': { 'f:color': {} } },
      'u/Update': { 'f:spec': { 'f:size': {} } },
    });
  });

  it('keeps managedFields when the request has none, and clears them when it asks to', () => {
    const live = apply('a', undefined, { size: 1 });
    const { managedFields: _, ...metadata } = live.metadata;

    const kept = updateManaged(write('u'), live, { ...live, metadata });
    const cleared = updateManaged(
      write('u'),
      { ...live, metadata: { ...live.metadata, uid: '1' } },
      { ...live, metadata: { ...metadata, managedFields: [] } },
    );

    expect(kept.metadata.managedFields).toEqual(live.metadata.managedFields);
    expect(cleared.metadata.managedFields).toBeUndefined();
  });

  it('folds the oldest of more than ten updaters together', () => {
    let object = updateManaged(write('m0', 0), undefined, widget({ items: [{ name: 'i0' }] }));
    for (let i = 1; i <= 12; i++) {
      const items = Array.from({ length: i + 1 }, (_, n) => ({ name: `i${n}` }));
      object = updateManaged(write(`m${i}`, i), object, { ...object, spec: { items } });
    }

    const managers = (object.metadata.managedFields ?? []).map(({ manager }) => manager);

    expect(managers).toHaveLength(10);
    expect(managers).toContain('ancient-changes');
    expect(managers).not.toContain('m0');
  });
});
