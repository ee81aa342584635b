import { describe, expect, it } from 'vitest';
import {
  maxSurge,
  maxUnavailable,
  nextSizeOfNew,
  proportionalSizes,
  scaledValue,
} from '../../../../../src/sandbox/stages/deployments/arithmetic.ts';
import type { Deployment, IntOrString, ReplicaSet } from '../../../../../src/sandbox/stages/types.ts';

function deployment(replicas: number, surge: IntOrString, unavailable: IntOrString): Deployment {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web' },
    spec: {
      replicas,
      selector: {},
      template: { spec: { containers: [] } },
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: surge, maxUnavailable: unavailable } },
    },
  };
}

function set(name: string, replicas: number, max: number): ReplicaSet {
  return {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: { name, annotations: { 'deployment.kubernetes.io/max-replicas': String(max) } },
    spec: { replicas, selector: {}, template: { spec: { containers: [] } } },
  };
}

describe('scaledValue', () => {
  it.each([
    [3, 10, 'up', 3],
    ['25%', 10, 'up', 3],
    ['25%', 10, 'down', 2],
    ['0%', 10, 'up', 0],
    ['100%', 3, 'down', 3],
    [undefined, 10, 'up', 0],
  ] as const)('%s of %i rounded %s is %i', (value, total, round, want) => {
    expect(scaledValue(value, total, round)).toBe(want);
  });
});

describe('surge and unavailability', () => {
  it.each([
    { replicas: 4, surge: '25%', unavailable: '25%', want: [1, 1] },
    { replicas: 1, surge: '25%', unavailable: '25%', want: [1, 0] },
    { replicas: 2, surge: 0, unavailable: '1%', want: [0, 1] },
    { replicas: 0, surge: 1, unavailable: 1, want: [1, 0] },
    { replicas: 2, surge: 0, unavailable: 5, want: [0, 2] },
  ])('of $replicas with $surge and $unavailable', ({ replicas, surge, unavailable, want }) => {
    const subject = deployment(replicas, surge, unavailable);

    expect([maxSurge(subject), maxUnavailable(subject)]).toEqual(want);
  });
});

describe('nextSizeOfNew', () => {
  it.each([
    { old: 4, size: 0, want: 1 },
    { old: 3, size: 1, want: 2 },
    { old: 0, size: 3, want: 4 },
    { old: 5, size: 1, want: 1 },
  ])('with $old old pods and $size new ones', ({ old, size, want }) => {
    expect(nextSizeOfNew(deployment(4, 1, 0), [set('old', old, 5)], size)).toBe(want);
  });
});

describe('proportionalSizes', () => {
  it('shares an increase out by size, with the rest to the largest', () => {
    const [old, fresh] = [set('old', 8, 13), set('new', 5, 13)];

    const sizes = proportionalSizes(deployment(15, 3, 2), [fresh, old]);

    expect([sizes.get(old), sizes.get(fresh)]).toEqual([11, 7]);
  });

  it('takes everything away when scaled to nothing', () => {
    const [old, fresh] = [set('old', 8, 13), set('new', 5, 13)];

    const sizes = proportionalSizes(deployment(0, 3, 2), [fresh, old]);

    expect([sizes.get(old), sizes.get(fresh)]).toEqual([0, 0]);
  });
});
