// Owns the status, events and next run that follow from a pass for a Bucket (flux.md §3.2).
import { type Bucket, type BucketStatus, bucketReasons as reasons } from '../../api/source/bucket.ts';
import type { Conclusion, Result } from '../../runtime/controller.ts';
import {
  artifactMetadata,
  concludeSourceFailure,
  hadFailed,
  type SourceRules,
  storedConditions,
} from '../shared/source-status.ts';
import { intervalRequeue } from '../shared/timing.ts';
import type { Outcome } from './types.ts';

const RULES: SourceRules = { failures: ['StorageOperationFailed', 'FetchFailed'], verifies: false };

export function conclude(object: Bucket, result: Result<Outcome>, nowMs: number): Conclusion<BucketStatus> {
  const stamp = { generation: object.metadata.generation ?? 0, nowMs };
  if ('error' in result) return concludeSourceFailure(object, result.error, RULES, stamp);
  const { outcome } = result;
  const isNew = outcome.type === 'stored' && outcome.isNew;
  const base = outcome.type === 'stored' ? storedStatus(object, outcome) : object.status;
  const revision = base?.artifact?.revision ?? '';
  const text = { reason: reasons.succeeded, message: `stored artifact: revision '${revision}'` };
  const conditions = storedConditions(object, text, RULES, { stamp, verified: 'not asked' });
  const what =
    outcome.type === 'stored'
      ? `stored artifact with ${outcome.files} fetched files from '${object.spec.bucketName}' bucket`
      : text.message;
  const event = {
    type: 'Normal',
    reason: isNew ? reasons.newArtifact : reasons.succeeded,
    message: what,
    metadata: artifactMetadata(object.metadata, base?.artifact),
  } as const;
  return {
    status: { ...base, conditions },
    events: isNew || hadFailed(object, RULES) ? [event] : [],
    requeue: intervalRequeue(object.spec),
    log: { revision, stored: isNew },
  };
}

function storedStatus({ spec, status }: Bucket, { artifact }: Extract<Outcome, { type: 'stored' }>): BucketStatus {
  const { observedIgnore: _ignore, ...rest } = status ?? {};
  return { ...rest, artifact, ...(spec.ignore === undefined ? {} : { observedIgnore: spec.ignore }) };
}
