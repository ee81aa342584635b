// Owns the doing: build, apply, prune, wait. A straight line of stages; what to do was decided in decide.ts.
import { type Kustomization, kustomizationReasons as reasons } from '../../api/kustomize/kustomization.ts';
import type { Artifact } from '../../api/meta/artifact.ts';
import { errorCode, isCausedBy } from '../../lib/errors.ts';
import type { FileTree } from '../../lib/filetree.ts';
import { formatObjectId, identityKey, referenceOf } from '../../objects/manifest.ts';
import { createMask } from '../../objects/redact.ts';
import type { Pass } from '../../runtime/controller.ts';
import { ReconcileError } from '../../runtime/reconcile-error.ts';
import { sameRevision } from '../shared/revision.ts';
import { retryIntervalMs } from '../shared/timing.ts';
import { applyObjects, toFollowed } from './apply-objects.ts';
import { correctDrift } from './correct-drift.ts';
import { type FailureContext, failingStage, KustomizationError } from './failure.ts';
import { healthTargetsOf } from './health-targets.ts';
import { fingerprintInputs, secretValuesOf } from './inputs.ts';
import { judgeApplied, withPolling } from './judge-applied.ts';
import { otherOwner } from './ownership.ts';
import { type Attempt, endsHold, type KustomizationPorts, memoryOf } from './ports.ts';
import { pruneLeft, pruneStale } from './prune-stale.ts';
import { artifactFileNotFound, canceledEvent } from './texts.ts';
import type { Decision, Ending, HealthWait, Hold, Outcome } from './types.ts';

type ApplyDecision = Extract<Decision, { do: 'apply' }>;

export async function act(decision: Decision, ports: KustomizationPorts, pass: Pass<Kustomization>): Promise<Outcome> {
  const memory = memoryOf(ports, pass.key);
  const hold = await holdFor(decision, ports, pass);
  const attempt: Attempt = { definitions: 'same' };
  memory.attempt = attempt;
  try {
    const ending = await perform(decision, ports, pass);
    // An apply puts everything back.
    if (decision.delayed === undefined || ending.type === 'applied') return ending;
    return { ...ending, delayed: decision.delayed };
  } catch (error) {
    const isHeld = error instanceof KustomizationError && !pass.signal.aborted;
    const made = isHeld ? hold?.(error) : undefined;
    memory.hold = made === undefined || endsHold(made, attempt.definitions) ? undefined : made;
    throw error;
  } finally {
    memory.attempt = undefined;
  }
}

/** What a failure of is not repeated before its time. */
const CAN_BE_HELD: ReadonlySet<Decision['do']> = new Set(['apply', 'correct', 'prune', 'fail health'] as const);

/** Makes the hold of a failure: of what was tried, not of what has become of it meanwhile. */
async function holdFor(
  decision: Decision,
  ports: KustomizationPorts,
  pass: Pass<Kustomization>,
): Promise<((error: KustomizationError) => Hold) | undefined> {
  if (!CAN_BE_HELD.has(decision.do)) return undefined;
  const object = pass.current();
  const { generation = 0 } = object.metadata;
  const inputs = fingerprintInputs(object, await ports.inputs.read(pass.key, object));
  return (error) => {
    const { revision, step, retryAfterMs = 0 } = error;
    const untilMs = ports.clock.monotonic() + retryAfterMs;
    return { revision, generation, inputs, step, untilMs, missesKind: isCausedBy(error, 'NoMatch') };
  };
}

