// Owns the execution of stages: dry-run all objects of a stage, then apply those that differ, kind by kind
// (flux.md §4.8). What would change is dry-run.ts; deleting is prune.ts.
import { hasStatus, isClientError, isConflict } from '../cluster/api-error.ts';
import type { DynamicClient } from '../cluster/client.ts';
import { judge } from '../health/judge.ts';
import type { Clock } from '../lib/clock.ts';
import { formatObjectId, type Manifest, referenceOf } from '../objects/manifest.ts';
import type { Stage } from '../plan/stages.ts';
import { ApplyError, applyError, immutableDeleteError } from './apply-error.ts';
import { atOnce } from './at-once.ts';
import { asKubeObject, asManifest, dryRunObject, liveReference, type PlannedObject } from './dry-run.ts';
import { type PlanOptions, planObject } from './plan-object.ts';

export type ChangeAction = 'created' | 'configured' | 'unchanged' | 'skipped' | 'deleted';

/** What was done to one object, and how it is now. `object` is undefined for a deleted or absent one. */
export interface Change {
  readonly action: ChangeAction;
  readonly desired: Manifest;
  readonly object: Manifest | undefined;
  /** Who the object was left to, when it was skipped for that. */
  readonly owner?: string | undefined;
}

export interface ApplyOptions extends PlanOptions {
  readonly clock: Clock;
  /** Dry-runs of a stage, and applies of one kind, that are under way at once. @default 4 */
  readonly concurrency?: number;
  /** Apply what can be applied and report the failures together (lockstep.md §5). */
  readonly continueOnError?: boolean;
  /** Called before the first object that does not exist yet is created: the union inventory is written there. */
  readonly beforeCreate?: ((objects: readonly Manifest[]) => Promise<void>) | undefined;
  /** Called when an apply failed without the server's word that nothing was written: it may still arrive. */
  readonly onUnanswered?: ((desired: Manifest) => void) | undefined;
}

/** Limits of the wait after a stage, in ms. */
const STAGE_TIMEOUT_MS = 60_000;
const STAGE_POLL_MS = 250;
const DELETE_POLL_MS = 250;
const DELETE_TIMEOUT_MS = 60_000;
/** Attempts after the first one. */
const MAX_TAKE_OVERS = 3;

/** All that was done before an apply failed, and why it failed. */
export interface ApplyFailure {
  readonly changes: readonly Change[];
  readonly errors: readonly Error[];
}

/**
 * Applies the stages in order. `changes` has an entry for each object that was reached, in apply order; `errors` is
 * empty when all went well. A stage is applied only when every dry-run of it passed, unless `continueOnError`.
 */
export async function applyStages(stages: readonly Stage[], options: ApplyOptions): Promise<ApplyFailure> {
  const changes: Change[] = [];
  for (const stage of stages) {
    const errors = await applyStage(stage, changes, options);
    if (errors.length > 0) return { changes, errors };
  }
  return { changes, errors: [] };
}

async function applyStage(stage: Stage, changes: Change[], options: ApplyOptions): Promise<Error[]> {
  const planned = await planStage(stage.objects, options);
  const errors = planned.filter((item) => item instanceof Error);
  if (errors.length > 0 && !options.continueOnError) return errors.slice(0, 1);
  const plans = planned.filter((item): item is PlannedObject => !(item instanceof Error));
  const fresh = plans.filter((plan) => plan.action === 'create');
  if (fresh.length > 0) await options.beforeCreate?.(fresh.map((plan) => plan.desired));
  const touched: Change[] = [];
  for (const group of kindByKind(plans)) {
    const outcomes = await atOnce(group, options, (plan) => applyPlanned(plan, options), !options.continueOnError);
    const failed = outcomes.filter((outcome) => outcome instanceof Error);
    const done = outcomes.filter((outcome): outcome is Change => !(outcome === undefined || outcome instanceof Error));
    changes.push(...done);
    touched.push(...done.filter(({ action }) => action === 'created' || action === 'configured'));
    errors.push(...failed);
    if (failed.length > 0 && !options.continueOnError) return errors;
  }
  if (stage.wait && touched.length > 0) await waitForStage(touched, options);
  return errors;
}

/** Dry-runs of all objects, a few at once; a failure stands in the place of its plan. */
async function planStage(
  objects: readonly Manifest[],
  options: ApplyOptions,
): Promise<readonly (PlannedObject | Error)[]> {
  const plans = await atOnce(objects, options, (object) => planObject(object, options), false);
  return plans.filter((plan) => plan !== undefined);
}

/** Splits plans where the kind changes: objects of one kind need not wait for each other, those of the next may. */
function kindByKind(plans: readonly PlannedObject[]): readonly (readonly PlannedObject[])[] {
  const groups: PlannedObject[][] = [];
  let kind: string | undefined;
  for (const plan of plans) {
    const next = `${plan.desired.apiVersion} ${plan.desired.kind}`;
    if (next === kind) groups.at(-1)!.push(plan);
    else groups.push([plan]);
    kind = next;
  }
  return groups;
}

