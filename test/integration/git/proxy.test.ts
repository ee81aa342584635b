import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTransport } from '../../../src/remote/git/open.ts';
import { resolveReference } from '../../../src/remote/git/resolve.ts';
import { createSshConnections } from '../../../src/remote/git/ssh-connection.ts';
import type { ProxySettings } from '../../../src/remote/http.ts';
import { commitFiles, git } from '../../support/git.ts';
import { type GitSession, startGitSession } from '../../support/git-session.ts';
import { hasNginx, type Nginx, startNginx } from '../../support/nginx.ts';
import { startHttpProxy, startSocksProxy, type TestProxy } from '../../support/proxies.ts';
import { hasSshd, type Sshd, startSshd } from '../../support/sshd.ts';

const login = { username: 'ada', password: 'p@ss' };
const isCi = process.env['CI'] === 'true';

describe.each([
  ['HTTP', startHttpProxy],
  ['SOCKS5', startSocksProxy],
] as const)('Git through a %s proxy', (_name, start) => {
  let session: GitSession;
  let proxy: TestProxy;
  let settings: ProxySettings;
  let commit: string;
  let bare: string;
  let nginx: Nginx | undefined;
  let sshd: Sshd | undefined;
  const connections = createSshConnections();

  beforeAll(async () => {
    session = await startGitSession();
    proxy = await start(login);
    settings = { address: proxy.address, ...login };
    const repository = await session.repository('proxied');
    bare = repository.bare;
    commit = await commitFiles(repository.work, { a: 'a' });
    await git(repository.work, 'push', '--quiet', 'origin', 'main');
    if (hasNginx || isCi) nginx = await startNginx(join(session.dir, 'nginx'), session.server.url);
    if (hasSshd || isCi) sshd = await startSshd(join(session.dir, 'sshd'));
  });
  afterAll(async () => {
    connections.close();
    await nginx?.stop();
    await sshd?.stop();
    await proxy.close();
    await session.close();
  });

  it('reaches an http server', async () => {
    const transport = session.open(`${session.server.url}/proxied.git`, { proxy: settings });

    const found = await resolveReference(transport, { branch: 'main' });

    expect(found.commit).toBe(commit);
    expect(proxy.asked.length).toBeGreaterThan(0);
  });

  it('says so when the proxy refuses the login', async () => {
    const transport = session.open(`${session.server.url}/proxied.git`, { proxy: { ...settings, password: 'wrong' } });
    session.memory.forget(`${session.server.url}/proxied.git`);

    await expect(resolveReference(transport, { branch: 'main' })).rejects.toMatchObject({
      code: expect.stringMatching(/^Git/),
    });
  });

  it.skipIf(!hasNginx && !isCi)(
    'reaches an https server, whose certificate is still judged (needs nginx)',
    async () => {
      const url = `${nginx?.url}/proxied.git`;
      const open = (tls = {}) => session.open(url, { proxy: settings, tls });

      expect((await resolveReference(open({ ca: nginx?.ca }), { branch: 'main' })).commit).toBe(commit);
      session.memory.forget(url);
      await expect(resolveReference(open(), { branch: 'main' })).rejects.toMatchObject({ code: 'GitTlsFailed' });
    },
  );

  it.skipIf(!hasSshd && !isCi)('reaches an ssh server (needs sshd)', async () => {
    const ssh = { identity: sshd?.identity ?? '', knownHosts: sshd?.knownHosts ?? '' };
    const options = { http: session.http, ssh: connections };
    const url = sshd?.url(bare) ?? '';
    const transport = openTransport(url, { ssh, proxy: settings }, options);

    expect((await resolveReference(transport, { branch: 'main' })).commit).toBe(commit);
    const refused = openTransport(url, { ssh, proxy: { ...settings, password: 'wrong' } }, options);
    await expect(resolveReference(refused, { branch: 'main' })).rejects.toMatchObject({ code: 'GitConnectionFailed' });
  });
});
