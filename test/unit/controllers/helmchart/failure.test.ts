import { describe, expect, it } from 'vitest';
import { pullError } from '../../../../src/controllers/helmchart/failure.ts';
import { ChartRepositoryError } from '../../../../src/remote/charts/repository.ts';
import { RegistryError } from '../../../../src/remote/oci/errors.ts';

describe('a pull that failed', () => {
  it.each([
    [
      'a chart repository',
      new ChartRepositoryError('ChartRepositoryStatus', 'busy', { status: 429, retryAfterMs: 5_000 }),
    ],
    ['a registry', new RegistryError('RegistryRateLimited', 'busy', { status: 429, retryAfterMs: 5_000 })],
  ])('is tried again when %s says so', (_, cause) => {
    expect(pullError(cause, 'why: ')).toMatchObject({
      reason: 'ChartPullError',
      message: 'chart pull error: why: busy',
      retry: 'transient',
      retryAfterMs: 5_000,
    });
  });

  it('is tried again with a growing delay when nobody says when', () => {
    const cause = new ChartRepositoryError('ChartRepositoryStatus', 'broken', { status: 500 });

    expect(pullError(cause, '').retryAfterMs).toBeUndefined();
  });

  it('tells refused credentials apart', () => {
    const cause = new ChartRepositoryError('ChartRepositoryUnauthorized', 'no', { status: 401 });

    expect(pullError(cause, '')).toMatchObject({ reason: 'AuthenticationFailed', condition: 'FetchFailed' });
  });
});
