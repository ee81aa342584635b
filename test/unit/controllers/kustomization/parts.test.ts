import { describe, expect, it } from 'vitest';
import { moveHistory, recordHistory } from '../../../../src/controllers/kustomization/history.ts';
import type { ObservedDrift } from '../../../../src/controllers/kustomization/types.ts';
import {
  correctionDelayMs,
  type DriftGuard,
  isFoughtOver,
  noteCorrection,
} from '../../../../src/controllers/shared/drift-guard.ts';
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
  const MINUTE = 60_000;
  const image = observed('.spec.image');
  const replicas = observed('.spec.replicas');

  function observed(...fields: string[]): ObservedDrift {
    return { key: 'x', drift: { because: 'manager', manager: 'rival', fields } };
  }
  /** Delays before each of so many corrections of a drift, each made as soon as it may be. */
  function fight(guard: DriftGuard, rounds: number, drift: (round: number) => ObservedDrift, intervalMs: number) {
    let now = 1_000;
    return Array.from({ length: rounds }, (_, round) => {
      const delay = correctionDelayMs(guard, drift(round), now);
      now += delay;
      noteCorrection(guard, drift(round), now, intervalMs);
      return delay;
    });
  }

  it('lets three corrections of a field in five minutes go at once, then backs off up to the interval', () => {
    const delays = fight(new Map(), 7, () => image, MINUTE);

    expect(delays).toEqual([0, 0, 0, 10_000, 20_000, 40_000, MINUTE]);
  });

  it('goes on doubling when the delay is longer than the five minutes that a fight begins in', () => {
    const delays = fight(new Map(), 13, () => image, 60 * MINUTE);

    expect(delays.slice(8)).toEqual([320_000, 640_000, 1_280_000, 2_560_000, 60 * MINUTE]);
  });

  it('puts a field back at once that nobody fights over, and the fought one along with it', () => {
    const guard: DriftGuard = new Map();
    fight(guard, 4, () => image, MINUTE);

    expect(correctionDelayMs(guard, replicas, 1_000)).toBe(0);
    expect(correctionDelayMs(guard, observed('.spec.image', '.spec.replicas'), 1_000)).toBe(0);
    expect([image, replicas].map((drift) => isFoughtOver(guard, drift, 1_000))).toEqual([true, false]);
  });

  it('backs off from an object of which another field is written each time', () => {
    const delays = fight(new Map(), 33, (round) => observed(`.metadata.annotations.a${round}`), MINUTE);

    expect(delays.filter((delay) => delay > 0)).toEqual([10_000, 20_000, 40_000]);
  });

  it('forgets a fight that has been over for five minutes beyond its delay', () => {
    const guard: DriftGuard = new Map();
    fight(guard, 3, () => image, MINUTE);

    expect(isFoughtOver(guard, image, 1_000 + 5 * MINUTE + 10_000)).toBe(true);
    expect(isFoughtOver(guard, image, 1_001 + 5 * MINUTE + 10_000)).toBe(false);
    noteCorrection(guard, replicas, 1_001 + 5 * MINUTE + 10_000, MINUTE);
    expect([...guard.keys()]).toEqual(['x', 'x .spec.replicas']);
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
