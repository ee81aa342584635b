// Status, events and next run of a Kustomization (flux.md §4.13, §4.15, lockstep.md §2).
import { describe, expect, it } from 'vitest';
import type { Kustomization, KustomizationStatus } from '../../../../src/api/kustomize/kustomization.ts';
import { applyConditions, conclude } from '../../../../src/controllers/kustomization/conclude.ts';
import { KustomizationError } from '../../../../src/controllers/kustomization/failure.ts';
import { tellBy } from '../../../../src/controllers/kustomization/gates.ts';
import type { HealthWait, Outcome } from '../../../../src/controllers/kustomization/types.ts';
import type { Pass } from '../../../../src/runtime/controller.ts';
import { ReconcileError } from '../../../../src/runtime/reconcile-error.ts';
import { checkStatusRules } from '../../../../src/runtime/status.ts';

const NOW = Date.parse('2026-01-01T00:00:10Z');
const REVISION = 'main@sha1:new';
const pass = { startedMs: NOW - 40, othersWait: () => false } as Pass<Kustomization>;
const object = (status?: KustomizationStatus): Kustomization => ({
  apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
  kind: 'Kustomization',
  metadata: { name: 'app', namespace: 'ns', generation: 2 },
  spec: { interval: '5m', prune: true, sourceRef: { kind: 'GitRepository', name: 'src' } },
  ...(status === undefined ? {} : { status }),
});
const desired = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'cm', namespace: 'ns' } };
const inventory = [{ id: 'ns_cm__ConfigMap', v: 'v1' }];
const outcome = (change: object = {}): Outcome => ({
  type: 'applied',
  revision: REVISION,
  originRevision: undefined,
  digest: 'sha256:1',
  changes: [{ action: 'created', desired, object: desired }],
  pruned: [],
  inventory,
  conflicts: [],
  newRevision: true,
  health: { state: 'none' },
  ...change,
});
const wait: HealthWait = {
  type: 'health',
  revision: REVISION,
  generation: 2,
  startedMs: NOW - 1_000,
  deadlineMs: NOW + 60_000,
  isPolled: false,
  changed: true,
  newRevision: true,
};

/** The status as the machine writes it, held to the rules of every status. */
function settled(status: KustomizationStatus | undefined, observed = true): KustomizationStatus {
  const whole = { ...status, ...(observed ? { observedGeneration: 2 } : {}) };
  expect(checkStatusRules(object(whole), observed ? 'finished' : 'running')).toEqual([]);
  return whole;
}

