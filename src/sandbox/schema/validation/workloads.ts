// Owns the checks of kinds that make pods that stay, and of what guards them; Jobs are jobs.ts. Source: the validation
// of apps and policy of Kubernetes 1.36. Pure.
import { isRecord } from '../../object.ts';
import { type FieldFault, forbiddenFault, invalidFault, requiredFault, unsupportedFault } from '../../rest/errors.ts';
import { labelFaults } from '../../rest/names.ts';
import { matchesSelector } from '../../stages/selector.ts';
import type { LabelSelector, Labels } from '../../stages/types.ts';
import { all, type Check, type CheckRules, child, countOrPercent, join, oneOf, text } from './rule.ts';

const apps = 'io.k8s.api.apps.v1.';

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
  const partition = isRecord(rollingUpdate) ? rollingUpdate['partition'] : undefined;
  if (type === 'OnDelete' && isRecord(rollingUpdate)) {
    const shown = { Partition: partition ?? 0, MaxUnavailable: rollingUpdate['maxUnavailable'] ?? null };
    return [invalidFault(join(path, 'rollingUpdate'), shown, "only allowed for updateStrategy 'RollingUpdate'")];
  }
  if (type === 'RollingUpdate' && typeof partition === 'number' && partition < 0)
    return [invalidFault(join(path, 'rollingUpdate.partition'), partition, 'must be greater than or equal to 0')];
  if (type === 'RollingUpdate' || type === 'OnDelete') return [];
  return [invalidFault(path, strategyOf(type, rollingUpdate), "must be 'RollingUpdate' or 'OnDelete'")];
};

const daemonUpdate: Check = ({ type, rollingUpdate }, path) => {
  if (type === 'RollingUpdate' || type === 'OnDelete') return [];
  return [unsupportedFault(path, strategyOf(type, rollingUpdate), ['RollingUpdate', 'OnDelete'])];
};

/** What becomes of claims when their StatefulSet goes, or gets fewer replicas. */
const claimRetention: Check = ({ persistentVolumeClaimRetentionPolicy: policy }, path) => {
  if (!isRecord(policy)) return [];
  const at = join(path, 'persistentVolumeClaimRetentionPolicy');
  return ['whenDeleted', 'whenScaled'].flatMap((field) => oneOf(`${at}.${field}`, policy[field], ['Retain', 'Delete']));
};

const ordinals: Check = (spec, path) => {
  const start = child(spec, 'ordinals', 'start');
  if (typeof start !== 'number' || start >= 0) return [];
  return [invalidFault(join(path, 'ordinals.start'), start, 'must be greater than or equal to 0')];
};

const serviceName: Check = ({ serviceName: name }, path) =>
  text(name) === '' ? [] : labelFaults(text(name), join(path, 'serviceName'));

const podManagement: Check = ({ podManagementPolicy: policy }, path) => {
  if (policy === undefined || policy === 'OrderedReady' || policy === 'Parallel') return [];
  return [invalidFault(join(path, 'podManagementPolicy'), policy, "must be 'OrderedReady' or 'Parallel'")];
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
    notNegative: ['replicas', 'minReadySeconds'],
    extra: all(podManagement, claimRetention, ordinals, serviceName, selectsTemplate('statefulset'), alwaysRestarts),
  },
  [`${apps}StatefulSetUpdateStrategy`]: { extra: statefulUpdate },
  [`${apps}DaemonSetSpec`]: { extra: all(selectsTemplate(DAEMON_SET), alwaysRestarts) },
  [`${apps}DaemonSetUpdateStrategy`]: { extra: daemonUpdate },
  'io.k8s.api.policy.v1.PodDisruptionBudgetSpec': { extra: budget },
};
