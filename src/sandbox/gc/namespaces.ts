// Owns the namespaces of a new server, what each namespace holds from the start, and emptying one that is deleted.

import { type Core, systemWrite } from '../core.ts';
import { type KubeObject, readPath } from '../object.ts';
import { createObject } from '../rest/mutate.ts';
import { removeObject } from '../rest/remove.ts';

const NAMESPACES = '/namespaces';
const FIRST = ['default', 'kube-node-lease', 'kube-public', 'kube-system'] as const;

/** Creates an object unless it is there. */
export function ensureObject(
  core: Core,
  place: { group: string; plural: string; namespace: string; name: string },
  body: object,
  manager: string,
): void {
  const resource = core.registry.find(place.group, place.plural)!;
  const key = resource.namespaced ? `${place.namespace}/${place.name}` : place.name;
  if (core.storage.get(resource.collection, key)) return;
  const version = resource.versions.get(resource.storageVersion)!;
  const write = systemWrite({ resource, version, namespace: place.namespace, name: place.name }, manager);
  const metadata = { name: place.name, ...(resource.namespaced ? { namespace: place.namespace } : {}) };
  createObject(core, write, { metadata, ...body });
}

/** Makes the first namespaces and keeps all in order. Returns a function that stops it. */
export function startNamespaceController(core: Core, later: (task: () => void) => void): () => void {
  const stops = [
    core.storage.subscribe(NAMESPACES, ({ type, entry }) => {
      if (type !== 'DELETED') later(() => reconcile(core, entry.object.metadata.name));
    }),
  ];
  // An object that leaves a namespace may be the last one that holds it.
  const watched = new Set<string>();
  const watchAll = (): void => {
    for (const { collection, namespaced } of core.registry.all()) {
      if (!namespaced || watched.has(collection)) continue;
      watched.add(collection);
      stops.push(
        core.storage.subscribe(collection, ({ type, entry }) => {
          const namespace = entry.object.metadata.namespace;
          if (namespace === undefined) return;
          if (type === 'DELETED' && isTerminating(core, namespace)) later(() => reconcile(core, namespace));
          if (type === 'DELETED' && collection === '/configmaps') later(() => reconcile(core, namespace));
        }),
      );
    }
  };
  watchAll();
  stops.push(core.storage.subscribe('apiextensions.k8s.io/customresourcedefinitions', () => later(watchAll)));
  for (const name of FIRST)
    ensureObject(core, { group: '', plural: 'namespaces', namespace: '', name }, {}, 'kube-apiserver');
  for (const { object } of core.storage.list(NAMESPACES)) reconcile(core, object.metadata.name);
  return () => {
    for (const stop of stops) stop();
  };
}

function isTerminating(core: Core, name: string): boolean {
  return core.storage.get(NAMESPACES, name)?.object.metadata.deletionTimestamp !== undefined;
}

function reconcile(core: Core, name: string): void {
  const entry = core.storage.get(NAMESPACES, name);
  if (entry === undefined) return;
  if (entry.object.metadata.deletionTimestamp === undefined) furnish(core, name);
  else empty(core, entry.object);
}

function furnish(core: Core, namespace: string): void {
  ensureObject(
    core,
    { group: '', plural: 'serviceaccounts', namespace, name: 'default' },
    {},
    'kube-controller-manager',
  );
  const annotations = {
    'kubernetes.io/description':
      'Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.',
  };
  const name = 'kube-root-ca.crt';
  const data = { 'ca.crt': rootCertificates.get(core) ?? '' };
  ensureObject(
    core,
    { group: '', plural: 'configmaps', namespace, name },
    { metadata: { name, namespace, annotations }, data },
    'kube-controller-manager',
  );
}

/** Certificate of the server's authority, for `kube-root-ca.crt`. */
export const rootCertificates = new WeakMap<Core, string>();

/** Deletes everything in a namespace; when nothing is left, takes the finalizer off. */
function empty(core: Core, namespace: KubeObject): void {
  const { name } = namespace.metadata;
  let left = 0;
  for (const resource of core.registry.all()) {
    if (!resource.namespaced || !resource.verbs.includes('delete') || resource.group === 'events.k8s.io') continue;
    for (const { object } of core.storage.list(resource.collection, `${name}/`)) {
      if (object.metadata.deletionTimestamp !== undefined) {
        left++;
        continue;
      }
      if (!removeObject(core, resource, { namespace: name, name: object.metadata.name }).gone) left++;
    }
  }
  if (left > 0) return;
  const live = core.storage.get(NAMESPACES, name)?.object;
  if (live === undefined) return;
  const finalizers = readPath(live, ['spec', 'finalizers']);
  const others = (Array.isArray(finalizers) ? finalizers : []).filter((finalizer) => finalizer !== 'kubernetes');
  if (others.length > 0 || (live.metadata.finalizers ?? []).length > 0) {
    if (Array.isArray(finalizers) && others.length === finalizers.length) return;
    core.storage.put(NAMESPACES, name, { ...live, spec: { finalizers: others } });
  } else core.storage.remove(NAMESPACES, name);
}
