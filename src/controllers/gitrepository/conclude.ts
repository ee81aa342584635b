// Owns the status, events and next run that follow from a pass: the one place that makes conditions of a
// GitRepository (flux.md §1.3, §2.8, §2.9).

import {
  type GitRepository,
  type GitRepositoryStatus,
  gitRepositoryReasons as reasons,
} from '../../api/source/gitrepository.ts';
import type { Conclusion, EventDraft, Pass, Result } from '../../runtime/controller.ts';
import {
  artifactMetadata,
  concludeSourceFailure,
  hadFailed,
  type SourceRules,
  storedConditions,
} from '../shared/source-status.ts';
import { intervalRequeue } from '../shared/timing.ts';
import type { Outcome, Verified } from './types.ts';

const RULES: SourceRules = {
  failures: ['StorageOperationFailed', 'FetchFailed', 'IncludeUnavailable'],
  verifies: true,
};

export function conclude(
  object: GitRepository,
  result: Result<Outcome>,
  nowMs: number,
  _pass: Pass<GitRepository>,
): Conclusion<GitRepositoryStatus> {
  const stamp = { generation: object.metadata.generation ?? 0, nowMs };
  if ('error' in result) return concludeSourceFailure(object, result.error, RULES, stamp);
  const { outcome } = result;
  const isStored = outcome.type === 'stored';
  const isNew = isStored && outcome.isNew;
  const status = isStored ? storedStatus(object, outcome) : object.status;
  const revision = status?.artifact?.revision ?? '';
  const stored = { reason: reasons.succeeded, message: `stored artifact for revision '${revision}'` };
  const verified = verifiedText(object, isStored ? outcome.verified : undefined);
  const event: EventDraft = {
    type: 'Normal',
    reason: isNew ? reasons.newArtifact : reasons.succeeded,
    message: `stored artifact for commit '${isStored ? outcome.subject : revision}'`,
    metadata: artifactMetadata(object.metadata, status?.artifact),
  };
  return {
    status: { ...status, conditions: storedConditions(object, stored, RULES, { stamp, verified }) },
    events: isNew || hadFailed(object, RULES) ? [event] : [],
    requeue: intervalRequeue(object.spec),
    log: { revision, ...(isStored ? { stored: isNew } : {}) },
  };
}

/** What is said of the signature. */
function verifiedText({ spec }: GitRepository, verified: Verified | undefined) {
  if (spec.verify === undefined) return 'not asked';
  return verified === undefined ? 'as before' : { reason: reasons.succeeded, message: verified.message };
}

function storedStatus(object: GitRepository, outcome: Extract<Outcome, { type: 'stored' }>): GitRepositoryStatus {
  const rest = withoutObserved(object.status ?? {});
  const { spec } = object;
  const mode =
    outcome.verified?.mode ?? (spec.verify === undefined ? undefined : object.status?.sourceVerificationMode);
  return {
    ...rest,
    ...(mode === undefined ? {} : { sourceVerificationMode: mode }),
    artifact: outcome.artifact,
    ...(spec.ignore === undefined ? {} : { observedIgnore: spec.ignore }),
    ...(spec.recurseSubmodules === true ? { observedRecurseSubmodules: true } : {}),
    ...((spec.sparseCheckout ?? []).length === 0 ? {} : { observedSparseCheckout: spec.sparseCheckout! }),
    ...((spec.include ?? []).length === 0
      ? {}
      : { observedInclude: spec.include!, includedArtifacts: outcome.includedArtifacts }),
  };
}

/** The status without what describes the artifact before. */
function withoutObserved(status: GitRepositoryStatus): GitRepositoryStatus {
  const {
    observedIgnore: _ignore,
    observedInclude: _include,
    observedRecurseSubmodules: _submodules,
    observedSparseCheckout: _sparse,
    includedArtifacts: _included,
    sourceVerificationMode: _mode,
    ...rest
  } = status;
  return rest;
}
