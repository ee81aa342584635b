// What sources say at the end of a pass; the rules are the same for all kinds.
import { describe, expect, it } from 'vitest';
import type { Condition } from '../../../../src/api/meta/condition.ts';
import {
  concludeSourceFailure,
  hadFailed,
  storedConditions,
} from '../../../../src/controllers/shared/source-status.ts';
import { ReconcileError } from '../../../../src/runtime/reconcile-error.ts';

const rules = { failures: ['StorageOperationFailed', 'FetchFailed'], verifies: true };
const stamp = { generation: 3, nowMs: 0 };
const stored = { reason: 'Succeeded', message: 'stored' };
const metadata = { name: 'a', annotations: { 'event.toolkit.fluxcd.io/team': 'x', other: 'y' } };

function failed(condition: string, retry?: 'stalled' | 'waiting') {
  return new ReconcileError('Why', 'the reason', { condition, retry });
}
const short = (conditions: readonly Condition[] | undefined) =>
  Object.fromEntries((conditions ?? []).map(({ type, status, reason }) => [type, `${status} ${reason}`]));

describe('storedConditions', () => {
  it('is Ready with what is stored, and no failure is left', () => {
    const before = concludeSourceFailure({ metadata }, failed('FetchFailed'), rules, stamp).status;

    const after = storedConditions({ metadata, status: before! }, stored, rules, { stamp, verified: 'not asked' });

    expect(short(after)).toEqual({ Ready: 'True Succeeded', ArtifactInStorage: 'True Succeeded' });
    expect(hadFailed({ metadata, status: before! }, rules)).toBe(true);
  });

  it('keeps, sets or drops what is said of the signature', () => {
    const verified = storedConditions({ metadata }, stored, rules, {
      stamp,
      verified: { reason: 'Succeeded', message: 'by key' },
    });
    const kept = storedConditions({ metadata, status: { conditions: verified } }, stored, rules, {
      stamp,
      verified: 'as before',
    });
    const dropped = storedConditions({ metadata, status: { conditions: verified } }, stored, rules, {
      stamp,
      verified: 'not asked',
    });

    expect(short(kept)['SourceVerified']).toBe('True Succeeded');
    expect(short(dropped)).not.toHaveProperty('SourceVerified');
  });
});

describe('concludeSourceFailure', () => {
  it('tries again after a failure that may pass', () => {
    const { status, events, requeue } = concludeSourceFailure({ metadata }, failed('FetchFailed'), rules, stamp);

    expect(short(status?.conditions)).toEqual({
      Reconciling: 'True ProgressingWithRetry',
      Ready: 'False Why',
      FetchFailed: 'True Why',
    });
    expect(requeue).toEqual({ do: 'backoff' });
    expect(events).toEqual([
      { type: 'Warning', reason: 'Why', message: 'the reason', metadata: { 'event.toolkit.fluxcd.io/team': 'x' } },
    ]);
  });

  it('stalls where a person has to do something', () => {
    const { status, requeue } = concludeSourceFailure({ metadata }, failed('FetchFailed', 'stalled'), rules, stamp);

    expect(short(status?.conditions)).toEqual({ Stalled: 'True Why', Ready: 'False Why', FetchFailed: 'True Why' });
    expect(requeue).toEqual({ do: 'none' });
  });

  it('lets a bad signature override what is stored', () => {
    const before = storedConditions({ metadata }, stored, rules, { stamp, verified: 'not asked' });

    const { status } = concludeSourceFailure(
      { metadata, status: { conditions: before } },
      failed('SourceVerified'),
      rules,
      stamp,
    );

    expect(short(status?.conditions)).toMatchObject({
      Ready: 'False Why',
      SourceVerified: 'False Why',
      ArtifactInStorage: 'True Succeeded',
    });
  });

  it('says one failure at a time', () => {
    const before = concludeSourceFailure({ metadata }, failed('StorageOperationFailed'), rules, stamp).status;

    const { status } = concludeSourceFailure({ metadata, status: before! }, failed('FetchFailed'), rules, stamp);

    expect(short(status?.conditions)).not.toHaveProperty('StorageOperationFailed');
  });
});
