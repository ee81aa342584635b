// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the texts under test are substitutions
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/lib/json.ts';
import { collectVariables, substituteObjects, unreadableSource } from '../../../src/render/substitute.ts';

const secret = { data: { password: btoa('canary-value\n') } };

function configMap(data: JsonObject, metadata: JsonObject = {}): JsonObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'settings', ...metadata }, data };
}

function substitute(object: JsonObject, variables: Record<string, string>, always = false): JsonObject {
  const options = { variables: collectVariables([], variables), strict: true, always };
  return substituteObjects([object], options)[0]!;
}

describe('collectVariables', () => {
  it('lets later sources win and the inline ones over all, without line breaks', () => {
    const variables = collectVariables(
      [
        { reference: { kind: 'ConfigMap', name: 'one' }, object: { data: { a: '1', b: '1', c: '1\n2\n' } } },
        { reference: { kind: 'ConfigMap', name: 'gone', optional: true }, object: undefined },
        { reference: { kind: 'ConfigMap', name: 'two' }, object: { data: { a: '2', b: '2' } } },
      ],
      { a: 'in\nline' },
    );

    expect(Object.fromEntries(variables.values)).toEqual({ a: 'inline', b: '2', c: '12' });
    expect(variables.secretValues).toEqual([]);
  });

  it('decodes Secrets and remembers their values', () => {
    const variables = collectVariables([{ reference: { kind: 'Secret', name: 's' }, object: secret }]);

    expect(variables).toEqual({ values: new Map([['password', 'canary-value']]), secretValues: ['canary-value'] });
  });
});

describe('substituteObjects', () => {
  it('reads the text again as YAML, so that values get types', () => {
    const object = configMap({ a: '${n}', b: '${q}${n}${q}', c: '${yes}', d: 'x${n}' });

    const result = substitute(object, { n: '42', q: '"', yes: 'true' });

    expect(result['data']).toEqual({ a: 42, b: '42', c: true, d: 'x42' });
  });

  it('collapses dollar signs only where substitution runs', () => {
    expect(substitute(configMap({ a: '$$x' }), { n: '1' })['data']).toEqual({ a: '$x' });
    expect(substitute(configMap({ a: '$$x' }), {})['data']).toEqual({ a: '$$x' });
    expect(substitute(configMap({ a: '$$x${u:=d}' }), {}, true)['data']).toEqual({ a: '$xd' });
  });

  it('replaces in keys, too', () => {
    expect(substitute(configMap({ '${k}': 'v' }), { k: 'key' })['data']).toEqual({ key: 'v' });
  });

  it.each(['labels', 'annotations'])('leaves objects alone that opt out by %s', (field) => {
    const object = configMap({ a: '${u}' }, { [field]: { 'kustomize.toolkit.fluxcd.io/substitute': 'disabled' } });

    expect(substitute(object, { n: '1' })).toBe(object);
  });

  it('opts out by exactly `disabled`', () => {
    const object = configMap({ a: '${n}' }, { labels: { 'kustomize.toolkit.fluxcd.io/substitute': 'Disabled' } });

    expect(substitute(object, { n: '1' })['data']).toEqual({ a: 1 });
  });

  it('names the object in errors', () => {
    const deployment = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web' }, spec: { a: '${u}' } };

    expect(() => substitute(deployment, { n: '1' })).toThrow(
      `post build failed for 'Deployment.v1.apps/web': envsubst error: variable substitution failed: variable not set (strict mode): "u"`,
    );
    expect(() => substitute(configMap({ a: '${u' }), { n: '1' })).toThrow(
      `post build failed for 'ConfigMap.v1.[noGrp]/settings': envsubst error: variable substitution failed: missing closing brace`,
    );
  });

  it('refuses a bad variable name even when it is not used', () => {
    expect(() => substitute(configMap({ a: 'b' }), { 'a-b': '1' })).toThrow(
      `post build failed for 'ConfigMap.v1.[noGrp]/settings': envsubst error: 'a-b' var name is invalid, must match '^[_[:alpha:]][_[:alpha:][:digit:]]*$'`,
    );
  });

  it('says so when the text is no YAML afterwards', () => {
    expect(() => substitute(configMap({ a: '${x}' }), { x: '"' })).toThrow(
      /^post build failed for 'ConfigMap\.v1\.\[noGrp\]\/settings': envsubst error: YAMLToJSON: yaml: /,
    );
    expect(() => substitute(configMap({ a: '${x:1:1}' }), { x: 'aé' })).toThrow(
      'envsubst error: YAMLToJSON: yaml: invalid leading UTF-8 octet',
    );
  });

  it('refuses two objects that become one', () => {
    const objects = [configMap({}), configMap({}, { name: '${x}' })];
    const options = { variables: collectVariables([], { x: 'settings' }), strict: true, always: false };

    expect(() => substituteObjects(objects, options)).toThrow('in Replace: id matched 2 resources');
  });

  it('masks values of Secrets in errors (threats.md §4 row 10)', () => {
    const variables = collectVariables([{ reference: { kind: 'Secret', name: 's' }, object: secret }]);
    const object = configMap({ x: '1' }, { name: 'canary-value', labels: { a: '${u}' } });

    const run = (): unknown => substituteObjects([object], { variables, strict: true, always: false });

    expect(run).toThrow(
      `post build failed for 'ConfigMap.v1.[noGrp]/*****': envsubst error: variable substitution failed: variable not set (strict mode): "u"`,
    );
  });

  it('keeps keys such as __proto__ as ordinary keys (threats.md §4 row 19)', () => {
    const object = configMap(JSON.parse('{"__proto__":"${n}x"}') as JsonObject);

    const result = substitute(object, { n: '1' });

    expect(JSON.stringify(result['data'])).toBe('{"__proto__":"1x"}');
    expect(({} as Record<string, unknown>)['1x']).toBeUndefined();
  });
});

describe('unreadableSource', () => {
  it('has the words of Flux', () => {
    const error = unreadableSource({ kind: 'ConfigMap', name: 'c' }, new Error('configmaps "c" not found'));

    expect(error.message).toBe(`substitute from 'ConfigMap/c' error: configmaps "c" not found`);
  });
});
