// Owns the composition of the sources that are no Git repositories: their ports, which controllers run, and who is told
// when an artifact was stored.

import type { Artifact } from '../api/meta/artifact.ts';
import type { LocalObjectReference } from '../api/meta/object.ts';
import type { Bucket } from '../api/source/bucket.ts';
import type { GitRepository } from '../api/source/gitrepository.ts';
import type { HelmChart, HelmChartSourceReference } from '../api/source/helmchart.ts';
import type { HelmRepository } from '../api/source/helmrepository.ts';
import type { Downloads } from '../artifact/downloads.ts';
import type { ArtifactStore, Retention } from '../artifact/store.ts';
import type { DynamicClient } from '../cluster/client.ts';
import { bucketController } from '../controllers/bucket/index.ts';
import { helmChartController } from '../controllers/helmchart/index.ts';
import type { ChartSource } from '../controllers/helmchart/ports.ts';
import { helmRepositoryController } from '../controllers/helmrepository/index.ts';
import { ociRepositoryController } from '../controllers/ocirepository/index.ts';
import { ChartIndexes } from '../controllers/shared/chart-indexes.ts';
import { HostGate } from '../controllers/shared/host-gate.ts';
import type { SourceLimits, SourcePorts } from '../controllers/shared/source-ports.ts';
import { errorCode } from '../lib/errors.ts';
import type { WorkerPool } from '../offload/pool.ts';
import type { HttpDoor } from '../remote/http.ts';
import { keyOf, type Reconcilable } from '../runtime/controller.ts';
import { type Machine, type RunningController, startController } from '../runtime/start.ts';
import type { ArtifactSources } from './artifact-sources.ts';
import { type FollowedKind, followKind } from './follow-kind.ts';

/** Of each controller, unless it is told. */
const WORKERS = 4;

/** What the sources are made with. */
export interface SourceWorld {
  readonly machine: Machine;
  readonly client: DynamicClient;
  readonly http: HttpDoor;
  readonly artifacts: ArtifactStore;
  readonly retention: Retention | undefined;
  readonly limits: SourceLimits;
  readonly downloads: Downloads;
  readonly workers: WorkerPool;
  readonly requeueDependencyMs: number;
  readonly readSecret: SourcePorts['readSecret'];
  readonly artifactUrl: SourcePorts['artifactUrl'];
  readonly gitRepositories: Pick<FollowedKind<GitRepository>, 'get'>;
  readonly artifactSources: Pick<ArtifactSources, 'open' | 'place'>;
  /** Whether an artifact is the business of this process: made here, and served under its address. */
  readonly servesHere: SourcePorts['servesHere'];
  /** Told of every artifact that was stored, `Kind/namespace/name`. */
  readonly onStored: (source: string) => void;
  /** Workers of each controller. @default the controller's own */
  readonly concurrent: number | undefined;
  readonly stopping: AbortSignal;
}

/** The sources, not yet running. */
export interface Sources {
  /** Starts the controllers. */
  start(): readonly RunningController<Reconcilable>[];
  /** Runs the charts that are made of a source again. */
  wake(source: string): void;
}

/** Makes the ports and follows the kinds. */
export function createSources(world: SourceWorld): Sources {
  const { machine, stopping, artifacts, artifactSources, workers, gitRepositories } = world;
  const repositories = followKind<HelmRepository>(helmRepositoryController.kind, machine, stopping, {
    indexes: { namespace: ({ metadata }) => [metadata.namespace ?? ''] },
  });
  const buckets = followKind<Bucket>(bucketController.kind, machine, stopping);
  let charts: RunningController<HelmChart> | undefined;
  const wake = (source: string): void => {
    for (const object of charts?.objects.byIndex('source', source) ?? []) {
      charts?.enqueue(keyOf(object), { trigger: 'artifact stored' });
    }
  };
  const makePorts = (): SourcePorts => ({
    clock: machine.clock,
    http: world.http,
    artifacts,
    retention: world.retention,
    limits: world.limits,
    hosts: new HostGate({ clock: machine.clock, perHost: world.concurrent ?? WORKERS }),
    downloads: world.downloads,
    workers,
    secrets: new Map(),
    readSecret: world.readSecret,
    artifactUrl: world.artifactUrl,
    servesHere: world.servesHere,
    onStored: (source) => {
      wake(source);
      world.onStored(source);
    },
  });
  const findSource = (namespace: string, { kind, name }: HelmChartSourceReference): ChartSource | undefined => {
    switch (kind) {
      case 'HelmRepository':
        return repositories.get(namespace, name);
      case 'GitRepository':
        return gitRepositories.get(namespace, name);
      case 'Bucket':
        return buckets.get(namespace, name);
      default:
        return kind satisfies never;
    }
  };
  const locate = async (artifact: Artifact): Promise<string> => {
    const { store, path } = await artifactSources.place(artifact, stopping);
    return store.localPath(path);
  };
  const hasSource = async (artifact: Artifact | undefined): Promise<boolean> => {
    if (artifact?.digest === undefined) return false;
    try {
      const { store, path } = await artifactSources.place(artifact, stopping);
      return (await store.verify(path, artifact.digest)) === 'ok';
    } catch (error) {
      if (errorCode(error) === 'ArtifactNotFound') return false;
      throw error;
    }
  };
  const withWorkers = <C extends { readonly concurrent?: number }>(controller: C): C =>
    world.concurrent === undefined ? controller : { ...controller, concurrent: world.concurrent };
  return {
    wake,
    start: () => {
      charts = startController(
        withWorkers(helmChartController),
        {
          ...makePorts(),
          settings: { requeueDependencyMs: world.requeueDependencyMs },
          indexes: new ChartIndexes({ locate, workers }),
          logins: new Map(),
          registries: new Map(),
          findSource,
          listRepositories: (namespace) => repositories.byIndex('namespace', namespace),
          hasSource,
          openArtifact: (artifact) => artifactSources.open('GitRepository', artifact, stopping),
        },
        machine,
      );
      const oci = { ...makePorts(), registries: new Map(), readPullSecrets: pullSecretsReader(world.client) };
      return [
        startController(
          withWorkers(helmRepositoryController),
          { ...makePorts(), logins: new Map(), known: new Map() },
          machine,
        ),
        startController(withWorkers(ociRepositoryController), oci, machine),
        startController(withWorkers(bucketController), { ...makePorts(), buckets: new Map() }, machine),
        charts,
      ];
    },
  };
}

function pullSecretsReader(client: DynamicClient) {
  return async (
    namespace: string,
    name: string,
    signal: AbortSignal,
  ): Promise<readonly LocalObjectReference[] | undefined> => {
    const found = await client.find({ apiVersion: 'v1', kind: 'ServiceAccount', namespace, name }, { signal });
    if (found === undefined) return undefined;
    return (found as { imagePullSecrets?: readonly LocalObjectReference[] }).imagePullSecrets ?? [];
  };
}
