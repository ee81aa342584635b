// Owns the doing: making the HelmChart, beginning a run and going on with it. What to do was decided in decide.ts; what a
// run does is run.ts.
import { type ChartReference, type HelmRelease, helmReleaseReasons as reasons } from '../../api/helm/helmrelease.ts';
import type { DynamicClient } from '../../cluster/client.ts';
import { CodedError, errorCode, errorMessage } from '../../lib/errors.ts';
import { createMask } from '../../objects/redact.ts';
import type { EventDraft, Pass } from '../../runtime/controller.ts';
import { ReconcileError, stage } from '../../runtime/reconcile-error.ts';
import { advance, lookAgainMs } from './advance.ts';
import { helmChartApiVersion, toHelmChart } from './chart-template.ts';
import { artifactNotFound } from './decide.ts';
import { storageLabel } from './observe.ts';
import { clearFailures } from './perform.ts';
import { type ChartIdentity, fieldManager, type HelmReleasePorts, memoryOf, type ReleaseMemory } from './ports.ts';
import { Report } from './report.ts';
import { type Run, startRun } from './run.ts';
import { driftMode, forceRequest, releaseTarget, resetRequest } from './settings.ts';
import { ReleaseStore } from './storage.ts';
import type { Decision, Outcome, RunEnd } from './types.ts';
import type { WaitResult } from './wait.ts';

type RunDecision = Extract<Decision, { do: 'run' }>;

/** Newer work has put an end to what a run waited for. */
class CanceledError extends CodedError<'HealthCheckCanceled', { readonly by: string }> {}

/** Delays of the first and of late retries, in ms: Flux's. */
const FIRST_RETRY_MS = 750;
const LAST_RETRY_MS = 15 * 60_000;
export async function act(decision: Decision, ports: HelmReleasePorts, pass: Pass<HelmRelease>): Promise<Outcome> {
  switch (decision.do) {
    case 'nothing':
      return { type: 'nothing', until: decision.until };
    case 'fail': {
      const { reason, message, ...options } = decision;
      throw new ReconcileError(reason, message, options);
    }
    case 'sync chart':
      return syncChart(decision, ports, pass);
    case 'run': {
      if (decision.cancels !== undefined) await cancel(decision.cancels, ports, pass);
      return step(await prepare(decision, ports, pass), undefined, ports, pass);
    }
    case 'go on':
      return step(decision.run, decision.result, ports, pass);
    case 'wait':
      return waiting(decision.run, lookAgainMs(decision.run, decision.isPolled, ports));
    default:
      return decision satisfies never;
  }
}

async function syncChart(
  { write, remove }: Extract<Decision, { do: 'sync chart' }>,
  ports: HelmReleasePorts,
  pass: Pass<HelmRelease>,
): Promise<Outcome> {
  const object = pass.current();
  const events: EventDraft[] = [];
  const say = (reason: string, message: string) => events.push({ type: 'Normal', reason, message });
  await stage(reasons.helmChartSyncError, async () => {
    if (remove !== undefined) {
      await deleteChart(ports.client, remove);
      say(reasons.helmChartDeleted, `Deleted HelmChart/${remove}`);
    }
    if (write === undefined) return;
    const isNew = ports.findSource('HelmChart', write.namespace, write.name) === undefined;
    await ports.client.apply(toHelmChart(object, write), { fieldManager, force: true, signal: pass.signal });
    const id = `HelmChart/${write.namespace}/${write.name}`;
    if (isNew)
      say(reasons.helmChartCreated, `Created ${id} with SourceRef '${sourceName(write.template.spec.sourceRef)}'`);
    else say(reasons.helmChartConfigured, `Configured ${id}`);
  });
  return {
    type: 'chart synced',
    events,
    helmChart: write === undefined ? undefined : `${write.namespace}/${write.name}`,
  };
}

function sourceName({
  kind,
  namespace,
  name,
}: {
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
}): string {
  return namespace === undefined ? `${kind}/${name}` : `${kind}/${namespace}/${name}`;
}

