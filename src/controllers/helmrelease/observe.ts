// Owns every read that a decision for a HelmRelease needs. All of it comes from caches, but the health of objects that no
// watch covers and the storage of a release that is not watched.
import type { HelmRelease } from '../../api/helm/helmrelease.ts';
import { asManifest } from '../../apply/dry-run.ts';
import { isNotFound } from '../../cluster/api-error.ts';
import type { DynamicClient } from '../../cluster/client.ts';
import { digestValues } from '../../engines/helm/release/digest.ts';
import {
  compileHealthExpressions,
  compileReadyExpression,
  type HealthExpressions,
  type ReadyExpression,
} from '../../health/expressions.ts';
import { judge } from '../../health/judge.ts';
import type { Verdict } from '../../health/verdict.ts';
import { formatDurationMs } from '../../lib/duration.ts';
import { errorMessage } from '../../lib/errors.ts';
import type { JsonObject } from '../../lib/json.ts';
import type { Manifest } from '../../objects/manifest.ts';
import { getCondition } from '../../runtime/conditions.ts';
import type { Pass } from '../../runtime/controller.ts';
import { correctionDelayMs } from '../shared/drift-guard.ts';
import { failed } from './actions/objects.ts';
import { isAsWanted, wantedChart } from './chart-template.ts';
import { judgeCompletion } from './completion.ts';
import { type ChartSource, type HelmReleasePorts, memoryOf } from './ports.ts';
import type { RunInSteps } from './run.ts';
import { driftMode, releaseTarget } from './settings.ts';
import type { Revision } from './storage.ts';
import type { Observed, ObservedRun, ObservedSource, RunInputs } from './types.ts';
import { composeValues } from './values.ts';
import type { Wait, WaitTarget } from './wait.ts';

export async function observe(
  object: HelmRelease,
  ports: HelmReleasePorts,
  pass: Pass<HelmRelease>,
): Promise<Observed> {
  const compiled = compileSpec(object);
  const memory = memoryOf(ports, pass.key);
  const inputs = await ports.inputs.read(pass.key, object);
  const source = observeSource(object, ports);
  const values = observeValues(object, (key) => inputs.get(key) as JsonObject | undefined);
  return {
    object,
    requested: pass.requested,
    invalidExpression: typeof compiled === 'string' ? compiled : undefined,
    chart: observeChart(object, ports),
    denied: deniedReference(object, ports.settings),
    dependencyProblem: typeof compiled === 'string' ? undefined : observeDependencies(object, compiled, ports),
    source,
    values,
    inputs: runInputs(object, source, values, pass.requested),
    running: await observeRun(memory.run, ports),
    settled: memory.settled,
    storage: await observeStorage(object, ports),
    drift: observeDrift(object, ports, pass.key),
    requeueDependencyMs: ports.settings.requeueDependencyMs,
  };
}

function observeChart(object: HelmRelease, ports: HelmReleasePorts): Observed['chart'] {
  const wanted = wantedChart(object);
  const old = object.status?.helmChart;
  const live = wanted === undefined ? undefined : ports.findSource('HelmChart', wanted.namespace, wanted.name);
  const isCurrent = wanted === undefined || (isAsWanted(object, wanted, live) && old === idOf(wanted));
  return {
    write: isCurrent ? undefined : wanted,
    remove: old !== undefined && (wanted === undefined || old !== idOf(wanted)) ? old : undefined,
  };
}

function idOf({ namespace, name }: { readonly namespace: string; readonly name: string }): string {
  return `${namespace}/${name}`;
}

/** Why the spec may not have its source. */
function deniedReference(object: HelmRelease, settings: HelmReleasePorts['settings']): string | undefined {
  const reference = sourceReference(object);
  if (reference === undefined) return undefined;
  const { kind, namespace, name } = reference;
  if (settings.noCrossNamespaceRefs && namespace !== object.metadata.namespace) {
    return `cross-namespace references are not allowed: cannot access ${kind} ${namespace}/${name}`;
  }
  if (kind !== 'ExternalArtifact' || settings.gates.ExternalArtifact) return undefined;
  return `can't access '${kind}/${namespace}/${name}', ExternalArtifact feature gate is disabled`;
}

function sourceReference(object: HelmRelease) {
  const wanted = wantedChart(object);
  if (wanted !== undefined) return { kind: 'HelmChart' as const, namespace: wanted.namespace, name: wanted.name };
  const reference = object.spec?.chartRef;
  if (reference === undefined) return undefined;
  const { kind, name, namespace = object.metadata.namespace ?? '' } = reference;
  return { kind, namespace, name };
}

const RESOURCES = {
  HelmChart: 'helmcharts',
  OCIRepository: 'ocirepositories',
  ExternalArtifact: 'externalartifacts',
} as const;

