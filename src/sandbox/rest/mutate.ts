// Owns the write pipeline: create, update, patch and apply of one object, from a body to the stored state. Deleting is
// remove.ts; what a kind adds is admission/; what the body must look like is prepare.ts.

import { FieldSet, setOf } from '../apply/fieldset.ts';
import { applyManaged, type FieldWrite, updateManaged } from '../apply/managed.ts';
import type { Core, WriteRequest } from '../core.ts';
import { timestamp } from '../core.ts';
import { cloneObject, equalJson, type KubeObject, type ObjectMeta, readPath } from '../object.ts';
import { apiVersionOf, servedSchema } from '../registry.ts';
import { pruneCustom } from '../schema/decode.ts';
import { derive } from '../schema/derived.ts';
import { rulesOf } from '../schema/kinds.ts';
import { type Entry, keyOf } from '../storage/storage.ts';
import { converterOf, inOwnVersion, toStorage, toVersion } from './convert.ts';
import {
  ApiError,
  alreadyExists,
  badRequest,
  conflict,
  invalid,
  invalidFault,
  MODIFIED,
  notFound,
  requiredFault,
} from './errors.ts';
import {
  appliedFault,
  bodyFault,
  type DecodeFault,
  decodeObject,
  defaultObject,
  initialStatus,
  zeroObject,
} from './prepare.ts';
import { isReleased } from './remove.ts';
import { checkMetaUpdate, checkObject, checkUpdate } from './validate.ts';
import { dropRepeatedOwners, objectWarnings } from './warnings.ts';

/** What a write did. `entry` is undefined for a dry run. */
export interface Written {
  /** The object in the request's version. */
  readonly object: KubeObject;
  readonly created: boolean;
  readonly entry: Entry | undefined;
}

const NOTHING = new FieldSet();
const STATUS = setOf(['f:status']);
const SPEC = setOf(['f:spec']);
const SPEC_AND_LABELS = setOf(['f:spec'], ['f:metadata', 'f:labels']);
const ALL_BUT_STATUS = setOf(
  ['f:spec'],
  ...['labels', 'annotations', 'finalizers', 'ownerReferences'].map((field) => ['f:metadata', `f:${field}`]),
);

/** The version keeps its status behind a subresource. */
export function hasStatus(write: Pick<WriteRequest, 'resource' | 'version'>): boolean {
  return write.resource.subresources.get(write.version.name)?.has('status') === true;
}

function fieldWrite(core: Core, write: WriteRequest): FieldWrite {
  return {
    manager: write.manager,
    apiVersion: apiVersionOf(write.resource.group, write.version.name),
    subresource: write.subresource,
    schemaOf: (apiVersion) => servedSchema(write.resource, apiVersion),
    convert: converterOf(write.resource),
    reset: resetFields(write),
    now: timestamp(core.now()),
    zero: zeroObject(write),
  };
}

/** Paths that the endpoint keeps as they are, so that writing them owns nothing. */
function resetFields(write: WriteRequest): FieldSet {
  if (write.subresource !== 'status') return hasStatus(write) ? STATUS : NOTHING;
  if (write.resource.custom) return ALL_BUT_STATUS;
  return rulesOf(write.resource).statusKeepsLabels ? SPEC_AND_LABELS : SPEC;
}

/** The live object in the request's version; undefined when absent. */
export function readLive(
  core: Core,
  write: Pick<WriteRequest, 'resource' | 'version' | 'namespace' | 'name'>,
): KubeObject | undefined {
  const entry = core.storage.get(write.resource.collection, keyOf(write.namespace, write.name));
  return entry && toVersion(write.resource, write.version, entry.object);
}

/** An object that is answered and not stored, with the fields that its writer owns. Throws ApiError 400. */
export function ownedObject(core: Core, write: WriteRequest, body: unknown): KubeObject {
  return updateManaged(fieldWrite(core, write), undefined, decodeObject(core, write, body, bodyFault(write)));
}

/** Creates an object from a body. */
export function createObject(core: Core, write: WriteRequest, body: unknown): Written {
  return storeCreated(core, write, decodeObject(core, write, body, bodyFault(write)));
}

function storeCreated(core: Core, write: WriteRequest, object: KubeObject): Written {
  return storeNew(core, write, object, (ready) => updateManaged(fieldWrite(core, write), undefined, ready));
}

