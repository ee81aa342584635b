// Owns the doing: build, apply, prune, wait. A straight line of stages; what to do was decided in decide.ts.
import {
  type InventoryEntry,
  type Kustomization,
  kustomizationReasons as reasons,
} from '../../api/kustomize/kustomization.ts';
import type { Artifact } from '../../api/meta/artifact.ts';
import { continueOnErrorAnnotation } from '../../api/meta/keys.ts';
import { type ApplyOptions, applyStages, type Change } from '../../apply/apply.ts';
import { pruneEntries } from '../../apply/prune.ts';
import type { DynamicClient } from '../../cluster/client.ts';
import { errorCode, errorMessage } from '../../lib/errors.ts';
import type { FileTree } from '../../lib/filetree.ts';
import { formatObjectId, identityKey, type Manifest, referenceOf } from '../../objects/manifest.ts';
import { maskSecrets } from '../../objects/redact.ts';
import { markApplied } from '../../plan/drift.ts';
import { compileIgnoreRules } from '../../plan/ignore-rules.ts';
import { coversInventory, staleEntries, toInventoryEntry, unionInventory } from '../../plan/inventory.ts';
import { planStages } from '../../plan/stages.ts';
import { takenManagers } from '../../plan/take-over.ts';
import { sopsRefusal } from '../../render/decrypt.ts';
import { getCondition } from '../../runtime/conditions.ts';
import type { Pass } from '../../runtime/controller.ts';
import { ReconcileError, stage } from '../../runtime/reconcile-error.ts';
import { sameRevision } from '../shared/revision.ts';
import { retryIntervalMs, timeoutMs } from '../shared/timing.ts';
import type { FollowedObject } from './applied-objects.ts';
import { formatChange, isWrite } from './changes.ts';
import { isFoughtOver, noteCorrection } from './drift-guard.ts';
import { KustomizationError } from './failure.ts';
import { judgeFor } from './health-rules.ts';
import { healthTargetsOf } from './health-targets.ts';
import { fingerprintInputs } from './inputs.ts';
import { otherOwner } from './ownership.ts';
import { fieldManager, type KustomizationPorts, memoryOf, type RenderedSource } from './ports.ts';
import { artifactNotFound, canceledEvent, healthMessage } from './texts.ts';
import type { AppliedHealth, Decision, HealthTarget, HealthWait, Outcome } from './types.ts';

type ApplyDecision = Extract<Decision, { do: 'apply' }>;

export async function act(decision: Decision, ports: KustomizationPorts, pass: Pass<Kustomization>): Promise<Outcome> {
  const memory = memoryOf(ports, pass.key);
  switch (decision.do) {
    case 'nothing':
      return { type: 'nothing', notes: decision.notes };
    case 'fail': {
      const { reason, message, ...options } = decision.failure;
      throw new ReconcileError(reason, message, options);
    }
    case 'apply':
      return applyRevision(decision, ports, pass);
    case 'move':
      if (memory.applied !== undefined) {
        memory.applied = {
          ...memory.applied,
          revision: decision.artifact.revision,
          originRevision: decision.originRevision,
        };
      }
      return { type: 'moved', revision: decision.artifact.revision, originRevision: decision.originRevision };
    case 'correct':
      return correctDrift(decision, ports, pass);
    case 'wait for health':
      return { type: 'waiting', wait: decision.wait };
    case 'pass health':
      return finishHealth(decision.wait, ports, pass);
    case 'fail health': {
      const digest = memory.applied?.digest;
      if (memory.applied !== undefined) memory.applied = { ...memory.applied, complete: false };
      throw new KustomizationError(reasons.healthCheckFailed, await explained(decision.message, ports, pass), {
        revision: decision.revision,
        digest,
        step: 'health',
        retryAfterMs: retryIntervalMs(pass.current().spec!),
      });
    }
    default:
      return decision satisfies never;
  }
}

async function explained(message: string, ports: KustomizationPorts, pass: Pass<Kustomization>): Promise<string> {
  const applied = memoryOf(ports, pass.key).applied;
  const why = await ports.explainHealth(applied?.healthTargets ?? [], pass.current(), pass.signal);
  return why.length === 0 ? message : `${message}: ${why.join('; ')}`;
}

