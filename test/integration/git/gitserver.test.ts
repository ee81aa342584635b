import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FLUSH_PKT, formatPkt } from '../../../src/engines/git/protocol/pktline.ts';
import { type GitServer, startGitServer } from '../../../src/sandbox/gitserver.ts';
import { commitFiles, createWorkTree, git, temporaryFolder } from '../../support/git.ts';

describe('the loopback Git server', () => {
  const { dir, remove } = temporaryFolder('gitserver');
  const root = join(dir, 'root');
  let server: GitServer;

  beforeAll(async () => {
    server = await startGitServer({ root });
  });
  afterAll(async () => {
    await server.close();
    remove();
  });

  function ask(
    path: string,
    options: { method?: string; headers?: Record<string, string>; body?: Buffer } = {},
  ): Promise<{ status: number; body: Buffer }> {
    return new Promise((resolve, reject) => {
      const { method = 'GET', headers = {} } = options;
      const asked = request({ host: '127.0.0.1', port: server.port, path, method, headers }, (answer) => {
        const parts: Buffer[] = [];
        answer.on('data', (part: Buffer) => parts.push(part));
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body: Buffer.concat(parts) }));
      });
      asked.on('error', reject);
      asked.end(options.body);
    });
  }

  it('takes pushes from anybody, forced ones too, and serves what was pushed', async () => {
    const { url } = await server.createRepository('open');
    const work = join(dir, 'open');
    await createWorkTree(work);
    await commitFiles(work, { a: '1' });
    await git(work, 'push', '--quiet', url, 'main');
    await git(work, 'commit', '--quiet', '--amend', '--message', 'other');
    await git(work, 'push', '--quiet', '--force', url, 'main');

    const clone = join(dir, 'open-clone');
    await git(dir, 'clone', '--quiet', '--filter=blob:none', url, clone);

    expect(await git(clone, 'log', '--format=%s')).toBe('other');
    expect(readFileSync(join(clone, 'a'), 'utf8')).toBe('1');
  });

  it('serves repositories that are made beside it', async () => {
    mkdirSync(join(root, 'team'), { recursive: true });
    execFileSync('git', ['init', '--quiet', '--bare', join(root, 'team', 'later.git')]);

    expect((await ask('/team/later.git/info/refs?service=git-upload-pack')).status).toBe(200);
  });

  it('makes a repository once, with the branch main', async () => {
    const first = await server.createRepository('twice');
    const again = await server.createRepository('twice.git');

    expect(again).toEqual(first);
    expect(readFileSync(join(first.dir, 'HEAD'), 'utf8')).toBe('ref: refs/heads/main\n');
  });

  it('takes a request that is compressed', async () => {
    const { url } = await server.createRepository('zipped');
    const work = join(dir, 'zipped');
    await createWorkTree(work);
    await commitFiles(work, { a: '1' });
    await git(work, 'push', '--quiet', url, 'main');
    const body = gzipSync(Buffer.concat([formatPkt('command=ls-refs\n'), Buffer.from('0001'), FLUSH_PKT]));
    const headers = {
      'content-type': 'application/x-git-upload-pack-request',
      'content-encoding': 'gzip',
      'git-protocol': 'version=2',
    };

    const answer = await ask('/zipped.git/git-upload-pack', { method: 'POST', headers, body });

    expect([answer.status, answer.body.toString()]).toEqual([200, expect.stringContaining('refs/heads/main')]);
  });

  it('answers to its loopback names only', async () => {
    const path = '/open.git/info/refs?service=git-upload-pack';

    expect((await ask(path, { headers: { host: `evil.example:${server.port}` } })).status).toBe(421);
    expect((await ask(path, { headers: { host: `localhost:${server.port}` } })).status).toBe(200);
  });

  it.each([
    '/../etc/passwd',
    '/open.git/../../etc/passwd',
    '/%2e%2e/x.git/info/refs',
    '/none.git/info/refs',
    '/',
    '/open.git',
  ])('has nothing at %s', async (path) => {
    expect((await ask(path)).status).toBe(404);
  });

  it.each(['../x', '.hidden', 'a/../b', '', 'a b', '/abs'])('refuses the name %j', async (name) => {
    await expect(server.createRepository(name)).rejects.toMatchObject({ code: 'RepositoryNameInvalid' });
  });

  it('ends what still runs when it is closed', async () => {
    const own = await startGitServer({ root: join(dir, 'closing') });
    await own.createRepository('busy');
    const hanging = request({
      host: '127.0.0.1',
      port: own.port,
      path: '/busy.git/git-receive-pack',
      method: 'POST',
      headers: { 'content-type': 'application/x-git-receive-pack-request' },
    });
    const broken = new Promise((resolve) => hanging.once('error', resolve));
    hanging.write('0');
    await new Promise((resolve) => hanging.once('socket', (socket) => socket.once('connect', resolve)));

    await own.close();

    await expect(broken).resolves.toMatchObject({ code: 'ECONNRESET' });
  });
});
