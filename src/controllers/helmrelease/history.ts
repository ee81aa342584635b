// Owns status.history: what is remembered of each revision of a release, and what can be rolled back to (helm.md §21.6).
import type { HelmReleaseStatus, Snapshot, TestHookStatus } from '../../api/helm/helmrelease.ts';
import { digestRelease, digestValues } from '../../engines/helm/release/digest.ts';
import type { ReleaseRecord } from '../../engines/helm/release/record.ts';
import { formatTime, parseTime } from '../../lib/time.ts';

type History = readonly Snapshot[];

const FORM = 'v2';
const MAX_HISTORY = 5;

/** What is remembered of a revision. */
export function toSnapshot(release: ReleaseRecord, ociDigest: string, action?: Snapshot['action']): Snapshot {
  const { first_deployed, last_deployed, deleted, status } = release.info;
  const { name, version, appVersion } = release.chart.metadata as Record<string, string | undefined>;
  return {
    apiVersion: FORM,
    digest: digestRelease(release, ociDigest),
    name: release.name,
    namespace: release.namespace,
    version: release.version,
    status,
    ...(action === undefined ? {} : { action }),
    chartName: name ?? '',
    chartVersion: version ?? '',
    ...(appVersion === undefined ? {} : { appVersion }),
    configDigest: digestValues(release.config),
    firstDeployed: wholeSeconds(first_deployed),
    lastDeployed: wholeSeconds(last_deployed),
    ...(deleted === undefined ? {} : { deleted: wholeSeconds(deleted) }),
    ...(ociDigest === '' ? {} : { ociDigest }),
  };
}

function wholeSeconds(time: string | undefined): string {
  return formatTime(parseTime(time) ?? 0);
}

export function latestOf(status: HelmReleaseStatus): Snapshot | undefined {
  return sorted(status.history ?? [])[0];
}

/** The newest revision before the latest that was good: what a rollback goes back to. */
export function previousOf(status: HelmReleaseStatus, ignoreTests: boolean): Snapshot | undefined {
  return sorted(status.history ?? [])
    .slice(1)
    .find((snapshot) => isGood(snapshot, ignoreTests));
}

/** The history down to the previous good revision; five entries when there is none. */
export function truncated(history: History, ignoreTests: boolean): History {
  const newestFirst = sorted(history);
  const good = newestFirst.slice(1).findIndex((snapshot) => isGood(snapshot, ignoreTests));
  return newestFirst.slice(0, good < 0 ? MAX_HISTORY : good + 2);
}

function isGood(snapshot: Snapshot, ignoreTests: boolean): boolean {
  const ended = snapshot.status === 'deployed' || snapshot.status === 'superseded';
  return ended && (ignoreTests || !hasFailedTest(snapshot));
}

/** The history with the release as it is now: its entry is renewed, or added when there is none. */
export function recorded(
  history: History,
  release: ReleaseRecord,
  ociDigest: string,
  action?: Snapshot['action'],
): History {
  const known = history.find((snapshot) => targets(snapshot, release));
  const entry = toSnapshot(release, known?.ociDigest ?? ociDigest, action ?? known?.action);
  if (known === undefined) return sorted([entry, ...history]);
  const renewed = known.testHooks === undefined ? entry : { ...entry, testHooks: known.testHooks };
  return history.map((snapshot) => (snapshot === known ? renewed : snapshot));
}

/** The same where only entries that are there already are renewed. */
export function renewed(history: History, release: ReleaseRecord): History {
  return history.some((snapshot) => targets(snapshot, release)) ? recorded(history, release, '') : history;
}

/** The history with what came of the tests of the latest revision. */
export function withTests(history: History, release: ReleaseRecord): History {
  return recorded(history, release, '').map((snapshot) =>
    targets(snapshot, release) ? { ...snapshot, testHooks: testHooksOf(release) } : snapshot,
  );
}

function testHooksOf(release: ReleaseRecord): Readonly<Record<string, TestHookStatus>> {
  const tests = release.hooks.filter((hook) => hook.events.includes('test'));
  return Object.fromEntries(
    tests.map(({ name, last_run: { started_at, completed_at, phase } }) => [
      name,
      {
        ...(started_at === undefined ? {} : { lastStarted: wholeSeconds(started_at) }),
        ...(completed_at === undefined ? {} : { lastCompleted: wholeSeconds(completed_at) }),
        ...(phase === '' ? {} : { phase }),
      },
    ]),
  );
}

export function targets(snapshot: Snapshot, release: Pick<ReleaseRecord, 'name' | 'namespace' | 'version'>): boolean {
  return (
    snapshot.name === release.name && snapshot.namespace === release.namespace && snapshot.version === release.version
  );
}

/** True when the stored release is the one that was seen: nobody else has changed it. */
export function isAsSeen(snapshot: Snapshot, release: ReleaseRecord): boolean {
  if (!targets(snapshot, release)) return false;
  if (snapshot.apiVersion !== FORM) return true;
  return snapshot.digest === digestRelease(release, snapshot.ociDigest);
}

/** True when the tests ran to their end: all succeeded, or one failed. */
export function isTested(snapshot: Snapshot): boolean {
  if (snapshot.testHooks === undefined) return false;
  return hasFailedTest(snapshot) || Object.values(snapshot.testHooks).every((hook) => hook.phase === 'Succeeded');
}

export function hasFailedTest(snapshot: Snapshot): boolean {
  return Object.values(snapshot.testHooks ?? {}).some((hook) => hook.phase === 'Failed');
}

function sorted(history: History): History {
  return [...history].sort((a, b) => b.version - a.version);
}
