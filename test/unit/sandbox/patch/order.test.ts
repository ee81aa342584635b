import { describe, expect, it } from 'vitest';
import { strategicPatch } from '../../../../src/sandbox/patch/strategic.ts';
import { loadBuiltins } from '../../../../src/sandbox/schema/builtin.ts';

const builtins = loadBuiltins();
const container = builtins.schema('io.k8s.api.core.v1.Container');

function patched(server: readonly string[], patch: object): string[] {
  const target = { env: server.map((name) => ({ name, value: 'old' })) };
  const { env } = strategicPatch(container, target, patch) as { env: { name: string }[] };
  return env.map(({ name }) => name);
}

function items(...names: string[]): { name: string; value: string }[] {
  return names.map((name) => ({ name, value: 'new' }));
}

describe('a list that is merged by a key', () => {
  it.each([
    { name: 'puts what is added in front', server: ['a', 'b'], patch: { env: items('c') }, want: ['c', 'a', 'b'] },
    {
      name: 'keeps the place of what is changed',
      server: ['a', 'b', 'c'],
      patch: { env: items('b') },
      want: ['a', 'b', 'c'],
    },
    {
      name: 'keeps items of the server before what followed them',
      server: ['x', 'a', 'y', 'b'],
      patch: { env: items('b', 'n'), '$setElementOrder/env': items('a', 'b', 'n') },
      want: ['x', 'a', 'y', 'b', 'n'],
    },
    {
      name: 'takes the order that it is given',
      server: ['a', 'b'],
      patch: { '$setElementOrder/env': items('b', 'a') },
      want: ['b', 'a'],
    },
  ])('$name', ({ server, patch, want }) => {
    expect(patched(server, patch)).toEqual(want);
  });
});
