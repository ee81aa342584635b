// The HelmRelease controller as a value: what it watches, and its steps.
import { type ChartReference, type HelmRelease, helmReleaseKind } from '../../api/helm/helmrelease.ts';
import { finalizer } from '../../api/meta/keys.ts';
import { type Change, type Controller, keyOf, type Watch } from '../../runtime/controller.ts';
import { act } from './act.ts';
import { helmChartApiVersion, wantedChart } from './chart-template.ts';
import { conclude } from './conclude.ts';
import { decide } from './decide.ts';
import { finalize } from './finalize.ts';
import { observe, observedGenerationOf } from './observe.ts';
import { type ChartSource, fieldManager, type HelmReleasePorts, memoryOf } from './ports.ts';
import { releaseTarget } from './settings.ts';
import type { Decision, Observed, Outcome } from './types.ts';

/** Indexes of HelmReleases: by source `Kind/namespace/name`, by dependency, by `storageNamespace/releaseName`. */
export const bySource = 'source';
export const byRelease = 'release';
const BY_DEPENDENCY = 'dependency';

/** A new artifact, or a chart that became ready or stopped being it, concerns every release that is made of it. */
function onSource(kind: ChartReference['kind']): Watch<HelmRelease> {
  return {
    kind: { apiVersion: helmChartApiVersion, kind },
    trigger: 'source revision',
    keys: (change, lookup) => {
      if (change.type === 'update' && fingerprint(change.object) === fingerprint(change.old)) return [];
      return lookup.byIndex(bySource, `${kind}/${keyOf(change.object)}`).map(keyOf);
    },
  };
}

function fingerprint(object: Change['object'] | undefined): string {
  const source = object as ChartSource | undefined;
  const { artifact, conditions } = source?.status ?? {};
  const observedGeneration = observedGenerationOf(source);
  const ready = conditions?.find((condition) => condition.type === 'Ready');
  const isCurrent = observedGeneration === source?.metadata.generation;
  return JSON.stringify([
    artifact?.revision,
    artifact?.digest,
    artifact?.url,
    ready?.status,
    ready?.message,
    isCurrent,
  ]);
}

/** A dependency that changed its mind about Ready concerns those that depend on it. */
const onDependency: Watch<HelmRelease> = {
  kind: { apiVersion: `${helmReleaseKind.group}/v2`, kind: 'HelmRelease' },
  trigger: 'dependency',
  keys: (change, lookup) => {
    if (change.type === 'update' && readiness(change.object) === readiness(change.old)) return [];
    return lookup.byIndex(BY_DEPENDENCY, keyOf(change.object)).map(keyOf);
  },
};

/** What a dependency is judged by: an expression may look at any of it. */
function readiness(object: Change['object'] | undefined): string {
  const { metadata, status } = (object ?? {}) as Partial<HelmRelease>;
  return JSON.stringify([metadata?.generation, metadata?.labels, metadata?.annotations, status]);
}

function sourceKeys(object: HelmRelease): readonly string[] {
  const chart = wantedChart(object);
  if (chart !== undefined) return [`HelmChart/${chart.namespace}/${chart.name}`];
  const reference = object.spec?.chartRef;
  if (reference === undefined) return [];
  return [`${reference.kind}/${reference.namespace ?? object.metadata.namespace ?? ''}/${reference.name}`];
}

function dependencyKeys(object: HelmRelease): readonly string[] {
  return (object.spec?.dependsOn ?? []).map(
    (dependency) => `${dependency.namespace ?? object.metadata.namespace ?? ''}/${dependency.name}`,
  );
}

function releaseKeys(object: HelmRelease): readonly string[] {
  const { storageNamespace, name } = releaseTarget(object);
  return [`${storageNamespace}/${name}`];
}

/** What wakes HelmReleases; artifacts of others only where their gate is open. */
export function releaseWatches(externalArtifacts: boolean): readonly Watch<HelmRelease>[] {
  const sources = ['HelmChart', 'OCIRepository', ...(externalArtifacts ? ['ExternalArtifact' as const] : [])] as const;
  return [...sources.map(onSource), onDependency];
}

export const helmReleaseController: Controller<HelmRelease, Observed, Decision, Outcome, HelmReleasePorts> = {
  name: 'helmrelease',
  kind: { apiVersion: `${helmReleaseKind.group}/v2`, kind: 'HelmRelease' },
  fieldManager,
  eventSource: fieldManager,
  finalizer,
  concurrent: 4,
  indexes: { [bySource]: sourceKeys, [BY_DEPENDENCY]: dependencyKeys, [byRelease]: releaseKeys },
  watches: releaseWatches(false),
  // What has begun is not left half done: its end is told, then nothing more is begun.
  isSuspended: (key, ports) => memoryOf(ports, key).run === undefined,
  observe,
  decide,
  act,
  conclude,
  finalize,
  forgetPass: (key, ports) => {
    memoryOf(ports, key).settled = undefined;
  },
  forget: (key, ports) => {
    ports.memory.delete(key);
    ports.objects.forget(key);
    ports.inputs.forget(key);
  },
};
