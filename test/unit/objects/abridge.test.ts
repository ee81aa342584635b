// The short form of objects: equal where the values are, different where one is not, and without what they hold.
import { describe, expect, it } from 'vitest';
import { abridge, isAbridged } from '../../../src/objects/abridge.ts';
import type { Manifest } from '../../../src/objects/manifest.ts';

function configMap(data: Manifest['data'], name = 'a'): Manifest {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, ...(data === undefined ? {} : { data }) };
}

describe('abridge', () => {
  it('keeps metadata and holds no value', () => {
    const short = abridge(configMap({ password: 'hunter2' }));

    expect(short.metadata).toEqual({ name: 'a' });
    expect(JSON.stringify(short)).not.toMatch(/hunter2|password/);
  });

  it('is equal for equal values, whatever the order of keys', () => {
    const one = configMap({ a: '1', b: { c: [1, 2], d: null } });
    const other = configMap({ b: { d: null, c: [1, 2] }, a: '1' });

    expect(abridge(one)).toEqual(abridge(other));
  });

  it.each<[string, Manifest['data'], Manifest['data']]>([
    ['another value', { a: '1' }, { a: '2' }],
    ['another key', { a: '1' }, { b: '1' }],
    ['a key more', { a: '1' }, { a: '1', b: '' }],
    ['a number for its text', { a: 1 }, { a: '1' }],
    ['another order of a list', { a: [1, 2] }, { a: [2, 1] }],
    ['a list in a list', { a: [[1], 2] }, { a: [[1, 2]] }],
    ['a long integer', { a: 9007199254740993n }, { a: 9007199254740992n }],
    ['a key of a prototype', JSON.parse('{"__proto__":"1"}'), {}],
    ['none for an empty one', undefined, {}],
  ])('tells %s', (_what, a, b) => {
    expect(abridge(configMap(a))).not.toEqual(abridge(configMap(b)));
  });

  it('is its own short form', () => {
    const short = abridge(configMap({ a: '1' }));

    expect(abridge(short)).toEqual(short);
  });

  it('leaves other kinds as they are', () => {
    const deployment: Manifest = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'a' }, spec: { a: 1 } };

    expect(abridge(deployment)).toBe(deployment);
    expect(['ConfigMap', 'Secret', 'CustomResourceDefinition', 'Deployment'].map(isAbridged)).toEqual([
      true,
      true,
      true,
      false,
    ]);
  });
});
