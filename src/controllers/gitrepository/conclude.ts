// Owns the status, events and next run that follow from a pass: the one place that makes conditions of a
// GitRepository (flux.md §1.3, §2.8, §2.9).

import type { Condition } from '../../api/meta/condition.ts';
import { eventMetadataPrefix } from '../../api/meta/keys.ts';
import {
  type GitRepository,
  type GitRepositoryStatus,
  gitRepositoryKind,
  gitRepositoryReasons as reasons,
} from '../../api/source/gitrepository.ts';
import {
  type ConditionStamp,
  deleteCondition,
  isTrue,
  markRetrying,
  setCondition,
  summarizeReady,
} from '../../runtime/conditions.ts';
import type { Conclusion, EventDraft, Pass, Result } from '../../runtime/controller.ts';
import { failureConditions, failureEvent, failureRequeue } from '../../runtime/failure.ts';
import type { ReconcileError } from '../../runtime/reconcile-error.ts';
import { intervalRequeue } from '../shared/timing.ts';
import type { Outcome, Verified } from './types.ts';

const NEGATIVE = [
  'StorageOperationFailed',
  'FetchFailed',
  'IncludeUnavailable',
  'ArtifactOutdated',
  'Stalled',
  'Reconciling',
];
const PRIORITY = [
  'StorageOperationFailed',
  'FetchFailed',
  'IncludeUnavailable',
  'ArtifactOutdated',
  'ArtifactInStorage',
  'SourceVerified',
  'Stalled',
  'Reconciling',
];
const FAILURES = ['StorageOperationFailed', 'FetchFailed', 'IncludeUnavailable'];

export function conclude(
  object: GitRepository,
  result: Result<Outcome>,
  nowMs: number,
  _pass: Pass<GitRepository>,
): Conclusion<GitRepositoryStatus> {
  const stamp = { generation: object.metadata.generation ?? 0, nowMs };
  if ('error' in result) return concludeFailure(object, result.error, stamp);
  const { outcome } = result;
  const requeue = intervalRequeue(object.spec);
  switch (outcome.type) {
    case 'nothing': {
      const revision = object.status?.artifact?.revision ?? '';
      const conditions = readyConditions(object, revision, stamp);
      const events = recovered(object) ? [recoveryEvent(object, revision)] : [];
      return { status: { ...object.status, conditions }, events, requeue, log: { revision } };
    }
    case 'stored': {
      const { artifact } = outcome;
      const status = storedStatus(object, outcome, stamp);
      const event: EventDraft = {
        type: 'Normal',
        reason: outcome.isNew ? reasons.newArtifact : reasons.succeeded,
        message: `stored artifact for commit '${outcome.subject}'`,
        metadata: metadataOf(object, artifact.revision, artifact.digest),
      };
      const events = outcome.isNew || recovered(object) ? [event] : [];
      return { status, events, requeue, log: { revision: artifact.revision, stored: outcome.isNew } };
    }
    default:
      return outcome satisfies never;
  }
}

function storedStatus(
  object: GitRepository,
  outcome: Extract<Outcome, { type: 'stored' }>,
  stamp: ConditionStamp,
): GitRepositoryStatus {
  const rest = withoutObserved(object.status ?? {});
  const { spec } = object;
  const mode =
    outcome.verified?.mode ?? (spec.verify === undefined ? undefined : object.status?.sourceVerificationMode);
  return {
    ...rest,
    conditions: readyConditions(verifiedStatus(object, outcome.verified, stamp), outcome.artifact.revision, stamp),
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

/** The object with the condition SourceVerified as a pass left it. */
function verifiedStatus(object: GitRepository, verified: Verified | undefined, stamp: ConditionStamp): GitRepository {
  if (verified === undefined) return object;
  const text = { reason: reasons.succeeded, message: verified.message };
  const conditions = setCondition(
    object.status?.conditions,
    { type: 'SourceVerified', status: 'True', ...text },
    stamp,
  );
  return { ...object, status: { ...object.status, conditions } };
}

/** The conditions of a repository whose artifact is stored and up to date. */
function readyConditions(object: GitRepository, revision: string, stamp: ConditionStamp): readonly Condition[] {
  const gone = [...FAILURES, 'ArtifactOutdated', 'Stalled', 'Reconciling'];
  if (object.spec.verify === undefined) gone.push('SourceVerified');
  const clean = deleteCondition(object.status?.conditions, ...gone);
  const message = `stored artifact for revision '${revision}'`;
  const text = { reason: reasons.succeeded, message };
  return summarized(setCondition(clean, { type: 'ArtifactInStorage', status: 'True', ...text }, stamp), stamp);
}

function summarized(conditions: readonly Condition[], stamp: ConditionStamp): readonly Condition[] {
  const refused = conditions.find((condition) => condition.type === 'SourceVerified' && condition.status === 'False');
  // A signature that does not verify overrides whatever else is the case (flux.md §1.3).
  const ready =
    refused === undefined
      ? summarizeReady(conditions, { priority: PRIORITY, negative: NEGATIVE })
      : { ...refused, type: 'Ready' };
  return ready === undefined ? conditions : setCondition(conditions, ready, stamp);
}

function concludeFailure(
  object: GitRepository,
  error: ReconcileError,
  stamp: ConditionStamp,
): Conclusion<GitRepositoryStatus> {
  // The failure of the pass before is over, unless it is this one again.
  const before = deleteCondition(object.status?.conditions, ...FAILURES.filter((type) => type !== error.condition));
  const failed = failureConditions(before, error, stamp, NEGATIVE);
  const conditions = error.retry === 'stalled' ? failed : markRetrying(failed, 'building artifact', stamp);
  const event = failureEvent(error, metadataOf(object, object.status?.artifact?.revision, undefined));
  return {
    status: { ...object.status, conditions: summarized(relabel(conditions, stamp), stamp) },
    // Waiting is nothing to be notified of (flux.md §1.4).
    events: event === undefined ? [] : [error.retry === 'waiting' ? { ...event, local: true } : event],
    requeue: failureRequeue(error, { waitingMs: 30_000 }),
    log: { reason: error.reason },
  };
}

/** A pass that failed before anything was stored says so in Flux's words. */
function relabel(conditions: readonly Condition[], stamp: ConditionStamp): readonly Condition[] {
  const reconciling = conditions.find((condition) => condition.type === 'Reconciling');
  if (reconciling === undefined || reconciling.message !== 'Reconciliation in progress') return conditions;
  return setCondition(conditions, { ...reconciling, message: 'building artifact' }, stamp);
}

function recovered(object: GitRepository): boolean {
  return FAILURES.some((type) => isTrue(object.status?.conditions, type));
}

function recoveryEvent(object: GitRepository, revision: string): EventDraft {
  return {
    type: 'Normal',
    reason: reasons.succeeded,
    message: `stored artifact for commit '${revision}'`,
    metadata: metadataOf(object, revision, object.status?.artifact?.digest),
  };
}

function metadataOf(
  object: GitRepository,
  revision: string | undefined,
  digest: string | undefined,
): Readonly<Record<string, string>> {
  const own = Object.entries(object.metadata.annotations ?? {}).filter(([key]) => key.startsWith(eventMetadataPrefix));
  return {
    ...Object.fromEntries(own),
    ...(revision === undefined ? {} : { [`${gitRepositoryKind.group}/revision`]: revision }),
    ...(digest === undefined ? {} : { [`${gitRepositoryKind.group}/digest`]: digest }),
  };
}
