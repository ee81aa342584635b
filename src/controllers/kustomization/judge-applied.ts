// Owns how a pass that has applied goes on about health: nothing asked, all well at once, or a wait (flux.md §4.12,
// lockstep.md §5). How a wait ends is decide.ts.
import type { Kustomization } from '../../api/kustomize/kustomization.ts';
import type { Change } from '../../apply/apply.ts';
import { formatObjectId, referenceOf } from '../../objects/manifest.ts';
import { getCondition } from '../../runtime/conditions.ts';
import type { Pass } from '../../runtime/controller.ts';
import { timeoutMs } from '../shared/timing.ts';
import { isWrite } from './changes.ts';
import { judgeFor } from './health-rules.ts';
import type { KustomizationPorts } from './ports.ts';
import { healthMessage } from './texts.ts';
import type { AppliedHealth, HealthTarget, HealthWait } from './types.ts';

/** What the pass applied, as far as health asks. */
export interface AppliedRevision {
  readonly revision: string;
  readonly changes: readonly Change[];
  /** Not the revision that was applied before. */
  readonly isNew: boolean;
}

/**
 * Health right after the apply. What was applied is judged by the server's answers, so that a pass which changed
 * nothing ends at once; anything else waits.
 */
export async function judgeApplied(
  targets: readonly HealthTarget[],
  { revision, changes, isNew }: AppliedRevision,
  ports: KustomizationPorts,
  pass: Pass<Kustomization>,
): Promise<AppliedHealth> {
  if (targets.length === 0) return { state: 'none' };
  const object = pass.current();
  const now = ports.clock.now();
  const answers = new Map(changes.map((change) => [formatObjectId(referenceOf(change.desired)), change]));
  const isListed = object.spec?.wait !== true;
  let healthy = true;
  for (const target of targets) {
    const change = answers.get(target.id);
    const live = isListed ? await ports.readLive(target, object) : change?.object;
    healthy &&= judgeFor(object, live, now, change?.desired).status === 'Current';
  }
  if (healthy) return { state: 'passed' };
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
    newRevision: isNew,
  };
  return { state: 'waiting', wait };
}

/** Marks a wait for objects that no watch tells of. Known only once the objects are followed. */
export function withPolling(
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
