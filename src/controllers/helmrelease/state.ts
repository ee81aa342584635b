// Owns the name for what a release is at the moment, from storage, status and spec (helm.md §21.4):
//
//   nothing stored, or uninstalled ─▶ absent          pending-* ─▶ locked
//   not the one in status.history  ─▶ unmanaged       failed    ─▶ failed
//   deployed ─▶ out of sync ─▶ untested ─▶ failed (its tests) ─▶ drifted ─▶ in sync     the first that holds
import type { HelmReleaseSpec, HelmReleaseStatus } from '../../api/helm/helmrelease.ts';
import { digestCommonMetadata, digestPostRenderers, digestValues } from '../../engines/helm/release/digest.ts';
import { isPending, type ReleaseRecord } from '../../engines/helm/release/record.ts';
import type { JsonObject, JsonValue } from '../../lib/json.ts';
import { hasFailedTest, isAsSeen, isTested, latestOf } from './history.ts';
import { ignoresTestFailures } from './settings.ts';
import { laidOver } from './values.ts';

export type ReleaseState =
  | { readonly is: 'absent' | 'unmanaged' | 'out of sync' | 'locked' | 'failed'; readonly because: string }
  | { readonly is: 'untested' | 'in sync' }
  /** Whether its objects differ was not looked at yet. */
  | { readonly is: 'drift unknown' }
  | { readonly is: 'unknown'; readonly problem: string };

/** What a state is made of. */
export interface StateFacts {
  readonly spec: HelmReleaseSpec;
  readonly status: HelmReleaseStatus;
  readonly generation: number;
  /** The newest stored revision. */
  readonly stored: ReleaseRecord | undefined;
  readonly chart: { readonly name: string; readonly version: string };
  readonly values: JsonObject;
  /** Whether the objects are to be compared with what is live. */
  readonly looksForDrift: boolean;
}

export function determineState(facts: StateFacts): ReleaseState {
  const { stored, status } = facts;
  if (stored === undefined) return { is: 'absent', because: 'no release in storage for object' };
  const is = stored.info.status;
  if (isPending(is)) return { is: 'locked', because: `release with status '${is}'` };
  const latest = latestOf(status);
  if (latest === undefined) {
    return is === 'uninstalled'
      ? { is: 'absent', because: 'found uninstalled release in storage' }
      : { is: 'unmanaged', because: 'found existing release in storage' };
  }
  if (!isAsSeen(latest, stored)) return { is: 'unmanaged', because: 'release digest verification error' };
  switch (is) {
    case 'failed':
      return { is: 'failed', because: 'release is failed' };
    case 'uninstalled':
      return { is: 'absent', because: 'found uninstalled release in storage' };
    case 'deployed':
      return determineDeployed(facts);
    default:
      return { is: 'unknown', problem: `unable to determine state for release with status '${is}'` };
  }
}

function determineDeployed(facts: StateFacts): ReleaseState {
  const { spec, status } = facts;
  const latest = latestOf(status)!;
  const because = outOfSync(facts);
  if (because !== undefined) return { is: 'out of sync', because };
  if (spec.test?.enable === true) {
    if (!isTested(latest)) return { is: 'untested' };
    const matters = status.lastAttemptedReleaseAction !== undefined && !ignoresTestFailures(spec, status);
    if (matters && hasFailedTest(latest)) return { is: 'failed', because: 'release has test in failed phase' };
  }
  return facts.looksForDrift ? { is: 'drift unknown' } : { is: 'in sync' };
}

function outOfSync(facts: StateFacts): string | undefined {
  const { spec, status, generation, chart } = facts;
  const latest = latestOf(status)!;
  if (latest.chartName !== chart.name || latest.chartVersion !== chart.version) return 'release chart changed';
  if (latest.configDigest !== digestValues(upgradeValues(facts))) return 'release config values changed';
  if (status.observedGeneration === generation) return undefined;
  if ((status.observedPostRenderersDigest ?? '') !== postRenderersDigest(spec)) return 'postrenderers digest changed';
  if ((status.observedCommonMetadataDigest ?? '') !== digestCommonMetadata(spec.commonMetadata)) {
    return 'common metadata digest changed';
  }
  return undefined;
}

/** The values that an upgrade would store. Kept ones are no difference: each pass would release them again. */
function upgradeValues({ spec, stored, values }: StateFacts): JsonObject {
  return spec.upgrade?.preserveValues === true ? laidOver(stored!.config, values) : values;
}

/** Digest of the post-renderers; '' without any. */
export function postRenderersDigest(spec: HelmReleaseSpec): string {
  return digestPostRenderers(spec.postRenderers as JsonValue | undefined);
}