async function applyRevision(
  decision: ApplyDecision,
  ports: KustomizationPorts,
  pass: Pass<Kustomization>,
): Promise<Outcome> {
  const object = pass.current();
  const spec = object.spec!;
  const { artifact } = decision;
  const memory = memoryOf(ports, pass.key);
  // Until this pass has succeeded nothing is known: a failure must make the next pass a whole one.
  memory.applied = undefined;
  if (decision.cancels !== undefined) pass.emit(canceledEvent(object, decision.cancels));
  const context = { revision: artifact.revision, retryAfterMs: retryIntervalMs(spec) };

  const inputs = await ports.inputs.read(pass.key, object);
  const tree = await openArtifact(artifact, ports, context);
  const built = await failingStage(
    reasons.buildFailed,
    { ...context, step: 'build' },
    () => ports.render(tree, object, inputs, pass.signal),
    {
      PathNotFound: reasons.artifactFailed,
    },
  );
  const digested = { ...context, digest: built.digest };
  const client = await failingStage(reasons.reconciliationFailed, { ...digested, step: 'apply' }, () =>
    ports.clientFor(object, inputs),
  );

  const { changes, inventory, old } = await applyObjects(built, client, ports, pass, digested);
  const pruned = await pruneStale(old, inventory, client, pass, digested);

  const isRemote = object.spec?.kubeConfig !== undefined;
  const targets = healthTargetsOf(object, changes);
  const health = await judgeApplied(targets, changes, decision, ports, pass);
  const conflicts = changes.flatMap(({ desired, owner }) =>
    owner === undefined ? [] : [{ id: formatObjectId(referenceOf(desired)), owner }],
  );
  memory.applied = {
    revision: artifact.revision,
    originRevision: decision.originRevision,
    generation: object.metadata.generation ?? 0,
    inputs: fingerprintInputs(object, inputs),
    isRemote,
    record: built.record,
    digest: built.digest,
    desired: new Map(changes.map((change) => [identityKey(referenceOf(change.desired)), change.desired])),
    inventory,
    healthTargets: targets,
    complete: health.state !== 'waiting',
    conflicts,
  };
  ports.conflicts.set(pass.key, conflicts);
  await ports.objects.follow(pass.key, isRemote ? [] : changes.flatMap(toFollowed), isRemote ? [] : targets);
  return {
    type: 'applied',
    revision: artifact.revision,
    originRevision: decision.originRevision,
    digest: built.digest,
    changes,
    pruned,
    inventory,
    conflicts,
    newRevision: isNewRevision(object, artifact),
    health: withPolling(health, targets, ports, pass.key),
  };
}

/** An archive that is not on disk is fetched again by its source, as after a restart on an empty disk: it is waited for. */
async function openArtifact(
  artifact: Artifact,
  ports: KustomizationPorts,
  context: Omit<FailureContext, 'step'>,
): Promise<FileTree> {
  try {
    return await failingStage(reasons.artifactFailed, { ...context, step: 'fetch' }, () =>
      ports.openArtifact(artifact),
    );
  } catch (error) {
    const isMissing = error instanceof ReconcileError && errorCode(error.cause) === 'ArtifactNotFound';
    if (!isMissing) throw error;
    const { requeueDependencyMs } = ports.settings;
    throw new ReconcileError(reasons.artifactFailed, artifactNotFound(requeueDependencyMs), {
      retry: 'waiting',
      retryAfterMs: requeueDependencyMs,
      cause: error.cause,
    });
  }
}

/**
 * Health right after the apply. What was applied is judged by the server's answers, so that a pass which changed
 * nothing ends at once; anything else waits.
 */
