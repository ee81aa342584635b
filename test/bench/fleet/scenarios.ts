// Owns the scenarios of the fleet benchmark: what is done to the world, and when it counts as finished. Measuring is not
// done here.
import { setTimeout as sleep } from 'node:timers/promises';
import type { JsonObject } from '../../../src/lib/json.ts';
import { type Api, openApi } from '../../support/api.ts';
import type { FileChanges } from '../../support/git.ts';
import { isReady, type Live, pathOf } from '../../support/reconciler.ts';
import type { Mirror, Objects } from './mirror.ts';
import { APPS, appFiles, appKustomization, appName, appObjects, FLEET, otherFiles, sourceObject } from './objects.ts';

export interface World {
  readonly api: Api;
  readonly apps: number;
  /** Objects of each application. */
  readonly count: number;
  /** Files of the repository that belong to none. */
  readonly files: number;
  /** Interval of every Kustomization and of the source, in seconds. */
  readonly intervalSeconds: number;
  readonly url: string;
  readonly kustomizations: Mirror;
  readonly deployments: Mirror;
  /** Ends everything. */
  readonly signal: AbortSignal;
  /** Commits and pushes; answers the commit. */
  commit(files: FileChanges): Promise<string>;
}

export interface Scenario {
  readonly name: string;
  /** Nothing is to happen: what would wake the measured process is not measured. */
  readonly isIdle?: boolean;
  /** It goes on where the one before it ends, without a rest between them. */
  readonly isSequel?: boolean;
  /** What comes first and is not measured; its answer is given to `run`. */
  prepare?(world: World): Promise<string>;
  run(world: World, prepared: string): Promise<void>;
}

const WRITERS = 20;
/** The idle applications' interval. */
const IDLE_SECONDS = 60;
/** Longer than an interval with its jitter: each has its turn. */
const TURN = 1.2;
let rounds = 0;
/** The commit that changed one application. */
let head = '';

/** A bare client: the same objects applied one by one, and waited for. */
export async function applyFloor(world: World, kubeconfig: string): Promise<void> {
  // A client of its own: connections of its own, as a reconciler has.
  const api = await openApi(kubeconfig);
  const objects = indexesOf(world).flatMap((index) => appObjects(index, world.count, 'floor'));
  await each(world, objects, async (object) => applyObject(api, placed(object, APPS), 'floor'));
  await world.deployments.until('Deployments of the bare client', notAvailable(world, 'floor'));
  await api.close();
}

/** What controllers make of the objects, and take away long after them: a scenario is not to be measured beside that. */
const MADE_BY_CONTROLLERS = [
  `/apis/apps/v1/namespaces/${APPS}/replicasets`,
  `/api/v1/namespaces/${APPS}/pods`,
  `/apis/discovery.k8s.io/v1/namespaces/${APPS}/endpointslices`,
  `/api/v1/namespaces/${APPS}/endpoints`,
];
const GONE_LOOK_MS = 500;
const GONE_LIMIT_MS = 600_000;

export async function removeFloor(world: World): Promise<void> {
  const objects = indexesOf(world).flatMap((index) => appObjects(index, world.count, 'floor'));
  await each(world, objects, async (object) => {
    await world.api.call('DELETE', pathOf(placed(object, APPS) as Live));
  });
  await world.deployments.until('Deployments to be deleted', (found) => found.size);
  for (const collection of MADE_BY_CONTROLLERS) await untilEmpty(world, collection);
}

async function untilEmpty({ api, signal }: World, collection: string): Promise<void> {
  const end = performance.now() + GONE_LIMIT_MS;
  for (;;) {
    const { status, body } = await api.call('GET', `${collection}?limit=1`);
    if (status === 200 && (body as Live).items.length === 0) return;
    if (performance.now() > end) throw new Error(`${collection} is not empty: ${status}`);
    await sleep(GONE_LOOK_MS, undefined, { signal });
  }
}

