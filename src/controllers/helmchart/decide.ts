// Owns the decision what a pass for a HelmChart does: an ordered list of checks (flux.md §3.4, helm.md §22.2).
import { type HelmChart, helmChartReasons as reasons } from '../../api/source/helmchart.ts';
import { sourceGroup } from '../../api/source/source-schema.ts';
import { errorMessage } from '../../lib/errors.ts';
import { getCondition, readiness } from '../../runtime/conditions.ts';
import { verifyBlocker } from '../shared/registry-login.ts';
import { notSupported, type SourceFailure, whyBuild } from '../shared/source-artifact.ts';
import type { ChartSource } from './ports.ts';
import type { Candidate, Decision, Observed } from './types.ts';
import { builtVersion, valuesFilesOf } from './version.ts';

/** The first check that has something to say decides. Pure. */
export function decide(observed: Observed): Decision {
  const failure = blockerOf(observed);
  if (failure !== undefined) return { do: 'fail', because: failure.reason, failure };
  const { object, source, candidate } = observed;
  const sourceRevision = source!.status?.artifact?.revision;
  if (candidate === undefined) return { do: 'nothing', because: 'the source has not changed', sourceRevision };
  const version = versionOf(object, source!, candidate);
  if (typeof version !== 'string') return { do: 'fail', because: version.reason, failure: version };
  const because = whyBuildChart(observed, candidate, version);
  if (because === undefined) return { do: 'nothing', because: `version ${version} is stored`, sourceRevision };
  const valuesFiles = valuesFilesOf(object);
  const { found } = candidate;
  const packages =
    valuesFiles.length > 0 || version !== candidate.version || (found.from === 'files' && found.isFolder);
  const verify = object.spec.verify !== undefined;
  return {
    do: 'build',
    because,
    plan: { ...candidate, builtVersion: version, valuesFiles, packages, verify },
    sourceRevision,
  };
}

/** What spec and source alone make impossible, or not possible yet. */
export function blockerOf({
  object,
  source,
  isSourceStored,
  requeueDependencyMs,
}: Omit<Observed, 'candidate'>): SourceFailure | undefined {
  const { sourceRef, verify } = object.spec;
  const { kind, name } = sourceRef;
  if (source === undefined) {
    const message = `failed to get source: ${kind}.${sourceGroup} "${name}" not found`;
    return { reason: reasons.sourceUnavailable, message, condition: 'FetchFailed', retry: 'transient' };
  }
  const isRegistry = source.kind === 'HelmRepository' && source.spec.type === 'oci';
  if (isRegistry) return registryBlocker(object, source);
  if (verify !== undefined) {
    const message = 'chart verification error: only charts in a registry carry signatures that can be checked';
    return { reason: reasons.chartVerificationError, message, condition: 'BuildFailed', retry: 'stalled' };
  }
  if (!isSourceStored) {
    const message = `no artifact available for ${kind} source '${name}'`;
    const waiting = { condition: 'FetchFailed', retry: 'waiting', retryAfterMs: requeueDependencyMs } as const;
    return { reason: reasons.noSourceArtifact, message, ...waiting };
  }
  return undefined;
}

function registryBlocker({ spec }: HelmChart, { spec: repository }: Extract<ChartSource, { kind: 'HelmRepository' }>) {
  if (!repository.url.startsWith('oci://')) {
    const message = `invalid Helm repository URL: invalid OCI registry URL: ${repository.url}`;
    return { reason: reasons.urlInvalid, message, condition: 'FetchFailed', retry: 'stalled' } as const;
  }
  const { provider = 'generic', secretRef } = repository;
  if (provider !== 'generic' && secretRef === undefined)
    return notSupported(`provider ${provider} of its HelmRepository`);
  return verifyBlocker(spec.verify);
}

/**
 * Whether nothing changed since the last pass that succeeded, so that the source need not be read. What a registry
 * offers is seen by asking it only.
 */
export function isCurrent({ object, archive, source }: Omit<Observed, 'candidate'>): boolean {
  if (archive !== 'present' || readiness(object.status?.conditions) !== 'True') return false;
  if (object.status?.observedGeneration !== object.metadata.generation) return false;
  const revision = source?.status?.artifact?.revision;
  return revision !== undefined && revision === object.status?.observedSourceArtifactRevision;
}

function versionOf(object: HelmChart, source: ChartSource, candidate: Candidate): string | SourceFailure {
  try {
    return builtVersion(object, source, candidate.version);
  } catch (error) {
    const why = `failed to parse version from chart metadata as SemVer: ${errorMessage(error)}`;
    const message = `chart metadata patch error: ${why}`;
    return { reason: reasons.metadataPatchError, message, condition: 'BuildFailed', retry: 'stalled' };
  }
}

/** Why the stored chart does not do, or undefined when it does. */
function whyBuildChart({ object, archive }: Observed, candidate: Candidate, version: string): string | undefined {
  const { metadata, status, spec } = object;
  const why = whyBuild(archive);
  if (why !== undefined) return why;
  if (status?.observedGeneration !== metadata.generation) return 'the spec changed';
  if (status?.observedChartName !== candidate.name || status.artifact?.revision !== version) {
    return `building artifact: new '${candidate.name}' chart with version '${version}'`;
  }
  const verified = getCondition(status.conditions, 'SourceVerified')?.status === 'True';
  return spec.verify === undefined || verified ? undefined : 'the signature is not checked yet';
}
