// The registry client beside a server that answers by the book or badly: logins, pages, pauses, broken connections,
// wrong digests, redirects (distribution specification; threats.md §3, §4 rows 6, 7, 16).
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createHttpDoor, type HttpDoor } from '../../../src/remote/http.ts';
import type { RegistryLogin } from '../../../src/remote/oci/login.ts';
import {
  type BlobSink,
  createRegistry,
  type Registry,
  type RegistryOptions,
} from '../../../src/remote/oci/registry.ts';
import { FakeClock } from '../../support/clock.ts';

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

let http: HttpDoor;
let server: Server;
let host = '';
let answers: Map<string, Answer>;
let seen: { readonly path: string; readonly authorization: string | undefined; readonly range: string | undefined }[];
const signal = new AbortController().signal;

beforeAll(async () => {
  http = createHttpDoor({ blockLinkLocal: true });
  server = createServer((request, response) => {
    const path = request.url ?? '';
    seen.push({ path, authorization: request.headers.authorization, range: request.headers.range });
    const answer = answers.get(path) ?? answers.get(path.replace(/\?.*$/, ''));
    if (answer === undefined) response.writeHead(404).end();
    else answer(request, response);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  await http.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});
beforeEach(() => {
  answers = new Map();
  seen = [];
});

const ada: RegistryLogin = { kind: 'password', username: 'ada', password: 'secret' };
const basic = `Basic ${Buffer.from('ada:secret').toString('base64')}`;

function registry(options: Partial<RegistryOptions> = {}): Registry {
  const repository = { host, path: 'org/app' };
  return createRegistry({ http, clock: new FakeClock(), repository, insecure: true, ...options });
}

const json =
  (body: unknown, status = 200, headers: Record<string, string> = {}): Answer =>
  (_request, response) =>
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));

function digestOf(bytes: Uint8Array | string): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

/** Collects a blob. */
function sink(): BlobSink & { bytes(): Buffer; readonly restarts: number } {
  let parts: Buffer[] = [];
  let restarts = 0;
  return {
    write: async (chunk) => void parts.push(chunk),
    restart: async () => {
      parts = [];
      restarts++;
    },
    bytes: () => Buffer.concat(parts),
    get restarts() {
      return restarts;
    },
  };
}

describe('logging in', () => {
  /** Tags that are shown to those with a token; the token service takes what `accepts`. */
  function serveTokens(realm: string): void {
    const challenge = `Bearer realm="${realm}",service="test",scope="ignored"`;
    answers.set('/v2/org/app/tags/list', (request, response) =>
      request.headers.authorization === 'Bearer good'
        ? json({ tags: ['v1'] })(request, response)
        : response.writeHead(401, { 'www-authenticate': challenge }).end(),
    );
  }

  it('trades a password for a token, once', async () => {
    serveTokens(`http://${host}/token`);
    answers.set('/token', json({ access_token: 'good', expires_in: 300 }));
    const opened = registry({ login: ada });

    await opened.tags(signal);
    await opened.tags(signal);

    expect(seen.filter(({ path }) => path.startsWith('/token'))).toEqual([
      { path: '/token?service=test&scope=repository%3Aorg%2Fapp%3Apull', authorization: basic, range: undefined },
    ]);
    expect(seen.filter(({ path }) => path.includes('/tags/')).map(({ authorization }) => authorization)).toEqual([
      undefined,
      'Bearer good',
      'Bearer good',
    ]);
  });

  it('asks for another token when the first has run out', async () => {
    serveTokens(`http://${host}/token`);
    answers.set('/token', json({ token: 'good', expires_in: 60 }));
    const clock = new FakeClock();
    const opened = registry({ clock });

    await opened.tags(signal);
    await clock.advance(61_000);
    await opened.tags(signal);

    expect(seen.filter(({ path }) => path.startsWith('/token'))).toHaveLength(2);
  });

  it('sends no password to a token service of another party, and says so', async () => {
    serveTokens('http://localhost:1/token');

    await expect(registry({ login: ada }).tags(signal)).rejects.toMatchObject({
      code: 'RegistryUnauthorized',
      message: `registry http://${host} wants its credentials to be sent to http://localhost:1, which is another party: refused`,
    });
  });

  it.each(['', 'file:///etc/passwd', 'http://[', 'http://169.254.169.254/token'])(
    'refuses the token service %j',
    async (realm) => {
      serveTokens(realm);

      await expect(registry().tags(signal)).rejects.toThrow(
        /no usable token service|no token in the answer|link-local|401|404/,
      );
    },
  );

  it('trades a refresh token', async () => {
    serveTokens(`http://${host}/token`);
    let form = '';
    answers.set('/token', (request, response) => {
      request.on('data', (chunk) => {
        form += chunk;
      });
      request.on('end', () => json({ access_token: 'good' })(request, response));
    });

    await registry({ login: { kind: 'refresh', token: 'r t' } }).tags(signal);

    expect(Object.fromEntries(new URLSearchParams(form))).toMatchObject({
      grant_type: 'refresh_token',
      refresh_token: 'r t',
    });
  });

  it.each(['{}', '{"token": 1}', '{"token": "a b"}', 'text', ''])('refuses the token %j', async (body) => {
    serveTokens(`http://${host}/token`);
    answers.set('/token', (_request, response) => response.end(body));

    await expect(registry().tags(signal)).rejects.toMatchObject({ code: 'RegistryMalformed' });
  });

  it('tells a registry that refuses from one that has no such thing', async () => {
    const refused = (code: string, status: number) => json({ errors: [{ code, message: 'because' }] }, status);
    answers.set('/v2/org/app/tags/list', refused('DENIED', 403));
    answers.set('/v2/org/app/manifests/v1', refused('MANIFEST_UNKNOWN', 404));

    await expect(registry().tags(signal)).rejects.toMatchObject({
      code: 'RegistryDenied',
      message: `GET http://${host}/v2/org/app/tags/list: DENIED: because`,
    });
    await expect(registry().manifest('v1', signal)).rejects.toMatchObject({ code: 'RegistryNotFound' });
  });
});

