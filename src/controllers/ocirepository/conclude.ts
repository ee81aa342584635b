// Owns what an OCIRepository says of a pass that went well (flux.md §3.1).
import type { Artifact } from '../../api/meta/artifact.ts';
import {
  type OCIRepository,
  type OciRepositoryStatus,
  ociRepositoryReasons as reasons,
} from '../../api/source/ocirepository.ts';
import { artifactEvent, sourceConclusion } from '../shared/source-status.ts';
import { intervalRequeue } from '../shared/timing.ts';
import type { Outcome } from './types.ts';

export const conclude = sourceConclusion<OCIRepository, Outcome, OciRepositoryStatus>({
  rules: { failures: ['StorageOperationFailed', 'FetchFailed'], verifies: true },
  report: (object, outcome, isNew) => {
    const status = outcome.type === 'stored' ? storedStatus(object, outcome.artifact) : object.status;
    const artifact = status?.artifact;
    return {
      status,
      stored: { reason: reasons.succeeded, message: `stored artifact for digest '${artifact?.revision ?? ''}'` },
      verified: verifiedText(object, outcome),
      event: artifactEvent(isNew, storedText(object, artifact)),
      requeue: intervalRequeue(object.spec),
    };
  },
});

function verifiedText({ spec }: OCIRepository, { verified }: Outcome) {
  if (spec.verify === undefined) return 'not asked';
  if (verified === undefined) return 'as before';
  return { reason: reasons.succeeded, message: `verified signature of revision ${verified}` };
}

function storedStatus({ spec, status }: OCIRepository, artifact: Artifact): OciRepositoryStatus {
  const { observedIgnore: _ignore, observedLayerSelector: _layer, ...rest } = status ?? {};
  return {
    ...rest,
    artifact,
    ...(spec.ignore === undefined ? {} : { observedIgnore: spec.ignore }),
    ...(spec.layerSelector === undefined ? {} : { observedLayerSelector: spec.layerSelector }),
  };
}

function storedText({ spec }: OCIRepository, artifact: Artifact | undefined): string {
  const source = artifact?.metadata?.['org.opencontainers.image.source'] ?? '';
  const revision = artifact?.metadata?.['org.opencontainers.image.revision'] ?? '';
  const origin = source === '' || revision === '' ? '' : `, origin source '${source}', origin revision '${revision}'`;
  return `stored artifact with revision '${artifact?.revision}' from '${spec.url}'${origin}`;
}
