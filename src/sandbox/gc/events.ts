// Owns forgetting events: like the API server, this one keeps them for an hour.
import type { Core } from '../core.ts';
import { type KubeObject, readPath } from '../object.ts';

const EVENTS = '/events';
const KEPT_MS = 60 * 60 * 1000;

function lastSeen(event: KubeObject): number {
  const series = readPath(event, ['series', 'lastObservedTime']);
  const time = series ?? event['lastTimestamp'] ?? event['eventTime'] ?? event.metadata.creationTimestamp;
  return typeof time === 'string' ? Date.parse(time) : 0;
}

/** Removes the events that were last seen more than an hour ago. */
export function forgetEvents(core: Core): void {
  const oldest = core.now().getTime() - KEPT_MS;
  for (const { key, object } of core.storage.list(EVENTS))
    if (lastSeen(object) < oldest) core.storage.remove(EVENTS, key);
}
