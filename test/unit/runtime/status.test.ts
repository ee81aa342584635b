import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Condition } from '../../../src/api/meta/condition.ts';
import type { Reconcilable } from '../../../src/runtime/controller.ts';
import { checkStatusRules, deepEqual, mergePatch } from '../../../src/runtime/status.ts';

describe('mergePatch', () => {
  it.each([
    {
      name: 'nothing for equal values',
      from: { a: 1, b: { c: [1, { d: 2 }] } },
      to: { b: { c: [1, { d: 2 }] }, a: 1 },
      want: undefined,
    },
    {
      name: 'only what differs, deeply',
      from: { a: 1, b: { c: 1, d: 2 } },
      to: { a: 1, b: { c: 1, d: 3 } },
      want: { b: { d: 3 } },
    },
    { name: 'null for what went', from: { a: 1, b: 2 }, to: { a: 1 }, want: { b: null } },
    { name: 'null for what is undefined', from: { a: 1 }, to: { a: undefined }, want: { a: null } },
    { name: 'whole arrays', from: { a: [1, 2] }, to: { a: [1, 2, 3] }, want: { a: [1, 2, 3] } },
    { name: 'an object in place of a list', from: { a: [1] }, to: { a: { b: 1 } }, want: { a: { b: 1 } } },
    { name: 'everything from nothing', from: undefined, to: { a: { b: 1 } }, want: { a: { b: 1 } } },
    { name: 'nothing for undefined against absent', from: {}, to: { a: undefined }, want: undefined },
  ])('gives $name', ({ from, to, want }) => {
    expect(mergePatch(from, to)).toEqual(want);
  });

  it('treats keys named like members of a prototype as any other', () => {
    const to = JSON.parse('{"__proto__": {"x": 1}, "constructor": "y"}') as object;

    expect(JSON.stringify(mergePatch({}, to))).toBe('{"__proto__":{"x":1},"constructor":"y"}');
    expect(mergePatch(to, JSON.parse(JSON.stringify(to)))).toBeUndefined();
  });

  it('makes the one into the other when applied', () => {
    const leaf = fc.oneof(fc.integer(), fc.string(), fc.boolean(), fc.array(fc.integer(), { maxLength: 3 }));
    const tree = fc.letrec((tie) => ({
      node: fc.dictionary(
        fc.constantFrom('a', 'b', 'c'),
        fc.oneof({ maxDepth: 3, depthSize: 'small' }, leaf, tie('node')),
        {
          noNullPrototype: true,
        },
      ),
    })).node;

    fc.assert(
      fc.property(tree, tree, (from, to) => {
        const patch = mergePatch(from, to);
        expect(patch === undefined ? from : applied(from, patch)).toEqual(to);
        expect(patch === undefined).toBe(deepEqual(from, to));
      }),
    );
  });
});

function applied(target: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch;
  const isObject = typeof target === 'object' && target !== null && !Array.isArray(target);
  const result: Record<string, unknown> = isObject ? { ...(target as object) } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = applied(result[key], value);
  }
  return result;
}

describe('checkStatusRules', () => {
  const condition = (type: string, status: Condition['status'], more: Partial<Condition> = {}): Condition => ({
    type,
    status,
    reason: 'Reason',
    message: '',
    lastTransitionTime: '2026-01-01T00:00:00Z',
    observedGeneration: 2,
    ...more,
  });
  const object = (conditions: Condition[], observedGeneration = 2): Reconcilable => ({
    apiVersion: 'example.dev/v1',
    kind: 'Widget',
    metadata: { name: 'w', generation: 2 },
    status: { conditions, observedGeneration },
  });

  it.each([
    { name: 'ready', given: object([condition('Ready', 'True')]), state: 'finished' as const },
    {
      name: 'running',
      given: object([condition('Reconciling', 'True'), condition('Ready', 'Unknown')], 1),
      state: 'running' as const,
    },
    {
      name: 'stalled',
      given: object([condition('Stalled', 'True'), condition('Ready', 'False')]),
      state: 'finished' as const,
    },
    {
      name: 'retrying',
      given: object([condition('Reconciling', 'True'), condition('Ready', 'False')], 1),
      state: 'finished' as const,
    },
  ])('accepts an object that is $name', ({ given, state }) => {
    expect(checkStatusRules(given, state)).toEqual([]);
  });

  it.each([
    { given: object([]), want: 'Ready is absent' },
    {
      given: object([condition('Ready', 'False'), condition('Stalled', 'True'), condition('Reconciling', 'True')]),
      want: 'both Reconciling and Stalled are present',
    },
    { given: object([condition('Ready', 'True'), condition('Stalled', 'True')]), want: 'Stalled without Ready=False' },
    { given: object([condition('Ready', 'Unknown')]), want: 'Ready=Unknown without Reconciling' },
    {
      given: object([condition('Ready', 'False'), condition('Reconciling', 'False')]),
      want: 'Reconciling is present but not True',
    },
    {
      given: object([condition('Ready', 'True'), condition('Reconciling', 'True')]),
      want: 'Reconciling is left over beside Ready=True',
    },
    { given: object([condition('Ready', 'True')], 1), want: 'Ready=True but observedGeneration is not generation' },
    { given: object([condition('Ready', 'True')], 3), want: 'observedGeneration is ahead of generation' },
    {
      given: object([condition('Ready', 'True'), condition('Healthy', 'True', { observedGeneration: 1 })]),
      want: 'Healthy is not of this generation',
    },
    {
      given: object([condition('Ready', 'True'), condition('FetchFailed', 'True')]),
      want: 'Ready=True beside FetchFailed=True',
    },
    {
      given: object([condition('Ready', 'True', { lastTransitionTime: '2026-01-01T00:00:00.5Z' })]),
      want: 'lastTransitionTime of Ready is not in whole seconds',
    },
  ])('finds: $want', ({ given, want }) => {
    expect(checkStatusRules(given, 'finished', ['FetchFailed'])).toContain(want);
  });
});
