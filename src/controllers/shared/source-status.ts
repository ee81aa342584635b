// Owns the status that all kinds of sources end a pass with: conditions, Ready as their summary, events, the next run
// (flux.md §1.3, §1.4). What a kind's messages are is its conclude.ts.
import type { Condition } from '../../api/meta/condition.ts';
import { inheritedEventMetadata } from '../../api/meta/event-metadata.ts';
import type { ObjectMeta } from '../../api/meta/object.ts';
import { type SourceStatus, sourceReasons } from '../../api/source/source-object.ts';
import { sourceGroup } from '../../api/source/source-schema.ts';
import {
  type ConditionStamp,
  deleteCondition,
  isTrue,
  markRetrying,
  setCondition,
  summarizeReady,
} from '../../runtime/conditions.ts';
import type { Conclusion, Requeue, Result } from '../../runtime/controller.ts';
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

/** What a kind says of a pass that went well. */
interface SourceReport<Status extends SourceStatus> {
  /** The whole status but for conditions. */
  readonly status: Status | undefined;
  /** What ArtifactInStorage says. */
  readonly stored: ConditionText;
  /** What SourceVerified says. @default 'not asked' */
  readonly verified?: ConditionText | 'as before' | 'not asked';
  /** What is told of a new artifact, and of the old one after a failure. */
  readonly event: ConditionText;
  readonly requeue: Requeue;
}

/** What a kind's own conclusion is made of. */
interface SourceConclusion<Source, Outcome, Status extends SourceStatus> {
  readonly rules: SourceRules;
  /** `isNew`: whether another artifact than before is in the storage. */
  report(object: Source, outcome: Outcome, isNew: boolean): SourceReport<Status>;
}

/** How an outcome tells of a new artifact. */
type SourceOutcome = { readonly type: 'nothing' } | { readonly type: 'stored'; readonly isNew: boolean };

/** `conclude` of a kind of source: the conditions, an event when there is news, the next run. */
export function sourceConclusion<
  Source extends ConcludedSource<Status>,
  Outcome extends SourceOutcome,
  Status extends SourceStatus,
>({ rules, report }: SourceConclusion<Source, Outcome, Status>) {
  return (object: Source, result: Result<Outcome>, nowMs: number): Conclusion<Status> => {
    const stamp = { generation: object.metadata.generation ?? 0, nowMs };
    if ('error' in result) return concludeSourceFailure(object, result.error, rules, stamp);
    const { outcome } = result;
    const isNew = outcome.type === 'stored' && outcome.isNew;
    const { status, stored, verified = 'not asked', event, requeue } = report(object, outcome, isNew);
    const conditions = storedConditions(object, stored, rules, { stamp, verified });
    const { artifact } = status ?? {};
    const metadata = eventMetadata(object.metadata, artifact?.revision, artifact?.digest);
    return {
      status: { ...status, conditions } as Status,
      events: isNew || hadFailed(object, rules) ? [{ type: 'Normal', ...event, metadata }] : [],
      requeue,
      log: { revision: artifact?.revision ?? '', stored: isNew },
    };
  };
}

/** The event of a kind that has one text for a new artifact and for the recovery of the old one. */
export function artifactEvent(isNew: boolean, message: string): ConditionText {
  return { reason: isNew ? sourceReasons.newArtifact : sourceReasons.succeeded, message };
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
function eventMetadata(metadata: ObjectMeta, revision?: string, digest?: string): Record<string, string> {
  return {
    ...inheritedEventMetadata(metadata),
    ...(revision === undefined ? {} : { [`${sourceGroup}/revision`]: revision }),
    ...(digest === undefined ? {} : { [`${sourceGroup}/digest`]: digest }),
  };
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
