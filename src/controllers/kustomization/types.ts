// Owns the values that the four steps of the Kustomization controller hand to each other.
import type { InventoryEntry, Kustomization } from '../../api/kustomize/kustomization.ts';
import type { Artifact } from '../../api/meta/artifact.ts';
import type { Change } from '../../apply/apply.ts';
import type { Verdict } from '../../health/verdict.ts';
import type { ReadRecord } from '../../lib/recording-tree.ts';
import type { Manifest } from '../../objects/manifest.ts';
import type { Drift } from '../../plan/drift.ts';
import type { FeatureGates } from '../shared/feature-gates.ts';
import type { Step } from './failure.ts';

/** The source as the cache has it. */
export type ObservedSource =
  | { readonly state: 'missing' }
  | { readonly state: 'no artifact' }
  | { readonly state: 'ready'; readonly artifact: Artifact; readonly originRevision: string | undefined };

/** An object whose health is waited for. */
export interface HealthTarget {
  readonly id: string;
  readonly reference: {
    readonly apiVersion: string;
    readonly kind: string;
    readonly namespace: string;
    readonly name: string;
  };
}

/** What the last complete pass left: enough to say that nothing has to be done, and to put one object back. */
export interface AppliedState {
  readonly revision: string;
  readonly originRevision: string | undefined;
  readonly generation: number;
  /** Fingerprint of everything beside source and spec that went into the build. */
  readonly inputs: string;
  /** What the build read of the source. */
  readonly record: ReadRecord;
  /** `sha256:<hex>` of the built manifests. */
  readonly digest: string;
  /** The built objects by identity, as they were sent. */
  readonly desired: ReadonlyMap<string, Manifest>;
  readonly inventory: readonly InventoryEntry[];
  readonly healthTargets: readonly HealthTarget[];
  /** True when the objects are in another cluster, where nothing is watched. */
  readonly isRemote: boolean;
  /** False while health is waited for or has failed. */
  readonly complete: boolean;
  /** Objects that were left to another Kustomization, as texts for the condition. */
  readonly conflicts: readonly OwnershipConflict[];
}

/** An object that two Kustomizations want. */
export interface OwnershipConflict {
  /** `Kind/namespace/name` of the object. */
  readonly id: string;
  /** Key of the Kustomization that keeps it. */
  readonly owner: string;
}

/** What a pass that waits for health hands to the next one. */
export interface HealthWait {
  readonly type: 'health';
  readonly revision: string;
  readonly generation: number;
  readonly startedMs: number;
  readonly deadlineMs: number;
  /** True when some of the objects cannot be watched: they are looked at again and again. */
  readonly isPolled: boolean;
  /** True when objects were created or configured by the pass that began the wait. */
  readonly changed: boolean;
  readonly newRevision: boolean;
  /** Status does not say yet that it waits, and does from then on (clock time); undefined when it does. */
  readonly tellAtMs?: number;
}

/** True for what a pass that waits for health left. */
export function isHealthWait(memory: unknown): memory is HealthWait {
  return typeof memory === 'object' && memory !== null && (memory as { type?: unknown }).type === 'health';
}

/** A failure that is not tried again before its time, whatever happens to the applied objects meanwhile. */
export interface Hold {
  readonly revision: string;
  readonly generation: number;
  readonly inputs: string;
  readonly step: Step;
  /** In ms of the monotonic clock. */
  readonly untilMs: number;
  /** It failed for a kind that the API server does not have: a new CustomResourceDefinition ends the hold. */
  readonly missesKind: boolean;
}

/** A hold that concerns this pass. */
export interface Held {
  readonly type: 'held';
  readonly step: Step;
  readonly leftMs: number;
}

export interface ObservedDrift {
  readonly key: string;
  readonly drift: Drift;
}

/** What is told in neutral conditions and changes nothing. */
export interface Notes {
  /** Drift that is only told, by annotation. */
  readonly warned: readonly ObservedDrift[];
  /** Drift that is fought over, and when it may be put back next. */
  readonly delayed: DelayedDrift | undefined;
  /** Objects of ours that other Kustomizations want: object id and key of the other. */
  readonly contested: readonly OwnershipConflict[];
}

export interface DelayedDrift {
  readonly drifts: readonly ObservedDrift[];
  readonly ms: number;
}

export interface ObservedHealth {
  readonly target: HealthTarget;
  readonly verdict: Verdict;
}

export interface ObservedDependency {
  readonly name: string;
  readonly problem: string | undefined;
}

