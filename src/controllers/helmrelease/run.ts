// Owns the loop of one release: name its state, choose one action, do it, until nothing is left (helm.md §21.4). A run
// lives across passes: where it waits it yields, and a later pass goes on with it.
import { type ChartReference, type HelmRelease, helmReleaseReasons as reasons } from '../../api/helm/helmrelease.ts';
import type { Artifact } from '../../api/meta/artifact.ts';
import type { DynamicClient } from '../../cluster/client.ts';
import { digestCommonMetadata } from '../../engines/helm/release/digest.ts';
import { formatDurationMs } from '../../lib/duration.ts';
import { errorMessage } from '../../lib/errors.ts';
import type { JsonObject } from '../../lib/json.ts';
import { type ActionKind, chooseAction, type KnownState, kindOf, type RollbackTarget } from './choose.ts';
import { type Difference, detectDrift } from './drift.ts';
import { isAsSeen, latestOf, previousOf, truncated } from './history.ts';
import { perform, removeOldTarget } from './perform.ts';
import type { ChartIdentity, HelmReleasePorts } from './ports.ts';
import { chartLabel, drifted, fullName, Report, released, remediated } from './report.ts';
import {
  type ActionName,
  actionTimeoutMs,
  activeRemediation,
  driftMode,
  ignoresTestFailures,
  type ReleaseTarget,
  retryMs,
} from './settings.ts';
import { determineState, postRenderersDigest } from './state.ts';
import type { ReleaseStore } from './storage.ts';
import type { RunEnd, RunInputs } from './types.ts';
import type { Steps, Wait } from './wait.ts';

/** What a run is made of. */
export interface RunSetup {
  readonly key: string;
  readonly object: HelmRelease;
  readonly ports: HelmReleasePorts;
  readonly inputs: RunInputs;
  readonly client: DynamicClient;
  readonly target: ReleaseTarget;
  readonly artifact: Artifact;
  readonly sourceKind: ChartReference['kind'];
  readonly chart: ChartIdentity;
  /** Digest of the OCI artifact of the chart; '' for other sources. */
  readonly ociDigest: string;
  readonly values: JsonObject;
  readonly store: ReleaseStore;
  /** A force annotation that is not handled yet. */
  readonly forced: boolean;
}

/** A run and what it is doing. */
export interface Run extends RunSetup {
  readonly report: Report;
  readonly steps: Steps<RunEnd>;
  /** What it waits for; undefined while it works. */
  wait: Wait | undefined;
  /** What the last look for drift found, to be put back. */
  differences: readonly Difference[];
  /** Lines of Helm's log, newest last. */
  readonly logs: string[];
}

/** What going on with steps needs of a run. */
export type RunInSteps = Pick<Run, 'key' | 'object' | 'client' | 'steps' | 'wait'>;

/** Begins a run; nothing happens before its first step. */
export function startRun(setup: RunSetup, report = new Report(setup.object, setup.ports.clock)): Run {
  const run: Omit<Run, 'steps'> & { steps?: Run['steps'] } = {
    ...setup,
    report,
    wait: undefined,
    differences: [],
    logs: [],
  };
  run.steps = reconcileRelease(run as Run);
  return run as Run;
}

async function* reconcileRelease(run: Run): Steps<RunEnd> {
  const { report, object } = run;
  const spec = object.spec!;
  const done = new Set<ActionKind>();
  let { forced } = run;
  if (yield* removeOldTarget(run)) return { requeue: 'now' };
  for (;;) {
    const state = await observeState(run);
    if (state.is === 'unmanaged') report.set({ history: [] });
    if (state.is === 'in sync' || state.is === 'untested' || state.is === 'drifted') settleHistory(run);
    const rollbackTarget = await checkRollbackTarget(run);
    const choice = chooseAction(state, { spec, status: report.status, forced, rollbackTarget });
    // One request forces one action.
    forced = false;
    switch (choice.do) {
      case 'nothing':
        return inSync(run);
      case 'fail': {
        const text = `Could not determine release state: ${choice.problem}`;
        report.mark('Ready', 'False', reasons.stateError, text);
        return { requeue: 'backoff', problem: text };
      }
      case 'stall':
        return stall(run, choice.stall);
      case 'act': {
        const kind = kindOf(choice.action);
        if (done.has(kind)) return pause(run);
        // What is older than the revision to go back to is of no use any more.
        if (kind === 'remediation') truncateHistory(run);
        announce(run, choice.action);
        const failure = yield* perform(run, choice.action);
        if (failure !== undefined) {
          if (report.isTrue('Ready')) report.mark('Ready', 'False', reasons.reconcileError, errorMessage(failure));
          return { requeue: 'backoff', problem: errorMessage(failure) };
        }
        if (kind === 'remediation') return afterRemediation(run);
        done.add(kind);
        break;
      }
      default:
        return choice satisfies never;
    }
  }
}