/** In this order: each begins where the one before it ends. */
export const scenarios: readonly Scenario[] = [
  {
    name: 'cold',
    run: async (world) => {
      await applyObject(world.api, sourceObject(world.url, intervalOf(world)), 'bench');
      await each(world, indexesOf(world), (index) =>
        applyObject(world.api, appKustomization(index, intervalOf(world)), 'bench'),
      );
      await world.kustomizations.until(
        'applications to be ready',
        notReady(world, () => true),
      );
    },
  },
  {
    name: 'noop-tick',
    isIdle: true,
    run: async (world) => {
      await sleep(world.intervalSeconds * 1000 * TURN, undefined, { signal: world.signal });
    },
  },
  {
    name: 'noop-request',
    run: async (world) => {
      const token = `noop-${Date.now()}`;
      await each(world, indexesOf(world), (index) => requestPass(world, kustomizationPath(index), token));
      await world.kustomizations.until(
        'requests',
        notReady(world, ({ status }) => status.lastHandledReconcileAt === token),
      );
    },
  },
  {
    name: 'push-all',
    prepare: (world) => world.commit(appFiles(indexesOf(world), world.count, nextRound())),
    run: async (world, commit) => {
      await requestPass(world, sourcePath(), commit);
      await world.kustomizations.until('applications at the new revision', notReady(world, isAt(commit)));
    },
  },
  {
    name: 'push-one',
    prepare: async (world) => {
      head = await world.commit(appFiles([0], world.count, nextRound()));
      return head;
    },
    run: async (world, commit) => {
      await requestPass(world, sourcePath(), commit);
      const round = currentRound();
      await world.deployments.until('the change', (found) => (roundOf(found.get(appName(0))) === round ? 0 : 1));
    },
  },
  {
    name: 'push-one-rest',
    isSequel: true,
    run: async (world) => {
      await world.kustomizations.until('applications at the new revision', notReady(world, isAt(head)));
    },
  },
  {
    name: 'drift-burst',
    run: async (world) => {
      const changed = { spec: { template: { spec: { containers: [{ name: 'main', image: 'edited:1' }] } } } };
      await each(world, indexesOf(world), async (index) => {
        const path = `/apis/apps/v1/namespaces/${APPS}/deployments/${appName(index)}?fieldManager=kubectl-edit`;
        const contentType = 'application/strategic-merge-patch+json';
        expectOk(path, await world.api.call('PATCH', path, { body: changed, contentType }));
      });
      await world.deployments.until(
        'Deployments to be put back',
        (found) => [...found.values()].filter(({ spec }) => spec.template.spec.containers[0].image !== 'app:1').length,
      );
    },
  },
  {
    name: 'idle',
    isIdle: true,
    prepare: async (world) => {
      await setIntervals(world, IDLE_SECONDS);
      // The events and timers of the passes that the new interval brought come to rest.
      await sleep(REST_MS, undefined, { signal: world.signal });
      return '';
    },
    run: async ({ signal }) => {
      await sleep(IDLE_SECONDS * 1000 * TURN, undefined, { signal });
    },
  },
  {
    name: 'delete-all',
    run: async (world) => {
      await each(world, indexesOf(world), async (index) => {
        expectOk('delete', await world.api.call('DELETE', kustomizationPath(index)));
      });
      await world.kustomizations.until('Kustomizations to be deleted', (found) => found.size);
      await world.deployments.until('Deployments to be deleted', (found) => found.size);
    },
  },
];

/** Until a process that is done is at rest: events are written, threads without work ended. */
export const REST_MS = 6000;

async function setIntervals(world: World, seconds: number): Promise<void> {
  const interval = `${seconds}s`;
  await applyObject(world.api, sourceObject(world.url, interval), 'bench');
  await each(world, indexesOf(world), (index) => applyObject(world.api, appKustomization(index, interval), 'bench'));
  await world.kustomizations.until(
    'applications to have their new interval',
    notReady(world, ({ spec }) => spec.interval === interval),
  );
}

/** The namespaces, and the source's repository with its first commit. */
export async function prepare(world: World): Promise<void> {
  for (const name of [FLEET, APPS])
    await applyObject(world.api, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } }, 'bench');
  await world.commit({ ...otherFiles(world.files), ...appFiles(indexesOf(world), world.count, nextRound()) });
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

async function each<T>({ signal }: World, items: readonly T[], act: (item: T) => Promise<void>): Promise<void> {
  const rest = items.values();
  const work = async (): Promise<void> => {
    for (const item of rest) {
      signal.throwIfAborted();
      await act(item);
    }
  };
  await Promise.all(Array.from({ length: WRITERS }, work));
}

/** Every push has content of its own, or a second reconciler would find it done. */
function nextRound(): string {
  rounds += 1;
  return currentRound();
}

function currentRound(): string {
  return `round-${rounds}`;
}

function intervalOf(world: World): string {
  return `${world.intervalSeconds}s`;
}

/** How many applications are not ready, or not as `holds` wants them. */
function notReady(world: World, holds: (object: Live) => boolean) {
  return (found: Objects): number => {
    let ready = 0;
    for (const object of found.values()) if (isReady(object) && holds(object)) ready += 1;
    return world.apps - ready;
  };
}

function isAt(commit: string) {
  return ({ status }: Live): boolean => String(status.lastAppliedRevision).endsWith(commit);
}

function notAvailable(world: World, round: string) {
  return (found: Objects): number => {
    let available = 0;
    for (const object of found.values()) {
      if (roundOf(object) === round && object.status?.availableReplicas === 1) available += 1;
    }
    return world.apps - available;
  };
}

function roundOf(deployment: Live | undefined): string | undefined {
  return deployment?.spec.template.spec.containers[0].env[0].value;
}
