import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../../src/lib/json.ts';
import {
  difference,
  equalSets,
  formatFieldsV1,
  formatPath,
  intersection,
  keyElement,
  parseFieldsV1,
  pathsOf,
  recursiveDifference,
  setOf,
  union,
  valueElement,
} from '../../../../src/sandbox/apply/fieldset.ts';

const element = fc.oneof(
  fc.string({ minLength: 1, maxLength: 4 }).map((name) => `f:${name}`),
  fc.integer({ min: 0, max: 99 }).map((port) => keyElement({ port, protocol: 'TCP' })),
  fc.string({ maxLength: 4 }).map(valueElement),
);
const sets = fc
  .array(fc.array(element, { minLength: 1, maxLength: 4 }), { maxLength: 12 })
  .map((paths) => setOf(...paths));

describe('FieldsV1', () => {
  it('reads what it writes', () => {
    fc.assert(
      fc.property(sets, (set) => {
        const text = JSON.stringify(formatFieldsV1(set));

        expect(equalSets(parseFieldsV1(JSON.parse(text) as JsonObject), set)).toBe(true);
      }),
    );
  });

  it('marks an owned container among its owned parts with a dot', () => {
    const set = setOf(['f:labels'], ['f:labels', 'f:app']);

    expect(formatFieldsV1(set)).toEqual({ 'f:labels': { '.': {}, 'f:app': {} } });
  });

  it('orders fields before keyed items, and keyed items by the value of their keys', () => {
    const set = setOf(
      [keyElement({ containerPort: 443, protocol: 'TCP' })],
      [keyElement({ containerPort: 80, protocol: 'UDP' })],
      [keyElement({ protocol: 'TCP', containerPort: 80 })],
      ['f:b'],
      ['f:a'],
    );

    expect(Object.keys(formatFieldsV1(set))).toEqual([
      'f:a',
      'f:b',
      'k:{"containerPort":80,"protocol":"TCP"}',
      'k:{"containerPort":80,"protocol":"UDP"}',
      'k:{"containerPort":443,"protocol":"TCP"}',
    ]);
  });

  it('treats keys in another order as the same item', () => {
    const set = parseFieldsV1({ 'k:{"protocol":"TCP","port":80}': {} });

    expect(set.has([keyElement({ port: 80, protocol: 'TCP' })])).toBe(true);
  });

  it('keeps a field named __proto__', () => {
    const text = '{"f:__proto__":{"f:x":{}}}';

    expect(JSON.stringify(formatFieldsV1(parseFieldsV1(JSON.parse(text) as JsonObject)))).toBe(text);
  });

  it('refuses an unknown kind of path element', () => {
    expect(() => parseFieldsV1({ 'x:a': {} })).toThrow('invalid field path element "x:a"');
  });
});

describe('set algebra', () => {
  it('holds union = both differences + intersection', () => {
    fc.assert(
      fc.property(sets, sets, (a, b) => {
        const whole = union(a, b);
        const parts = union(union(difference(a, b), difference(b, a)), intersection(a, b));

        expect(equalSets(whole, parts)).toBe(true);
      }),
    );
  });

  it('takes nothing below a path away, unless recursively', () => {
    const set = setOf(['f:a'], ['f:a', 'f:b']);
    const taken = setOf(['f:a']);

    expect(pathsOf(difference(set, taken))).toEqual([['f:a', 'f:b']]);
    expect(recursiveDifference(set, taken).isEmpty).toBe(true);
  });

  it('shows paths as conflict messages do', () => {
    const path = ['f:spec', 'f:containers', keyElement({ name: 'app' }), 'f:args', valueElement('-v')];

    expect(formatPath(path)).toBe('.spec.containers[name="app"].args[="-v"]');
  });
});
