import { describe, expect, it } from 'vitest';
import { formatFieldsV1, setOf } from '../../../../src/sandbox/apply/fieldset.ts';
import { checkTyped, compareTyped, mergeTyped, removeTyped, toFieldSet } from '../../../../src/sandbox/apply/typed.ts';
import { builtinSchema, customSchema } from '../schema-of.ts';

const deployment = builtinSchema('apps/v1/Deployment');
const lists = customSchema({
  type: 'object',
  properties: {
    set: { type: 'array', items: { type: 'string' }, 'x-kubernetes-list-type': 'set' },
    atomic: { type: 'array', items: { type: 'string' } },
    whole: {
      type: 'object',
      'x-kubernetes-map-type': 'atomic',
      properties: { a: { type: 'string' }, b: { type: 'string' } },
    },
    items: {
      type: 'array',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['name'],
      items: { type: 'object', properties: { name: { type: 'string' }, value: { type: 'string' } } },
    },
    open: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
  },
});

function container(name: string, fields: object = {}): object {
  return { name, ...fields };
}

function withContainers(...containers: object[]): object {
  return { spec: { template: { spec: { containers } } } };
}

describe('toFieldSet', () => {
  it('owns leaves, list items and the keys that name them, but no structs on the way', () => {
    const set = toFieldSet(
      deployment,
      withContainers(container('app', { image: 'a', ports: [{ containerPort: 80 }] })),
    );

    expect(formatFieldsV1(set)).toEqual({
      'f:spec': {
        'f:template': {
          'f:spec': {
            'f:containers': {
              'k:{"name":"app"}': {
                '.': {},
                'f:image': {},
                'f:name': {},
                'f:ports': { 'k:{"containerPort":80,"protocol":"TCP"}': { '.': {}, 'f:containerPort': {} } },
              },
            },
          },
        },
      },
    });
  });

  it('owns an atomic list or map as one field, and each item of a set', () => {
    const set = toFieldSet(lists, { atomic: ['x'], whole: { a: '1' }, set: ['b', 'a'] });

    expect(formatFieldsV1(set)).toEqual({ 'f:atomic': {}, 'f:set': { 'v:"a"': {}, 'v:"b"': {} }, 'f:whole': {} });
  });

  it('owns an empty map and a null', () => {
    expect(formatFieldsV1(toFieldSet(lists, { open: {}, atomic: null }))).toEqual({ 'f:atomic': {}, 'f:open': {} });
  });

  it('owns the keys of an object without declared fields one by one', () => {
    expect(formatFieldsV1(toFieldSet(lists, { open: { a: { b: 1 }, c: [1] } }))).toEqual({
      'f:open': { 'f:a': { '.': {}, 'f:b': {} }, 'f:c': {} },
    });
  });
});

describe('compareTyped', () => {
  it('tells added, modified and removed paths apart', () => {
    const before = withContainers(container('a', { image: '1' }), container('b'));
    const after = withContainers(container('a', { image: '2' }), container('c'));

    const { added, modified, removed } = compareTyped(deployment, before, after);

    const below = (key: string, fields: object): object => ({
      'f:spec': { 'f:template': { 'f:spec': { 'f:containers': { [`k:{"name":"${key}"}`]: fields } } } },
    });
    expect(formatFieldsV1(added)).toEqual(below('c', { '.': {}, 'f:name': {} }));
    expect(formatFieldsV1(modified)).toEqual(below('a', { 'f:image': {} }));
    expect(formatFieldsV1(removed)).toEqual(below('b', { '.': {}, 'f:name': {} }));
  });

  it('ignores the order of a keyed list and of a set', () => {
    const before = { set: ['a', 'b'], items: [container('x'), container('y')] };
    const after = { set: ['b', 'a'], items: [container('y'), container('x')] };

    const { added, modified, removed } = compareTyped(lists, before, after);

    expect([added.isEmpty, modified.isEmpty, removed.isEmpty]).toEqual([true, true, true]);
  });

  it('sees the order of an atomic list', () => {
    const { modified } = compareTyped(lists, { atomic: ['a', 'b'] }, { atomic: ['b', 'a'] });

    expect(formatFieldsV1(modified)).toEqual({ 'f:atomic': {} });
  });
});

describe('mergeTyped', () => {
  it.each([
    { name: 'keeps live-only items in their place', live: ['a', 'x', 'b'], config: ['a', 'b'], want: ['a', 'x', 'b'] },
    {
      name: 'takes the order of the configuration for shared items',
      live: ['a', 'b', 'c'],
      config: ['c', 'a'],
      want: ['b', 'c', 'a'],
    },
    {
      name: 'puts new items where the configuration has them',
      live: ['a', 'c'],
      config: ['a', 'b', 'c'],
      want: ['a', 'b', 'c'],
    },
  ])('$name', ({ live, config, want }) => {
    const items = (names: string[]): object[] => names.map((name) => ({ name }));

    expect(mergeTyped(lists, { items: items(live) }, { items: items(config) })).toEqual({ items: items(want) });
  });

  it('merges the fields of an item and replaces an atomic list', () => {
    const live = { items: [{ name: 'a', value: '1' }], atomic: ['x', 'y'] };

    const merged = mergeTyped(lists, live, { items: [{ name: 'a' }], atomic: ['z'] });

    expect(merged).toEqual({ items: [{ name: 'a', value: '1' }], atomic: ['z'] });
  });

  it('changes neither of its inputs', () => {
    const live = Object.freeze({ items: Object.freeze([Object.freeze({ name: 'a' })]) });

    expect(mergeTyped(lists, live, { items: [{ name: 'a', value: '2' }] })).toEqual({
      items: [{ name: 'a', value: '2' }],
    });
    expect(live).toEqual({ items: [{ name: 'a' }] });
  });
});

describe('removeTyped', () => {
  it('removes fields and items, and leaves null where nothing is left', () => {
    const paths = setOf(['f:items', 'k:{"name":"a"}'], ['f:open', 'f:x']);

    expect(removeTyped(lists, { items: [{ name: 'a' }], open: { x: 1 }, set: ['s'] }, paths)).toEqual({
      items: null,
      open: null,
      set: ['s'],
    });
  });
});

describe('checkTyped', () => {
  it.each([
    { value: { spec: { foo: 1 } }, want: '.spec.foo: field not declared in schema' },
    { value: { spec: { replicas: 'x' } }, want: '.spec.replicas: expected numeric (int or float), got string' },
    {
      value: withContainers(container('a'), container('a')),
      want: '.spec.template.spec.containers: duplicate entries for key [name="a"]',
    },
  ])('reports $want', ({ value, want }) => {
    expect(checkTyped(deployment, value).map(({ path, message }) => `${path}: ${message}`)).toEqual([want]);
  });

  it('reports an item without its keys', () => {
    expect(checkTyped(lists, { items: [{ value: 'x' }] })).toEqual([
      {
        path: '.items',
        message:
          'element 0: associative list with keys has an element that omits all key fields ["name"] (and doesn\'t have default values for any key fields)',
      },
    ]);
  });
});
