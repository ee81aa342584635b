// The HelmChart controller as a value: what it watches, and its steps.
import type { HelmChart, HelmChartSourceKind } from '../../api/source/helmchart.ts';
import type { SourceStatus } from '../../api/source/source-object.ts';
import { sourceGroup } from '../../api/source/source-schema.ts';
import { keyOf, type Watch } from '../../runtime/controller.ts';
import { sourceController } from '../shared/source-controller.ts';
import { act } from './act.ts';
import { conclude } from './conclude.ts';
import { decide } from './decide.ts';
import { observe } from './observe.ts';
import type { HelmChartPorts } from './ports.ts';
import type { Decision, Observed, Outcome } from './types.ts';

const BY_SOURCE = 'source';

/** A new revision of a source concerns the charts made of it; so does another spec of a registry. */
function onSource(kind: HelmChartSourceKind): Watch<HelmChart> {
  const print = (object: unknown): string => {
    const { metadata, status } = object as { metadata: { generation?: number }; status?: SourceStatus };
    return status?.artifact?.revision ?? `generation ${metadata.generation}`;
  };
  return {
    kind: { apiVersion: `${sourceGroup}/v1`, kind },
    trigger: 'source revision',
    keys: (change, lookup) => {
      if (change.type === 'update' && print(change.object) === print(change.old)) return [];
      const seen = (change.object as { status?: SourceStatus }).status?.artifact?.revision;
      return lookup
        .byIndex(BY_SOURCE, `${kind}/${keyOf(change.object)}`)
        .filter(({ status }) => seen === undefined || status?.observedSourceArtifactRevision !== seen)
        .map(keyOf);
    },
  };
}

export const helmChartController = sourceController<HelmChart, Observed, Decision, Outcome, HelmChartPorts>({
  kind: 'HelmChart',
  kept: (ports) => [ports.logins, ports.registries],
  indexes: {
    [BY_SOURCE]: ({ metadata, spec }) => [`${spec.sourceRef.kind}/${metadata.namespace ?? ''}/${spec.sourceRef.name}`],
  },
  watches: [onSource('HelmRepository'), onSource('GitRepository'), onSource('Bucket')],
  observe,
  decide,
  act,
  conclude,
});
