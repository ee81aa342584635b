// Owns the deletion of stale objects: kinds in reverse order, guards, all tried (flux.md §4.11). What is stale is
// plan/inventory.ts.
import type { InventoryEntry } from '../api/kustomize/kustomization.ts';
import { ownerNameLabel, ownerNamespaceLabel } from '../api/meta/keys.ts';
import type { ObjectReference } from '../api/meta/object.ts';
import { isConflict } from '../cluster/api-error.ts';
import type { DynamicClient } from '../cluster/client.ts';
import { errorMessage } from '../lib/errors.ts';
import { formatObjectId, labelsOf, type Manifest, toApiVersion } from '../objects/manifest.ts';
import { pruneExclusion } from '../objects/policy.ts';
import { parseInventoryEntry } from '../plan/inventory.ts';
import { atOnce } from './at-once.ts';
import { asManifest, liveReference } from './dry-run.ts';

export interface PruneOptions {
  readonly client: DynamicClient;
  /** Only objects that carry this owner's labels are deleted. */
  readonly owner: { readonly name: string; readonly namespace: string };
  readonly signal?: AbortSignal | undefined;
  /** Ends a deletion that is under way, where it is another one than `signal`. */
  readonly writeSignal?: AbortSignal | undefined;
  /** The object as a watch has it, which need not be the newest: then nothing is read before its deletion. */
  readonly cached?: ((entry: InventoryEntry) => Promise<Manifest | undefined>) | undefined;
  /** Deletions of one kind at once. @default 4 */
  readonly concurrency?: number | undefined;
}

export interface PrunedObject {
  readonly entry: InventoryEntry;
  /** `Kind/namespace/name`. */
  readonly id: string;
  readonly action: 'deleted' | 'skipped';
  /** The object that was there; undefined when it was gone already. */
  readonly live: Manifest | undefined;
}

export interface PruneResult {
  readonly done: readonly PrunedObject[];
  /** Entries that could not be deleted: they stay in the inventory. */
  readonly survivors: readonly InventoryEntry[];
  readonly errors: readonly string[];
}

/**
 * Deletes the objects of the entries, kind by kind, the last one first. Never throws for a single object, but the
 * signal's reason.
 */
export async function pruneEntries(entries: readonly InventoryEntry[], options: PruneOptions): Promise<PruneResult> {
  const done: PrunedObject[] = [];
  const survivors: InventoryEntry[] = [];
  const errors: string[] = [];
  for (const group of inKinds(entries.toReversed())) {
    const results = await atOnce(group, options, (entry) => pruneEntry(entry, options), false);
    for (const [at, result] of results.entries()) {
      if (result !== undefined && !(result instanceof Error)) {
        done.push(result);
        continue;
      }
      survivors.push(group[at]!);
      errors.push(errorMessage(result));
    }
  }
  return { done, survivors: survivors.reverse(), errors };
}

/** Entries of one kind that follow one another. A kind that comes again, in another stage, is another group. */
function inKinds(entries: readonly InventoryEntry[]): InventoryEntry[][] {
  const groups: InventoryEntry[][] = [];
  let last: string | undefined;
  for (const entry of entries) {
    const { group, kind } = parseInventoryEntry(entry) ?? { group: '', kind: '' };
    const key = `${group}/${kind}`;
    if (key === last) groups.at(-1)!.push(entry);
    else groups.push([entry]);
    last = key;
  }
  return groups;
}

/** The reference of an entry; undefined for one that is malformed. */
export function referenceOfEntry(entry: InventoryEntry): ObjectReference | undefined {
  const parsed = parseInventoryEntry(entry);
  if (parsed === undefined) return undefined;
  const { group, version, kind, namespace, name } = parsed;
  return { apiVersion: toApiVersion(group, version), kind, name, ...(namespace === '' ? {} : { namespace }) };
}

/** @throws Error with what is told of a failure */
async function pruneEntry(entry: InventoryEntry, options: PruneOptions): Promise<PrunedObject> {
  const reference = referenceOfEntry(entry);
  if (reference === undefined) throw new Error(`inventory entry '${entry.id}' is malformed`);
  const { kind, namespace = '', name } = reference;
  const id = formatObjectId({ kind, namespace, name });
  try {
    const cached = await options.cached?.(entry);
    return { entry, id, ...(await pruneObject(reference, cached, options)) };
  } catch (error) {
    throw new Error(`${id} ${errorMessage(error)}`, { cause: error });
  }
}

type Pruned = Pick<PrunedObject, 'action' | 'live'>;

async function pruneObject(
  reference: ObjectReference,
  cached: Manifest | undefined,
  options: PruneOptions,
): Promise<Pruned> {
  const { client, signal } = options;
  if (cached !== undefined && mayDelete(cached, options)) {
    const deleted = await deleteCached(cached, options);
    if (deleted !== undefined) return deleted;
  }
  let live: Manifest | undefined;
  try {
    const found = await client.find(reference, { signal });
    live = found === undefined ? undefined : asManifest(found);
  } catch (error) {
    throw new Error(`query failed: ${errorMessage(error)}`, { cause: error });
  }
  if (live === undefined) return { action: 'deleted', live };
  if (!isOursToDelete(live, options)) return { action: 'skipped', live };
  if (isGoing(live)) return { action: 'deleted', live };
  // The uid guards against an object of the same name that somebody made between the read and the delete.
  await deleteLive(live, {}, options).catch(deleteFailed);
  return { action: 'deleted', live };
}

/**
 * Deletes what a watch has, if it still is in that state: somebody may have asked since to keep it, or taken it over.
 * Undefined when it has another state by now.
 */
async function deleteCached(cached: Manifest, options: PruneOptions): Promise<Pruned | undefined> {
  const { resourceVersion } = cached.metadata;
  if (typeof resourceVersion !== 'string') return undefined;
  try {
    await deleteLive(cached, { resourceVersion }, options);
    return { action: 'deleted', live: cached };
  } catch (error) {
    return isConflict(error) ? undefined : deleteFailed(error);
  }
}

async function deleteLive(live: Manifest, state: { resourceVersion?: string }, options: PruneOptions): Promise<void> {
  const { uid } = live.metadata;
  await options.client.delete(liveReference(live), {
    propagation: 'Background',
    signal: options.writeSignal,
    ...(typeof uid === 'string' ? { uid } : {}),
    ...state,
  });
}

function deleteFailed(error: unknown): never {
  throw new Error(`delete failed: ${errorMessage(error)}`, { cause: error });
}

function mayDelete(live: Manifest, options: PruneOptions): boolean {
  return isOursToDelete(live, options) && !isGoing(live);
}

function isOursToDelete(live: Manifest, { owner }: PruneOptions): boolean {
  const labels = labelsOf(live);
  const isOurs = labels[ownerNameLabel] === owner.name && labels[ownerNamespaceLabel] === owner.namespace;
  return isOurs && pruneExclusion(live) === undefined;
}

function isGoing(live: Manifest): boolean {
  return live.metadata['deletionTimestamp'] !== undefined;
}
