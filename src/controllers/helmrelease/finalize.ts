// Owns what becomes of a release when its HelmRelease is deleted (helm.md §21.8).
import type { HelmRelease, HelmReleaseStatus } from '../../api/helm/helmrelease.ts';
import type { DynamicClient } from '../../cluster/client.ts';
import { errorCode, errorMessage } from '../../lib/errors.ts';
import type { Finalized, Pass } from '../../runtime/controller.ts';
import { deleteChart } from './act.ts';
import { advance, lookAgainMs } from './advance.ts';
import { latestOf } from './history.ts';
import { observeRun } from './observe.ts';
import { performUninstall } from './perform.ts';
import { type HelmReleasePorts, memoryOf } from './ports.ts';
import { Report, released } from './report.ts';
import type { Run, RunInSteps } from './run.ts';
import { ReleaseStore } from './storage.ts';
import type { RunEnd } from './types.ts';
import type { Steps } from './wait.ts';

/** An uninstall because the object is deleted, and what it is doing. */
export interface UninstallRun extends RunInSteps, Pick<Run, 'ports' | 'target' | 'store' | 'report' | 'logs'> {}

export async function finalize(
  object: HelmRelease,
  ports: HelmReleasePorts,
  pass: Pass<HelmRelease>,
): Promise<Finalized<HelmReleaseStatus>> {
  const memory = memoryOf(ports, pass.key);
  if (memory.uninstall === undefined) {
    // From here on nothing is put back any more: the objects are about to go.
    ports.objects.forget(pass.key);
    memory.settled = undefined;
    memory.run = undefined;
    if (object.spec?.suspend === true) return { done: true };
    memory.uninstall = await beginUninstall(object, ports, pass);
  }
  const waits = memory.uninstall === undefined ? undefined : await goOn(memory.uninstall, ports, pass);
  if (waits !== undefined) return waits;
  if (object.status?.helmChart !== undefined) await deleteChart(ports.client, object.status.helmChart);
  return { done: true };
}

/** Begins the uninstall; undefined when there is nothing to uninstall or no way to it any more. */
async function beginUninstall(
  object: HelmRelease,
  ports: HelmReleasePorts,
  pass: Pass<HelmRelease>,
): Promise<UninstallRun | undefined> {
  const latest = latestOf(object.status ?? {});
  const namespace = object.status?.storageNamespace;
  if (latest === undefined || namespace === undefined) return undefined;
  let store: ReleaseStore;
  let client: DynamicClient;
  try {
    client = await ports.clientFor(object, await ports.inputs.read(pass.key, object));
    store = new ReleaseStore({ client, clock: ports.clock, namespace, name: latest.name });
    await store.load();
  } catch (error) {
    // Without its kubeconfig or ServiceAccount the release cannot be reached: the object must not be kept for ever.
    if (errorCode(error) === 'KubeconfigMissing' || (await isAccountGone(object, ports))) return undefined;
    throw error;
  }
  const target = { name: latest.name, namespace: latest.namespace, storageNamespace: namespace };
  const report = new Report(object, ports.clock);
  const parts = { key: pass.key, object, ports, client, store, target, report, wait: undefined, logs: [] };
  return { ...parts, steps: uninstallSteps(parts) };
}

async function* uninstallSteps(run: Omit<UninstallRun, 'steps' | 'wait'>): Steps<RunEnd> {
  const failure = yield* performUninstall(run, released);
  return failure === undefined ? { requeue: 'none' } : { requeue: 'backoff', problem: errorMessage(failure) };
}

/** Goes on with the uninstall; undefined once it is done. */
async function goOn(
  run: UninstallRun,
  ports: HelmReleasePorts,
  pass: Pass<HelmRelease>,
): Promise<Finalized<HelmReleaseStatus> | undefined> {
  const memory = memoryOf(ports, pass.key);
  const { report } = run;
  const waits = (untilMs: number): Finalized<HelmReleaseStatus> => ({
    done: false,
    requeue: { do: 'wait', untilMs, memory: undefined },
    status: report.status,
    events: report.takeEvents(),
  });
  const observed = await observeRun(run, ports);
  if (observed !== undefined && observed.result === undefined) return waits(lookAgainMs(run, observed.isPolled, ports));
  memory.uninstall = undefined;
  const result = await advance(run, observed?.result, ports);
  if ('untilMs' in result) {
    memory.uninstall = run;
    return waits(result.untilMs);
  }
  for (const event of report.takeEvents()) pass.emit(event);
  if (result.end.problem === undefined) return undefined;
  return { done: false, requeue: { do: 'backoff' }, status: report.status };
}

async function isAccountGone(object: HelmRelease, ports: HelmReleasePorts): Promise<boolean> {
  const name = object.spec?.serviceAccountName;
  if (name === undefined || object.spec?.kubeConfig !== undefined) return false;
  const namespace = object.metadata.namespace ?? '';
  const found = await ports.client.findMetadata({ apiVersion: 'v1', kind: 'ServiceAccount', namespace, name });
  return found === undefined;
}
