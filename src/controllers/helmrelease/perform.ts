// Owns doing one action and saying how it went: conditions, counts of failures, history, events (helm.md §21.4, §21.5).
import { helmReleaseReasons as reasons, type Snapshot } from '../../api/helm/helmrelease.ts';
import type { CrdFile } from '../../engines/helm/chart.ts';
import { digestCommonMetadata } from '../../engines/helm/release/digest.ts';
import { isPending, type ReleaseRecord, withStatus } from '../../engines/helm/release/record.ts';
import { formatDurationMs } from '../../lib/duration.ts';
import { errorCode, errorMessage } from '../../lib/errors.ts';
import { referenceOf } from '../../objects/manifest.ts';
import { toInventoryEntry } from '../../plan/inventory.ts';
import type { ActionContext } from './actions/context.ts';
import { crdsOf } from './actions/crds.ts';
import { parseObjects, resolveObjects } from './actions/objects.ts';
import { install, type ReleaseInput, upgrade } from './actions/release.ts';
import { rollback } from './actions/rollback.ts';
import { test } from './actions/test.ts';
import { uninstall } from './actions/uninstall.ts';
import { correctDrift } from './drift.ts';
import { isTested, latestOf, previousOf, recorded, renewed, targets, withTests } from './history.ts';
import { originNameLabel, originNamespaceLabel } from './ports.ts';
import { describe, type EventSubject, endReasons, fullName, released, remediated, testSuccess } from './report.ts';
import type { Run } from './run.ts';
import { type ActionName, actionTimeoutMs, activeRemediation, ignoresTestFailures, retryMs } from './settings.ts';
import { postRenderersDigest } from './state.ts';
import { ReleaseStore } from './storage.ts';
import type { Steps } from './wait.ts';

/** Does an action. Answers the error when it changed nothing that is stored: then it is simply tried again. */
export async function* perform(run: Run, action: ActionName): Steps<Error | undefined> {
  switch (action) {
    case 'install':
    case 'upgrade':
      return yield* performRelease(run, action);
    case 'rollback':
      return yield* performRollback(run);
    case 'uninstall':
      return yield* performUninstall(run, remediated);
    case 'test':
      return yield* performTest(run);
    case 'unlock':
      return unlock(run);
    case 'correct':
      await correctDrift(run);
      return undefined;
    default:
      return action satisfies never;
  }
}

async function* performRelease(run: Run, action: 'install' | 'upgrade'): Steps<Error | undefined> {
  const { report, object, chart, target, ports } = run;
  report.set({ lastAttemptedReleaseAction: action, ...(action === 'install' ? { history: [] } : {}) });
  report.unmark(...(action === 'install' ? [remediated] : [testSuccess, remediated]));
  const { context, stores } = contextOf(run, action);
  const startedMs = ports.clock.now();
  let crds: readonly CrdFile[] = [];
  let failure: Error | undefined;
  try {
    crds = yield* (action === 'install' ? install : upgrade)(context, inputOf(run));
  } catch (error) {
    failure = toError(error);
  }
  const took = formatDurationMs(Math.max(Math.round((ports.clock.now() - startedMs) / 1000) * 1000, 0));
  report.set({ lastAttemptedReleaseActionDuration: took });
  recordAll(run, stores, action);
  if (failure === undefined) {
    await recordInventory(run, crds);
    sayReleased(run, action);
    return undefined;
  }
  const canceled = isCanceled(failure);
  const reason = canceled ? reasons.healthCheckCanceled : endReasons[action].bad;
  const what = `release ${target.namespace}/${target.name} with chart ${chart.name}@${chart.version}`;
  const message = `Helm ${action} failed for ${what}: ${errorMessage(failure).trim()}`;
  report.set({ failures: (report.status.failures ?? 0) + 1 });
  report.mark(released, 'False', reason, message);
  report.emit('Warning', reason, withLogs(message, run), subjectOf(run));
  report.summarize();
  if (stores.size === 0) return failure;
  // A failure that was cut short says nothing of the release: it is not counted.
  const field = action === 'install' ? 'installFailures' : 'upgradeFailures';
  if (!canceled) report.set({ [field]: (report.status[field] ?? 0) + 1 });
  if (object.spec?.upgrade?.cleanupOnFail === true) run.logs.push('cleaned up what the failed action had created');
  return undefined;
}