async function perform(decision: Decision, ports: KustomizationPorts, pass: Pass<Kustomization>): Promise<Ending> {
  const memory = memoryOf(ports, pass.key);
  switch (decision.do) {
    case 'nothing':
      return { type: 'nothing', notes: decision.notes };
    case 'fail': {
      const { reason, message, ...options } = decision.failure;
      throw new ReconcileError(reason, message, options);
    }
    case 'apply':
      return ports.objects.writing(pass.key, () => applyRevision(decision, ports, pass));
    case 'move':
      if (memory.applied !== undefined) {
        memory.applied = {
          ...memory.applied,
          revision: decision.artifact.revision,
          originRevision: decision.originRevision,
        };
      }
      return {
        type: 'moved',
        revision: decision.artifact.revision,
        originRevision: decision.originRevision,
        hasDrift: decision.hasDrift,
      };
    case 'put off':
      return { type: 'put off' };
    case 'correct':
      return ports.objects.writing(pass.key, () => correctDrift(decision, ports, pass));
    case 'prune':
      return pruneLeft(ports, pass);
    case 'hold':
      return { type: 'held', ms: decision.ms };
    case 'wait for health':
      return { type: 'waiting', wait: decision.wait };
    case 'pass health':
      return finishHealth(decision.wait, ports, pass);
    case 'fail health': {
      const digest = memory.applied?.digest;
      if (memory.applied !== undefined) memory.applied = { ...memory.applied, complete: false };
      throw new KustomizationError(reasons.healthCheckFailed, await explained(decision, ports, pass), {
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

async function explained(
  { message, targets }: Extract<Decision, { do: 'fail health' }>,
  ports: KustomizationPorts,
  pass: Pass<Kustomization>,
): Promise<string> {
  const why = await ports.explainHealth(targets, pass.current(), pass.signal);
  return why.length === 0 ? message : `${message}: ${why.join('; ')}`;
}

async function applyRevision(
  decision: ApplyDecision,
  ports: KustomizationPorts,
  pass: Pass<Kustomization>,
): Promise<Ending> {
  const object = pass.current();
  const spec = object.spec!;
  const { artifact } = decision;
  const memory = memoryOf(ports, pass.key);
  // Until this pass has succeeded nothing is known: a failure must make the next pass a whole one.
  memory.applied = undefined;
  memory.hold = undefined;
  if (decision.cancels !== undefined) pass.emit(canceledEvent(object, decision.cancels));
  const context = { revision: artifact.revision, retryAfterMs: retryIntervalMs(spec) };

  const inputs = await ports.inputs.read(pass.key, object);
  const known = secretValuesOf(object, inputs);
  memory.mask = createMask(known);
  const tree = await openArtifact(artifact, ports, pass, context);
  const built = await failingStage(
    reasons.buildFailed,
    { ...context, step: 'build' },
    () => ports.render(tree, object, inputs, pass.signal),
    {
      PathNotFound: reasons.artifactFailed,
    },
  );
  memory.mask = createMask([...known, ...built.secrets]);
  const digested = { ...context, digest: built.digest };
  const client = await failingStage(reasons.reconciliationFailed, { ...digested, step: 'apply' }, () =>
    ports.clientFor(object, inputs),
  );

  const { changes, inventory: wanted, old } = await applyObjects(built, client, ports, pass, digested);
  const { pruned, inventory } = await pruneStale(old, wanted, client, ports, pass, digested);

  const isRemote = object.spec?.kubeConfig !== undefined;
  const targets = healthTargetsOf(object, changes);
  const newRevision = !sameRevision(object.status?.lastAppliedRevision, artifact.revision);
  const applied = { revision: artifact.revision, changes, isNew: newRevision };
  const health = await judgeApplied(targets, applied, ports, pass);
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
  // Whoever let go of one amid this pass found nobody who wanted it.
  const ownerOf = otherOwner(object, ports);
  const isFree = changes.some(({ owner, object: live }) => owner !== undefined && live && ownerOf(live) === undefined);
  if (isFree) ports.conflicts.retry(pass.key);
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
    newRevision,
    health: withPolling(health, targets, ports, pass.key),
  };
}

/** An archive that is not on disk is fetched again by its source, as after a restart on an empty disk: it is waited for. */
async function openArtifact(
  artifact: Artifact,
  ports: KustomizationPorts,
  pass: Pass<Kustomization>,
  context: Omit<FailureContext, 'step'>,
): Promise<FileTree> {
  try {
    return await failingStage(reasons.artifactFailed, { ...context, step: 'fetch' }, () =>
      ports.openArtifact(pass.current().spec!.sourceRef.kind, artifact, pass.signal),
    );
  } catch (error) {
    const cause = error instanceof ReconcileError ? error.cause : undefined;
    const code = errorCode(cause);
    if (code !== 'ArtifactNotFound' && code !== 'ArtifactFileNotFound') throw error;
    const { requeueDependencyMs } = ports.settings;
    throw new ReconcileError(reasons.artifactFailed, artifactFileNotFound(requeueDependencyMs), {
      retry: 'waiting',
      silent: true,
      retryAfterMs: requeueDependencyMs,
      cause,
    });
  }
}

function finishHealth(wait: HealthWait, ports: KustomizationPorts, pass: Pass<Kustomization>): Ending {
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
