// Owns what an action waits for, as a value: the action is a generator that yields it, and goes on in a later pass when
// it has come true or failed. So nothing is held while objects get ready (lockstep.md §5).
import type { Manifest } from '../../objects/manifest.ts';
import { formatObjectId, namespaceOf } from '../../objects/manifest.ts';

/** An object that is waited for. */
export interface WaitTarget {
  /** `Kind/namespace/name`. */
  readonly id: string;
  readonly reference: {
    readonly apiVersion: string;
    readonly kind: string;
    readonly namespace: string;
    readonly name: string;
  };
  /** Older states than this one say nothing. */
  readonly resourceVersion: string;
  /** The incarnation that is waited for to go. */
  readonly uid: string;
}

/** `ready`: healthy; `complete`: Jobs and Pods have run to their end; `gone`: deleted. */
export type WaitGoal = 'ready' | 'complete' | 'gone';

export interface Wait {
  readonly goal: WaitGoal;
  readonly targets: readonly WaitTarget[];
  /** Clock time, in ms. */
  readonly startedMs: number;
  readonly deadlineMs: number;
}

/** How a wait ended. */
export interface WaitResult {
  readonly error: Error | undefined;
}

/** An action in steps: it yields what it waits for and is told how that ended. */
export type Steps<T> = AsyncGenerator<Wait, T, WaitResult>;

/** Waits, and throws what the wait ended with. */
export async function* waitFor(wait: Wait): Steps<void> {
  if (wait.targets.length === 0) return;
  const { error } = yield wait;
  if (error !== undefined) throw error;
}

/** The target of an object as the API server answered it. */
export function toTarget(object: Manifest): WaitTarget {
  const reference = {
    apiVersion: object.apiVersion,
    kind: object.kind,
    namespace: namespaceOf(object),
    name: object.metadata.name,
  };
  const { resourceVersion, uid } = object.metadata;
  return {
    id: formatObjectId(reference),
    reference,
    resourceVersion: typeof resourceVersion === 'string' ? resourceVersion : '',
    uid: typeof uid === 'string' ? uid : '',
  };
}
