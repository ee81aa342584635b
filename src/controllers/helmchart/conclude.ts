// Owns what a HelmChart says of a pass that went well (flux.md §3.4, helm.md §22.2).
import { type HelmChart, type HelmChartStatus, helmChartReasons as reasons } from '../../api/source/helmchart.ts';
import { getCondition } from '../../runtime/conditions.ts';
import { type ConditionText, sourceConclusion } from '../shared/source-status.ts';
import { intervalRequeue } from '../shared/timing.ts';
import type { Outcome } from './types.ts';

type Stored = Extract<Outcome, { type: 'stored' }>;

export const conclude = sourceConclusion<HelmChart, Outcome, HelmChartStatus>({
  rules: { failures: ['StorageOperationFailed', 'FetchFailed', 'BuildFailed'], verifies: true },
  report: (object, outcome) => {
    const stored = outcome.type === 'stored' ? storedText(outcome) : storedBefore(object);
    return {
      status: withSource(outcome.type === 'stored' ? storedStatus(object, outcome) : object.status, outcome),
      stored,
      verified: verifiedText(object, outcome),
      // A chart is told with the reason of how it came.
      event: stored,
      requeue: intervalRequeue(object.spec),
    };
  },
});

function verifiedText({ spec }: HelmChart, outcome: Outcome) {
  if (spec.verify === undefined) return 'not asked';
  if (outcome.type !== 'stored' || !outcome.verified) return 'as before';
  return { reason: reasons.succeeded, message: `verified signature of version ${outcome.artifact.revision}` };
}

function storedText({ packaged, name, artifact, valuesFiles }: Stored): ConditionText {
  const verb = packaged ? 'packaged' : 'pulled';
  const merged = valuesFiles.length === 0 ? '' : ` and merged values files [${valuesFiles.join(' ')}]`;
  return {
    reason: packaged ? reasons.chartPackageSucceeded : reasons.chartPullSucceeded,
    message: `${verb} '${name}' chart with version '${artifact.revision}'${merged}`,
  };
}

/** What was said when the chart was stored; said again when a failure took it away. */
function storedBefore({ status }: HelmChart): ConditionText {
  const condition = getCondition(status?.conditions, 'ArtifactInStorage');
  if (condition !== undefined) return { reason: condition.reason, message: condition.message };
  const message = `pulled '${status?.observedChartName}' chart with version '${status?.artifact?.revision}'`;
  return { reason: reasons.chartPullSucceeded, message };
}

function storedStatus({ spec, status }: HelmChart, outcome: Stored): HelmChartStatus {
  const { observedValuesFiles: _files, ...rest } = status ?? {};
  return {
    ...rest,
    artifact: outcome.artifact,
    observedChartName: outcome.name,
    ...(spec.ignoreMissingValuesFiles === true ? { observedValuesFiles: outcome.valuesFiles } : {}),
  };
}

function withSource(status: HelmChartStatus | undefined, { sourceRevision }: Outcome): HelmChartStatus {
  return { ...status, ...(sourceRevision === undefined ? {} : { observedSourceArtifactRevision: sourceRevision }) };
}
