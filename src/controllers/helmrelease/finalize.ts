// Owns what becomes of a release when its HelmRelease is deleted (helm.md §21.8).
import type { HelmRelease, HelmReleaseStatus } from '../../api/helm/helmrelease.ts';
import { errorCode, errorMessage } from '../../lib/errors.ts';
import type { Finalized, Pass } from '../../runtime/controller.ts';
import { deleteChart } from './act.ts';
import { latestOf } from './history.ts';
import { observeRun } from './observe.ts';
import { performUninstall } from './perform.ts';
import { type HelmReleasePorts, memoryOf } from './ports.ts';
import { Report, released } from './report.ts';
import type { Run } from './run.ts';
import { ReleaseStore } from './storage.ts';
import type { RunEnd } from './types.ts';
import type { Steps, WaitResult } from './wait.ts';

const POLL_MS = 1_000;

export async function finalize(
  object: HelmRelease,
  ports: HelmReleasePorts,
  pass: Pass<HelmRelease>,
): Promise<Finalized<HelmReleaseStatus>> {
  const memory = memoryOf(ports, pass.key);
  // From here on nothing is put back any more: the objects are about to go.
  ports.objects.forget(pass.key);
  memory.settled = undefined;
  if (object.spec?.suspend === true) return { done: true };
  let run = memory.run;
  if (run === undefined || !uninstalling.has(run)) run = await beginUninstall(object, ports, pass);
  if (run !== undefined) {
    const end = await goOn(run, ports);
    const { report } = run;
    if (end === 'waiting') {
      const deadline = run.wait?.deadlineMs ?? 0;
      const untilMs = Math.min(deadline, ports.clock.now() + POLL_MS);
      return {
        done: false,
        requeue: { do: 'wait', untilMs, memory: undefined },
        status: report.status,
        events: report.takeEvents(),
      };
    }
    memory.run = undefined;
    for (const event of report.takeEvents()) pass.emit(event);
    if (end.problem !== undefined) {
      return { done: false, requeue: { do: 'backoff' }, status: report.status };
    }
  }
  if (object.status?.helmChart !== undefined) await deleteChart(ports.client, object.status.helmChart);
  return { done: true };
}

/** Runs that uninstall because their object is deleted. */
const uninstalling = new WeakSet<Run>();

/** Begins the uninstall; undefined when there is nothing to uninstall or no way to it any more. */
async function beginUninstall(
  object: HelmRelease,
  ports: HelmReleasePorts,
  pass: Pass<HelmRelease>,
): Promise<Run | undefined> {
  const latest = latestOf(object.status ?? {});
  const namespace = object.status?.storageNamespace;
  if (latest === undefined || namespace === undefined) return undefined;
  let store: ReleaseStore;
  let client: Run['client'];
  try {
    client = await ports.clientFor(object, await ports.inputs.read(pass.key, object));
    store = new ReleaseStore({ client, clock: ports.clock, namespace, name: latest.name });
    await store.load();
  } catch (error) {
    // Without its kubeconfig or ServiceAccount the release cannot be reached: the object must not be kept for ever.
    if (errorCode(error) === 'KubeconfigMissing' || (await isAccountGone(object, ports))) return undefined;
    throw error;
  }
  const run = {
    key: pass.key,
    object,
    ports,
    client,
    store,
    target: { name: latest.name, namespace: latest.namespace, storageNamespace: namespace },
    report: new Report(object, ports.clock),
    wait: undefined,
    logs: [],
  } as unknown as Run & { steps: Run['steps'] };
  Object.assign(run, { steps: uninstallSteps(run) });
  uninstalling.add(run);
  memoryOf(ports, pass.key).run = run;
  return run;
}

async function* uninstallSteps(run: Run): Steps<RunEnd> {
  const failure = yield* performUninstall(run, released);
  return failure === undefined ? { requeue: 'none' } : { requeue: 'backoff', problem: errorMessage(failure) };
}

async function goOn(run: Run, ports: HelmReleasePorts): Promise<RunEnd | 'waiting'> {
  let result: WaitResult = { error: undefined };
  if (run.wait !== undefined) {
    const observed = await observeRun(run, ports);
    if (observed?.result === undefined) return 'waiting';
    result = observed.result;
  }
  for (;;) {
    run.wait = undefined;
    const next = await run.steps.next(result);
    if (next.done === true) return next.value;
    run.wait = next.value;
    const observed = await observeRun(run, ports);
    if (observed?.result === undefined) return 'waiting';
    result = observed.result;
  }
}

async function isAccountGone(object: HelmRelease, ports: HelmReleasePorts): Promise<boolean> {
  const name = object.spec?.serviceAccountName;
  if (name === undefined || object.spec?.kubeConfig !== undefined) return false;
  const namespace = object.metadata.namespace ?? '';
  const found = await ports.client.findMetadata({ apiVersion: 'v1', kind: 'ServiceAccount', namespace, name });
  return found === undefined;
}
