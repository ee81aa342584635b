// Owns what the HelmRelease controller needs from outside: a plain object of functions, made in app.ts.
import type { ChartReference, HelmRelease } from '../../api/helm/helmrelease.ts';
import type { Artifact, ArtifactSource } from '../../api/meta/artifact.ts';
import type { HelmChart } from '../../api/source/helmchart.ts';
import type { OCIRepository } from '../../api/source/ocirepository.ts';
import type { DynamicClient } from '../../cluster/client.ts';
import type { Capabilities } from '../../engines/helm/capabilities.ts';
import type { Clock } from '../../lib/clock.ts';
import type { JsonObject } from '../../lib/json.ts';
import type { Manifest, ObjectReference } from '../../objects/manifest.ts';
import type { Renderer } from '../../offload/renderer.ts';
import type { AppliedMark, Drift } from '../../plan/drift.ts';
import type { DriftGuard } from '../shared/drift-guard.ts';
import type { FeatureGates } from '../shared/feature-gates.ts';
import type { UninstallRun } from './finalize.ts';
import type { Run } from './run.ts';
import type { Revision } from './storage.ts';
import type { Settled } from './types.ts';
import type { WaitTarget } from './wait.ts';

/** Field manager of released objects, as Flux's: so that a cluster can move over without a conflict. */
export const fieldManager = 'helm-controller';

/** Objects that no watch covers are looked at again after this long, in ms. */
export const POLL_MS = 1_000;

/** Labels of every released object: which HelmRelease it is of. */
export const originNameLabel = 'helm.toolkit.fluxcd.io/name';
export const originNamespaceLabel = 'helm.toolkit.fluxcd.io/namespace';

export interface HelmReleaseSettings {
  readonly noCrossNamespaceRefs: boolean;
  readonly requeueDependencyMs: number;
  readonly gates: Pick<FeatureGates, 'AdditiveCELDependencyCheck' | 'DisableChartDigestTracking' | 'ExternalArtifact'>;
}

/** ConfigMaps and Secrets that a spec names, by `Kind/name`; undefined for one that is not there. */
export type Inputs = ReadonlyMap<string, JsonObject | undefined>;

/** What is kept in memory for one HelmRelease. Losing it costs one full pass; a lost run is unlocked. */
export interface ReleaseMemory {
  /** What is under way, across passes. */
  run: Run | undefined;
  /** What is under way because the object is deleted. */
  uninstall: UninstallRun | undefined;
  settled: Settled | undefined;
  readonly guard: DriftGuard;
}

/** An artifact that somebody else makes and serves. */
export interface ExternalArtifact extends ArtifactSource {
  readonly kind: 'ExternalArtifact';
}

/** A source that holds a chart. */
export type ChartSource = HelmChart | OCIRepository | ExternalArtifact;

/** The watching of released objects (controllers/kustomization/applied-objects.ts). */
export interface ReleasedObjects {
  follow(
    owner: string,
    objects: readonly {
      readonly reference: ObjectReference;
      readonly mark: AppliedMark;
      readonly resourceVersion: string;
    }[],
    targets: readonly WaitTarget[],
  ): Promise<void>;
  lookup(
    owner: string,
    target: WaitTarget,
    whole: boolean,
  ): Promise<{ readonly state: 'known'; readonly object: Manifest | undefined } | { readonly state: 'unknown' }>;
  drifted(owner: string): readonly { readonly key: string; readonly drift: Drift }[];
  unwatched(owner: string): readonly string[];
  forget(owner: string): void;
}

/** What a chart is called. */
export interface ChartIdentity {
  readonly name: string;
  readonly version: string;
  readonly appVersion: string;
}

export interface HelmReleasePorts {
  readonly clock: Clock;
  readonly settings: HelmReleaseSettings;
  readonly memory: Map<string, ReleaseMemory>;
  /** The controller's own client, for the HelmCharts that it makes. */
  readonly client: DynamicClient;
  /** From caches; undefined when there is no such object. */
  findSource(kind: ChartReference['kind'], namespace: string, name: string): ChartSource | undefined;
  findRelease(namespace: string, name: string): HelmRelease | undefined;
  readonly inputs: { read(key: string, object: HelmRelease): Promise<Inputs>; forget(key: string): void };
  /** The client to release with: the controller's own, impersonating, or of the cluster that a kubeconfig names. */
  clientFor(object: HelmRelease, inputs: Inputs): Promise<DynamicClient>;
  /** The chart in an artifact. Throws `ArtifactError`, or `HelmError` for what is no chart. */
  readChart(kind: ChartReference['kind'], artifact: Artifact): Promise<ChartIdentity>;
  readonly renderer: Pick<Renderer, 'renderChart'>;
  /** Where an artifact lies on disk. */
  chartPath(kind: ChartReference['kind'], artifact: Artifact): Promise<string>;
  capabilities(client: DynamicClient): Promise<Capabilities>;
  /** Answers a template's lookup. */
  lookup(client: DynamicClient, wanted: LookupRequest): Promise<JsonObject>;
  readonly objects: ReleasedObjects;
  /** Revisions seen by watching; undefined when they have to be asked for. */
  peekRevisions(namespace: string, name: string): Promise<readonly Revision[] | undefined>;
  /** Why objects are not healthy, from their pods, jobs and events; for people. */
  explainHealth(client: DynamicClient, targets: readonly WaitTarget[], signal: AbortSignal): Promise<readonly string[]>;
}

/** What a template looks up. */
export interface LookupRequest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

export function memoryOf(ports: Pick<HelmReleasePorts, 'memory'>, key: string): ReleaseMemory {
  const known = ports.memory.get(key);
  if (known !== undefined) return known;
  const fresh: ReleaseMemory = {
    run: undefined,
    uninstall: undefined,
    settled: undefined,
    guard: new Map(),
  };
  ports.memory.set(key, fresh);
  return fresh;
}
