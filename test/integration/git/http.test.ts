import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formatCommit } from '../../../src/engines/git/commit.ts';
import { GitError } from '../../../src/engines/git/errors.ts';
import { hashObject, zeroOid } from '../../../src/engines/git/oid.ts';
import { formatPack } from '../../../src/engines/git/pack-write.ts';
import { formatTree } from '../../../src/engines/git/tree.ts';
import { fetchContent } from '../../../src/remote/git/content.ts';
import { fetchCommit } from '../../../src/remote/git/fetch.ts';
import { resolveReference } from '../../../src/remote/git/resolve.ts';
import { failureOf } from '../../support/failure.ts';
import { commitFiles, git } from '../../support/git.ts';
import { type GitSession, startGitSession } from '../../support/git-session.ts';

const failure = (run: Promise<unknown>) => failureOf(run, GitError);

describe.each([2, 1, 0] as const)('Git over HTTP, protocol version %i', (protocol) => {
  let session: GitSession;
  let missing: string;

  beforeAll(async () => {
    session = await startGitSession({ protocol });
    const { url, work } = await session.repository('missing');
    await commitFiles(work, { a: '1' });
    await git(work, 'push', '--quiet', 'origin', 'main');
    missing = url;
  });
  afterAll(() => session.close());

  it.each(['sha1', 'sha256'] as const)('fetches a branch and reads its files (%s)', async (format) => {
    const { url, work } = await session.repository(`read-${format}`, format);
    const commit = await commitFiles(work, { 'a/b.txt': 'hello\n', 'c.txt': 'c' });
    await git(work, 'push', '--quiet', 'origin', 'main');
    const transport = session.open(url);

    const found = await resolveReference(transport, { branch: 'main' });
    const store = await session.stores.open(url, found.format);
    const moved = await fetchCommit(transport, store, found.commit);

    expect(found).toEqual({ revision: `main@${format}:${commit}`, commit, format, refName: 'refs/heads/main' });
    expect(moved).toMatchObject({ fetched: true, objects: 5 });
    const tree = store.openTree(commit);
    expect(tree.list('')?.map((entry) => entry.name)).toEqual(['a', 'c.txt']);
    expect(Buffer.from(tree.read('a/b.txt') ?? '').toString()).toBe('hello\n');
    expect(await git(store.dir, 'fsck', '--strict', '--no-dangling')).toBe('');
  });

  it('fetches only what changed, across forced pushes and back', async () => {
    const { url, work } = await session.repository('incremental');
    const files = Object.fromEntries(
      Array.from({ length: 500 }, (_, index) => [`d${index % 10}/f${index}`, `file ${index}\n`]),
    );
    const first = await commitFiles(work, files);
    await git(work, 'push', '--quiet', 'origin', 'main');
    const transport = session.open(url);
    const store = await session.stores.open(url);
    await fetchCommit(transport, store, first);

    const second = await commitFiles(work, { 'd1/f1': 'changed\n' });
    await git(work, 'push', '--quiet', 'origin', 'main');
    const step = await fetchCommit(transport, store, second);
    await git(work, 'reset', '--quiet', '--hard', first);
    const third = await commitFiles(work, { 'd2/f2': 'another way\n' });
    await git(work, 'push', '--quiet', '--force', 'origin', 'main');
    const aside = await fetchCommit(transport, store, third);
    await git(work, 'push', '--quiet', '--force', 'origin', `${first}:main`);
    const back = await fetchCommit(transport, store, (await resolveReference(transport, { branch: 'main' })).commit);

    expect(step.bytes).toBeLessThan(1000);
    expect(aside.bytes).toBeLessThan(1000);
    expect(back).toEqual({ fetched: false, bytes: 0, objects: 0 });
    expect(Buffer.from(store.openTree(third).read('d2/f2') ?? '').toString()).toBe('another way\n');
    expect(Buffer.from(store.openTree(third).read('d1/f1') ?? '').toString()).toBe('file 1\n');
    expect(await git(store.dir, 'fsck', '--strict', '--no-dangling')).toBe('');
  });

  it('resolves tags, names, semver ranges and commits', async () => {
    const { url, work } = await session.repository('refs');
    const one = await commitFiles(work, { a: '1' });
    await git(work, 'tag', 'v1.0.0');
    const two = await commitFiles(work, { a: '2' });
    await git(work, 'tag', '--annotate', '--message', 'two', '1.2.0');
    const three = await commitFiles(work, { a: '3' });
    await git(work, 'tag', 'v2.0.0-rc.1');
    await git(work, 'tag', '2.0');
    await git(work, 'push', '--quiet', 'origin', 'main', '--tags', `${one}:refs/pull/7/head`);
    const tagObject = await git(work, 'rev-parse', '1.2.0');
    const transport = session.open(url);
    const revision = async (reference: Parameters<typeof resolveReference>[1]) =>
      (await resolveReference(transport, reference)).revision;

    expect(await revision({ tag: 'v1.0.0' })).toBe(`v1.0.0@sha1:${one}`);
    expect(await resolveReference(transport, { tag: '1.2.0' })).toEqual({
      revision: `1.2.0@sha1:${two}`,
      commit: two,
      format: 'sha1',
      refName: 'refs/tags/1.2.0',
      tagObject,
    });
    expect(await revision({ semver: '>=1.0.0' })).toBe(`1.2.0@sha1:${two}`);
    expect(await revision({ semver: '>=1.0.0-0' })).toBe(`v2.0.0-rc.1@sha1:${three}`);
    expect(await revision({ name: 'refs/pull/7/head' })).toBe(`refs/pull/7/head@sha1:${one}`);
    expect(await revision({ name: 'refs/tags/1.2.0^{}' })).toBe(`refs/tags/1.2.0^{}@sha1:${two}`);
    expect(await revision({ name: 'refs/tags/1.2.0', tag: 'v1.0.0' })).toBe(`refs/tags/1.2.0@sha1:${two}`);
    expect(await revision({ commit: one })).toBe(`sha1:${one}`);
    expect(await revision({ commit: one, branch: 'main' })).toBe(`main@sha1:${one}`);
    expect(await revision({ commit: one, name: 'refs/pull/7/head' })).toBe(`refs/pull/7/head@sha1:${one}`);
  });

  it('brings the tag object along, for its signature', async () => {
    const { url, work } = await session.repository('tag-object');
    await commitFiles(work, { a: '1' });
    await git(work, 'tag', '--annotate', '--message', 'about it', 'v1');
    await git(work, 'push', '--quiet', 'origin', 'main', 'v1');
    const transport = session.open(url);
    const store = await session.stores.open(url);
    const found = await resolveReference(transport, { tag: 'v1' });

    await fetchCommit(transport, store, found.commit, { tagObject: found.tagObject as string });

    expect(store.readTag(found.tagObject as string).message).toBe('about it\n');
  });

  it('fetches a commit that no ref names any more', async () => {
    const { url, work } = await session.repository('unnamed');
    const old = await commitFiles(work, { a: '1' });
    await git(work, 'push', '--quiet', 'origin', 'main');
    await git(work, 'commit', '--quiet', '--amend', '--message', 'new');
    await git(work, 'push', '--quiet', '--force', 'origin', 'main');
    const store = await session.stores.open(url);

    await fetchCommit(session.open(url), store, old);

    expect(store.readCommit(old).message).toBe('change\n');
  });

  it.each([
    [{ branch: 'none' }, 'GitRefNotFound', `couldn't find remote ref "refs/heads/none"`],
    [{ tag: 'v9' }, 'GitRefNotFound', `couldn't find remote ref "refs/tags/v9"`],
    [{ name: 'refs/heads/none' }, 'GitRefUnresolved', "unable to resolve ref 'refs/heads/none' to a specific commit"],
    [{ name: '/x' }, 'GitRefInvalid', "ref /x is invalid; Git refs cannot begin or end with a slash '/'"],
    [{ semver: '>9' }, 'GitNoSemverMatch', 'no match found for semver: >9'],
    [{ semver: 'x.y' }, 'GitSemverInvalid', 'semver parse error: improper constraint: "x.y"'],
    [{ branch: '--upload-pack=x y' }, 'GitRefNotFound', `couldn't find remote ref "refs/heads/--upload-pack=x y"`],
  ])('says what is missing: %j', async (reference, code, message) => {
    const error = await failure(resolveReference(session.open(missing), reference));

    expect([error.code, error.message]).toEqual([code, message]);
  });

  it('takes a commit on the branch that is named beside it, and no other', async () => {
    const { url, work } = await session.repository('member');
    const first = await commitFiles(work, { a: '1' });
    const head = await commitFiles(work, { a: '2' });
    await git(work, 'checkout', '--quiet', '-b', 'other', first);
    const other = await commitFiles(work, { b: '3' });
    await git(work, 'push', '--quiet', 'origin', 'main', 'other');
    const transport = session.open(url);
    const store = await session.stores.open(url);
    const fetch = async (commit: string) =>
      fetchContent(transport, store, await resolveReference(transport, { branch: 'main', commit }));

    const refused = await failure(fetch(other));
    await fetch(first);
    await fetch(head);

    expect([refused.code, refused.message]).toEqual([
      'GitCommitNotFound',
      `unable to resolve commit object for '${other}': object not found`,
    ]);
    expect(store.roots()).toEqual([head, first]);
    expect(store.has(other)).toBe(false);
    expect((await failure(fetch('a'.repeat(40)))).code).toBe('GitCommitNotFound');
  });

  it('says that a commit is missing', async () => {
    const { url, work } = await session.repository('missing-commit');
    await commitFiles(work, { a: '1' });
    await git(work, 'push', '--quiet', 'origin', 'main');
    const store = await session.stores.open(url);

    const error = await failure(fetchCommit(session.open(url), store, 'a'.repeat(40)));

    expect([error.code, error.message]).toEqual([
      'GitCommitNotFound',
      `unable to resolve commit object for '${'a'.repeat(40)}': object not found`,
    ]);
    expect(store.roots()).toEqual([]);
  });

  it('tells an empty repository from a missing branch', async () => {
    const { url } = await session.repository('empty');

    const error = await failure(resolveReference(session.open(url), { branch: 'main' }));

    expect([error.code, error.message]).toEqual(['GitEmptyRepository', 'git repository is empty']);
  });

  it('pushes a commit, refuses a stale one, deletes a branch', async () => {
    const { url, bare, work } = await session.repository('push');
    const parent = await commitFiles(work, { a: '1' });
    await git(work, 'push', '--quiet', 'origin', 'main');
    const transport = session.open(url);
    const blob = { type: 'blob', data: Buffer.from('pushed\n') } as const;
    const tree = {
      type: 'tree',
      data: formatTree([{ name: 'p', kind: 'file', oid: hashObject('blob', blob.data, 'sha1') }]),
    } as const;
    const ada = { name: 'Ada', email: 'ada@example.com', seconds: 1_700_000_000, zone: '+0000' };
    const data = formatCommit({
      tree: hashObject('tree', tree.data, 'sha1'),
      parents: [parent],
      author: ada,
      committer: ada,
      message: 'from us\n',
    });
    const newOid = hashObject('commit', data, 'sha1');
    const pack = formatPack([blob, tree, { type: 'commit', data }], 'sha1');
    const name = 'refs/heads/main';

    await transport.push({ updates: [{ name, oldOid: parent, newOid }], pack });
    const stale = await failure(transport.push({ updates: [{ name, oldOid: parent, newOid }], pack }));
    const side = 'refs/heads/side';
    await transport.push({ updates: [{ name: side, oldOid: zeroOid('sha1'), newOid }], pack: formatPack([], 'sha1') });
    await transport.push({ updates: [{ name: side, oldOid: newOid, newOid: zeroOid('sha1') }] });

    expect(stale.code).toMatch(/^Git(PushRejected|RemoteMessage)$/);
    expect(await git(bare, 'cat-file', '-p', `${newOid}:p`)).toBe('pushed');
    expect(await git(bare, 'for-each-ref', '--format=%(refname) %(objectname)')).toBe(`${name} ${newOid}`);
    expect(await git(bare, 'fsck', '--strict', '--no-dangling')).toBe('');
  });

  it('says that there is no repository, and who refused the connection', async () => {
    const missing = await failure(resolveReference(session.open(`${session.server.url}/none.git`), { branch: 'main' }));
    const refused = await failure(resolveReference(session.open('http://127.0.0.1:1/x.git'), { branch: 'main' }));

    expect([missing.code, missing.message]).toEqual([
      'GitRepositoryNotFound',
      'repository not found: Repository not found',
    ]);
    expect([refused.code, refused.message]).toEqual([
      'GitConnectionFailed',
      'Get "http://127.0.0.1:1/x.git/info/refs?service=git-upload-pack": dial tcp 127.0.0.1:1: connect: connection refused',
    ]);
  });
});

