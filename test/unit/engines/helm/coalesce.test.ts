import { describe, expect, it } from 'vitest';
import { coalesceValues } from '../../../../src/engines/helm/coalesce.ts';
import type { Compat } from '../../../../src/engines/helm/compat.ts';
import { parseValues } from '../../../../src/engines/helm/values-file.ts';
import { toJson } from '../../../../src/lang/gotemplate/value-json.ts';
import { chartOf } from './charts.ts';

const SUB = 'apiVersion: v2\nname: sub\nversion: 1.0.0\n';

function coalesced(
  { defaults, sub = '', given = '' }: { defaults: string; sub?: string; given?: string },
  compat: Compat = 'helm3',
): { values: unknown; warnings: string[] } {
  const chart = chartOf({ 'values.yaml': defaults, 'charts/sub/Chart.yaml': SUB, 'charts/sub/values.yaml': sub });
  const warnings: string[] = [];
  const options = { compat, warn: (text: string) => void warnings.push(text), keepNulls: false };
  return { values: toJson(coalesceValues(chart, parseValues(given, compat), options)), warnings };
}

const global = {};
const sub = { global };

describe('coalesceValues', () => {
  it.each([
    ['copies defaults', { defaults: 'a: {b: 1}' }, { a: { b: 1 }, sub }],
    [
      'lets given values win and replaces lists',
      { defaults: 'a: 1\nl: [1, 2]', given: 'a: 2\nl: [3]' },
      { a: 2, l: [3], sub },
    ],
    ['merges tables', { defaults: 'a: {b: 1, c: 2}', given: 'a: {c: 3}' }, { a: { b: 1, c: 3 }, sub }],
    [
      'deletes a default by null',
      { defaults: 'a: 1\nb: {c: 1, d: 2}', given: 'a: null\nb: {c: null}' },
      { b: { d: 2 }, sub },
    ],
    [
      'keeps null for an unknown key',
      { defaults: 'b: {}', given: 'a: null\nb: {x: null}' },
      { a: null, b: { x: null }, sub },
    ],
    ['keeps null defaults', { defaults: 'a: null\nb: {c: null}' }, { a: null, b: { c: null }, sub }],
    [
      'puts the parent over the subchart',
      { defaults: 'sub: {x: 2}', sub: 'x: 1\nz: 1' },
      { sub: { x: 2, z: 1, global } },
    ],
    ['deletes a subchart default by the parent', { defaults: 'sub: {x: null}', sub: 'x: 1' }, { sub: { global } }],
    [
      'passes globals down, the parent winning',
      { defaults: 'global: {a: 1, t: {p: 1}}', sub: 'global: {a: 2, b: 3, t: {q: 2}}' },
      { global: { a: 1, t: { p: 1 } }, sub: { global: { a: 1, b: 3, t: { p: 1, q: 2 } } } },
    ],
    [
      'takes keys that objects inherit',
      { defaults: '__proto__: {a: 1}\nconstructor: 2', given: '__proto__: {b: 2}' },
      { ['__proto__']: { a: 1, b: 2 }, constructor: 2, sub },
    ],
  ])('%s', (_name, texts, want) => {
    expect(coalesced(texts)).toEqual({ values: want, warnings: [] });
  });

  it.each([
    ['drops null defaults', { defaults: 'a: null\nb: {c: null, d: 1}' }, { b: { d: 1 }, sub }],
    [
      'ignores the parent’s null over a subchart default',
      { defaults: 'sub: {x: null}', sub: 'x: 1' },
      { sub: { x: 1, global } },
    ],
    [
      'deletes a subchart default by a given null',
      { defaults: '', sub: 'x: 1', given: 'sub: {x: null}' },
      { sub: { global } },
    ],
  ])('with Helm 4 %s', (_name, texts, want) => {
    expect(coalesced(texts, 'helm4').values).toEqual(want);
  });

  it.each([
    [{ defaults: 'a: 1', given: 'a: {b: 2}' }, 'warning: skipped value for c.a: Not a table.'],
    [
      { defaults: 'a: {b: 1}', given: 'a: {b: {c: 2}}' },
      'warning: destination for c.a.b is a table. Ignoring non-table value (1)',
    ],
    [
      { defaults: 'a: {b: {c: 1.5}}', given: 'a: {b: 2}' },
      'warning: cannot overwrite table with non table for c.a.b (map[c:1.5])',
    ],
    [{ defaults: 'global: 3' }, 'warning: skipping globals because source global is not a table.'],
    [
      { defaults: '', sub: '', given: 'sub: {global: 1}' },
      'warning: skipping globals because destination global is not a table.',
    ],
  ])('warns of %j', (texts, warning) => {
    expect(coalesced(texts).warnings).toEqual([warning]);
  });

  it.each([
    ['sub: text', 'type mismatch on sub: %!t(string=text)'],
    ['sub: null', 'type mismatch on sub: %!t(<nil>)'],
    ['sub: [1, true]', 'type mismatch on sub: [%!t(float64=1) true]'],
  ])('refuses %s', (given, message) => {
    expect(() => coalesced({ defaults: '', given })).toThrow(
      expect.objectContaining({ code: 'ValuesInvalid', message }),
    );
  });

  it('changes neither the chart nor the given values', () => {
    const chart = chartOf({ 'values.yaml': 'a: {b: 1}\nn: null' });
    const given = parseValues('a: {b: null, c: [1]}', 'helm3');
    const before = JSON.stringify([toJson(chart.values), toJson(given)]);

    coalesceValues(chart, given, { compat: 'helm3', warn: () => {}, keepNulls: false });

    expect(JSON.stringify([toJson(chart.values), toJson(given)])).toBe(before);
  });
});
