// Owns the status, events and next run that follow from a pass for a HelmChart (flux.md §3.4, helm.md §22.2).
import { type HelmChart, type HelmChartStatus, helmChartReasons as reasons } from '../../api/source/helmchart.ts';
import { getCondition } from '../../runtime/conditions.ts';
import type { Conclusion, Result } from '../../runtime/controller.ts';
import {
  artifactMetadata,
  type ConditionText,
  concludeSourceFailure,
  hadFailed,
  type SourceRules,
  storedConditions,
} from '../shared/source-status.ts';
import { intervalRequeue } from '../shared/timing.ts';
import type { Outcome } from './types.ts';

const RULES: SourceRules = { failures: ['StorageOperationFailed', 'FetchFailed', 'BuildFailed'], verifies: true };

type Stored = Extract<Outcome, { type: 'stored' }>;

export function conclude(object: HelmChart, result: Result<Outcome>, nowMs: number): Conclusion<HelmChartStatus> {
  const stamp = { generation: object.metadata.generation ?? 0, nowMs };
  if ('error' in result) return concludeSourceFailure(object, result.error, RULES, stamp);
  const { outcome } = result;
  const isNew = outcome.type === 'stored' && outcome.isNew;
  const status = withSource(outcome.type === 'stored' ? storedStatus(object, outcome) : object.status, outcome);
  const stored = outcome.type === 'stored' ? storedText(outcome) : storedBefore(object);
  const verified =
    object.spec.verify === undefined
      ? 'not asked'
      : outcome.type === 'stored' && outcome.verified
        ? { reason: reasons.succeeded, message: `verified signature of version ${outcome.artifact.revision}` }
        : 'as before';
  const conditions = storedConditions({ metadata: object.metadata, status }, stored, RULES, { stamp, verified });
  const event = { type: 'Normal', ...stored, metadata: artifactMetadata(object.metadata, status.artifact) } as const;
  return {
    status: { ...status, conditions },
    events: isNew || hadFailed(object, RULES) ? [event] : [],
    requeue: intervalRequeue(object.spec),
    log: { revision: status.artifact?.revision, stored: isNew },
  };
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