async function judgeApplied(
  targets: readonly HealthTarget[],
  changes: readonly Change[],
  decision: ApplyDecision,
  ports: KustomizationPorts,
  pass: Pass<Kustomization>,
): Promise<AppliedHealth> {
  if (targets.length === 0) return { state: 'none' };
  const object = pass.current();
  const now = ports.clock.now();
  const answers = new Map(changes.map((change) => [formatObjectId(referenceOf(change.desired)), change.object]));
  const isListed = object.spec?.wait !== true;
  let healthy = true;
  for (const target of targets) {
    const live = isListed ? await ports.readLive(target, object) : answers.get(target.id);
    healthy &&= judgeFor(object, live, now).status === 'Current';
  }
  if (healthy) return { state: 'passed' };
  const revision = decision.artifact.revision;
  const timeout = timeoutMs(object.spec!);
  const startedMs = startOfWait(object, healthMessage(revision, timeout)) ?? pass.startedMs;
  const changed = changes.some(isWrite);
  const wait: HealthWait = {
    type: 'health',
    revision,
    generation: object.metadata.generation ?? 0,
    startedMs,
    deadlineMs: startedMs + timeout,
    isPolled: object.spec?.kubeConfig !== undefined,
    changed,
    newRevision: isNewRevision(object, decision.artifact),
  };
  return { state: 'waiting', wait };
}

/** Marks a wait for objects that no watch tells of. Known only once the objects are followed. */
function withPolling(
  health: AppliedHealth,
  targets: readonly HealthTarget[],
  ports: KustomizationPorts,
  key: string,
): AppliedHealth {
  if (health.state !== 'waiting' || health.wait.isPolled) return health;
  const isPolled = targets.some((target) => !ports.objects.isWatched(key, target));
  return { state: 'waiting', wait: { ...health.wait, isPolled } };
}

/** When a wait that a killed process left behind began: its deadline stays (the condition's time is in status). */
function startOfWait(object: Kustomization, message: string): number | undefined {
  const healthy = getCondition(object.status?.conditions, 'Healthy');
  return healthy?.status === 'Unknown' && healthy.message === message
    ? Date.parse(healthy.lastTransitionTime)
    : undefined;
}

function isNewRevision(object: Kustomization, artifact: Artifact): boolean {
  return !sameRevision(object.status?.lastAppliedRevision, artifact.revision);
}

interface FailureContext {
  readonly revision: string;
  readonly digest?: string | undefined;
  readonly retryAfterMs: number;
  readonly step: 'fetch' | 'build' | 'apply' | 'prune' | 'health';
}

/** A stage whose failures carry the revision and digest they happened at. `byCode` gives some codes another reason. */
async function failingStage<T>(
  reason: string,
  context: FailureContext,
  run: () => T | Promise<T>,
  byCode: Readonly<Record<string, string>> = {},
): Promise<T> {
  try {
    return await stage(reason, run);
  } catch (error) {
    if (!(error instanceof ReconcileError)) throw error;
    const code = (error.cause as { code?: unknown } | undefined)?.code;
    const actual = typeof code === 'string' && Object.hasOwn(byCode, code) ? byCode[code]! : error.reason;
    if (error.retry !== 'transient') throw error;
    throw new KustomizationError(actual, error.message, { ...context, cause: error.cause });
  }
}

