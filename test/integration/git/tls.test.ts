import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GitError } from '../../../src/engines/git/errors.ts';
import { fetchCommit } from '../../../src/remote/git/fetch.ts';
import { resolveReference } from '../../../src/remote/git/resolve.ts';
import type { GitAuth } from '../../../src/remote/git/transport.ts';
import { commitFiles, git } from '../../support/git.ts';
import { type GitSession, startGitSession } from '../../support/git-session.ts';
import { hasNginx, type Nginx, startNginx } from '../../support/nginx.ts';

const skips = !hasNginx && process.env['CI'] !== 'true';

describe.skipIf(skips)('Git behind TLS (needs nginx)', () => {
  let session: GitSession;
  let nginx: Nginx;
  let commit: string;

  beforeAll(async () => {
    session = await startGitSession();
    nginx = await startNginx(join(session.dir, 'nginx'), session.server.url);
    const { work } = await session.repository('tls');
    commit = await commitFiles(work, { a: 'a' });
    await git(work, 'push', '--quiet', 'origin', 'main');
  });
  afterAll(async () => {
    await nginx.stop();
    await session.close();
  });

  const resolve = async (base: string, auth: GitAuth = {}) => {
    session.memory.forget(`${base}/tls.git`);
    return (await resolveReference(session.open(`${base}/tls.git`, auth), { branch: 'main' })).commit;
  };
  const failure = async (base: string, auth: GitAuth = {}): Promise<[string, string]> => {
    const error = await resolve(base, auth).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    if (!(error instanceof GitError)) throw error ?? new Error('did not fail');
    return [error.code, error.message.replace(/^Get "[^"]*": /, '')];
  };

  it('trusts the authority that is given, and no other', async () => {
    expect(await resolve(nginx.url, { tls: { ca: nginx.ca } })).toBe(commit);
    expect(await failure(nginx.url)).toEqual([
      'GitTlsFailed',
      'tls: failed to verify certificate: x509: certificate signed by unknown authority',
    ]);
  });

  it('fetches through TLS', async () => {
    const url = `${nginx.url}/tls.git`;
    const store = await session.stores.open(url);

    await fetchCommit(session.open(url, { tls: { ca: nginx.ca } }), store, commit);

    expect(Buffer.from(store.openTree(commit).read('a') ?? '').toString()).toBe('a');
  });

  it('shows its certificate where one is asked for', async () => {
    const tls = { ca: nginx.ca, cert: nginx.clientCert, key: nginx.clientKey };

    expect(await resolve(nginx.mutualUrl, { tls })).toBe(commit);
    expect((await failure(nginx.mutualUrl, { tls: { ca: nginx.ca } }))[0]).toBe('GitHttpStatus');
  });

  it('refuses a certificate that has expired', async () => {
    expect(await failure(nginx.expiredUrl, { tls: { ca: nginx.ca } })).toEqual([
      'GitTlsFailed',
      'tls: failed to verify certificate: x509: certificate has expired or is not yet valid',
    ]);
  });

  it('logs in with a password', async () => {
    const tls = { ca: nginx.ca };

    expect(await resolve(nginx.passwordUrl, { tls, basic: { username: 'ada', password: 'secret' } })).toBe(commit);
    expect(await failure(nginx.passwordUrl, { tls, basic: { username: 'ada', password: 'x' } })).toEqual([
      'GitAuthenticationRequired',
      'authentication required: Unauthorized',
    ]);
  });

  it('follows a redirect, for the fetch as well', async () => {
    const url = `${nginx.redirectUrl}/tls.git`;
    const store = await session.stores.open(url);
    const transport = session.open(url, { tls: { ca: nginx.ca } });

    await fetchCommit(transport, store, (await resolveReference(transport, { branch: 'main' })).commit);

    expect(store.roots()).toEqual([commit]);
  });
});
