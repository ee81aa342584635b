// Owns every read that a decision for a Kustomization needs. All of it comes from caches, but the artifact's files.
import type { Dependency, Kustomization } from '../../api/kustomize/kustomization.ts';
import { driftAnnotation } from '../../api/meta/keys.ts';
import type { ReadyExpression } from '../../health/expressions.ts';
import { CodedError, errorMessage } from '../../lib/errors.ts';
import type { JsonObject } from '../../lib/json.ts';
import { wouldReadTheSame } from '../../lib/recording-tree.ts';
import { annotationsOf, groupOf } from '../../objects/manifest.ts';
import { runInSlices } from '../../offload/slices.ts';
import { getCondition } from '../../runtime/conditions.ts';
import type { Pass } from '../../runtime/controller.ts';
import { correctionDelayMs } from '../shared/drift-guard.ts';
import { sameRevision } from '../shared/revision.ts';
import { identityOf } from './applied-objects.ts';
import { type CompiledSpec, compileSpec, judgeFor } from './health-rules.ts';
import { fingerprintInputs } from './inputs.ts';
import { sourceKeyOf } from './moves.ts';
import { type KustomizationMemory, type KustomizationPorts, memoryOf } from './ports.ts';
import { isDue } from './prune-stale.ts';
import {
  type AppliedState,
  type HealthTarget,
  type Held,
  type Hold,
  isHealthWait,
  type Observed,
  type ObservedDependency,
  type ObservedDrift,
  type ObservedHealth,
  type ObservedSource,
} from './types.ts';

export async function observe(
  object: Kustomization,
  ports: KustomizationPorts,
  pass: Pass<Kustomization>,
): Promise<Observed> {
  const memory = memoryOf(ports, pass.key);
  const source = findSource(object, ports);
  const { applied } = memory;
  const now = ports.clock.now();
  const compiled = compileSpec(object);
  const inputs = fingerprintInputs(object, await ports.inputs.read(pass.key, object));
  const drift = observeDrift(object, ports, pass.key, applied);
  return {
    object,
    requested: pass.requested,
    isBackground: pass.isBackground,
    source,
    dependencies: typeof compiled === 'string' ? [] : observeDependencies(object, compiled, source, ports),
    invalidExpression: typeof compiled === 'string' ? compiled : undefined,
    applied,
    inputs,
    touched: await isTouched(object, source, memory, ports, pass.signal),
    drifted: drift.correct,
    notes: { warned: drift.warn, delayed: drift.delayed, contested: ports.conflicts.against(pass.key) },
    unwatched: applied?.isRemote ? [...applied.desired.keys()] : ports.objects.unwatched(pass.key),
    health: applied === undefined ? [] : await observeHealth(object, applied, ports, pass.key, now),
    waiting: isHealthWait(pass.memory) ? pass.memory : undefined,
    leftBehind: isLeftBehind(object, applied, ports, pass.key),
    held: observeHold(memory.hold, object, source, inputs, ports.clock.monotonic()),
    settings: ports.settings,
  };
}

/** The hold, if it is for what this pass would try, and not over. */
function observeHold(
  hold: Hold | undefined,
  object: Kustomization,
  source: ObservedSource,
  inputs: string,
  monotonicMs: number,
): Held | undefined {
  if (hold === undefined || source.state !== 'ready' || hold.untilMs <= monotonicMs) return undefined;
  const isSame =
    sameRevision(hold.revision, source.artifact.revision) &&
    hold.generation === object.metadata.generation &&
    hold.inputs === inputs;
  return isSame ? { type: 'held', step: hold.step, leftMs: hold.untilMs - monotonicMs } : undefined;
}

function findSource(object: Kustomization, ports: KustomizationPorts): ObservedSource {
  const reference = object.spec?.sourceRef;
  if (reference === undefined) return { state: 'missing' };
  const namespace = reference.namespace ?? object.metadata.namespace ?? '';
  const source = ports.findSource(reference.kind, namespace, reference.name);
  if (source === undefined) return { state: 'missing' };
  const artifact = source.status?.artifact;
  if (artifact === undefined) return { state: 'no artifact' };
  return {
    state: 'ready',
    artifact,
    originRevision: artifact.metadata?.['org.opencontainers.image.revision'],
  };
}

function observeDependencies(
  object: Kustomization,
  compiled: CompiledSpec,
  source: ObservedSource,
  ports: KustomizationPorts,
): ObservedDependency[] {
  return (object.spec?.dependsOn ?? []).map((dependency, index) => {
    const ready = compiled.ready.get(index);
    if (ready === undefined) return checkDependency(object, dependency, source, ports);
    const asked = checkReadyExpression(object, dependency, ready, ports);
    const isAdditive = ports.settings.gates.AdditiveCELDependencyCheck;
    return isAdditive && asked.problem === undefined ? checkDependency(object, dependency, source, ports) : asked;
  });
}

/** What a `readyExpr` says. Nothing else is asked then, but with the gate AdditiveCELDependencyCheck. */
function checkReadyExpression(
  object: Kustomization,
  dependency: Dependency,
  ready: ReadyExpression,
  ports: KustomizationPorts,
): ObservedDependency {
  const { name, found, problem } = findDependency(object, dependency, ports);
  if (found === undefined) return { name, problem };
  const asJson = (value: Kustomization) => value as unknown as JsonObject;
  try {
    if (ready.isReady(asJson(object), asJson(found))) return { name, problem: undefined };
    return { name, problem: `dependency '${name}' is not ready according to readyExpr eval` };
  } catch (error) {
    return { name, problem: `dependency '${name}' is not ready: ${errorMessage(error)}` };
  }
}

