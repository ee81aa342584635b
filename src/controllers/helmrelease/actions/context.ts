// Owns what every action on a release needs: where it is, how it is reached, and who is told of what it stores.
import type { HelmReleaseSpec } from '../../../api/helm/helmrelease.ts';
import type { DynamicClient } from '../../../cluster/client.ts';
import { goTime } from '../../../engines/helm/release/encode.ts';
import type { ReleaseRecord } from '../../../engines/helm/release/record.ts';
import type { Clock } from '../../../lib/clock.ts';
import type { ReleaseTarget } from '../settings.ts';
import type { ReleaseStore } from '../storage.ts';

export interface ActionContext {
  readonly spec: HelmReleaseSpec;
  readonly target: ReleaseTarget;
  readonly client: DynamicClient;
  readonly store: ReleaseStore;
  readonly clock: Clock;
  /** Clock time at which the action's timeout has passed, in ms. */
  readonly deadlineMs: number;
  /** Labels that say which HelmRelease an object is of. */
  readonly originLabels: Readonly<Record<string, string>>;
  /** Told of each revision that was written. */
  readonly stored: (release: ReleaseRecord) => void;
  /** Lines for the event of a failure. */
  readonly log: (line: string) => void;
}

/** The time as Helm stores it. */
export function timestamp(clock: Clock): string {
  return goTime(new Date(clock.now()).toISOString());
}

export async function storeNew(context: ActionContext, release: ReleaseRecord, keep: number): Promise<void> {
  await context.store.create(release, keep);
  context.stored(release);
}

export async function storeAgain(context: ActionContext, release: ReleaseRecord): Promise<void> {
  await context.store.update(release);
  context.stored(release);
}
