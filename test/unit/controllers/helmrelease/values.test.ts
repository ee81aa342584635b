import { describe, expect, it } from 'vitest';
import type { HelmRelease, ValuesReference } from '../../../../src/api/helm/helmrelease.ts';
import { type ComposedValues, composeValues } from '../../../../src/controllers/helmrelease/values.ts';
import type { JsonObject } from '../../../../src/lib/json.ts';

const base64 = (text: string) => Buffer.from(text).toString('base64');

const inputs: Readonly<Record<string, JsonObject>> = {
  'ConfigMap/base': { data: { 'values.yaml': 'a: 1\nlist: [1, 2]\nnest: {x: 1, k: 1}\nnone: null\n', port: '8080' } },
  'ConfigMap/over': { data: { 'values.yaml': 'list: [3]\nnest: {k: 2}\n', bad: 'a: [', quoted: "'8080'" } },
  'ConfigMap/raw': { data: { text: 'a,b={c}[0]\\d', comma: 'x,y=2' } },
  'Secret/token': { data: { 'values.yaml': base64('token: s3cret\n'), bad: base64('s3cret: [') } },
};

function composeAll(valuesFrom: readonly ValuesReference[], values?: JsonObject): ComposedValues {
  const object = { metadata: { name: 'web', namespace: 'apps' }, spec: { interval: '1m', valuesFrom, values } };
  return composeValues(object as unknown as HelmRelease, (kind, name) => inputs[`${kind}/${name}`]);
}

function compose(valuesFrom: readonly ValuesReference[], values?: JsonObject): JsonObject {
  return composeAll(valuesFrom, values).values;
}

describe('values', () => {
  it('are merged in order, the inline ones last', () => {
    const values = compose(
      [
        { kind: 'ConfigMap', name: 'base' },
        { kind: 'ConfigMap', name: 'over' },
      ],
      {
        a: 2,
        nest: { z: 3 },
      },
    );

    expect(values).toEqual({ a: 2, list: [3], nest: { x: 1, k: 2, z: 3 }, none: null });
  });

  it.each<[string, Partial<ValuesReference>, JsonObject]>([
    ['a number', { name: 'base', valuesKey: 'port', targetPath: 'service.port' }, { service: { port: 8080 } }],
    ['text in quotes', { name: 'over', valuesKey: 'quoted', targetPath: 'port' }, { port: '8080' }],
    ['the syntax of --set', { name: 'raw', valuesKey: 'comma', targetPath: 'v' }, { v: 'x', y: 2 }],
    [
      'literal text',
      { name: 'raw', valuesKey: 'text', targetPath: 'a\\.b', literal: true },
      { 'a.b': 'a,b={c}[0]\\d' },
    ],
    ['a list entry', { name: 'base', valuesKey: 'port', targetPath: 'l[1]' }, { l: [null, 8080] }],
  ])('take %s at a path', (_, reference, expected) => {
    expect(compose([{ kind: 'ConfigMap', name: '', ...reference }])).toEqual(expected);
  });

  it('let a path win inside of a table of the spec, and the spec at its own top', () => {
    const at = (targetPath: string): ValuesReference => ({
      kind: 'ConfigMap',
      name: 'base',
      valuesKey: 'port',
      targetPath,
    });

    expect(compose([at('nest.port'), at('port')], { nest: { port: 1, other: 2 }, port: 3 })).toEqual({
      nest: { port: 8080, other: 2 },
      port: 3,
    });
  });

  it('go on without an object or key that is optional', () => {
    const optional = true;

    expect(
      compose([
        { kind: 'Secret', name: 'gone', optional },
        { kind: 'Secret', name: 'token', valuesKey: 'gone', optional },
        { kind: 'Secret', name: 'token' },
      ]),
    ).toEqual({ token: 's3cret' });
  });

  it.each<[ValuesReference, string]>([
    [
      { kind: 'Secret', name: 'gone' },
      `Secret chart values reference 'apps/gone' with key 'values.yaml': secrets "gone" not found`,
    ],
    [
      { kind: 'ConfigMap', name: 'base', valuesKey: 'k' },
      `ConfigMap chart values reference 'apps/base' with key 'k': key not found`,
    ],
    [
      { kind: 'Secret', name: 'token', valuesKey: 'bad' },
      `Secret chart values reference 'apps/token' with key 'bad': failed to read values data`,
    ],
    [{ kind: 'ConfigMap', name: 'base', valuesKey: 'port', targetPath: 'a[99999999]' }, `failed to`],
  ])('say which reference cannot be read: %j', (reference, text) => {
    const run = () => compose([reference]);

    expect(run).toThrow(expect.objectContaining({ code: 'ValuesUnavailable' }));
    expect(run).toThrow(text === 'failed to' ? 'could not resolve ConfigMap' : text);
    expect(run).not.toThrow('s3cret');
  });

  it('say which texts came from Secrets', () => {
    const references: ValuesReference[] = [
      { kind: 'Secret', name: 'token' },
      { kind: 'ConfigMap', name: 'base' },
      { kind: 'Secret', name: 'token', targetPath: 'z.b' },
    ];

    expect(composeAll(references).secrets).toEqual(['s3cret', 'token: s3cret\n']);
  });

  it('keep keys that are special in JavaScript', () => {
    const values = compose([{ kind: 'ConfigMap', name: 'base', valuesKey: 'port', targetPath: '__proto__.polluted' }]);

    expect(({} as JsonObject)['polluted']).toBeUndefined();
    expect(Object.getOwnPropertyDescriptor(values, '__proto__')?.value).toEqual({ polluted: 8080 });
  });
});
