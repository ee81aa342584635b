import { describe, expect, it } from 'vitest';
import type { JsonValue } from '../../../../src/lib/json.ts';
import {
  createCustomSchema,
  findBuiltInSchema,
  type MergeSchema,
} from '../../../../src/objects/schema/merge-schema.ts';

function at(schema: MergeSchema | undefined, ...path: string[]): MergeSchema | undefined {
  return path.reduce((found, part) => (part === '[]' ? found?.elements : found?.field(part)), schema);
}

describe('findBuiltInSchema', () => {
  it.each([
    ['apps/v1', 'Deployment', ['spec', 'template', 'spec', 'containers'], ['name']],
    ['apps/v1', 'Deployment', ['spec', 'template', 'spec', 'containers', '[]', 'ports'], ['containerPort', 'protocol']],
    ['apps/v1', 'Deployment', ['spec', 'template', 'spec', 'containers', '[]', 'volumeMounts'], ['mountPath']],
    ['v1', 'Pod', ['spec', 'topologySpreadConstraints'], ['topologyKey', 'whenUnsatisfiable']],
    ['v1', 'Service', ['spec', 'ports'], ['port', 'protocol']],
    ['v1', 'ConfigMap', ['metadata', 'finalizers'], ['']],
    ['batch/v1', 'CronJob', ['spec', 'jobTemplate', 'spec', 'template', 'spec', 'volumes'], ['name']],
  ])('%s %s merges %j by %j', (apiVersion, kind, path, keys) => {
    expect(at(findBuiltInSchema(apiVersion, kind), ...path)?.mergeKeys).toEqual(keys);
  });

  it.each([
    ['apps/v1', 'Deployment', ['spec', 'template', 'spec', 'tolerations']],
    ['v1', 'Pod', ['spec', 'ephemeralContainers', '[]', 'ports']],
    ['v1', 'ServiceAccount', ['imagePullSecrets']],
    ['networking.k8s.io/v1', 'Ingress', ['spec', 'rules']],
  ])('%s %s replaces %j', (apiVersion, kind, path) => {
    const schema = at(findBuiltInSchema(apiVersion, kind), ...path);

    expect({ isKnown: schema !== undefined, mergeKeys: schema?.mergeKeys }).toEqual({ isKnown: true });
  });

  it.each([
    ['autoscaling/v2', 'HorizontalPodAutoscaler'],
    ['example.com/v1', 'Widget'],
    ['apps/v1beta1', 'Deployment'],
    ['v1', 'constructor'],
  ])('does not know %s %s', (apiVersion, kind) => {
    expect(findBuiltInSchema(apiVersion, kind)).toBeUndefined();
  });

  it('knows nothing of a field that the type has not', () => {
    expect(at(findBuiltInSchema('apps/v1', 'Deployment'), 'spec', 'constructor')).toBeUndefined();
  });
});

const document: JsonValue = {
  definitions: {
    'x.Widget': {
      'x-kubernetes-group-version-kind': [{ group: 'x.io', version: 'v1', kind: 'Widget' }],
      properties: {
        parts: {
          type: 'array',
          items: { $ref: '#/definitions/x.Part' },
          'x-kubernetes-patch-strategy': 'merge',
          'x-kubernetes-patch-merge-key': 'id',
        },
        template: { $ref: '#/definitions/io.k8s.api.core.v1.PodTemplateSpec' },
        ring: { $ref: '#/definitions/x.Ring' },
        open: { additionalProperties: { $ref: '#/definitions/x.Part' } },
      },
    },
    'x.Part': { properties: { id: { type: 'string' } } },
    'x.Ring': { $ref: '#/definitions/x.Ring' },
  },
  paths: {
    '/apis/x.io/v1/gadgets': {
      get: { 'x-kubernetes-group-version-kind': { group: 'x.io', version: 'v1', kind: 'Gadget' } },
    },
    '/apis/x.io/v1/namespaces/{namespace}/widgets': {
      get: { 'x-kubernetes-group-version-kind': { group: 'x.io', version: 'v1', kind: 'Widget' } },
    },
  },
};

describe('createCustomSchema', () => {
  const { find, scopes } = createCustomSchema(document);

  it('reads merge keys and follows references', () => {
    const parts = at(find('x.io/v1', 'Widget'), 'parts');

    expect(parts?.mergeKeys).toEqual(['id']);
    const ids = [at(parts, '[]', 'id'), at(find('x.io/v1', 'Widget'), 'open', 'any', 'id')];
    expect(ids.map((schema) => schema !== undefined)).toEqual([true, true]);
  });

  it('reads scopes from paths', () => {
    expect(Object.fromEntries(scopes)).toEqual({ 'x.io/v1 Gadget': false, 'x.io/v1 Widget': true });
  });

  it('ends a ring of references', () => {
    expect(at(find('x.io/v1', 'Widget'), 'ring')).toBeUndefined();
  });

  it('leads to built-in definitions only when asked to', () => {
    const joined = createCustomSchema(document, { builtInReferences: true });

    expect(at(find('x.io/v1', 'Widget'), 'template')).toBeUndefined();
    expect(at(joined.find('x.io/v1', 'Widget'), 'template', 'spec', 'containers')?.mergeKeys).toEqual(['name']);
  });

  it.each([null, 'text', [], { definitions: null }, { definitions: { a: 1 }, paths: [] }])(
    'takes %j for nothing',
    (value) => {
      expect(createCustomSchema(value as JsonValue).find('v1', 'Pod')).toBeUndefined();
    },
  );
});
