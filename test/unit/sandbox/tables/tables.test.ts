import { describe, expect, it } from 'vitest';
import { humanDuration } from '../../../../src/sandbox/tables/age.ts';
import { evaluateJsonPath } from '../../../../src/sandbox/tables/jsonpath.ts';

const S = 1000;
const M = 60 * S;
const H = 60 * M;
const D = 24 * H;

describe('ages', () => {
  it.each([
    [0, '0s'],
    [119 * S, '119s'],
    [2 * M, '2m'],
    [9 * M + 59 * S, '9m59s'],
    [10 * M + 5 * S, '10m'],
    [179 * M, '179m'],
    [3 * H, '3h'],
    [7 * H + 30 * M, '7h30m'],
    [47 * H, '47h'],
    [2 * D, '2d'],
    [3 * D + 4 * H, '3d4h'],
    [8 * D + 4 * H, '8d'],
    [729 * D, '729d'],
    [800 * D, '2y70d'],
    [3000 * D, '8y'],
  ])('%d ms is %s', (ms, want) => {
    expect(humanDuration(ms)).toBe(want);
  });
});

describe('column paths', () => {
  const object = {
    spec: { size: 3, list: [{ n: 'a' }, { n: 'b' }], 'dotted.key': 'x' },
    status: {
      conditions: [
        { type: 'Ready', status: 'True' },
        { type: 'Other', status: 'False' },
      ],
    },
  };

  it.each([
    ['.spec.size', [3]],
    ['.spec.list[1].n', ['b']],
    ['.spec.list[-1].n', ['b']],
    ['.spec.list[*].n', ['a', 'b']],
    ['.status.conditions[?(@.type=="Ready")].status', ['True']],
    [".status.conditions[?(@.type=='Other')].status", ['False']],
    ['.spec.dotted\\.key', ['x']],
    [".spec['dotted.key']", ['x']],
    ['.spec.nope.deeper', []],
    ['.spec.constructor', []],
  ])('%s finds %j', (path, want) => {
    expect(evaluateJsonPath(path, object)).toEqual(want);
  });
});
