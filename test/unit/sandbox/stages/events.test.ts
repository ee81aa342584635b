import { expect, it } from 'vitest';
import { createApi } from '../../../../src/sandbox/api.ts';
import { createEventRecorder } from '../../../../src/sandbox/stages/events.ts';
import { RESOURCES } from '../../../../src/sandbox/stages/types.ts';
import { FakeClock } from '../../../support/clock.ts';

function start() {
  const clock = new FakeClock();
  const { store } = createApi({ now: () => new Date(clock.now()) });
  const about = store.create(RESOURCES.configMaps, {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'subject', namespace: 'default' },
  });
  return { clock, store, about, recorder: createEventRecorder(store, clock) };
}

it('counts a message that repeats', async () => {
  const { clock, store, about, recorder } = start();

  recorder.record('me', about, 'Normal', 'Done', 'it is done');
  await clock.advance(5000);
  recorder.record('me', about, 'Normal', 'Done', 'it is done');
  recorder.record('me', about, 'Warning', 'Undone', 'it is not');

  const events = store.list(RESOURCES.events, { namespace: 'default' });
  expect(events.map(({ reason, count, type }) => ({ reason, count, type }))).toEqual([
    { reason: 'Done', count: 2, type: 'Normal' },
    { reason: 'Undone', count: 1, type: 'Warning' },
  ]);
  expect(events[0]).toMatchObject({
    firstTimestamp: '2026-01-01T00:00:00Z',
    lastTimestamp: '2026-01-01T00:00:05Z',
    source: { component: 'me' },
    involvedObject: { kind: 'ConfigMap', namespace: 'default', name: 'subject', uid: about.metadata.uid },
  });
});

it('drops an event that the server does not take', () => {
  const { store, about, recorder } = start();
  const elsewhere = { ...about, metadata: { ...about.metadata, namespace: 'not-there' } };

  recorder.record('me', elsewhere, 'Normal', 'Done', 'it is done');

  expect(store.list(RESOURCES.events)).toEqual([]);
});
