// Owns the values that the four steps of the HelmRelease controller hand to each other.
import type { ChartTemplate, HelmRelease, HelmReleaseStatus } from '../../api/helm/helmrelease.ts';
import type { Artifact } from '../../api/meta/artifact.ts';
import type { EventDraft } from '../../runtime/controller.ts';
import type { ChartSource } from './ports.ts';
import type { Run, RunInSteps } from './run.ts';
import type { ComposedValues } from './values.ts';
import type { Wait, WaitResult } from './wait.ts';

/** What a run was begun for; another one makes it stale. */
export interface RunInputs {
  readonly generation: number;
  /** Digest of the chart's artifact. */
  readonly artifact: string;
  readonly configDigest: string;
  readonly requested: string | undefined;
}

/** What the last run left: as long as it holds, nothing has to be done. */
export interface Settled {
  readonly inputs: RunInputs;
  /** The newest revision in storage, as `<version>@<resourceVersion>`. */
  readonly storage: string;
  /** When it is gone on with in any case: after the interval, not before something changes, or at a time in ms. */
  readonly until: 'interval' | 'change' | number;
  /** How many runs in a row have asked for another one. */
  readonly attempts: number;
}

/** How a run ended. */
export interface RunEnd {
  readonly requeue: 'interval' | 'backoff' | 'after' | 'now' | 'none';
  /** For `after`. */
  readonly ms?: number;
  readonly problem?: string;
  /** The same generation is tried again: it does not count as seen yet. */
  readonly isRetry?: boolean;
}

/** The HelmChart that a release's template stands for. */
export interface WantedChart {
  readonly namespace: string;
  readonly name: string;
  readonly template: ChartTemplate;
}

/** Where the chart comes from, as the cache has it. */
export type ObservedSource =
  | { readonly state: 'missing'; readonly id: string; readonly resource: string }
  | { readonly state: 'not ready'; readonly id: string; readonly because: string }
  | { readonly state: 'ready'; readonly id: string; readonly source: ChartSource; readonly artifact: Artifact };

/** A run that waits, and how what it waits for is. */
export interface ObservedRun<R extends RunInSteps = Run> {
  readonly run: R;
  readonly wait: Wait;
  /** Undefined while it goes on. */
  readonly result: WaitResult | undefined;
  /** Some of the objects cannot be watched: they are looked at again and again. */
  readonly isPolled: boolean;
}

/** Everything a decision is made of. */
export interface Observed {
  readonly object: HelmRelease;
  readonly requested: string | undefined;
  readonly invalidExpression: string | undefined;
  /** HelmChart to make or to change, and one that is to go. */
  readonly chart: { readonly write: WantedChart | undefined; readonly remove: string | undefined };
  /** Why the spec may not have its source. */
  readonly denied: string | undefined;
  readonly dependencyProblem: string | undefined;
  readonly source: ObservedSource | undefined;
  readonly values: ComposedValues | { readonly problem: string };
  readonly inputs: RunInputs | undefined;
  readonly running: ObservedRun | undefined;
  readonly settled: Settled | undefined;
  /** The newest revision in storage; undefined when it has to be asked for. */
  readonly storage: string | undefined;
  /** Objects of the release have changed, or cannot be watched; a fight over one is looked at after so many ms. */
  readonly drift: 'none' | 'seen' | { readonly afterMs: number };
  readonly requeueDependencyMs: number;
}

/** What is to be done. */
export type Decision =
  | { readonly do: 'nothing'; readonly because: string; readonly until: Settled['until'] }
  | { readonly do: 'sync chart'; readonly write: WantedChart | undefined; readonly remove: string | undefined }
  | {
      readonly do: 'run';
      readonly because: string;
      readonly inputs: RunInputs;
      readonly artifact: Artifact;
      readonly source: ChartSource;
      readonly values: ComposedValues;
      readonly cancels: Run | undefined;
    }
  | { readonly do: 'go on'; readonly run: Run; readonly result: WaitResult }
  | { readonly do: 'wait'; readonly run: Run; readonly isPolled: boolean }
  | {
      readonly do: 'fail';
      readonly reason: string;
      readonly message: string;
      readonly retry: 'transient' | 'waiting' | 'stalled';
      readonly retryAfterMs?: number;
      readonly silent?: boolean;
    };

/** How a pass came out. */
export type Outcome =
  | { readonly type: 'nothing'; readonly until: Settled['until'] }
  | { readonly type: 'chart synced'; readonly events: readonly EventDraft[]; readonly helmChart: string | undefined }
  | {
      readonly type: 'waiting';
      readonly status: HelmReleaseStatus;
      readonly events: readonly EventDraft[];
      readonly untilMs: number;
    }
  | {
      readonly type: 'ended';
      readonly status: HelmReleaseStatus;
      readonly events: readonly EventDraft[];
      readonly end: RunEnd;
    };