/** The common part of create and create-by-apply: metadata, defaults, ownership, admission, rules, storage. */
function storeNew(
  core: Core,
  write: WriteRequest,
  object: KubeObject,
  own: (object: KubeObject) => KubeObject,
): Written {
  const { resource } = write;
  const metadata = object.metadata;
  checkPlace(write, object);
  if (metadata.resourceVersion && metadata.resourceVersion !== '0')
    throw new ApiError(500, '', 'resourceVersion should not be set on objects to be created');
  if (!metadata.name && metadata.generateName)
    metadata.name = `${metadata.generateName.slice(0, 58)}${core.randomSuffix()}`;
  if (!metadata.name) throw invalid(resource, '', [requiredFault('metadata.name', 'name or generateName is required')]);
  if (resource.namespaced) metadata.namespace = write.namespace;
  else delete metadata.namespace;
  metadata.uid = core.uuid();
  metadata.creationTimestamp = timestamp(core.now());
  delete metadata.deletionTimestamp;
  delete metadata.deletionGracePeriodSeconds;
  delete metadata.resourceVersion;
  delete metadata.selfLink;
  if (rulesOf(resource).generation) metadata.generation = 1;
  write.warnings.push(...dropRepeatedOwners(metadata));
  defaultObject(write, object);

  let ready = own(derive(resource.group, inOwnVersion(resource, write.version, object)));
  if (hasStatus(write)) ready = withStatus(ready, initialStatus(write));
  ready = admit(core, write, ready, undefined);
  const key = keyOf(resource.namespaced ? write.namespace : '', ready.metadata.name);
  const faults = checkObject(core, write, ready);
  if (faults.length > 0) throw invalid(resource, ready.metadata.name, faults);
  const present = core.storage.get(resource.collection, key)?.object;
  if (present) {
    const named = { group: resource.group, resource: resource.plural };
    throw alreadyExists(named, ready.metadata.name, present.metadata.deletionTimestamp !== undefined);
  }
  write.warnings.push(...objectWarnings(write, ready, undefined));
  if (write.dryRun) return { object: ready, created: true, entry: undefined };
  const entry = core.storage.put(resource.collection, key, toStored(write, ready));
  return { object: toVersion(resource, write.version, entry.object), created: true, entry };
}

/** The object as it is stored: in the storage version, without what that version's schema does not have. */
function toStored(write: WriteRequest, object: KubeObject): KubeObject {
  const { resource, version } = write;
  const stored = toStorage(resource, object);
  const schema = resource.versions.get(resource.storageVersion)?.schema;
  if (!resource.custom || version.name === resource.storageVersion || schema === undefined) return stored;
  const pruned = pruneCustom(schema, { ...stored, metadata: {} }, { unknown: [] }) as KubeObject;
  return { ...pruned, metadata: stored.metadata };
}

function admit(core: Core, write: WriteRequest, object: KubeObject, live: KubeObject | undefined): KubeObject {
  const kind = `${write.resource.group}/${write.resource.kind}`;
  let admitted = object;
  for (const step of core.admission) {
    if (step.kind === '*' || step.kind === kind) admitted = step.admit(core, write, admitted, live);
  }
  return admitted;
}

function withStatus(object: KubeObject, status: unknown): KubeObject {
  const { status: _, ...rest } = object;
  return (status === undefined ? rest : { ...rest, status: cloneObject(status) }) as KubeObject;
}

function checkPlace(write: WriteRequest, object: KubeObject): void {
  const { namespace, name } = object.metadata;
  if (write.resource.namespaced && namespace && namespace !== write.namespace) {
    throw badRequest(`the namespace of the provided object does not match the namespace sent on the request`);
  }
  if (write.name !== '' && !name) {
    throw badRequest(`the name of the object (${write.name} based on URL) was undeterminable: name must be provided`);
  }
  if (write.name !== '' && name !== write.name) {
    throw badRequest(`the name of the object (${name}) does not match the name on the URL (${write.name})`);
  }
}

/** Replaces an object (PUT), or its status on the status subresource. */
export function updateObject(core: Core, write: WriteRequest, body: unknown): Written {
  const next = decodeObject(core, write, body, bodyFault(write));
  checkPlace(write, next);
  const live = readLive(core, write);
  if (live === undefined) {
    if (rulesOf(write.resource).createOnUpdate && write.subresource === '') return storeCreated(core, write, next);
    throw notFound({ group: write.resource.group, resource: write.resource.plural }, write.name);
  }
  if (!next.metadata.resourceVersion && write.resource.custom) {
    // The storage says this, which knows the resource and not the kind.
    throw invalid({ group: write.resource.group, kind: write.resource.plural }, write.name, [
      invalidFault('metadata.resourceVersion', 0, 'must be specified for an update'),
    ]);
  }
  defaultObject(write, next);
  checkUid(write, live, next);
  return replace(core, write, live, next, 'update');
}

