// Owns the decision what a pass for a HelmRelease does: an ordered list of checks (helm.md §21.2, lockstep.md §2-§5).
// Which action a release needs is choose.ts, once a run is under way.
import { helmReleaseReasons as reasons } from '../../api/helm/helmrelease.ts';
import { formatDurationMs } from '../../lib/duration.ts';
import type { Decision, Observed, RunInputs, Settled } from './types.ts';

type Failure = Extract<Decision, { do: 'fail' }>;

/** The first check that has something to say decides. Pure: the same observation gives the same decision. */
export function decide(observed: Observed, nowMs: number): Decision {
  const { object, running, source, inputs, values } = observed;
  if (running !== undefined && (object.spec?.suspend === true || !isStale(running.run.inputs, observed))) {
    const { run, result, isPolled } = running;
    return result === undefined ? { do: 'wait', run, isPolled } : { do: 'go on', run, result };
  }
  const early = findBlocker(observed);
  if (early !== undefined) return early;
  const { write, remove } = observed.chart;
  if (write !== undefined || remove !== undefined) return { do: 'sync chart', write, remove };
  const late = findLateBlocker(observed);
  if (late !== undefined) return late;
  if (source?.state !== 'ready' || inputs === undefined || 'problem' in values) {
    throw new Error('a source that is not ready must have blocked');
  }
  const because =
    running === undefined ? reasonToRun(observed, inputs, nowMs) : 'what is under way is not wanted any more';
  if (because === undefined) {
    const { drift, settled } = observed;
    const until = typeof drift === 'object' ? nowMs + drift.afterMs : (settled?.until ?? 'interval');
    return { do: 'nothing', because: 'nothing has changed', until };
  }
  return {
    do: 'run',
    because,
    inputs,
    artifact: source.artifact,
    source: source.source,
    values,
    cancels: running?.run,
  };
}

/** True when what a run was begun for is not what is wanted now. Inputs that cannot be read say nothing. */
function isStale(begun: RunInputs, { object, inputs, requested }: Observed): boolean {
  if (begun.generation !== (object.metadata.generation ?? 0)) return true;
  if (requested !== undefined && requested !== begun.requested) return true;
  return inputs !== undefined && (inputs.artifact !== begun.artifact || inputs.configDigest !== begun.configDigest);
}

function reasonToRun(observed: Observed, inputs: RunInputs, nowMs: number): string | undefined {
  const { settled, requested, storage, drift } = observed;
  if (settled === undefined) return 'nothing is known of an earlier pass';
  if (settled.inputs.generation !== inputs.generation) return 'new generation';
  if (requested !== undefined) return 'requested';
  if (settled.inputs.artifact !== inputs.artifact) return 'new chart';
  if (settled.inputs.configDigest !== inputs.configDigest) return 'new values';
  if (typeof settled.until === 'number') return nowMs >= settled.until ? 'another try' : undefined;
  // Storage that is not watched is looked at each interval, but what stalls waits for a change.
  if (storage === undefined) return settled.until === 'interval' ? 'storage that is not watched' : undefined;
  if (isNewer(storage, settled)) return 'storage changed';
  return drift === 'seen' ? 'drift' : undefined;
}

/** True when storage has another newest revision than the last run left. A cache may lag behind own writes. */
function isNewer(storage: string, settled: Settled): boolean {
  if (storage === settled.storage) return false;
  const parse = (label: string) => label.split('@').map((part) => (/^\d+$/.test(part) ? BigInt(part) : -1n));
  const [version = -1n, at = -1n] = parse(storage);
  const [known = -1n, knownAt = -1n] = parse(settled.storage);
  // Gone altogether: somebody has uninstalled it, or the cache has not seen the install yet.
  if (storage === '') return true;
  return version === known ? at > knownAt : version > known || at > knownAt;
}

/** Why this pass cannot begin at all, or undefined. */
function findBlocker({ object, invalidExpression, denied }: Observed): Failure | undefined {
  if (object.spec === undefined) {
    return { do: 'fail', reason: reasons.artifactFailed, message: 'the HelmRelease has no spec', retry: 'stalled' };
  }
  if (invalidExpression !== undefined) {
    const message = `Reconciliation failed terminally due to configuration error: ${invalidExpression}`;
    return { do: 'fail', reason: reasons.invalidCelExpression, message, retry: 'stalled' };
  }
  if (denied !== undefined) {
    return { do: 'fail', reason: reasons.accessDenied, message: denied, retry: 'stalled' };
  }
  return undefined;
}

/** Why there is nothing to release yet, or undefined. */
function findLateBlocker({ dependencyProblem, source, values, requeueDependencyMs }: Observed): Failure | undefined {
  const retryAfterMs = requeueDependencyMs;
  if (dependencyProblem !== undefined) {
    return {
      do: 'fail',
      reason: reasons.dependencyNotReady,
      message: dependencyProblem,
      retry: 'waiting',
      retryAfterMs,
    };
  }
  if (source === undefined || source.state === 'missing') {
    const message = `could not get Source object: ${source?.resource ?? 'no source'} not found`;
    return { do: 'fail', reason: reasons.artifactFailed, message, retry: 'transient', silent: true };
  }
  if (source.state === 'not ready') {
    const message = `${source.id} is not ready: ${source.because}`;
    return { do: 'fail', reason: reasons.sourceNotReady, message, retry: 'waiting', retryAfterMs, silent: true };
  }
  if ('problem' in values) {
    return { do: 'fail', reason: reasons.valuesError, message: values.problem, retry: 'transient' };
  }
  return undefined;
}

/** What is said while the archive of a chart is not on disk. */
export function artifactNotFound(retryMs: number): string {
  return `Source not ready: artifact not found. Retrying in ${formatDurationMs(retryMs)}`;
}