function observeSource(object: HelmRelease, ports: HelmReleasePorts): ObservedSource | undefined {
  const reference = sourceReference(object);
  if (reference === undefined) return undefined;
  const { kind, namespace, name } = reference;
  const id = `${kind} '${namespace}/${name}'`;
  const source = ports.findSource(kind, namespace, name);
  if (source === undefined)
    return { state: 'missing', id, resource: `${RESOURCES[kind]}.source.toolkit.fluxcd.io "${name}"` };
  const { status } = source;
  const artifact = status?.artifact;
  const ready = getCondition(status?.conditions, 'Ready');
  // What others make is ready once it is there: nothing says which generation it is of.
  if (kind !== 'ExternalArtifact' && observedGenerationOf(source) !== source.metadata.generation) {
    return { state: 'not ready', id, because: 'latest generation of object has not been reconciled' };
  }
  if (ready?.status === 'False' && artifact === undefined) return { state: 'not ready', id, because: ready.message };
  if (artifact === undefined) return { state: 'not ready', id, because: 'does not have an artifact' };
  return { state: 'ready', id, source, artifact };
}

export function observedGenerationOf(source: ChartSource | undefined): number | undefined {
  return (source?.status as { readonly observedGeneration?: number } | undefined)?.observedGeneration;
}

function observeValues(object: HelmRelease, find: (key: string) => JsonObject | undefined): Observed['values'] {
  try {
    return composeValues(object, (kind, name) => find(`${kind}/${name}`));
  } catch (error) {
    return { problem: errorMessage(error) };
  }
}

function runInputs(
  object: HelmRelease,
  source: ObservedSource | undefined,
  values: Observed['values'],
  requested: string | undefined,
): RunInputs | undefined {
  if (source?.state !== 'ready' || 'problem' in values) return undefined;
  return {
    generation: object.metadata.generation ?? 0,
    artifact: source.artifact.digest ?? source.artifact.revision,
    configDigest: digestValues(values.values),
    requested,
  };
}

/** The newest revision in storage where it is watched; undefined where it has to be asked for. */
async function observeStorage(object: HelmRelease, ports: HelmReleasePorts): Promise<string | undefined> {
  if (object.spec?.kubeConfig !== undefined) return undefined;
  const { storageNamespace, name } = releaseTarget(object);
  const revisions = await ports.peekRevisions(storageNamespace, name);
  return revisions === undefined ? undefined : storageLabel(revisions);
}

/** `<version>@<resourceVersion>` of the newest revision; '' without any. */
export function storageLabel(revisions: readonly Revision[]): string {
  const newest = revisions.reduce<Revision | undefined>(
    (best, revision) => (best === undefined || revision.version > best.version ? revision : best),
    undefined,
  );
  return newest === undefined ? '' : `${newest.version}@${newest.resourceVersion}`;
}

/** Whether released objects are to be compared: one has changed, or changes of a kind cannot be seen. */
function observeDrift(object: HelmRelease, ports: HelmReleasePorts, key: string): Observed['drift'] {
  if (driftMode(object) === 'disabled') return 'none';
  if (object.spec?.kubeConfig !== undefined || ports.objects.unwatched(key).length > 0) return 'seen';
  const { guard } = memoryOf(ports, key);
  const now = ports.clock.monotonic();
  const delays = ports.objects.drifted(key).map((drift) => correctionDelayMs(guard, drift, now));
  if (delays.length === 0) return 'none';
  const afterMs = Math.min(...delays);
  return afterMs === 0 ? 'seen' : { afterMs };
}

interface CompiledSpec {
  readonly health: HealthExpressions;
  readonly ready: ReadonlyMap<number, ReadyExpression>;
}

const compiledSpecs = new WeakMap<object, CompiledSpec | string>();

/** The expressions of a spec, or why they do not compile. */
function compileSpec({ spec }: HelmRelease): CompiledSpec | string {
  const key = spec ?? {};
  const known = compiledSpecs.get(key);
  if (known !== undefined) return known;
  let made: CompiledSpec | string;
  try {
    const ready = new Map<number, ReadyExpression>();
    for (const [index, { name, readyExpr }] of (spec?.dependsOn ?? []).entries()) {
      if (readyExpr) ready.set(index, compileReadyExpression(name, readyExpr));
    }
    made = { health: compileHealthExpressions(spec?.healthCheckExprs ?? []), ready };
  } catch (error) {
    made = errorMessage(error);
  }
  compiledSpecs.set(key, made);
  return made;
}

/** Why a dependency is not met, in Flux's words; undefined when all are. */
function observeDependencies(
  object: HelmRelease,
  { ready }: CompiledSpec,
  ports: HelmReleasePorts,
): string | undefined {
  for (const [index, dependency] of (object.spec?.dependsOn ?? []).entries()) {
    const namespace = dependency.namespace ?? object.metadata.namespace ?? '';
    const name = `${namespace}/${dependency.name}`;
    const found = ports.findRelease(namespace, dependency.name);
    if (found === undefined) {
      const why = `helmreleases.helm.toolkit.fluxcd.io "${dependency.name}" not found`;
      return `unable to get '${name}' dependency: ${why}`;
    }
    const expression = ready.get(index);
    const asksReady = expression === undefined || ports.settings.gates.AdditiveCELDependencyCheck;
    const problem =
      (asksReady ? checkReady(found) : undefined) ??
      (expression === undefined ? undefined : checkExpression(object, found, expression));
    if (problem !== undefined) return `dependency '${name}' is not ready${problem}`;
  }
  return undefined;
}

