// Owns what a controller runs on in unit tests of the machine: the tiny API, and a client, informers and events on it.
import { EventRecorder } from '../../src/cluster/events.ts';
import { Informers } from '../../src/cluster/informers.ts';
import { silentLog } from '../../src/lib/log.ts';
import type { Machine } from '../../src/runtime/start.ts';
import { createTestClient } from './client.ts';
import { FakeClock } from './clock.ts';
import { events, TinyApi, type TinyKind } from './tinyapi.ts';

/** For so long the end of a recorder waits for events to be written. */
const RECORDER_STOP_MS = 2_000;

/** A tiny API at work and what a controller is started with. `stop` it after the controller. */
export interface TinyMachine {
  readonly api: TinyApi;
  readonly clock: FakeClock;
  readonly recorder: EventRecorder;
  readonly machine: Machine;
  /** Requests that are no reads, as `METHOD path`. */
  writes(): string[];
  stop(): Promise<void>;
}

/** Starts one that serves the kinds, and events. */
export async function startTinyMachine(kinds: readonly TinyKind[]): Promise<TinyMachine> {
  const api = new TinyApi([...kinds, events]);
  const clock = new FakeClock();
  const client = createTestClient(await api.start(), { clock });
  const { rest, discovery } = client;
  const informers = new Informers({ rest, discovery, clock, random: () => 0, log: silentLog });
  const recorder = new EventRecorder({ client, clock, log: silentLog });
  return {
    api,
    clock,
    recorder,
    machine: { client, informers, events: recorder, clock, random: () => 0.5, log: silentLog },
    writes: () => api.calls.filter((call) => !call.startsWith('GET')),
    stop: async () => {
      const stopped = recorder.stop();
      // Its limit goes by a clock that nobody else moves.
      await clock.advance(RECORDER_STOP_MS);
      await stopped;
      await informers.stop();
      await rest.close();
      await api.stop();
    },
  };
}
