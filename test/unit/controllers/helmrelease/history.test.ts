import { describe, expect, it } from 'vitest';
import type { HelmRelease, Snapshot } from '../../../../src/api/helm/helmrelease.ts';
import {
  isTested,
  latestOf,
  previousOf,
  recorded,
  renewed,
  truncated,
  withTests,
} from '../../../../src/controllers/helmrelease/history.ts';
import {
  actionTimeoutMs,
  driftMode,
  forceRequest,
  releaseTarget,
  resetRequest,
} from '../../../../src/controllers/helmrelease/settings.ts';
import type { ReleaseRecord } from '../../../../src/engines/helm/release/record.ts';

const snapshot = (version: number, status: string, phase?: string): Snapshot => ({
  apiVersion: 'v2',
  digest: `sha256:${version}`,
  name: 'web',
  namespace: 'apps',
  version,
  status,
  chartName: 'config',
  chartVersion: '1.0.0',
  configDigest: 'sha256:1',
  firstDeployed: '2026-01-01T00:00:00Z',
  lastDeployed: '2026-01-01T00:00:00Z',
  ...(phase === undefined ? {} : { testHooks: { check: { phase } } }),
});
const release = (version: number): ReleaseRecord => ({
  name: 'web',
  namespace: 'apps',
  version,
  info: { status: 'deployed', first_deployed: '2026-01-01T00:00:00.7Z', last_deployed: '2026-01-01T00:00:01Z' },
  chart: { metadata: { name: 'config', version: '1.0.0', appVersion: '7' } },
  config: {},
  manifest: '',
  hooks: [
    {
      name: 'check',
      kind: 'Pod',
      path: 'c/t.yaml',
      manifest: '',
      events: ['test'],
      last_run: { started_at: '2026-01-01T00:00:02Z', completed_at: '2026-01-01T00:00:03Z', phase: 'Succeeded' },
    },
  ],
  labels: {},
});
const versions = (history: readonly Snapshot[]) => history.map((entry) => entry.version);

describe('history', () => {
  it('keeps what is newer than the previous good revision, and that one', () => {
    const history = [
      snapshot(5, 'deployed'),
      snapshot(4, 'failed'),
      snapshot(3, 'superseded'),
      snapshot(2, 'superseded'),
    ];

    expect(versions(truncated(history, false))).toEqual([5, 4, 3]);
    expect(previousOf({ history }, false)?.version).toBe(3);
  });

  it('goes further back over a revision whose tests failed, unless that does not matter', () => {
    const history = [snapshot(3, 'failed'), snapshot(2, 'superseded', 'Failed'), snapshot(1, 'superseded')];

    expect(versions(truncated(history, false))).toEqual([3, 2, 1]);
    expect(previousOf({ history }, false)?.version).toBe(1);
    expect(previousOf({ history }, true)?.version).toBe(2);
  });

  it('keeps five entries when none was good', () => {
    const history = [8, 7, 6, 5, 4, 3].map((version) => snapshot(version, 'failed'));

    expect(versions(truncated(history, false))).toEqual([8, 7, 6, 5, 4]);
    expect(previousOf({ history }, false)).toBeUndefined();
  });

  it('gets a new entry, or renews the one of the revision with its tests and OCI digest', () => {
    const known = { ...snapshot(1, 'deployed', 'Succeeded'), ociDigest: 'sha256:oci', action: 'install' as const };

    const [fresh] = recorded([], release(1), 'sha256:x', 'install');
    const [again] = recorded([known], release(1), 'sha256:x');

    expect(fresh).toMatchObject({ version: 1, appVersion: '7', ociDigest: 'sha256:x', action: 'install' });
    expect(fresh!.firstDeployed).toBe('2026-01-01T00:00:00Z');
    expect(again).toMatchObject({ ociDigest: 'sha256:oci', action: 'install', testHooks: known.testHooks });
    expect(versions(recorded([known], release(2), '', 'upgrade'))).toEqual([2, 1]);
    expect(renewed([known], release(2))).toEqual([known]);
    expect(latestOf({ history: [known, snapshot(2, 'failed')] })?.version).toBe(2);
  });

  it('notes what came of tests', () => {
    const [entry] = withTests([snapshot(1, 'deployed')], release(1));

    expect(entry!.testHooks).toEqual({
      check: { lastStarted: '2026-01-01T00:00:02Z', lastCompleted: '2026-01-01T00:00:03Z', phase: 'Succeeded' },
    });
    expect(isTested(entry!)).toBe(true);
  });
});

describe('settings', () => {
  const object = (spec: object, metadata: object = {}): HelmRelease =>
    ({ metadata: { name: 'web', namespace: 'apps', ...metadata }, spec: { interval: '1m', ...spec } }) as HelmRelease;

  it.each<[object, object]>([
    [{}, { name: 'web', namespace: 'apps', storageNamespace: 'apps' }],
    [{ targetNamespace: 'prod' }, { name: 'prod-web', namespace: 'prod', storageNamespace: 'apps' }],
    [
      { targetNamespace: 'prod', releaseName: 'w', storageNamespace: 's' },
      { name: 'w', namespace: 'prod', storageNamespace: 's' },
    ],
  ])('put a release of %j in its place', (spec, expected) => {
    expect(releaseTarget(object(spec))).toEqual(expected);
  });

  it('shorten a composed name to what Helm takes', () => {
    const { name } = releaseTarget(object({ targetNamespace: 'a'.repeat(60) }));

    expect(name).toMatch(/^a{40}-[0-9a-f]{12}$/);
  });

  it('have timeouts of their own, of the spec, or five minutes', () => {
    const spec = { interval: '1m', timeout: '2m', upgrade: { timeout: '1s' } };

    expect(actionTimeoutMs(spec, 'upgrade')).toBe(1_000);
    expect(actionTimeoutMs(spec, 'install')).toBe(120_000);
    expect(actionTimeoutMs({ interval: '1m' }, 'test')).toBe(300_000);
  });

  it.each<[object, string | undefined, string]>([
    [{}, undefined, 'disabled'],
    [{}, 'correct', 'enabled'],
    [{}, 'warn', 'warn'],
    [{}, 'constructor', 'disabled'],
    [{ driftDetection: { mode: 'warn' } }, 'correct', 'warn'],
    [{ driftDetection: { mode: 'disabled' } }, 'correct', 'disabled'],
  ])('look for drift by %j and the annotation %s: %s', (spec, word, mode) => {
    const annotations = word === undefined ? {} : { 'lockstep.dev/drift': word };

    expect(driftMode(object(spec, { annotations }))).toBe(mode);
  });

  it('take a force or reset annotation once, and only with the same request', () => {
    const annotations = { 'reconcile.fluxcd.io/forceAt': '7', 'reconcile.fluxcd.io/resetAt': '7' };
    const handled = { ...object({}, { annotations }), status: { lastHandledForceAt: '7' } };

    expect(forceRequest(object({}, { annotations }), '7')).toBe('7');
    expect(forceRequest(object({}, { annotations }), '8')).toBeUndefined();
    expect(forceRequest(handled, '7')).toBeUndefined();
    expect(resetRequest(handled, '7')).toBe('7');
  });
});