function checkReady({ status, metadata }: HelmRelease): string | undefined {
  const isReady = getCondition(status?.conditions, 'Ready')?.status === 'True';
  return isReady && status?.observedGeneration === metadata.generation ? undefined : '';
}

function checkExpression(object: HelmRelease, found: HelmRelease, expression: ReadyExpression): string | undefined {
  const asJson = (value: HelmRelease) => value as unknown as JsonObject;
  try {
    return expression.isReady(asJson(object), asJson(found)) ? undefined : ' according to readyExpr eval';
  } catch (error) {
    return `: ${errorMessage(error)}`;
  }
}

/** How what a run waits for is at the moment. */
export async function observeRun<R extends RunInSteps>(
  run: R | undefined,
  ports: HelmReleasePorts,
): Promise<ObservedRun<R> | undefined> {
  if (run?.wait === undefined) return undefined;
  const { wait } = run;
  const now = ports.clock.now();
  const pending: { readonly target: WaitTarget; readonly verdict: Verdict }[] = [];
  let isPolled = false;
  for (const target of wait.targets) {
    const { live, watched } = await readTarget(run, wait, target, ports);
    const verdict = judgeTarget(run.object, wait, target, live, now);
    if (verdict.status === 'Current') continue;
    pending.push({ target, verdict });
    isPolled ||= !watched;
  }
  const end = (error: Error | undefined): ObservedRun<R> => ({ run, wait, result: { error }, isPolled });
  if (pending.length === 0) return end(undefined);
  const bad = pending.filter((item) => item.verdict.status === 'Failed');
  if (bad.length === 0 && now < wait.deadlineMs) return { run, wait, result: undefined, isPolled };
  return end(await explained(run, wait, bad.length > 0 ? bad : pending, bad.length > 0, ports));
}

async function explained(
  run: RunInSteps,
  wait: Wait,
  items: readonly { readonly target: WaitTarget; readonly verdict: Verdict }[],
  isFailure: boolean,
  ports: HelmReleasePorts,
): Promise<Error> {
  if (wait.goal === 'complete' && isFailure) return failed(items[0]!.verdict.message, undefined);
  const texts = items.map(({ target: { id }, verdict }) => {
    const why = verdict.message === '' ? '' : `: ${verdict.message}`;
    return `${id} status: '${verdict.status}'${why}`;
  });
  const took = formatDurationMs(Math.max(ports.clock.now() - wait.startedMs, 0));
  const what = isFailure ? 'failed early due to stalled resources' : 'timeout waiting for';
  const reasons = await ports.explainHealth(
    run.client,
    items.map((item) => item.target),
    new AbortController().signal,
  );
  const why = reasons.length === 0 ? '' : `: ${reasons.join('; ')}`;
  return failed(`health check failed after ${took}: ${what}: [${texts.join(', ')}]${why}`, undefined);
}

/** The object as a watch has it, or by a request where none does. */
async function readTarget(
  run: RunInSteps,
  wait: Wait,
  target: WaitTarget,
  ports: HelmReleasePorts,
): Promise<{ readonly live: Manifest | undefined; readonly watched: boolean }> {
  if (run.object.spec !== undefined && run.object.spec.kubeConfig === undefined && wait.goal !== 'gone') {
    const whole = (run.object.spec.healthCheckExprs ?? []).length > 0;
    const cached = await ports.objects.lookup(run.key, target, whole);
    if (cached.state === 'known' && cached.object !== undefined && !isOlder(cached.object, target)) {
      return { live: cached.object, watched: true };
    }
  }
  return { live: await readLive(run.client, target), watched: false };
}

async function readLive(client: DynamicClient, { reference }: WaitTarget): Promise<Manifest | undefined> {
  const { namespace, ...rest } = reference;
  try {
    const found = await client.find(namespace === '' ? rest : { ...rest, namespace });
    return found === undefined ? undefined : asManifest(found);
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

function isOlder(object: Manifest, { resourceVersion }: WaitTarget): boolean {
  const own = object.metadata['resourceVersion'];
  if (typeof own !== 'string' || !/^\d+$/.test(own) || !/^\d+$/.test(resourceVersion)) return false;
  return BigInt(own) < BigInt(resourceVersion);
}

function judgeTarget(
  object: HelmRelease,
  wait: Wait,
  target: WaitTarget,
  live: Manifest | undefined,
  nowMs: number,
): Verdict {
  switch (wait.goal) {
    case 'gone':
      return live === undefined || live.metadata['uid'] !== target.uid
        ? { status: 'Current', message: '' }
        : { status: 'Terminating', message: '' };
    case 'complete':
      return judgeCompletion(live);
    case 'ready': {
      const compiled = compileSpec(object);
      const own = live === undefined || typeof compiled === 'string' ? undefined : compiled.health.judge(live);
      if (own !== undefined) return own;
      return live?.kind === 'Job' ? judgeCompletion(live) : judge(live, nowMs);
    }
    default:
      return wait.goal satisfies never;
  }
}
