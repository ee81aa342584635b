// Owns the status, events and next run that follow from a pass for a HelmRepository (flux.md §3.3, helm.md §22.1).
import type { Artifact } from '../../api/meta/artifact.ts';
import { type HelmRepository, helmRepositoryReasons as reasons } from '../../api/source/helmrepository.ts';
import type { SourceStatus } from '../../api/source/source-object.ts';
import { formatHumanSize } from '../../lib/human-size.ts';
import type { Conclusion, EventDraft, Result } from '../../runtime/controller.ts';
import { chartRequeue } from '../shared/chart-login.ts';
import {
  artifactMetadata,
  concludeSourceFailure,
  hadFailed,
  type SourceRules,
  storedConditions,
} from '../shared/source-status.ts';
import type { Outcome } from './types.ts';

const RULES: SourceRules = { failures: ['StorageOperationFailed', 'FetchFailed'], verifies: false };

export function conclude(object: HelmRepository, result: Result<Outcome>, nowMs: number): Conclusion<SourceStatus> {
  const stamp = { generation: object.metadata.generation ?? 0, nowMs };
  if ('error' in result) return concludeSourceFailure(object, result.error, RULES, stamp);
  const { outcome } = result;
  const artifact = outcome.type === 'stored' ? outcome.artifact : object.status?.artifact;
  const isNew = outcome.type === 'stored' && outcome.isNew;
  const revision = artifact?.revision ?? '';
  const text = { reason: reasons.succeeded, message: `stored artifact: revision '${revision}'` };
  const conditions = storedConditions(object, text, RULES, { stamp, verified: 'not asked' });
  return {
    status: { ...object.status, ...(artifact === undefined ? {} : { artifact }), conditions },
    events: isNew || hadFailed(object, RULES) ? [storedEvent(object, artifact, isNew)] : [],
    requeue: chartRequeue(object),
    log: { revision, stored: isNew },
  };
}

function storedEvent(object: HelmRepository, artifact: Artifact | undefined, isNew: boolean): EventDraft {
  const size = artifact?.size === undefined ? 'unknown size' : `size ${formatHumanSize(artifact.size)}`;
  return {
    type: 'Normal',
    reason: isNew ? reasons.newArtifact : reasons.succeeded,
    message: `stored fetched index of ${size} from '${object.spec.url}'`,
    metadata: artifactMetadata(object.metadata, artifact),
  };
}
