import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { GitError } from '../../../src/engines/git/errors.ts';
import { fetchCommit } from '../../../src/remote/git/fetch.ts';
import { resolveReference } from '../../../src/remote/git/resolve.ts';
import { failureOf } from '../../support/failure.ts';
import { type Fault, type FaultProxy, startFaultProxy } from '../../support/fault-proxy.ts';
import { commitFiles, git } from '../../support/git.ts';
import { type GitSession, startGitSession } from '../../support/git-session.ts';

describe('Git over a bad network', () => {
  let session: GitSession;
  let proxy: FaultProxy;
  let url: string;
  let work: string;
  let commit: string;

  beforeAll(async () => {
    session = await startGitSession();
    proxy = await startFaultProxy(session.server.url);
    work = (await session.repository('faulty')).work;
    url = `${proxy.url}/faulty.git`;
    // Random text, so that the pack is large enough to break anywhere.
    const files = Object.fromEntries(
      Array.from({ length: 50 }, (_, at) => [`f${at}`, `${Math.sin(at)}${Math.cos(at)}\n`.repeat(20)]),
    );
    commit = await commitFiles(work, files);
    await git(work, 'push', '--quiet', 'origin', 'main');
  });
  beforeEach(() => {
    proxy.inject(undefined);
    proxy.reset();
    session.memory.forget(url);
  });
  afterAll(async () => {
    await proxy.close();
    await session.close();
  });

  const isFetch = ({ method, url: path }: { method: string; url: string }) =>
    method === 'POST' && path.endsWith('upload-pack');

  const failure = (run: Promise<unknown>) => failureOf(run, GitError);

  it('polls with one request and few bytes after the first time', async () => {
    const transport = session.open(url);
    await resolveReference(transport, { branch: 'main' });
    proxy.reset();

    await resolveReference(session.open(url), { branch: 'main' });

    expect(proxy.requests()).toEqual(['POST /faulty.git/git-upload-pack']);
    expect(proxy.received() + proxy.sent()).toBeLessThan(400);
  });

  it.each<[string, Fault, string]>([
    ['cut after the first byte', { kind: 'cut', bytes: 1 }, 'GitConnectionFailed'],
    ['cut in the middle of the pack', { kind: 'cut', bytes: 900 }, 'GitConnectionFailed'],
    ['with a length that is wrong', { kind: 'wrong-length' }, 'GitConnectionFailed'],
    ['with a byte turned in the pack', { kind: 'flip', at: 600 }, 'GitCorruptPack'],
    ['with a byte turned in the framing', { kind: 'flip', at: 1 }, 'GitProtocol'],
  ])('refuses an answer %s, stores nothing, and recovers', async (_name, fault, code) => {
    const store = await session.stores.open(`${url} ${_name}`);
    const transport = session.open(url);
    await resolveReference(transport, { branch: 'main' });
    proxy.inject(fault, isFetch);

    const error = await failure(fetchCommit(transport, store, commit));
    proxy.inject(undefined);

    expect(error.code).toBe(code);
    expect([store.roots(), store.objectCount()]).toEqual([[], 0]);
    expect(await fetchCommit(transport, store, commit)).toMatchObject({ fetched: true });
  });

  it.each<[string, Fault]>([
    ['never answers', { kind: 'stall', bytes: 0 }],
    ['stops in the middle', { kind: 'stall', bytes: 900 }],
    ['trickles', { kind: 'trickle', delayMs: 20 }],
  ])('gives up in time on a server that %s', async (_name, fault) => {
    const store = await session.stores.open(`${url} ${_name}`);
    const transport = session.open(url);
    await resolveReference(transport, { branch: 'main' });
    proxy.inject(fault, isFetch);

    const error = await failure(fetchCommit(transport, store, commit, { signal: AbortSignal.timeout(150) }));

    expect([error.code, error.message]).toEqual([
      'GitTimeout',
      `Post "${url}/git-upload-pack": context deadline exceeded`,
    ]);
    expect(store.objectCount()).toBe(0);
  });

  it.each<[string, Fault, string, string]>([
    [
      '403',
      { kind: 'status', status: 403, body: 'no entry\n' },
      'GitAuthorizationFailed',
      'authorization failed: no entry',
    ],
    ['404', { kind: 'status', status: 404 }, 'GitRepositoryNotFound', 'repository not found: Not Found'],
    ['500', { kind: 'status', status: 500, body: 'oops' }, 'GitHttpStatus', 'status code: 500: oops'],
    ['503', { kind: 'status', status: 503 }, 'GitHttpStatus', 'status code: 503: Service Unavailable'],
    [
      'a login page',
      { kind: 'status', status: 200, headers: { 'content-type': 'text/html' }, body: '<html>log in</html>' },
      'GitProtocol',
      "the answer is not from a Git server: its content type is 'text/html'",
    ],
    ['a closed connection', { kind: 'reset' }, 'GitConnectionFailed', 'unexpected EOF'],
  ])('explains %s', async (_name, fault, code, text) => {
    proxy.inject(fault);

    const error = await failure(resolveReference(session.open(url), { branch: 'main' }));

    expect(error.code).toBe(code);
    expect(error.message).toContain(text);
  });

  it('passes on how long the server wants to be left alone', async () => {
    proxy.inject({ kind: 'status', status: 429, headers: { 'retry-after': '17' } });

    const error = await failure(resolveReference(session.open(url), { branch: 'main' }));

    expect([error.data.status, error.data.retryAfterSeconds]).toEqual([429, 17]);
  });

  it.each([301, 302, 307, 308])('follows a redirect with status %i', async (status) => {
    const location = `${session.server.url}/faulty.git/info/refs?service=git-upload-pack`;
    proxy.inject({ kind: 'status', status, headers: { location } });

    const found = await resolveReference(session.open(url), { branch: 'main' });

    expect(found.commit).toBe(commit);
  });

  it('stops following redirects that go in a circle', async () => {
    proxy.inject({ kind: 'status', status: 302, headers: { location: `${url}/info/refs?service=git-upload-pack` } });

    const error = await failure(resolveReference(session.open(url), { branch: 'main' }));

    expect(error.message).toMatch(/stopped after 10 redirects$/);
  });

  it('finds a server again that moved since the last poll', async () => {
    const transport = session.open(url);
    await resolveReference(transport, { branch: 'main' });
    const location = `${session.server.url}/faulty.git/info/refs?service=git-upload-pack`;
    proxy.inject({ kind: 'status', status: 301, headers: { location } });

    const found = await resolveReference(transport, { branch: 'main' });

    expect(found.commit).toBe(commit);
  });

  it('uses a new connection when the server closed the kept one', async () => {
    const transport = session.open(url);
    await resolveReference(transport, { branch: 'main' });
    let hits = 0;
    proxy.inject({ kind: 'reset' }, () => hits++ === 0);

    const found = await resolveReference(transport, { branch: 'main' });

    expect([found.commit, hits]).toEqual([commit, 2]);
  });

  describe('with credentials', () => {
    let stranger: Server;
    let strangerUrl: string;
    let seen: (string | undefined)[];

    beforeAll(async () => {
      stranger = createServer((request, response) => {
        seen.push(request.headers.authorization);
        response.writeHead(404).end();
      });
      await new Promise<void>((resolve) => stranger.listen(0, '127.0.0.1', resolve));
      strangerUrl = `http://127.0.0.1:${(stranger.address() as AddressInfo).port}`;
    });
    beforeEach(() => {
      seen = [];
    });
    afterAll(() => new Promise((resolve) => stranger.close(resolve)));

    it('does not show them to another host', async () => {
      proxy.inject({ kind: 'status', status: 302, headers: { location: `${strangerUrl}/x/info/refs` } });
      const auth = { basic: { username: 'ada', password: 'canary-secret' } };

      const error = await failure(resolveReference(session.open(url, auth), { branch: 'main' }));

      expect(seen).toEqual([undefined]);
      expect(`${error.message}${JSON.stringify(error.data)}`).not.toContain('canary');
    });

    it('does not show them in an error', async () => {
      const secret = url.replace('//', '//ada:canary-secret@');
      proxy.inject({ kind: 'status', status: 500 });

      const error = await failure(resolveReference(session.open(secret), { branch: 'main' }));

      expect(`${error.stack}${JSON.stringify(error.data)}`).not.toContain('canary');
    });
  });
});
