// Owns matching of labels against the selectors that workloads carry.
import type { LabelSelector, Labels } from './types.ts';

/** An absent selector matches nothing; one without requirements matches everything. */
export function matchesSelector(selector: LabelSelector | undefined, labels: Labels = {}): boolean {
  if (selector === undefined || !matchesLabels(selector.matchLabels, labels)) return false;
  return (selector.matchExpressions ?? []).every((expression) => matchesExpression(expression, labels));
}

/** True when every pair is among the labels. */
export function matchesLabels(wanted: Labels = {}, labels: Labels = {}): boolean {
  return Object.entries(wanted).every(([key, value]) => labelValue(labels, key) === value);
}

function matchesExpression(
  expression: { key: string; operator: string; values?: readonly string[] },
  labels: Labels,
): boolean {
  const value = labelValue(labels, expression.key);
  const listed = value !== undefined && (expression.values ?? []).includes(value);
  switch (expression.operator) {
    case 'In':
      return listed;
    case 'NotIn':
      return !listed;
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    default:
      return false;
  }
}

function labelValue(labels: Labels, key: string): string | undefined {
  return Object.hasOwn(labels, key) ? labels[key] : undefined;
}
