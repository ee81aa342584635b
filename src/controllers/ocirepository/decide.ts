// Owns the decision what a pass for an OCIRepository does: an ordered list of checks (flux.md §3.1).
import { type OCIRepository, ociRepositoryReasons as reasons } from '../../api/source/ocirepository.ts';
import { errorMessage } from '../../lib/errors.ts';
import { checkDigest, checkTag, parseRepositoryUrl } from '../../remote/oci/reference.ts';
import { getCondition } from '../../runtime/conditions.ts';
import { verifyBlocker } from '../shared/registry-login.ts';
import { notSupported, type SourceFailure, whyBuild } from '../shared/source-artifact.ts';
import type { Decision, Observed } from './types.ts';

/** The first check that has something to say decides. Pure. */
export function decide(observed: Observed): Decision {
  const { object, resolved } = observed;
  const failure = blockerOf(object);
  if (failure !== undefined) return { do: 'fail', because: failure.reason, failure };
  if (resolved === undefined) throw new Error('a repository that could not be asked must have failed');
  const why = whyPull(observed, resolved.revision);
  const verify = object.spec.verify !== undefined && (why !== undefined || !isVerified(object));
  if (why !== undefined) return { do: 'fetch', because: why, resolved, verify, pull: true };
  if (verify) return { do: 'fetch', because: 'the signature is not checked yet', resolved, verify, pull: false };
  return { do: 'nothing', because: `revision ${resolved.revision} is stored` };
}

/** What the spec alone makes impossible. */
export function blockerOf({ spec }: OCIRepository): SourceFailure | undefined {
  if (spec.provider !== undefined && spec.provider !== 'generic') return notSupported(`provider ${spec.provider}`);
  const unverifiable = verifyBlocker(spec.verify);
  if (unverifiable !== undefined) return unverifiable;
  try {
    parseRepositoryUrl(spec.url);
    if (spec.ref?.digest) checkDigest(spec.ref.digest);
    else if (!spec.ref?.semver && spec.ref?.tag) checkTag(spec.ref.tag);
    return undefined;
  } catch (error) {
    const message = `URL validation failed for '${spec.url}': ${errorMessage(error)}`;
    return { reason: reasons.urlInvalid, message, condition: 'FetchFailed', retry: 'stalled' };
  }
}

/** Why the stored artifact does not do, or undefined when it does. */
function whyPull({ object, archive }: Observed, revision: string): string | undefined {
  const { spec, status } = object;
  const why = whyBuild(archive);
  if (why !== undefined) return why;
  if (status?.artifact?.revision !== revision) return `building artifact: new revision '${revision}' for '${spec.url}'`;
  if ((spec.ignore ?? '') !== (status?.observedIgnore ?? '')) return 'spec.ignore changed';
  const [wanted, stored] = [spec.layerSelector, status?.observedLayerSelector];
  const same = wanted?.mediaType === stored?.mediaType && wanted?.operation === stored?.operation;
  return same ? undefined : 'spec.layerSelector changed';
}

/** True when the signature of the stored revision was checked for this generation. */
function isVerified({ metadata, status }: OCIRepository): boolean {
  const condition = getCondition(status?.conditions, 'SourceVerified');
  return condition?.status === 'True' && condition.observedGeneration === metadata.generation;
}