/** Everything a decision is made of. */
export interface Observed {
  readonly object: Kustomization;
  readonly requested: string | undefined;
  /** What nobody waits for may be done now. */
  readonly isBackground: boolean;
  readonly source: ObservedSource;
  readonly dependencies: readonly ObservedDependency[];
  /** Why an expression of the spec does not compile; undefined when all do. */
  readonly invalidExpression: string | undefined;
  readonly applied: AppliedState | undefined;
  readonly inputs: string;
  /** False when the new revision changes nothing that the last build read; undefined when that is not known. */
  readonly touched: boolean | undefined;
  /** Drift that is put back now. */
  readonly drifted: readonly ObservedDrift[];
  readonly notes: Notes;
  /** Identities of applied objects that cannot be watched: they are dry-run each interval. */
  readonly unwatched: readonly string[];
  readonly health: readonly ObservedHealth[];
  readonly waiting: HealthWait | undefined;
  /** Objects that left, and that nobody else can take over any more. */
  readonly leftBehind: boolean;
  readonly held: Held | undefined;
  readonly settings: DecisionSettings;
}

export interface DecisionSettings {
  readonly noCrossNamespaceRefs: boolean;
  readonly requeueDependencyMs: number;
  readonly gates: FeatureGates;
}

/** What is to be done, and the drift that is left alone for a while whatever else is done. */
export type Decision = Choice & { readonly delayed?: DelayedDrift };

/** What is to be done. */
export type Choice =
  | {
      readonly do: 'nothing';
      readonly because: string;
      readonly notes: Notes;
    }
  | {
      readonly do: 'apply';
      readonly because: string;
      readonly artifact: Artifact;
      readonly originRevision: string | undefined;
      /** The wait for health that this pass puts an end to. */
      readonly cancels: HealthWait | undefined;
    }
  | {
      readonly do: 'move';
      readonly because: string;
      readonly artifact: Artifact;
      readonly originRevision: string | undefined;
      readonly hasDrift: boolean;
    }
  | { readonly do: 'put off'; readonly because: string }
  | {
      readonly do: 'correct';
      readonly because: string;
      readonly objects: readonly string[];
      readonly drifted: readonly ObservedDrift[];
      /** Drift that is only told. */
      readonly warned: readonly ObservedDrift[];
      /** What goes on afterwards. */
      readonly pending: HealthWait | Held | undefined;
    }
  | { readonly do: 'prune'; readonly because: string }
  | { readonly do: 'hold'; readonly because: string; readonly ms: number }
  | { readonly do: 'wait for health'; readonly because: string; readonly wait: HealthWait }
  | { readonly do: 'pass health'; readonly because: string; readonly wait: HealthWait }
  | {
      readonly do: 'fail health';
      readonly because: string;
      readonly message: string;
      /** What is not healthy. */
      readonly targets: readonly HealthTarget[];
      readonly revision: string;
    }
  | { readonly do: 'fail'; readonly because: string; readonly failure: Failure };

/** A failure that a decision found, before anything was done. */
export interface Failure {
  readonly reason: string;
  readonly message: string;
  readonly retry: 'transient' | 'waiting' | 'stalled';
  readonly retryAfterMs?: number;
  readonly silent?: boolean;
}

/** Objects that left the inventory, and what became of each. */
export type PrunedEntries = readonly { readonly id: string; readonly action: 'deleted' | 'skipped' }[];

/** How a pass came out, and the drift that brings the key back when it may be put back. */
export type Outcome = Ending & { readonly delayed?: DelayedDrift };

/** How a pass came out. */
export type Ending =
  | { readonly type: 'nothing'; readonly notes: Notes }
  | {
      readonly type: 'applied';
      readonly revision: string;
      readonly originRevision: string | undefined;
      readonly digest: string;
      readonly changes: readonly Change[];
      readonly pruned: PrunedEntries;
      readonly inventory: readonly InventoryEntry[];
      readonly conflicts: readonly OwnershipConflict[];
      readonly newRevision: boolean;
      readonly health: AppliedHealth;
    }
  | {
      readonly type: 'moved';
      readonly revision: string;
      readonly originRevision: string | undefined;
      /** Something has drifted, and comes next. */
      readonly hasDrift: boolean;
    }
  | { readonly type: 'put off' }
  | {
      readonly type: 'pruned';
      readonly revision: string;
      readonly originRevision: string | undefined;
      readonly pruned: PrunedEntries;
      readonly inventory: readonly InventoryEntry[];
    }
  | {
      readonly type: 'corrected';
      readonly changes: readonly Change[];
      readonly fought: readonly ObservedDrift[];
      readonly warned: readonly ObservedDrift[];
      readonly pending: HealthWait | Held | undefined;
    }
  | { readonly type: 'held'; readonly ms: number }
  | { readonly type: 'waiting'; readonly wait: HealthWait }
  | {
      readonly type: 'healthy';
      readonly wait: HealthWait;
      readonly digest: string;
      readonly originRevision: string | undefined;
    };

/** Health right after an apply. `none`: nothing is asked for, and the Healthy condition goes. */
export type AppliedHealth =
  | { readonly state: 'none' }
  | { readonly state: 'passed' }
  | { readonly state: 'waiting'; readonly wait: HealthWait };
