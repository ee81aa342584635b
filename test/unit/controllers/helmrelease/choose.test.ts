import { describe, expect, it } from 'vitest';
import type { HelmReleaseSpec, HelmReleaseStatus } from '../../../../src/api/helm/helmrelease.ts';
import {
  type ChoiceFacts,
  chooseAction,
  type KnownState,
  kindOf,
} from '../../../../src/controllers/helmrelease/choose.ts';

interface Row {
  readonly name: string;
  readonly state: KnownState;
  readonly spec?: Partial<HelmReleaseSpec>;
  readonly status?: HelmReleaseStatus;
  readonly facts?: Partial<ChoiceFacts>;
  /** The action, `nothing`, `fail`, or what it stalls for. */
  readonly does: string;
}

const absent: KnownState = { is: 'absent', because: '' };
const outOfSync: KnownState = { is: 'out of sync', because: '' };
const failed: KnownState = { is: 'failed', because: '' };
const installed = (failures: number): HelmReleaseStatus => ({
  lastAttemptedReleaseAction: 'install',
  installFailures: failures,
});
const upgraded = (failures: number): HelmReleaseStatus => ({
  lastAttemptedReleaseAction: 'upgrade',
  upgradeFailures: failures,
});
const retries = (count: number): Partial<HelmReleaseSpec> => ({
  install: { remediation: { retries: count } },
  upgrade: { remediation: { retries: count } },
});
const forced = { forced: true };

const rows: readonly Row[] = [
  { name: 'all is in sync', state: { is: 'in sync' }, does: 'nothing' },
  { name: 'an upgrade is forced', state: { is: 'in sync' }, facts: forced, does: 'upgrade' },
  { name: 'a dead process left it pending', state: { is: 'locked', because: '' }, does: 'unlock' },
  { name: 'somebody else made it', state: { is: 'unmanaged', because: '' }, does: 'upgrade' },
  { name: 'it was not tested', state: { is: 'untested' }, does: 'test' },
  { name: 'drift is to be corrected', state: { is: 'drifted', correct: true }, does: 'correct' },
  { name: 'drift is only to be told', state: { is: 'drifted', correct: false }, does: 'nothing' },
  { name: 'its state has no name', state: { is: 'unknown', problem: 'x' }, does: 'fail' },

  { name: 'nothing is installed', state: absent, does: 'install' },
  { name: 'an install has failed and no retry is left', state: absent, status: installed(1), does: 'retries exceeded' },
  { name: 'a retry is left', state: absent, status: installed(1), spec: retries(1), does: 'install' },
  { name: 'the retries are spent', state: absent, status: installed(2), spec: retries(1), does: 'retries exceeded' },
  { name: 'retries never end', state: absent, status: installed(99), spec: retries(-1), does: 'install' },
  { name: 'an install is forced', state: absent, status: installed(9), facts: forced, does: 'install' },
  {
    name: 'failed installs are simply retried',
    state: absent,
    status: installed(9),
    spec: { install: { strategy: { name: 'RetryOnFailure' } } },
    does: 'install',
  },

  { name: 'the spec has changed', state: outOfSync, does: 'upgrade' },
  { name: 'no upgrade is left', state: outOfSync, status: upgraded(1), does: 'retries exceeded' },
  { name: 'an upgrade is left', state: outOfSync, status: upgraded(1), spec: retries(1), does: 'upgrade' },
  { name: 'an upgrade is forced out of sync', state: outOfSync, status: upgraded(1), facts: forced, does: 'upgrade' },

  { name: 'it failed before anything was attempted here', state: failed, does: 'upgrade' },
  { name: 'it failed and nothing was counted', state: failed, status: upgraded(0), does: 'upgrade' },
  { name: 'an upgrade is forced on a failure', state: failed, status: upgraded(3), facts: forced, does: 'upgrade' },
  { name: 'an upgrade failed without retries', state: failed, status: upgraded(1), does: 'retries exceeded' },
  {
    name: 'an upgrade failed with a retry left',
    state: failed,
    status: upgraded(1),
    spec: retries(1),
    does: 'rollback',
  },
  {
    name: 'the last upgrade failed and is remediated by default',
    state: failed,
    status: upgraded(2),
    spec: retries(1),
    does: 'rollback',
  },
  {
    name: 'the last upgrade failed and is not to be remediated',
    state: failed,
    status: upgraded(2),
    spec: { upgrade: { remediation: { retries: 1, remediateLastFailure: false } } },
    does: 'retries exceeded',
  },
  {
    name: 'the only upgrade failed and is to be remediated',
    state: failed,
    status: upgraded(1),
    spec: { upgrade: { remediation: { remediateLastFailure: true } } },
    does: 'rollback',
  },
  {
    name: 'upgrades are remediated by an uninstall',
    state: failed,
    status: upgraded(1),
    spec: { upgrade: { remediation: { retries: 1, strategy: 'uninstall' } } },
    does: 'uninstall',
  },
  {
    name: 'there is nothing to roll back to',
    state: failed,
    status: upgraded(1),
    spec: retries(1),
    facts: { rollbackTarget: 'missing' },
    does: 'missing rollback target',
  },
  {
    name: 'what to roll back to was changed by others',
    state: failed,
    status: upgraded(1),
    spec: retries(1),
    facts: { rollbackTarget: 'altered' },
    does: 'upgrade',
  },
  {
    name: 'an install failed with a retry left',
    state: failed,
    status: installed(1),
    spec: retries(1),
    does: 'uninstall',
  },
  { name: 'the last install failed', state: failed, status: installed(2), spec: retries(1), does: 'retries exceeded' },
  {
    name: 'the last install failed and is to be remediated',
    state: failed,
    status: installed(2),
    spec: { install: { remediation: { retries: 1, remediateLastFailure: true } } },
    does: 'uninstall',
  },
  {
    name: 'failed upgrades are simply retried',
    state: failed,
    status: upgraded(7),
    spec: { upgrade: { strategy: { name: 'RetryOnFailure' } } },
    does: 'upgrade',
  },
];

describe('the next action', () => {
  it.each(rows)('is $does when $name', ({ state, spec, status = {}, facts, does }) => {
    const choice = chooseAction(state, {
      spec: { interval: '1m', ...spec },
      status,
      forced: false,
      rollbackTarget: 'as seen',
      ...facts,
    });

    expect(choice.do === 'act' ? choice.action : choice.do === 'stall' ? choice.stall : choice.do).toBe(does);
  });

  it('runs once a pass for each kind', () => {
    const actions = ['install', 'upgrade', 'rollback', 'uninstall', 'test', 'unlock', 'correct'] as const;

    expect(actions.map(kindOf)).toEqual([
      'release',
      'release',
      'remediation',
      'remediation',
      'test',
      'unlock',
      'drift',
    ]);
  });
});
