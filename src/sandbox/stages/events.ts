// Owns the Events that the fake controllers leave behind: one object per distinct message, counted up when it repeats.
import type { Clock } from '../../lib/clock.ts';
import { formatMicroTime, formatTime } from '../../lib/time.ts';
import type { KubeObject } from '../object.ts';
import type { Store } from '../store.ts';
import { RESOURCES } from './types.ts';

export interface EventRecorder {
  /**
   * Records what a component has to say about an object. Never throws: an event that cannot be kept is dropped. With an
   * `action` it has the form of events.k8s.io, as the scheduler writes it: one time instead of two, and no count.
   */
  record(
    component: string,
    about: KubeObject,
    type: 'Normal' | 'Warning',
    reason: string,
    message: string,
    action?: string,
  ): void;
}

/** Repeats are recognised among this many events, the oldest forgotten first. */
const REMEMBERED = 4096;

export function createEventRecorder(store: Store, clock: Clock): EventRecorder {
  const names = new Map<string, string>();
  let last = 0n;

  /** Event names end in the nanoseconds of their birth in hexadecimal; counted on where the clock is too coarse. */
  function birth(): string {
    const now = BigInt(Math.trunc(clock.now())) * 1_000_000n;
    last = now > last ? now : last + 1n;
    return last.toString(16);
  }

  return {
    record(component, about, type, reason, message, action) {
      const namespace = about.metadata.namespace ?? 'default';
      const identity = [
        component,
        about.kind,
        namespace,
        about.metadata.name,
        about.metadata.uid,
        type,
        reason,
        message,
      ];
      const key = identity.join('\0');
      const time = formatTime(clock.now());
      const known = names.get(key);
      const earlier = known === undefined ? undefined : store.get(RESOURCES.events, namespace, known);
      try {
        if (earlier !== undefined) {
          const count = Number(earlier['count'] ?? 1) + 1;
          store.update(RESOURCES.events, { ...earlier, count, lastTimestamp: time });
          return;
        }
        const name = `${about.metadata.name}.${birth()}`;
        names.set(key, name);
        if (names.size > REMEMBERED) names.delete(names.keys().next().value ?? '');
        store.create(RESOURCES.events, {
          apiVersion: 'v1',
          kind: 'Event',
          metadata: { name, namespace },
          involvedObject: reference(about),
          reason,
          message,
          type,
          ...(action === undefined ? seriesOfOne(component, time) : singleAction(component, action, clock)),
        });
      } catch (error) {
        // A namespace that goes away takes no events; what happened to the object matters more than the note of it.
        if (!(error instanceof Error && 'code' in error)) throw error;
      }
    },
  };
}

function seriesOfOne(component: string, time: string): object {
  return {
    source: { component },
    firstTimestamp: time,
    lastTimestamp: time,
    count: 1,
    eventTime: null,
    reportingComponent: component,
    reportingInstance: '',
  };
}

function singleAction(component: string, action: string, clock: Clock): object {
  return {
    source: {},
    firstTimestamp: null,
    lastTimestamp: null,
    eventTime: formatMicroTime(clock.now()),
    action,
    reportingComponent: component,
    reportingInstance: `${component}-0`,
  };
}

function reference(object: KubeObject): object {
  return {
    kind: object.kind,
    ...(object.metadata.namespace === undefined ? {} : { namespace: object.metadata.namespace }),
    name: object.metadata.name,
    uid: object.metadata.uid,
    apiVersion: object.apiVersion,
    resourceVersion: object.metadata.resourceVersion,
  };
}
