// Owns the checks of kinds that make pods, and of what guards them. Source: the validation of apps, batch and policy of
// Kubernetes 1.36. Pure.
import { isRecord } from '../../object.ts';
import { type FieldFault, forbiddenFault, invalidFault, requiredFault, unsupportedFault } from '../../rest/errors.ts';
import { cronFault, isZone } from '../../stages/cron-schedule.ts';
import { matchesSelector } from '../../stages/selector.ts';
import type { LabelSelector, Labels } from '../../stages/types.ts';
import { all, type Check, type CheckRules, child, countOrPercent, join, oneOf, records, text } from './rule.ts';

const apps = 'io.k8s.api.apps.v1.';
const batch = 'io.k8s.api.batch.v1.';

/** The one kind that says nothing of a selector that is not there. */
const DAEMON_SET = 'daemonset';

/** A workload's selector must select its own template. */
function selectsTemplate(kind: string): Check {
  return (spec, path) => {
    const selector = child(spec, 'selector');
    const at = join(path, 'selector');
    const faults: FieldFault[] = [];
    if (isRecord(selector) && isEmptySelector(selector))
      return [invalidFault(at, selector, `empty selector is invalid for ${kind}`)];
    if (!isRecord(selector) && kind !== DAEMON_SET) faults.push(requiredFault(at));
    const labels = child(spec, 'template', 'metadata', 'labels');
    if (isRecord(selector) && matchesSelector(selector as LabelSelector, (labels ?? {}) as Labels)) return faults;
    const why = '`selector` does not match template `labels`';
    return [...faults, invalidFault(join(path, 'template.metadata.labels'), labels ?? null, why)];
  };
}

function isEmptySelector({ matchLabels, matchExpressions }: Record<string, unknown>): boolean {
  const isEmpty = (value: unknown): boolean => value === undefined || Object.keys(value ?? {}).length === 0;
  return isEmpty(matchLabels) && isEmpty(matchExpressions);
}

const alwaysRestarts: Check = (spec, path) => {
  const policy = child(spec, 'template', 'spec', 'restartPolicy');
  if (policy === undefined || policy === 'Always') return [];
  return [unsupportedFault(join(path, 'template.spec.restartPolicy'), policy, ['Always'])];
};

const deadlineAfterReady: Check = ({ progressDeadlineSeconds, minReadySeconds = 0 }, path) => {
  if (typeof progressDeadlineSeconds !== 'number' || progressDeadlineSeconds > Number(minReadySeconds)) return [];
  return [
    invalidFault(
      join(path, 'progressDeadlineSeconds'),
      progressDeadlineSeconds,
      'must be greater than minReadySeconds',
    ),
  ];
};

const isNothing = (value: unknown): boolean => value === 0 || value === '0%';

const deploymentStrategy: Check = ({ type, rollingUpdate }, path) => {
  if (type === 'Recreate') {
    if (rollingUpdate === undefined) return [];
    const why = "may not be specified when strategy `type` is 'Recreate'";
    return [forbiddenFault(join(path, 'rollingUpdate'), why)];
  }
  if (type !== 'RollingUpdate')
    return [unsupportedFault(path, strategyOf(type, rollingUpdate), ['Recreate', 'RollingUpdate'])];
  if (!isRecord(rollingUpdate)) return [];
  const { maxUnavailable, maxSurge } = rollingUpdate;
  const at = join(path, 'rollingUpdate');
  const faults = [
    ...countOrPercent(`${at}.maxUnavailable`, maxUnavailable, true),
    ...countOrPercent(`${at}.maxSurge`, maxSurge, false),
  ];
  if (isNothing(maxUnavailable) && isNothing(maxSurge))
    faults.push(invalidFault(`${at}.maxUnavailable`, maxUnavailable, 'may not be 0 when `maxSurge` is 0'));
  return faults;
};

/** A strategy as the API server prints it: its own structure. */
function strategyOf(type: unknown, rollingUpdate: unknown): Record<string, unknown> {
  return { Type: type, RollingUpdate: rollingUpdate ?? null };
}

const statefulUpdate: Check = ({ type, rollingUpdate }, path) => {
  if (type === 'RollingUpdate' || type === 'OnDelete') return [];
  return [invalidFault(path, strategyOf(type, rollingUpdate), "must be 'RollingUpdate' or 'OnDelete'")];
};

const daemonUpdate: Check = ({ type, rollingUpdate }, path) => {
  if (type === 'RollingUpdate' || type === 'OnDelete') return [];
  return [unsupportedFault(path, strategyOf(type, rollingUpdate), ['RollingUpdate', 'OnDelete'])];
};

const podManagement: Check = ({ podManagementPolicy: policy }, path) => {
  if (policy === undefined || policy === 'OrderedReady' || policy === 'Parallel') return [];
  return [invalidFault(join(path, 'podManagementPolicy'), policy, "must be 'OrderedReady' or 'Parallel'")];
};

