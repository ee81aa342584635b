// Owns the JSONPath subset that printer columns use: fields, indexes, wildcards, filters by equality. Pure.
import { getKey, isRecord } from '../object.ts';

type Step =
  | { readonly kind: 'field'; readonly name: string }
  | { readonly kind: 'index'; readonly at: number }
  | { readonly kind: 'all' }
  | { readonly kind: 'filter'; readonly path: readonly Step[]; readonly operator: string; readonly value: unknown };

const parsed = new Map<string, readonly Step[]>();

/** Values that a path finds, in order; none when it matches nothing or cannot be read. */
export function evaluateJsonPath(path: string, value: unknown): unknown[] {
  let steps = parsed.get(path);
  if (steps === undefined) {
    steps = parseSteps(path.replace(/^\{(.*)\}$/, '$1').replace(/^\$/, ''));
    parsed.set(path, steps);
  }
  return walk(steps, [value]);
}

const STEP =
  /^(?:\.\*|\.?\[\*\]|\.?\[(-?\d+)\]|\.?\['((?:[^'\\]|\\.)*)'\]|\.?\["((?:[^"\\]|\\.)*)"\]|\.((?:[^.[\]\\]|\\.)+)|\[\?\((.*?)\)\])/;
const FILTER = /^@((?:\.(?:[^.\s=!<>[\]\\]|\\.)+)*)\s*(==|!=|>=|<=|>|<)\s*(.+)$/;

function parseSteps(text: string): Step[] {
  const steps: Step[] = [];
  let rest = text.startsWith('.') || text.startsWith('[') || text === '' ? text : `.${text}`;
  while (rest !== '') {
    const match = STEP.exec(rest);
    if (match === null) return [{ kind: 'index', at: Number.NaN }];
    const [whole, index, single, double, field, filter] = match;
    if (index !== undefined) steps.push({ kind: 'index', at: Number(index) });
    else if (filter !== undefined) steps.push(parseFilter(filter));
    else if (single !== undefined || double !== undefined || field !== undefined) {
      steps.push({ kind: 'field', name: (single ?? double ?? field ?? '').replace(/\\(.)/g, '$1') });
    } else steps.push({ kind: 'all' });
    rest = rest.slice(whole.length);
  }
  return steps;
}

function parseFilter(text: string): Step {
  const match = FILTER.exec(text.trim());
  if (match === null) return { kind: 'index', at: Number.NaN };
  const literal = match[3]!.trim();
  const value = /^(['"]).*\1$/.test(literal)
    ? literal.slice(1, -1)
    : literal === 'true' || literal === 'false'
      ? literal === 'true'
      : Number(literal);
  return { kind: 'filter', path: parseSteps(match[1]!), operator: match[2]!, value };
}

function walk(steps: readonly Step[], start: readonly unknown[]): unknown[] {
  let values = [...start];
  for (const step of steps) values = values.flatMap((value) => take(step, value));
  return values;
}

function take(step: Step, value: unknown): unknown[] {
  switch (step.kind) {
    case 'field': {
      const found = isRecord(value) ? getKey(value, step.name) : undefined;
      return found === undefined ? [] : [found];
    }
    case 'index': {
      if (!Array.isArray(value)) return [];
      const at = step.at < 0 ? value.length + step.at : step.at;
      return at in value ? [value[at]] : [];
    }
    case 'all':
      return Array.isArray(value) ? value : isRecord(value) ? Object.values(value) : [];
    case 'filter':
      return Array.isArray(value) ? value.filter((item) => meets(step, item)) : [];
    default:
      return step satisfies never;
  }
}

function meets(step: Extract<Step, { kind: 'filter' }>, item: unknown): boolean {
  const [left] = walk(step.path, [item]);
  const right = step.value;
  if (left === undefined) return false;
  switch (step.operator) {
    case '==':
      return left === right;
    case '!=':
      return left !== right;
    case '>':
      return (left as number) > (right as number);
    case '<':
      return (left as number) < (right as number);
    case '>=':
      return (left as number) >= (right as number);
    default:
      return (left as number) <= (right as number);
  }
}
