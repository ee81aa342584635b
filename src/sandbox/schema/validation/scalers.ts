// Owns the checks of HorizontalPodAutoscalers, which are made on autoscaling/v2. Source: pkg/apis/autoscaling/validation
// of Kubernetes 1.36. Pure.
import { isRecord } from '../../object.ts';
import { type FieldFault, forbiddenFault, invalidFault, requiredFault, unsupportedFault } from '../../rest/errors.ts';
import { labelFaults, pathProblems } from '../../rest/names.ts';
import { nanosOf } from '../quantity.ts';
import { type Check, type CheckRules, join, records, type Target, text } from './rule.ts';

const autoscaling = 'io.k8s.api.autoscaling.v2.';

const isSet = (value: unknown): boolean => value !== undefined;

/** A field that must be there and be fit for a path. */
function segment(target: Target, path: string, field: string, detail = ''): FieldFault[] {
  const value = text(target[field]);
  if (value === '') return [requiredFault(join(path, field), detail)];
  return pathProblems(value).map((problem) => invalidFault(join(path, field), value, problem));
}

function reference(target: unknown, path: string, isScaled: boolean): FieldFault[] {
  const to = isRecord(target) ? target : {};
  const faults = [...segment(to, path, 'kind'), ...segment(to, path, 'name')];
  const apiVersion = text(to['apiVersion']);
  const isCore = apiVersion === 'v1' && to['kind'] === 'ReplicationController';
  if (isScaled && !apiVersion.includes('/') && !isCore)
    faults.push(invalidFault(join(path, 'apiVersion'), apiVersion, 'apiVersion must specify API group'));
  return faults;
}

const bounds: Check = ({ minReplicas, maxReplicas, scaleTargetRef, metrics }, path) => {
  const faults: FieldFault[] = [];
  const at = join(path, 'maxReplicas');
  const max = typeof maxReplicas === 'number' ? maxReplicas : 0;
  const min = typeof minReplicas === 'number' ? minReplicas : 1;
  if (min < 1) faults.push(invalidFault(join(path, 'minReplicas'), min, 'must be greater than or equal to 1'));
  if (max === 0) faults.push(requiredFault(at, 'must be set and greater than 0'));
  if (max < 0) faults.push(invalidFault(at, max, 'must be greater than or equal to 1'));
  if (max < min) faults.push(invalidFault(at, max, 'must be greater than or equal to `minReplicas`'));
  faults.push(...reference(scaleTargetRef, join(path, 'scaleTargetRef'), true));
  const list = records(metrics);
  faults.push(...list.flatMap((item, i) => metric(item, `${join(path, 'metrics')}[${i}]`)));
  if (min === 0 && !list.some(({ type }) => type === 'Object' || type === 'External')) {
    const why = 'must specify at least one Object or External metric to support scaling to zero replicas';
    faults.push(forbiddenFault(join(path, 'metrics'), why));
  }
  return faults;
};

/** The field of each type of metric, in the order in which messages list them. */
const METRICS: Readonly<Record<string, string>> = {
  ContainerResource: 'containerResource',
  External: 'external',
  Object: 'object',
  Pods: 'pods',
  Resource: 'resource',
};
/** The order in which the API server looks at them: only the first is looked into. */
const SOURCES = ['object', 'external', 'pods', 'resource', 'containerResource'];

function metric(value: Target, path: string): FieldFault[] {
  const type = text(value['type']);
  const expected = Object.hasOwn(METRICS, type) ? METRICS[type] : undefined;
  const faults: FieldFault[] = [];
  const unknown = unsupportedFault(join(path, 'type'), type, Object.keys(METRICS));
  if (type === '') faults.push(requiredFault(join(path, 'type'), 'must specify a metric source type'));
  if (expected === undefined) faults.push(unknown);
  const given = SOURCES.filter((source) => isRecord(value[source]));
  const [first] = given;
  if (first !== undefined) faults.push(...source(first, value[first] as Target, join(path, first)));
  // The API server looks twice, and says so twice.
  if (expected === undefined) faults.push(unknown);
  else if (!given.includes(expected)) {
    faults.push(requiredFault(join(path, expected), 'must populate information for the given metric source'));
  }
  if (given.length === 1) return faults;
  const others = given.filter((name) => name !== expected);
  return [...faults, ...others.map((name) => forbiddenFault(join(path, name), ONLY_ONE))];
}

const ONLY_ONE = 'must populate the given metric source only';
const EITHER = 'must set either a target raw value or a target utilization';
const NOT_BOTH = 'may not set both a target raw value and a target utilization';

