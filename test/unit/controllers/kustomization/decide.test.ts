// What a pass for a Kustomization does, row by row (flux.md §4.13, lockstep.md §2-§5).
import { describe, expect, it } from 'vitest';
import type { Kustomization, KustomizationSpec } from '../../../../src/api/kustomize/kustomization.ts';
import { decide } from '../../../../src/controllers/kustomization/decide.ts';
import type {
  AppliedState,
  HealthTarget,
  HealthWait,
  Held,
  Observed,
} from '../../../../src/controllers/kustomization/types.ts';
import { defaultFeatureGates } from '../../../../src/controllers/shared/feature-gates.ts';
import type { HealthStatus } from '../../../../src/health/verdict.ts';

const NOW = 1_000_000;
const settings = { noCrossNamespaceRefs: false, requeueDependencyMs: 30_000, gates: defaultFeatureGates };
const artifact = { path: 'p', url: 'u', revision: 'main@sha1:new', digest: 'sha256:0', lastUpdateTime: 't' };
const spec: KustomizationSpec = { interval: '5m', prune: true, sourceRef: { kind: 'GitRepository', name: 'src' } };
const object = (change: Partial<KustomizationSpec> = {}): Kustomization => ({
  apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
  kind: 'Kustomization',
  metadata: { name: 'app', namespace: 'ns', generation: 3 },
  spec: { ...spec, ...change },
});
const applied = (change: Partial<AppliedState> = {}): AppliedState => ({
  revision: artifact.revision,
  originRevision: undefined,
  generation: 3,
  inputs: 'same',
  record: new Map(),
  digest: 'sha256:1',
  desired: new Map(),
  inventory: [],
  healthTargets: [],
  complete: true,
  isRemote: false,
  conflicts: [],
  ...change,
});
const wait: HealthWait = {
  type: 'health',
  revision: artifact.revision,
  generation: 3,
  startedMs: NOW - 2_000,
  deadlineMs: NOW + 1_000,
  isPolled: false,
  changed: true,
  newRevision: true,
};
const target: HealthTarget = {
  id: 'Deployment/ns/web',
  reference: { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'ns', name: 'web' },
};
const health = (status: HealthStatus, message = '') => [{ target, verdict: { status, message } }];
const held: Held = { type: 'held', step: 'health', leftMs: 5_000 };
const drift = { key: 'apps|Deployment|ns|web', drift: { because: 'deleted', manager: '', fields: [] } } as const;

const other = { key: '|ConfigMap|ns|cm', drift: drift.drift };
const noNotes = { warned: [], delayed: undefined, contested: [] };

function observed(change: Partial<Observed> = {}): Observed {
  const base: Observed = {
    object: object(),
    requested: undefined,
    isBackground: false,
    source: { state: 'ready', artifact, originRevision: undefined },
    dependencies: [],
    invalidExpression: undefined,
    applied: applied(),
    inputs: 'same',
    touched: undefined,
    drifted: [],
    notes: noNotes,
    unwatched: [],
    health: [],
    waiting: undefined,
    leftBehind: false,
    held: undefined,
    settings,
  };
  // Frozen: deciding must not write to its input.
  return Object.freeze({ ...base, ...change });
}