/** Does what was planned for one object. Throws `ApplyError`. */
async function applyPlanned(plan: PlannedObject, options: ApplyOptions): Promise<Change> {
  try {
    return await perform(plan, options);
  } catch (error) {
    throw error instanceof ApplyError ? error : applyError(plan.desired, error);
  }
}

async function perform(plan: PlannedObject, options: ApplyOptions): Promise<Change> {
  const { desired, live } = plan;
  switch (plan.action) {
    case 'skip':
      return { action: 'skipped', desired, object: live, owner: plan.owner };
    case 'unchanged':
      return { action: 'unchanged', desired, object: live };
    case 'create':
      return { action: 'created', desired, object: await send(desired, options) };
    case 'configure':
      if (plan.takeOver !== undefined) await takeOver(plan, options);
      return { action: 'configured', desired, object: await send(desired, options) };
    case 'recreate':
      await deleteAndWait(live!, options);
      return { action: 'created', desired, object: await send(desired, options) };
    default:
      return plan satisfies never;
  }
}

async function send(desired: Manifest, options: ApplyOptions): Promise<Manifest> {
  const { manager, writeSignal: signal } = options;
  try {
    return asManifest(
      await options.client.apply(asKubeObject(desired), { fieldManager: manager, force: true, signal }),
    );
  } catch (error) {
    if (!isClientError(error)) options.onUnanswered?.(desired);
    throw error;
  }
}

/** Takes fields over. The patch tests what it replaces; when that is another by then it is made anew. */
async function takeOver(plan: PlannedObject & { action: 'configure' }, options: ApplyOptions): Promise<void> {
  let patch = plan.takeOver;
  for (let attempt = 0; patch !== undefined; attempt += 1) {
    try {
      await options.client.patch(
        liveReference(plan.desired),
        { type: 'json', body: patch },
        { fieldManager: options.manager, signal: options.writeSignal },
      );
      return;
    } catch (error) {
      // A test that does not hold is answered as an invalid request.
      if (attempt === MAX_TAKE_OVERS || !(isConflict(error) || hasStatus(error, 422))) throw error;
      const again = await dryRunObject(plan.desired, options);
      patch = again.action === 'configure' ? again.takeOver : undefined;
    }
  }
}

async function deleteAndWait(live: Manifest, options: ApplyOptions): Promise<void> {
  const reference = liveReference(live);
  const uid = live.metadata['uid'];
  try {
    await options.client.delete(reference, {
      propagation: 'Background',
      signal: options.writeSignal,
      ...(typeof uid === 'string' ? { uid } : {}),
    });
    await waitUntilGone(options.client, live, DELETE_TIMEOUT_MS, options);
  } catch (error) {
    throw immutableDeleteError(live, error);
  }
}

/** Waits until the incarnation is gone. Throws `StageTimeout` when it is still there after `timeoutMs`. */
export async function waitUntilGone(
  client: DynamicClient,
  object: Manifest,
  timeoutMs: number,
  options: { readonly clock: Clock; readonly signal?: AbortSignal | undefined },
): Promise<void> {
  const end = options.clock.monotonic() + timeoutMs;
  for (;;) {
    const found = await client.findMetadata(liveReference(object), { signal: options.signal });
    if (found === undefined || found.metadata.uid !== object.metadata['uid']) return;
    if (options.clock.monotonic() > end) {
      const id = formatObjectId(referenceOf(object));
      throw new ApplyError('StageTimeout', `timeout waiting for ${id} to be deleted`, { object: id });
    }
    await options.clock.sleep(DELETE_POLL_MS, options.signal);
  }
}

/** Waits until definitions and classes can be used by the next stage. */
async function waitForStage(changes: readonly Change[], options: ApplyOptions): Promise<void> {
  const end = options.clock.monotonic() + STAGE_TIMEOUT_MS;
  let pending = changes.map((change) => change.desired);
  for (;;) {
    const still: Manifest[] = [];
    for (const desired of pending) {
      const found = await options.client.find(liveReference(desired), { signal: options.signal });
      const verdict = judge(found === undefined ? undefined : asManifest(found), options.clock.now());
      if (verdict.status === 'Current') continue;
      const id = formatObjectId(referenceOf(desired));
      if (verdict.status === 'Failed')
        throw new ApplyError('ApplyFailed', `${id} failed: ${verdict.message}`, { object: id });
      still.push(desired);
    }
    if (changes.some((change) => change.desired.kind === 'CustomResourceDefinition'))
      options.client.discovery.invalidate();
    if (still.length === 0) return;
    if (options.clock.monotonic() > end) {
      const ids = still.map((desired) => formatObjectId(referenceOf(desired))).join(', ');
      throw new ApplyError('StageTimeout', `timeout waiting for: [${ids}]`, { object: ids });
    }
    pending = still;
    await options.clock.sleep(STAGE_POLL_MS, options.signal);
  }
}
