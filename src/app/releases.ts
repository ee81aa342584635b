// Owns the composition of the HelmRelease controller: its ports, and who is woken when Helm's storage changes.
import type { ChartReference, HelmRelease } from '../api/helm/helmrelease.ts';
import type { Artifact } from '../api/meta/artifact.ts';
import type { KubeObject } from '../api/meta/object.ts';
import type { HelmChart } from '../api/source/helmchart.ts';
import type { OCIRepository } from '../api/source/ocirepository.ts';
import type { DynamicClient } from '../cluster/client.ts';
import type { Informers } from '../cluster/informers.ts';
import { helmChartController } from '../controllers/helmchart/index.ts';
import { createCapabilities, createChartReader, lookUp } from '../controllers/helmrelease/facts.ts';
import { byRelease, bySource, helmReleaseController, releaseWatches } from '../controllers/helmrelease/index.ts';
import {
  type ExternalArtifact,
  fieldManager,
  type HelmReleasePorts,
  type Inputs,
  originNameLabel,
} from '../controllers/helmrelease/ports.ts';
import { WatchedRevisions } from '../controllers/helmrelease/revisions.ts';
import { AppliedObjects } from '../controllers/kustomization/applied-objects.ts';
import type { ClientSubject } from '../controllers/kustomization/config-map-access.ts';
import { explainHealth } from '../controllers/kustomization/explain.ts';
import type { WatchedInputs } from '../controllers/kustomization/inputs.ts';
import { ociRepositoryController } from '../controllers/ocirepository/index.ts';
import type { Renderer } from '../offload/renderer.ts';
import { keyOf, type Reconcilable } from '../runtime/controller.ts';
import { type Machine, type RunningController, startController } from '../runtime/start.ts';
import type { ArtifactSources } from './artifact-sources.ts';
import { followKind } from './follow-kind.ts';

/** What the controller is made with. */
export interface ReleaseWorld {
  readonly machine: Machine;
  readonly informers: Informers;
  readonly client: DynamicClient;
  readonly artifacts: Pick<ArtifactSources, 'place' | 'placeExternal' | 'get' | 'kinds'>;
  readonly renderer: Renderer;
  readonly settings: HelmReleasePorts['settings'];
  /** Makes the follower of the ConfigMaps and Secrets that specs name. */
  readonly createInputs: (enqueue: (key: string, trigger: string) => void) => Pick<WatchedInputs, 'readAll' | 'forget'>;
  readonly clientFor: (object: ClientSubject, inputs: Inputs) => Promise<DynamicClient>;
  /** Workers of the controller. @default its own */
  readonly concurrent: number | undefined;
  readonly stopping: AbortSignal;
}

/** The controller, not yet running. */
export interface Releases {
  start(): RunningController<Reconcilable>;
  /** Runs the releases that are made of a source again. */
  wake(source: string): void;
}

/** Makes the ports and follows the kinds. */
export function createReleases(world: ReleaseWorld): Releases {
  const { machine, informers, client, artifacts, stopping } = world;
  const { clock, log } = machine;
  let running: RunningController<HelmRelease> | undefined;
  const enqueue = (key: string, trigger: string): void => running?.enqueue(key, { trigger });
  const wakeIndexed = (index: string, value: string, trigger: string): void => {
    for (const object of running?.objects.byIndex(index, value) ?? []) enqueue(keyOf(object), trigger);
  };
  const follow = <T extends KubeObject>(kind: { readonly apiVersion: string; readonly kind: string }) =>
    followKind<T>(kind, { informers, log }, stopping);
  const charts = follow<HelmChart>(helmChartController.kind);
  const repositories = follow<OCIRepository>(ociRepositoryController.kind);
  const releases = follow<HelmRelease>(helmReleaseController.kind);
  const inputs = world.createInputs(enqueue);
  const revisions = new WatchedRevisions({
    informers,
    log,
    changed: (namespace, name) => wakeIndexed(byRelease, `${namespace}/${name}`, 'storage'),
  });
  const place = (kind: ChartReference['kind'], artifact: Artifact) =>
    kind === 'ExternalArtifact' ? artifacts.placeExternal(artifact, stopping) : artifacts.place(artifact, stopping);
  const ports: HelmReleasePorts = {
    clock,
    settings: world.settings,
    memory: new Map(),
    client,
    findSource: (kind, namespace, name) => {
      if (kind === 'HelmChart') return charts.get(namespace, name);
      if (kind === 'OCIRepository') return repositories.get(namespace, name);
      return artifacts.get(kind, namespace, name) as ExternalArtifact | undefined;
    },
    findRelease: (namespace, name) => releases.get(namespace, name),
    inputs: {
      read: (key, object) => inputs.readAll(key, object.metadata.namespace ?? '', inputReferences(object)),
      forget: (key) => inputs.forget(key),
    },
    clientFor: world.clientFor,
    readChart: createChartReader(place),
    renderer: world.renderer,
    chartPath: async (kind, artifact) => {
      const { store, path } = await place(kind, artifact);
      return store.localPath(path);
    },
    capabilities: createCapabilities(clock),
    lookup: lookUp,
    objects: new AppliedObjects({
      informers,
      manager: fieldManager,
      // Fields that others add are no drift: Helm does not take them over.
      takenManagers: [],
      labelSelector: originNameLabel,
      watchesTargets: true,
      clock,
      log,
      enqueue,
    }),
    peekRevisions: (namespace, name) => revisions.peek(namespace, name),
    explainHealth,
  };
  return {
    start: () => {
      const { concurrent } = world;
      const watches = releaseWatches(artifacts.kinds.includes('ExternalArtifact'));
      const controller = { ...helmReleaseController, watches, ...(concurrent === undefined ? {} : { concurrent }) };
      running = startController(controller, ports, machine);
      return running;
    },
    wake: (source) => wakeIndexed(bySource, source, 'artifact stored'),
  };
}

function inputReferences({ spec }: HelmRelease) {
  const { valuesFrom = [], kubeConfig } = spec ?? {};
  const named = valuesFrom.map(({ kind, name }) => ({ kind, name }));
  const { secretRef, configMapRef } = kubeConfig ?? {};
  return [
    ...named,
    ...(secretRef === undefined ? [] : [{ kind: 'Secret' as const, name: secretRef.name }]),
    ...(configMapRef === undefined ? [] : [{ kind: 'ConfigMap' as const, name: configMapRef.name }]),
  ];
}
