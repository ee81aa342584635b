// Owns what becomes of the objects when a Kustomization is deleted (flux.md §4.14).
import {
  type InventoryEntry,
  type Kustomization,
  type KustomizationStatus,
  kustomizationReasons as reasons,
} from '../../api/kustomize/kustomization.ts';
import { waitUntilGone } from '../../apply/apply.ts';
import { type PruneResult, pruneEntries, referenceOfEntry } from '../../apply/prune.ts';
import type { DynamicClient } from '../../cluster/client.ts';
import { errorMessage } from '../../lib/errors.ts';
import type { Manifest } from '../../objects/manifest.ts';
import { createMask } from '../../objects/redact.ts';
import type { EventDraft, Finalized, Pass } from '../../runtime/controller.ts';
import { timeoutMs } from '../shared/timing.ts';
import { secretValuesOf } from './inputs.ts';
import { objectIdsOf } from './moves.ts';
import { type KustomizationPorts, memoryOf } from './ports.ts';
import { eventMetadata } from './texts.ts';

export async function finalize(
  object: Kustomization,
  ports: KustomizationPorts,
  pass: Pass<Kustomization>,
): Promise<Finalized<KustomizationStatus>> {
  const entries = object.status?.inventory?.entries ?? [];
  const watched = object.spec?.kubeConfig === undefined ? await watchedOf(entries, ports) : undefined;
  // From here on nothing is put back any more: the objects are about to go.
  ports.objects.forget(pass.key);
  ports.moves.set(pass.key, undefined);
  if (entries.length === 0 || object.spec?.suspend === true || !deletes(object)) return { done: true };
  const inputs = await ports.inputs.read(pass.key, object);
  memoryOf(ports, pass.key).mask = createMask(secretValuesOf(object, inputs));
  const metadata = eventMetadata(object, object.status?.lastAppliedRevision ?? '');
  if (!(await ports.canImpersonate(object))) return { done: true, events: [orphaned(entries, metadata)] };
  const client = await ports.clientFor(object, inputs);
  const owner = { name: object.metadata.name, namespace: object.metadata.namespace ?? '' };
  const result = await pruneEntries(entries, {
    client,
    owner,
    signal: pass.signal,
    writeSignal: pass.stopping,
    cached: async ({ id }) => watched?.get(id),
    concurrency: ports.settings.concurrentDryRuns,
  });
  if (result.errors.length > 0) return retry(result, object, metadata);
  const lines = result.done.map(({ id, action }) => `${id} ${action}`);
  const events: EventDraft[] = [
    { type: 'Normal', reason: reasons.reconciliationSucceeded, message: lines.join('\n'), metadata },
  ];
  if (object.spec?.deletionPolicy === 'WaitForTermination') {
    const problem = await waitForTermination(result, object, client, pass);
    if (problem !== undefined)
      events.push({ type: 'Warning', reason: reasons.reconciliationFailed, message: problem, metadata });
  }
  return { done: true, events };
}

/** What the watches have of the objects while they are followed, by the id of the entry. */
async function watchedOf(
  entries: readonly InventoryEntry[],
  ports: KustomizationPorts,
): Promise<ReadonlyMap<string, Manifest>> {
  const found = new Map<string, Manifest>();
  for (const entry of entries) {
    const reference = referenceOfEntry(entry);
    const live = reference === undefined ? undefined : await ports.objects.find(reference);
    if (live !== undefined) found.set(entry.id, live);
  }
  return found;
}

/** Nobody may delete the objects any more: they stay, and the Kustomization goes. */
function orphaned(entries: readonly InventoryEntry[], metadata: Readonly<Record<string, string>>): EventDraft {
  const message = `unable to prune objects: \n${objectIdsOf(entries).join('\n')}`;
  return { type: 'Warning', reason: reasons.pruneFailed, message, metadata };
}

function deletes(object: Kustomization): boolean {
  const policy = object.spec?.deletionPolicy ?? 'MirrorPrune';
  switch (policy) {
    case 'MirrorPrune':
      return object.spec?.prune === true;
    case 'Delete':
    case 'WaitForTermination':
      return true;
    case 'Orphan':
      return false;
    default:
      return policy satisfies never;
  }
}

/** Some objects could not be deleted: the finalizer stays, and the inventory holds what is left. */
function retry(
  result: PruneResult,
  object: Kustomization,
  metadata: Readonly<Record<string, string>>,
): Finalized<KustomizationStatus> {
  const entries: readonly InventoryEntry[] = result.survivors;
  const message = `pruning for deleted resource failed: ${result.errors.join(';')}`;
  return {
    done: false,
    requeue: { do: 'backoff' },
    status: { ...object.status, inventory: { entries } },
    events: [{ type: 'Warning', reason: reasons.pruneFailed, message, metadata }],
  };
}

async function waitForTermination(
  result: PruneResult,
  object: Kustomization,
  client: DynamicClient,
  pass: Pass<Kustomization>,
): Promise<string | undefined> {
  const end = pass.clock.monotonic() + timeoutMs(object.spec!);
  try {
    for (const { live, action } of result.done) {
      if (live === undefined || action !== 'deleted') continue;
      const left = Math.max(end - pass.clock.monotonic(), 0);
      await waitUntilGone(client, live, left, { clock: pass.clock, signal: pass.signal });
    }
    return undefined;
  } catch (error) {
    return `failed to wait for resources termination: ${errorMessage(error)}`;
  }
}
