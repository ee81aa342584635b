// Owns health and readiness by the user's CEL expressions: `healthCheckExprs` and `dependsOn[].readyExpr`
// (flux.md §4.4, §4.12). The rules of kinds are judge.ts.
import type { HealthCheckExpression } from '../api/kustomize/kustomization.ts';
import { compileExpression, type Expression } from '../lang/cel/expression.ts';
import { CodedError, errorMessage } from '../lib/errors.ts';
import { isJsonObject, type JsonObject } from '../lib/json.ts';
import { groupOf, type Manifest } from '../objects/manifest.ts';
import { fieldAt } from './fields.ts';
import { current, failed, inProgress, type Verdict } from './verdict.ts';

/**
 * An expression that does not compile or is given twice: nothing helps but a change of the spec. Flux puts
 * `Reconciliation failed terminally due to configuration error: ` before the message.
 */
export class ExpressionError extends CodedError<'InvalidExpression', { readonly field: string }> {}

/** Compiled `healthCheckExprs`. */
export interface HealthExpressions {
  /** The verdict on an object; undefined when no entry is for its kind. An evaluation that fails is `Unknown`. */
  judge(object: Manifest): Verdict | undefined;
  /** True when an entry is for the kind: a group-only entry is for all kinds of its group. */
  covers(kind: { readonly group: string; readonly kind: string }): boolean;
}

interface Evaluator {
  readonly inProgress: Expression | undefined;
  readonly failed: Expression | undefined;
  readonly current: Expression;
}

/** Compiles the entries. Throws ExpressionError. */
export function compileHealthExpressions(entries: readonly HealthCheckExpression[]): HealthExpressions {
  const evaluators = new Map<string, Evaluator>();
  entries.forEach((entry, index) => {
    const group = groupOf(entry.apiVersion);
    const kind = entry.kind ?? '';
    const field = `healthCheckExprs[${index}]`;
    const key = `${group}/${kind}`;
    if (evaluators.has(key)) {
      const name = group === '' ? kind : `${kind}.${group}`;
      const message = `duplicate custom health check for GroupKind ${name} at healthchecks[${index}]`;
      throw new ExpressionError('InvalidExpression', message, { field });
    }
    try {
      evaluators.set(key, compileEntry(entry));
    } catch (error) {
      const message = `failed to create custom status evaluator for healthchecks[${index}]: ${errorMessage(error)}`;
      throw new ExpressionError('InvalidExpression', message, { field }, { cause: error });
    }
  });
  const find = (group: string, kind: string): Evaluator | undefined =>
    evaluators.get(`${group}/${kind}`) ?? evaluators.get(`${group}/`);
  return {
    covers: ({ group, kind }) => find(group, kind) !== undefined,
    judge: (object) => {
      const evaluator = find(groupOf(object.apiVersion), object.kind);
      return evaluator === undefined ? undefined : judgeBy(evaluator, object);
    },
  };
}

function compileEntry(entry: HealthCheckExpression): Evaluator {
  if (!entry.current) throw new Error('expression Current not specified');
  return {
    current: compileNamed('Current', entry.current),
    failed: entry.failed ? compileNamed('Failed', entry.failed) : undefined,
    inProgress: entry.inProgress ? compileNamed('InProgress', entry.inProgress) : undefined,
  };
}

function compileNamed(name: string, text: string): Expression {
  try {
    return compileExpression(text);
  } catch (error) {
    throw new Error(`failed to parse the expression ${name}: ${errorMessage(error)}`, { cause: error });
  }
}

/** The order is that of Flux's RFC 9: in progress, failed, current; none of them means in progress. */
function judgeBy(evaluator: Evaluator, object: Manifest): Verdict {
  const observed = fieldAt(object, 'status', 'observedGeneration');
  const { generation } = object.metadata;
  if (isWhole(observed) && isWhole(generation) && observed !== generation) {
    return inProgress(`${object.kind} generation is ${generation}, but latest observed generation is ${observed}`);
  }
  try {
    if (evaluator.inProgress?.test(object)) return inProgress('the expression inProgress holds');
    if (evaluator.failed?.test(object)) return failed('the expression failed holds');
    return evaluator.current.test(object) ? current() : inProgress('no expression holds');
  } catch (error) {
    return { status: 'Unknown', message: errorMessage(error) };
  }
}

function isWhole(value: unknown): value is number | bigint {
  return typeof value === 'bigint' || (typeof value === 'number' && Number.isInteger(value));
}

/** A compiled `readyExpr`. */
export interface ReadyExpression {
  /** True when the dependency is ready. Throws CelError when the expression has no result, as for a missing field. */
  isReady(self: JsonObject, dependency: JsonObject): boolean;
}

/**
 * Compiles a `readyExpr` with the variables `self` and `dep`; it must give a boolean.
 * @param name the dependency's name, for the message
 */
export function compileReadyExpression(name: string, text: string): ReadyExpression {
  let expression: Expression;
  try {
    expression = compileExpression(text, { variables: ['self', 'dep'] });
  } catch (error) {
    const message = `failed to evaluate dependency ${name}: ${errorMessage(error)}`;
    throw new ExpressionError('InvalidExpression', message, { field: 'dependsOn.readyExpr' }, { cause: error });
  }
  return { isReady: (self, dependency) => expression.test({ self: plain(self), dep: plain(dependency) }) };
}

/** Objects of typed kinds are plain JSON; a value that is none would only confuse the expression. */
function plain(value: JsonObject): JsonObject {
  return isJsonObject(value) ? value : {};
}
