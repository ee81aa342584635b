// Owns the putting back of what has drifted (lockstep.md §3). When it is put back is decide.ts.
import { type Kustomization, kustomizationReasons as reasons } from '../../api/kustomize/kustomization.ts';
import { applyStages } from '../../apply/apply.ts';
import { errorMessage } from '../../lib/errors.ts';
import { identityKey, referenceOf } from '../../objects/manifest.ts';
import { planStages } from '../../plan/stages.ts';
import type { Pass } from '../../runtime/controller.ts';
import { correctionDelayMs, isFoughtOver, noteCorrection } from '../shared/drift-guard.ts';
import { intervalMs, retryIntervalMs } from '../shared/timing.ts';
import { applyOptions, toFollowed } from './apply-objects.ts';
import { isWrite } from './changes.ts';
import { failingStage, KustomizationError } from './failure.ts';
import { type KustomizationPorts, memoryOf } from './ports.ts';
import type { Decision, Outcome } from './types.ts';

/** Where there is no interval, a fight is given up for so long at the most. */
const LONGEST_DELAY_MS = 3_600_000;

/** After a correction that failed, in ms; later when it goes on failing. */
const FIRST_RETRY_MS = 1_000;

export async function correctDrift(
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
  const now = ports.clock.monotonic();
  const written = new Set(changes.filter(isWrite).map((change) => identityKey(referenceOf(change.desired))));
  const interval = intervalMs(pass.current().spec!) || LONGEST_DELAY_MS;
  // A correction that failed counts: what cannot be put back must not be tried in a loop either.
  for (const drift of decision.drifted)
    if (errors.length > 0 || written.has(drift.key)) noteCorrection(memory.guard, drift, now, interval);
  if (!applied.isRemote) ports.objects.update(pass.key, changes.flatMap(toFollowed));
  if (errors.length > 0) {
    memory.applied = { ...applied, complete: false };
    // Sooner than a failed revision: what came in between may be over in a moment.
    const delays = decision.drifted.map((drift) => correctionDelayMs(memory.guard, drift, now));
    throw new KustomizationError(reasons.reconciliationFailed, errors.map(errorMessage).join('\n'), {
      ...context,
      retryAfterMs: Math.min(context.retryAfterMs, Math.max(FIRST_RETRY_MS, ...delays)),
      cause: errors[0],
    });
  }
  return {
    type: 'corrected',
    changes,
    pending: decision.pending,
    warned: decision.warned,
    fought: decision.drifted.filter((item) => isFoughtOver(memory.guard, item, now)),
  };
}
