// Owns what a release is as Helm stores it: the record's fields, under Helm's own JSON names (helm.md §19). How a record
// becomes text is encode.ts, and a Secret secret.ts.
import type { JsonObject } from '../../../lib/json.ts';
import type { HookEvent } from '../manifests.ts';

export type ReleaseStatus =
  | 'unknown'
  | 'deployed'
  | 'uninstalled'
  | 'superseded'
  | 'failed'
  | 'uninstalling'
  | 'pending-install'
  | 'pending-upgrade'
  | 'pending-rollback';

export type HookPhase = 'Unknown' | 'Running' | 'Succeeded' | 'Failed';

/** The last run of a hook; times are RFC 3339, absent while there is none. */
export interface HookExecution {
  readonly started_at?: string;
  readonly completed_at?: string;
  /** '' for a hook that never ran. */
  readonly phase: HookPhase | '';
}

export interface HookRecord {
  readonly name: string;
  readonly kind: string;
  /** Path of the template, from the root chart's name on. */
  readonly path: string;
  readonly manifest: string;
  readonly events: readonly HookEvent[];
  readonly last_run: HookExecution;
  /** @default 0 */
  readonly weight?: number;
  readonly delete_policies?: readonly string[];
  readonly output_log_policies?: readonly string[];
}

export interface ReleaseInfo {
  readonly first_deployed?: string;
  readonly last_deployed?: string;
  readonly deleted?: string;
  readonly description?: string;
  readonly status: ReleaseStatus;
  readonly notes?: string;
}

/** The chart of a release: the root's own files; subcharts are not stored. */
export interface ChartRecord extends JsonObject {
  /** Chart.yaml, empty fields left out. */
  readonly metadata: JsonObject;
}

/** One revision of a release. */
export interface ReleaseRecord {
  readonly name: string;
  readonly info: ReleaseInfo;
  readonly chart: ChartRecord;
  /** The user's values as given, without the chart's defaults. */
  readonly config: JsonObject;
  /** What is installed, as a stream of YAML documents; hooks are not in it. */
  readonly manifest: string;
  readonly hooks: readonly HookRecord[];
  /** Counts the revisions from 1. */
  readonly version: number;
  readonly namespace: string;
  /** How the objects were applied; absent on releases of Helm 3, which applies on the client's side. */
  readonly apply_method?: 'ssa' | 'csa';
  /** Labels of the user's own; they are kept on the Secret and not in the record's text. */
  readonly labels: Readonly<Record<string, string>>;
}

/** True while an action is (or was, when its process died) under way. */
export function isPending(status: ReleaseStatus): boolean {
  return status === 'pending-install' || status === 'pending-upgrade' || status === 'pending-rollback';
}

/** The record in another status. */
export function withStatus(release: ReleaseRecord, status: ReleaseStatus, description?: string): ReleaseRecord {
  return { ...release, info: { ...release.info, status, ...(description === undefined ? {} : { description }) } };
}

/** Hooks of one event in the order in which they run: by weight, then name, then as rendered. */
export function hooksOf(release: ReleaseRecord, event: HookEvent): readonly HookRecord[] {
  return release.hooks
    .filter((hook) => hook.events.includes(event))
    .sort((a, b) => (a.weight ?? 0) - (b.weight ?? 0) || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}
