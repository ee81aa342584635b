// Owns the decision what a pass for a GitRepository does: an ordered list of checks (flux.md §2.2, §2.4).
import { type GitRepository, gitRepositoryReasons as reasons } from '../../api/source/gitrepository.ts';
import { sameRevision } from '../shared/revision.ts';
import type { Decision, Failure, Observed, ObservedInclude } from './types.ts';
import { unsupportedField } from './unsupported.ts';
import { checksOf } from './verify.ts';

/** The first check that has something to say decides. Pure. */
export function decide(observed: Observed): Decision {
  const failure = findBlocker(observed);
  if (failure !== undefined) return { do: 'fail', because: failure.reason, failure };
  const { object, remote, revision } = observed;
  if (remote === undefined) throw new Error('a repository that could not be asked must have failed');
  const because = whyFetch(observed);
  if (because === undefined) return { do: 'nothing', because: `revision ${revision} is stored` };
  const includes = observed.includes.filter(hasArtifact);
  if (includes.length !== (object.spec.include ?? []).length)
    throw new Error('an include without artifact must have failed');
  const verify = needsVerification(observed) || revisionChanged(observed);
  return { do: 'fetch', because, ...remote, revision, verify: verify && object.spec.verify !== undefined, includes };
}

function findBlocker(observed: Observed): Failure | undefined {
  const { spec } = observed.object;
  if (spec.verify !== undefined && checksOf(spec.verify.mode ?? 'HEAD').includes('tag') && !isTagReference(spec)) {
    const message = "cannot verify tag object's signature if a tag reference is not specified";
    return { reason: reasons.invalidVerificationMode, message, condition: 'SourceVerified', retry: 'stalled' };
  }
  const field = unsupportedField(spec);
  if (field !== undefined) {
    const message = `spec.${field} is not supported yet`;
    return { reason: reasons.fieldNotSupported, message, condition: 'FetchFailed', retry: 'stalled' };
  }
  if (!URL.canParse(spec.url)) {
    const message = `failed to parse url '${spec.url}': it is not a URL`;
    return { reason: reasons.urlInvalid, message, condition: 'FetchFailed', retry: 'stalled' };
  }
  const waiting = {
    condition: 'IncludeUnavailable',
    retry: 'waiting',
    retryAfterMs: observed.requeueDependencyMs,
  } as const;
  for (const include of observed.includes) {
    const { name } = include;
    if (!include.exists) {
      const why = `GitRepository.source.toolkit.fluxcd.io "${name}" not found`;
      return {
        reason: reasons.includeNotFound,
        message: `could not get resource for include '${name}': ${why}`,
        ...waiting,
      };
    }
    if (!hasArtifact(include)) {
      return { reason: reasons.includeNoArtifact, message: `no artifact available for include '${name}'`, ...waiting };
    }
  }
  return undefined;
}

function isTagReference({ ref }: GitRepository['spec']): boolean {
  if (ref?.commit) return false;
  if (ref?.name) return ref.name.startsWith('refs/tags/');
  return Boolean(ref?.tag || ref?.semver);
}

/** Why the stored artifact does not do, or undefined when it does. */
function whyFetch(observed: Observed): string | undefined {
  const { object, archive, revision, includes } = observed;
  const { status, spec } = object;
  if (archive === 'none') return 'building artifact';
  if (archive === 'lost') return 'building artifact: disappeared from storage';
  if (revisionChanged(observed)) {
    return `building artifact: new upstream revision '${revision}'`;
  }
  if (needsVerification(observed)) return 'a signature is not verified yet';
  if ((spec.recurseSubmodules ?? false) !== (status?.observedRecurseSubmodules ?? false)) {
    return 'spec.recurseSubmodules changed';
  }
  if (JSON.stringify(spec.sparseCheckout ?? []) !== JSON.stringify(status?.observedSparseCheckout ?? [])) {
    return 'spec.sparseCheckout changed';
  }
  if ((spec.ignore ?? '') !== (status?.observedIgnore ?? '')) return 'spec.ignore changed';
  return includesDiffer(object, includes)
    ? 'building artifact: included artifacts differ from last observed includes'
    : undefined;
}

function revisionChanged({ object, archive, revision }: Observed): boolean {
  return archive !== 'present' || !sameRevision(object.status?.artifact?.revision, revision);
}

/** True when the mode asks for a check that was not made of the stored revision (flux.md §2.6). */
function needsVerification({ object }: Observed): boolean {
  const { spec, status } = object;
  if (spec.verify === undefined) return false;
  const done = checksOf(status?.sourceVerificationMode);
  return checksOf(spec.verify.mode ?? 'HEAD').some((check) => !done.includes(check));
}

function includesDiffer(object: GitRepository, includes: readonly ObservedInclude[]): boolean {
  const { spec, status } = object;
  if (JSON.stringify(spec.include ?? []) !== JSON.stringify(status?.observedInclude ?? [])) return true;
  const stored = status?.includedArtifacts ?? [];
  return includes.some(
    ({ artifact }, index) =>
      artifact?.revision !== stored[index]?.revision || artifact?.digest !== stored[index]?.digest,
  );
}

function hasArtifact(
  include: ObservedInclude,
): include is ObservedInclude & { readonly artifact: NonNullable<ObservedInclude['artifact']> } {
  return include.artifact !== undefined;
}
