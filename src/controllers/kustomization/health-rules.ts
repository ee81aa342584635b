// Owns the verdict on an object under the expressions of a Kustomization, and the compiled expressions of its spec
// (flux.md §4.4, §4.12).
import type { Kustomization } from '../../api/kustomize/kustomization.ts';
import {
  compileHealthExpressions,
  compileReadyExpression,
  type HealthExpressions,
  type ReadyExpression,
} from '../../health/expressions.ts';
import { judge } from '../../health/judge.ts';
import { isShortLived } from '../../health/kinds/pods.ts';
import { current, type Verdict } from '../../health/verdict.ts';
import { errorMessage } from '../../lib/errors.ts';
import type { Manifest } from '../../objects/manifest.ts';

/** Expressions of a spec that compiles. */
export interface CompiledSpec {
  readonly health: HealthExpressions;
  /** By place in dependsOn. */
  readonly ready: ReadonlyMap<number, ReadyExpression>;
}

const compiled = new WeakMap<object, CompiledSpec | string>();

/** The compiled expressions, or why they do not compile. A spec object is compiled once. */
export function compileSpec(object: Kustomization): CompiledSpec | string {
  const spec = object.spec ?? {};
  const known = compiled.get(spec);
  if (known !== undefined) return known;
  const result = compile(object);
  compiled.set(spec, result);
  return result;
}

function compile({ spec }: Kustomization): CompiledSpec | string {
  try {
    const ready = new Map<number, ReadyExpression>();
    for (const [index, { name, readyExpr }] of (spec?.dependsOn ?? []).entries()) {
      if (readyExpr) ready.set(index, compileReadyExpression(name, readyExpr));
    }
    return { health: compileHealthExpressions(spec?.healthCheckExprs ?? []), ready };
  } catch (error) {
    return errorMessage(error);
  }
}

/**
 * The health of an object: by the Kustomization's expressions where there are some for its kind.
 * @param desired as it was applied; absent for an object of somebody else
 */
export function judgeFor(
  object: Kustomization,
  live: Manifest | undefined,
  nowMs: number,
  desired?: Manifest | undefined,
): Verdict {
  if (live === undefined && isShortLived(desired)) return current('Job has finished and was removed');
  const spec = compileSpec(object);
  const own = live === undefined || typeof spec === 'string' ? undefined : spec.health.judge(live);
  return own ?? judge(live, nowMs);
}
