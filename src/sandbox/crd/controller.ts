// Owns the life of CustomResourceDefinitions: accepting names, establishing, serving their resource, and removing it
// with its objects. Listens to the store; writes status as the real controller does.
import type { Core, WriteRequest } from '../core.ts';
import { timestamp } from '../core.ts';
import { equalJson, isRecord, type KubeObject, readPath } from '../object.ts';
import { updateObject } from '../rest/mutate.ts';
import { removeObject } from '../rest/remove.ts';
import { keyOf } from '../storage/storage.ts';
import { resourceOfCrd } from './resource.ts';

const CRDS = 'apiextensions.k8s.io/customresourcedefinitions';
const CLEANUP = 'customresourcecleanup.apiextensions.k8s.io';

type Condition = { type: string; status: string; reason: string; message: string; lastTransitionTime: string };

/** Keeps the registry in step with the stored CRDs. Returns a function that stops it. */
export function startCrdController(core: Core, later: (task: () => void) => void): () => void {
  for (const entry of core.storage.list(CRDS)) serve(core, entry.object);
  return core.storage.subscribe(CRDS, (change) => {
    const { object } = change.entry;
    if (change.type === 'DELETED') {
      const { group, plural } = placeOf(object);
      core.registry.remove(group, plural);
      return;
    }
    serve(core, object);
    later(() => reconcile(core, object.metadata.name));
  });
}

function placeOf(crd: KubeObject): { group: string; plural: string } {
  return {
    group: String(readPath(crd, ['spec', 'group'])),
    plural: String(readPath(crd, ['spec', 'names', 'plural'])),
  };
}

/** Puts the resource into the registry once its names are accepted, again after each change of the spec. */
function serve(core: Core, crd: KubeObject): void {
  const established = conditions(crd).some(({ type, status }) => type === 'Established' && status === 'True');
  if (!established) return;
  const { group, plural } = placeOf(crd);
  const key = `${crd.metadata.uid} ${crd.metadata.generation}`;
  if (servedAt.get(core)?.get(`${group}/${plural}`) === key && core.registry.find(group, plural)) return;
  const resource = resourceOfCrd(crd, core.builtins.context);
  if (resource) core.registry.add(resource);
  else core.registry.remove(group, plural);
  let served = servedAt.get(core);
  if (served === undefined) {
    served = new Map();
    servedAt.set(core, served);
  }
  served.set(`${group}/${plural}`, key);
}

/** Which generation of a CRD is in the registry, so that status writes do not compile schemas again. */
const servedAt = new WeakMap<Core, Map<string, string>>();

function conditions(crd: KubeObject): Condition[] {
  const list = readPath(crd, ['status', 'conditions']);
  return Array.isArray(list) ? (list as Condition[]) : [];
}

function reconcile(core: Core, name: string): void {
  const entry = core.storage.get(CRDS, name);
  if (entry === undefined) return;
  if (entry.object.metadata.deletionTimestamp !== undefined) finalize(core, entry.object);
  else establish(core, entry.object);
}

/** Gives a new CRD its accepted names and conditions, and keeps storedVersions complete. */
function establish(core: Core, crd: KubeObject): void {
  const spec = crd['spec'] as Record<string, unknown>;
  const status = isRecord(crd['status']) ? crd['status'] : {};
  const storage = (Array.isArray(spec['versions']) ? spec['versions'] : [])
    .filter(isRecord)
    .find((version) => version['storage'] === true);
  const stored = Array.isArray(status['storedVersions']) ? (status['storedVersions'] as string[]) : [];
  const storedVersions =
    storage && !stored.includes(String(storage['name'])) ? [...stored, String(storage['name'])] : stored;
  const { accepted, refusal } = acceptNames(core, crd);
  const known = conditions(crd).length > 0;
  const settled = known && storedVersions === stored && equalJson(status['acceptedNames'], accepted);
  if (settled) return;
  const now = timestamp(core.now());
  const made = (type: string, ok: boolean, reason: string, message: string): Condition => {
    const before = conditions(crd).find((condition) => condition.type === type);
    const value = ok ? 'True' : 'False';
    return before?.status === value ? before : { lastTransitionTime: now, message, reason, status: value, type };
  };
  writeStatus(core, {
    ...crd,
    status: {
      ...status,
      acceptedNames: accepted,
      conditions: refusal
        ? [
            made('NamesAccepted', false, refusal.reason, refusal.message),
            made('Established', false, 'NotAccepted', 'not all names are accepted'),
          ]
        : [
            made('NamesAccepted', true, 'NoConflicts', 'no conflicts found'),
            made('Established', true, 'InitialNamesAccepted', 'the initial names have been accepted'),
          ],
      storedVersions,
    },
  });
}

