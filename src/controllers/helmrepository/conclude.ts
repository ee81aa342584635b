// Owns what a HelmRepository says of a pass that went well (flux.md §3.3, helm.md §22.1).
import { type HelmRepository, helmRepositoryReasons as reasons } from '../../api/source/helmrepository.ts';
import type { SourceStatus } from '../../api/source/source-object.ts';
import { formatHumanSize } from '../../lib/human-size.ts';
import { chartRequeue } from '../shared/chart-login.ts';
import { artifactEvent, sourceConclusion } from '../shared/source-status.ts';
import type { Outcome } from './types.ts';

export const conclude = sourceConclusion<HelmRepository, Outcome, SourceStatus>({
  rules: { failures: ['StorageOperationFailed', 'FetchFailed'], verifies: false },
  report: (object, outcome, isNew) => {
    const status = outcome.type === 'stored' ? { ...object.status, artifact: outcome.artifact } : object.status;
    const { revision = '', size } = status?.artifact ?? {};
    const sizeText = size === undefined ? 'unknown size' : `size ${formatHumanSize(size)}`;
    return {
      status,
      stored: { reason: reasons.succeeded, message: `stored artifact: revision '${revision}'` },
      event: artifactEvent(isNew, `stored fetched index of ${sizeText} from '${object.spec.url}'`),
      requeue: chartRequeue(object),
    };
  },
});
