import { describe, expect, it } from 'vitest';
import {
  correctionDelayMs,
  isFoughtOver,
  noteCorrection,
} from '../../../../src/controllers/kustomization/drift-guard.ts';
import { moveHistory, recordHistory } from '../../../../src/controllers/kustomization/history.ts';
import { normalizeRevision, sameRevision, toLegacyRevision } from '../../../../src/controllers/shared/revision.ts';
import { intervalRequeue, retryIntervalMs, timeoutMs, timerMs } from '../../../../src/controllers/shared/timing.ts';

const SHA = '0123456789012345678901234567890123456789';

describe('revisions', () => {
  it.each([
    [`main/${SHA}`, `main@sha1:${SHA}`],
    [`feature/x/${SHA}`, `feature/x@sha1:${SHA}`],
    [`HEAD/${SHA}`, `sha1:${SHA}`],
    [SHA, `sha1:${SHA}`],
    [`main@sha1:${SHA}`, `main@sha1:${SHA}`],
    ['6.3.5', '6.3.5'],
  ])('reads %s', (text, want) => {
    expect(normalizeRevision(text)).toBe(want);
  });

  it('are the same in both forms, and none is the same as nothing', () => {
    expect(sameRevision(`main/${SHA}`, `main@sha1:${SHA}`)).toBe(true);
    expect(sameRevision(undefined, undefined)).toBe(false);
    expect(toLegacyRevision(`main@sha1:${SHA}`)).toBe(`main/${SHA}`);
    expect(toLegacyRevision(`sha1:${SHA}`)).toBe(`HEAD/${SHA}`);
  });
});

describe('timeout', () => {
  it.each([
    [{ interval: '5s' }, 30_000],
    [{ interval: '5m' }, 270_000],
    [{ interval: '5m', timeout: '2m' }, 120_000],
    [{ interval: '5m', timeout: '1s' }, 30_000],
  ])('of %j is %i ms', (spec, want) => {
    expect(timeoutMs(spec)).toBe(want);
  });
});

describe('bad intervals (threats row 17, CVE-2022-39272)', () => {
  it.each([
    ['0s', { do: 'none' }, 30_000],
    ['0.0h', { do: 'none' }, 30_000],
    ['1ms', { do: 'interval', ms: 100 }, 100],
    ['10000h', { do: 'interval', ms: 36_000_000_000 }, 36_000_000_000],
    // The schema's pattern lets it through; Go, and so Flux, cannot hold it.
    ['99999999999999999h', { do: 'interval', ms: 2 ** 63 / 1e6 }, 2 ** 63 / 1e6],
  ])('%s neither keeps a worker busy nor fires at once', (interval, requeue, retry) => {
    expect(intervalRequeue({ interval })).toEqual(requeue);
    expect(retryIntervalMs({ interval })).toBe(retry);
    expect(retryIntervalMs({ interval: '1h', retryInterval: interval })).toBe(retry);
    expect(timeoutMs({ interval })).toBeGreaterThanOrEqual(30_000);
    expect(timerMs(interval)).toBeGreaterThanOrEqual(1);
    expect(timerMs(interval)).toBeLessThan(2 ** 31);
  });
});

describe('drift guard', () => {
  it('lets three corrections in five minutes go at once, then backs off up to the interval', () => {
    const guard = new Map<string, number[]>();
    const delays: number[] = [];
    for (let round = 0; round < 6; round += 1) {
      delays.push(correctionDelayMs(guard, 'x', 1_000, 60_000));
      noteCorrection(guard, 'x', 1_000);
    }

    expect(delays).toEqual([0, 0, 0, 10_000, 20_000, 40_000]);
    expect(correctionDelayMs(guard, 'x', 1_000, 60_000)).toBe(60_000);
    expect(isFoughtOver(guard, 'x', 1_000)).toBe(true);
    expect(correctionDelayMs(guard, 'x', 1_000 + 5 * 60_000, 60_000)).toBe(0);
    expect(correctionDelayMs(guard, 'y', 1_000, 60_000)).toBe(0);
  });
});

describe('history', () => {
  const record = {
    revision: 'r1',
    originRevision: undefined,
    digest: 'd1',
    outcome: 'S',
    took: '1s',
    nowMs: 0,
    didWork: true,
  };

  it('counts up a known digest and outcome and moves it to the front', () => {
    const one = recordHistory(undefined, record);
    const two = recordHistory(one, { ...record, digest: 'd2', revision: 'r2' });
    const back = recordHistory(two, { ...record, revision: 'r3', nowMs: 1_000 });

    expect(
      back.map(({ digest, totalReconciliations, metadata }) => [digest, totalReconciliations, metadata?.['revision']]),
    ).toEqual([
      ['d1', 2, 'r3'],
      ['d2', 1, 'r2'],
    ]);
    expect(back[0]).toMatchObject({ firstReconciled: '1970-01-01T00:00:00Z', lastReconciled: '1970-01-01T00:00:01Z' });
  });

  it('keeps five', () => {
    let history = recordHistory(undefined, record);
    for (let index = 0; index < 9; index += 1) history = recordHistory(history, { ...record, digest: `x${index}` });

    expect(history).toHaveLength(5);
    expect(history[0]?.digest).toBe('x8');
  });

  it('names a revision that changed nothing in its newest entry', () => {
    expect(moveHistory(recordHistory(undefined, record), 'r9', 'o9')[0]?.metadata).toEqual({
      revision: 'r9',
      originRevision: 'o9',
    });
    expect(moveHistory(undefined, 'r9', undefined)).toEqual([]);
  });
});