describe('conclude', () => {
  it('tells of a revision that was applied', () => {
    const { status, events, requeue } = conclude(object(), { outcome: outcome() }, NOW, pass);

    expect(settled(status)).toMatchObject({
      conditions: [
        { type: 'Ready', status: 'True', reason: 'ReconciliationSucceeded', message: `Applied revision: ${REVISION}` },
      ],
      inventory: { entries: inventory },
      lastAppliedRevision: REVISION,
      lastAttemptedRevision: REVISION,
      history: [
        {
          digest: 'sha256:1',
          lastReconciledStatus: 'ReconciliationSucceeded',
          totalReconciliations: 1,
          metadata: { revision: REVISION },
        },
      ],
    });
    expect(events?.map(({ reason, message }) => [reason, message])).toEqual([
      ['Progressing', 'ConfigMap/ns/cm created'],
      ['ReconciliationSucceeded', 'Reconciliation finished in 40ms, next run in 5m0s'],
    ]);
    expect(requeue).toEqual({ do: 'interval', ms: 300_000 });
  });

  it('says nothing and changes nothing when a pass found everything in place', () => {
    const first = conclude(object(), { outcome: outcome() }, NOW, pass);
    const before = settled(first.status);
    const again = outcome({ changes: [{ action: 'unchanged', desired, object: desired }], newRevision: false });

    const { status, events } = conclude(object(before), { outcome: again }, NOW + 60_000, pass);

    expect({ ...status, observedGeneration: 2 }).toEqual(before);
    expect(events).toEqual([]);
  });

  it('waits for health without calling the generation observed', () => {
    const result = conclude(object(), { outcome: outcome({ health: { state: 'waiting', wait } }) }, NOW, pass);

    expect(result.observed).toBe(false);
    expect(result.requeue).toEqual({ do: 'wait', untilMs: wait.deadlineMs, memory: wait });
    expect(settled(result.status, false).conditions?.map(({ type, status }) => [type, status])).toEqual([
      ['Reconciling', 'True'],
      ['Ready', 'Unknown'],
      ['Healthy', 'Unknown'],
    ]);
    expect(result.status?.lastAppliedRevision).toBeUndefined();
  });

  describe('in a wait that begins while others wait for a worker', () => {
    const crowded = { ...pass, othersWait: () => true };
    const waiting = outcome({ health: { state: 'waiting', wait } });
    const stamp = { generation: 2, nowMs: NOW };
    const applying = applyConditions(object(), REVISION, stamp)!;
    const before = settled({ conditions: applying, inventory: { entries: inventory } }, false);
    const tellAtMs = NOW + 10_000;

    it('puts off saying so', () => {
      expect(conclude(object(before), { outcome: waiting }, NOW, crowded)).toMatchObject({
        status: before,
        events: [{ message: 'ConfigMap/ns/cm created' }],
        requeue: { do: 'wait', untilMs: tellAtMs, memory: { ...wait, tellAtMs } },
        observed: false,
      });
    });

    it('says at once what is lost with the process', () => {
      const { status, requeue } = conclude(object(), { outcome: waiting }, NOW, crowded);

      expect(status).toMatchObject({ inventory: { entries: inventory }, lastAttemptedRevision: REVISION });
      expect(requeue).toEqual({ do: 'wait', untilMs: wait.deadlineMs, memory: wait });
    });

    it('says so in time', () => {
      const untold: Outcome = { type: 'waiting', wait: { ...wait, tellAtMs } };
      const early = conclude(object(before), { outcome: untold }, tellAtMs - 1, pass);
      const told = conclude(object(before), { outcome: untold }, tellAtMs, crowded);

      expect(early).toEqual({
        requeue: { do: 'wait', untilMs: tellAtMs, memory: { ...wait, tellAtMs } },
        observed: false,
      });
      expect(told).toEqual({
        ...conclude(object(before), { outcome: waiting }, tellAtMs, pass),
        events: undefined,
      });
    });

    it('waits no longer for it than for health', () => {
      const short = { ...wait, deadlineMs: NOW + 5_000 };
      const { requeue } = conclude(
        object(before),
        { outcome: outcome({ health: { state: 'waiting', wait: short } }) },
        NOW,
        crowded,
      );

      expect(requeue).toMatchObject({ untilMs: short.deadlineMs });
    });

    it('ends in the status that it would have ended in', () => {
      const healthy: Outcome = {
        type: 'healthy',
        wait: { ...wait, tellAtMs },
        digest: 'sha256:1',
        originRevision: undefined,
      };
      const told = conclude(object(before), { outcome: waiting }, NOW, pass).status;
      const ended = conclude(object(before), { outcome: healthy }, NOW + 1_000, pass);

      expect(ended).toEqual(conclude(object(told), { outcome: healthy }, NOW + 1_000, pass));
    });
  });

  it.each([
    { type: 'pruned', revision: REVISION, originRevision: undefined, pruned: [], inventory },
    { type: 'corrected', changes: [], fought: [], warned: [], pending: wait },
  ] as const)('looks at health at once after it did something else in a wait: $type', (ending) => {
    // What woke the pass may have been that the last object is well.
    const waiting = { ...pass, memory: wait };

    expect(conclude(object(), { outcome: ending }, NOW, waiting).requeue).toEqual({
      do: 'wait',
      untilMs: NOW,
      memory: wait,
    });
  });

  it('is Ready once what it waited for is healthy', () => {
    const waiting = conclude(object(), { outcome: outcome({ health: { state: 'waiting', wait } }) }, NOW - 500, pass);
    const healthy: Outcome = { type: 'healthy', wait, digest: 'sha256:1', originRevision: undefined };

    const { status, events } = conclude(object(waiting.status), { outcome: healthy }, NOW, pass);

    expect(settled(status)).toMatchObject({ lastAppliedRevision: REVISION });
    expect(status?.conditions?.find(({ type }) => type === 'Healthy')).toMatchObject({
      status: 'True',
      reason: 'Succeeded',
      message: 'Health check passed in 1s',
    });
    expect(events?.map(({ message }) => message)).toEqual([
      'Health check passed in 1s',
      'Reconciliation finished in 1s, next run in 5m0s',
    ]);
  });

  it('keeps inventory and applied revision when a pass fails, and says at which step', () => {
    const before = settled(conclude(object(), { outcome: outcome() }, NOW - 60_000, pass).status);
    const details = { revision: 'main@sha1:bad', step: 'build', retryAfterMs: 300_000 } as const;
    const error = new KustomizationError('BuildFailed', 'kustomize build failed: no', details);

    const { status, events, requeue } = conclude(object(before), { error }, NOW, pass);

    expect(status).toMatchObject({
      inventory: before.inventory,
      lastAppliedRevision: REVISION,
      lastAttemptedRevision: 'main@sha1:bad',
      history: before.history,
    });
    expect(status?.conditions).toMatchObject([
      {
        type: 'Reconciling',
        status: 'True',
        reason: 'ProgressingWithRetry',
        message: 'Building manifests for revision main@sha1:bad with a timeout of 4m30s',
      },
      { type: 'Ready', status: 'False', reason: 'BuildFailed', message: 'kustomize build failed: no' },
    ]);
    expect(events).toMatchObject([{ type: 'Warning', reason: 'BuildFailed' }]);
    expect(requeue).toEqual({ do: 'after', ms: 300_000 });
  });

  it('stops at a spec that a person must change', () => {
    const error = new ReconcileError('FieldNotSupported', 'spec.x is not supported yet', { retry: 'stalled' });

    const { status, requeue } = conclude(object(), { error }, NOW, pass);

    expect(settled(status).conditions?.map(({ type, status: value, reason }) => [type, value, reason])).toEqual([
      ['Stalled', 'True', 'FieldNotSupported'],
      ['Ready', 'False', 'FieldNotSupported'],
    ]);
    expect(requeue).toEqual({ do: 'none' });
  });

  it('tells of drift in a neutral condition and takes it back', () => {
    const drift = {
      key: 'apps|Deployment|ns|web',
      drift: { because: 'manager', manager: 'hpa', fields: ['.spec.replicas'] },
    } as const;
    const before = settled(conclude(object(), { outcome: outcome() }, NOW, pass).status);
    const notes = { warned: [drift], delayed: undefined, contested: [] };

    const told = conclude(object(before), { outcome: { type: 'nothing', notes } }, NOW, pass);
    const taken = conclude(
      object(told.status),
      { outcome: { type: 'nothing', notes: { ...notes, warned: [] } } },
      NOW,
      pass,
    );

    expect(told.status?.conditions?.find(({ type }) => type === 'Drifted')?.message).toBe(
      'Deployment/ns/web (.spec.replicas by hpa)',
    );
    expect(taken.status?.conditions).toEqual(before.conditions);
  });

  it('goes on telling of a fight, and puts it back in its time, when another object is put back', () => {
    const drifts = [
      { key: '|ConfigMap|ns|cm', drift: { because: 'manager', manager: 'x', fields: ['.data.a'] } },
    ] as const;
    const before = settled(conclude(object(), { outcome: outcome() }, NOW, pass).status);
    const corrected = { type: 'corrected', changes: [], fought: [], warned: [], pending: undefined } as const;

    const told = conclude(object(before), { outcome: { ...corrected, delayed: { drifts, ms: 7_000 } } }, NOW, pass);

    expect(told.requeue).toEqual({ do: 'after', ms: 7_000 });
    expect(told.status?.conditions?.find(({ type }) => type === 'Drifted')?.message).toBe(
      'ConfigMap/ns/cm (.data.a by x)',
    );
  });
});

describe('feature gates of what is told', () => {
  const told = (gates: { DisableCommitStatusEvent?: boolean; GroupChangeLog?: boolean }) =>
    tellBy({ DisableCommitStatusEvent: false, GroupChangeLog: false, ...gates }, conclude)(
      object(),
      { outcome: outcome() },
      NOW,
      pass,
    );

  it('leave the event of a success and a change set by object', () => {
    const { events, log } = told({});

    expect(events?.map(({ reason }) => reason)).toEqual(['Progressing', 'ReconciliationSucceeded']);
    expect(log).toMatchObject({ output: { 'ConfigMap/ns/cm': 'created' } });
  });

  it('take the event away, and group the change set', () => {
    expect(told({ DisableCommitStatusEvent: true }).events?.map(({ reason }) => reason)).toEqual(['Progressing']);
    expect(told({ GroupChangeLog: true }).log).toMatchObject({ output: { created: ['ConfigMap/ns/cm'] } });
  });
});
