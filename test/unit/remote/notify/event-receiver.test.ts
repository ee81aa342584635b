// What a receiver of events is sent, and how often (flux.md §1.6).
import { describe, expect, it } from 'vitest';
import type { KubeObject } from '../../../../src/api/meta/object.ts';
import { silentLog } from '../../../../src/lib/log.ts';
import type { HttpDoor, HttpRequest } from '../../../../src/remote/http.ts';
import { RemoteError } from '../../../../src/remote/http.ts';
import {
  createEventReceiver,
  type ReceivedEvent,
  toPostedEvent,
} from '../../../../src/remote/notify/event-receiver.ts';
import { createFastClock } from '../../../support/fast-clock.ts';

const object: KubeObject = {
  apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
  kind: 'Kustomization',
  metadata: {
    name: 'app',
    namespace: 'ns',
    uid: 'u',
    resourceVersion: '7',
    annotations: { 'event.toolkit.fluxcd.io/team': 'a', other: 'b' },
  },
};
const event: ReceivedEvent = {
  type: 'Warning',
  reason: 'BuildFailed',
  message: 'kustomize build failed',
  source: 'kustomize-controller',
  metadata: { 'kustomize.toolkit.fluxcd.io/revision': 'main@sha1:1' },
};

/** A receiver whose answers come one after the other; the last one stays. */
async function post(answers: readonly (number | Error)[], ...events: ReceivedEvent[]): Promise<HttpRequest[]> {
  const requests: HttpRequest[] = [];
  const http = {
    request: async (request: HttpRequest) => {
      requests.push(request);
      const answer = answers[Math.min(requests.length, answers.length) - 1]!;
      if (answer instanceof Error) throw answer;
      return { status: answer, discard: () => {} };
    },
  } as unknown as HttpDoor;
  const receiver = createEventReceiver({
    http,
    clock: createFastClock(10_000),
    log: silentLog,
    url: 'http://receiver/',
    instance: 'host',
  });
  for (const one of events) receiver.post(object, one);
  // Far longer than all tries together: on this clock a loaded machine is slow by minutes.
  await receiver.stop(36_000_000);
  return requests;
}

describe('posted events', () => {
  it('have the form of notification-controller', () => {
    expect(toPostedEvent(object, event, 'host', 0)).toEqual({
      involvedObject: {
        kind: 'Kustomization',
        namespace: 'ns',
        name: 'app',
        uid: 'u',
        apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
        resourceVersion: '7',
      },
      severity: 'error',
      timestamp: '1970-01-01T00:00:00Z',
      message: 'kustomize build failed',
      reason: 'BuildFailed',
      metadata: { 'kustomize.toolkit.fluxcd.io/revision': 'main@sha1:1', 'event.toolkit.fluxcd.io/team': 'a' },
      reportingController: 'kustomize-controller',
      reportingInstance: 'host',
    });
    expect(toPostedEvent(object, { ...event, type: 'Normal' }, 'host', 0)).toMatchObject({ severity: 'info' });
  });

  it('are cut where the receiver would refuse them', () => {
    const { message } = toPostedEvent(object, { ...event, message: 'x'.repeat(50_000) }, 'host', 0) as {
      message: string;
    };

    expect(message).toHaveLength(39_000);
    expect(message.endsWith('x...')).toBe(true);
  });

  const refused = new RemoteError('RemoteConnect', 'connection refused', { url: 'http://receiver/' });
  it.each([
    ['is taken', [200], 1],
    ['is known already', [429], 1],
    ['is refused', [400], 1],
    ['meets a broken receiver', [500, 503, 202], 3],
    ['meets nobody at first', [refused, 200], 2],
    ['meets nobody at all', [refused], 5],
  ])('an event that %s is posted %j times', async (_name, answers, times) => {
    expect(await post(answers, event)).toHaveLength(times);
  });

  it('are posted in order, without those for Kubernetes alone', async () => {
    const requests = await post(
      [200],
      { ...event, reason: 'A' },
      { ...event, reason: 'B', local: true },
      { ...event, reason: 'C' },
    );

    expect(requests.map(({ body }) => JSON.parse(String(body)).reason)).toEqual(['A', 'C']);
    expect(requests[0]).toMatchObject({ url: 'http://receiver/', method: 'POST', timeoutMs: 5_000 });
  });
});
