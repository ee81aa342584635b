import { describe, expect, it } from 'vitest';
import { JsonPatchError, jsonPatch } from '../../../../src/sandbox/patch/json.ts';
import { mergePatch } from '../../../../src/sandbox/patch/merge.ts';
import { strategicPatch } from '../../../../src/sandbox/patch/strategic.ts';
import { builtinSchema } from '../schema-of.ts';

const podSpec = builtinSchema('/v1/Pod').map!.fields.get('spec')!;
const deploymentSpec = builtinSchema('apps/v1/Deployment').map!.fields.get('spec')!;

describe('JSON merge patch', () => {
  it.each([
    { target: { a: 1, b: { c: 2 } }, patch: { b: { c: null, d: 3 } }, want: { a: 1, b: { d: 3 } } },
    { target: { a: [1, 2] }, patch: { a: [3] }, want: { a: [3] } },
    { target: { a: 'x' }, patch: { a: { b: null, c: 1 } }, want: { a: { c: 1 } } },
    { target: {}, patch: { a: null }, want: {} },
  ])('turns $target by $patch into $want', ({ target, patch, want }) => {
    expect(mergePatch(target, patch)).toEqual(want);
  });

  it('treats __proto__ as a plain key', () => {
    const merged = mergePatch({}, JSON.parse('{"__proto__":{"polluted":true}}'));

    expect(JSON.stringify(merged)).toBe('{"__proto__":{"polluted":true}}');
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });
});

describe('JSON patch', () => {
  it.each([
    { patch: [{ op: 'add', path: '/b', value: 1 }], want: { a: [1, 2], b: 1 } },
    { patch: [{ op: 'add', path: '/a/-', value: 3 }], want: { a: [1, 2, 3] } },
    { patch: [{ op: 'add', path: '/a/0', value: 0 }], want: { a: [0, 1, 2] } },
    { patch: [{ op: 'remove', path: '/a/1' }], want: { a: [1] } },
    { patch: [{ op: 'replace', path: '/a/1', value: 9 }], want: { a: [1, 9] } },
    { patch: [{ op: 'move', from: '/a', path: '/x~1y' }], want: { 'x/y': [1, 2] } },
    {
      patch: [
        { op: 'copy', from: '/a/0', path: '/b' },
        { op: 'test', path: '/b', value: 1 },
      ],
      want: { a: [1, 2], b: 1 },
    },
  ])('applies $patch', ({ patch, want }) => {
    expect(jsonPatch({ a: [1, 2] }, patch)).toEqual(want);
  });

  it.each([
    { op: 'test', path: '/a', value: 2 },
    { op: 'remove', path: '/nope' },
    { op: 'add', path: '/no/where', value: 1 },
    { op: 'frobnicate', path: '/a' },
  ])('refuses $op of $path', (operation) => {
    expect(() => jsonPatch({ a: 1 }, [operation])).toThrow(JsonPatchError);
  });

  it('leaves the document alone', () => {
    const document = { a: [1] };

    jsonPatch(document, [{ op: 'add', path: '/a/-', value: 2 }]);

    expect(document).toEqual({ a: [1] });
  });
});

describe('strategic merge patch', () => {
  const spec = {
    containers: [
      { name: 'a', image: '1' },
      { name: 'b', image: '1' },
    ],
  };

  it('merges list items by their merge key', () => {
    expect(
      strategicPatch(podSpec, spec, {
        containers: [
          { name: 'b', image: '2' },
          { name: 'c', image: '3' },
        ],
      }),
    ).toEqual({
      containers: [
        { name: 'a', image: '1' },
        { name: 'b', image: '2' },
        { name: 'c', image: '3' },
      ],
    });
  });

  it('deletes an item, replaces a list, and replaces a map', () => {
    expect(strategicPatch(podSpec, spec, { containers: [{ name: 'a', $patch: 'delete' }] })).toEqual({
      containers: [spec.containers[1]],
    });
    expect(strategicPatch(podSpec, spec, { containers: [{ name: 'z', image: '9' }, { $patch: 'replace' }] })).toEqual({
      containers: [{ name: 'z', image: '9' }],
    });
    expect(
      strategicPatch(podSpec, { nodeSelector: { a: '1' } }, { nodeSelector: { $patch: 'replace', b: '2' } }),
    ).toEqual({ nodeSelector: { b: '2' } });
  });

  it('orders by $setElementOrder and keeps items that it does not name', () => {
    const patch = {
      '$setElementOrder/containers': [{ name: 'b' }, { name: 'a' }],
      containers: [{ name: 'b', image: '2' }],
    };

    const { containers } = strategicPatch(podSpec, spec, patch) as typeof spec;

    expect(containers.map(({ name }) => name)).toEqual(['b', 'a']);
  });

  it('keeps only $retainKeys', () => {
    const live = { strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1 } } };

    expect(strategicPatch(deploymentSpec, live, { strategy: { $retainKeys: ['type'], type: 'Recreate' } })).toEqual({
      strategy: { type: 'Recreate' },
    });
  });

  it('takes items from a list of primitives', () => {
    const meta = builtinSchema('/v1/Pod').map!.fields.get('metadata')!;

    expect(strategicPatch(meta, { finalizers: ['a', 'b'] }, { '$deleteFromPrimitiveList/finalizers': ['a'] })).toEqual({
      finalizers: ['b'],
    });
    expect(strategicPatch(meta, { finalizers: ['a'] }, { finalizers: ['a', 'c'] })).toEqual({ finalizers: ['a', 'c'] });
  });

  it('refuses an item without its merge key', () => {
    expect(() => strategicPatch(podSpec, spec, { containers: [{ image: 'x' }] })).toThrow(
      'map: map[image:x] does not contain declared merge key: name',
    );
  });
});