async function observeState(run: Run): Promise<KnownState> {
  const { object, report, chart, store, values } = run;
  const mode = driftMode(object);
  const state = determineState({
    spec: object.spec!,
    status: report.status,
    generation: object.metadata.generation ?? 0,
    stored: await store.last(),
    chart,
    values,
    looksForDrift: mode !== 'disabled',
  });
  if (mode === 'disabled') report.unmark(drifted);
  if (state.is !== 'drift unknown') return state;
  run.differences = await detectDrift(run);
  return run.differences.length > 0 ? { is: 'drifted', correct: mode === 'enabled' } : { is: 'in sync' };
}

/** Whether what a rollback would go back to is stored as it was seen. */
async function checkRollbackTarget({ object, report, store }: Run): Promise<RollbackTarget> {
  const previous = previousOf(report.status, ignoresTestFailures(object.spec!, report.status));
  if (previous === undefined) return 'missing';
  const stored = await store.get(previous.version);
  return stored !== undefined && isAsSeen(previous, stored) ? 'as seen' : 'altered';
}

/** Drops what is older than the last good revision; what a rollback has brought in sync counts as upgraded. */
function settleHistory(run: Run): void {
  const { report } = run;
  truncateHistory(run);
  const latest = latestOf(report.status);
  if (latest === undefined || !report.isTrue(remediated)) return;
  report.unmark(remediated);
  const message = `Helm upgrade succeeded for release ${fullName(latest)} with chart ${chartLabel(latest)}`;
  report.mark(released, 'True', reasons.upgradeSucceeded, message);
}

function truncateHistory({ object, report }: Run): void {
  const { status } = report;
  report.set({ history: truncated(status.history ?? [], ignoresTestFailures(object.spec!, status)) });
}

function inSync(run: Run): RunEnd {
  const { report } = run;
  const latest = latestOf(report.status);
  report.unmark('Reconciling');
  report.set({
    ...observedDigests(run),
    ...(latest === undefined ? {} : { lastAppliedRevision: latest.chartVersion }),
  });
  report.summarize();
  return { requeue: 'interval' };
}

/** The digests of what changes objects without being values. */
function observedDigests({ object }: Run): object {
  const { spec } = object;
  return {
    observedPostRenderersDigest: postRenderersDigest(spec!) || undefined,
    observedCommonMetadataDigest: digestCommonMetadata(spec?.commonMetadata) || undefined,
  };
}

function stall(run: Run, why: 'retries exceeded' | 'missing rollback target'): RunEnd {
  const { report } = run;
  report.summarize();
  if (why === 'retries exceeded') {
    const text = retriesExceededText(run);
    report.stalled(reasons.retriesExceeded, text);
    return { requeue: 'none', problem: text };
  }
  const problem = 'missing target release for rollback: cannot remediate failed release';
  report.stalled(reasons.missingRollbackTarget, `Failed to perform remediation: ${problem}`);
  return { requeue: 'none', problem };
}

function retriesExceededText({ object, report }: Run): string {
  const failures = activeRemediation(object.spec!, report.status)?.failures ?? 0;
  return `Failed to ${report.status.lastAttemptedReleaseAction} after ${failures} attempt(s)`;
}

/** The action of this kind ran already: it is tried again in another pass. */
function pause(run: Run): RunEnd {
  const { report, object } = run;
  const { spec } = object;
  const retryAfterMs = retryMs(spec!, report.status.lastAttemptedReleaseAction);
  if (retryAfterMs !== undefined) {
    const text = `retrying after ${formatDurationMs(retryAfterMs)}`;
    report.reconciling(reasons.progressingWithRetry, text);
    return { requeue: 'after', ms: retryAfterMs };
  }
  if (activeRemediation(spec!, report.status)?.exhausted === true) {
    report.unmark('Reconciling');
    return { requeue: 'interval' };
  }
  report.reconciling(reasons.progressingWithRetry, report.message('Ready'));
  return { requeue: 'backoff' };
}

function afterRemediation(run: Run): RunEnd {
  const { report, object } = run;
  if (activeRemediation(object.spec!, report.status)?.exhausted !== true) {
    report.reconciling(reasons.progressingWithRetry, report.message('Ready'));
    return { requeue: 'backoff' };
  }
  const text = retriesExceededText(run);
  report.stalled(reasons.retriesExceeded, text);
  return { requeue: 'none', problem: text };
}

/** Says which action runs, for whoever looks while it waits. */
function announce({ object, report }: Run, action: ActionName): void {
  const name = action === 'correct' ? 'correct cluster drift' : action;
  const timeout = formatDurationMs(actionTimeoutMs(object.spec!, action));
  const text = `Running '${name}' action with timeout of ${timeout}`;
  report.reconciling(reasons.progressing, text);
  if (kindOf(action) === 'release') report.mark('Ready', 'Unknown', reasons.progressing, text);
}