const jobRestarts: Check = (spec, path) => {
  const policy = child(spec, 'template', 'spec', 'restartPolicy');
  if (policy === 'OnFailure' || policy === 'Never') return [];
  const field = join(path, 'template.spec.restartPolicy');
  if (policy === undefined || policy === 'Always') return [requiredFault(field, 'valid values: "OnFailure", "Never"')];
  return [unsupportedFault(field, policy, ['OnFailure', 'Never'])];
};

const completionMode: Check = ({ completionMode: mode, completions }, path) => {
  if (mode === undefined) return [];
  if (mode === 'Indexed' && completions === undefined)
    return [requiredFault(join(path, 'completions'), 'when completion mode is Indexed')];
  return oneOf(join(path, 'completionMode'), mode, ['NonIndexed', 'Indexed']);
};

const FAILURE_ACTIONS = ['Count', 'FailIndex', 'FailJob', 'Ignore'];

const failurePolicy: Check = ({ rules }, path) =>
  records(rules).flatMap((rule, i) => {
    const at = `${join(path, 'rules')}[${i}]`;
    const faults = oneOf(`${at}.action`, rule['action'], FAILURE_ACTIONS);
    const codes = isRecord(rule['onExitCodes']);
    const conditions = records(rule['onPodConditions']).length > 0;
    const says = (message: string): FieldFault => ({ type: 'FieldValueInvalid', field: at, message });
    if (codes && conditions)
      faults.push(says('Invalid value: specifying both OnExitCodes and OnPodConditions is not supported'));
    if (!codes && !conditions)
      faults.push(says('Invalid value: specifying one of OnExitCodes and OnPodConditions is required'));
    return faults;
  });

const schedule: Check = ({ schedule: given, timeZone }, path) => {
  const at = join(path, 'schedule');
  const value = text(given);
  if (value === '') return [];
  const faults: FieldFault[] = [];
  if (value.includes('TZ'))
    faults.push(invalidFault(at, value, 'cannot use TZ or CRON_TZ in schedule, use timeZone field instead'));
  else {
    const why = cronFault(value);
    if (why !== undefined) faults.push(invalidFault(at, value, why));
  }
  if (typeof timeZone === 'string' && !isZone(timeZone))
    faults.push(invalidFault(join(path, 'timeZone'), timeZone, `unknown time zone ${timeZone}`));
  return faults;
};

const budget: Check = (spec, path) => {
  const { minAvailable, maxUnavailable, selector, unhealthyPodEvictionPolicy } = spec;
  if (minAvailable !== undefined && maxUnavailable !== undefined) {
    const shown = {
      MinAvailable: minAvailable,
      Selector: selector ?? null,
      MaxUnavailable: maxUnavailable,
      UnhealthyPodEvictionPolicy: unhealthyPodEvictionPolicy ?? null,
    };
    return [invalidFault(path, shown, 'minAvailable and maxUnavailable cannot be both set')];
  }
  return [
    ...countOrPercent(join(path, 'minAvailable'), minAvailable, true),
    ...countOrPercent(join(path, 'maxUnavailable'), maxUnavailable, true),
  ];
};

export const WORKLOAD_CHECKS: CheckRules = {
  [`${apps}DeploymentSpec`]: {
    notNegative: ['replicas', 'minReadySeconds', 'revisionHistoryLimit'],
    extra: all(selectsTemplate('deployment'), alwaysRestarts, deadlineAfterReady),
  },
  [`${apps}DeploymentStrategy`]: { extra: deploymentStrategy },
  [`${apps}ReplicaSetSpec`]: {
    notNegative: ['replicas', 'minReadySeconds'],
    extra: all(selectsTemplate('deployment'), alwaysRestarts),
  },
  [`${apps}StatefulSetSpec`]: {
    notNegative: ['replicas'],
    extra: all(podManagement, selectsTemplate('statefulset'), alwaysRestarts),
  },
  [`${apps}StatefulSetUpdateStrategy`]: { extra: statefulUpdate },
  [`${apps}DaemonSetSpec`]: { extra: all(selectsTemplate(DAEMON_SET), alwaysRestarts) },
  [`${apps}DaemonSetUpdateStrategy`]: { extra: daemonUpdate },
  [`${batch}JobSpec`]: {
    notNegative: ['parallelism', 'completions', 'activeDeadlineSeconds', 'backoffLimit', 'ttlSecondsAfterFinished'],
    extra: all(completionMode, jobRestarts),
  },
  [`${batch}PodFailurePolicy`]: { extra: failurePolicy },
  [`${batch}CronJobSpec`]: {
    extra: schedule,
    required: ['schedule'],
    notNegative: ['startingDeadlineSeconds', 'successfulJobsHistoryLimit', 'failedJobsHistoryLimit'],
    oneOf: { concurrencyPolicy: ['Allow', 'Forbid', 'Replace'] },
  },
  'io.k8s.api.policy.v1.PodDisruptionBudgetSpec': { extra: budget },
};