function sayReleased(run: Run, action: 'install' | 'upgrade'): void {
  const { report, object } = run;
  const latest = latestOf(report.status)!;
  const message = `Helm ${action} succeeded for ${describe(latest)}`;
  report.mark(released, 'True', endReasons[action].good, message);
  if (object.spec?.test?.enable === true && !isTested(latest)) {
    const pending = `Helm ${describe(latest)} is awaiting tests`;
    report.mark(testSuccess, 'Unknown', reasons.awaitingTests, pending);
  }
  if (retryMs(object.spec!, action) !== undefined) clearFailures(run);
  report.set({
    observedPostRenderersDigest: postRenderersDigest(object.spec!),
    observedCommonMetadataDigest: digestCommonMetadata(object.spec?.commonMetadata),
  });
  report.emit('Normal', endReasons[action].good, message, subjectOfSnapshot(latest));
  report.summarize();
}

export function clearFailures({ report }: Pick<Run, 'report'>): void {
  const { failures: _all, installFailures: _installs, upgradeFailures: _upgrades, ...rest } = report.status;
  report.status = rest;
}

async function* performRollback(run: Run): Steps<Error | undefined> {
  const { report, object } = run;
  const previous = previousOf(report.status, ignoresTestFailures(object.spec!, report.status));
  if (previous === undefined) return new Error('missing target release for rollback: required to rollback');
  const { context, stores } = contextOf(run, 'rollback');
  const what = `Helm rollback to previous ${describe(previous)}`;
  try {
    yield* rollback(context, previous.version);
  } catch (error) {
    recordAll(run, stores, 'rollback');
    const message = `${what} failed: ${errorMessage(error).trim()}`;
    report.set({ failures: (report.status.failures ?? 0) + 1 });
    report.mark(remediated, 'False', reasons.rollbackFailed, message);
    report.emit('Warning', reasons.rollbackFailed, withLogs(message, run), subjectOfSnapshot(previous));
    report.summarize();
    return stores.size === 0 ? toError(error) : undefined;
  }
  recordAll(run, stores, 'rollback');
  const message = `${what} succeeded`;
  report.mark(remediated, 'True', reasons.rollbackSucceeded, message);
  report.emit('Normal', reasons.rollbackSucceeded, message, subjectOfSnapshot(previous));
  await recordInventory(run, []);
  report.summarize();
  return undefined;
}

/** Uninstalls as remediation of a failed release, or because the release is to go: the condition says which. */
export async function* performUninstall(
  run: Pick<Run, 'report' | 'object' | 'ports' | 'target' | 'client' | 'store' | 'logs'>,
  condition: typeof remediated | typeof released,
): Steps<Error | undefined> {
  const { report, object } = run;
  const latest = latestOf(report.status);
  if (latest === undefined) return new Error('no latest release: required to uninstall');
  const isRemedy = condition === remediated;
  const action = isRemedy ? 'uninstall-remediation' : 'uninstall';
  const { context, stores } = contextOf(run, 'uninstall');
  const about = `${describe(latest)}`;
  try {
    const end = yield* uninstall(context);
    recordAll(run, stores, action);
    if (end !== 'done' && !isRemedy) {
      const words = end === 'not found' ? 'was not found, assuming it is uninstalled' : 'was already uninstalled';
      report.mark(condition, 'False', reasons.uninstallSucceeded, `Release ${fullName(latest)} ${words}`);
      report.summarize();
      return undefined;
    }
  } catch (error) {
    recordAll(run, stores, action);
    const why = errorMessage(error).trim();
    const message = isRemedy
      ? `Helm uninstall remediation for ${about} failed: ${why}`
      : `Helm uninstall failed for ${about}: ${why}`;
    report.set({ failures: (report.status.failures ?? 0) + 1 });
    report.mark(condition, 'False', reasons.uninstallFailed, message);
    report.emit('Warning', reasons.uninstallFailed, withLogs(message, run), subjectOfSnapshot(latest));
    report.summarize();
    return isRemedy && stores.size > 0 ? undefined : toError(error);
  }
  const message = isRemedy
    ? `Helm uninstall remediation for ${about} succeeded`
    : `Helm uninstall succeeded for ${about}`;
  report.mark(condition, isRemedy ? 'True' : 'False', reasons.uninstallSucceeded, message);
  report.emit('Normal', reasons.uninstallSucceeded, message, subjectOfSnapshot(latest));
  if (object.spec?.uninstall?.keepHistory !== true) report.set({ inventory: undefined as never });
  report.summarize();
  return undefined;
}

