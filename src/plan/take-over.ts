// Owns which field managers are taken over, and the JSON patch that does it (flux.md §4.8 step 5).
import type { ManagedFieldsEntry } from '../api/meta/object.ts';
import type { JsonObject, JsonValue } from '../lib/json.ts';
import { applyEntryOf, fieldsOf, unionFields } from '../objects/managed-fields.ts';
import { annotationsOf, labelsOf, type Manifest, managedFieldsOf } from '../objects/manifest.ts';

/** A manager whose fields become ours: names that begin with `prefix`, for the listed operations. */
export interface TakenManager {
  readonly prefix: string;
  readonly operations: readonly ('Apply' | 'Update')[];
  readonly exact?: boolean;
}

/** Managers that Flux takes over by itself. */
export const takenManagers: readonly TakenManager[] = [
  { prefix: 'kubectl', operations: ['Apply', 'Update'] },
  { prefix: 'before-first-apply', operations: ['Update'] },
  { prefix: 'kustomize-controller', operations: ['Update'], exact: true },
];

/**
 * Flux's managers, those of `--override-manager` by the beginnings of their names, and those of
 * `--override-manager-before-dry-run` by their whole names: a refused dry-run takes any of them over first.
 */
export function withOverrideManagers(
  prefixes: readonly string[],
  names: readonly string[] = [],
): readonly TakenManager[] {
  const operations = ['Apply', 'Update'] as const;
  return [
    ...takenManagers,
    ...prefixes.map((prefix) => ({ prefix, operations })),
    ...names.map((prefix) => ({ prefix, operations, exact: true })),
  ];
}

const REMOVED_ANNOTATIONS = [
  'kubectl.kubernetes.io/last-applied-configuration',
  'kustomize.toolkit.fluxcd.io/checksum',
  'fluxcd.io/sync-checksum',
];
const REMOVED_LABELS = ['fluxcd.io/sync-gc-mark'];

/** One operation of RFC 6902. */
export interface JsonPatchOperation {
  readonly op: 'add' | 'remove' | 'replace' | 'test';
  readonly path: string;
  readonly value?: JsonValue;
}

/** True when the entry's manager is one of those taken over. Entries of subresources stay their managers'. */
export function isTakenOver(entry: ManagedFieldsEntry, managers: readonly TakenManager[] = takenManagers): boolean {
  if ((entry.subresource ?? '') !== '') return false;
  return managers.some(({ prefix, operations, exact }) => {
    const name = entry.manager ?? '';
    return (exact ? name === prefix : name.startsWith(prefix)) && operations.includes(entry.operation ?? 'Update');
  });
}

/**
 * The patch that gives the fields of taken managers to ours, so that the next apply removes what we do not set;
 * undefined when there is nothing to take. It tests each entry that it changes, and fails when one is another by then.
 * A resourceVersion, as Flux sends it, would fail with every status that somebody writes meanwhile.
 */
export function takeOverPatch(
  live: Manifest,
  manager: string,
  managers: readonly TakenManager[] = takenManagers,
): readonly JsonPatchOperation[] | undefined {
  const operations = [
    ...removals(annotationsOf(live), REMOVED_ANNOTATIONS, '/metadata/annotations'),
    ...removals(labelsOf(live), REMOVED_LABELS, '/metadata/labels'),
    ...mergeEntries(live, manager, managers),
  ];
  return operations.length === 0 ? undefined : operations;
}

/**
 * The patch that writes one API version into every entry of managedFields; undefined when all have it (flux.md §6.2,
 * MigrateAPIVersion). An entry of an older version can make a dry-run fail over fields that version does not have.
 */
export function migrateVersionPatch(live: Manifest, apiVersion: string): readonly JsonPatchOperation[] | undefined {
  const entries = managedFieldsOf(live);
  if (entries.every((entry) => entry.apiVersion === apiVersion)) return undefined;
  const value = entries.map((entry) => ({ ...entry, apiVersion })) as unknown as JsonValue;
  return guarded(live, [{ op: 'replace', path: '/metadata/managedFields', value }]);
}

/** The list of managedFields is replaced whole: only of the state that it was made of. */
function guarded(live: Manifest, operations: readonly JsonPatchOperation[]): readonly JsonPatchOperation[] {
  const resourceVersion = live.metadata['resourceVersion'];
  if (typeof resourceVersion !== 'string') return operations;
  return [{ op: 'replace', path: '/metadata/resourceVersion', value: resourceVersion }, ...operations];
}

function removals(
  map: Readonly<Record<string, string>>,
  keys: readonly string[],
  parent: string,
): JsonPatchOperation[] {
  return keys
    .filter((key) => Object.hasOwn(map, key))
    .map((key) => ({ op: 'remove', path: `${parent}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}` }));
}

function mergeEntries(live: Manifest, manager: string, managers: readonly TakenManager[]): JsonPatchOperation[] {
  const entries = managedFieldsOf(live);
  const taken = entries.filter((entry) => isTakenOver(entry, managers));
  if (taken.length === 0) return [];
  const own = applyEntryOf(entries, manager);
  const pathOf = (entry: ManagedFieldsEntry) => `/metadata/managedFields/${entries.indexOf(entry)}`;
  const asValue = (entry: ManagedFieldsEntry) => entry as unknown as JsonValue;
  const changed = own === undefined ? taken : [own, ...taken];
  const time = own?.time ?? taken[0]?.time;
  const merged: ManagedFieldsEntry = {
    manager,
    operation: 'Apply',
    apiVersion: own?.apiVersion ?? taken[0]?.apiVersion ?? live.apiVersion,
    fieldsType: 'FieldsV1',
    fieldsV1: taken.reduce<JsonObject>((sum, entry) => unionFields(sum, fieldsOf(entry)), fieldsOf(own)),
    ...(time === undefined ? {} : { time }),
  };
  return [
    ...changed.map((entry) => ({ op: 'test', path: pathOf(entry), value: asValue(entry) }) as const),
    ...(own === undefined ? [] : [{ op: 'replace', path: pathOf(own), value: asValue(merged) } as const]),
    // From the last one on: each removal moves those behind it.
    ...taken.toReversed().map((entry) => ({ op: 'remove', path: pathOf(entry) }) as const),
    ...(own === undefined ? [{ op: 'add', path: '/metadata/managedFields/-', value: asValue(merged) } as const] : []),
  ];
}
