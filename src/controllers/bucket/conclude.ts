// Owns what a Bucket says of a pass that went well (flux.md §3.2).
import { type Bucket, type BucketStatus, bucketReasons as reasons } from '../../api/source/bucket.ts';
import { artifactEvent, sourceConclusion } from '../shared/source-status.ts';
import { intervalRequeue } from '../shared/timing.ts';
import type { Outcome } from './types.ts';

export const conclude = sourceConclusion<Bucket, Outcome, BucketStatus>({
  rules: { failures: ['StorageOperationFailed', 'FetchFailed'], verifies: false },
  report: (object, outcome, isNew) => {
    const status = outcome.type === 'stored' ? storedStatus(object, outcome) : object.status;
    const message = `stored artifact: revision '${status?.artifact?.revision ?? ''}'`;
    const told =
      outcome.type === 'stored'
        ? `stored artifact with ${outcome.files} fetched files from '${object.spec.bucketName}' bucket`
        : message;
    return {
      status,
      stored: { reason: reasons.succeeded, message },
      event: artifactEvent(isNew, told),
      requeue: intervalRequeue(object.spec),
    };
  },
});

function storedStatus({ spec, status }: Bucket, { artifact }: Extract<Outcome, { type: 'stored' }>): BucketStatus {
  const { observedIgnore: _ignore, ...rest } = status ?? {};
  return { ...rest, artifact, ...(spec.ignore === undefined ? {} : { observedIgnore: spec.ignore }) };
}