async function* performTest(run: Run): Steps<Error | undefined> {
  const { report } = run;
  const latest = latestOf(report.status)!;
  const { context, stores } = contextOf(run, 'test');
  let failure: Error | undefined;
  try {
    yield* test(context);
  } catch (error) {
    failure = toError(error);
  }
  for (const release of stores.values()) {
    if (targets(latest, release)) report.set({ history: withTests(report.status.history ?? [], release) });
  }
  const tested = latestOf(report.status)!;
  if (failure !== undefined) {
    const message = `Helm test failed for ${describe(latest)}: ${errorMessage(failure).trim()}`;
    report.set({ failures: (report.status.failures ?? 0) + 1 });
    report.mark(testSuccess, 'False', reasons.testFailed, message);
    report.emit('Warning', reasons.testFailed, message, subjectOfSnapshot(latest));
    if (isTested(tested)) countTestFailure(run);
    report.summarize();
    return isTested(tested) ? undefined : failure;
  }
  const count = Object.keys(tested.testHooks ?? {}).length;
  const hooks = `${count} test hook${count > 1 ? 's' : ''} completed successfully`;
  const message = `Helm test succeeded for ${describe(latest)}: ${count === 0 ? 'no test hooks' : hooks}`;
  report.mark(testSuccess, 'True', reasons.testSucceeded, message);
  report.emit('Normal', reasons.testSucceeded, message, subjectOfSnapshot(latest));
  report.summarize();
  return undefined;
}

function countTestFailure({ report, object }: Run): void {
  const action = report.status.lastAttemptedReleaseAction;
  const remediation = activeRemediation(object.spec!, report.status);
  if (action === undefined || remediation === undefined || remediation.ignoreTestFailures) return;
  const field = action === 'install' ? 'installFailures' : 'upgradeFailures';
  report.set({ [field]: (report.status[field] ?? 0) + 1 });
}

/** A release whose action was cut off by the death of its process: it counts as failed from here on. */
async function unlock(run: Run): Promise<Error | undefined> {
  const { report, store } = run;
  const release = await store.last();
  if (release === undefined || !isPending(release.info.status)) return undefined;
  const stale = release.info.status;
  const failed = withStatus(release, 'failed', `Release unlocked from stale '${stale}' state`);
  const [snapshot] = recorded([], failed, '');
  const name = `Helm ${describe(snapshot!)}`;
  try {
    await store.update(failed);
  } catch (error) {
    const message = `Unlock of ${name} in ${stale} state failed: ${errorMessage(error)}`;
    report.set({ failures: (report.status.failures ?? 0) + 1 });
    report.mark(released, 'False', reasons.pendingRelease, message);
    report.emit('Warning', reasons.pendingRelease, message, subjectOfSnapshot(snapshot!));
    report.summarize();
    return toError(error);
  }
  report.set({ history: renewed(report.status.history ?? [], failed) });
  const message = `Unlocked ${name} in ${stale} state`;
  report.mark(released, 'False', reasons.pendingRelease, message);
  report.emit('Normal', reasons.pendingRelease, message, subjectOfSnapshot(snapshot!));
  report.summarize();
  return undefined;
}

/** Uninstalls the release from where it was when its name, namespace or chart has changed. True when it did. */
export async function* removeOldTarget(run: Run): Steps<boolean> {
  const { report, target, chart, object } = run;
  const latest = latestOf(report.status);
  const stored = report.status.storageNamespace;
  if (latest === undefined || stored === undefined) return false;
  const reinstalls = (object.spec?.upgrade?.chartNameChangeStrategy ?? 'Reinstall') === 'Reinstall';
  const moved =
    target.storageNamespace !== stored ||
    target.namespace !== latest.namespace ||
    target.name !== latest.name ||
    (reinstalls && chart.name !== latest.chartName);
  if (!moved) return false;
  const old = { name: latest.name, namespace: latest.namespace, storageNamespace: stored };
  const store = new ReleaseStore({ client: run.client, clock: run.ports.clock, namespace: stored, name: latest.name });
  await store.load();
  const failure = yield* performUninstall({ ...run, target: old, store }, released);
  if (failure !== undefined) throw failure;
  clearFailures(run);
  const { history: _history, storageNamespace: _namespace, inventory: _inventory, ...rest } = report.status;
  report.status = rest;
  return true;
}

