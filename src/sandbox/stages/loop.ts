// Owns when the fake controllers run: watches put keys into one queue, which is worked off in small slices so that
// requests are answered in between. Knows no kind.
import type { CancelTimer, Clock } from '../../lib/clock.ts';
import type { Log } from '../../lib/log.ts';
import type { KubeObject } from '../object.ts';
import type { ResourceId, Store } from '../store.ts';
import type { EventRecorder } from './events.ts';

/** What a reconcile may use. */
export interface StageContext {
  readonly store: Store;
  readonly clock: Clock;
  readonly events: EventRecorder;
  readonly log: Log;
}

export interface Key {
  readonly namespace: string;
  readonly name: string;
}

/** One fake controller. `reconcile` looks at the whole world of its key; why it was called does not matter. */
export interface StageController {
  readonly name: string;
  readonly watches: readonly StageWatch[];
  /** Brings the world of one key a step further. Returns after how many milliseconds to look again, if at all. */
  reconcile(key: Key, context: StageContext): number | undefined;
}

export interface StageWatch {
  readonly resource: ResourceId;
  /** The keys that a changed object concerns. */
  keys(object: KubeObject, context: StageContext): readonly Key[];
}

/** A slice may take this long before requests get their turn. */
const SLICE_MS = 8;
const FIRST_RETRY_MS = 5;
const LAST_RETRY_MS = 60_000;

/** The key of the changed object itself. */
export function ownKey(object: KubeObject): readonly Key[] {
  return [{ namespace: object.metadata.namespace ?? '', name: object.metadata.name }];
}

interface Entry {
  readonly controller: StageController;
  readonly key: Key;
}

/** Runs the controllers until closed. */
export function runLoop(controllers: readonly StageController[], context: StageContext): { close(): void } {
  const queue = new Map<string, Entry>();
  const timers = new Map<string, { readonly at: number; readonly cancel: CancelTimer }>();
  const failures = new Map<string, number>();
  let scheduled: NodeJS.Immediate | undefined;
  let closed = false;

  function enqueue(id: string, entry: Entry): void {
    if (closed) return;
    queue.set(id, entry);
    scheduled ??= setImmediate(runSlice);
  }

  function enqueueLater(id: string, entry: Entry, delayMs: number): void {
    const at = context.clock.monotonic() + delayMs;
    const pending = timers.get(id);
    if (pending !== undefined && pending.at <= at) return;
    pending?.cancel();
    const cancel = context.clock.setTimer(delayMs, () => {
      timers.delete(id);
      enqueue(id, entry);
    });
    timers.set(id, { at, cancel });
  }

  function runSlice(): void {
    scheduled = undefined;
    const started = performance.now();
    for (const [id, entry] of queue) {
      queue.delete(id);
      runOne(id, entry);
      if (performance.now() - started > SLICE_MS) break;
    }
    if (queue.size > 0 && !closed) scheduled = setImmediate(runSlice);
  }

  function runOne(id: string, entry: Entry): void {
    try {
      const again = entry.controller.reconcile(entry.key, context);
      failures.delete(id);
      if (again !== undefined) enqueueLater(id, entry, again);
    } catch (error) {
      const failed = (failures.get(id) ?? 0) + 1;
      failures.set(id, failed);
      const fields = { controller: entry.controller.name, ...entry.key, error };
      // An API error (a conflict, a namespace that goes away) is part of life; anything else is a bug of ours.
      if (error instanceof Error && 'code' in error) context.log.debug('stage will be tried again', fields);
      else context.log.error('stage failed', fields);
      enqueueLater(id, entry, Math.min(FIRST_RETRY_MS * 2 ** (failed - 1), LAST_RETRY_MS));
    }
  }

  const stops = controllers.flatMap((controller) =>
    controller.watches.map((watch) =>
      context.store.watch(
        watch.resource,
        ({ object }) => {
          for (const key of watch.keys(object, context)) {
            enqueue(`${controller.name}/${key.namespace}/${key.name}`, { controller, key });
          }
        },
        { initial: true },
      ),
    ),
  );

  return {
    close() {
      closed = true;
      for (const stop of stops) stop();
      for (const { cancel } of timers.values()) cancel();
      timers.clear();
      queue.clear();
      if (scheduled !== undefined) clearImmediate(scheduled);
    },
  };
}