describe('tags', () => {
  it('come page by page', async () => {
    const next = (last: string) => ({ link: `</v2/org/app/tags/list?last=${last}&n=1000>; rel="next"` });
    answers.set('/v2/org/app/tags/list?n=1000', json({ tags: ['a', 'b'] }, 200, next('b')));
    answers.set('/v2/org/app/tags/list?last=b&n=1000', json({ tags: ['c', 1, null] }, 200, next('c')));
    answers.set('/v2/org/app/tags/list?last=c&n=1000', json({ tags: null }));

    expect(await registry().tags(signal)).toEqual(['a', 'b', 'c']);
  });

  it.each([
    ['https://example.com/v2/org/app/tags/list', 'goes on at another place'],
    ['/v2/other/tags/list', 'goes on at another place'],
    ['/v2/org/app/tags/list?n=1000', 'leads back to itself'],
  ])('are not followed to %s', async (place, message) => {
    answers.set('/v2/org/app/tags/list', json({ tags: ['a'] }, 200, { link: `<${place}>; rel="next"` }));

    await expect(registry().tags(signal)).rejects.toMatchObject({
      code: 'RegistryMalformed',
      message: expect.stringContaining(message),
    });
  });

  it('end somewhere', async () => {
    let page = 0;
    answers.set('/v2/org/app/tags/list', (request, response) => {
      const tags = Array.from({ length: 50_000 }, (_, index) => `t${index}`);
      json({ tags }, 200, { link: `</v2/org/app/tags/list?page=${++page}>; rel="next"` })(request, response);
    });

    await expect(registry().tags(signal)).rejects.toMatchObject({ code: 'RegistryTooLarge' });
    expect(page).toBeLessThan(10);
  });
});

describe('pauses', () => {
  it('are as long as the registry wants', async () => {
    const start = Date.UTC(2026, 0, 1);
    const slept: number[] = [];
    const clock = { now: () => start, sleep: async (ms: number) => void slept.push(ms) };
    const waits = ['2', new Date(start + 3000).toUTCString()];
    answers.set('/v2/org/app/tags/list', (request, response) => {
      const wait = waits.shift();
      if (wait === undefined) json({ tags: ['a'] })(request, response);
      else response.writeHead(429, { 'retry-after': wait }).end();
    });

    expect(await registry({ clock }).tags(signal)).toEqual(['a']);
    expect(slept).toEqual([2000, 3000]);
  });

  it('that are too long are left to the caller', async () => {
    answers.set('/v2/org/app/tags/list', (_request, response) =>
      response.writeHead(429, { 'retry-after': '3600' }).end(),
    );

    await expect(registry().tags(signal)).rejects.toMatchObject({
      code: 'RegistryRateLimited',
      data: { status: 429, retryAfterMs: 3_600_000 },
    });
  });
});

describe('manifests', () => {
  const bytes = '{"layers":[]}';

  it('are resolved by HEAD, else by GET', async () => {
    answers.set('/v2/org/app/manifests/head', (request, response) =>
      response.writeHead(request.method === 'HEAD' ? 200 : 500, { 'docker-content-digest': digestOf(bytes) }).end(),
    );
    answers.set('/v2/org/app/manifests/get', (request, response) =>
      request.method === 'HEAD' ? response.writeHead(405).end() : response.end(bytes),
    );

    expect(await registry().resolveTag('head', signal)).toBe(digestOf(bytes));
    expect(await registry().resolveTag('get', signal)).toBe(digestOf(bytes));
  });

  it('have the digest that they are asked for by, and the one that the registry says', async () => {
    const wanted = digestOf('something else');
    answers.set(`/v2/org/app/manifests/${wanted}`, (_request, response) => response.end(bytes));
    answers.set('/v2/org/app/manifests/v1', (_request, response) =>
      response.writeHead(200, { 'docker-content-digest': wanted }).end(bytes),
    );

    for (const reference of [wanted, 'v1']) {
      await expect(registry().manifest(reference, signal)).rejects.toMatchObject({ code: 'RegistryDigestMismatch' });
    }
  });
});

