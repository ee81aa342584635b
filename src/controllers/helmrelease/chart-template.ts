// Owns the HelmChart that a HelmRelease's template stands for: its name, its content, when it has to be written and when
// an old one goes (helm.md §21.2).
import type { HelmRelease } from '../../api/helm/helmrelease.ts';
import type { KubeObject } from '../../api/meta/object.ts';
import type { HelmChart } from '../../api/source/helmchart.ts';
import type { JsonObject } from '../../lib/json.ts';
import { sameJson } from '../../plan/compare.ts';
import { type ChartSource, originNameLabel, originNamespaceLabel } from './ports.ts';
import type { WantedChart } from './types.ts';

export const helmChartApiVersion = 'source.toolkit.fluxcd.io/v1';

/** The HelmChart that is wanted; undefined for a release that refers to its chart. */
export function wantedChart(object: HelmRelease): WantedChart | undefined {
  const template = object.spec?.chart;
  if (template === undefined) return undefined;
  const own = object.metadata.namespace ?? '';
  const namespace = template.spec.sourceRef.namespace ?? own;
  return { namespace, name: `${own}-${object.metadata.name}`, template };
}

/** The object to apply. */
export function toHelmChart(object: HelmRelease, { namespace, name, template }: WantedChart): KubeObject {
  const { labels = {}, annotations } = template.metadata ?? {};
  const { namespace: _elsewhere, ...sourceRef } = template.spec.sourceRef;
  const owner = {
    [originNameLabel]: object.metadata.name,
    [originNamespaceLabel]: object.metadata.namespace ?? '',
  };
  const chart = {
    apiVersion: helmChartApiVersion,
    kind: 'HelmChart',
    metadata: {
      name,
      namespace,
      labels: { ...labels, ...owner },
      ...(annotations === undefined ? {} : { annotations }),
    },
    spec: { ...template.spec, sourceRef, interval: template.spec.interval ?? object.spec!.interval },
  };
  return chart as unknown as KubeObject;
}

/** True when the HelmChart that is there is what the template says. */
export function isAsWanted(object: HelmRelease, wanted: WantedChart, live: ChartSource | undefined): boolean {
  if (live === undefined) return false;
  const target = toHelmChart(object, wanted) as unknown as JsonObject;
  const metadata = target['metadata'] as JsonObject;
  const actual = live.metadata as unknown as JsonObject;
  return (
    contains((live as HelmChart).spec as unknown as JsonObject, target['spec'] as JsonObject) &&
    contains((actual['labels'] ?? {}) as JsonObject, metadata['labels'] as JsonObject) &&
    contains((actual['annotations'] ?? {}) as JsonObject, (metadata['annotations'] ?? {}) as JsonObject)
  );
}

function contains(whole: JsonObject, part: JsonObject): boolean {
  return Object.entries(part).every(([key, value]) => Object.hasOwn(whole, key) && sameJson(whole[key], value));
}
