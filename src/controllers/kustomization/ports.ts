// Owns what the Kustomization controller needs from outside: a plain object of functions, made in app.ts.

import type { Kustomization, SourceKind } from '../../api/kustomize/kustomization.ts';
import type { Artifact, ArtifactSource } from '../../api/meta/artifact.ts';
import type { DynamicClient } from '../../cluster/client.ts';
import type { Clock } from '../../lib/clock.ts';
import type { FileTree } from '../../lib/filetree.ts';
import type { ReadRecord } from '../../lib/recording-tree.ts';
import type { Manifest } from '../../objects/manifest.ts';
import { type Mask, noMask } from '../../objects/redact.ts';
import type { RenderedSource } from '../../offload/render/builds.ts';
import type { TakenManager } from '../../plan/take-over.ts';
import type { Inputs } from '../../render/inputs.ts';
import type { DriftGuard } from '../shared/drift-guard.ts';
import type { AppliedObjects } from './applied-objects.ts';
import type { Conflicts } from './conflicts.ts';
import type { WatchedInputs } from './inputs.ts';
import type { Moves } from './moves.ts';
import type { AppliedState, DecisionSettings, HealthTarget, Hold } from './types.ts';

/** Field manager of applied objects, as Flux's: so that a cluster can move over without a conflict. */
export const fieldManager = 'kustomize-controller';

export interface KustomizationSettings extends DecisionSettings {
  /** ServiceAccount to impersonate where the spec names none; '' for the controller's own rights. */
  readonly defaultServiceAccount: string;
  readonly customStageKinds: readonly string[];
  readonly concurrentDryRuns: number;
  /** Whose fields are taken over: Flux's own list and `--override-manager`. */
  readonly takenManagers: readonly TakenManager[];
}

/** What is kept in memory for one Kustomization. Losing it costs one full pass. */
export interface KustomizationMemory {
  applied: AppliedState | undefined;
  guard: DriftGuard;
  /** Hides the secret values of the last build. */
  mask: Mask;
  /** What is not tried again yet. */
  hold: Hold | undefined;
  /** The pass that is under way, as far as its failure may be held. */
  attempt: Attempt | undefined;
  compared: Compared | undefined;
}

/** What the last comparison of a build's reads with a newer artifact said: a pass that is put off need not repeat it. */
export interface Compared {
  readonly record: ReadRecord;
  /** Digest of the artifact. */
  readonly digest: string;
  readonly touched: boolean;
}

/** A pass that is under way: what happens meanwhile may be what it fails for. */
export interface Attempt {
  /** What became of CustomResourceDefinitions since it began. */
  definitions: 'same' | 'changed' | 'new';
}

export interface KustomizationPorts {
  readonly clock: Clock;
  readonly settings: KustomizationSettings;
  readonly objects: AppliedObjects;
  readonly conflicts: Conflicts;
  readonly moves: Moves;
  readonly memory: Map<string, KustomizationMemory>;
  /** From caches; undefined when there is no such object. */
  findSource(kind: SourceKind, namespace: string, name: string): ArtifactSource | undefined;
  findKustomization(namespace: string, name: string): Kustomization | undefined;
  /** The other Kustomizations of the same source. */
  siblings(object: Kustomization): readonly Kustomization[];
  /** The files of a source's artifact. Throws a `CodedError` when they cannot be had. */
  openArtifact(kind: SourceKind, artifact: Artifact, signal: AbortSignal): Promise<FileTree>;
  /** Builds the manifests, fetching what the build misses; away from the event loop when it may take long. */
  render(tree: FileTree, object: Kustomization, inputs: Inputs, signal: AbortSignal): Promise<RenderedSource>;
  readonly inputs: Pick<WatchedInputs, 'read' | 'forget'>;
  /** The client to apply with: the controller's own, impersonating, or of the cluster that a kubeconfig names. */
  clientFor(object: Kustomization, inputs: Inputs): Promise<DynamicClient>;
  /** False when the ServiceAccount that the objects are applied as is gone; its rights are gone with it. */
  canImpersonate(object: Kustomization): Promise<boolean>;
  /** Told of each Kustomization that is gone. */
  forgotten(key: string): void;
  /** Reads an object that no watch covers; undefined when it is not there. */
  readLive(target: HealthTarget, object: Kustomization): Promise<Manifest | undefined>;
  /** Why objects are not healthy, from their pods, jobs and events; for people. */
  explainHealth(
    targets: readonly HealthTarget[],
    object: Kustomization,
    signal: AbortSignal,
  ): Promise<readonly string[]>;
}

/**
 * Ends the holds that a change of a CustomResourceDefinition may end, those of passes under way among them before they
 * are made; answers the keys concerned.
 */
export function liftHolds(memory: ReadonlyMap<string, KustomizationMemory>, isNew: boolean): readonly string[] {
  const definitions = isNew ? 'new' : 'changed';
  const concerned: string[] = [];
  for (const [key, known] of memory) {
    const { attempt, hold } = known;
    if (attempt !== undefined && attempt.definitions !== 'new') attempt.definitions = definitions;
    const isLifted = hold !== undefined && endsHold(hold, definitions);
    if (isLifted) known.hold = undefined;
    if (isLifted || attempt !== undefined) concerned.push(key);
  }
  return concerned;
}

/** A new definition may be what was on its way out when something else was refused. */
export function endsHold({ missesKind, step }: Hold, definitions: Attempt['definitions']): boolean {
  if (definitions === 'same') return false;
  return missesKind || (definitions === 'new' && step === 'apply');
}

export function memoryOf(ports: KustomizationPorts, key: string): KustomizationMemory {
  const known = ports.memory.get(key);
  if (known !== undefined) return known;
  const fresh: KustomizationMemory = {
    applied: undefined,
    guard: new Map(),
    mask: noMask,
    hold: undefined,
    attempt: undefined,
    compared: undefined,
  };
  ports.memory.set(key, fresh);
  return fresh;
}