describe('blobs', () => {
  const bytes = Buffer.alloc(300_000, 'abcdefghij');
  const digest = digestOf(bytes);
  const path = `/v2/org/app/blobs/${digest}`;
  const blob = { digest, size: bytes.length };

  it('go on where the connection broke', async () => {
    answers.set(path, (request, response) => {
      const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
      const status = from > 0 ? 206 : 200;
      const headers = {
        'content-length': bytes.length - from,
        'content-range': `bytes ${from}-${bytes.length - 1}/${bytes.length}`,
      };
      response.writeHead(status, headers);
      if (from >= 200_000) return void response.end(bytes.subarray(from));
      response.write(bytes.subarray(from, from + 100_000), () => setImmediate(() => response.destroy()));
    });
    const into = sink();

    await registry().blob(blob, into, signal);

    expect(into.bytes().equals(bytes)).toBe(true);
    expect(into.restarts).toBe(0);
    expect(seen.filter((request) => request.path === path).map(({ range }) => range)).toEqual([
      undefined,
      'bytes=100000-',
      'bytes=200000-',
    ]);
  });

  it('begin anew where the server cannot go on', async () => {
    let attempts = 0;
    answers.set(path, (_request, response) => {
      response.writeHead(200, { 'content-length': bytes.length });
      if (++attempts > 1) return void response.end(bytes);
      response.write(bytes.subarray(0, 100_000), () => setImmediate(() => response.destroy()));
    });
    const into = sink();

    await registry().blob(blob, into, signal);

    expect(into.bytes().equals(bytes)).toBe(true);
    expect(into.restarts).toBe(1);
  });

  it('are given up when nothing more comes', async () => {
    answers.set(path, (request, response) => {
      const from = request.headers.range === undefined ? 0 : 1000;
      response.writeHead(from > 0 ? 206 : 200, {
        'content-length': bytes.length - from,
        'content-range': `bytes ${from}-1/2`,
      });
      if (from > 0) return void response.destroy();
      response.write(bytes.subarray(0, 1000), () => setImmediate(() => response.destroy()));
    });

    await expect(registry().blob(blob, sink(), signal)).rejects.toMatchObject({ code: 'RemoteBroken' });
    expect(seen.filter((request) => request.path === path).length).toBeLessThan(5);
  });

  it.each([
    ['another content', Buffer.alloc(300_000, 'x')],
    ['more than they say', Buffer.concat([bytes, bytes])],
    ['less than they say', bytes.subarray(1)],
  ])('are refused with %s', async (_name, content) => {
    answers.set(path, (_request, response) => response.end(content));

    await expect(registry().blob(blob, sink(), signal)).rejects.toMatchObject({
      code: expect.stringMatching(/^(?:RegistryDigestMismatch|RemoteTooLarge)$/),
    });
  });

  it('come from where a redirect leads, without the password', async () => {
    const elsewhere = `http://${host.replace('127.0.0.1', 'localhost')}/cdn?signature=x`;
    answers.set(path, (request, response) =>
      request.headers.authorization === basic
        ? response.writeHead(307, { location: elsewhere }).end()
        : response.writeHead(401, { 'www-authenticate': 'Basic realm="test"' }).end(),
    );
    answers.set('/cdn', (_request, response) => response.end(bytes));
    const into = sink();

    await registry({ login: ada }).blob(blob, into, signal);

    expect(into.bytes().equals(bytes)).toBe(true);
    expect(seen.at(-1)).toMatchObject({ path: '/cdn?signature=x', authorization: undefined });
  });

  it('do not come from the machine’s own metadata service', async () => {
    answers.set(path, (_request, response) =>
      response.writeHead(302, { location: 'http://169.254.169.254/latest' }).end(),
    );

    await expect(registry().blob(blob, sink(), signal)).rejects.toThrow('169.254.169.254 is a link-local address');
  });

  it('that are small have a limit', async () => {
    const descriptor = { ...blob, mediaType: '', annotations: {} };

    await expect(registry().smallBlob(descriptor, 1000, signal)).rejects.toMatchObject({ code: 'RegistryTooLarge' });
  });
});

describe('referrers', () => {
  const digest = digestOf('artifact');
  const found = { mediaType: 'm', digest: digestOf('r'), size: 1, artifactType: 'a' };

  it('are listed by the registry, else by a tag, else there are none', async () => {
    answers.set(`/v2/org/app/referrers/${digest}`, json({ manifests: [found] }));
    expect(await registry().referrers(digest, signal)).toEqual([{ ...found, annotations: {} }]);

    answers.clear();
    answers.set(`/v2/org/app/manifests/${digest.replace(':', '-')}`, json({ manifests: [found] }));
    expect(await registry().referrers(digest, signal)).toHaveLength(1);

    answers.clear();
    expect(await registry().referrers(digest, signal)).toEqual([]);
  });
});
