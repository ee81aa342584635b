// Owns which objects have left a Kustomization and may turn up in another of the same source: they are handed over, not
// deleted (lockstep.md §6). Losing it costs one pass: the inventory still has them.
import type { InventoryEntry, Kustomization } from '../../api/kustomize/kustomization.ts';
import type { CancelTimer, Clock } from '../../lib/clock.ts';
import { formatObjectId } from '../../objects/manifest.ts';
import { parseInventoryEntry } from '../../plan/inventory.ts';
import { keyOf } from '../../runtime/controller.ts';
import { sameRevision } from '../shared/revision.ts';

/** Objects that left a Kustomization and are not deleted yet. */
export interface Leaving {
  /** Key of the source, as `sourceKeyOf` has it. */
  readonly source: string;
  readonly entries: readonly InventoryEntry[];
  /** When waiting for others ends, in ms of the monotonic clock. */
  readonly deadlineMs: number;
}

export interface MovesOptions {
  readonly clock: Clock;
  readonly enqueue: (key: string, trigger: string) => void;
}

/** `Kind/namespace/name` of a Kustomization's source; undefined without one. */
export function sourceKeyOf({ spec, metadata }: Kustomization): string | undefined {
  const source = spec?.sourceRef;
  if (source === undefined) return undefined;
  return `${source.kind}/${source.namespace ?? metadata.namespace ?? ''}/${source.name}`;
}

/** The same as values of an index. */
export function sourceKeysOf(object: Kustomization): readonly string[] {
  const key = sourceKeyOf(object);
  return key === undefined ? [] : [key];
}

/**
 * Those of a source's Kustomizations that may still take an object of the revision over: they have not concluded it.
 * One that is suspended, stalled or about to go will not.
 */
export function undecided(siblings: readonly Kustomization[], revision: string): readonly Kustomization[] {
  return siblings.filter(({ spec, metadata, status }) => {
    if (spec?.suspend === true || metadata.deletionTimestamp !== undefined) return false;
    if (status?.conditions?.some(({ type, status: is }) => type === 'Stalled' && is === 'True')) return false;
    return !sameRevision(status?.lastAttemptedRevision, revision);
  });
}

/**
 * A commit changes all Kustomizations of a source within a moment, and each change may be what another waits for: after
 * one look the next comes no earlier than this, in ms.
 */
const LOOK_AGAIN_MS = 500;

interface Waiting extends Leaving {
  readonly ids: ReadonlySet<string>;
  readonly cancelDeadline: CancelTimer;
  /** From when on a change is looked at at once, in ms of the monotonic clock. */
  quietUntilMs: number;
  /** Of the look that is to come. */
  cancelLook: CancelTimer | undefined;
}

/** Objects on their way out, by the key of the Kustomization that they leave. */
export class Moves {
  readonly #options: MovesOptions;
  readonly #leaving = new Map<string, Waiting>();

  constructor(options: MovesOptions) {
    this.#options = options;
  }

  of(key: string): Leaving | undefined {
    return this.#leaving.get(key);
  }

  /** Notes what leaves a Kustomization now; it gets a pass at the deadline at the latest. */
  set(key: string, leaving: Leaving | undefined): void {
    const known = this.#leaving.get(key);
    known?.cancelDeadline();
    known?.cancelLook?.();
    if (leaving === undefined || leaving.entries.length === 0) {
      this.#leaving.delete(key);
      return;
    }
    const { clock, enqueue } = this.#options;
    const cancelDeadline = clock.setTimer(Math.max(leaving.deadlineMs - clock.monotonic(), 0), () =>
      enqueue(key, 'moves are over'),
    );
    const ids = new Set(leaving.entries.map(({ id }) => id));
    this.#leaving.set(key, { ...leaving, ids, cancelDeadline, quietUntilMs: 0, cancelLook: undefined });
  }

  /** True when the object of the inventory id is free for another Kustomization of its source to take. */
  isLeaving(key: string, id: string): boolean {
    return this.#leaving.get(key)?.ids.has(id) ?? false;
  }

  /** A Kustomization changed or went: those that wait for it look again. */
  seen(object: Kustomization): void {
    if (this.#leaving.size === 0) return;
    const source = sourceKeyOf(object);
    for (const [key, leaving] of this.#leaving) {
      if (leaving.source === source && key !== keyOf(object)) this.#look(key, leaving);
    }
  }

  /** At once, or with those that follow soon. */
  #look(key: string, leaving: Waiting): void {
    if (leaving.cancelLook !== undefined) return;
    const { clock, enqueue } = this.#options;
    const now = clock.monotonic();
    const look = (): void => {
      leaving.cancelLook = undefined;
      leaving.quietUntilMs = clock.monotonic() + LOOK_AGAIN_MS;
      enqueue(key, 'move');
    };
    if (now >= leaving.quietUntilMs) look();
    else leaving.cancelLook = clock.setTimer(leaving.quietUntilMs - now, look);
  }
}

/** `Kind/namespace/name` of each entry. */
export function objectIdsOf(entries: readonly InventoryEntry[]): readonly string[] {
  return entries.map((entry) => {
    const reference = parseInventoryEntry(entry);
    return reference === undefined ? entry.id : formatObjectId(reference);
  });
}
