// Owns the decision what a pass for a Bucket does: an ordered list of checks (flux.md §3.2).
import { type Bucket, bucketReasons as reasons } from '../../api/source/bucket.ts';
import { errorMessage } from '../../lib/errors.ts';
import { checkEndpoint } from '../../remote/s3/bucket.ts';
import { notSupported, type SourceFailure, whyBuild } from '../shared/source-artifact.ts';
import type { Decision, Observed } from './types.ts';

/** The first check that has something to say decides. Pure. */
export function decide({ object, archive, listing }: Observed): Decision {
  const failure = blockerOf(object);
  if (failure !== undefined) return { do: 'fail', because: failure.reason, failure };
  if (listing === undefined) throw new Error('a bucket that could not be asked must have failed');
  const { revision } = listing;
  const why = whyBuild(archive);
  if (why !== undefined) return { do: 'fetch', because: why, listing };
  if (object.status?.artifact?.revision === revision)
    return { do: 'nothing', because: `revision ${revision} is stored` };
  return { do: 'fetch', because: `building artifact: new upstream revision '${revision}'`, listing };
}

/** What the spec alone makes impossible. */
export function blockerOf({ spec }: Bucket): SourceFailure | undefined {
  if (spec.provider !== undefined && spec.provider !== 'generic') return notSupported(`provider ${spec.provider}`);
  if (spec.sts !== undefined) return notSupported('sts');
  try {
    checkEndpoint(spec.endpoint);
    return undefined;
  } catch (error) {
    return { reason: reasons.urlInvalid, message: errorMessage(error), condition: 'FetchFailed', retry: 'stalled' };
  }
}
