// Owns how the objects of a Kustomization are applied: options, union inventory, what failures say (flux.md §4.8,
// lockstep.md §2).
import {
  type InventoryEntry,
  type Kustomization,
  kustomizationReasons as reasons,
} from '../../api/kustomize/kustomization.ts';
import { continueOnErrorAnnotation } from '../../api/meta/keys.ts';
import { type ApplyOptions, applyStages, type Change } from '../../apply/apply.ts';
import { ApplyError } from '../../apply/apply-error.ts';
import type { DynamicClient } from '../../cluster/client.ts';
import { errorMessage } from '../../lib/errors.ts';
import { type Manifest, referenceOf } from '../../objects/manifest.ts';
import { ownExclusion } from '../../objects/policy.ts';
import type { RenderedSource } from '../../offload/render/builds.ts';
import { markApplied } from '../../plan/drift.ts';
import { compileIgnoreRules } from '../../plan/ignore-rules.ts';
import { coversInventory, inventorySize, toInventoryEntry, unionInventory } from '../../plan/inventory.ts';
import { planStages } from '../../plan/stages.ts';
import { sopsRefusal } from '../../render/decrypt.ts';
import type { Pass } from '../../runtime/controller.ts';
import type { FollowedObject } from './applied-objects.ts';
import { formatChange, isWrite } from './changes.ts';
import { applyConditions } from './conclude.ts';
import { type FailureContext, failingStage, KustomizationError } from './failure.ts';
import { otherOwner } from './ownership.ts';
import { fieldManager, type KustomizationPorts } from './ports.ts';

/** From this size on it is asked first whether status can hold the inventory: etcd takes 1.5 MiB an object. */
const LARGE_INVENTORY_BYTES = 1 << 20;

export async function applyObjects(
  built: RenderedSource,
  client: DynamicClient,
  ports: KustomizationPorts,
  pass: Pass<Kustomization>,
  context: Omit<FailureContext, 'step'>,
): Promise<{ changes: readonly Change[]; inventory: readonly InventoryEntry[]; old: readonly InventoryEntry[] }> {
  const object = pass.current();
  const refusal = built.objects.map(sopsRefusal).find((text) => text !== undefined);
  if (refusal !== undefined)
    throw new KustomizationError(reasons.reconciliationFailed, refusal, { ...context, step: 'apply' });
  const stages = planStages(built.objects, ports.settings.customStageKinds);
  const inventory = stages.flatMap((item) => item.objects.map((manifest) => toInventoryEntry(referenceOf(manifest))));
  const old = object.status?.inventory?.entries ?? [];
  const entries = unionInventory(old, inventory);
  const { changes, errors } = await failingStage(
    reasons.reconciliationFailed,
    { ...context, step: 'apply' },
    async () => {
      const isLarge = inventorySize(entries) > LARGE_INVENTORY_BYTES;
      // Whether status can hold it shows before thousands of dry-runs, not after them.
      if (isLarge) await storeUnion(entries, context.revision, pass);
      const beforeCreate = () => storeUnion(entries, context.revision, pass);
      const known = new Set(old.map(({ id }) => id));
      const isNew = (desired: Manifest): boolean => !known.has(toInventoryEntry(referenceOf(desired)).id);
      return applyStages(stages, { ...applyOptions(client, ports, pass), beforeCreate, isNew });
    },
  );
  if (errors.length === 0) return { changes, inventory: withoutOthers(inventory, changes), old };
  const done = changes.filter(isWrite).map(formatChange);
  const message = [...errors.map(errorMessage), ...done].join('\n');
  throw new KustomizationError(reasons.reconciliationFailed, message, { ...context, step: 'apply', cause: errors[0] });
}

/** The union of old and new inventory goes into status before anything that it does not know is created. */
async function storeUnion(
  entries: readonly InventoryEntry[],
  revision: string,
  pass: Pass<Kustomization>,
): Promise<void> {
  const object = pass.current();
  if (coversInventory(object.status?.inventory?.entries ?? [], entries)) return;
  const stamp = { generation: object.metadata.generation ?? 0, nowMs: pass.clock.now() };
  const conditions = applyConditions(object, revision, stamp);
  try {
    await pass.writeStatus((status) => ({
      ...status,
      inventory: { entries },
      ...(conditions === undefined ? {} : { conditions }),
    }));
  } catch (error) {
    const size = inventorySize(entries);
    if (size <= LARGE_INVENTORY_BYTES) throw error;
    throw new ApplyError(
      'InventoryTooLarge',
      `the inventory of ${entries.length} objects does not fit into status (${size} bytes): ${errorMessage(error)}; spread the objects over several Kustomizations`,
      { object: '' },
      { cause: error },
    );
  }
}

/** An object that is left to another Kustomization is not in our inventory: it is not ours to prune. */
function withoutOthers(inventory: readonly InventoryEntry[], changes: readonly Change[]): readonly InventoryEntry[] {
  const others = new Set(
    changes
      .filter((change) => change.owner !== undefined)
      .map((change) => toInventoryEntry(referenceOf(change.desired)).id),
  );
  return others.size === 0 ? inventory : inventory.filter((entry) => !others.has(entry.id));
}

export function applyOptions(
  client: DynamicClient,
  ports: KustomizationPorts,
  pass: Pass<Kustomization>,
): ApplyOptions {
  const object = pass.current();
  const adapt = compileIgnoreRules(object.spec?.ignore, fieldManager);
  return {
    client,
    ...(adapt === undefined ? {} : { adapt }),
    manager: fieldManager,
    force: object.spec?.force === true,
    takenManagers: ports.settings.takenManagers,
    migrateApiVersion: ports.settings.gates.MigrateAPIVersion,
    signal: pass.signal,
    writeSignal: pass.stopping,
    clock: pass.clock,
    concurrency: ports.settings.concurrentDryRuns,
    continueOnError: object.metadata.annotations?.[continueOnErrorAnnotation] === 'true',
    otherOwner: otherOwner(object, ports),
    onUnanswered: (desired) => ports.objects.doubt(referenceOf(desired)),
    // Objects of another cluster are not watched.
    ...(object.spec?.kubeConfig === undefined ? { cached: (desired) => ports.objects.live(desired) } : {}),
    onUndeclared: (id, fields) =>
      pass.log.info('fields that the API server does not know are left out', { object: id, fields }),
  };
}

/** What is watched for drift: every object that was applied, or that may be later as nothing in Git keeps us off it. */
export function toFollowed({ action, owner, desired, object: live }: Change): FollowedObject[] {
  if (live === undefined || action === 'deleted' || owner !== undefined) return [];
  const mark = markApplied(live, desired, fieldManager);
  if (action === 'skipped' && (ownExclusion(desired) !== undefined || mark.ownerName === '')) return [];
  const version = live.metadata['resourceVersion'];
  return [
    {
      reference: { ...referenceOf(live), version: referenceOf(desired).version },
      mark,
      resourceVersion: typeof version === 'string' ? version : '',
    },
  ];
}
