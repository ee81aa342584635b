import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createHttpDoor, type HttpDoor, RemoteError } from '../../../src/remote/http.ts';
import { isLinkLocal } from '../../../src/remote/internal/agents.ts';
import { isSameParty } from '../../../src/remote/internal/redirects.ts';
import { failureOf } from '../../support/failure.ts';

describe('the HTTP door', () => {
  let door: HttpDoor;
  let servers: Server[] = [];

  beforeAll(() => {
    door = createHttpDoor();
  });
  afterEach(async () => {
    for (const server of servers) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
    servers = [];
  });
  afterAll(() => door.close());

  async function serve(listener: RequestListener): Promise<string> {
    const server = createServer(listener);
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  const failure = (run: Promise<unknown>) => failureOf(run, RemoteError);

  it('stops a body at its limit', async () => {
    const url = await serve((_request, response) => response.end(Buffer.alloc(100_000)));

    const error = await failure(door.request({ url, maxBodyBytes: 99_999 }).then((answer) => answer.bytes()));

    expect([error.code, error.data.limit]).toEqual(['RemoteTooLarge', 99_999]);
    expect((await (await door.request({ url, maxBodyBytes: 100_000 })).bytes()).length).toBe(100_000);
  });

  it('counts what gzip unfolds to, not what came', async () => {
    const bomb = gzipSync(Buffer.alloc(10_000_000));
    const url = await serve((_request, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb));

    const error = await failure(
      door.request({ url, gzip: true, maxBodyBytes: 1_000_000 }).then((answer) => answer.bytes()),
    );

    expect(error.code).toBe('RemoteTooLarge');
    expect(bomb.length).toBeLessThan(20_000);
  });

  it('ends at the deadline before the head and within the body', async () => {
    const silent = await serve(() => {});
    const halting = await serve((_request, response) => void response.writeHead(200).write('x'));

    const first = await failure(door.request({ url: silent, timeoutMs: 50 }));
    const second = await failure(door.request({ url: halting, timeoutMs: 50 }).then((answer) => answer.text()));

    expect([first.code, second.code]).toEqual(['RemoteTimeout', 'RemoteTimeout']);
    expect(first.message).toBe(`Get "${silent}/": context deadline exceeded`);
  });

  it('ends when its signal aborts', async () => {
    const url = await serve(() => {});
    const controller = new AbortController();
    const run = failure(door.request({ url, signal: controller.signal }));

    controller.abort();

    expect((await run).code).toBe('RemoteAborted');
  });

  it('carries credentials to no other host, and neither cookies', async () => {
    const seen: IncomingMessage['headers'][] = [];
    const stranger = await serve((request, response) => {
      seen.push(request.headers);
      response.end('stranger');
    });
    const url = await serve((_request, response) => response.writeHead(307, { location: `${stranger}/x` }).end());
    const headers = { cookie: 'a=1', 'private-token': 't', 'x-plain': 'kept' };

    const answer = await door.request({ url, method: 'POST', body: 'data', authorization: 'Basic canary', headers });

    expect(await answer.text()).toBe('stranger');
    expect(answer.url).toBe(`${stranger}/x`);
    expect(seen[0]).toMatchObject({ 'x-plain': 'kept' });
    expect(JSON.stringify(seen[0])).not.toMatch(/canary|cookie|private-token/);
  });

  it('turns a POST into a GET on 303, and back to the first host without its credentials', async () => {
    let home = '';
    const seen: string[] = [];
    const stranger = await serve((_request, response) => response.writeHead(302, { location: `${home}/back` }).end());
    home = await serve((request, response) => {
      seen.push(`${request.method} ${request.url} ${request.headers.authorization ?? 'anonymous'}`);
      if (request.url === '/back') response.end('done');
      else response.writeHead(303, { location: stranger }).end();
    });

    const answer = await door.request({ url: `${home}/first`, method: 'POST', body: 'x', authorization: 'Basic a' });

    expect(await answer.text()).toBe('done');
    expect(seen).toEqual(['POST /first Basic a', 'GET /back anonymous']);
  });

  it.each(['file:///etc/passwd', 'gopher://x', 'javascript:alert(1)'])(
    'does not follow a redirect to %s',
    async (location) => {
      const url = await serve((_request, response) => response.writeHead(302, { location }).end());

      const error = await failure(door.request({ url }));

      expect(error.code).toBe('RemoteRedirect');
    },
  );

  it.each(['file:///etc/passwd', 'nonsense', 'ftp://h/x'])('refuses the URL %s', async (url) => {
    expect((await failure(door.request({ url }))).code).toBe('RemoteUrlInvalid');
  });

  it('shows neither credentials nor a signed query in errors', async () => {
    const error = await failure(door.request({ url: 'http://ada:canary@127.0.0.1:1/x?sig=canary' }));

    expect(`${error.message}${JSON.stringify(error.data)}`).not.toContain('canary');
    expect(error.data).toEqual({ url: 'http://127.0.0.1:1/x', address: '127.0.0.1:1' });
  });

  it('says that a name does not exist', async () => {
    const error = await failure(door.request({ url: 'http://does-not-exist.invalid/x' }));

    expect(error.code).toBe('RemoteConnect');
    expect(error.message).toMatch(/dial tcp: lookup does-not-exist\.invalid: (no such host|try again)/);
  });

  it('refuses link-local addresses when told to', async () => {
    const guarded = createHttpDoor({ blockLinkLocal: true });

    const error = await failure(guarded.request({ url: 'http://169.254.169.254/latest/meta-data', timeoutMs: 2000 }));
    await guarded.close();

    expect([error.code, error.message]).toEqual(['RemoteConnect', expect.stringContaining('link-local')]);
  });

  it('uses its connections again', async () => {
    const ports = new Set<number>();
    const url = await serve((request, response) => {
      ports.add(request.socket.remotePort ?? 0);
      response.end('x');
    });

    for (let round = 0; round < 5; round++) await (await door.request({ url })).text();

    // The next request may start while the last one's connection is still being given back.
    expect(ports.size).toBeLessThan(3);
  });
});

describe('isSameParty', () => {
  it.each([
    ['https://h/a', 'https://h/b', true],
    ['https://h/a', 'https://h:443/b', true],
    ['http://h/a', 'https://h/b', true],
    ['https://h/a', 'http://h/b', false],
    ['http://h:8080/a', 'https://h/b', false],
    ['https://h/a', 'https://h:8443/b', false],
    ['https://h/a', 'https://h.evil.com/b', false],
  ])('%s and %s: %s', (from, to, want) => {
    expect(isSameParty(new URL(from), new URL(to))).toBe(want);
  });
});

describe('isLinkLocal', () => {
  it.each([
    ['169.254.169.254', true],
    ['::ffff:169.254.1.1', true],
    ['::ffff:a9fe:101', true],
    ['fd00:ec2::254', true],
    ['fe80::1', true],
    ['febf::1', true],
    ['10.0.0.1', false],
    ['fec0::1', false],
  ])('%s: %s', (address, want) => {
    expect(isLinkLocal(address)).toBe(want);
  });
});
