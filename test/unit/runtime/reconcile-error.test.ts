import { describe, expect, it } from 'vitest';
import { CodedError } from '../../../src/lib/errors.ts';
import { failureConditions, failureEvent, failureRequeue } from '../../../src/runtime/failure.ts';
import { ReconcileError, stage, toReconcileError } from '../../../src/runtime/reconcile-error.ts';

class DomainError extends CodedError<string, Record<string, never>> {}
const caught = (run: Promise<unknown>): Promise<unknown> =>
  run.then(
    () => undefined,
    (error: unknown) => error,
  );

describe('stage', () => {
  it('passes a result on', async () => {
    expect(await stage('BuildFailed', () => 7)).toBe(7);
  });

  it('gives its reason to what is thrown, keeps the cause and takes the class from the table', async () => {
    const cause = new DomainError('GitUrlInvalid', 'no such scheme', {});

    const error = await caught(stage('BuildFailed', () => Promise.reject(cause), { prefix: 'build: ' }));

    expect(error).toMatchObject({
      reason: 'BuildFailed',
      message: 'build: no such scheme',
      retry: 'stalled',
      condition: 'Ready',
      cause,
      isBug: false,
    });
  });

  it('leaves an inner ReconcileError alone', async () => {
    const inner = new ReconcileError('DependencyNotReady', 'later', { retry: 'waiting' });

    expect(await caught(stage('Outer', () => Promise.reject(inner)))).toBe(inner);
  });

  it('calls an exception without a code a bug, and tries it again', () => {
    const error = toReconcileError(new TypeError('x is not a function'), 'BuildFailed');

    expect(error).toMatchObject({ retry: 'transient', isBug: true });
  });

  it('finds the reason of an abort', () => {
    const why = new ReconcileError('HealthCheckCanceled', 'newer', { retry: 'superseded' });
    const abort = new DOMException('This operation was aborted', 'AbortError');
    Object.defineProperty(abort, 'cause', { value: why });

    expect(toReconcileError(abort, 'Other')).toBe(why);
  });
});

describe('what a failed pass says', () => {
  const stamp = { generation: 1, nowMs: 0 };
  const error = (retry: ReconcileError['retry'], more = {}) => new ReconcileError('Why', 'what', { retry, ...more });

  it.each([
    ['transient', ['Reconciling=True ProgressingWithRetry', 'Ready=False Why']],
    ['waiting', ['Reconciling=True ProgressingWithRetry', 'Ready=False Why']],
    ['superseded', ['Reconciling=True ProgressingWithRetry', 'Ready=False Why']],
    ['stalled', ['Stalled=True Why', 'Ready=False Why']],
  ] as const)('conditions of %s', (retry, want) => {
    const before = failureConditions(undefined, error(retry === 'stalled' ? 'transient' : 'stalled'), stamp);

    const after = failureConditions(before, error(retry), stamp);

    expect(after.map(({ type, status, reason }) => `${type}=${status} ${reason}`)).toEqual(want);
  });

  it('sets the error’s own condition by its polarity', () => {
    const fetch = failureConditions(undefined, error('transient', { condition: 'FetchFailed' }), stamp, [
      'FetchFailed',
    ]);
    const health = failureConditions(undefined, error('transient', { condition: 'Healthy' }), stamp, ['FetchFailed']);

    expect(fetch.find(({ type }) => type === 'FetchFailed')?.status).toBe('True');
    expect(health.find(({ type }) => type === 'Healthy')?.status).toBe('False');
  });

  it.each([
    ['transient', 'Warning'],
    ['stalled', 'Warning'],
    ['waiting', 'Normal'],
    ['superseded', 'Normal'],
  ] as const)('event of %s is %s', (retry, type) => {
    expect(failureEvent(error(retry))).toEqual({ type, reason: 'Why', message: 'what' });
  });

  it('says nothing for a silent error', () => {
    expect(failureEvent(error('transient', { silent: true }))).toBeUndefined();
  });

  it.each([
    [error('stalled'), {}, { do: 'none' }],
    [error('superseded'), {}, { do: 'now' }],
    [error('waiting'), {}, { do: 'after', ms: 30_000 }],
    [error('waiting', { retryAfterMs: 5 }), {}, { do: 'after', ms: 5 }],
    [error('transient'), {}, { do: 'backoff' }],
    [error('transient'), { retryMs: 60_000 }, { do: 'after', ms: 60_000 }],
  ])('requeue %#', (failure, delays, want) => {
    expect(failureRequeue(failure, { waitingMs: 30_000, ...delays })).toEqual(want);
  });
});
