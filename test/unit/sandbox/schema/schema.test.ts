import { describe, expect, it } from 'vitest';
import { decodeBuiltin, pruneCustom } from '../../../../src/sandbox/schema/decode.ts';
import { applyBuiltinDefaults, applySchemaDefaults, zeroValue } from '../../../../src/sandbox/schema/defaults.ts';
import { dropEmpty, fillNil } from '../../../../src/sandbox/schema/go-types.ts';
import { canonicalQuantity, nanosOf } from '../../../../src/sandbox/schema/quantity.ts';
import { builtinSchema, customSchema } from '../schema-of.ts';

const deployment = builtinSchema('apps/v1/Deployment');

describe('decoding a built-in kind', () => {
  it('drops unknown fields and nulls, and reports the former with their path', () => {
    const unknown: string[] = [];

    const value = decodeBuiltin(
      deployment,
      { spec: { replicas: null, foo: 1, template: { spec: { containers: [{ name: 'a', bar: 2 }] } } } },
      { unknown },
    );

    expect(value).toEqual({ spec: { template: { spec: { containers: [{ name: 'a' }] } } } });
    expect(unknown).toEqual(['spec.foo', 'spec.template.spec.containers[0].bar']);
  });

  it.each([
    {
      value: { spec: { replicas: '2' } },
      want: 'json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32',
    },
    {
      value: { metadata: { labels: { a: 1 } } },
      want: 'json: cannot unmarshal number into Go struct field ObjectMeta.metadata.labels of type string',
    },
    {
      value: { spec: { template: { spec: { containers: {} } } } },
      want: 'json: cannot unmarshal object into Go struct field PodSpec.spec.template.spec.containers of type []v1.Container',
    },
  ])('refuses a wrong type: $want', ({ value, want }) => {
    expect(() => decodeBuiltin(deployment, value, { unknown: [] })).toThrow(want);
  });

  it('brings quantities into canonical form and refuses what is none', () => {
    const limits = (cpu: unknown): unknown => ({
      spec: { template: { spec: { containers: [{ name: 'a', resources: { limits: { cpu } } }] } } },
    });

    expect(decodeBuiltin(deployment, limits(0.5), { unknown: [] })).toEqual(limits('500m'));
    expect(() => decodeBuiltin(deployment, limits('x'), { unknown: [] })).toThrow(
      'quantities must match the regular expression',
    );
  });

  it('refuses data that is not base64', () => {
    expect(() => decodeBuiltin(builtinSchema('/v1/Secret'), { data: { a: '!!' } }, { unknown: [] })).toThrow(
      'illegal base64 data at input byte 0',
    );
  });
});

describe('quantities', () => {
  it.each([
    ['1000m', '1'],
    ['0.5', '500m'],
    ['1.5Gi', '1536Mi'],
    ['1024Mi', '1Gi'],
    ['100', '100'],
    ['1000', '1k'],
    ['1e3', '1e3'],
    ['-1500m', '-1500m'],
    ['0', '0'],
    ['0.0000000001', '1n'],
  ])('%s is %s', (text, want) => {
    expect(canonicalQuantity(text)).toBe(want);
  });

  it('compares across suffixes', () => {
    expect(nanosOf('1Ki')).toBe(nanosOf('1024'));
    expect(nanosOf('2') > nanosOf('1999m')).toBe(true);
  });
});

