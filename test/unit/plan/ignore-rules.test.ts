import { describe, expect, it } from 'vitest';
import type { IgnoreRule } from '../../../src/api/kustomize/kustomization.ts';
import type { JsonObject, JsonValue } from '../../../src/lib/json.ts';
import type { Manifest } from '../../../src/objects/manifest.ts';
import { compileIgnoreRules, type IgnoringComparison } from '../../../src/plan/ignore-rules.ts';

const us = 'kustomize-controller';

function deployment(spec: JsonObject, metadata: JsonObject = {}): Manifest {
  return { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web', namespace: 'apps', ...metadata }, spec };
}

function owned(manager: string, fields: JsonObject, operation = 'Apply', subresource?: string): JsonObject {
  return { manager, operation, fieldsV1: fields, ...(subresource === undefined ? {} : { subresource }) };
}

function adapt(rules: readonly IgnoreRule[], desired: Manifest, live: Manifest): IgnoringComparison {
  return compileIgnoreRules(rules, us)!(desired, live);
}

const replicas: IgnoreRule = { paths: ['/spec/replicas'] };
const ownReplicas = { 'f:spec': { 'f:replicas': {} } };

describe('compileIgnoreRules', () => {
  it('gives nothing without rules', () => {
    expect(compileIgnoreRules(undefined, us)).toBeUndefined();
    expect(compileIgnoreRules([], us)).toBeUndefined();
  });

  it('compares without the ignored paths, on both sides', () => {
    const { compare } = adapt([replicas], deployment({ replicas: 1 }), deployment({ replicas: 5 }));

    expect(compare(deployment({ replicas: 5, x: 1 }), deployment({ replicas: 1, x: 1 }))).toBe(false);
    expect(compare(deployment({ x: 1 }), deployment({ replicas: 1, x: 1 }))).toBe(false);
    expect(compare(deployment({ replicas: 5, x: 1 }), deployment({ replicas: 1, x: 2 }))).toBe(true);
  });

  it('ignores labels, annotations and list items, with escapes', () => {
    const rule = { paths: ['/metadata/annotations/a~1b~0c', '/spec/list/1', '/spec/list/-1'] };
    const { compare } = adapt([rule], deployment({}), deployment({}));
    const live = deployment({ list: [1, 2, 3] }, { annotations: { 'a/b~c': 'x' } });

    expect(compare(live, deployment({ list: [1, 9, 8] }, { annotations: { 'a/b~c': 'y' } }))).toBe(false);
    expect(compare(live, deployment({ list: [7, 2, 3] }, { annotations: { 'a/b~c': 'x' } }))).toBe(true);
  });

  it('copes with rules that take metadata or everything below spec away', () => {
    const { compare } = adapt([{ paths: ['/metadata', '/spec'] }], deployment({}), deployment({}));

    expect(compare(deployment({ a: 1 }, { labels: { a: 'b' } }), deployment({ b: 1 }))).toBe(false);
  });

  it('takes the live value over when nobody else applies the field', () => {
    const live = deployment(
      { replicas: 5 },
      { managedFields: [owned(us, ownReplicas), owned('hpa', ownReplicas, 'Update', 'scale')] },
    );

    expect(adapt([replicas], deployment({ replicas: 1, x: 1 }), live).send.spec).toEqual({ replicas: 5, x: 1 });
  });

  it('leaves the field out when another manager applies it', () => {
    const live = deployment({ replicas: 5 }, { managedFields: [owned(us, ownReplicas), owned('vpa', ownReplicas)] });

    expect(adapt([replicas], deployment({ replicas: 1, x: 1 }), live).send.spec).toEqual({ x: 1 });
  });

  it('leaves the field out when the live object has none', () => {
    expect(adapt([replicas], deployment({ replicas: 1 }), deployment({})).send.spec).toEqual({});
  });

  it('keeps a field that the manifest dropped, if we alone own it', () => {
    const live = deployment({ replicas: 5 }, { managedFields: [owned(us, ownReplicas)] });

    expect(adapt([replicas], deployment({}), live).send.spec).toEqual({ replicas: 5 });
    expect(adapt([replicas], deployment({}), deployment({ replicas: 5 })).send.spec).toEqual({});
  });

  it('finds owners of list items by their merge keys', () => {
    const rule = { paths: ['/spec/containers/0/resources'] };
    const item = (cpu: string): JsonObject => ({ containers: [{ name: 'app', resources: { cpu } }] });
    const fields = { 'f:spec': { 'f:containers': { 'k:{"name":"app"}': { 'f:resources': {} } } } };
    const live = deployment(item('2'), { managedFields: [owned('vpa', fields)] });

    expect(adapt([rule], deployment(item('1')), live).send.spec).toEqual({ containers: [{ name: 'app' }] });
  });

  it('takes an owner of an atomic parent for the owner of what is below', () => {
    const rule = { paths: ['/spec/selector/app'] };
    const live = deployment(
      { selector: { app: 'b' } },
      { managedFields: [owned('other', { 'f:spec': { 'f:selector': {} } })] },
    );

    expect(adapt([rule], deployment({ selector: { app: 'a', x: 'y' } }), live).send.spec).toEqual({
      selector: { x: 'y' },
    });
  });

  it('sends a value as it is when the live one has all of it', () => {
    const rule = { paths: ['/spec/strategy'] };
    const desired = deployment({ strategy: { type: 'X' } });

    expect(adapt([rule], desired, deployment({ strategy: { type: 'X', filled: 1 } })).send).toBe(desired);
  });

  it.each<[string, NonNullable<IgnoreRule['target']>, boolean]>([
    ['an anchored name', { name: 'we' }, false],
    ['a pattern', { name: 'w.*', kind: 'Deploy(ment)?' }, true],
    ['an alternative, anchored as a whole', { name: 'x|web' }, true],
    ['a group', { group: 'apps', version: 'v1' }, true],
    ['another namespace', { namespace: 'other' }, false],
    ['labels, those of others included', { labelSelector: 'tier in (front, back),!gone' }, true],
    ['annotations', { annotationSelector: 'a=b' }, false],
  ])('selects by %s', (_name, target, selected) => {
    const live = deployment({ replicas: 5 }, { labels: { tier: 'front' } });

    const { send } = adapt([{ ...replicas, target }], deployment({ replicas: 1 }), live);

    expect((send.spec as JsonObject)['replicas']).toBe(selected ? 5 : 1);
  });

  it.each<[string, IgnoreRule, string]>([
    [
      'a pattern',
      { paths: ['/a'], target: { name: '[' } },
      'failed to create ignore rule selector: invalid name regex: error parsing regexp: missing closing ]: `[)$`',
    ],
    [
      'a selector',
      { paths: ['/a'], target: { labelSelector: '=' } },
      "failed to create ignore rule selector: invalid label selector: found '=', expected: !, identifier, or 'end of string'",
    ],
    ['a path', { paths: ['spec'] }, 'failed to create ignore rule selector: invalid JSON pointer "spec"'],
  ])('refuses %s that does not parse', (_name, rule, message) => {
    expect(() => compileIgnoreRules([rule], us)).toThrow(message);
  });

  it('treats __proto__ as an ordinary key (threats.md §4 row 19)', () => {
    const spec = JSON.parse('{"__proto__": {"a": 1}, "b": 2}') as JsonObject;
    const live = deployment(JSON.parse('{"__proto__": {"a": 9}, "b": 2}') as JsonObject);

    const { send } = adapt([{ paths: ['/spec/__proto__/a'] }], deployment(spec), live);

    expect(JSON.stringify(send.spec)).toBe('{"__proto__":{"a":9},"b":2}');
    expect(({} as Record<string, JsonValue>)['a']).toBeUndefined();
  });
});