describe('Git over HTTP with a password', () => {
  let session: GitSession;

  beforeAll(async () => {
    session = await startGitSession({ basicAuth: { username: 'ada', password: 'p:w' } });
  });
  afterAll(() => session.close());

  it('logs in with the Secret or with the URL, and says which credentials are missing', async () => {
    const { url, work } = await session.repository('private');
    await commitFiles(work, { a: '1' });
    await git(work, 'push', '--quiet', 'origin', 'main');
    const head = { commit: await git(work, 'rev-parse', 'HEAD') };
    const resolve = (target: string, auth = {}) => resolveReference(session.open(target, auth), { branch: 'main' });

    await expect(resolve(url, { basic: { username: 'ada', password: 'p:w' } })).resolves.toMatchObject(head);
    session.memory.forget(url);
    await expect(resolve(url.replace('//', '//ada:p%3Aw@'))).resolves.toMatchObject(head);
    session.memory.forget(url);
    const anonymous = await failure(resolve(url));
    const wrong = await failure(
      resolve(url, { basic: { username: 'ada', password: createHash('md5').digest('hex') } }),
    );

    expect([anonymous.code, anonymous.message]).toEqual([
      'GitAuthenticationRequired',
      'authentication required: Unauthorized (no credentials were given: set spec.secretRef)',
    ]);
    expect([wrong.code, wrong.message]).toEqual(['GitAuthenticationRequired', 'authentication required: Unauthorized']);
  });
});