/** Changes an object by a function of its live state (the patches). Throws 404 when it is absent. */
export function patchObject(
  core: Core,
  write: WriteRequest,
  patch: (live: KubeObject) => unknown,
  fault: DecodeFault,
): Written {
  const live = readLive(core, write);
  if (live === undefined) throw notFound({ group: write.resource.group, resource: write.resource.plural }, write.name);
  const next = decodeObject(core, write, patch(live), fault);
  checkPlace(write, next);
  defaultObject(write, next);
  return replace(core, write, live, next, 'update');
}

/** Server-side apply. Creates the object when it is absent and the main resource is addressed. */
export function applyObject(core: Core, write: WriteRequest, config: KubeObject, force: boolean): Written {
  const live = readLive(core, write);
  // An object that is there lends its name.
  const name = config.metadata.name || live?.metadata.name;
  checkPlace(write, name === undefined ? config : { ...config, metadata: { ...config.metadata, name } });
  const named = { group: write.resource.group, resource: write.resource.plural };
  if (live === undefined) {
    if (write.subresource !== '') throw notFound(named, write.name);
    if (config.metadata.uid)
      throw conflict(
        named,
        write.name,
        `uid mismatch: the provided object specified uid ${config.metadata.uid}, and no existing object was found`,
      );
    const applied = cloneObject(applyManaged(fieldWrite(core, write), undefined, config, { force }));
    const { managedFields } = applied.metadata;
    delete applied.metadata.resourceVersion;
    const decoded = decodeObject(core, write, applied, appliedFault(config));
    return storeNew(core, write, decoded, (ready) => ({
      ...ready,
      metadata: { ...ready.metadata, ...(managedFields ? { managedFields } : {}) },
    }));
  }
  const next = cloneObject(applyManaged(fieldWrite(core, write), live, config, { force }));
  const decoded = decodeObject(core, write, next, appliedFault(config));
  defaultObject(write, decoded);
  return replace(core, write, live, decoded, 'apply');
}

/** Stores what an apply made of a live object, managedFields included. */
export function storeApplied(core: Core, write: WriteRequest, live: KubeObject, next: KubeObject): Written {
  return replace(core, write, live, next, 'apply');
}

/** Stores the next state of a live object; `how` tells whether managedFields are already those of the write. */
function replace(
  core: Core,
  write: WriteRequest,
  live: KubeObject,
  desired: KubeObject,
  how: 'update' | 'apply',
): Written {
  const { resource } = write;
  const named = { group: resource.group, resource: resource.plural };
  checkRevision(write, live, desired);
  const metaFaults = write.subresource === '' ? checkMetaUpdate(desired, live) : [];
  const warnings = dropRepeatedOwners(desired.metadata);
  let next = keepSystemFields(write, live, inOwnVersion(resource, write.version, desired));
  if (write.subresource === '') next = derive(resource.group, next, live);
  // Binding a pod to a node is no field ownership of anybody's and no new generation.
  const binds = write.subresource === 'binding';
  if (how === 'update' && !binds) next = updateManaged(fieldWrite(core, write), live, next);
  next = admit(core, write, next, live);
  if (!binds) next = countGeneration(write, live, next);
  // The API server looks at changes of metadata twice, and its causes show it.
  const faults = [...metaFaults, ...metaFaults, ...checkObject(core, write, next, live)];
  faults.push(...checkUpdate(write, next, live));
  if (faults.length > 0) throw invalid(resource, live.metadata.name, faults);
  write.warnings.push(...warnings, ...objectWarnings(write, next, live));
  if (equalJson(comparable(live), comparable(next))) return { object: live, created: false, entry: undefined };
  if (write.dryRun) return { object: next, created: false, entry: undefined };
  const key = keyOf(live.metadata.namespace ?? '', live.metadata.name);
  if (core.storage.get(resource.collection, key) === undefined) throw notFound(named, live.metadata.name);
  if (isReleased(next)) {
    // The last finalizer has gone: the object goes as it was before this write.
    core.storage.remove(resource.collection, key);
    return { object: next, created: false, entry: undefined };
  }
  const entry = core.storage.put(resource.collection, key, toStored(write, next));
  return { object: toVersion(resource, write.version, entry.object), created: false, entry };
}

