// Writes of a process that may not act any more: none leaves it, also none that waited for a connection.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DynamicClient } from '../../../src/cluster/client.ts';
import { WriteFence } from '../../../src/runtime/shards/fence.ts';
import { createTestClient, eventually } from '../../support/client.ts';
import { FakeClock } from '../../support/clock.ts';
import { TinyApi } from '../../support/tinyapi.ts';

const ref = { apiVersion: 'example.dev/v1', kind: 'Widget', namespace: 'default', name: 'w' };
const widget = (name: string) => ({
  apiVersion: ref.apiVersion,
  kind: ref.kind,
  metadata: { namespace: 'default', name },
});

let api: TinyApi;
let client: DynamicClient;
let clock: FakeClock;
let fence: WriteFence;
let begun: number;
beforeEach(async () => {
  api = new TinyApi();
  clock = new FakeClock();
  fence = new WriteFence(clock);
  begun = 0;
  const onRequest = ({ method }: { method: string }): void => void (begun += method === 'POST' ? 1 : 0);
  client = createTestClient(await api.start(), { guard: fence, connections: 1, onRequest });
  await client.create(widget('w'));
});
afterEach(async () => {
  await client.rest.close();
  await api.stop();
});

const posts = () => api.requests.filter(({ method }) => method === 'POST').length;

describe('a client with a guard', () => {
  it('sends no write when the guard says no, and reads all the same', async () => {
    fence.close('a test');

    await expect(client.create(widget('x'))).rejects.toMatchObject({ code: 'FenceClosed' });
    await expect(client.apply(widget('x'), { fieldManager: 'me' })).rejects.toMatchObject({ code: 'FenceClosed' });
    await expect(client.delete(ref)).rejects.toMatchObject({ code: 'FenceClosed' });
    expect(await client.find(ref)).toMatchObject(widget('w'));
    expect(posts()).toBe(1);
  });

  it('does not send what waited for a connection while the deadline passed', async () => {
    const release = Promise.withResolvers<void>();
    api.fault = (request, response) => {
      if (request.method !== 'GET' || !request.url?.endsWith('/w')) return false;
      void release.promise.then(() => response.writeHead(404).end('{}'));
      return true;
    };
    fence.extend(fence.mark(), 30_000);
    const occupying = client.find(ref);
    await eventually(() => api.requests.some(({ url }) => url.endsWith('/w')), 'the request that takes the connection');
    const waiting = expect(client.create(widget('x'))).rejects.toMatchObject({ code: 'FenceClosed' });
    await eventually(() => begun === 2, 'the write in the queue');
    // As after a stop of the process: time is over, and no timer has told of it yet.
    clock.jump(30_000);

    release.resolve();
    await occupying;

    await waiting;
    expect(posts()).toBe(1);
  });

  it('breaks off a write that is under way when the guard says no', async () => {
    api.fault = ({ method }) => method === 'POST';
    const hanging = client.create(widget('x'));
    await eventually(() => posts() === 2, 'the write');

    fence.close('a test');

    await expect(hanging).rejects.toMatchObject({ code: 'FenceClosed' });
  });
});
