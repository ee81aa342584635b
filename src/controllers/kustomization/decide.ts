// Owns the decision what a pass for a Kustomization does: an ordered list of checks (flux.md §4.3, §4.13,
// lockstep.md §2-§5). Reading is observe.ts, doing is act.ts.
import { kustomizationReasons as reasons } from '../../api/kustomize/kustomization.ts';
import { formatDurationMs } from '../../lib/duration.ts';
import { sameRevision } from '../shared/revision.ts';
import { retryIntervalMs } from '../shared/timing.ts';
import { artifactNotFound } from './texts.ts';
import type { Choice, Decision, Failure, HealthTarget, HealthWait, Held, Observed } from './types.ts';

const SOURCE_KINDS: readonly string[] = ['GitRepository', 'OCIRepository', 'Bucket', 'ExternalArtifact'];

/** The first check that has something to say decides. Pure: the same observation gives the same decision. */
export function decide(observed: Observed, nowMs: number): Decision {
  const choice = choose(observed, nowMs);
  const { delayed } = observed.notes;
  return delayed === undefined ? choice : { ...choice, delayed };
}

function choose(observed: Observed, nowMs: number): Choice {
  const failure = findBlocker(observed);
  if (failure !== undefined) return { do: 'fail', because: failure.reason, failure };
  const { source, applied, object } = observed;
  if (source.state !== 'ready') throw new Error('a source that is not ready must have blocked');
  const { artifact, originRevision } = source;
  const target = { artifact, originRevision };
  const apply = (because: string): Choice => ({ do: 'apply', because, ...target, cancels: observed.waiting });
  const generation = object.metadata.generation ?? 0;

  // Before anything that the failure left unknown: events of applied objects must not repeat it in a loop.
  if (observed.held !== undefined && observed.requested === undefined && !isHealthyAgain(observed)) {
    return decideHeld(observed, observed.held);
  }
  const newRevision = applied === undefined || !sameRevision(applied.revision, artifact.revision);
  if (applied === undefined) return apply('nothing is known of an earlier pass');
  if (applied.generation !== generation) return apply('new generation');
  if (applied.inputs !== observed.inputs) return apply('changed inputs');
  if (observed.requested !== undefined) return apply('requested');
  if (newRevision && (observed.touched !== false || !applied.complete)) {
    return apply('new revision');
  }
  if (newRevision) {
    const hasDrift = observed.drifted.length > 0;
    const because = 'the new revision touches nothing of this build';
    // Those that it touches come first (lockstep.md §4).
    if (!observed.isBackground && !hasDrift) return { do: 'put off', because };
    return { do: 'move', because, ...target, hasDrift };
  }

  if (observed.leftBehind) return { do: 'prune', because: 'nobody takes over what has left' };
  const wait = observed.waiting;
  // Drift may be why an object does not come up.
  if (wait !== undefined && (observed.drifted.length === 0 || nowMs >= wait.deadlineMs)) {
    return decideHealth(observed, wait, nowMs);
  }
  if (wait !== undefined) return correct(observed, [], wait);
  if (!applied.complete) return apply('the last pass did not succeed');
  if (applied.conflicts.length > 0) return apply('objects belong to others');
  if (observed.drifted.length + observed.unwatched.length > 0) return correct(observed, observed.unwatched, undefined);
  const unhealthy = observed.health.filter((item) => item.verdict.status === 'Failed');
  if (unhealthy.length > 0) {
    const message = `health check failed: ${describe(unhealthy)}`;
    return {
      do: 'fail health',
      because: 'an applied object has become unhealthy',
      message,
      targets: targetsOf(unhealthy),
      revision: applied.revision,
    };
  }
  return { do: 'nothing', because: 'nothing has changed', notes: observed.notes };
}

/** A failure of health is over as soon as all objects are healthy. */
function isHealthyAgain({ held, applied, health }: Observed): boolean {
  return held?.step === 'health' && applied !== undefined && health.every((item) => item.verdict.status === 'Current');
}

/** Until a failure is tried again only drift is put back, where it is known what was applied. */
function decideHeld(observed: Observed, held: Held): Choice {
  if (observed.applied !== undefined && observed.drifted.length > 0) return correct(observed, [], held);
  return { do: 'hold', because: 'the last pass failed and its retry is not due', ms: held.leftMs };
}

function correct(observed: Observed, unwatched: readonly string[], pending: HealthWait | Held | undefined): Choice {
  const because = observed.drifted.length > 0 ? 'drift' : 'objects that cannot be watched';
  const objects = new Set([...observed.drifted.map((item) => item.key), ...unwatched]);
  const { drifted, notes } = observed;
  return { do: 'correct', because, objects: [...objects], drifted, warned: notes.warned, pending };
}

