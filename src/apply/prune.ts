// Owns the deletion of stale objects: reverse order, guards, all tried (flux.md §4.11). What is stale is
// plan/inventory.ts.
import type { InventoryEntry } from '../api/kustomize/kustomization.ts';
import { ownerNameLabel, ownerNamespaceLabel } from '../api/meta/keys.ts';
import type { DynamicClient } from '../cluster/client.ts';
import { errorMessage } from '../lib/errors.ts';
import { formatObjectId, labelsOf, type Manifest, toApiVersion } from '../objects/manifest.ts';
import { pruneExclusion } from '../objects/policy.ts';
import { parseInventoryEntry } from '../plan/inventory.ts';
import { asManifest, liveReference } from './dry-run.ts';

export interface PruneOptions {
  readonly client: DynamicClient;
  /** Only objects that carry this owner's labels are deleted. */
  readonly owner: { readonly name: string; readonly namespace: string };
  readonly signal?: AbortSignal | undefined;
  /** Ends a deletion that is under way, where it is another one than `signal`. */
  readonly writeSignal?: AbortSignal | undefined;
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

/** Deletes the objects of the entries, last one first. Never throws for a single object. */
export async function pruneEntries(entries: readonly InventoryEntry[], options: PruneOptions): Promise<PruneResult> {
  const done: PrunedObject[] = [];
  const survivors: InventoryEntry[] = [];
  const errors: string[] = [];
  for (const entry of entries.toReversed()) {
    options.signal?.throwIfAborted();
    const reference = parseInventoryEntry(entry);
    if (reference === undefined) {
      survivors.push(entry);
      errors.push(`inventory entry '${entry.id}' is malformed`);
      continue;
    }
    const id = formatObjectId(reference);
    try {
      const result = await pruneObject(
        { apiVersion: toApiVersion(reference.group, reference.version), ...reference },
        options,
      );
      done.push({ entry, id, ...result });
    } catch (error) {
      options.signal?.throwIfAborted();
      survivors.push(entry);
      errors.push(`${id} ${errorMessage(error)}`);
    }
  }
  return { done, survivors: survivors.reverse(), errors };
}

async function pruneObject(
  reference: { readonly apiVersion: string; readonly kind: string; readonly namespace: string; readonly name: string },
  options: PruneOptions,
): Promise<Pick<PrunedObject, 'action' | 'live'>> {
  const { client, owner, signal, writeSignal } = options;
  let live: Manifest | undefined;
  try {
    const target = { apiVersion: reference.apiVersion, kind: reference.kind, name: reference.name };
    const found = await client.find(
      reference.namespace === '' ? target : { ...target, namespace: reference.namespace },
      { signal },
    );
    live = found === undefined ? undefined : asManifest(found);
  } catch (error) {
    throw new Error(`query failed: ${errorMessage(error)}`, { cause: error });
  }
  if (live === undefined) return { action: 'deleted', live };
  const labels = labelsOf(live);
  const isOurs = labels[ownerNameLabel] === owner.name && labels[ownerNamespaceLabel] === owner.namespace;
  if (!isOurs || pruneExclusion(live) !== undefined) return { action: 'skipped', live };
  if (live.metadata['deletionTimestamp'] !== undefined) return { action: 'deleted', live };
  const uid = live.metadata['uid'];
  try {
    // The uid guards against an object of the same name that somebody made between the read and the delete.
    const options = {
      propagation: 'Background',
      signal: writeSignal,
      ...(typeof uid === 'string' ? { uid } : {}),
    } as const;
    await client.delete(liveReference(live), options);
  } catch (error) {
    throw new Error(`delete failed: ${errorMessage(error)}`, { cause: error });
  }
  return { action: 'deleted', live };
}
