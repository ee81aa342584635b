// Owns the shape of the checks of built-in types and what several of them share: paths, percentages, selectors, DNS
// names. Pure.
import { getKey, isRecord } from '../../object.ts';
import { duplicateFault, type FieldFault, invalidFault, requiredFault, unsupportedFault } from '../../rest/errors.ts';
import { checkLabels, dnsLabelProblems } from '../../rest/names.ts';

export type Target = Readonly<Record<string, unknown>>;

/** A check of one value; `path` is '' for the whole object. */
export type Check = (value: Target, path: string) => FieldFault[];

export interface CheckRule {
  /** Fields that must be there and not empty. */
  readonly required?: readonly string[];
  readonly oneOf?: Readonly<Record<string, readonly string[]>>;
  /** What a missing field's fault adds. */
  readonly details?: Readonly<Record<string, string>>;
  /** Numbers that must not be below zero. */
  readonly notNegative?: readonly string[];
  /** Port numbers. */
  readonly port?: readonly string[];
  /** Rules between fields. */
  readonly extra?: Check;
}

export type CheckRules = Readonly<Record<string, CheckRule>>;

export const CORE = 'io.k8s.api.core.v1.';

export function child(value: Target, ...path: string[]): unknown {
  let current: unknown = value;
  for (const step of path) current = isRecord(current) ? getKey(current, step) : undefined;
  return current;
}

export function join(path: string, field: string): string {
  return path === '' ? field : `${path}.${field}`;
}

export function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** The objects of a list; none where there is no list. */
export function records(value: unknown): Record<string, unknown>[] {
  return Array.isArray(value) ? value.filter(isRecord) : [];
}

export const all =
  (...checks: readonly Check[]): Check =>
  (value, path) =>
    checks.flatMap((check) => check(value, path));

/** Items of a list have names of their own. */
export function uniqueNames(field: string): Check {
  return (value, path) => {
    const seen = new Set<string>();
    const faults: FieldFault[] = [];
    for (const [i, item] of records(getKey(value, field)).entries()) {
      const name = text(item['name']);
      if (name !== '' && seen.has(name)) faults.push(duplicateFault(`${join(path, field)}[${i}].name`, name));
      seen.add(name);
    }
    return faults;
  };
}

/** A text field that is a DNS label or subdomain, where it is there. */
export function dnsName(field: string, rule: 'label' | 'subdomain'): Check {
  return (value, path) => {
    const name = text(value[field]);
    return name === ''
      ? []
      : dnsLabelProblems(rule, name).map((problem) => invalidFault(join(path, field), name, problem));
  };
}

/** A map that is used as labels to select by. */
export function labelsIn(field: string): Check {
  return (value, path) => {
    const labels = getKey(value, field);
    return isRecord(labels) ? checkLabels(labels as Record<string, string>, join(path, field)) : [];
  };
}

/** Number ports are between 1 and 65535, an absent one counts as 0. */
export function portNumber(field: string, value: unknown): FieldFault[] {
  const port = typeof value === 'number' ? value : 0;
  return port >= 1 && port <= 65535 ? [] : [invalidFault(field, port, 'must be between 1 and 65535, inclusive')];
}

/** A port by number or by name. */
export function portOrName(field: string, value: unknown): FieldFault[] {
  if (typeof value !== 'string') return portNumber(field, value);
  return portNameProblems(value).map((problem) => invalidFault(field, value, problem));
}

const PERCENT = /^[0-9]+%$/;
const PERCENT_MESSAGE =
  "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')";

/** A count or a percentage, not negative and, where told, not more than all. */
export function countOrPercent(field: string, value: unknown, atMostAll: boolean): FieldFault[] {
  if (typeof value === 'number')
    return value < 0 ? [invalidFault(field, value, 'must be greater than or equal to 0')] : [];
  if (typeof value !== 'string') return [];
  if (!PERCENT.test(value)) return [invalidFault(field, value, PERCENT_MESSAGE)];
  return atMostAll && Number.parseInt(value, 10) > 100
    ? [invalidFault(field, value, 'must not be greater than 100%')]
    : [];
}

/** Faults of a port's name. */
export function portNameProblems(name: string): string[] {
  const problems: string[] = [];
  if (name.length > 15) problems.push('must be no more than 15 characters');
  if (!/^[-a-z0-9]+$/.test(name))
    problems.push('must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)');
  if (!/[a-z]/.test(name)) problems.push('must contain at least one letter (a-z)');
  if (name.includes('--')) problems.push('must not contain consecutive hyphens');
  if (name.startsWith('-') || name.endsWith('-')) problems.push('must not begin or end with a hyphen');
  return problems;
}

const OPERATORS = ['In', 'NotIn', 'Exists', 'DoesNotExist'];

/** The labels and expressions of a selector. */
export const LABEL_SELECTOR: CheckRule = {
  extra: all(labelsIn('matchLabels'), (selector, path) =>
    records(selector['matchExpressions']).flatMap((expression, i) => {
      const at = `${join(path, 'matchExpressions')}[${i}]`;
      const { operator, values } = expression;
      const count = Array.isArray(values) ? values.length : 0;
      if (!OPERATORS.includes(text(operator)))
        return [invalidFault(`${at}.operator`, operator ?? '', 'not a valid selector operator')];
      if ((operator === 'In' || operator === 'NotIn') && count === 0)
        return [requiredFault(`${at}.values`, "must be specified when `operator` is 'In' or 'NotIn'")];
      if ((operator === 'Exists' || operator === 'DoesNotExist') && count > 0)
        return [
          {
            type: 'FieldValueForbidden',
            field: `${at}.values`,
            message: "Forbidden: may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
          },
        ];
      return [];
    }),
  ),
};

/** One of some values, where the API server checks the empty one, too. */
export function oneOf(field: string, value: unknown, supported: readonly string[]): FieldFault[] {
  return supported.includes(text(value)) ? [] : [unsupportedFault(field, value ?? '', supported)];
}
