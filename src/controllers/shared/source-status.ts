// Owns the status that all kinds of sources end a pass with: conditions, Ready as their summary, events, the next run
// (flux.md §1.3, §1.4). What a kind's messages are is its conclude.ts.
import type { Artifact } from '../../api/meta/artifact.ts';
import type { Condition } from '../../api/meta/condition.ts';
import { eventMetadataPrefix } from '../../api/meta/keys.ts';
import type { ObjectMeta } from '../../api/meta/object.ts';
import type { SourceStatus } from '../../api/source/source-object.ts';
import { sourceGroup } from '../../api/source/source-schema.ts';
import {
  type ConditionStamp,
  deleteCondition,
  isTrue,
  markRetrying,
  setCondition,
  summarizeReady,
} from '../../runtime/conditions.ts';
import type { Conclusion } from '../../runtime/controller.ts';
import { failureConditions, failureEvent, failureRequeue } from '../../runtime/failure.ts';
import type { ReconcileError } from '../../runtime/reconcile-error.ts';

/** A source as far as its status goes. */
export interface ConcludedSource<Status extends SourceStatus = SourceStatus> {
  readonly metadata: ObjectMeta;
  readonly status?: Status;
}

/** Which conditions a kind has. */
export interface SourceRules {
  /** Conditions that are True when something failed, most important first. */
  readonly failures: readonly string[];
  /** Whether the kind checks signatures. */
  readonly verifies: boolean;
}

/** What a condition says. */
export interface ConditionText {
  readonly reason: string;
  readonly message: string;
}

const PASSING = ['ArtifactOutdated', 'Stalled', 'Reconciling'];

/** The conditions of a source whose artifact is stored and up to date. */
export function storedConditions(
  source: ConcludedSource,
  stored: ConditionText,
  rules: SourceRules,
  { stamp, verified }: { readonly stamp: ConditionStamp; readonly verified: ConditionText | 'as before' | 'not asked' },
): readonly Condition[] {
  const gone = [...rules.failures, ...PASSING, ...(verified === 'not asked' ? ['SourceVerified'] : [])];
  let conditions: readonly Condition[] = deleteCondition(source.status?.conditions, ...gone);
  if (typeof verified === 'object') {
    conditions = setCondition(conditions, { type: 'SourceVerified', status: 'True', ...verified }, stamp);
  }
  return summarized(
    setCondition(conditions, { type: 'ArtifactInStorage', status: 'True', ...stored }, stamp),
    rules,
    stamp,
  );
}

/** The end of a pass that failed. */
export function concludeSourceFailure<Status extends SourceStatus>(
  source: ConcludedSource<Status>,
  error: ReconcileError,
  rules: SourceRules,
  stamp: ConditionStamp,
): Conclusion<Status> {
  // The failure of the pass before is over, unless it is this one again.
  const over = rules.failures.filter((type) => type !== error.condition);
  const failed = failureConditions(
    deleteCondition(source.status?.conditions, ...over),
    error,
    stamp,
    negativeOf(rules),
  );
  const conditions = error.retry === 'stalled' ? failed : markRetrying(failed, 'building artifact', stamp);
  const event = failureEvent(error, eventMetadata(source.metadata, source.status?.artifact?.revision));
  const status = { ...source.status, conditions: summarized(relabel(conditions, stamp), rules, stamp) } as Status;
  return {
    status,
    // Waiting is nothing to be notified of (flux.md §1.4).
    events: event === undefined ? [] : [error.retry === 'waiting' ? { ...event, local: true } : event],
    requeue: failureRequeue(error, { waitingMs: 30_000 }),
    log: { reason: error.reason },
  };
}

/** Whether the pass before left a failure that is over now. */
export function hadFailed(source: ConcludedSource, rules: SourceRules): boolean {
  return rules.failures.some((type) => isTrue(source.status?.conditions, type));
}

/** Metadata of an event: the annotations that are meant for it, and what it is about. */
export function eventMetadata(metadata: ObjectMeta, revision?: string, digest?: string): Record<string, string> {
  const own = Object.entries(metadata.annotations ?? {}).filter(([key]) => key.startsWith(eventMetadataPrefix));
  return {
    ...Object.fromEntries(own),
    ...(revision === undefined ? {} : { [`${sourceGroup}/revision`]: revision }),
    ...(digest === undefined ? {} : { [`${sourceGroup}/digest`]: digest }),
  };
}

/** The same for a stored artifact. */
export function artifactMetadata(metadata: ObjectMeta, artifact: Artifact | undefined): Record<string, string> {
  return eventMetadata(metadata, artifact?.revision, artifact?.digest);
}

function negativeOf(rules: SourceRules): string[] {
  return [...rules.failures, ...PASSING];
}

function summarized(conditions: readonly Condition[], rules: SourceRules, stamp: ConditionStamp): readonly Condition[] {
  const refused = conditions.find(({ type, status }) => type === 'SourceVerified' && status === 'False');
  const { failures, verifies } = rules;
  const [passing, ...last] = PASSING;
  const priority = [...failures, passing!, 'ArtifactInStorage', ...(verifies ? ['SourceVerified'] : []), ...last];
  // A signature that does not verify overrides whatever else is the case (flux.md §1.3).
  const ready =
    refused === undefined
      ? summarizeReady(conditions, { priority, negative: negativeOf(rules) })
      : { ...refused, type: 'Ready' };
  return ready === undefined ? conditions : setCondition(conditions, ready, stamp);
}

/** A pass that failed before anything was stored says so in Flux's words. */
function relabel(conditions: readonly Condition[], stamp: ConditionStamp): readonly Condition[] {
  const reconciling = conditions.find(({ type }) => type === 'Reconciling');
  if (reconciling === undefined || reconciling.message !== 'Reconciliation in progress') return conditions;
  return setCondition(conditions, { ...reconciling, message: 'building artifact' }, stamp);
}
