import { describe, expect, it } from 'vitest';
import type { HelmRelease } from '../../../../src/api/helm/helmrelease.ts';
import { decide } from '../../../../src/controllers/helmrelease/decide.ts';
import type { Observed, ObservedRun, RunInputs, Settled } from '../../../../src/controllers/helmrelease/types.ts';

const NOW = 1_000_000;
const inputs: RunInputs = {
  generation: 2,
  artifact: 'sha256:chart',
  configDigest: 'sha256:values',
  requested: undefined,
};
const settled: Settled = { inputs, storage: '3@100', until: 'interval', attempts: 0 };
const object = { metadata: { name: 'web', namespace: 'apps', generation: 2 }, spec: { interval: '1m' } } as HelmRelease;
const artifact = { path: 'p', url: 'u', revision: '1.0.0', digest: 'sha256:chart', lastUpdateTime: '' };
const source = { kind: 'HelmChart' } as never;
const running = (change: Partial<RunInputs>, result?: { readonly error: Error | undefined }): ObservedRun => ({
  run: { inputs: { ...inputs, ...change } } as never,
  wait: {} as never,
  result,
  isPolled: false,
});

const calm: Observed = {
  object,
  requested: undefined,
  invalidExpression: undefined,
  chart: { write: undefined, remove: undefined },
  denied: undefined,
  dependencyProblem: undefined,
  source: { state: 'ready', id: `HelmChart 'apps/web'`, source, artifact },
  values: { values: {}, secrets: [] },
  inputs,
  running: undefined,
  settled,
  storage: '3@100',
  drift: 'none',
  requeueDependencyMs: 30_000,
};

const rows: readonly (readonly [name: string, change: Partial<Observed>, want: object])[] = [
  ['nothing has changed', {}, { do: 'nothing', until: 'interval' }],
  ['nothing is known', { settled: undefined }, { do: 'run', because: 'nothing is known of an earlier pass' }],
  ['another generation', { inputs: { ...inputs, generation: 3 } }, { do: 'run', because: 'new generation' }],
  ['another chart', { inputs: { ...inputs, artifact: 'x' } }, { do: 'run', because: 'new chart' }],
  ['other values', { inputs: { ...inputs, configDigest: 'x' } }, { do: 'run', because: 'new values' }],
  ['a request', { requested: 'now' }, { do: 'run', because: 'requested' }],
  ['a newer revision in storage', { storage: '4@90' }, { do: 'run', because: 'storage changed' }],
  ['the revision written by others', { storage: '3@101' }, { do: 'run', because: 'storage changed' }],
  ['an uninstall by others', { storage: '' }, { do: 'run', because: 'storage changed' }],
  ['a cache that lags behind own writes', { storage: '2@50' }, { do: 'nothing' }],
  ['storage that is not watched', { storage: undefined }, { do: 'run', because: 'storage that is not watched' }],
  ['drift', { drift: 'seen' }, { do: 'run', because: 'drift' }],
  ['drift that is fought over', { drift: { afterMs: 500 } }, { do: 'nothing', until: NOW + 500 }],
  ['a stalled release', { settled: { ...settled, until: 'change' } }, { do: 'nothing', until: 'change' }],
  [
    'a stalled release whose storage is not watched',
    { settled: { ...settled, until: 'change' }, storage: undefined },
    { do: 'nothing', until: 'change' },
  ],
  [
    'a stalled release and a new spec',
    { settled: { ...settled, until: 'change' }, inputs: { ...inputs, generation: 3 } },
    { do: 'run', because: 'new generation' },
  ],
  ['a retry that is not due', { settled: { ...settled, until: NOW + 1 } }, { do: 'nothing', until: NOW + 1 }],
  ['a retry that is due', { settled: { ...settled, until: NOW } }, { do: 'run', because: 'another try' }],
  [
    'own writes before a retry is due',
    { settled: { ...settled, until: NOW + 1 }, storage: '4@200' },
    { do: 'nothing', until: NOW + 1 },
  ],

  ['a run that waits', { running: running({}) }, { do: 'wait', isPolled: false }],
  ['a wait that has come true', { running: running({}, { error: undefined }) }, { do: 'go on' }],
  [
    'a wait, and values that cannot be read any more',
    { running: running({}), values: { problem: 'gone' }, inputs: undefined },
    { do: 'wait' },
  ],
  ['a run for another generation', { running: running({ generation: 1 }) }, { do: 'run', cancels: expect.anything() }],
  ['a run for another chart', { running: running({ artifact: 'old' }) }, { do: 'run', cancels: expect.anything() }],
  ['a request while a run waits', { running: running({}), requested: 'x' }, { do: 'run', cancels: expect.anything() }],
  [
    'a run for an older generation of what is suspended now',
    {
      running: running({ generation: 1 }, { error: undefined }),
      object: { ...object, spec: { ...object.spec, suspend: true } } as HelmRelease,
    },
    { do: 'go on' },
  ],
  ['a run for the same request', { running: running({ requested: 'x' }), requested: 'x' }, { do: 'wait' }],

  [
    'a HelmChart to write',
    { chart: { write: { namespace: 'apps', name: 'apps-web', template: {} as never }, remove: 'x/y' } },
    { do: 'sync chart', remove: 'x/y' },
  ],
  [
    'no spec',
    { object: { ...object, spec: undefined } as unknown as HelmRelease },
    { do: 'fail', reason: 'ArtifactFailed', retry: 'stalled' },
  ],
  [
    'an expression that does not compile',
    { invalidExpression: 'why' },
    {
      do: 'fail',
      reason: 'InvalidCELExpression',
      message: 'Reconciliation failed terminally due to configuration error: why',
      retry: 'stalled',
    },
  ],
  [
    'a source that it may not have',
    { denied: 'why' },
    {
      do: 'fail',
      reason: 'AccessDenied',
      message: 'why',
      retry: 'stalled',
    },
  ],
  [
    'a dependency that is not ready',
    { dependencyProblem: `dependency 'apps/db' is not ready` },
    { do: 'fail', reason: 'DependencyNotReady', retry: 'waiting', retryAfterMs: 30_000 },
  ],
  [
    'a source that is missing',
    { source: { state: 'missing', id: '', resource: 'ocirepositories.source.toolkit.fluxcd.io "x"' } },
    {
      do: 'fail',
      reason: 'ArtifactFailed',
      message: 'could not get Source object: ocirepositories.source.toolkit.fluxcd.io "x" not found',
    },
  ],
  [
    'a source without an artifact',
    { source: { state: 'not ready', id: `HelmChart 'apps/web'`, because: 'does not have an artifact' } },
    { do: 'fail', reason: 'SourceNotReady', message: `HelmChart 'apps/web' is not ready: does not have an artifact` },
  ],
  [
    'values that cannot be read',
    { values: { problem: 'gone' } },
    { do: 'fail', reason: 'ValuesError', message: 'gone' },
  ],
];

describe('a pass for a HelmRelease', () => {
  it.each(rows)('%s', (_, change, want) => {
    expect(decide({ ...calm, ...change }, NOW)).toMatchObject(want);
  });
});