/** What an action needs, and the revisions that it stores as it goes. */
function contextOf(
  run: Pick<Run, 'object' | 'ports' | 'target' | 'client' | 'store' | 'logs'>,
  action: ActionName,
): { readonly context: ActionContext; readonly stores: Map<number, ReleaseRecord> } {
  const { object, ports, target, client, store, logs } = run;
  const spec = object.spec!;
  const stores = new Map<number, ReleaseRecord>();
  const context: ActionContext = {
    spec,
    target,
    client,
    store,
    clock: ports.clock,
    deadlineMs: ports.clock.now() + actionTimeoutMs(spec, action),
    originLabels: originLabels(run),
    stored: (release) => stores.set(release.version, release),
    log: (line) => {
      logs.push(line);
      if (logs.length > 10) logs.shift();
    },
  };
  return { context, stores };
}

function originLabels({ object }: Pick<Run, 'object'>): Readonly<Record<string, string>> {
  const { name, namespace = '' } = object.metadata;
  return { [originNameLabel]: name, [originNamespaceLabel]: namespace };
}

function inputOf(run: Run): ReleaseInput {
  const { object, ports, client, target, artifact, sourceKind, chart } = run;
  const spec = object.spec!;
  return {
    values: run.values,
    render: async (values, revision, isUpgrade) => {
      const { postRenderers = [], postRenderStrategy, commonMetadata } = spec;
      const action = isUpgrade ? spec.upgrade : spec.install;
      const request = {
        chart: { path: await ports.chartPath(sourceKind, artifact), digest: artifact.digest ?? '' },
        chartVersion: chart.version,
        values,
        release: { name: target.name, namespace: target.namespace, revision, isUpgrade },
        capabilities: await ports.capabilities(client),
        skipSchemaValidation: action?.disableSchemaValidation === true,
        postRender: {
          renderers: postRenderers as never,
          ...(postRenderStrategy === undefined ? {} : { strategy: postRenderStrategy }),
          ...(commonMetadata === undefined ? {} : { commonMetadata }),
          originLabels: originLabels(run),
        },
      };
      return ports.renderer.renderChart(request, {
        signal: new AbortController().signal,
        timeoutMs: actionTimeoutMs(spec, isUpgrade ? 'upgrade' : 'install'),
        lookup: (wanted) => ports.lookup(client, wanted),
        warn: (text) => run.logs.push(text),
      });
    },
  };
}

/** Notes what an action has stored: the newest as a new entry, the others where they are known. */
function recordAll(
  run: Pick<Run, 'report'> & Partial<Pick<Run, 'ociDigest'>>,
  stores: ReadonlyMap<number, ReleaseRecord>,
  action: NonNullable<Snapshot['action']>,
): void {
  const { report, ociDigest = '' } = run;
  const newestFirst = [...stores.values()].sort((a, b) => b.version - a.version);
  for (const [index, release] of newestFirst.entries()) {
    const history = report.status.history ?? [];
    const isUninstall = action === 'uninstall' || action === 'uninstall-remediation';
    const next =
      index === 0 && !isUninstall ? recorded(history, release, ociDigest, action) : renewed(history, release);
    report.set({ history: next });
  }
}

async function recordInventory(run: Run, crds: readonly CrdFile[]): Promise<void> {
  const { report, store, target, client } = run;
  const release = await store.last();
  if (release === undefined) return;
  const objects = await resolveObjects(parseObjects(release.manifest), target, client);
  const entries = [...crdsOf(crds), ...objects].map((object) => toInventoryEntry(referenceOf(object)));
  report.set({ inventory: { entries } });
}

function subjectOf({ chart, inputs, ociDigest }: Run): EventSubject {
  return { chartVersion: chart.version, configDigest: inputs.configDigest, appVersion: chart.appVersion, ociDigest };
}

function subjectOfSnapshot(snapshot: Snapshot): EventSubject {
  const { chartVersion, configDigest, appVersion, ociDigest } = snapshot;
  return { chartVersion, configDigest, appVersion, ociDigest };
}

function withLogs(message: string, { logs }: Pick<Run, 'logs'>): string {
  return logs.length === 0 ? message : `${message}\n\nLast Helm logs:\n\n${logs.join('\n')}`;
}

function isCanceled(error: unknown): boolean {
  return errorCode(error) === 'HealthCheckCanceled';
}

function toError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
