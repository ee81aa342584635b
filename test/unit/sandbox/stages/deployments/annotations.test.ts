import { describe, expect, it } from 'vitest';
import { annotationsOfNew } from '../../../../../src/sandbox/stages/deployments/annotations.ts';
import type { Deployment } from '../../../../../src/sandbox/stages/types.ts';

const REVISION = 'deployment.kubernetes.io/revision';
const HISTORY = 'deployment.kubernetes.io/revision-history';

function deployment(annotations: Record<string, string>): Deployment {
  return { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web', annotations } } as unknown as Deployment;
}

describe('annotationsOfNew', () => {
  it("copies what is the user's and leaves out what is bookkeeping", () => {
    const own = {
      'example.com/owner': 'team-a',
      'kubectl.kubernetes.io/last-applied-configuration': '{}',
      [REVISION]: '7',
    };

    expect(annotationsOfNew(deployment(own), {}, 1)).toEqual({ 'example.com/owner': 'team-a', [REVISION]: '1' });
  });

  it.each([
    {
      name: 'keeps a revision that is high enough',
      existing: { [REVISION]: '5' },
      revision: 4,
      want: { [REVISION]: '5' },
    },
    {
      name: 'notes the revision that it replaces',
      existing: { [REVISION]: '1' },
      revision: 3,
      want: { [REVISION]: '3', [HISTORY]: '1' },
    },
    {
      name: 'adds to the history',
      existing: { [REVISION]: '3', [HISTORY]: '1' },
      revision: 5,
      want: { [REVISION]: '5', [HISTORY]: '1,3' },
    },
    {
      name: 'leaves a revision that is no number alone',
      existing: { [REVISION]: 'x' },
      revision: 2,
      want: { [REVISION]: 'x' },
    },
  ])('$name', ({ existing, revision, want }) => {
    expect(annotationsOfNew(deployment({}), existing, revision)).toEqual(want);
  });

  it('drops the oldest of a history that grows too long', () => {
    const history = Array.from({ length: 500 }, (_, i) => String(1000 + i)).join(',');

    const { [HISTORY]: after = '' } = annotationsOfNew(
      deployment({}),
      { [REVISION]: '1500', [HISTORY]: history },
      1501,
    );

    expect(after.length).toBeLessThanOrEqual(2000);
    expect(after.endsWith(',1499,1500')).toBe(true);
  });
});
