import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GitError } from '../../../src/engines/git/errors.ts';
import { fetchCommit } from '../../../src/remote/git/fetch.ts';
import { openTransport } from '../../../src/remote/git/open.ts';
import { resolveReference } from '../../../src/remote/git/resolve.ts';
import { createSshConnections, type SshConnections } from '../../../src/remote/git/ssh-connection.ts';
import { failureOf } from '../../support/failure.ts';
import { commitFiles, git } from '../../support/git.ts';
import { type GitSession, startGitSession } from '../../support/git-session.ts';
import { hasSshd, makeKey, type Sshd, startSshd } from '../../support/sshd.ts';

const skips = !hasSshd && process.env['CI'] !== 'true';

const failure = (run: Promise<unknown>) => failureOf(run, GitError);

const servers = [
  { name: 'ed25519 host key, version 2', hostKeys: ['ed25519'], acceptProtocol: true },
  { name: 'ecdsa host key, version 0', hostKeys: ['ecdsa'], acceptProtocol: false },
  { name: 'rsa host key', hostKeys: ['rsa'], acceptProtocol: true },
] as const;

describe.skipIf(skips).each(servers)('Git over SSH (needs sshd): $name', ({ hostKeys, acceptProtocol }) => {
  let session: GitSession;
  let sshd: Sshd;
  let connections: SshConnections;
  let url: string;
  let commit: string;

  beforeAll(async () => {
    session = await startGitSession();
    sshd = await startSshd(join(session.dir, 'sshd'), { hostKeys, acceptProtocol });
    connections = createSshConnections();
    const repository = await session.repository(`it's here`.replaceAll(/[^a-z]/g, '-'));
    commit = await commitFiles(
      repository.work,
      Object.fromEntries(Array.from({ length: 600 }, (_, at) => [`f${at}`, `${at}\n`])),
    );
    await git(repository.work, 'push', '--quiet', 'origin', 'main');
    url = sshd.url(repository.bare);
  });
  afterAll(async () => {
    connections.close();
    await sshd.stop();
    await session.close();
  });

  const open = (target = url, change: Partial<{ identity: string; knownHosts: string; passphrase: string }> = {}) =>
    openTransport(
      target,
      { ssh: { identity: sshd.identity, knownHosts: sshd.knownHosts, ...change } },
      { http: session.http, ssh: connections },
    );

  it('lists, fetches and fetches again', async () => {
    const store = await session.stores.open(url);

    const found = await resolveReference(open(), { branch: 'main' });
    const moved = await fetchCommit(open(), store, found.commit);
    const again = await resolveReference(open(), { branch: 'main' });

    expect(found.commit).toBe(commit);
    expect(moved.objects).toBe(602);
    expect(again).toEqual(found);
    expect(Buffer.from(store.openTree(commit).read('f599') ?? '').toString()).toBe('599\n');
  });

  it('says that there is no repository', async () => {
    const error = await failure(resolveReference(open(sshd.url('/none.git')), { branch: 'main' }));

    expect(error.code).toBe('GitRepositoryNotFound');
    expect(error.message).toContain("'/none.git' does not appear to be a git repository");
  });

  it('refuses a host whose key changed, and one that is not known', async () => {
    const key = makeKey(join(session.dir, `other-${hostKeys[0]}`), hostKeys[0]);
    const publicKey = (await git(session.dir, '--version')) && key;
    expect(publicKey).toContain('PRIVATE KEY');
    const { readFileSync } = await import('node:fs');
    const [type, base64] = readFileSync(join(session.dir, `other-${hostKeys[0]}.pub`), 'utf8').split(' ');

    const changed = await failure(
      resolveReference(open(url, { knownHosts: `[127.0.0.1]:${sshd.port} ${type} ${base64}\n` }), { branch: 'main' }),
    );
    const unknown = await failure(
      resolveReference(open(url, { knownHosts: `example.com ${type} ${base64}\n` }), { branch: 'main' }),
    );

    expect([changed.code, changed.message]).toEqual(['GitHostKey', 'ssh: handshake failed: knownhosts: key mismatch']);
    expect(unknown.message).toBe('ssh: handshake failed: knownhosts: key is unknown (add 127.0.0.1 to known_hosts)');
  });

  it('says that the server does not know the key', async () => {
    const identity = makeKey(join(session.dir, `stranger-${hostKeys[0]}`), 'ed25519');

    const error = await failure(resolveReference(open(url, { identity }), { branch: 'main' }));

    expect(error.code).toBe('GitAuthenticationRequired');
    expect(error.message).toMatch(/^ssh: handshake failed: ssh: unable to authenticate/);
  });

  it('ends when told to, while the server is silent', async () => {
    const { createServer } = await import('node:net');
    const silent = createServer(() => {});
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const { port } = silent.address() as { port: number };

    const error = await failure(
      open(`ssh://git@127.0.0.1:${port}/x.git`).lsRefs({ prefixes: [], signal: AbortSignal.timeout(100) }),
    );
    silent.close();

    expect([error.code, error.message]).toEqual(['GitTimeout', 'context deadline exceeded']);
  });
});

describe.skipIf(skips)('SSH identities (needs ssh-keygen)', () => {
  let session: GitSession;

  beforeAll(async () => {
    session = await startGitSession();
    mkdirSync(join(session.dir, 'keys'));
  });
  afterAll(() => session.close());

  it.each([
    ['', "SSH identity key is encrypted but no 'password' field was provided"],
    ['wrong', "SSH identity key cannot be decrypted with the given 'password'"],
  ])('refuses an encrypted key with the passphrase %j', async (passphrase, message) => {
    const identity = makeKey(join(session.dir, 'keys', `locked${passphrase}`), 'ed25519', 'open');
    const login = { identity, knownHosts: 'x', ...(passphrase === '' ? {} : { passphrase }) };
    const transport = openTransport('ssh://git@127.0.0.1:1/x', { ssh: login }, { http: session.http });

    const error = await failure(transport.lsRefs({ prefixes: [] }));

    expect([error.code, error.message]).toEqual(['GitAuthOptions', message]);
  });

  it('refuses a key that lives in a hardware token, by name', async () => {
    const type = 'sk-ssh-ed25519@openssh.com';
    const body = Buffer.concat([
      Buffer.from('openssh-key-v1\0'),
      Buffer.alloc(40),
      Buffer.from(type),
      Buffer.alloc(60),
    ]);
    const identity = `-----BEGIN OPENSSH PRIVATE KEY-----\n${body.toString('base64')}\n-----END OPENSSH PRIVATE KEY-----\n`;
    const transport = openTransport('ssh://h/x', { ssh: { identity, knownHosts: 'x' } }, { http: session.http });

    const error = await failure(transport.lsRefs({ prefixes: [] }));

    expect(error.message).toBe(`SSH identity of type '${type}' lives in a hardware token and cannot be used`);
  });
});
