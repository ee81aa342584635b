import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { KubeObject } from '../../../src/api/meta/object.ts';
import type { DynamicClient } from '../../../src/cluster/client.ts';
import { type EventObject, EventRecorder, type RecordedEvent } from '../../../src/cluster/events.ts';
import { silentLog } from '../../../src/lib/log.ts';
import { createTestClient, eventually } from '../../support/client.ts';
import { FakeClock } from '../../support/clock.ts';
import { events, TinyApi } from '../../support/tinyapi.ts';

const object: KubeObject = {
  apiVersion: 'source.toolkit.fluxcd.io/v1',
  kind: 'GitRepository',
  metadata: {
    name: 'demo',
    namespace: 'apps',
    uid: 'u1',
    resourceVersion: '7',
    annotations: { 'event.toolkit.fluxcd.io/team': 'red', other: 'x' },
  },
};
const say = (message: string, more: Partial<RecordedEvent> = {}): RecordedEvent => ({
  type: 'Normal',
  reason: 'NewArtifact',
  message,
  source: 'source-controller',
  ...more,
});

let api: TinyApi;
let client: DynamicClient;
let clock: FakeClock;
let recorder: EventRecorder;
beforeEach(async () => {
  api = new TinyApi([events]);
  clock = new FakeClock();
  client = createTestClient(await api.start());
  recorder = new EventRecorder({ client, clock, log: silentLog });
});
afterEach(async () => {
  await client.rest.close();
  await api.stop();
});

const stored = async () => (await client.list<EventObject>({ apiVersion: 'v1', kind: 'Event' })).items;

describe('EventRecorder', () => {
  it('writes an event as client-go does', async () => {
    recorder.record(
      object,
      say('stored artifact', { metadata: { 'source.toolkit.fluxcd.io/revision': 'main@sha1:1' } }),
    );
    await recorder.flush();

    const [event] = await stored();
    expect(event).toMatchObject({
      metadata: {
        namespace: 'apps',
        name: expect.stringMatching(/^demo\.[0-9a-f]{16}$/),
        annotations: { 'event.toolkit.fluxcd.io/team': 'red', 'source.toolkit.fluxcd.io/revision': 'main@sha1:1' },
      },
      involvedObject: {
        apiVersion: 'source.toolkit.fluxcd.io/v1',
        kind: 'GitRepository',
        name: 'demo',
        namespace: 'apps',
        uid: 'u1',
        resourceVersion: '7',
      },
      type: 'Normal',
      reason: 'NewArtifact',
      message: 'stored artifact',
      count: 1,
      firstTimestamp: '2026-01-01T00:00:00Z',
      lastTimestamp: '2026-01-01T00:00:00Z',
      source: { component: 'source-controller' },
      reportingComponent: 'source-controller',
    });
    expect(event?.metadata.annotations).not.toHaveProperty('other');
  });

  it('counts what it says again', async () => {
    recorder.record(object, say('same'));
    await clock.advance(61_000);
    recorder.record(object, say('same'));
    recorder.record(object, say('same'));
    await recorder.flush();

    expect(await stored()).toMatchObject([
      { count: 3, firstTimestamp: '2026-01-01T00:00:00Z', lastTimestamp: '2026-01-01T00:01:01Z', message: 'same' },
    ]);
    expect(JSON.parse(api.requests.filter(({ method }) => method === 'PATCH').at(-1)?.body ?? '')).toEqual({
      count: 3,
      lastTimestamp: '2026-01-01T00:01:01Z',
      message: 'same',
    });
  });

  it('writes a counted event anew when the server forgot it', async () => {
    recorder.record(object, say('same'));
    await recorder.flush();
    const [first] = await stored();
    api.delete(events, 'apps', first!.metadata.name);

    recorder.record(object, say('same'));
    await recorder.flush();

    expect(await stored()).toMatchObject([{ count: 2, metadata: { name: first!.metadata.name } }]);
  });

  it('combines the tenth different message within ten minutes and those after it', async () => {
    for (let at = 1; at <= 12; at++) recorder.record(object, say(`message ${at}`));
    await recorder.flush();

    const messages = (await stored()).map(({ message, count }) => `${message} x${count}`);
    expect(messages).toHaveLength(10);
    expect(messages.at(-1)).toBe('(combined from similar events): message 12 x3');
  });

  it('says things by themselves again after ten quiet minutes', async () => {
    for (let at = 1; at <= 10; at++) recorder.record(object, say(`message ${at}`));
    await recorder.flush();
    await clock.advance(600_001);

    recorder.record(object, say('later'));
    await recorder.flush();

    expect((await stored()).at(-1)?.message).toBe('later');
  });

  it('stops a flood after 25 of one type, and lets one pass in five minutes', async () => {
    for (let at = 0; at < 40; at++) recorder.record(object, say('flood'));
    recorder.record(object, say('a warning', { type: 'Warning' }));
    await recorder.flush();
    expect(await stored()).toMatchObject([{ count: 25 }, { message: 'a warning' }]);

    await clock.advance(300_000);
    recorder.record(object, say('flood'));
    recorder.record(object, say('flood'));
    await recorder.flush();

    expect((await stored())[0]).toMatchObject({ count: 41 });
  });

  it('tries again while the server is away, and keeps the order', async () => {
    let down = true;
    api.fault = (_request, response) => {
      if (down) response.destroy();
      return down;
    };
    recorder.record(object, say('one'));
    recorder.record(object, say('two'));
    await eventually(() => clock.untilNext === 10_000, 'the back-off');

    down = false;
    await clock.advance(10_000);
    await recorder.flush();

    expect((await stored()).map(({ message }) => message)).toEqual(['one', 'two']);
  });

  it('drops an event that the server refuses', async () => {
    api.fault = (request, response, body) => {
      if (!body.includes('bad')) return false;
      api.fail(response, 403, 'Forbidden', 'namespace is being terminated');
      return request.method === 'POST';
    };
    recorder.record(object, say('bad'));
    recorder.record(object, say('good'));
    await recorder.flush();

    expect((await stored()).map(({ message }) => message)).toEqual(['good']);
  });

  it('never blocks: what exceeds its room is dropped and counted', async () => {
    const small = new EventRecorder({ client, clock, log: silentLog, capacity: 2 });
    for (let at = 0; at < 5; at++) small.record(object, say(`m${at}`));
    await small.flush();

    expect(small.dropped).toBe(2);
    expect(await stored()).toHaveLength(3);
  });

  it('tells listeners each event as it was said', () => {
    const heard: string[] = [];
    const stop = recorder.listen((of, event) => heard.push(`${of.metadata.name} ${event.message}`));
    recorder.record(object, say('one'));
    recorder.record(object, say('one'));
    stop();
    recorder.record(object, say('two'));

    expect(heard).toEqual(['demo one', 'demo one']);
  });

  it('writes what waits before it stops, then accepts no more', async () => {
    recorder.record(object, say('last words'));
    await recorder.stop();
    recorder.record(object, say('too late'));
    await recorder.flush();

    expect((await stored()).map(({ message }) => message)).toEqual(['last words']);
  });

  it('gives up stopping when the server does not answer', async () => {
    await client.discovery.all();
    api.fault = () => true;
    recorder.record(object, say('lost'));
    const stopped = recorder.stop(2_000);
    await eventually(() => api.calls.length === 1, 'the attempt');

    await clock.advance(2_000);

    await stopped;
  });

  it('puts events of cluster-scoped objects into the default namespace', async () => {
    recorder.record({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'n' } }, say('x'));
    await recorder.flush();

    expect((await stored())[0]?.metadata.namespace).toBe('default');
  });
});
