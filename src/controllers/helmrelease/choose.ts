// Owns the choice of the next action for the state that a release is in (helm.md §21.4). Finding the state is state.ts,
// doing is run.ts.
import type { HelmReleaseSpec, HelmReleaseStatus } from '../../api/helm/helmrelease.ts';
import type { ActionName } from './settings.ts';
import { activeRemediation, remediationOf, retryMs } from './settings.ts';
import type { ReleaseState } from './state.ts';

/** A state with what was found out about drift. */
export type KnownState =
  | Exclude<ReleaseState, { readonly is: 'drift unknown' }>
  | { readonly is: 'drifted'; readonly correct: boolean };

/** What to do next. */
export type Choice =
  | { readonly do: 'nothing' }
  | { readonly do: 'act'; readonly action: ActionName; readonly because: string }
  /** Only a person can help: more retries, another spec, a request. */
  | { readonly do: 'stall'; readonly stall: 'retries exceeded' | 'missing rollback target' }
  | { readonly do: 'fail'; readonly problem: string };

/** Whether what a rollback goes back to is stored as it was seen. */
export type RollbackTarget = 'as seen' | 'altered' | 'missing';

/** What a choice is made of. */
export interface ChoiceFacts {
  readonly spec: HelmReleaseSpec;
  readonly status: HelmReleaseStatus;
  /** A force annotation that is not handled yet. */
  readonly forced: boolean;
  readonly rollbackTarget: RollbackTarget;
}

export function chooseAction(state: KnownState, facts: ChoiceFacts): Choice {
  const { spec, status, forced } = facts;
  switch (state.is) {
    case 'in sync':
      return forced ? act('upgrade', 'forced') : { do: 'nothing' };
    case 'locked':
      return act('unlock', state.because);
    case 'absent': {
      const spent = retryMs(spec, 'install') === undefined && remediationOf(spec, status, 'install').exhausted;
      return spent && !forced ? retriesExceeded : act('install', state.because);
    }
    case 'unmanaged':
      return act('upgrade', state.because);
    case 'out of sync': {
      const spent = retryMs(spec, 'upgrade') === undefined && remediationOf(spec, status, 'upgrade').exhausted;
      return spent && !forced ? retriesExceeded : act('upgrade', state.because);
    }
    case 'untested':
      return act('test', 'release has not been tested');
    case 'drifted':
      return state.correct ? act('correct', 'cluster state has drifted') : { do: 'nothing' };
    case 'failed':
      return chooseForFailed(facts);
    case 'unknown':
      return { do: 'fail', problem: state.problem };
    default:
      return state satisfies never;
  }
}

const retriesExceeded: Choice = { do: 'stall', stall: 'retries exceeded' };

function chooseForFailed({ spec, status, forced, rollbackTarget }: ChoiceFacts): Choice {
  const remediation = activeRemediation(spec, status);
  if (remediation === undefined) return act('upgrade', 'nothing is known of the attempt that failed');
  if (retryMs(spec, status.lastAttemptedReleaseAction) !== undefined) return act('upgrade', 'retry of a failure');
  if (remediation.failures <= 0) return act('upgrade', 'conditions have changed since the failure');
  if (forced) return act('upgrade', 'forced');
  if (remediation.exhausted && !remediation.remediateLastFailure) return retriesExceeded;
  if (remediation.strategy === 'uninstall') return act('uninstall', 'remediation');
  switch (rollbackTarget) {
    case 'as seen':
      return act('rollback', 'remediation');
    case 'altered':
      return act('upgrade', 'the previous release has been changed by others');
    case 'missing':
      return { do: 'stall', stall: 'missing rollback target' };
    default:
      return rollbackTarget satisfies never;
  }
}

function act(action: ActionName, because: string): Choice {
  return { do: 'act', action, because };
}

/** Actions of one kind run once in a pass. */
export type ActionKind = 'release' | 'remediation' | 'test' | 'unlock' | 'drift';

export function kindOf(action: ActionName): ActionKind {
  switch (action) {
    case 'install':
    case 'upgrade':
      return 'release';
    case 'rollback':
    case 'uninstall':
      return 'remediation';
    case 'test':
      return 'test';
    case 'unlock':
      return 'unlock';
    case 'correct':
      return 'drift';
    default:
      return action satisfies never;
  }
}
