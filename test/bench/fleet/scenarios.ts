// Owns the scenarios of the fleet benchmark: what is done to the world, and when it counts as finished. Measuring is not
// done here.
import { setTimeout as sleep } from 'node:timers/promises';
import type { JsonObject } from '../../../src/lib/json.ts';
import { type Api, openApi } from '../../support/api.ts';
import type { FileChanges } from '../../support/git.ts';
import { type Live, pathOf } from '../../support/reconciler.ts';
import type { Mirror } from './mirror.ts';
import { APPS, appFiles, appKustomization, appName, appObjects, FLEET, sourceObject } from './objects.ts';

export interface World {
  readonly api: Api;
  readonly apps: number;
  /** Objects of each application. */
  readonly count: number;
  /** Interval of every Kustomization and of the source, in seconds. */
  readonly intervalSeconds: number;
  readonly url: string;
  readonly kustomizations: Mirror;
  readonly deployments: Mirror;
  /** Commits and pushes; answers the commit. */
  commit(files: FileChanges): Promise<string>;
}

export interface Scenario {
  readonly name: string;
  run(world: World): Promise<void>;
}

const WRITERS = 20;

/** A bare client: the same objects applied one by one, and waited for. Leaves nothing behind. */
export async function applyFloor(world: World, kubeconfig: string): Promise<void> {
  // A client of its own: connections of its own, as a reconciler has.
  const api = await openApi(kubeconfig);
  const objects = indexesOf(world).flatMap((index) => appObjects(index, world.count, 'floor'));
  await each(objects, async (object) => applyObject(api, placed(object, APPS), 'floor'));
  await world.deployments.until('all Deployments of the bare client are available', allAvailable(world, 'floor'));
  await api.close();
}

export async function removeFloor(world: World): Promise<void> {
  const objects = indexesOf(world).flatMap((index) => appObjects(index, world.count, 'floor'));
  await each(objects, async (object) => {
    await world.api.call('DELETE', pathOf(placed(object, APPS) as Live));
  });
  await world.deployments.until('the objects of the bare client are gone', (found) => found.size === 0);
}

/** In this order: each begins where the one before it ends. */
export const scenarios: readonly Scenario[] = [
  {
    name: 'cold',
    run: async (world) => {
      const interval = `${world.intervalSeconds}s`;
      await applyObject(world.api, sourceObject(world.url, interval), 'bench');
      await each(indexesOf(world), (index) => applyObject(world.api, appKustomization(index, interval), 'bench'));
      await world.kustomizations.until(
        'all are ready',
        allReady(world, () => true),
      );
    },
  },
  {
    name: 'noop-tick',
    run: async (world) => {
      // Longer than an interval with its jitter: each has its turn.
      await sleep(world.intervalSeconds * 1200);
    },
  },
  {
    name: 'noop-request',
    run: async (world) => {
      const token = `noop-${Date.now()}`;
      await each(indexesOf(world), (index) => requestPass(world, kustomizationPath(index), token));
      await world.kustomizations.until(
        'all requests are handled',
        allReady(world, ({ status }) => status.lastHandledReconcileAt === token),
      );
    },
  },
  {
    name: 'push-all',
    run: async (world) => {
      const commit = await world.commit(appFiles(indexesOf(world), world.count, 'second'));
      await requestPass(world, sourcePath(), commit);
      await world.kustomizations.until('all have the new revision', allReady(world, isAt(commit)));
    },
  },
  {
    name: 'push-one',
    run: async (world) => {
      const commit = await world.commit(appFiles([0], world.count, 'third'));
      await requestPass(world, sourcePath(), commit);
      await world.deployments.until('the change is live', (found) => roundOf(found.get(appName(0))) === 'third');
    },
  },
  {
    name: 'push-one, rest',
    run: async (world) => {
      const revision = world.kustomizations.objects.get(appName(0)).status.lastAttemptedRevision;
      await world.kustomizations.until(
        'all have the new revision',
        allReady(world, ({ status }) => status.lastAppliedRevision === revision),
      );
    },
  },
  {
    name: 'drift-burst',
    run: async (world) => {
      const changed = { spec: { template: { spec: { containers: [{ name: 'main', image: 'edited:1' }] } } } };
      await each(indexesOf(world), async (index) => {
        const path = `/apis/apps/v1/namespaces/${APPS}/deployments/${appName(index)}?fieldManager=kubectl-edit`;
        const contentType = 'application/strategic-merge-patch+json';
        expectOk(path, await world.api.call('PATCH', path, { body: changed, contentType }));
      });
      await world.deployments.until('all are put back', (found) =>
        [...found.values()].every(({ spec }) => spec.template.spec.containers[0].image === 'app:1'),
      );
    },
  },
  {
    name: 'delete-all',
    run: async (world) => {
      await each(indexesOf(world), async (index) => {
        expectOk('delete', await world.api.call('DELETE', kustomizationPath(index)));
      });
      await world.kustomizations.until('all Kustomizations are gone', (found) => found.size === 0);
      await world.deployments.until('all Deployments are gone', (found) => found.size === 0);
    },
  },
];