/** Why this pass cannot begin at all, or undefined. */
function findBlocker(observed: Observed): Failure | undefined {
  const { object, source, settings } = observed;
  const spec = object.spec;
  if (spec === undefined || !SOURCE_KINDS.includes(spec.sourceRef?.kind)) {
    const kind = spec?.sourceRef?.kind ?? '';
    const message = `source \`${spec?.sourceRef?.name ?? ''}\` kind '${kind}' not supported`;
    return { reason: reasons.artifactFailed, message, retry: 'transient' };
  }
  if (observed.invalidExpression !== undefined) {
    const message = `Reconciliation failed terminally due to configuration error: ${observed.invalidExpression}`;
    return { reason: reasons.invalidCelExpression, message, retry: 'stalled' };
  }
  const gate = 'ObjectLevelWorkloadIdentity';
  if (spec.decryption?.serviceAccountName && !settings.gates[gate]) {
    const field = 'spec.decryption.serviceAccountName';
    const message = `to use ${field} for decryption authentication please enable the ${gate} feature gate in the controller`;
    return { reason: reasons.featureGateDisabled, message, retry: 'stalled' };
  }
  const namespace = spec.sourceRef.namespace ?? object.metadata.namespace ?? '';
  const sourceId = `${spec.sourceRef.kind}/${namespace}/${spec.sourceRef.name}`;
  if (settings.noCrossNamespaceRefs && namespace !== object.metadata.namespace) {
    const message = `can't access '${sourceId}', cross-namespace references have been blocked`;
    return { reason: reasons.accessDenied, message, retry: 'stalled' };
  }
  if (spec.sourceRef.kind === 'ExternalArtifact' && !settings.gates.ExternalArtifact) {
    const message = `can't access '${sourceId}', ExternalArtifact feature gate is disabled`;
    return { reason: reasons.accessDenied, message, retry: 'stalled' };
  }
  if (source.state === 'missing') {
    return {
      reason: reasons.artifactFailed,
      message: `${spec.sourceRef.kind}.source.toolkit.fluxcd.io "${spec.sourceRef.name}" not found`,
      retry: 'transient',
      retryAfterMs: retryIntervalMs(spec),
      silent: true,
    };
  }
  if (source.state === 'no artifact') {
    const message = artifactNotFound(settings.requeueDependencyMs);
    const retryAfterMs = settings.requeueDependencyMs;
    return { reason: reasons.artifactFailed, message, retry: 'waiting', retryAfterMs, silent: true };
  }
  const blocked = observed.dependencies.find((dependency) => dependency.problem !== undefined);
  if (blocked?.problem !== undefined) {
    return {
      reason: reasons.dependencyNotReady,
      message: blocked.problem,
      retry: 'waiting',
      retryAfterMs: settings.requeueDependencyMs,
    };
  }
  return undefined;
}

/** How a wait for health goes on: all well, one failed, too late, or further. */
function decideHealth(observed: Observed, wait: HealthWait, nowMs: number): Choice {
  const { health, settings } = observed;
  const pending = health.filter((item) => item.verdict.status !== 'Current');
  if (pending.length === 0) return { do: 'pass health', because: 'all objects are healthy', wait };
  const failed = pending.filter((item) => item.verdict.status === 'Failed');
  const took = formatDurationMs(Math.max(nowMs - wait.startedMs, 0));
  // Without failing fast everything that is still on its way is waited for first.
  const fails = settings.gates.DisableFailFastBehavior ? failed.length === pending.length : failed.length > 0;
  if (fails) {
    const message = `health check failed after ${took}: failed early due to stalled resources: ${describe(failed)}`;
    return {
      do: 'fail health',
      because: 'an object has failed',
      message,
      targets: targetsOf(failed),
      revision: wait.revision,
    };
  }
  if (nowMs >= wait.deadlineMs) {
    const message = `health check failed after ${took}: timeout waiting for: ${describe(pending)}`;
    return {
      do: 'fail health',
      because: 'the timeout has passed',
      message,
      targets: targetsOf(pending),
      revision: wait.revision,
    };
  }
  return { do: 'wait for health', because: 'objects are on their way', wait };
}

function targetsOf(items: Observed['health']): readonly HealthTarget[] {
  return items.map(({ target }) => target);
}

/** `[Deployment/default/web status: 'InProgress': Available: 0/2]`. */
function describe(items: Observed['health']): string {
  const texts = items.map(({ target, verdict }) => {
    const why = verdict.message === '' ? '' : `: ${verdict.message}`;
    return `${target.id} status: '${verdict.status}'${why}`;
  });
  return `[${texts.join(', ')}]`;
}