describe('pruning a custom resource', () => {
  const schema = customSchema({
    type: 'object',
    properties: {
      spec: {
        type: 'object',
        properties: {
          known: { type: 'string' },
          open: {
            type: 'object',
            'x-kubernetes-preserve-unknown-fields': true,
            properties: { inner: { type: 'object', properties: {} } },
          },
          map: { type: 'object', additionalProperties: { type: 'object', properties: { a: { type: 'string' } } } },
          list: { type: 'array', items: { type: 'object', properties: { a: { type: 'string' } } } },
          raw: { type: 'object', 'x-kubernetes-embedded-resource': true, 'x-kubernetes-preserve-unknown-fields': true },
        },
      },
    },
  });

  it('drops what the schema does not specify, at every depth', () => {
    const unknown: string[] = [];

    const value = pruneCustom(
      schema,
      {
        spec: {
          known: 'x',
          other: 1,
          open: { any: { thing: 1 }, inner: { gone: 1 } },
          map: { k: { a: '1', b: 2 } },
          list: [{ a: '1', c: 3 }],
          raw: { apiVersion: 'v1', kind: 'X', metadata: { name: 'n' }, spec: 1 },
        },
      },
      { unknown },
    );

    expect(value).toEqual({
      spec: {
        known: 'x',
        open: { any: { thing: 1 }, inner: {} },
        map: { k: { a: '1' } },
        list: [{ a: '1' }],
        raw: { apiVersion: 'v1', kind: 'X', metadata: { name: 'n' }, spec: 1 },
      },
    });
    expect(unknown).toEqual(['spec.other', 'spec.open.inner.gone', 'spec.map.k.b', 'spec.list[0].c']);
  });
});

describe('defaults', () => {
  it('fills a custom resource, inside lists too, but makes no parents', () => {
    const schema = customSchema({
      type: 'object',
      properties: {
        a: { type: 'string', default: 'x' },
        items: { type: 'array', items: { type: 'object', properties: { v: { type: 'integer', default: 1 } } } },
        absent: { type: 'object', properties: { b: { type: 'string', default: 'y' } } },
        made: { type: 'object', default: {}, properties: { c: { type: 'string', default: 'z' } } },
      },
    });
    const value = { items: [{}, { v: 2 }] };

    applySchemaDefaults(schema, value);

    expect(value).toEqual({ a: 'x', items: [{ v: 1 }, { v: 2 }], made: { c: 'z' } });
  });

  it.each([
    ['nginx', 'Always'],
    ['nginx:latest', 'Always'],
    ['nginx:1.25', 'IfNotPresent'],
    ['localhost:5000/nginx', 'Always'],
    ['nginx@sha256:abc', 'IfNotPresent'],
  ])('pulls %s %s', (image, want) => {
    const pod: Record<string, unknown> = { spec: { containers: [{ name: 'a', image }] } };

    applyBuiltinDefaults(builtinSchema('/v1/Pod'), pod);

    expect(pod).toMatchObject({
      spec: { containers: [{ imagePullPolicy: want }], restartPolicy: 'Always', dnsPolicy: 'ClusterFirst' },
    });
  });

  it('gives a recreated deployment no rolling update', () => {
    const value: Record<string, unknown> = { spec: { strategy: { type: 'Recreate' } } };

    applyBuiltinDefaults(deployment, value);

    expect(value).toMatchObject({ spec: { replicas: 1, strategy: { type: 'Recreate' } } });
    expect((value['spec'] as { strategy: object }).strategy).not.toHaveProperty('rollingUpdate');
  });
});

describe('a round trip through Go', () => {
  it('drops empty fields that are no pointers and keeps those that are', () => {
    const value = {
      metadata: { labels: {}, finalizers: [] },
      spec: {
        paused: false,
        replicas: 0,
        template: { spec: { hostNetwork: false, nodeSelector: {}, containers: [] } },
      },
    };

    dropEmpty(deployment, value);

    expect(value).toEqual({ metadata: {}, spec: { replicas: 0, template: { spec: { containers: [] } } } });
  });

  it('writes null for nil lists that have no omitempty', () => {
    const role: Record<string, unknown> = { metadata: {} };

    fillNil(builtinSchema('rbac.authorization.k8s.io/v1/Role'), role);

    expect(role).toEqual({ metadata: {}, rules: null });
  });

  it('makes the zero value of a kind with its structs and nothing else', () => {
    expect(zeroValue(deployment)).toEqual({
      metadata: {},
      spec: { strategy: {}, template: { metadata: {}, spec: {} } },
      status: {},
    });
  });
});