describe('decide', () => {
  it.each([
    ['nothing when all is as it was', observed(), { do: 'nothing' }],
    ['a whole pass after a start', observed({ applied: undefined }), { do: 'apply' }],
    [
      'a whole pass for a new generation',
      observed({ applied: applied({ generation: 2 }) }),
      { do: 'apply', because: 'new generation' },
    ],
    ['a whole pass when inputs changed', observed({ inputs: 'other' }), { do: 'apply', because: 'changed inputs' }],
    ['a whole pass when asked for one', observed({ requested: 'now' }), { do: 'apply', because: 'requested' }],
    ['a whole pass after a failure', observed({ applied: applied({ complete: false }) }), { do: 'apply' }],
    [
      'a whole pass for a revision that touches the build',
      observed({ applied: applied({ revision: 'main@sha1:old' }), touched: true }),
      { do: 'apply', because: 'new revision' },
    ],
    [
      'to put off a revision that touches nothing',
      observed({ applied: applied({ revision: 'main@sha1:old' }), touched: false }),
      { do: 'put off' },
    ],
    [
      'only to move for a revision that touches nothing, when nobody is held up by it',
      observed({ applied: applied({ revision: 'main@sha1:old' }), touched: false, isBackground: true }),
      { do: 'move', hasDrift: false },
    ],
    [
      'to move at once when drift is to be put back next',
      observed({ applied: applied({ revision: 'main@sha1:old' }), touched: false, drifted: [drift] }),
      { do: 'move', hasDrift: true },
    ],
    [
      'a whole pass for an untouched revision when the last one failed',
      observed({ applied: applied({ revision: 'main@sha1:old', complete: false }), touched: false }),
      { do: 'apply' },
    ],
    [
      'to put drift back, and not to forget what is fought over and what is only told',
      observed({
        drifted: [drift],
        notes: { warned: [other], delayed: { drifts: [other], ms: 7_000 }, contested: [] },
      }),
      { do: 'correct', warned: [other], delayed: { drifts: [other], ms: 7_000 } },
    ],
    [
      'not to forget what is fought over while health is waited for',
      observed({
        waiting: wait,
        health: health('InProgress'),
        notes: { ...noNotes, delayed: { drifts: [other], ms: 7_000 } },
      }),
      { do: 'wait for health', delayed: { drifts: [other], ms: 7_000 } },
    ],
    ['to put drift back', observed({ drifted: [drift] }), { do: 'correct', because: 'drift', objects: [drift.key] }],
    [
      'to put drift back amid a wait for health, which goes on',
      observed({ drifted: [drift], unwatched: ['k'], waiting: wait, health: health('Failed') }),
      { do: 'correct', objects: [drift.key], pending: wait },
    ],
    [
      'the end of a wait that is over, before drift',
      observed({ drifted: [drift], waiting: { ...wait, deadlineMs: NOW }, health: health('InProgress') }),
      { do: 'fail health' },
    ],
    ['nothing before the retry of a failure is due', observed({ applied: undefined, held }), { do: 'hold', ms: 5_000 }],
    [
      'nothing of drift that cannot be put back yet',
      observed({ applied: undefined, held, drifted: [drift] }),
      { do: 'hold' },
    ],
    [
      'to put drift back while a failure of health is held',
      observed({ applied: applied({ complete: false }), held, drifted: [drift], health: health('Failed') }),
      { do: 'correct', objects: [drift.key], pending: held },
    ],
    [
      'a whole pass as soon as all is healthy after a failure of health',
      observed({ applied: applied({ complete: false }), held, health: health('Current') }),
      { do: 'apply' },
    ],
    [
      'a whole pass when asked for one after a failure',
      observed({ applied: undefined, held, requested: 'now' }),
      { do: 'apply' },
    ],
    ['a dry-run of what cannot be watched', observed({ unwatched: ['k'] }), { do: 'correct', objects: ['k'] }],
    [
      'each object once',
      observed({ drifted: [drift], unwatched: [drift.key] }),
      { do: 'correct', objects: [drift.key] },
    ],
    [
      'a whole pass while objects belong to others',
      observed({ applied: applied({ conflicts: [{ id: 'x', owner: 'ns/other' }] }) }),
      { do: 'apply' },
    ],
    ['to go on waiting', observed({ waiting: wait, health: health('InProgress') }), { do: 'wait for health' }],
    ['to pass when all is healthy', observed({ waiting: wait, health: health('Current') }), { do: 'pass health' }],
    [
      'to end a wait for a new revision',
      observed({ waiting: wait, applied: applied({ revision: 'main@sha1:old' }) }),
      { do: 'apply', cancels: wait },
    ],
    ['to leave unhealthy alone what may still come up', observed({ health: health('InProgress') }), { do: 'nothing' }],
  ])('decides %s', (_name, input, want) => {
    expect(decide(input, NOW)).toMatchObject(want);
  });

  it.each([
    [
      'a failed object',
      observed({ waiting: wait, health: health('Failed', 'why') }),
      "health check failed after 2s: failed early due to stalled resources: [Deployment/ns/web status: 'Failed': why]",
    ],
    [
      'the deadline',
      observed({ waiting: { ...wait, deadlineMs: NOW }, health: health('InProgress', 'Ready: 0/1') }),
      "health check failed after 2s: timeout waiting for: [Deployment/ns/web status: 'InProgress': Ready: 0/1]",
    ],
    [
      'an object that failed later',
      observed({ health: health('Failed', 'why') }),
      "health check failed: [Deployment/ns/web status: 'Failed': why]",
    ],
  ])('fails health at %s', (_name, input, message) => {
    expect(decide(input, NOW)).toMatchObject({ do: 'fail health', message });
  });

  it('deletes what nobody takes over, while it waits for health too', () => {
    expect(decide(observed({ leftBehind: true }), NOW)).toMatchObject({ do: 'prune' });
    expect(decide(observed({ leftBehind: true, waiting: wait, health: health('InProgress') }), NOW)).toMatchObject({
      do: 'prune',
    });
  });

  it('waits for the rest before it fails, where failing fast is switched off', () => {
    const slow = { ...settings, gates: { ...defaultFeatureGates, DisableFailFastBehavior: true } };
    const mixed = [...health('Failed'), ...health('InProgress')];

    expect(decide(observed({ waiting: wait, health: mixed }), NOW)).toMatchObject({ do: 'fail health' });
    expect(decide(observed({ waiting: wait, health: mixed, settings: slow }), NOW)).toMatchObject({
      do: 'wait for health',
    });
    expect(
      decide(observed({ waiting: wait, health: [...health('Failed'), ...health('Current')], settings: slow }), NOW),
    ).toMatchObject({ do: 'fail health' });
  });

  it.each([
    [
      'no spec',
      { object: { ...object(), spec: undefined } as never },
      'ArtifactFailed',
      "source `` kind '' not supported",
      'transient',
    ],
    [
      'no source',
      { source: { state: 'missing' } as const },
      'ArtifactFailed',
      'GitRepository.source.toolkit.fluxcd.io "src" not found',
      'transient',
    ],
    [
      'no artifact',
      { source: { state: 'no artifact' } as const },
      'ArtifactFailed',
      'Source artifact not found, retrying in 30s',
      'waiting',
    ],
    [
      'a source of another namespace',
      {
        object: object({ sourceRef: { kind: 'GitRepository', name: 'src', namespace: 'other' } }),
        settings: { ...settings, noCrossNamespaceRefs: true },
      },
      'AccessDenied',
      "can't access 'GitRepository/other/src', cross-namespace references have been blocked",
      'stalled',
    ],
    [
      'an ExternalArtifact while its gate is closed',
      { object: object({ sourceRef: { kind: 'ExternalArtifact', name: 'ea' } }) },
      'AccessDenied',
      "can't access 'ExternalArtifact/ns/ea', ExternalArtifact feature gate is disabled",
      'stalled',
    ],
    [
      'a ServiceAccount to decrypt as, without its gate',
      { object: object({ decryption: { provider: 'sops', serviceAccountName: 'sa' } }) },
      'FeatureGateDisabled',
      'to use spec.decryption.serviceAccountName for decryption authentication please enable the ObjectLevelWorkloadIdentity feature gate in the controller',
      'stalled',
    ],
    [
      'a dependency',
      { dependencies: [{ name: 'ns/a', problem: "dependency 'ns/a' is not ready" }] },
      'DependencyNotReady',
      "dependency 'ns/a' is not ready",
      'waiting',
    ],
  ])('is blocked by %s', (_name, change, reason, message, retry) => {
    expect(decide(observed(change), NOW)).toMatchObject({ do: 'fail', failure: { reason, message, retry } });
  });
});
