// Owns a small world for tests of the fake controllers: the real API without sockets, a clock that tests move, and
// waiting until nothing is left to do.
import { afterEach } from 'vitest';
import { silentLog } from '../../src/lib/log.ts';
import { createApi } from '../../src/sandbox/api.ts';
import type { KubeObject } from '../../src/sandbox/object.ts';
import { startStages } from '../../src/sandbox/stages/start-stages.ts';
import { RESOURCES } from '../../src/sandbox/stages/types.ts';
import type { ResourceId, Store } from '../../src/sandbox/store.ts';
import { FakeClock } from './clock.ts';

export const NAMESPACE = 'default';

export interface World {
  readonly store: Store;
  readonly clock: FakeClock;
  /** Faults of the controllers that are not the API's. */
  readonly bugs: readonly unknown[];
  /** Creates objects in the test's namespace, then waits until all is quiet. */
  create(...objects: readonly object[]): Promise<void>;
  /** Changes `spec` of an object, then waits. */
  change(resource: ResourceId, name: string, spec: object): Promise<void>;
  remove(resource: ResourceId, name: string): Promise<void>;
  get<T extends KubeObject>(resource: ResourceId, name: string): T;
  list<T extends KubeObject>(resource: ResourceId): readonly T[];
  /** `Type Reason Message`, in the order in which they were first recorded. */
  events(): string[];
  /** Moves the clock and waits. */
  pass(seconds: number): Promise<void>;
  settle(): Promise<void>;
}

const KINDS: Readonly<Record<string, ResourceId>> = {
  ConfigMap: RESOURCES.configMaps,
  CronJob: RESOURCES.cronJobs,
  DaemonSet: RESOURCES.daemonSets,
  Deployment: RESOURCES.deployments,
  Job: RESOURCES.jobs,
  Node: RESOURCES.nodes,
  PersistentVolume: RESOURCES.persistentVolumes,
  PersistentVolumeClaim: RESOURCES.persistentVolumeClaims,
  Pod: RESOURCES.pods,
  PodDisruptionBudget: RESOURCES.podDisruptionBudgets,
  ReplicaSet: RESOURCES.replicaSets,
  Service: RESOURCES.services,
  StatefulSet: RESOURCES.statefulSets,
};
const CLUSTER_SCOPED = new Set(['Node', 'PersistentVolume']);

const opened: { close(): void }[] = [];

/** Starts a world. It ends with the test. */
export async function createWorld(): Promise<World> {
  const clock = new FakeClock();
  const bugs: unknown[] = [];
  const api = createApi({ now: () => new Date(clock.now()) });
  const log = { ...silentLog, error: (message: string, fields?: object) => void bugs.push({ message, ...fields }) };
  const { store } = api;
  if (store.get(RESOURCES.namespaces, '', NAMESPACE) === undefined) {
    store.create(RESOURCES.namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } });
  }
  const stages = startStages(store, { clock, log });
  opened.push(stages, api);
  const place = (kind: string) => (CLUSTER_SCOPED.has(kind) ? {} : { namespace: NAMESPACE });
  const settle = () => settled(store);
  const need = (resource: ResourceId, name: string) => {
    const object = store.get(resource, NAMESPACE, name) ?? store.get(resource, '', name);
    if (object === undefined) throw new Error(`no ${resource.resource} ${name}`);
    return object;
  };
  await settle();
  return {
    store,
    clock,
    bugs,
    settle,
    async create(...objects) {
      for (const object of objects as readonly KubeObject[]) {
        const resource = KINDS[object.kind];
        if (resource === undefined) throw new Error(`no resource for ${object.kind}`);
        store.create(resource, { ...object, metadata: { ...place(object.kind), ...object.metadata } });
      }
      await settle();
    },
    async change(resource, name, spec) {
      const object = need(resource, name);
      store.update(resource, { ...object, spec: { ...(object['spec'] as object), ...spec } });
      await settle();
    },
    async remove(resource, name) {
      const { namespace = '' } = need(resource, name).metadata;
      store.delete(resource, namespace, name);
      await settle();
    },
    get: <T extends KubeObject>(resource: ResourceId, name: string) => need(resource, name) as T,
    list: <T extends KubeObject>(resource: ResourceId) => store.list(resource) as readonly T[],
    events() {
      const events = [...store.list(RESOURCES.events)].sort((a, b) => (birth(a) < birth(b) ? -1 : 1));
      return events.map((event) => `${event['type']} ${event['reason']} ${event['message']}`);
    },
    async pass(seconds) {
      await clock.advance(seconds * 1000);
      await settle();
    },
  };
}

/** Event names end in the time of their birth. */
function birth({ metadata }: KubeObject): bigint {
  return BigInt(`0x${metadata.name.split('.').at(-1)}`);
}

/** Quiet means: several turns of the event loop in which nothing was written. */
async function settled(store: Store): Promise<void> {
  let writes = 0;
  const stops = Object.values(RESOURCES).map((resource) => store.watch(resource, () => writes++));
  for (let quiet = 0; quiet < 5; quiet++) {
    const before = writes;
    await new Promise((resolve) => setImmediate(resolve));
    if (writes !== before) quiet = 0;
  }
  for (const stop of stops) stop();
}

afterEach(() => {
  for (const thing of opened.splice(0)) thing.close();
});

/** A Deployment, ReplicaSet, StatefulSet or DaemonSet whose pods run one container. */
export function workload(kind: string, name: string, image: string, spec: object = {}): object {
  const labels = { app: name };
  return {
    apiVersion: 'apps/v1',
    kind,
    metadata: { name, labels },
    spec: { selector: { matchLabels: labels }, template: podTemplate(name, image), ...spec },
  };
}

export function podTemplate(app: string, image: string): { metadata: object; spec: object } {
  return { metadata: { labels: { app } }, spec: { containers: [{ name: 'main', image }] } };
}
