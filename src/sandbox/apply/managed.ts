// Owns metadata.managedFields of an object through a write: reading entries, moving ownership (updater.ts), times, the
// limit on update entries, and the words of a conflict. Pure: the time comes in.
import type { JsonObject } from '../../lib/json.ts';
import { equalJson, isRecord, type KubeObject, type ManagedFieldsEntry, type ObjectMeta, sortKeys } from '../object.ts';
import { ApiError, badRequest, formatType } from '../rest/errors.ts';
import type { SchemaNode } from '../schema/node.ts';
import { difference, FieldSet, formatFieldsV1, formatPath, parseFieldsV1, setOf, union } from './fieldset.ts';
import { checkTyped, compareTyped, toFieldSet } from './typed.ts';
import {
  applyOwned,
  type Convert,
  type FieldConflict,
  type Managers,
  type OwnedFields,
  OwnershipConflict,
  type SchemaOf,
  updateOwned,
} from './updater.ts';

/** Everything about a write that field management needs besides the objects. */
export interface FieldWrite {
  /** Field manager name, as asked for or taken from the user agent. */
  readonly manager: string;
  readonly apiVersion: string;
  /** '' for the main resource. */
  readonly subresource: string;
  readonly schemaOf: SchemaOf;
  /** Objects of the kind in its other versions, where those differ. */
  readonly convert?: Convert | undefined;
  /** Paths that the endpoint does not let the writer change. */
  readonly reset: FieldSet;
  /** RFC 3339, whole seconds. */
  readonly now: string;
  /** An object of the kind with nothing set: what a new object is compared with. */
  readonly zero: KubeObject;
}

interface Managed {
  readonly managers: Managers;
  readonly times: Map<string, string>;
}

const MAX_UPDATE_MANAGERS = 10;
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

/** Paths that no manager ever owns. */
const STRIPPED = setOf(
  ['f:apiVersion'],
  ['f:kind'],
  ['f:metadata'],
  ...[
    'name',
    'namespace',
    'creationTimestamp',
    'selfLink',
    'uid',
    'clusterName',
    'generation',
    'managedFields',
    'resourceVersion',
  ].map((field) => ['f:metadata', `f:${field}`]),
);

/** Identity of a manager: appliers are one whatever version they use, updaters one per version. */
function identityOf(entry: Pick<ManagedFieldsEntry, 'manager' | 'operation' | 'apiVersion' | 'subresource'>): string {
  return JSON.stringify([
    entry.manager ?? '',
    entry.operation,
    entry.operation === 'Apply' ? '' : entry.apiVersion,
    entry.subresource ?? '',
  ]);
}

function parseIdentity(identity: string): {
  manager: string;
  operation: 'Apply' | 'Update';
  apiVersion: string;
  subresource: string;
} {
  const [manager, operation, apiVersion, subresource] = JSON.parse(identity) as [
    string,
    'Apply' | 'Update',
    string,
    string,
  ];
  return { manager, operation, apiVersion, subresource };
}

/** Entries whose fields are no field set: the API server then forgets all owners. */
class BrokenFields extends Error {}

/** Undefined when an entry is malformed. Throws BrokenFields. */
function decodeManaged(entries: readonly ManagedFieldsEntry[] | undefined): Managed | undefined {
  const managers: Managers = new Map();
  const times = new Map<string, string>();
  for (const entry of entries ?? []) {
    if (entry.operation !== 'Apply' && entry.operation !== 'Update') return undefined;
    if (entry.fieldsType !== 'FieldsV1' || !entry.apiVersion) return undefined;
    const identity = identityOf(entry);
    const set = entry.fieldsV1 ? readFields(entry.fieldsV1) : new FieldSet();
    managers.set(identity, { set, apiVersion: entry.apiVersion, applied: entry.operation === 'Apply' });
    if (entry.time) times.set(identity, entry.time);
  }
  return { managers, times };
}