/** The namespaces, and the source's repository with its first commit. */
export async function prepare(world: World): Promise<void> {
  for (const name of [FLEET, APPS])
    await applyObject(world.api, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } }, 'bench');
  await world.commit(appFiles(indexesOf(world), world.count, 'first'));
}

/** Removes the source, so that the next reconciler begins with nothing. */
export async function removeSource(world: World): Promise<void> {
  await world.api.call('DELETE', sourcePath());
  while ((await world.api.call('GET', sourcePath())).status !== 404) await sleep(100);
}

function indexesOf(world: World): number[] {
  return Array.from({ length: world.apps }, (_, index) => index);
}

function kustomizationPath(index: number): string {
  return `/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/${FLEET}/kustomizations/${appName(index)}`;
}

function sourcePath(): string {
  return `/apis/source.toolkit.fluxcd.io/v1/namespaces/${FLEET}/gitrepositories/fleet`;
}

async function requestPass(world: World, path: string, token: string): Promise<void> {
  const body = { metadata: { annotations: { 'reconcile.fluxcd.io/requestedAt': token } } };
  expectOk(path, await world.api.call('PATCH', path, { body }));
}

async function applyObject(api: Api, object: JsonObject, manager: string): Promise<void> {
  const path = `${pathOf(object as Live)}?fieldManager=${manager}&force=true`;
  expectOk(path, await api.call('PATCH', path, { body: object, contentType: 'application/apply-patch+yaml' }));
}

function placed(object: JsonObject, namespace: string): JsonObject {
  return { ...object, metadata: { ...(object['metadata'] as JsonObject), namespace } };
}

function expectOk(what: string, { status, body }: { status: number; body: unknown }): void {
  if (status >= 300) throw new Error(`${what}: ${status} ${JSON.stringify(body)}`);
}

async function each<T>(items: readonly T[], act: (item: T) => Promise<void>): Promise<void> {
  const rest = items.values();
  const work = async (): Promise<void> => {
    for (const item of rest) await act(item);
  };
  await Promise.all(Array.from({ length: WRITERS }, work));
}

function allReady(world: World, holds: (object: Live) => boolean) {
  return (found: ReadonlyMap<string, Live>): boolean => {
    if (found.size !== world.apps) return false;
    for (const object of found.values()) if (!isReadyNow(object) || !holds(object)) return false;
    return true;
  };
}

function isReadyNow({ metadata, status }: Live): boolean {
  const ready = status?.conditions?.find(({ type }: Live) => type === 'Ready');
  return ready?.status === 'True' && ready.observedGeneration === metadata.generation;
}

function isAt(commit: string) {
  return ({ status }: Live): boolean => String(status.lastAppliedRevision).endsWith(commit);
}

function allAvailable(world: World, round: string) {
  return (found: ReadonlyMap<string, Live>): boolean => {
    if (found.size !== world.apps) return false;
    for (const object of found.values()) {
      if (roundOf(object) !== round || object.status?.availableReplicas !== 1) return false;
    }
    return true;
  };
}

function roundOf(deployment: Live | undefined): string | undefined {
  return deployment?.spec.template.spec.containers[0].env[0].value;
}