/** The uid in a replacement is a precondition; in a patch it is a field that cannot change. */
function checkUid(write: WriteRequest, live: KubeObject, { metadata: { uid } }: KubeObject): void {
  if (!uid || uid === live.metadata.uid) return;
  const named = { group: write.resource.group, resource: write.resource.plural };
  throw conflict(named, write.name, uidMismatch(write, uid, live.metadata.uid));
}

function checkRevision(write: WriteRequest, live: KubeObject, desired: KubeObject): void {
  const named = { group: write.resource.group, resource: write.resource.plural };
  const { resourceVersion } = desired.metadata;
  if (resourceVersion && !/^\d+$/.test(resourceVersion)) {
    throw new ApiError(500, '', `strconv.ParseUint: parsing ${JSON.stringify(resourceVersion)}: invalid syntax`);
  }
  if (resourceVersion && resourceVersion !== '0' && resourceVersion !== live.metadata.resourceVersion)
    throw conflict(named, write.name, MODIFIED);
}

/** The storage's own words, key included, as the API server passes them on. */
function uidMismatch(write: WriteRequest, wanted: string, found: string | undefined): string {
  const key = `/registry/${write.resource.plural}/${keyOf(write.namespace, write.name)}`;
  return `StorageError: invalid object, Code: 4, Key: ${key}, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: ${wanted}, UID in object meta: ${found}`;
}

/** What a client cannot change: identity, deletion, the part that another endpoint owns. */
function keepSystemFields(write: WriteRequest, live: KubeObject, desired: KubeObject): KubeObject {
  const from = live.metadata;
  if (write.subresource === 'status' && write.resource.custom) {
    const metadata = {
      ...from,
      ...(desired.metadata.managedFields ? { managedFields: desired.metadata.managedFields } : {}),
    };
    return { ...withStatus(live, desired['status']), metadata };
  }
  if (write.subresource === 'finalize') {
    return {
      ...live,
      spec: { ...(live['spec'] as object), finalizers: readPath(desired, ['spec', 'finalizers']) ?? [] },
    };
  }
  const metadata = { ...desired.metadata };
  delete metadata.selfLink;
  for (const key of [
    'uid',
    'creationTimestamp',
    'generation',
    'deletionTimestamp',
    'deletionGracePeriodSeconds',
    'resourceVersion',
    'namespace',
    'generateName',
  ] as const) {
    if (from[key] === undefined) {
      if (key !== 'generateName') delete metadata[key];
    } else Object.assign(metadata, { [key]: from[key] });
  }
  if (write.subresource === 'status') {
    if (rulesOf(write.resource).statusKeepsLabels) replaceLabels(metadata, from.labels);
    return { ...withStatus(live, desired['status']), metadata };
  }
  const object = { ...desired, metadata };
  // A binding says at once that the pod is scheduled.
  return hasStatus(write) && write.subresource !== 'binding' ? withStatus(object, live['status']) : object;
}

function replaceLabels(metadata: ObjectMeta, labels: ObjectMeta['labels']): void {
  if (labels === undefined) delete metadata.labels;
  else metadata.labels = labels;
}

function countGeneration(write: WriteRequest, live: KubeObject, next: KubeObject): KubeObject {
  if (!rulesOf(write.resource).generation || write.subresource === 'status') return next;
  const body = (object: KubeObject): unknown => {
    const { metadata: _, status, ...rest } = object;
    return hasStatus(write) || !write.resource.custom ? rest : { ...rest, status };
  };
  const annotated =
    rulesOf(write.resource).generationOfAnnotations === true &&
    !equalJson(live.metadata.annotations ?? {}, next.metadata.annotations ?? {});
  if (!annotated && equalJson(body(live), body(next))) return next;
  return { ...next, metadata: { ...next.metadata, generation: (live.metadata.generation ?? 0) + 1 } };
}

/** The object without what alone makes no change: times of managedFields. */
function comparable(object: KubeObject): KubeObject {
  const { managedFields, resourceVersion: _, ...metadata } = object.metadata;
  const entries = managedFields?.map(({ time: __, ...entry }) => entry);
  return {
    ...object,
    metadata: { ...metadata, ...(entries ? { managedFields: entries } : {}) } as KubeObject['metadata'],
  };
}
