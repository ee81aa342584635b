import { describe, expect, it } from 'vitest';
import type { Condition } from '../../../src/api/meta/condition.ts';
import {
  capMessage,
  concludeReady,
  markReconciling,
  markRetrying,
  markStalled,
  setCondition,
  sortConditions,
  summarizeReady,
} from '../../../src/runtime/conditions.ts';

const start = Date.UTC(2026, 0, 1);
const at = (seconds: number, generation = 1) => ({ generation, nowMs: start + seconds * 1000 });
const ready = { type: 'Ready', status: 'True', reason: 'Succeeded', message: 'done' } as const;

function condition(type: string, status: Condition['status'], more: Partial<Condition> = {}): Condition {
  return {
    type,
    status,
    reason: `${type}Reason`,
    message: `${type} message`,
    lastTransitionTime: '2026-01-01T00:00:00Z',
    ...more,
  };
}

describe('setCondition', () => {
  it('stamps time and generation', () => {
    expect(setCondition(undefined, ready, at(0, 3))).toEqual([
      { ...ready, lastTransitionTime: '2026-01-01T00:00:00Z', observedGeneration: 3 },
    ]);
  });

  it.each([
    ['nothing', {}, '2026-01-01T00:00:00Z'],
    ['status', { status: 'False' }, '2026-01-01T00:00:09Z'],
    ['reason', { reason: 'Other' }, '2026-01-01T00:00:09Z'],
    ['message', { message: 'other' }, '2026-01-01T00:00:09Z'],
  ] as const)('when %s changes, the time of transition follows', (_what, change, want) => {
    const before = setCondition(undefined, ready, at(0));

    const after = setCondition(before, { ...ready, ...change }, at(9, 2));

    expect(after[0]).toMatchObject({ lastTransitionTime: want, observedGeneration: 2 });
  });

  it('changes nothing of its input', () => {
    const before = Object.freeze(setCondition(undefined, ready, at(0)).map((item) => Object.freeze(item)));

    setCondition(before, { ...ready, status: 'False' }, at(1));

    expect(before[0]?.status).toBe('True');
  });
});

describe('sortConditions', () => {
  it('puts Stalled, Reconciling, Ready first, then newer generations, then names', () => {
    const sorted = sortConditions([
      condition('B', 'True', { observedGeneration: 1 }),
      condition('A', 'True', { observedGeneration: 1 }),
      condition('Z', 'True', { observedGeneration: 2 }),
      condition('Ready', 'True'),
      condition('Reconciling', 'True'),
      condition('Stalled', 'True'),
    ]);

    expect(sorted.map(({ type }) => type)).toEqual(['Stalled', 'Reconciling', 'Ready', 'Z', 'A', 'B']);
  });
});

describe('marks', () => {
  it('Reconciling and Stalled exclude each other', () => {
    const reconciling = markReconciling([condition('Stalled', 'True')], 'Progressing', 'at work', at(0));
    const stalled = markStalled(reconciling, 'Bad', 'bad spec', at(0));

    expect(reconciling.map(({ type }) => type)).toEqual(['Reconciling']);
    expect(stalled.map(({ type }) => type)).toEqual(['Stalled']);
  });

  it('success removes both', () => {
    const before = [condition('Reconciling', 'True'), condition('Stalled', 'True'), condition('Healthy', 'True')];

    expect(concludeReady(before, 'Succeeded', 'done', at(0)).map(({ type }) => type)).toEqual(['Ready', 'Healthy']);
  });

  it('a retry keeps the message of the step that failed', () => {
    const before = markReconciling(undefined, 'Progressing', 'Building manifests', at(0));

    expect(markRetrying(before, 'unused', at(1))[0]).toMatchObject({
      reason: 'ProgressingWithRetry',
      message: 'Building manifests',
    });
    expect(markRetrying(undefined, 'fallback', at(1))[0]).toMatchObject({ message: 'fallback' });
  });
});

describe('capMessage', () => {
  it('leaves 32768 bytes alone and cuts one more', () => {
    const fits = 'x'.repeat(32_768);

    expect(capMessage(fits)).toBe(fits);
    expect(capMessage(`${fits}x`)).toBe(`${'x'.repeat(32_765)}...`);
  });

  it('never cuts inside a character', () => {
    const capped = capMessage('界'.repeat(11_000));

    expect(new TextEncoder().encode(capped).length).toBeLessThanOrEqual(32_768);
    expect(capped).toMatch(/^界+\.\.\.$/);
  });
});

describe('summarizeReady', () => {
  const rules = {
    priority: [
      'StorageOperationFailed',
      'FetchFailed',
      'ArtifactOutdated',
      'ArtifactInStorage',
      'SourceVerified',
      'Stalled',
      'Reconciling',
    ],
    negative: ['StorageOperationFailed', 'FetchFailed', 'ArtifactOutdated', 'Stalled', 'Reconciling'],
  };

  it.each([
    { name: 'a stored artifact', given: [condition('ArtifactInStorage', 'True')], want: ['True', 'ArtifactInStorage'] },
    {
      name: 'a failed fetch wins over the artifact',
      given: [condition('ArtifactInStorage', 'True'), condition('FetchFailed', 'True')],
      want: ['False', 'FetchFailed'],
    },
    {
      name: 'the list decides between two failures',
      given: [condition('Reconciling', 'True'), condition('ArtifactOutdated', 'True')],
      want: ['False', 'ArtifactOutdated'],
    },
    {
      name: 'negative True comes before positive False',
      given: [condition('ArtifactInStorage', 'False'), condition('Reconciling', 'True')],
      want: ['False', 'Reconciling'],
    },
    {
      name: 'positive False comes before positive True',
      given: [condition('ArtifactInStorage', 'True'), condition('SourceVerified', 'False')],
      want: ['False', 'SourceVerified'],
    },
    {
      name: 'negative False counts as good when there is nothing else',
      given: [condition('FetchFailed', 'False')],
      want: ['True', 'FetchFailed'],
    },
    {
      name: 'Unknown comes last',
      given: [condition('ArtifactInStorage', 'Unknown')],
      want: ['Unknown', 'ArtifactInStorage'],
    },
  ])('$name', ({ given, want }) => {
    const [status, of] = want;

    expect(summarizeReady(given, rules)).toEqual({
      type: 'Ready',
      status,
      reason: `${of}Reason`,
      message: `${of} message`,
    });
  });

  it('says nothing of nothing', () => {
    expect(summarizeReady([condition('Other', 'True')], rules)).toBeUndefined();
  });
});
