import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DynamicClient } from '../../../src/cluster/client.ts';
import { RestClient, type SentRequest } from '../../../src/cluster/rest.ts';
import { createTestClient, eventually } from '../../support/client.ts';
import { FakeClock } from '../../support/clock.ts';
import { TinyApi, widgets } from '../../support/tinyapi.ts';

const ref = { apiVersion: 'example.dev/v1', kind: 'Widget', namespace: 'default', name: 'w' };
const widget = { apiVersion: ref.apiVersion, kind: ref.kind, metadata: { namespace: 'default', name: 'w' } };

type Answer = Parameters<NonNullable<TinyApi['fault']>>[1];

let api: TinyApi;
let server: string;
let client: DynamicClient;
let warnings: string[];
let sent: SentRequest[];
beforeEach(async () => {
  api = new TinyApi();
  server = await api.start();
  warnings = [];
  sent = [];
  client = createTestClient(server, {
    onWarning: (text) => warnings.push(text),
    onRequest: (request) => sent.push(request),
  });
});
afterEach(async () => {
  await client.rest.close();
  await api.stop();
});

/** Answers the first `times` requests that are no discovery by `answer`. */
function failFirst(times: number, answer: (response: Answer) => void): void {
  let left = times;
  api.fault = (request, response) => {
    if (/^\/apis?$/.test(request.url ?? '') || left-- <= 0) return false;
    answer(response);
    return true;
  };
}

describe('verbs', () => {
  it('creates, gets, lists, updates, patches and deletes', async () => {
    const created = await client.create(widget, { fieldManager: 'me' });
    const bigger = { ...created, spec: { size: 2 } };
    const updated = await client.update(bigger);
    await client.patch(
      ref,
      { type: 'merge', body: { status: { ready: true } } },
      { subresource: 'status', fieldManager: 'me' },
    );

    expect(await client.get(ref)).toMatchObject({ spec: { size: 2 }, status: { ready: true } });
    expect((await client.list(ref)).items).toHaveLength(1);
    expect(updated.metadata.uid).toBe(created.metadata.uid);
    expect(await client.delete(ref)).toBe(true);
    expect(await client.delete(ref)).toBe(false);
    expect(await client.find(ref)).toBeUndefined();
    expect(api.calls).toEqual([
      'POST /apis/example.dev/v1/namespaces/default/widgets?fieldManager=me',
      'PUT /apis/example.dev/v1/namespaces/default/widgets/w',
      'PATCH /apis/example.dev/v1/namespaces/default/widgets/w/status?fieldManager=me',
      'GET /apis/example.dev/v1/namespaces/default/widgets/w',
      'GET /apis/example.dev/v1/widgets?limit=500',
      'DELETE /apis/example.dev/v1/namespaces/default/widgets/w',
      'DELETE /apis/example.dev/v1/namespaces/default/widgets/w',
      'GET /apis/example.dev/v1/namespaces/default/widgets/w',
    ]);
  });

  it('applies with field manager, force and dry run', async () => {
    await client.apply(widget, { fieldManager: 'kustomize-controller', force: true, dryRun: true });

    const request = api.requests.at(-1);
    expect(request?.url).toBe(
      '/apis/example.dev/v1/namespaces/default/widgets/w?fieldManager=kustomize-controller&dryRun=All&force=true',
    );
    expect(request?.headers['content-type']).toBe('application/apply-patch+yaml');
    expect(request?.headers['user-agent']).toBe('lockstep/test');
    expect(JSON.parse(request?.body ?? '')).toEqual(widget);
  });

  it('deletes on conditions', async () => {
    await client.create(widget);

    await client.delete(ref, {
      uid: 'u1',
      resourceVersion: '7',
      propagation: 'Background',
      gracePeriodSeconds: 0,
      dryRun: true,
    });

    expect(JSON.parse(api.requests.at(-1)?.body ?? '')).toEqual({
      apiVersion: 'v1',
      kind: 'DeleteOptions',
      propagationPolicy: 'Background',
      gracePeriodSeconds: 0,
      preconditions: { uid: 'u1', resourceVersion: '7' },
      dryRun: ['All'],
    });
  });

  it('lists page by page, with kind and version on every item', async () => {
    for (let at = 0; at < 7; at++) api.put(widgets, { metadata: { name: `w${at}`, namespace: 'default' } });

    const pages: string[][] = [];
    for await (const page of client.pages(ref, { limit: 3, namespace: 'default' })) {
      pages.push(page.items.map(({ apiVersion, kind, metadata }) => `${apiVersion}/${kind}/${metadata.name}`));
    }

    expect(pages.map((page) => page.length)).toEqual([3, 3, 1]);
    expect(pages[2]).toEqual(['example.dev/v1/Widget/w6']);
  });

  it('keeps 64-bit integers exact, both ways', async () => {
    const big = { ...widget, spec: { big: 9007199254740993n } };
    await client.create(big);
    expect(api.requests.at(-1)?.body).toContain('"big":9007199254740993}');

    failFirst(1, (response) => response.end('{"spec":{"big":9007199254740993}}'));

    expect(await client.get(ref)).toEqual({ spec: { big: 9007199254740993n } });
  });

  it('acts as another identity over the same connections', async () => {
    await client.create(widget);
    const before = api.connections;

    await client.as({ user: 'system:serviceaccount:a:b', groups: ['g1', 'g2'] }).get(ref);

    const { headers } = api.requests.at(-1)!;
    expect(headers['impersonate-user']).toBe('system:serviceaccount:a:b');
    expect(headers['impersonate-group']).toBe('g1, g2');
    expect(api.connections).toBe(before);
  });

  it.each(['', '.', '..'])('refuses the name %j, which would be another path', async (name) => {
    await expect(client.get({ ...ref, name })).rejects.toMatchObject({ code: 'ApiInvalid' });
    expect(api.calls).toEqual([]);
  });

  it('escapes names', async () => {
    await client.find({ ...ref, name: 'a/b?c' });

    expect(api.calls).toEqual(['GET /apis/example.dev/v1/namespaces/default/widgets/a%2Fb%3Fc']);
  });
});

