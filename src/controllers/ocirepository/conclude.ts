// Owns the status, events and next run that follow from a pass for an OCIRepository (flux.md §3.1).
import type { Artifact } from '../../api/meta/artifact.ts';
import {
  type OCIRepository,
  type OciRepositoryStatus,
  ociRepositoryReasons as reasons,
} from '../../api/source/ocirepository.ts';
import type { Conclusion, EventDraft, Result } from '../../runtime/controller.ts';
import {
  artifactMetadata,
  concludeSourceFailure,
  hadFailed,
  type SourceRules,
  storedConditions,
} from '../shared/source-status.ts';
import { intervalRequeue } from '../shared/timing.ts';
import type { Outcome } from './types.ts';

const RULES: SourceRules = { failures: ['StorageOperationFailed', 'FetchFailed'], verifies: true };

export function conclude(
  object: OCIRepository,
  result: Result<Outcome>,
  nowMs: number,
): Conclusion<OciRepositoryStatus> {
  const stamp = { generation: object.metadata.generation ?? 0, nowMs };
  if ('error' in result) return concludeSourceFailure(object, result.error, RULES, stamp);
  const { outcome } = result;
  const artifact = outcome.type === 'stored' ? outcome.artifact : object.status?.artifact;
  const isNew = outcome.type === 'stored' && outcome.isNew;
  const revision = artifact?.revision ?? '';
  const stored = { reason: reasons.succeeded, message: `stored artifact for digest '${revision}'` };
  const verified =
    object.spec.verify === undefined
      ? 'not asked'
      : outcome.verified === undefined
        ? 'as before'
        : { reason: reasons.succeeded, message: `verified signature of revision ${outcome.verified}` };
  const conditions = storedConditions(object, stored, RULES, { stamp, verified });
  const base = outcome.type === 'stored' ? storedStatus(object, outcome.artifact) : object.status;
  return {
    status: { ...base, conditions },
    events: isNew || hadFailed(object, RULES) ? [storedEvent(object, artifact, isNew)] : [],
    requeue: intervalRequeue(object.spec),
    log: { revision, stored: isNew },
  };
}

function storedStatus({ spec, status }: OCIRepository, artifact: Artifact): OciRepositoryStatus {
  const { observedIgnore: _ignore, observedLayerSelector: _layer, ...rest } = status ?? {};
  return {
    ...rest,
    artifact,
    ...(spec.ignore === undefined ? {} : { observedIgnore: spec.ignore }),
    ...(spec.layerSelector === undefined ? {} : { observedLayerSelector: spec.layerSelector }),
  };
}

function storedEvent(object: OCIRepository, artifact: Artifact | undefined, isNew: boolean): EventDraft {
  const source = artifact?.metadata?.['org.opencontainers.image.source'] ?? '';
  const revision = artifact?.metadata?.['org.opencontainers.image.revision'] ?? '';
  const origin = source === '' || revision === '' ? '' : `, origin source '${source}', origin revision '${revision}'`;
  return {
    type: 'Normal',
    reason: isNew ? reasons.newArtifact : reasons.succeeded,
    message: `stored artifact with revision '${artifact?.revision}' from '${object.spec.url}'${origin}`,
    metadata: artifactMetadata(object.metadata, artifact),
  };
}
