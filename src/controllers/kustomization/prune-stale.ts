// Owns when objects that left a build are deleted: at once, or after the other Kustomizations of the source have had
// the chance to take them over (flux.md §4.11, lockstep.md §6). How they are deleted is apply/prune.ts.
import {
  type InventoryEntry,
  type Kustomization,
  kustomizationReasons as reasons,
} from '../../api/kustomize/kustomization.ts';
import { pruneEntries, referenceOfEntry } from '../../apply/prune.ts';
import type { DynamicClient } from '../../cluster/client.ts';
import { staleEntries, unionInventory } from '../../plan/inventory.ts';
import type { Pass } from '../../runtime/controller.ts';
import { retryIntervalMs, timeoutMs } from '../shared/timing.ts';
import { type FailureContext, failingStage, KustomizationError } from './failure.ts';
import { type Leaving, objectIdsOf, sourceKeyOf, undecided } from './moves.ts';
import { type KustomizationPorts, memoryOf } from './ports.ts';
import type { Outcome, PrunedEntries } from './types.ts';

type PruneContext = Omit<FailureContext, 'step'>;

/** What became of stale entries: deleted, or still in the inventory because another may take them. */
export interface PrunedStale {
  readonly pruned: PrunedEntries;
  readonly inventory: readonly InventoryEntry[];
}

/** Deletes what the new inventory lacks, or has it wait. Throws KustomizationError PruneFailed. */
export async function pruneStale(
  old: readonly InventoryEntry[],
  inventory: readonly InventoryEntry[],
  client: DynamicClient,
  ports: KustomizationPorts,
  pass: Pass<Kustomization>,
  context: PruneContext,
): Promise<PrunedStale> {
  const object = pass.current();
  const stale = object.spec?.prune === true ? staleEntries(old, inventory) : [];
  const leaving = stale.length === 0 ? undefined : leavingOf(object, stale, ports, pass.key);
  if (leaving !== undefined && !isDue(object, leaving, context.revision, ports, pass.key)) {
    ports.moves.set(pass.key, leaving);
    // Whoever was kept away from one of them may have it now.
    ports.conflicts.release(pass.key, objectIdsOf(stale));
    return { pruned: [], inventory: unionInventory(inventory, stale) };
  }
  ports.moves.set(pass.key, undefined);
  return { pruned: await prune(stale, inventory, client, ports, pass, context), inventory };
}

/** True when nobody is left who might take the objects over, or the time for it has passed. */
export function isDue(
  object: Kustomization,
  leaving: Leaving,
  revision: string,
  ports: KustomizationPorts,
  key: string,
): boolean {
  if (ports.clock.monotonic() >= leaving.deadlineMs) return true;
  const ids = new Set(objectIdsOf(leaving.entries));
  if (ports.conflicts.against(key).some(({ id }) => ids.has(id))) return false;
  return undecided(ports.siblings(object), revision).length === 0;
}

/** Deletes what had to wait: nobody took it, or the labels say who did. */
export async function pruneLeft(ports: KustomizationPorts, pass: Pass<Kustomization>): Promise<Outcome> {
  const object = pass.current();
  const memory = memoryOf(ports, pass.key);
  const applied = memory.applied!;
  const leaving = ports.moves.of(pass.key)?.entries ?? [];
  const context = { revision: applied.revision, digest: applied.digest, retryAfterMs: retryIntervalMs(object.spec!) };
  // Until it has succeeded nothing is known: a failure must make the next pass a whole one.
  memory.applied = undefined;
  ports.moves.set(pass.key, undefined);
  const inputs = await ports.inputs.read(pass.key, object);
  const client = await failingStage(reasons.pruneFailed, { ...context, step: 'prune' }, () =>
    ports.clientFor(object, inputs),
  );
  const inventory = staleEntries(applied.inventory, leaving);
  const pruned = await prune(leaving, inventory, client, ports, pass, context);
  memory.applied = { ...applied, inventory };
  return { type: 'pruned', revision: applied.revision, originRevision: applied.originRevision, pruned, inventory };
}

/** A deadline that runs already stays: new commits do not put it off for ever. */
function leavingOf(
  object: Kustomization,
  entries: readonly InventoryEntry[],
  ports: KustomizationPorts,
  key: string,
): Leaving {
  const known = ports.moves.of(key)?.deadlineMs;
  const deadlineMs = known ?? ports.clock.monotonic() + timeoutMs(object.spec!);
  return { source: sourceKeyOf(object) ?? '', entries, deadlineMs };
}

async function prune(
  stale: readonly InventoryEntry[],
  inventory: readonly InventoryEntry[],
  client: DynamicClient,
  ports: KustomizationPorts,
  pass: Pass<Kustomization>,
  context: PruneContext,
): Promise<PrunedEntries> {
  if (stale.length === 0) return [];
  const { name, namespace = '' } = pass.current().metadata;
  const { signal, stopping: writeSignal } = pass;
  const watched = async (entry: InventoryEntry) => {
    const reference = referenceOfEntry(entry);
    return reference === undefined ? undefined : ports.objects.find(reference);
  };
  const result = await pruneEntries(stale, {
    client,
    owner: { name, namespace },
    signal,
    writeSignal,
    // Objects of another cluster are not watched.
    cached: pass.current().spec?.kubeConfig === undefined ? watched : undefined,
    concurrency: ports.settings.concurrentDryRuns,
  });
  if (result.errors.length === 0) return result.done;
  const entries = unionInventory(inventory, result.survivors);
  await pass.writeStatus((status) => ({ ...status, inventory: { entries } }));
  const message = `delete failed, errors: ${result.errors.join(';')}`;
  throw new KustomizationError(reasons.pruneFailed, message, { ...context, step: 'prune' });
}