describe('connections', () => {
  it('are kept and shared: 200 requests at once need no more than 16', async () => {
    api.put(widgets, { metadata: { name: 'w', namespace: 'default' } });

    await Promise.all(Array.from({ length: 200 }, () => client.get(ref)));

    expect(api.connections).toBeLessThanOrEqual(16);
  });
});

describe('errors', () => {
  it('carry the API’s own words, reason and causes', async () => {
    api.fault = (request, response) => {
      if (request.method !== 'POST') return false;
      const causes = [{ reason: 'FieldValueInvalid', message: 'must be positive', field: 'spec.size' }];
      const message = 'Widget.example.dev "w" is invalid: spec.size: Invalid value: -1: must be positive';
      api.reply(response, 422, {
        kind: 'Status',
        code: 422,
        reason: 'Invalid',
        message,
        details: { name: 'w', causes },
      });
      return true;
    };

    await expect(client.create(widget)).rejects.toMatchObject({
      code: 'ApiInvalid',
      message: 'Widget.example.dev "w" is invalid: spec.size: Invalid value: -1: must be positive',
      data: {
        status: 422,
        reason: 'Invalid',
        causes: [{ reason: 'FieldValueInvalid', message: 'must be positive', field: 'spec.size' }],
        request: 'POST /apis/example.dev/v1/namespaces/default/widgets',
      },
    });
  });

  it('of something that is no Kubernetes API carry its text', async () => {
    failFirst(1, (response) => response.writeHead(502).end('Bad Gateway\n'));

    await expect(client.get(ref)).rejects.toMatchObject({
      code: 'ApiError',
      message: 'Bad Gateway',
      data: { status: 502 },
    });
  });

  it('name host and cause when nobody answers', async () => {
    await api.stop();

    await expect(client.get(ref)).rejects.toMatchObject({
      code: 'ApiUnreachable',
      message: `GET ${server}/api: connection refused by ${server.slice('http://'.length)}`,
    });
    await api.start();
  });

  it('never show the query', async () => {
    failFirst(1, (response) => response.writeHead(500).end());

    await expect(client.list(ref, { labelSelector: 'secret=yes' })).rejects.toMatchObject({
      message: 'the server answered 500 to GET /apis/example.dev/v1/widgets',
    });
  });

  it('say when a kind went away', async () => {
    await client.find(ref);
    api.kinds = [];

    await expect(client.get(ref)).rejects.toMatchObject({
      code: 'NoMatch',
      message: 'no matches for kind "Widget" in version "example.dev/v1"',
    });
  });

  it('end a request that takes too long', async () => {
    api.fault = (request) => request.url?.includes('widgets') ?? false;

    await expect(client.get(ref, { timeoutMs: 20 })).rejects.toMatchObject({
      code: 'ApiTimeout',
      message: 'GET /apis/example.dev/v1/namespaces/default/widgets/w: no answer within 0.02s',
    });
  });

  it('end a request whose credentials do not come', async () => {
    const clock = new FakeClock();
    const access = { server, tls: {}, authorization: () => new Promise<string>(() => {}) };
    const rest = new RestClient(access, { clock, random: () => 0, userAgent: 'test' });
    const request = { method: 'GET', path: '/version', idempotent: true } as const;
    const abort = new AbortController();
    const asked = [rest.text(request), rest.text({ ...request, signal: abort.signal })];
    const watched = [rest.stream({ ...request, signal: new AbortController().signal })];
    const ends = Promise.allSettled([...asked, ...watched]);

    abort.abort(new Error('newer work'));
    await clock.advance(60_000);

    const timeout = { reason: { code: 'ApiTimeout', message: 'GET /version: no answer within 60s' } };
    expect(await ends).toMatchObject([timeout, { reason: { message: 'newer work' } }, timeout]);
    await rest.close();
  });

  it.each([
    ['does not begin', () => {}],
    ['has an error that does not end', (response: Answer) => response.writeHead(503).write('etcd has ')],
  ])('end a watch that %s', async (_, answer) => {
    const patient = createTestClient(server, { timeoutMs: 50 });
    api.fault = (_request, response) => {
      answer(response);
      return true;
    };
    const { signal } = new AbortController();

    const opened = patient.rest.stream({ method: 'GET', path: '/watch', idempotent: true, signal });

    await expect(opened).rejects.toMatchObject({ code: 'ApiTimeout' });
    await patient.rest.close();
  });

  it('leave a watch that has begun its time, and end it when it is aborted', async () => {
    const clock = new FakeClock();
    const { rest } = createTestClient(server, { clock });
    const abort = new AbortController();
    let say: ((text: string) => void) | undefined;
    api.fault = (_request, response) => {
      response.writeHead(200).write('first\n');
      say = (text) => response.write(text);
      return true;
    };
    const body = await rest.stream({ method: 'GET', path: '/watch', idempotent: true, signal: abort.signal });
    const chunks = (body as AsyncIterable<Buffer>)[Symbol.asyncIterator]();
    expect(String((await chunks.next()).value)).toBe('first\n');

    await clock.advance(600_000);
    say?.('second\n');
    expect(String((await chunks.next()).value)).toBe('second\n');
    abort.abort(new Error('the end'));

    await expect(chunks.next()).rejects.toThrow('the end');
    expect(clock.pending).toBe(0);
    await rest.close();
  });

  it('end a request that is aborted, with the reason', async () => {
    api.fault = (request) => request.url?.includes('widgets') ?? false;
    const abort = new AbortController();
    const asked = client.get(ref, { signal: abort.signal });
    await eventually(() => api.calls.length === 1, 'the request');

    abort.abort(new Error('newer work'));

    await expect(asked).rejects.toThrow('newer work');
  });

  it('collect the server’s warnings', async () => {
    api.put(widgets, { metadata: { name: 'w', namespace: 'default' } });
    api.fault = (_request, response) => {
      response.setHeader('warning', '299 - "v1beta1 is deprecated, use \\"v1\\"", 299 - "two"');
      return false;
    };
    await client.discovery.all();
    warnings.length = 0;

    await client.get(ref);

    expect(warnings).toEqual(['v1beta1 is deprecated, use "v1"', 'two']);
  });
});

