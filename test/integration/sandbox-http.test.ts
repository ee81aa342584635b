// The embedded API server over plain HTTP: watches, paging, and input that a server must survive.
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, request } from 'undici';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Sandbox, startSandbox } from '../../src/sandbox/server.ts';
import { bindFreePort } from '../cluster/processes.ts';

interface Reply {
  readonly status: number;
  readonly text: string;
  readonly json: Record<string, unknown>;
}

interface WatchEvent {
  readonly type: string;
  readonly object: {
    readonly metadata: {
      readonly name?: string;
      readonly resourceVersion: string;
      readonly annotations?: Record<string, string>;
    };
    readonly code?: number;
  };
}

describe('the embedded API server over HTTP', () => {
  let sandbox: Sandbox;
  let agent: Agent;
  const bugs: unknown[] = [];

  beforeAll(async () => {
    sandbox = await startSandbox({ onBug: (error) => bugs.push(error) });
    agent = new Agent({ connect: { ca: sandbox.caPem }, allowH2: false });
  });
  afterAll(async () => {
    await agent?.destroy();
    await sandbox?.close();
  });

  async function call(
    method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE',
    path: string,
    options: { body?: unknown; headers?: Record<string, string> } = {},
  ): Promise<Reply> {
    const { body, headers = {} } = options;
    const answer = await request(sandbox.url + path, {
      method,
      dispatcher: agent,
      headers: {
        authorization: `Bearer ${sandbox.token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await answer.body.text();
    let json: Record<string, unknown> = {};
    try {
      json = JSON.parse(text) as Record<string, unknown>;
    } catch {
      // Some answers are plain text, and some tests want those.
    }
    return { status: answer.statusCode, text, json };
  }

  async function namespace(name: string): Promise<string> {
    await call('POST', '/api/v1/namespaces', { body: { metadata: { name } } });
    return `/api/v1/namespaces/${name}/configmaps`;
  }

  /** Events of a watch until `count` have come. */
  async function watch(path: string, count: number): Promise<WatchEvent[]> {
    const answer = await request(sandbox.url + path, {
      dispatcher: agent,
      headers: { authorization: `Bearer ${sandbox.token}` },
    });
    const events: WatchEvent[] = [];
    let rest = '';
    for await (const chunk of answer.body) {
      rest += String(chunk);
      const lines = rest.split('\n');
      rest = lines.pop() ?? '';
      events.push(...lines.map((line) => JSON.parse(line) as WatchEvent));
      if (events.length >= count) break;
    }
    return events;
  }

  const shown = (events: readonly WatchEvent[]): string[] =>
    events.map(({ type, object }) => `${type} ${object.metadata.name ?? ''}`);

  it('ends though a client has connected and not begun to speak', async () => {
    // A port that the system gives may be another test's server's as soon as it is free again.
    const started: Sandbox[] = [];
    const port = await bindFreePort(async (free) => void started.push(await startSandbox({ port: free })));
    const server = started[0] as Sandbox;
    const client = connect(port, '127.0.0.1');
    client.on('error', () => {});
    const ended = new Promise((resolve) => client.on('close', resolve));
    await new Promise((resolve) => client.on('connect', resolve));

    await server.close();

    await ended;
    await expect(request(`${server.url}/readyz`, { dispatcher: agent })).rejects.toMatchObject({
      code: 'ECONNREFUSED',
    });
  });

  describe('watching', () => {
    it('resumes from a revision without loss', async () => {
      const path = await namespace('resume');
      const first = await call('POST', path, { body: { metadata: { name: 'a' } } });
      const { resourceVersion } = first.json['metadata'] as { resourceVersion: string };
      await call('POST', path, { body: { metadata: { name: 'b' } } });
      await call('DELETE', `${path}/a`);

      const events = await watch(
        `${path}?watch=1&resourceVersion=${resourceVersion}&fieldSelector=metadata.name!=kube-root-ca.crt`,
        2,
      );

      expect(shown(events)).toEqual(['ADDED b', 'DELETED a']);
    });

    it('shows objects coming and going as they start and stop to match', async () => {
      const path = await namespace('selector');
      const made = await call('POST', path, { body: { metadata: { name: 'a' } } });
      const { resourceVersion } = made.json['metadata'] as { resourceVersion: string };
      const label = (value: string | null) =>
        call('PATCH', `${path}/a`, {
          body: { metadata: { labels: { on: value } } },
          headers: { 'content-type': 'application/merge-patch+json' },
        });
      await label('yes');
      await label('YES');
      await label(null);

      const events = await watch(`${path}?watch=1&labelSelector=on&resourceVersion=${resourceVersion}`, 3);

      expect(shown(events)).toEqual(['ADDED a', 'MODIFIED a', 'DELETED a']);
    });

    it('sends initial events and marks their end', async () => {
      const path = await namespace('initial');
      await call('POST', path, { body: { metadata: { name: 'a' } } });

      const events = await watch(
        `${path}?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&fieldSelector=metadata.name=a`,
        2,
      );

      expect(shown(events)).toEqual(['ADDED a', 'BOOKMARK ']);
      expect(events[1]?.object.metadata.annotations).toEqual({ 'k8s.io/initial-events-end': 'true' });
    });

    it('says 410 for a revision that is no longer kept', async () => {
      const path = await namespace('old');
      await call('POST', path, { body: { metadata: { name: 'a' } } });
      for (let i = 0; i < 3000; i++) {
        const live = sandbox.store.get({ group: '', resource: 'configmaps' }, 'old', 'a')!;
        sandbox.store.update({ group: '', resource: 'configmaps' }, { ...live, data: { i: String(i) } });
      }

      const [event] = await watch(`${path}?watch=1&resourceVersion=5`, 1);

      expect(event?.type).toBe('ERROR');
      expect(event?.object).toMatchObject({ code: 410, reason: 'Expired' });
    });

    it('ends at the time the client asked for, with a bookmark two seconds before', async () => {
      const path = await namespace('timeout');

      const events = await watch(
        `${path}?watch=1&timeoutSeconds=3&allowWatchBookmarks=true&fieldSelector=metadata.name=none`,
        99,
      );

      expect(shown(events)).toEqual(['BOOKMARK ']);
    });
  });

  describe('paging', () => {
    it('walks a consistent state although objects come and go', async () => {
      const path = await namespace('pages');
      for (const name of ['a', 'b', 'c', 'd'])
        await call('POST', path, { body: { metadata: { name, labels: { page: 'yes' } } } });

      const first = await call('GET', `${path}?limit=2`);
      const {
        continue: token,
        remainingItemCount,
        resourceVersion,
      } = first.json['metadata'] as { continue: string; remainingItemCount: number; resourceVersion: string };
      await call('DELETE', `${path}/c`);
      await call('POST', path, { body: { metadata: { name: 'bb' } } });
      const second = await call('GET', `${path}?limit=9&continue=${encodeURIComponent(token)}`);

      const names = (reply: Reply): string[] =>
        (reply.json['items'] as { metadata: { name: string } }[]).map(({ metadata }) => metadata.name);
      expect(names(first)).toEqual(['a', 'b']);
      expect(remainingItemCount).toBe(3);
      expect(names(second)).toEqual(['c', 'd', 'kube-root-ca.crt']);
      expect(second.json['metadata']).toEqual({ resourceVersion });
    });
  });

  describe('bad input', () => {
    it.each([
      { what: 'a body that is no JSON', method: 'POST', path: '/api/v1/namespaces', body: '{"a":', status: 400 },
      { what: 'a body that is an array', method: 'POST', path: '/api/v1/namespaces', body: '[]', status: 400 },
      {
        what: 'a body over 3 MiB',
        method: 'POST',
        path: '/api/v1/namespaces',
        body: `"${'x'.repeat(4 * 1024 * 1024)}"`,
        status: 413,
      },
      {
        what: 'a depth that would overflow a stack',
        method: 'POST',
        path: '/api/v1/namespaces',
        body: `{"metadata":{"name":"x"},"spec":${'['.repeat(50_000)}${']'.repeat(50_000)}}`,
        status: 400,
      },
      { what: 'an unknown group', method: 'GET', path: '/apis/no.such/v1/things', body: undefined, status: 404 },
      { what: 'an unknown path', method: 'GET', path: '/../../etc/passwd', body: undefined, status: 404 },
      {
        what: 'an encoded path trick',
        method: 'GET',
        path: '/api/v1/namespaces/default/configmaps/..%2f..%2fsecrets',
        body: undefined,
        status: 404,
      },
      {
        what: 'broken percent encoding',
        method: 'GET',
        path: '/api/v1/namespaces/%E0%A4%A/configmaps',
        body: undefined,
        status: 200,
      },
      {
        what: 'a continue token of somebody else',
        method: 'GET',
        path: '/api/v1/namespaces?limit=1&continue=abc',
        body: undefined,
        status: 400,
      },
      {
        what: 'a selector that does not end',
        method: 'GET',
        path: `/api/v1/pods?labelSelector=${encodeURIComponent('a in (')}`,
        body: undefined,
        status: 400,
      },
    ] as const)('answers $what with $status', async ({ method, path, body, status }) => {
      const reply = await call(method, path, body === undefined ? {} : { body });

      expect(reply.status).toBe(status);
    });

    it('takes neither keys nor names for prototypes', async () => {
      const path = await namespace('proto');

      const reply = await call('POST', path, {
        body: '{"metadata":{"name":"p","labels":{"constructor":"x"}},"data":{"__proto__":"y","toString":"z"}}',
      });

      expect(reply.status).toBe(201);
      expect(reply.text).toContain('"__proto__":"y"');
      expect((await call('GET', `${path}?labelSelector=hasOwnProperty`)).json['items']).toEqual([]);
      expect((await call('GET', '/apis/__proto__/v1/constructor')).status).toBe(404);
    });

    it('refuses unknown tokens, and gives strangers only what is public', async () => {
      expect((await call('GET', '/api/v1/namespaces', { headers: { authorization: 'Bearer nope' } })).status).toBe(401);
      expect((await call('GET', '/api/v1/namespaces', { headers: { authorization: 'Bearer a.b.c' } })).status).toBe(
        401,
      );
      const anonymous = await request(`${sandbox.url}/api/v1/namespaces`, { dispatcher: agent });
      expect(anonymous.statusCode).toBe(403);
      expect(await anonymous.body.text()).toContain(
        'namespaces is forbidden: User \\"system:anonymous\\" cannot list resource',
      );
      const probe = await request(`${sandbox.url}/readyz`, { dispatcher: agent });
      expect([probe.statusCode, await probe.body.text()]).toEqual([200, 'ok']);
    });

    it('keeps answering beside watches that nobody reads', async () => {
      const path = await namespace('slow');
      const big = 'x'.repeat(100_000);
      await call('POST', path, { body: { metadata: { name: 'big' }, data: { big } } });
      const slow = new Agent({ connect: { ca: sandbox.caPem }, allowH2: false, connections: 50 });
      const watches = await Promise.all(
        Array.from({ length: 50 }, () =>
          request(`${sandbox.url}${path}?watch=1`, {
            dispatcher: slow,
            headers: { authorization: `Bearer ${sandbox.token}` },
          }),
        ),
      );

      for (let i = 0; i < 200; i++) {
        const live = sandbox.store.get({ group: '', resource: 'configmaps' }, 'slow', 'big')!;
        sandbox.store.update({ group: '', resource: 'configmaps' }, { ...live, data: { big, i: String(i) } });
      }
      await sleep(50);

      expect((await call('GET', `${path}/big`)).status).toBe(200);
      for (const { body } of watches) body.on('error', () => {}).destroy();
      await slow.destroy();
    });

    it('met no bug of its own meanwhile', () => {
      expect(bugs).toEqual([]);
    });
  });
});
