// Owns the checks of Jobs and CronJobs. Source: pkg/apis/batch/validation of Kubernetes 1.36. Pure.
import { isRecord } from '../../object.ts';
import { duplicateFault, type FieldFault, invalidFault, requiredFault, unsupportedFault } from '../../rest/errors.ts';
import { keyProblems } from '../../rest/names.ts';
import { cronFault, isZone } from '../../stages/cron-schedule.ts';
import { all, type Check, type CheckRules, child, join, oneOf, records, type Target, text } from './rule.ts';

const batch = 'io.k8s.api.batch.v1.';
const INDEXED = 'Indexed';

const numberOf = (value: unknown): number | undefined => (typeof value === 'number' ? value : undefined);
const quoted = (values: readonly string[]): string => `[${values.map((value) => JSON.stringify(value)).join(' ')}]`;

/** A word of a list; one that is not there is told the whole list. */
function word(path: string, value: unknown, supported: readonly string[]): FieldFault[] {
  if (text(value) === '') return [requiredFault(path, `valid values: ${quoted(supported)}`)];
  return oneOf(path, value, supported);
}

const counts: Check = (spec, path) => {
  const { completions, managedBy, completionMode: mode } = spec;
  const [perIndex, most] = [numberOf(spec['backoffLimitPerIndex']), numberOf(spec['maxFailedIndexes'])];
  const perIndexAt = join(path, 'backoffLimitPerIndex');
  const mostAt = join(path, 'maxFailedIndexes');
  const faults: FieldFault[] = [];
  if (most !== undefined && perIndex === undefined)
    faults.push(requiredFault(perIndexAt, 'when maxFailedIndexes is specified'));
  if (typeof managedBy === 'string' && !/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?\/.+$/.test(managedBy)) {
    const why = 'must be a domain-prefixed path (such as "acme.io/foo")';
    faults.push(invalidFault(join(path, 'managedBy'), managedBy, why));
  }
  if (mode !== undefined) faults.push(...oneOf(join(path, 'completionMode'), mode, ['NonIndexed', INDEXED]));
  if (mode === INDEXED) {
    if (completions === undefined)
      faults.push(requiredFault(join(path, 'completions'), `when completion mode is ${INDEXED}`));
    else if (most !== undefined && most > Number(completions))
      faults.push(invalidFault(mostAt, most, 'must be less than or equal to completions'));
  }
  if (mode !== undefined && mode !== 'NonIndexed') return faults;
  const why = 'requires indexed completion mode';
  if (perIndex !== undefined) faults.push(invalidFault(perIndexAt, perIndex, why));
  if (most !== undefined) faults.push(invalidFault(mostAt, most, why));
  return faults;
};

const ACTIONS = ['Count', 'FailIndex', 'FailJob', 'Ignore'];

const failurePolicy: Check = (spec, path) => {
  const policy = spec['podFailurePolicy'];
  if (!isRecord(policy)) return [];
  const pod = child(spec, 'template', 'spec');
  const names = ['containers', 'initContainers'].flatMap((list) =>
    records(isRecord(pod) ? pod[list] : undefined).map(({ name }) => name),
  );
  return records(policy['rules']).flatMap((rule, i) => {
    const at = `${join(path, 'podFailurePolicy.rules')}[${i}]`;
    const { action, onExitCodes: codes } = rule;
    const conditions = records(rule['onPodConditions']);
    const faults =
      action === 'FailIndex' && spec['backoffLimitPerIndex'] === undefined
        ? [invalidFault(`${at}.action`, action, 'requires the backoffLimitPerIndex to be set')]
        : word(`${at}.action`, action, ACTIONS);
    const says = (message: string): FieldFault => ({ type: 'FieldValueInvalid', field: at, message });
    if (isRecord(codes)) faults.push(...exitCodes(codes, `${at}.onExitCodes`, names));
    faults.push(...conditions.flatMap((pattern, j) => condition(pattern, `${at}.onPodConditions[${j}]`)));
    if (isRecord(codes) && conditions.length > 0)
      faults.push(says('Invalid value: specifying both OnExitCodes and OnPodConditions is not supported'));
    if (!isRecord(codes) && conditions.length === 0)
      faults.push(says('Invalid value: specifying one of OnExitCodes and OnPodConditions is required'));
    return faults;
  });
};

function exitCodes({ operator, containerName, values }: Target, path: string, names: readonly unknown[]): FieldFault[] {
  const faults = word(`${path}.operator`, operator, ['In', 'NotIn']);
  const why = 'must be one of the container or initContainer names in the pod template';
  if (containerName !== undefined && !names.includes(containerName))
    faults.push(invalidFault(`${path}.containerName`, containerName, why));
  const codes = Array.isArray(values) ? values.map(Number) : [];
  const at = `${path}.values`;
  if (codes.length === 0) faults.push(invalidFault(at, codes, 'at least one value is required'));
  for (const [i, code] of codes.entries()) {
    if (operator === 'In' && code === 0)
      faults.push(invalidFault(`${at}[${i}]`, code, 'must not be 0 for the In operator'));
    if (codes.indexOf(code) < i) faults.push(duplicateFault(`${at}[${i}]`, code));
  }
  if (codes.some((code, i) => i > 0 && codes[i - 1]! > code)) faults.push(invalidFault(at, codes, 'must be ordered'));
  return faults;
}