describe('retries', () => {
  it.each([429, 503])('waits as long as a %s says, and no longer', async (status) => {
    const clock = new FakeClock();
    const patient = createTestClient(server, { clock, onRequest: (request) => sent.push(request) });
    failFirst(2, (response) => response.writeHead(status, { 'retry-after': '2' }).end());

    const created = patient.create(widget);
    for (let round = 0; round < 2; round++) {
      await eventually(() => clock.untilNext === 2_000, 'the wait');
      await clock.advance(2_000);
    }

    expect((await created).metadata.name).toBe('w');
    expect(sent.filter(({ method }) => method === 'POST').map(({ retry }) => retry)).toEqual([false, true, true]);
    await patient.rest.close();
  });

  it('gives up on a 429 that does not end', async () => {
    const impatient = createTestClient(server, { maxRetries: 2 });
    failFirst(100, (response) => response.writeHead(429).end('slow down'));

    await expect(impatient.get(ref)).rejects.toMatchObject({ code: 'ApiTooManyRequests', message: 'slow down' });

    expect(api.calls).toHaveLength(3);
    await impatient.rest.close();
  });

  it('does not wait for a server that asks for minutes', async () => {
    failFirst(1, (response) => response.writeHead(429, { 'retry-after': '600' }).end());

    await expect(client.get(ref)).rejects.toMatchObject({
      code: 'ApiTooManyRequests',
      data: { retryAfterSeconds: 600 },
    });
  });

  it.each([
    ['get', () => client.find(ref)],
    ['apply', () => client.apply(widget, { fieldManager: 'me' })],
    ['merge patch', () => client.patch(ref, { type: 'merge', body: {} })],
    ['delete of one uid', () => client.delete(ref, { uid: 'u' })],
  ])('sends a %s again after a lost connection', async (_verb, run) => {
    api.put(widgets, { metadata: { name: 'w', namespace: 'default' } });
    failFirst(1, (response) => response.destroy());

    await run();

    expect(api.calls).toHaveLength(2);
  });

  it.each([
    ['create', () => client.create(widget)],
    ['update', () => client.update(widget)],
    ['delete', () => client.delete(ref)],
    ['json patch', () => client.patch(ref, { type: 'json', body: [] })],
  ])('does not send a %s again: it may have been done', async (_verb, run) => {
    failFirst(1, (response) => response.destroy());

    await expect(run()).rejects.toMatchObject({ code: 'ApiUnreachable' });

    expect(api.calls).toHaveLength(1);
  });
});
