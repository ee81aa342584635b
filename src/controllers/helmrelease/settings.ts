// Owns what a HelmRelease's spec means once its defaults are filled in: names, timeouts, remediation (helm.md §21.1).
import { createHash } from 'node:crypto';
import type { HelmRelease, HelmReleaseSpec, HelmReleaseStatus } from '../../api/helm/helmrelease.ts';
import { driftAnnotation } from '../../api/meta/keys.ts';
import { timerMs } from '../shared/timing.ts';

/** Where a release is. */
export interface ReleaseTarget {
  readonly name: string;
  /** Namespace of objects that name none. */
  readonly namespace: string;
  readonly storageNamespace: string;
}

/** What is done to a release. */
export type ActionName = 'install' | 'upgrade' | 'test' | 'rollback' | 'uninstall' | 'unlock' | 'correct';

export type DriftMode = 'enabled' | 'warn' | 'disabled';

const MAX_NAME = 53;
const DEFAULT_TIMEOUT = '5m0s';
const DEFAULT_RETRY = '5m0s';
const DEFAULT_MAX_HISTORY = 5;

export function releaseTarget(object: HelmRelease): ReleaseTarget {
  const own = object.metadata.namespace ?? '';
  const { releaseName, targetNamespace, storageNamespace } = object.spec ?? {};
  const composed = targetNamespace === undefined ? object.metadata.name : `${targetNamespace}-${object.metadata.name}`;
  return {
    name: shortenName(releaseName ?? composed),
    namespace: targetNamespace ?? own,
    storageNamespace: storageNamespace ?? own,
  };
}

/** A name that Helm takes: a longer one keeps its first 40 characters and a part of its digest. */
function shortenName(name: string): string {
  if (name.length <= MAX_NAME) return name;
  return `${name.slice(0, 40)}-${createHash('sha256').update(name).digest('hex').slice(0, 12)}`;
}

/** How long an action may take, in ms. */
export function actionTimeoutMs(spec: HelmReleaseSpec, action: ActionName): number {
  const own = action === 'unlock' || action === 'correct' ? undefined : spec[action]?.timeout;
  return timerMs(own ?? spec.timeout ?? DEFAULT_TIMEOUT);
}

/** Revisions to keep; 0 for all. */
export function maxHistory(spec: HelmReleaseSpec): number {
  return Math.max(spec.maxHistory ?? DEFAULT_MAX_HISTORY, 0);
}

/** What a failure of the last attempted action is answered with. */
export interface ActiveRemediation {
  readonly strategy: 'rollback' | 'uninstall';
  readonly failures: number;
  readonly exhausted: boolean;
  readonly remediateLastFailure: boolean;
  readonly ignoreTestFailures: boolean;
}

/** The remediation of an install or an upgrade. */
export function remediationOf(
  spec: HelmReleaseSpec,
  status: HelmReleaseStatus,
  action: 'install' | 'upgrade',
): ActiveRemediation {
  const { retries = 0, ignoreTestFailures, remediateLastFailure, strategy } = spec[action]?.remediation ?? {};
  const failures = (action === 'install' ? status.installFailures : status.upgradeFailures) ?? 0;
  return {
    strategy: action === 'install' ? 'uninstall' : (strategy ?? 'rollback'),
    failures,
    exhausted: retries >= 0 && failures > retries,
    remediateLastFailure: remediateLastFailure ?? (action === 'upgrade' && retries > 0),
    ignoreTestFailures: ignoreTestFailures ?? spec.test?.ignoreFailures ?? false,
  };
}

/** The remediation of what was attempted last; undefined before the first attempt. */
export function activeRemediation(spec: HelmReleaseSpec, status: HelmReleaseStatus): ActiveRemediation | undefined {
  const action = status.lastAttemptedReleaseAction;
  return action === undefined ? undefined : remediationOf(spec, status, action);
}

/** How soon a failed install or upgrade is simply tried again, in ms; undefined when failures are remediated. */
export function retryMs(spec: HelmReleaseSpec, action: 'install' | 'upgrade' | undefined): number | undefined {
  const strategy = action === undefined ? undefined : spec[action]?.strategy;
  return strategy?.name === 'RetryOnFailure' ? timerMs(strategy.retryInterval ?? DEFAULT_RETRY) : undefined;
}

/** True when failed tests are no failures of the release. */
export function ignoresTestFailures(spec: HelmReleaseSpec, status: HelmReleaseStatus): boolean {
  return activeRemediation(spec, status)?.ignoreTestFailures ?? spec.test?.ignoreFailures ?? false;
}

const MODE_OF_WORD: Readonly<Record<string, DriftMode>> = { correct: 'enabled', warn: 'warn', ignore: 'disabled' };

/** Flux's own field wins over our annotation (lockstep.md §3). */
export function driftMode(object: HelmRelease): DriftMode {
  const word = object.metadata.annotations?.[driftAnnotation] ?? '';
  const mode = object.spec?.driftDetection?.mode;
  return mode ?? (Object.hasOwn(MODE_OF_WORD, word) ? MODE_OF_WORD[word]! : 'disabled');
}

const FORCE = 'reconcile.fluxcd.io/forceAt';
const RESET = 'reconcile.fluxcd.io/resetAt';

/** The value of the force annotation when it is a request that is not handled yet. */
export function forceRequest(object: HelmRelease, requested: string | undefined): string | undefined {
  return annotationRequest(object, FORCE, requested, object.status?.lastHandledForceAt);
}

/** The same for the annotation that sets the counts of failures back. */
export function resetRequest(object: HelmRelease, requested: string | undefined): string | undefined {
  return annotationRequest(object, RESET, requested, object.status?.lastHandledResetAt);
}

function annotationRequest(
  object: HelmRelease,
  key: string,
  requested: string | undefined,
  handled: string | undefined,
): string | undefined {
  const value = object.metadata.annotations?.[key];
  return value !== undefined && value === requested && value !== handled ? value : undefined;
}