function condition({ type, status }: Target, path: string): FieldFault[] {
  const problems = keyProblems(text(type)).map((problem) => invalidFault(`${path}.type`, text(type), problem));
  return [...problems, ...word(`${path}.status`, status, ['False', 'True', 'Unknown'])];
}

const successPolicy: Check = (spec, path) => {
  const policy = spec['successPolicy'];
  if (!isRecord(policy)) return [];
  const at = join(path, 'successPolicy');
  const rules = records(policy['rules']);
  // The value is shown as the API server's own structure.
  if (spec['completionMode'] !== INDEXED)
    return [invalidFault(at, { Rules: rules }, 'requires indexed completion mode')];
  if (rules.length === 0) {
    const why = 'at least one rules must be specified when the successPolicy is specified';
    return [requiredFault(`${at}.rules`, why)];
  }
  return rules.flatMap((rule, i) => successRule(rule, `${at}.rules[${i}]`, Number(spec['completions'] ?? 0)));
};

function successRule(rule: Target, path: string, completions: number): FieldFault[] {
  const { succeededCount, succeededIndexes } = rule;
  const count = numberOf(succeededCount);
  const faults: FieldFault[] = [];
  if (count === undefined && succeededIndexes === undefined)
    return [requiredFault(path, 'at least one of succeededCount or succeededIndexes must be specified')];
  const indexes = typeof succeededIndexes === 'string' ? countIndexes(succeededIndexes, completions) : undefined;
  if (typeof indexes === 'string') {
    const why = `error parsing succeededIndexes: ${indexes}`;
    faults.push(invalidFault(`${path}.succeededIndexes`, succeededIndexes, why));
  }
  if (count === undefined) return faults;
  const at = `${path}.succeededCount`;
  const exceeds = (limit: number, of: string): FieldFault =>
    invalidFault(at, count, `must be less than or equal to ${limit} (the number of ${of})`);
  if (count < 0) faults.push(invalidFault(at, count, 'must be greater than or equal to 0'));
  if (count > completions) faults.push(exceeds(completions, 'specified completions'));
  const total = typeof indexes === 'number' ? indexes : 0;
  if (indexes !== undefined && count > total)
    faults.push(exceeds(total, 'indexes in the specified succeededIndexes field'));
  return faults;
}

/** How many indexes a text such as `0-2,5` names, or what is wrong with it. */
function countIndexes(given: string, completions: number): number | string {
  let total = 0;
  let last: number | undefined;
  for (const part of given === '' ? [] : given.split(',')) {
    const limits = part.split('-');
    if (limits.length > 2) {
      const rule = "that an index interval can have at most two parts separated by '-'";
      return `the fragment ${JSON.stringify(part)} violates the requirement ${rule}`;
    }
    for (const limit of limits) {
      if (!/^[+-]?\d+$/.test(limit)) return `cannot convert string to integer for index: ${JSON.stringify(limit)}`;
      if (Number(limit) >= completions) return `too large index: ${JSON.stringify(limit)}`;
    }
    const [first = 0, end = first] = limits.map(Number);
    if (limits.length === 2 && first >= end) return `non-increasing order, previous: ${first}, current: ${end}`;
    if (last !== undefined && last >= first) return `non-increasing order, previous: ${last}, current: ${first}`;
    total += end - first + 1;
    last = end;
  }
  return total;
}

const replacement: Check = ({ podReplacementPolicy: policy, podFailurePolicy }, path) => {
  if (policy === undefined) return [];
  const supported = podFailurePolicy === undefined ? ['Failed', 'TerminatingOrFailed'] : ['Failed'];
  return oneOf(join(path, 'podReplacementPolicy'), policy, supported);
};

const restarts: Check = (spec, path) => {
  const policy = child(spec, 'template', 'spec', 'restartPolicy');
  const field = join(path, 'template.spec.restartPolicy');
  if (policy === undefined || policy === 'Always') return [requiredFault(field, 'valid values: "OnFailure", "Never"')];
  if (policy !== 'OnFailure' && policy !== 'Never') return [unsupportedFault(field, policy, ['OnFailure', 'Never'])];
  if (policy === 'Never' || spec['podFailurePolicy'] === undefined) return [];
  return [invalidFault(field, policy, 'only "Never" is supported when podFailurePolicy is specified')];
};

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

export const JOB_CHECKS: CheckRules = {
  [`${batch}JobSpec`]: {
    notNegative: [
      'parallelism',
      'completions',
      'activeDeadlineSeconds',
      'backoffLimit',
      'ttlSecondsAfterFinished',
      'backoffLimitPerIndex',
      'maxFailedIndexes',
    ],
    extra: all(counts, failurePolicy, successPolicy, replacement, restarts),
  },
  [`${batch}CronJobSpec`]: {
    extra: schedule,
    required: ['schedule'],
    notNegative: ['startingDeadlineSeconds', 'successfulJobsHistoryLimit', 'failedJobsHistoryLimit'],
    oneOf: { concurrencyPolicy: ['Allow', 'Forbid', 'Replace'] },
  },
};
