// Owns the decision what a pass for a HelmRepository does: an ordered list of checks (flux.md §3.3, helm.md §22.1).
import { type HelmRepository, helmRepositoryReasons as reasons } from '../../api/source/helmrepository.ts';
import { type SourceFailure, whyBuild } from '../shared/source-artifact.ts';
import type { Decision, Observed } from './types.ts';

/** The first check that has something to say decides. Pure. */
export function decide({ object, archive, index }: Observed): Decision {
  const failure = blockerOf(object);
  if (failure !== undefined) return { do: 'fail', because: failure.reason, failure };
  if (index === undefined) throw new Error('a repository that could not be asked must have failed');
  if (index === 'unchanged') return { do: 'nothing', because: 'the server says so', index: undefined };
  const why = whyBuild(archive);
  if (why !== undefined) return { do: 'store', because: why, index };
  const stored = object.status?.artifact?.revision;
  if (stored === index.revision) return { do: 'nothing', because: `revision ${stored} is stored`, index };
  return { do: 'store', because: `building artifact: new index revision '${index.revision}'`, index };
}

/** What the spec alone makes impossible. */
export function blockerOf({ spec }: HelmRepository): SourceFailure | undefined {
  const invalid = (why: string): SourceFailure => ({
    reason: reasons.urlInvalid,
    message: `invalid Helm repository URL: ${why}`,
    condition: 'FetchFailed',
    retry: 'stalled',
  });
  if (spec.url.startsWith('oci://')) {
    return invalid("'oci' URL scheme cannot be used with 'default' HelmRepository type");
  }
  if (!URL.canParse(spec.url)) return invalid(`parse "${spec.url}": it is not a URL`);
  return undefined;
}
