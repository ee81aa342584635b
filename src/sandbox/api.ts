// Owns putting the server's parts together without a socket: storage, registry, controllers of the API server itself,
// and the in-process `Store`. HTTP is rest/serve.ts and server.ts.
import { randomBytes, randomUUID } from 'node:crypto';
import { ADMISSION } from './admission/list.ts';
import { ensurePriorityClasses } from './admission/priorities.ts';
import { startRoleController } from './auth/bootstrap.ts';
import { type Core, systemWrite, type WriteRequest } from './core.ts';
import { startCrdController } from './crd/controller.ts';
import type { RuleEngine } from './crd/rules.ts';
import { startGarbageCollector } from './gc/collector.ts';
import { rootCertificates, startNamespaceController } from './gc/namespaces.ts';
import type { KubeObject } from './object.ts';
import { Registry, type Resource } from './registry.ts';
import { badRequest, NoSuchPath } from './rest/errors.ts';
import { createObject, updateObject } from './rest/mutate.ts';
import { removeObject } from './rest/remove.ts';
import { loadBuiltins } from './schema/builtin.ts';
import { keyOf, Storage } from './storage/storage.ts';
import type {
  DeleteOptions,
  ListOptions,
  ResourceId,
  Store,
  StoreEvent,
  UpdateOptions,
  WriteOptions,
} from './store.ts';

const DEFAULT_MANAGER = 'kube-controller-manager';
/** Letters and digits that generated names use: none that make words or look alike. */
const SUFFIX_ALPHABET = 'bcdfghjklmnpqrstvwxz2456789';

/** A running API without sockets. */
export interface Api {
  readonly core: Core;
  readonly store: Store;
  close(): void;
}

/** Builds the API over a storage and starts its own controllers. */
export function createApi(
  options: { storage?: Storage; now?: () => Date; rootCertificate?: string; rules?: RuleEngine | undefined } = {},
): Api {
  const builtins = loadBuiltins();
  const core: Core = {
    storage: options.storage ?? new Storage(),
    registry: new Registry(builtins),
    builtins,
    admission: ADMISSION,
    rules: options.rules,
    now: options.now ?? (() => new Date()),
    uuid: randomUUID,
    randomSuffix: () => [...randomBytes(5)].map((byte) => SUFFIX_ALPHABET[byte % SUFFIX_ALPHABET.length]).join(''),
  };
  rootCertificates.set(core, options.rootCertificate ?? '');
  let closed = false;
  const later = (task: () => void): void =>
    queueMicrotask(() => {
      if (!closed) task();
    });
  ensurePriorityClasses(core);
  const stops = [
    startCrdController(core, later),
    startNamespaceController(core, later),
    startRoleController(core, later),
    startGarbageCollector(core, later),
  ];
  return {
    core,
    store: createStore(core),
    close() {
      closed = true;
      for (const stop of stops) stop();
    },
  };
}

function createStore(core: Core): Store {
  const find = (id: ResourceId): Resource | undefined => core.registry.find(id.group, id.resource);
  const must = (id: ResourceId): Resource => {
    const resource = find(id);
    if (resource === undefined) throw new NoSuchPath();
    return resource;
  };
  const write = (resource: Resource, object: KubeObject, options: UpdateOptions): WriteRequest => {
    const version = resource.versions.get(resource.storageVersion);
    if (version === undefined) throw badRequest(`${resource.plural} has no served storage version`);
    const { namespace = '', name = '' } = object.metadata;
    const place = { resource, version, namespace: resource.namespaced ? namespace : '', name };
    const whole = systemWrite(place, options.manager ?? DEFAULT_MANAGER);
    return { ...whole, subresource: options.subresource ?? '' };
  };
  return {
    get: (id, namespace, name) => core.storage.get(find(id)?.collection ?? '', keyOf(namespace, name))?.object,
    list: (id, options) => listObjects(core, find(id), options),
    watch: (id, listener, options) => watchObjects(core, must(id), listener, options?.initial === true),
    create: (id: ResourceId, object: KubeObject, options: WriteOptions = {}) =>
      createObject(core, write(must(id), object, options), object).object,
    update: (id: ResourceId, object: KubeObject, options: UpdateOptions = {}) =>
      updateObject(core, write(must(id), object, options), object).object,
    delete: (id: ResourceId, namespace: string, name: string, options: DeleteOptions = {}) =>
      removeObject(core, must(id), { namespace, name }, options).object,
  };
}

function listObjects(core: Core, resource: Resource | undefined, options: ListOptions = {}): readonly KubeObject[] {
  if (resource === undefined) return [];
  const prefix = options.namespace ? `${options.namespace}/` : '';
  const objects = core.storage.list(resource.collection, prefix).map(({ object }) => object);
  const wanted = Object.entries(options.matchLabels ?? {});
  if (wanted.length === 0) return objects;
  return objects.filter(({ metadata }) => wanted.every(([key, value]) => metadata.labels?.[key] === value));
}

function watchObjects(
  core: Core,
  resource: Resource,
  listener: (event: StoreEvent) => void,
  initial: boolean,
): () => void {
  let queue: StoreEvent[] = [];
  let stopped = false;
  const drain = (): void => {
    const events = queue;
    queue = [];
    for (const event of events) if (!stopped) listener(event);
  };
  const push = (event: StoreEvent): void => {
    if (queue.length === 0) queueMicrotask(drain);
    queue.push(event);
  };
  if (initial) for (const { object } of core.storage.list(resource.collection)) push({ type: 'ADDED', object });
  const stop = core.storage.subscribe(resource.collection, ({ type, entry }) => push({ type, object: entry.object }));
  return () => {
    stopped = true;
    stop();
  };
}