function readFields(fields: JsonObject): FieldSet {
  try {
    return parseFieldsV1(fields);
  } catch {
    throw new BrokenFields();
  }
}

function encodeManaged({ managers, times }: Managed): ManagedFieldsEntry[] {
  const entries: ManagedFieldsEntry[] = [];
  for (const [identity, fields] of managers) {
    const { manager, subresource } = parseIdentity(identity);
    const time = times.get(identity);
    entries.push({
      ...(manager ? { manager } : {}),
      operation: fields.applied ? 'Apply' : 'Update',
      apiVersion: fields.apiVersion,
      ...(time ? { time } : {}),
      fieldsType: 'FieldsV1',
      fieldsV1: formatFieldsV1(fields.set),
      ...(subresource ? { subresource } : {}),
    });
  }
  return entries.sort(compareEntries);
}

function compareEntries(a: ManagedFieldsEntry, b: ManagedFieldsEntry): number {
  return (
    compareText(a.operation, b.operation) ||
    compareText(a.time ?? '', b.time ?? '') ||
    compareText(a.manager ?? '', b.manager ?? '') ||
    compareText(a.apiVersion, b.apiVersion) ||
    compareText(a.subresource ?? '', b.subresource ?? '')
  );
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The object without managedFields, which must not be part of what managers own. */
function withoutManagedFields(object: KubeObject): KubeObject {
  const { managedFields: _, ...metadata } = object.metadata;
  return { ...object, metadata: metadata as ObjectMeta };
}

function withManagedFields(object: KubeObject, managed: Managed): KubeObject {
  const bare = withoutManagedFields(object);
  if (managed.managers.size === 0) return bare;
  return { ...bare, metadata: { ...bare.metadata, managedFields: encodeManaged(managed) } };
}

function isReset(entries: readonly ManagedFieldsEntry[] | undefined): boolean {
  if (!Array.isArray(entries)) return false;
  return entries.length === 0 || (entries.length === 1 && isRecord(entries[0]) && Object.keys(entries[0]).length === 0);
}

/** Managed fields that an update starts from: the request's own if it carries any, else the live ones. */
function startingFields(live: KubeObject | undefined, next: KubeObject, subresource: string): Managed {
  const empty = { managers: new Map<string, OwnedFields>(), times: new Map<string, string>() };
  const liveFields = (): Managed => decodeManaged(live?.metadata.managedFields) ?? empty;
  if (subresource !== '') return liveFields();
  if (isReset(next.metadata.managedFields)) return empty;
  const given = decodeManaged(next.metadata.managedFields);
  return given === undefined || given.managers.size === 0 ? liveFields() : given;
}

/** The object to store after a create, update or patch, with its managedFields. `live` is undefined for a create. */
export function updateManaged(write: FieldWrite, live: KubeObject | undefined, next: KubeObject): KubeObject {
  try {
    return recordOwners(write, live, next);
  } catch (error) {
    if (error instanceof BrokenFields) return withoutManagedFields(next);
    throw error;
  }
}

function recordOwners(write: FieldWrite, live: KubeObject | undefined, next: KubeObject): KubeObject {
  const managed = startingFields(live, next, write.subresource);
  const bare = withoutManagedFields(next);
  // Whoever cleared managedFields does not want them; they come back with the first apply.
  if (managed.managers.size === 0 && live !== undefined) return bare;
  recordUpdate(write, { live: withoutManagedFields(live ?? write.zero), next: bare }, managed);
  capUpdates(managed);
  return withManagedFields(bare, managed);
}

function recordUpdate(write: FieldWrite, change: { live: KubeObject; next: KubeObject }, managed: Managed): void {
  const self = 'current-operation';
  const { apiVersion, schemaOf, convert, reset } = write;
  updateOwned({ apiVersion, schemaOf, convert, reset, manager: self }, change.live, change.next, managed.managers);
  stripMeta(managed.managers, self);
  const mine = managed.managers.get(self);
  if (mine === undefined) return;
  managed.managers.delete(self);
  const identity = identityOf({
    manager: write.manager,
    operation: 'Update',
    apiVersion,
    subresource: write.subresource,
  });
  const previous = managed.managers.get(identity);
  managed.managers.set(identity, previous ? { ...mine, set: union(mine.set, previous.set) } : mine);
  // Owners by the scale subresource get no time of their own: the API server loses it between the two objects.
  if (write.subresource !== 'scale') managed.times.set(identity, write.now);
}

function stripMeta(managers: Managers, manager: string): void {
  const fields = managers.get(manager);
  if (fields === undefined) return;
  const set = difference(fields.set, STRIPPED);
  if (set.isEmpty) managers.delete(manager);
  else managers.set(manager, { ...fields, set });
}

/** Folds the oldest update entries into one `ancient-changes` entry per version when there are too many. */
function capUpdates({ managers, times }: Managed): void {
  const updaters = [...managers].filter(([, fields]) => !fields.applied).map(([identity]) => identity);
  let count = updaters.length;
  if (count <= MAX_UPDATE_MANAGERS) return;
  updaters.sort((a, b) => compareText(times.get(a) ?? '', times.get(b) ?? '') || compareText(a, b));
  const firstOfVersion = new Map<string, string>();
  for (const identity of updaters) {
    if (count <= MAX_UPDATE_MANAGERS) return;
    const fields = managers.get(identity)!;
    const first = firstOfVersion.get(fields.apiVersion);
    if (first === undefined) {
      firstOfVersion.set(fields.apiVersion, identity);
      continue;
    }
    const bucket = identityOf({ manager: 'ancient-changes', operation: 'Update', apiVersion: fields.apiVersion });
    const inBucket = managers.get(bucket) ?? managers.get(first)!;
    if (!managers.has(bucket)) managers.delete(first);
    managers.delete(identity);
    managers.set(bucket, { ...fields, set: union(fields.set, inBucket.set) });
    times.set(bucket, times.get(identity) ?? '');
    count--;
  }
}

/**
 * Server-side apply: the object to store. `live` is undefined when the apply creates.
 * Throws ApiError: 409 with one cause per conflict, 400 for a wrong version or given managedFields, 500 for fields that
 * the schema does not have (as the API server answers).
 */
export function applyManaged(
  write: FieldWrite,
  live: KubeObject | undefined,
  config: KubeObject,
  options: { readonly force: boolean },
): KubeObject {
  if (config.metadata.managedFields !== undefined && config.metadata.managedFields !== null) {
    throw badRequest('metadata.managedFields must be nil');
  }
  assertTyped(write, config);
  const stored = live ?? write.zero;
  let managed = decodeManaged(stored.metadata.managedFields);
  if (managed === undefined) throw new ApiError(500, '', 'failed to decode managed fields');
  const liveBare = withoutManagedFields(stored);
  if (managed.managers.size === 0) {
    const firstApply = { ...write, manager: 'before-first-apply', subresource: write.subresource };
    recordUpdate(firstApply, { live: write.zero, next: liveBare }, managed);
  }
  const before = new Map(managed.managers);
  const identity = identityOf({
    manager: write.manager,
    operation: 'Apply',
    apiVersion: '',
    subresource: write.subresource,
  });
  const { apiVersion, schemaOf, convert, reset } = write;
  const ownership = { apiVersion, schemaOf, convert, reset, manager: identity };
  let next: KubeObject;
  try {
    next = applyOwned(ownership, liveBare, config, { managers: managed.managers, force: options.force }) as KubeObject;
  } catch (error) {
    if (!(error instanceof OwnershipConflict)) throw error;
    const conflicts = conflictsToReport(write, liveBare, error.conflicts);
    if (conflicts.length > 0) throw conflictError(conflicts);
    managed = { managers: before, times: managed.times };
    next = applyOwned(ownership, liveBare, config, { managers: managed.managers, force: true }) as KubeObject;
  }
  stripMeta(managed.managers, identity);
  if (live === undefined || !equalJson(liveBare, next)) managed.times.set(identity, write.now);
  if (write.manager === 'kubectl') next = syncLastApplied(next, config);
  return withManagedFields(next, managed);
}

function assertTyped(write: FieldWrite, config: KubeObject): void {
  const node = write.schemaOf(write.apiVersion) as SchemaNode;
  const problems = checkTyped(node, config);
  if (problems.length === 0) return;
  const lines = problems.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`));
  const text = lines.length === 1 ? lines[0] : `errors:\n${lines.map((line) => `  ${line}`).join('\n')}`;
  const name = `${config.metadata.namespace ?? ''}/${config.metadata.name}`;
  throw new ApiError(500, '', `failed to create typed patch object (${name}; ${formatType(config)}): ${text}`);
}

/** `kubectl apply --server-side` may take over what its own client-side annotation says it set. */
function conflictsToReport(
  write: FieldWrite,
  live: KubeObject,
  conflicts: readonly FieldConflict[],
): readonly FieldConflict[] {
  if (write.manager !== 'kubectl') return conflicts;
  const text = live.metadata.annotations?.[LAST_APPLIED];
  const node = write.schemaOf(write.apiVersion);
  if (!text || node === undefined) return conflicts;
  let applied: unknown;
  try {
    applied = JSON.parse(text);
  } catch {
    return conflicts;
  }
  if (!isRecord(applied) || applied['apiVersion'] !== write.apiVersion) return conflicts;
  const changes = compareTyped(node, applied, live);
  const changed = union(changes.modified, union(changes.added, changes.removed));
  const allowed = difference(toFieldSet(node, applied), changed);
  return conflicts.filter(({ path }) => !allowed.has(path));
}

/** Keeps the client-side annotation true after a server-side apply by kubectl. */
function syncLastApplied(next: KubeObject, config: KubeObject): KubeObject {
  const annotations = next.metadata.annotations;
  if (!annotations?.[LAST_APPLIED]) return next;
  const bare = { ...config, metadata: { ...config.metadata } };
  if (bare.metadata.annotations) {
    const { [LAST_APPLIED]: _, ...others } = bare.metadata.annotations;
    bare.metadata.annotations = others;
  }
  const text = `${JSON.stringify(sortKeys(bare))}\n`;
  return { ...next, metadata: { ...next.metadata, annotations: { ...annotations, [LAST_APPLIED]: text } } };
}

function conflictError(conflicts: readonly FieldConflict[]): ApiError {
  const causes = conflicts.map(({ manager, path }) => ({
    reason: 'FieldManagerConflict',
    message: `conflict with ${formatManager(manager)}`,
    field: formatPath(path),
  }));
  return new ApiError(409, 'Conflict', conflictMessage(conflicts), { causes });
}

function conflictMessage(conflicts: readonly FieldConflict[]): string {
  const [only] = conflicts;
  if (conflicts.length === 1 && only) {
    return `Apply failed with 1 conflict: conflict with ${formatManager(only.manager)}: ${formatPath(only.path)}`;
  }
  const byManager = new Map<string, string[]>();
  for (const { manager, path } of conflicts) {
    const line = `- ${formatPath(path)}`;
    byManager.set(manager, [...(byManager.get(manager) ?? []), line]);
  }
  const lines: string[] = [];
  for (const manager of [...byManager.keys()].sort()) {
    lines.push(`conflicts with ${formatManager(manager)}:`, ...byManager.get(manager)!);
  }
  return `Apply failed with ${conflicts.length} conflicts: ${lines.join('\n')}`;
}

function formatManager(identity: string): string {
  const { manager, operation, apiVersion, subresource } = parseIdentity(identity);
  let text = JSON.stringify(manager);
  if (subresource !== '') text += ` with subresource ${JSON.stringify(subresource)}`;
  return operation === 'Update' ? `${text} using ${apiVersion}` : text;
}
