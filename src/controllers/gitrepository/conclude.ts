// Owns what a GitRepository says of a pass that went well (flux.md §1.3, §2.8, §2.9).
import {
  type GitRepository,
  type GitRepositoryStatus,
  gitRepositoryReasons as reasons,
} from '../../api/source/gitrepository.ts';
import { artifactEvent, sourceConclusion } from '../shared/source-status.ts';
import { intervalRequeue } from '../shared/timing.ts';
import type { Outcome, Verified } from './types.ts';

export const conclude = sourceConclusion<GitRepository, Outcome, GitRepositoryStatus>({
  rules: { failures: ['StorageOperationFailed', 'FetchFailed', 'IncludeUnavailable'], verifies: true },
  report: (object, outcome, isNew) => {
    const isStored = outcome.type === 'stored';
    const status = isStored ? storedStatus(object, outcome) : object.status;
    const revision = status?.artifact?.revision ?? '';
    return {
      status,
      stored: { reason: reasons.succeeded, message: `stored artifact for revision '${revision}'` },
      verified: verifiedText(object, isStored ? outcome.verified : undefined),
      event: artifactEvent(isNew, `stored artifact for commit '${isStored ? outcome.subject : revision}'`),
      requeue: intervalRequeue(object.spec),
    };
  },
});

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
