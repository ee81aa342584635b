import { describe, expect, it } from 'vitest';
import type { GitRepository } from '../../../../src/api/source/gitrepository.ts';
import { fetchFailure } from '../../../../src/controllers/gitrepository/observe.ts';
import { GitError } from '../../../../src/engines/git/errors.ts';

const repository: GitRepository = {
  apiVersion: 'source.toolkit.fluxcd.io/v1',
  kind: 'GitRepository',
  metadata: { name: 'r', namespace: 'ns' },
  spec: { url: 'https://user:canary@host/r', interval: '1m' },
};

describe('fetchFailure', () => {
  it('has the words of Flux, and no credentials', () => {
    const error = fetchFailure(repository, new GitError('GitRepositoryNotFound', 'repository not found: Not Found'));

    expect(error).toMatchObject({
      reason: 'GitOperationFailed',
      condition: 'FetchFailed',
      message:
        "failed to checkout and determine revision: unable to clone 'https://host/r': repository not found: Not Found",
      retryAfterMs: undefined,
    });
  });

  it.each([
    [17, 17_000],
    [999_999, 3_600_000],
  ])('waits as long as the server asked for (%d s), within bounds', (retryAfterSeconds, ms) => {
    const error = new GitError('GitHttpStatus', 'status code: 429', { status: 429, retryAfterSeconds });

    expect(fetchFailure(repository, error).retryAfterMs).toBe(ms);
  });
});