function source(name: string, value: Target, path: string): FieldFault[] {
  const target = isRecord(value['target']) ? value['target'] : {};
  const at = join(path, 'target');
  const identity = isRecord(value['metric']) ? value['metric'] : {};
  const faults: FieldFault[] = [];
  if (name === 'object') faults.push(...reference(value['describedObject'], join(path, 'describedObject'), false));
  if (name === 'resource' || name === 'containerResource') {
    if (text(value['name']) === '') faults.push(requiredFault(join(path, 'name'), 'must specify a resource name'));
    if (name === 'containerResource') faults.push(...container(value, path));
  } else faults.push(...segment(identity, join(path, 'metric'), 'name', 'must specify a metric name'));
  faults.push(...targetFaults(target, at));
  const [hasValue, hasAverage] = [isSet(target['value']), isSet(target['averageValue'])];
  const hasShare = isSet(target['averageUtilization']);
  switch (name) {
    case 'object':
      if (!hasValue && !hasAverage)
        faults.push(requiredFault(`${at}.averageValue`, 'must set either a target value or averageValue'));
      break;
    case 'external':
      if (!hasValue && !hasAverage) {
        const why = 'must set either a target value for metric or a per-pod target';
        faults.push(requiredFault(`${at}.averageValue`, why));
      }
      if (hasValue && hasAverage)
        faults.push(forbiddenFault(`${at}.value`, 'may not set both a target value for metric and a per-pod target'));
      break;
    case 'pods':
      if (!hasAverage) faults.push(requiredFault(`${at}.averageValue`, 'must specify a positive target averageValue'));
      break;
    default:
      if (!hasShare && !hasAverage) faults.push(requiredFault(`${at}.averageUtilization`, EITHER));
      if (hasShare && hasAverage) faults.push(forbiddenFault(`${at}.averageValue`, NOT_BOTH));
  }
  return faults;
}

function container(value: Target, path: string): FieldFault[] {
  const name = text(value['container']);
  const at = join(path, 'container');
  return name === '' ? [requiredFault(at, 'must specify a container')] : labelFaults(name, at);
}

const TARGET_TYPES = ['Utilization', 'Value', 'AverageValue'];

function targetFaults(target: Target, path: string): FieldFault[] {
  const type = text(target['type']);
  const at = join(path, 'type');
  const faults: FieldFault[] = [];
  if (type === '') faults.push(requiredFault(at, 'must specify a metric target type'));
  if (!TARGET_TYPES.includes(type))
    faults.push(invalidFault(at, type, 'must be either Utilization, Value, or AverageValue'));
  for (const field of ['value', 'averageValue']) {
    const value = target[field];
    if (isSet(value) && nanosOf(String(value)) <= 0n)
      faults.push(invalidFault(join(path, field), value, 'must be positive'));
  }
  const share = target['averageUtilization'];
  if (typeof share === 'number' && share < 1)
    faults.push(invalidFault(join(path, 'averageUtilization'), share, 'must be greater than 0'));
  return faults;
}

const MAX_WINDOW_SECONDS = 3600;
const MAX_PERIOD_SECONDS = 1800;

const scalingRules: Check = (rules, path) => {
  const faults: FieldFault[] = [];
  const { stabilizationWindowSeconds: window, selectPolicy: select, tolerance } = rules;
  const at = join(path, 'stabilizationWindowSeconds');
  if (typeof window === 'number' && window < 0)
    faults.push(invalidFault(at, window, 'must be greater than or equal to zero'));
  if (typeof window === 'number' && window > MAX_WINDOW_SECONDS)
    faults.push(invalidFault(at, window, `must be less than or equal to ${MAX_WINDOW_SECONDS}`));
  const selections = ['Disabled', 'Max', 'Min'];
  if (isSet(select) && !selections.includes(text(select)))
    faults.push(unsupportedFault(join(path, 'selectPolicy'), select, selections));
  const policies = records(rules['policies']);
  if (policies.length === 0) faults.push(requiredFault(join(path, 'policies'), 'must specify at least one Policy'));
  faults.push(...policies.flatMap((policy, i) => policyFaults(policy, `${join(path, 'policies')}[${i}]`)));
  if (isSet(tolerance) && nanosOf(String(tolerance)) < 0n)
    faults.push(invalidFault(join(path, 'tolerance'), tolerance, 'must be greater than or equal to 0'));
  return faults;
};

function policyFaults({ type, value, periodSeconds: period }: Target, path: string): FieldFault[] {
  const faults: FieldFault[] = [];
  if (type !== 'Pods' && type !== 'Percent')
    faults.push(unsupportedFault(join(path, 'type'), text(type), ['Percent', 'Pods']));
  for (const [field, number] of [
    ['value', value],
    ['periodSeconds', period],
  ] as const) {
    if (Number(number ?? 0) <= 0)
      faults.push(invalidFault(join(path, field), number ?? 0, 'must be greater than zero'));
  }
  if (Number(period) > MAX_PERIOD_SECONDS) {
    const why = `must be less than or equal to ${MAX_PERIOD_SECONDS}`;
    faults.push(invalidFault(join(path, 'periodSeconds'), period, why));
  }
  return faults;
}

export const SCALER_CHECKS: CheckRules = {
  [`${autoscaling}HorizontalPodAutoscalerSpec`]: { extra: bounds },
  [`${autoscaling}HPAScalingRules`]: { extra: scalingRules },
};