/** Deletes a HelmChart of ours, by `namespace/name`. */
export async function deleteChart(client: DynamicClient, id: string): Promise<void> {
  const [namespace = '', name = ''] = id.split('/');
  await client.delete({ apiVersion: helmChartApiVersion, kind: 'HelmChart', namespace, name });
}

/** Ends a run that waits: its release is stored as failed, and what failed is not counted. */
async function cancel(run: Run, ports: HelmReleasePorts, pass: Pass<HelmRelease>): Promise<void> {
  const object = pass.current();
  const by = `HelmRelease/${object.metadata.namespace}/${object.metadata.name}`;
  const error = new CanceledError('HealthCheckCanceled', `New reconciliation triggered by ${by}`, { by });
  let result: WaitResult = { error };
  // Whatever it would wait for on its way out is not waited for.
  for (let end = await run.steps.next(result); end.done !== true; end = await run.steps.next(result))
    result = { error };
  memoryOf(ports, pass.key).run = undefined;
  for (const event of run.report.takeEvents()) pass.emit(event);
  await pass.writeStatus(() => run.report.status);
}

async function prepare(decision: RunDecision, ports: HelmReleasePorts, pass: Pass<HelmRelease>): Promise<Run> {
  const object = pass.current();
  const { artifact, inputs, values } = decision;
  const chart = await loadChart(decision, ports);
  const client = await stage(reasons.restClientError, async () =>
    ports.clientFor(object, await ports.inputs.read(pass.key, object)),
  );
  const target = releaseTarget(object);
  const store = new ReleaseStore({ client, clock: ports.clock, namespace: target.storageNamespace, name: target.name });
  await stage(reasons.stateError, () => store.load(), {
    prefix: 'Could not determine release state: failed to retrieve last release from storage: ',
  });
  const report = new Report(object, ports.clock, createMask(values.secrets));
  const ociDigest = tracksDigest(decision) ? digestOf(artifact.revision) : '';
  const run = startRun(
    {
      key: pass.key,
      object,
      ports,
      inputs,
      client,
      target,
      artifact,
      sourceKind: decision.source.kind as ChartReference['kind'],
      chart,
      ociDigest,
      values: values.values,
      store,
      forced: noteRequests(report, object, pass.requested),
    },
    report,
  );
  beginAttempt(run);
  return run;
}

async function loadChart(decision: RunDecision, ports: HelmReleasePorts): Promise<ChartIdentity> {
  const { artifact, source } = decision;
  let chart: ChartIdentity;
  try {
    chart = await ports.readChart(source.kind as ChartReference['kind'], artifact);
  } catch (error) {
    if (['ArtifactNotFound', 'ArtifactFileNotFound'].includes(errorCode(error) ?? '')) {
      const retryAfterMs = ports.settings.requeueDependencyMs;
      throw new ReconcileError(reasons.artifactFailed, artifactNotFound(retryAfterMs), {
        retry: 'waiting',
        retryAfterMs,
        cause: error,
      });
    }
    const message = `Could not load chart: ${errorMessage(error)}`;
    throw new ReconcileError(reasons.artifactFailed, message, { cause: error });
  }
  if (!tracksDigest(decision)) return chart;
  const { tag, digest } = splitRevision(artifact.revision);
  const plain = chart.version.replace(/\+.*$/, '');
  if (isVersion(tag) && tag.replace('_', '+').replace(/\+.*$/, '').replace(/^v/, '') !== plain.replace(/^v/, '')) {
    const message = `artifact revision ${tag} does not match chart version ${chart.version}`;
    throw new ReconcileError(reasons.chartMutateError, message);
  }
  if (ports.settings.gates.DisableChartDigestTracking) return chart;
  return { ...chart, version: `${plain}+${digest.slice(0, 12)}` };
}

/** `6.7.1@sha256:<hex>` → tag and hex. */
function splitRevision(revision: string): { readonly tag: string; readonly digest: string } {
  const [tag = '', digest = ''] = revision.includes('@') ? revision.split('@') : ['', revision];
  return { tag, digest: digest.slice(digest.indexOf(':') + 1) };
}

function isVersion(tag: string): boolean {
  return /^v?\d+\.\d+\.\d+/.test(tag);
}

