// Owns the posting of events to a receiver such as Flux's notification-controller, in the form it takes (flux.md §1.6).
// Kubernetes Events are cluster/events.ts.
import { inheritedEventMetadata } from '../../api/meta/event-metadata.ts';
import type { KubeObject } from '../../api/meta/object.ts';
import type { Clock } from '../../lib/clock.ts';
import { errorMessage } from '../../lib/errors.ts';
import type { Log } from '../../lib/log.ts';
import { formatTime } from '../../lib/time.ts';
import type { HttpDoor } from '../http.ts';

/** One thing that was said about an object. */
export interface ReceivedEvent {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
  /** Component that said it. */
  readonly source: string;
  readonly metadata?: Readonly<Record<string, string>> | undefined;
  /** For Kubernetes alone: it is not posted. */
  readonly local?: boolean | undefined;
}

export interface EventReceiverOptions {
  readonly http: HttpDoor;
  readonly clock: Clock;
  readonly log: Log;
  readonly url: string;
  /** Name of this process. */
  readonly instance: string;
}

/** A receiver that events are posted to in the background, one after the other. */
export interface EventReceiver {
  /** Returns at once; never throws. */
  post(object: KubeObject, event: ReceivedEvent): void;
  /** Posts what waits, for at most `ms`, and takes no more. */
  stop(ms?: number): Promise<void>;
}

const TIMEOUT_MS = 5_000;
/** Waits before the second and later tries. */
const RETRIES_MS = [1_000, 2_000, 4_000, 8_000];
const CAPACITY = 1_000;
/** Longest message that notification-controller takes. */
const MESSAGE_LENGTH = 39_000;
/** The receiver has had the same event within its window. */
const DUPLICATE = 429;

export function createEventReceiver(options: EventReceiverOptions): EventReceiver {
  const { clock, log } = options;
  const stopping = new AbortController();
  const waiting: string[] = [];
  let sending: Promise<void> | undefined;

  async function send(): Promise<void> {
    for (let body = waiting.shift(); body !== undefined; body = waiting.shift()) {
      try {
        await deliver(body, options, stopping.signal);
      } catch (error) {
        if (stopping.signal.aborted) return;
        log.info('event was not posted', { error: errorMessage(error) });
      }
    }
    sending = undefined;
  }

  return {
    post: (object, event) => {
      if (event.local === true || stopping.signal.aborted || waiting.length >= CAPACITY) return;
      waiting.push(JSON.stringify(toPostedEvent(object, event, options.instance, clock.now())));
      sending ??= send();
    },
    stop: async (ms = 2_000) => {
      const cancel = clock.setTimer(ms, () => stopping.abort(new Error('stopping')));
      await sending;
      cancel();
      stopping.abort(new Error('stopping'));
    },
  };
}

/** Posts once, and again while the receiver is not there or broken. */
async function deliver(body: string, options: EventReceiverOptions, signal: AbortSignal): Promise<void> {
  for (const wait of [...RETRIES_MS, undefined]) {
    try {
      const answer = await options.http.request({
        url: options.url,
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
        timeoutMs: TIMEOUT_MS,
        signal,
      });
      answer.discard();
      if (answer.status < 500) {
        if (answer.status >= 400 && answer.status !== DUPLICATE) throw new Error(`receiver answered ${answer.status}`);
        return;
      }
      if (wait === undefined) throw new Error(`receiver answered ${answer.status}`);
    } catch (error) {
      if (wait === undefined || signal.aborted || !isConnection(error)) throw error;
    }
    await options.clock.sleep(wait, signal);
  }
}

function isConnection(error: unknown): boolean {
  return error instanceof Error && error.name === 'RemoteError';
}

/** The event as JSON has it. */
export function toPostedEvent(object: KubeObject, event: ReceivedEvent, instance: string, nowMs: number): object {
  const { namespace, name, uid, resourceVersion } = object.metadata;
  const metadata = { ...event.metadata, ...inheritedEventMetadata(object.metadata) };
  return {
    involvedObject: { kind: object.kind, namespace, name, uid, apiVersion: object.apiVersion, resourceVersion },
    severity: event.type === 'Warning' ? 'error' : 'info',
    timestamp: formatTime(nowMs),
    message: cut(event.message),
    reason: event.reason,
    ...(Object.keys(metadata).length === 0 ? {} : { metadata }),
    reportingController: event.source,
    reportingInstance: instance,
  };
}

function cut(message: string): string {
  return message.length <= MESSAGE_LENGTH ? message : `${message.slice(0, MESSAGE_LENGTH - 3)}...`;
}
