// Owns how long Events are kept: an hour after they were last seen, as a real server keeps them.
import { parseTime } from '../../lib/time.ts';
import type { KubeObject } from '../object.ts';
import type { Key, StageController } from './loop.ts';
import { RESOURCES } from './types.ts';

const KEPT_MS = 3_600_000;
/** Looking through all of them for each new one would cost more than the few that stay longer. */
const SWEEP_MS = 300_000;
const ALL: readonly Key[] = [{ namespace: '', name: 'all' }];

/** Makes the controller. It looks through the events at most every five minutes. */
export function createEventExpiry(): StageController {
  let next = 0;
  return {
    name: 'eventExpiry',
    watches: [{ resource: RESOURCES.events, keys: () => ALL }],
    reconcile(_key, { store, clock }) {
      const now = clock.now();
      if (now < next) return next - now;
      next = now + SWEEP_MS;
      const events = store.list(RESOURCES.events);
      for (const event of events) {
        if (now - lastSeen(event) < KEPT_MS) continue;
        store.delete(RESOURCES.events, event.metadata.namespace ?? '', event.metadata.name);
      }
      return events.length > 0 ? SWEEP_MS : undefined;
    },
  };
}

function lastSeen(event: KubeObject): number {
  const { lastObservedTime } = (event['series'] ?? {}) as { lastObservedTime?: string };
  const times = [lastObservedTime, event['lastTimestamp'], event['eventTime'], event.metadata.creationTimestamp];
  return Math.max(0, ...times.map((time) => (typeof time === 'string' ? (parseTime(time) ?? 0) : 0)));
}