/** Why a dependency is not met, in Flux's words (flux.md §4.4), or no problem. */
function checkDependency(
  object: Kustomization,
  dependency: Dependency,
  source: ObservedSource,
  ports: KustomizationPorts,
): ObservedDependency {
  const { name, found, problem } = findDependency(object, dependency, ports);
  if (found === undefined) return { name, problem };
  const status = found.status;
  const isReady =
    status?.observedGeneration === found.metadata.generation &&
    getCondition(status?.conditions, 'Ready')?.status === 'True';
  if (!isReady) return { name, problem: `dependency '${name}' is not ready` };
  if (source.state !== 'ready' || !sharesSource(object, found)) return { name, problem: undefined };
  return sameRevision(status?.lastAppliedRevision, source.artifact.revision)
    ? { name, problem: undefined }
    : { name, problem: `dependency '${name}' revision is not up to date` };
}

function findDependency(object: Kustomization, dependency: Dependency, ports: KustomizationPorts) {
  const namespace = dependency.namespace ?? object.metadata.namespace ?? '';
  const name = `${namespace}/${dependency.name}`;
  const found = ports.findKustomization(namespace, dependency.name);
  const why = `kustomizations.kustomize.toolkit.fluxcd.io "${dependency.name}" not found`;
  return { name, found, problem: found === undefined ? `dependency '${name}' not found: ${why}` : undefined };
}

function sharesSource(a: Kustomization, b: Kustomization): boolean {
  return sourceKeyOf(a) === sourceKeyOf(b);
}

async function isTouched(
  object: Kustomization,
  source: ObservedSource,
  memory: KustomizationMemory,
  ports: KustomizationPorts,
  signal: AbortSignal,
): Promise<boolean | undefined> {
  const { applied, compared } = memory;
  if (applied === undefined || source.state !== 'ready') return undefined;
  const { revision, digest } = source.artifact;
  const { record } = applied;
  if (sameRevision(applied.revision, revision)) return undefined;
  if (compared !== undefined && compared.record === record && compared.digest === digest) return compared.touched;
  try {
    const tree = await ports.openArtifact(object.spec!.sourceRef.kind, source.artifact, signal);
    const touched = !(await runInSlices(wouldReadTheSame(record, tree), signal));
    if (digest !== undefined) memory.compared = { record, digest, touched };
    return touched;
  } catch (error) {
    // The pass that follows says so in its own words.
    if (error instanceof CodedError) return true;
    throw error;
  }
}

function isLeftBehind(
  object: Kustomization,
  applied: AppliedState | undefined,
  ports: KustomizationPorts,
  key: string,
): boolean {
  const leaving = ports.moves.of(key);
  return leaving !== undefined && applied !== undefined && isDue(object, leaving, applied.revision, ports, key);
}

interface SortedDrift {
  readonly correct: readonly ObservedDrift[];
  readonly warn: readonly ObservedDrift[];
  readonly delayed: { readonly drifts: readonly ObservedDrift[]; readonly ms: number } | undefined;
}

/** Drift by what is to become of it: put back now, put back later because it is fought over, or only told. */
function observeDrift(
  object: Kustomization,
  ports: KustomizationPorts,
  key: string,
  applied: AppliedState | undefined,
): SortedDrift {
  const correct: ObservedDrift[] = [];
  const warn: ObservedDrift[] = [];
  const later: ObservedDrift[] = [];
  let delay = Number.POSITIVE_INFINITY;
  const now = ports.clock.monotonic();
  for (const drift of ports.objects.drifted(key)) {
    const policy = driftPolicy(object, applied, drift.key);
    if (policy === 'ignore') continue;
    if (policy === 'warn') {
      warn.push(drift);
      continue;
    }
    const wait = correctionDelayMs(memoryOf(ports, key).guard, drift, now);
    if (wait === 0) correct.push(drift);
    else {
      later.push(drift);
      delay = Math.min(delay, wait);
    }
  }
  return { correct, warn, delayed: later.length === 0 ? undefined : { drifts: later, ms: delay } };
}

/** `correct`, `warn` or `ignore`: the object's own word wins over the Kustomization's (lockstep.md §3). */
function driftPolicy(
  object: Kustomization,
  applied: AppliedState | undefined,
  key: string,
): 'correct' | 'warn' | 'ignore' {
  const desired = applied?.desired.get(key);
  const own = desired === undefined ? undefined : annotationsOf(desired)[driftAnnotation];
  const word = own ?? object.metadata.annotations?.[driftAnnotation];
  return word === 'warn' || word === 'ignore' ? word : 'correct';
}

async function observeHealth(
  object: Kustomization,
  applied: AppliedState,
  ports: KustomizationPorts,
  key: string,
  nowMs: number,
): Promise<ObservedHealth[]> {
  const results: ObservedHealth[] = [];
  for (const target of applied.healthTargets) {
    const cached = applied.isRemote ? unknown : await ports.objects.lookup(key, target, isExpressed(object, target));
    const live = cached.state === 'known' ? cached.object : await ports.readLive(target, object);
    const desired = applied.desired.get(identityOf(target));
    results.push({ target, verdict: judgeFor(object, live, nowMs, desired) });
  }
  return results;
}

const unknown = { state: 'unknown' } as const;

/** True when an expression judges the object, and so may ask for any of its content. */
function isExpressed(object: Kustomization, { reference }: HealthTarget): boolean {
  const compiled = compileSpec(object);
  if (typeof compiled === 'string') return false;
  return compiled.health.covers({ group: groupOf(reference.apiVersion), kind: reference.kind });
}