interface Refusal {
  readonly reason: string;
  readonly message: string;
}

/** The wanted names that no other definition of the group has; the last that one has is why the names are refused. */
function acceptNames(core: Core, crd: KubeObject): { accepted: Record<string, unknown>; refusal: Refusal | undefined } {
  const names = readPath(crd, ['spec', 'names']) as Record<string, unknown>;
  const own = readPath(crd, ['status', 'acceptedNames']);
  const resources = new Set<unknown>();
  const kinds = new Set<unknown>();
  for (const { object } of core.storage.list(CRDS)) {
    const taken = readPath(object, ['status', 'acceptedNames']);
    if (!isRecord(taken) || object.metadata.name === crd.metadata.name) continue;
    if (readPath(object, ['spec', 'group']) !== readPath(crd, ['spec', 'group'])) continue;
    for (const name of [taken['plural'], taken['singular'], ...listOf(taken['shortNames'])]) resources.add(name);
    for (const name of [taken['kind'], taken['listKind']]) kinds.add(name);
  }
  const accepted: Record<string, unknown> = {
    // Two fields are there even when they are empty.
    plural: '',
    kind: '',
    ...(isRecord(own) ? own : {}),
  };
  let refusal: Refusal | undefined;
  for (const [field, taken, reason] of [
    ['plural', resources, 'PluralConflict'],
    ['singular', resources, 'SingularConflict'],
    ['shortNames', resources, 'ShortNamesConflict'],
    ['kind', kinds, 'KindConflict'],
    ['listKind', kinds, 'ListKindConflict'],
  ] as const) {
    const wanted = field === 'shortNames' ? listOf(names[field]) : [names[field]];
    const inUse = wanted.filter((name) => name !== undefined && name !== '' && taken.has(name));
    if (inUse.length === 0) copyName(accepted, names, field);
    else refusal = { reason, message: formatTaken(inUse) };
  }
  copyName(accepted, names, 'categories');
  return { accepted, refusal };
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

function copyName(into: Record<string, unknown>, names: Record<string, unknown>, field: string): void {
  if (names[field] === undefined) delete into[field];
  else into[field] = names[field];
}

function formatTaken(names: readonly unknown[]): string {
  const texts = names.map((name) => `${JSON.stringify(name)} is already in use`);
  return texts.length === 1 ? texts[0]! : `[${texts.join(', ')}]`;
}

/** Writes the status as the real controller does, with its field manager. */
function writeStatus(core: Core, crd: KubeObject): void {
  const resource = core.registry.find('apiextensions.k8s.io', 'customresourcedefinitions')!;
  const write: WriteRequest = {
    resource,
    version: resource.versions.get('v1')!,
    namespace: '',
    name: crd.metadata.name,
    subresource: 'status',
    manager: 'kube-apiserver',
    caller: { name: 'system:apiserver', groups: ['system:masters'] },
    dryRun: false,
    fieldValidation: 'Ignore',
    warnings: [],
  };
  updateObject(core, write, crd);
}

/** Deletes the custom objects of a CRD that is going, and lets it go when none is left. */
function finalize(core: Core, crd: KubeObject): void {
  const finalizers = crd.metadata.finalizers ?? [];
  if (!finalizers.includes(CLEANUP)) return;
  const { group, plural } = placeOf(crd);
  const resource = core.registry.find(group, plural);
  if (resource) {
    for (const { object } of core.storage.list(resource.collection)) {
      if (object.metadata.deletionTimestamp === undefined) {
        removeObject(core, resource, { namespace: object.metadata.namespace ?? '', name: object.metadata.name });
      }
    }
    if (core.storage.count(resource.collection) > 0) {
      const stop = core.storage.subscribe(resource.collection, (change) => {
        if (change.type !== 'DELETED') return;
        stop();
        queueMicrotask(() => reconcile(core, crd.metadata.name));
      });
      return;
    }
  }
  const left = finalizers.filter((name) => name !== CLEANUP);
  const key = keyOf('', crd.metadata.name);
  const { finalizers: _, ...metadata } = crd.metadata;
  if (left.length > 0) core.storage.put(CRDS, key, { ...crd, metadata: { ...metadata, finalizers: left } });
  else core.storage.remove(CRDS, key);
}
