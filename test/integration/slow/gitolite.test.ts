// gitolite: one account for all users, told apart by their keys; rights by repository and branch; a configuration that
// is pushed. Everything here goes over SSH with our own client.
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GitError } from '../../../src/engines/git/errors.ts';
import { zeroOid } from '../../../src/engines/git/oid.ts';
import { type FileChange, makeCommit } from '../../../src/remote/git/commit.ts';
import { fetchCommit } from '../../../src/remote/git/fetch.ts';
import { openTransport } from '../../../src/remote/git/open.ts';
import { resolveReference } from '../../../src/remote/git/resolve.ts';
import { createSshConnections, type SshConnections } from '../../../src/remote/git/ssh-connection.ts';
import { failureOf } from '../../support/failure.ts';
import { git } from '../../support/git.ts';
import { type GitSession, startGitSession } from '../../support/git-session.ts';
import { type Gitolite, hasGitolite, startGitolite } from '../../support/gitolite.ts';
import { hasSshd } from '../../support/sshd.ts';

const skips = (!hasSshd || !hasGitolite) && process.env['CI'] !== 'true';
const CONFIGURATION = `repo gitolite-admin
  RW+ = admin
repo app
  RW+ main = admin
  RW dev = reader
  R = reader
repo secret
  RW+ = admin
`;

const failure = (run: Promise<unknown>) => failureOf(run, GitError);

describe.skipIf(skips)('gitolite (needs gitolite3 and sshd)', () => {
  let session: GitSession;
  let gitolite: Gitolite;
  let connections: SshConnections;
  let reader: string;

  beforeAll(async () => {
    session = await startGitSession();
    gitolite = await startGitolite(join(session.dir, 'gitolite'));
    connections = createSshConnections();
    const { identity, publicKey } = gitolite.key('reader');
    reader = identity;
    await push('gitolite-admin', gitolite.admin, {
      'conf/gitolite.conf': CONFIGURATION,
      'keydir/reader.pub': publicKey,
    });
  });
  afterAll(async () => {
    connections?.close();
    await gitolite?.stop();
    await session.close();
  });

  const open = (repository: string, identity: string) =>
    openTransport(
      gitolite.url(repository),
      { ssh: { identity, knownHosts: gitolite.sshd.knownHosts } },
      { http: session.http, ssh: connections },
    );

  /** Commits on top of what a branch has, and pushes. */
  async function push(
    repository: string,
    identity: string,
    files: Readonly<Record<string, FileChange>>,
    branch = 'main',
    parentBranch = branch,
  ): Promise<string> {
    const transport = open(repository, identity);
    const { refs } = await transport.lsRefs({ prefixes: ['refs/heads/'] });
    const head = (name: string) => refs.find((ref) => ref.name === `refs/heads/${name}`)?.oid;
    // The administrator's own repository has the default branch of whoever installed it.
    const target = repository === 'gitolite-admin' ? (refs[0]?.name.replace('refs/heads/', '') ?? branch) : branch;
    const parent = head(repository === 'gitolite-admin' ? target : parentBranch);
    const store = await session.stores.open(`${repository} of one pusher`);
    if (parent !== undefined) await fetchCommit(transport, store, parent);
    const { oid, pack } = await makeCommit(store, {
      parent,
      changes: new Map(Object.entries(files)),
      message: 'change\n',
      author: { name: 'Ada', email: 'ada@example.com', seconds: 1_700_000_000 },
    });
    const oldOid = head(target) ?? zeroOid('sha1');
    await transport.push({ updates: [{ name: `refs/heads/${target}`, oldOid, newOid: oid }], pack });
    return oid;
  }

  it('lets a user read who was let in by a push, and sends only what changed', async () => {
    const first = await push('app', gitolite.admin, { 'a.yaml': 'a: 1\n', 'b.yaml': 'b: 1\n' });
    const store = await session.stores.open('app of the reader');
    const transport = open('app', reader);
    const found = await resolveReference(transport, { branch: 'main' });
    await fetchCommit(transport, store, found.commit);
    const second = await push('app', gitolite.admin, { 'a.yaml': 'a: 2\n' });

    const again = await resolveReference(transport, { branch: 'main' });
    const moved = await fetchCommit(transport, store, again.commit);

    expect([found.commit, again.commit]).toEqual([first, second]);
    expect(moved.objects).toBe(3);
    expect(Buffer.from(store.openTree(second).read('a.yaml') ?? '').toString()).toBe('a: 2\n');
    expect(await git(gitolite.folder('app'), 'fsck', '--strict', '--no-dangling')).toBe('');
  });

  it('finds a repository with and without .git at its end', async () => {
    await push('app', gitolite.admin, { 'c.yaml': 'c\n' });

    const plain = await resolveReference(open('app', reader), { branch: 'main' });

    expect(await resolveReference(open('app.git', reader), { branch: 'main' })).toEqual(plain);
  });

  it.each(['secret', 'absent'])(
    'is quoted when it denies %s: it does not tell which of the two it is',
    async (name) => {
      const error = await failure(resolveReference(open(name, reader), { branch: 'main' }));

      expect(error.code).toBe('GitAuthorizationFailed');
      expect(error.message).toMatch(
        new RegExp(`^authorization failed: FATAL: R any ${name} reader DENIED by fallthru .*mis-spelled the reponame`),
      );
    },
  );

  it('is quoted when it denies a push: to a repository, and to a branch', async () => {
    const head = await push('app', gitolite.admin, { 'd.yaml': 'd\n' });
    const secret = open('secret', reader);
    const update = { name: 'refs/heads/main', oldOid: zeroOid('sha1'), newOid: head };

    const repository = await failure(secret.push({ updates: [update] }));
    const branch = await failure(push('app', reader, { 'e.yaml': 'e\n' }));
    const allowed = await push('app', reader, { 'e.yaml': 'e\n' }, 'dev', 'main');

    expect([repository.code, repository.message]).toEqual([
      'GitAuthorizationFailed',
      expect.stringContaining('W any secret reader DENIED by fallthru'),
    ]);
    expect(branch.code).toBe('GitPushRejected');
    expect((await resolveReference(open('app', gitolite.admin), { branch: 'dev' })).commit).toBe(allowed);
    expect((await resolveReference(open('app', reader), { branch: 'main' })).commit).toBe(head);
  });

  it('turns away a key that it does not know', async () => {
    const error = await failure(resolveReference(open('app', gitolite.key('stranger').identity), { branch: 'main' }));

    expect(error.code).toBe('GitAuthenticationRequired');
  });
});