/** Whether the artifact's revision tells which bytes a mutable name stands for. */
function tracksDigest({ source, artifact }: RunDecision): boolean {
  return source.kind === 'OCIRepository' || (source.kind === 'ExternalArtifact' && artifact.revision.includes(':'));
}

/** What Flux keeps of a revision: the digest behind a version, the whole where there is none. */
function digestOf(revision: string): string {
  return isVersion(splitRevision(revision).tag) ? revision.slice(revision.indexOf('@') + 1) : revision;
}

/** Takes note of the annotations that ask for something; true when an action is forced. */
function noteRequests(report: Report, object: HelmRelease, requested: string | undefined): boolean {
  const reset = resetRequest(object, requested);
  if (reset !== undefined) {
    clearFailures({ report });
    report.set({ lastHandledResetAt: reset });
  }
  const force = forceRequest(object, requested);
  if (force !== undefined) report.set({ lastHandledForceAt: force });
  return force !== undefined;
}

/** What is attempted now, and no count of failures of something else. */
function beginAttempt(run: Run): void {
  const { report, inputs, chart, target, ociDigest } = run;
  const { status } = report;
  const isOther =
    status.lastAttemptedGeneration !== inputs.generation ||
    status.lastAttemptedRevision !== chart.version ||
    status.lastAttemptedConfigDigest !== inputs.configDigest;
  if (isOther) clearFailures(run);
  report.set({
    lastAttemptedGeneration: inputs.generation,
    lastAttemptedRevision: chart.version,
    lastAttemptedConfigDigest: inputs.configDigest,
    ...(ociDigest === '' ? {} : { lastAttemptedRevisionDigest: ociDigest }),
  });
  // The old place is needed until what is there is uninstalled.
  if (status.storageNamespace === undefined) report.set({ storageNamespace: target.storageNamespace });
}

/** Goes on with a run until it waits or ends. One that throws is over: the next one finds what it left in storage. */
async function step(
  run: Run,
  outcome: WaitResult | undefined,
  ports: HelmReleasePorts,
  pass: Pass<HelmRelease>,
): Promise<Outcome> {
  const memory = memoryOf(ports, pass.key);
  memory.run = undefined;
  const result = await advance(run, outcome, ports);
  if ('untilMs' in result) {
    memory.run = run;
    return waiting(run, result.untilMs);
  }
  // What was waited for need not be watched any longer.
  if (driftMode(run.object) === 'disabled') ports.objects.forget(pass.key);
  const end = settle(memory, run, masked(result.end, run), ports.clock.now());
  return { type: 'ended', status: run.report.status, events: run.report.takeEvents(), end };
}

function waiting({ report }: Run, untilMs: number): Outcome {
  return { type: 'waiting', status: report.status, events: report.takeEvents(), untilMs };
}

/** What is logged of an end shows no secret either. */
function masked(end: RunEnd, { report }: Run): RunEnd {
  return end.problem === undefined ? end : { ...end, problem: report.mask(end.problem) };
}

/** Remembers how a run ended, so that what it wrote itself does not begin another one. */
function settle(memory: ReleaseMemory, run: Run, end: RunEnd, nowMs: number): RunEnd {
  const storage = storageLabel(run.store.revisions());
  const attempts = end.requeue === 'backoff' ? (memory.settled?.attempts ?? 0) + 1 : 0;
  const { inputs } = run;
  switch (end.requeue) {
    case 'interval':
      memory.settled = { inputs, storage, until: 'interval', attempts };
      return end;
    case 'none':
      memory.settled = { inputs, storage, until: 'change', attempts };
      return end;
    case 'now':
      memory.settled = undefined;
      return end;
    case 'after':
    case 'backoff': {
      const ms = end.ms ?? Math.min(FIRST_RETRY_MS * 2 ** (attempts - 1), LAST_RETRY_MS);
      memory.settled = { inputs, storage, until: nowMs + ms, attempts };
      return { ...end, requeue: 'after', ms, isRetry: end.requeue === 'backoff' };
    }
    default:
      return end.requeue satisfies never;
  }
}
