// Conditions, events and requeues of a GitRepository (flux.md §1.3, §1.4, §2.8, §2.9).
import { describe, expect, it } from 'vitest';
import type { GitRepository, GitRepositoryStatus } from '../../../../src/api/source/gitrepository.ts';
import { conclude } from '../../../../src/controllers/gitrepository/conclude.ts';
import type { Outcome } from '../../../../src/controllers/gitrepository/types.ts';
import type { Result } from '../../../../src/runtime/controller.ts';
import { ReconcileError } from '../../../../src/runtime/reconcile-error.ts';

const revision = 'main@sha1:1';
const artifact = { path: 'p', url: 'u', revision, digest: 'sha256:1', lastUpdateTime: 't' };
const stored: Outcome = {
  type: 'stored',
  artifact,
  includedArtifacts: [],
  subject: 'Add a thing',
  isNew: true,
  verified: undefined,
};

function run(result: Result<Outcome>, status: GitRepositoryStatus = {}) {
  const object: GitRepository = {
    apiVersion: 'source.toolkit.fluxcd.io/v1',
    kind: 'GitRepository',
    metadata: { name: 'app', namespace: 'ns', generation: 2 },
    spec: { interval: '1m', url: 'https://host/r' },
    status,
  };
  const conclusion = conclude(object, result, 0);
  const conditions = (conclusion.status?.conditions ?? []).map(({ type, status: is, reason, message }) =>
    [type, is, reason, message].join(' | '),
  );
  return { ...conclusion, conditions };
}

const failed = (reason: string, retry: 'transient' | 'waiting' | 'stalled', condition = 'FetchFailed') =>
  new ReconcileError(reason, 'why', { retry, condition, retryAfterMs: retry === 'waiting' ? 30_000 : undefined });

describe('conclude', () => {
  it('is Ready with the words of ArtifactInStorage, and tells of the commit', () => {
    const { conditions, events, requeue } = run({ outcome: stored });

    expect(conditions).toEqual([
      `Ready | True | Succeeded | stored artifact for revision '${revision}'`,
      `ArtifactInStorage | True | Succeeded | stored artifact for revision '${revision}'`,
    ]);
    expect(events).toEqual([
      {
        type: 'Normal',
        reason: 'NewArtifact',
        message: "stored artifact for commit 'Add a thing'",
        metadata: { 'source.toolkit.fluxcd.io/revision': revision, 'source.toolkit.fluxcd.io/digest': 'sha256:1' },
      },
    ]);
    expect(requeue).toEqual({ do: 'interval', ms: 60_000 });
  });

  it('tells of a recovery once, and of nothing when nothing was', () => {
    const broken = run({ error: failed('GitOperationFailed', 'transient') }, { artifact }).status;

    const recovered = run({ outcome: { type: 'nothing', collected: 0 } }, broken);
    expect(recovered.events).toMatchObject([
      { type: 'Normal', reason: 'Succeeded', message: `stored artifact for commit '${revision}'` },
    ]);
    expect(run({ outcome: { type: 'nothing', collected: 0 } }, recovered.status).events).toEqual([]);
    expect(run({ outcome: { ...stored, isNew: false } }, broken).events).toMatchObject([{ reason: 'Succeeded' }]);
  });

  it('keeps the artifact through a failure, which is tried again with back-off', () => {
    const { conditions, events, requeue, status } = run(
      { error: failed('GitOperationFailed', 'transient') },
      { artifact },
    );

    expect(status?.artifact).toEqual(artifact);
    expect(conditions).toEqual([
      'Reconciling | True | ProgressingWithRetry | building artifact',
      'Ready | False | GitOperationFailed | why',
      'FetchFailed | True | GitOperationFailed | why',
    ]);
    expect(events).toMatchObject([{ type: 'Warning', reason: 'GitOperationFailed', message: 'why' }]);
    expect(requeue).toEqual({ do: 'backoff' });
  });

  it('waits for an include without a warning, and notifies nobody', () => {
    const { conditions, events, requeue } = run({ error: failed('NotFound', 'waiting', 'IncludeUnavailable') });

    expect(conditions).toContain('IncludeUnavailable | True | NotFound | why');
    expect(events).toMatchObject([{ type: 'Normal', reason: 'NotFound', local: true }]);
    expect(requeue).toEqual({ do: 'after', ms: 30_000 });
  });

  it('stalls at what somebody must change', () => {
    const { conditions, requeue } = run({ error: failed('URLInvalid', 'stalled') });

    expect(conditions).toEqual([
      'Stalled | True | URLInvalid | why',
      'Ready | False | URLInvalid | why',
      'FetchFailed | True | URLInvalid | why',
    ]);
    expect(requeue).toEqual({ do: 'none' });
  });

  it('lets a signature that does not verify override everything else', () => {
    const { conditions } = run(
      { error: failed('InvalidCommitSignature', 'transient', 'SourceVerified') },
      { artifact },
    );

    expect(conditions).toContain('SourceVerified | False | InvalidCommitSignature | why');
    expect(conditions).toContain('Ready | False | InvalidCommitSignature | why');
  });
});
