import { describe, expect, it } from 'vitest';
import type { HelmReleaseSpec, HelmReleaseStatus, Snapshot } from '../../../../src/api/helm/helmrelease.ts';
import { toSnapshot } from '../../../../src/controllers/helmrelease/history.ts';
import { determineState, type StateFacts } from '../../../../src/controllers/helmrelease/state.ts';
import { digestCommonMetadata } from '../../../../src/engines/helm/release/digest.ts';
import type { ReleaseRecord, ReleaseStatus } from '../../../../src/engines/helm/release/record.ts';

function stored(status: ReleaseStatus, change: Partial<ReleaseRecord> = {}): ReleaseRecord {
  return {
    name: 'web',
    namespace: 'apps',
    version: 2,
    info: { first_deployed: '2026-01-01T00:00:00Z', last_deployed: '2026-01-01T00:00:00Z', status },
    chart: { metadata: { name: 'config', version: '1.0.0' } },
    config: { a: 1 },
    manifest: 'kind: A\n',
    hooks: [],
    labels: {},
    ...change,
  };
}

interface Row {
  readonly name: string;
  readonly stored?: ReleaseRecord | undefined;
  /** The release as status.history has it; by default that of storage. */
  readonly seen?: ReleaseRecord | null;
  readonly snapshot?: Partial<Snapshot>;
  readonly status?: HelmReleaseStatus;
  readonly spec?: Partial<HelmReleaseSpec>;
  readonly facts?: Partial<StateFacts>;
  readonly is: string;
  readonly because?: string;
}

const deployed = stored('deployed');
const tests = { test: { enable: true } };
const ran = (phase: string) => ({ testHooks: { check: { phase } } });

const rows: readonly Row[] = [
  { name: 'nothing is stored', stored: undefined, is: 'absent', because: 'no release in storage for object' },
  ...(['pending-install', 'pending-upgrade', 'pending-rollback'] as const).map((status) => ({
    name: `a process died in ${status}`,
    stored: stored(status),
    is: 'locked',
    because: `release with status '${status}'`,
  })),
  {
    name: 'a release of somebody else is stored',
    stored: deployed,
    seen: null,
    is: 'unmanaged',
    because: 'found existing release in storage',
  },
  {
    name: 'an uninstalled release of somebody else is stored',
    stored: stored('uninstalled'),
    seen: null,
    is: 'absent',
    because: 'found uninstalled release in storage',
  },
  {
    name: 'the stored release was changed by others',
    stored: deployed,
    seen: stored('deployed', { manifest: 'kind: B\n' }),
    is: 'unmanaged',
    because: 'release digest verification error',
  },
  {
    name: 'a newer revision was made by others',
    stored: stored('deployed', { version: 3 }),
    seen: deployed,
    is: 'unmanaged',
  },
  {
    name: 'the entry of status is in a form of another controller',
    stored: deployed,
    snapshot: { apiVersion: 'v1', digest: 'sha256:other' },
    is: 'in sync',
  },
  { name: 'the last action failed', stored: stored('failed'), is: 'failed' },
  { name: 'it was uninstalled with its history kept', stored: stored('uninstalled'), is: 'absent' },
  { name: 'an uninstall did not end', stored: stored('uninstalling'), is: 'unknown' },
  { name: 'the newest revision is superseded', stored: stored('superseded'), is: 'unknown' },
  {
    name: 'the chart has another version',
    stored: deployed,
    facts: { chart: { name: 'config', version: '1.1.0' } },
    is: 'out of sync',
    because: 'release chart changed',
  },
  {
    name: 'the chart has another name',
    stored: deployed,
    facts: { chart: { name: 'other', version: '1.0.0' } },
    is: 'out of sync',
  },
  {
    name: 'the values are others',
    stored: deployed,
    facts: { values: { a: 2 } },
    is: 'out of sync',
    because: 'release config values changed',
  },
  {
    name: 'the values say nothing of what is kept',
    stored: stored('deployed', { config: { a: 1, kept: true } }),
    spec: { upgrade: { preserveValues: true } },
    is: 'in sync',
  },
  {
    name: 'the values change what is kept',
    stored: stored('deployed', { config: { a: 1, kept: true } }),
    spec: { upgrade: { preserveValues: true } },
    facts: { values: { kept: false } },
    is: 'out of sync',
    because: 'release config values changed',
  },
  {
    name: 'post-renderers came with a new generation',
    stored: deployed,
    spec: { postRenderers: [{ kustomize: { images: [{ name: 'a', newTag: 'b' }] } }] },
    is: 'out of sync',
    because: 'postrenderers digest changed',
  },
  {
    name: 'the same post-renderers are seen again in the same generation',
    stored: deployed,
    spec: { postRenderers: [{ kustomize: { images: [{ name: 'a', newTag: 'b' }] } }] },
    status: { observedGeneration: 4 },
    is: 'in sync',
  },
  {
    name: 'common metadata came with a new generation',
    stored: deployed,
    spec: { commonMetadata: { labels: { a: 'b' } } },
    is: 'out of sync',
    because: 'common metadata digest changed',
  },
  {
    name: 'common metadata stayed as it was',
    stored: deployed,
    spec: { commonMetadata: { labels: { a: 'b' } } },
    status: { observedCommonMetadataDigest: digestCommonMetadata({ labels: { a: 'b' } }) },
    is: 'in sync',
  },
  { name: 'its tests did not run', stored: deployed, spec: tests, is: 'untested' },
  { name: 'a test did not end', stored: deployed, spec: tests, snapshot: ran('Running'), is: 'untested' },
  { name: 'its tests passed', stored: deployed, spec: tests, snapshot: ran('Succeeded'), is: 'in sync' },
  { name: 'it has no tests', stored: deployed, spec: tests, snapshot: { testHooks: {} }, is: 'in sync' },
  {
    name: 'a test failed',
    stored: deployed,
    spec: tests,
    snapshot: ran('Failed'),
    status: { lastAttemptedReleaseAction: 'upgrade' },
    is: 'failed',
    because: 'release has test in failed phase',
  },
  {
    name: 'a test failed and that does not matter',
    stored: deployed,
    spec: { test: { enable: true, ignoreFailures: true } },
    snapshot: ran('Failed'),
    status: { lastAttemptedReleaseAction: 'upgrade' },
    is: 'in sync',
  },
  {
    name: 'a test failed and the remediation says that it matters',
    stored: deployed,
    spec: { test: { enable: true, ignoreFailures: true }, upgrade: { remediation: { ignoreTestFailures: false } } },
    snapshot: ran('Failed'),
    status: { lastAttemptedReleaseAction: 'upgrade' },
    is: 'failed',
  },
  { name: 'drift is to be looked for', stored: deployed, facts: { looksForDrift: true }, is: 'drift unknown' },
  { name: 'all is as it should be', stored: deployed, is: 'in sync' },
];

describe('the state of a release', () => {
  it.each(rows)('is $is when $name', ({ stored: release, seen, snapshot, status, spec, facts, is, because }) => {
    const known = seen === undefined ? release : (seen ?? undefined);
    const history = known === undefined ? [] : [{ ...toSnapshot(known, ''), ...snapshot }];

    const state = determineState({
      spec: { interval: '1m', ...spec },
      status: { observedGeneration: 3, history, ...status },
      generation: 4,
      stored: release,
      chart: { name: 'config', version: '1.0.0' },
      values: { a: 1 },
      looksForDrift: false,
      ...facts,
    });

    expect(state.is).toBe(is);
    if (because !== undefined) expect(state).toMatchObject({ because });
  });
});