async function applyObjects(
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
  const { changes, errors } = await failingStage(reasons.reconciliationFailed, { ...context, step: 'apply' }, () =>
    applyStages(stages, {
      ...applyOptions(client, ports, pass),
      beforeCreate: async () => {
        const entries = unionInventory(old, inventory);
        if (coversInventory(object.status?.inventory?.entries ?? [], entries)) return;
        await pass.writeStatus((status) => ({ ...status, inventory: { entries } }));
      },
    }),
  );
  if (errors.length === 0) return { changes, inventory: withoutOthers(inventory, changes), old };
  const done = changes.filter(isWrite).map(formatChange);
  const message = maskSecrets([...errors.map(errorMessage), ...done].join('\n'), built.secrets);
  throw new KustomizationError(reasons.reconciliationFailed, message, { ...context, step: 'apply', cause: errors[0] });
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

function applyOptions(client: DynamicClient, ports: KustomizationPorts, pass: Pass<Kustomization>): ApplyOptions {
  const object = pass.current();
  const adapt = compileIgnoreRules(object.spec?.ignore, fieldManager);
  return {
    client,
    ...(adapt === undefined ? {} : { adapt }),
    manager: fieldManager,
    force: object.spec?.force === true,
    takenManagers,
    signal: pass.signal,
    clock: ports.clock,
    concurrency: ports.settings.concurrentDryRuns,
    continueOnError: object.metadata.annotations?.[continueOnErrorAnnotation] === 'true',
    otherOwner: otherOwner(object, ports),
  };
}

async function pruneStale(
  old: readonly InventoryEntry[],
  inventory: readonly InventoryEntry[],
  client: DynamicClient,
  pass: Pass<Kustomization>,
  context: Omit<FailureContext, 'step'>,
): Promise<Extract<Outcome, { type: 'applied' }>['pruned']> {
  const object = pass.current();
  const stale = staleEntries(old, inventory);
  if (stale.length === 0 || object.spec?.prune !== true) return [];
  const owner = { name: object.metadata.name, namespace: object.metadata.namespace ?? '' };
  const result = await pruneEntries(stale, { client, owner, signal: pass.signal });
  if (result.errors.length === 0) return result.done;
  const entries = unionInventory(inventory, result.survivors);
  await pass.writeStatus((status) => ({ ...status, inventory: { entries } }));
  throw new KustomizationError(reasons.pruneFailed, `delete failed, errors: ${result.errors.join(';')}`, {
    ...context,
    step: 'prune',
  });
}

async function correctDrift(
  decision: Extract<Decision, { do: 'correct' }>,
  ports: KustomizationPorts,
  pass: Pass<Kustomization>,
): Promise<Outcome> {
  const memory = memoryOf(ports, pass.key);
  const { applied } = memory;
  if (applied === undefined) throw new Error('drift was seen of objects that are not known');
  const inputs = await ports.inputs.read(pass.key, pass.current());
  const objects = decision.objects.flatMap((key) => applied.desired.get(key) ?? []);
  const context = {
    revision: applied.revision,
    digest: applied.digest,
    retryAfterMs: retryIntervalMs(pass.current().spec!),
    step: 'apply',
  } as const;
  const client = await failingStage(reasons.reconciliationFailed, context, () =>
    ports.clientFor(pass.current(), inputs),
  );
  const { changes, errors } = await failingStage(reasons.reconciliationFailed, context, () =>
    applyStages(planStages(objects, ports.settings.customStageKinds), applyOptions(client, ports, pass)),
  );
  const now = ports.clock.now();
  for (const change of changes)
    if (isWrite(change)) noteCorrection(memory.guard, identityKey(referenceOf(change.desired)), now);
  if (!applied.isRemote) ports.objects.update(pass.key, changes.flatMap(toFollowed));
  if (errors.length > 0) {
    memory.applied = { ...applied, complete: false };
    throw new KustomizationError(reasons.reconciliationFailed, errors.map(errorMessage).join('\n'), {
      ...context,
      cause: errors[0],
    });
  }
  return {
    type: 'corrected',
    changes,
    fought: decision.drifted.filter((item) => isFoughtOver(memory.guard, item.key, now)),
  };
}

function finishHealth(wait: HealthWait, ports: KustomizationPorts, pass: Pass<Kustomization>): Outcome {
  const memory = memoryOf(ports, pass.key);
  const applied = memory.applied!;
  memory.applied = { ...applied, complete: true };
  return {
    type: 'healthy',
    wait,
    digest: applied.digest,
    originRevision: applied.originRevision,
  };
}

/** What is watched for drift: every object that was applied and not skipped. */
function toFollowed(change: Change): FollowedObject[] {
  const live: Manifest | undefined = change.object;
  if (live === undefined || change.action === 'skipped' || change.action === 'deleted') return [];
  const version = live.metadata['resourceVersion'];
  const own = referenceOf(change.desired);
  return [
    {
      reference: { ...referenceOf(live), version: own.version },
      mark: markApplied(live, fieldManager),
      resourceVersion: typeof version === 'string' ? version : '',
    },
  ];
}
