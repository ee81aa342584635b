// Owns the texts of conditions and events of Kustomizations, in Flux's words (flux.md §4.3, §4.13, §4.15).
import {
  type Kustomization,
  kustomizationKind,
  kustomizationReasons as reasons,
} from '../../api/kustomize/kustomization.ts';
import { inheritedEventMetadata } from '../../api/meta/event-metadata.ts';
import { formatDurationMs } from '../../lib/duration.ts';
import type { EventDraft } from '../../runtime/controller.ts';
import type { Step } from './failure.ts';
import type { HealthWait, ObservedDrift, OwnershipConflict } from './types.ts';

export function appliedMessage(revision: string): string {
  return `Applied revision: ${revision}`;
}

export function healthMessage(revision: string, timeoutMs: number): string {
  return `Running health checks for revision ${revision} with a timeout of ${formatDurationMs(timeoutMs)}`;
}

const STEP_WORDS: Readonly<Record<Step, string>> = {
  fetch: 'Fetching manifests',
  build: 'Building manifests',
  apply: 'Detecting drift',
  prune: 'Detecting drift',
  health: 'Running health checks',
};

/** What the Reconciling condition says of a pass that failed at a step. */
export function stepMessage(step: Step, revision: string, timeoutMs: number): string {
  return `${STEP_WORDS[step]} for revision ${revision} with a timeout of ${formatDurationMs(timeoutMs)}`;
}

/** Metadata of every event about a revision. Annotations that the user put on the object come along. */
export function eventMetadata(
  object: Kustomization,
  revision: string,
  originRevision?: string,
): Readonly<Record<string, string>> {
  const metadata = inheritedEventMetadata(object.metadata);
  metadata[`${kustomizationKind.group}/revision`] = revision;
  if (originRevision !== undefined) metadata[`${kustomizationKind.group}/originRevision`] = originRevision;
  return metadata;
}

/** Says that newer work put an end to a wait for health. */
export function canceledEvent(object: Kustomization, wait: HealthWait): EventDraft {
  const source = object.spec?.sourceRef;
  const namespace = source?.namespace ?? object.metadata.namespace ?? '';
  const trigger = `${source?.kind}/${namespace}/${source?.name}`;
  return {
    type: 'Normal',
    reason: reasons.healthCheckCanceled,
    message: `Health checks canceled due to new reconciliation triggered by ${trigger}`,
    metadata: eventMetadata(object, wait.revision),
  };
}

/** `Deployment/default/web (.spec.replicas by kubectl-scale)`, several by `; `. */
export function driftMessage(drifts: readonly ObservedDrift[]): string {
  return drifts
    .map(({ key, drift }) => {
      const [, kind = '', namespace = '', name = ''] = key.split('|');
      const id = namespace === '' ? `${kind}/${name}` : `${kind}/${namespace}/${name}`;
      const fields = drift.fields.slice(0, 5).join(', ');
      const manager = drift.manager === '' ? '' : ` by ${drift.manager}`;
      return `${id} (${fields === '' ? drift.because : fields}${manager})`;
    })
    .join('; ');
}

export function conflictMessage(kept: readonly OwnershipConflict[], wanted: readonly OwnershipConflict[]): string {
  const left = wanted.map(({ id, owner }) => `${id} belongs to Kustomization ${owner} and is left to it`);
  const claimed = kept.map(({ id, owner }) => `${id} is wanted by Kustomization ${owner} too`);
  return [...left, ...claimed].join('; ');
}

/** The artifact of the source is not where it should be (any more). */
export function artifactFileNotFound(retryMs: number): string {
  return `Source is not ready, artifact not found, retrying in ${formatDurationMs(retryMs)}`;
}

/** The source has no artifact. */
export function artifactNotFound(retryMs: number): string {
  return `Source artifact not found, retrying in ${formatDurationMs(retryMs)}`;
}
