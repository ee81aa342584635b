import { describe, expect, it } from 'vitest';
import { definitionFaults } from '../../../../src/sandbox/crd/definition.ts';
import type { KubeObject } from '../../../../src/sandbox/object.ts';

const names = { plural: 'as', singular: 'a', kind: 'A', listKind: 'AList' };

function definition(spec: object, status: object = {}): KubeObject {
  const schema = { openAPIV3Schema: { type: 'object' } };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'as.a.dev' },
    spec: {
      group: 'a.dev',
      scope: 'Cluster',
      names,
      versions: [{ name: 'v1', served: true, storage: true, schema }],
      ...spec,
    },
    status: { storedVersions: ['v1'], ...status },
  };
}

function fields(next: KubeObject, live?: KubeObject): string[] {
  return definitionFaults(next, live, undefined).map(({ field }) => field);
}

describe('a definition of a custom resource', () => {
  it('is accepted with names, a scope and one stored version', () => {
    expect(fields(definition({}))).toEqual([]);
  });

  it('keeps its group always, and its scope once it is served', () => {
    const served = { conditions: [{ type: 'Established', status: 'True' }] };
    const next = definition({ group: 'b.dev', scope: 'Namespaced' });

    expect(fields(next, definition({}))).toEqual(['spec.group']);
    expect(fields(next, definition({}, served))).toEqual(['spec.scope', 'spec.group']);
  });

  it('keeps the versions that objects may be stored in', () => {
    expect(fields(definition({}, { storedVersions: ['v1', 'v0'] }))).toEqual(['status.storedVersions[1]']);
  });

  it.each([
    { name: 'a field without a type', schema: { properties: { a: {} } }, want: '.properties[a].type' },
    { name: 'an array without items', schema: { properties: { a: { type: 'array' } } }, want: '.properties[a].items' },
    {
      name: 'a default of another type',
      schema: { properties: { a: { type: 'string', default: 1 } } },
      want: '.properties[a].default',
    },
    {
      name: 'a map without keys',
      schema: { properties: { a: { type: 'array', 'x-kubernetes-list-type': 'map', items: { type: 'object' } } } },
      want: '.properties[a].x-kubernetes-list-map-keys',
    },
  ])('has no schema with $name', ({ schema, want }) => {
    const openAPIV3Schema = { type: 'object', ...schema };
    const versions = [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema } }];

    expect(fields(definition({ versions }))).toEqual([`spec.validation.openAPIV3Schema${want}`]);
  });
});
