// Making commits and pushing them: the real git judges what arrives.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GitError } from '../../../src/engines/git/errors.ts';
import { zeroOid } from '../../../src/engines/git/oid.ts';
import { type FileChange, makeCommit } from '../../../src/remote/git/commit.ts';
import { fetchCommit } from '../../../src/remote/git/fetch.ts';
import { fetchSparse } from '../../../src/remote/git/sparse.ts';
import { commitFiles, git } from '../../support/git.ts';
import { type GitSession, startGitSession } from '../../support/git-session.ts';

const ADA = { name: 'Ada Lovelace', email: 'ada@example.com', seconds: 1_700_000_000 };

describe('making commits', () => {
  let session: GitSession;
  beforeAll(async () => {
    session = await startGitSession();
  });
  afterAll(() => session.close());

  /** A repository with a first commit, that commit in a store, and how to commit on top of it and push. */
  async function repository(name: string, files: Parameters<typeof commitFiles>[1]) {
    const { url, work } = await session.repository(name);
    const parent = await commitFiles(work, files);
    await git(work, 'push', '--quiet', 'origin', 'main');
    const transport = session.open(url);
    const store = await session.stores.open(url);
    await fetchCommit(transport, store, parent);
    const push = async (changes: Record<string, string | null>) => {
      const made = await makeCommit(store, {
        parent,
        changes: new Map(Object.entries(changes)),
        message: 'Change\n',
        author: ADA,
      });
      await transport.push({
        updates: [{ name: 'refs/heads/main', oldOid: parent, newOid: made.oid }],
        pack: made.pack,
      });
      await git(work, 'pull', '--quiet', 'origin', 'main');
      return made;
    };
    return { url, work, parent, transport, store, push };
  }

  it('changes, adds and deletes files on top of a commit, and sends nothing else', async () => {
    const { work, parent, push } = await repository('changed', {
      'a/b/one.yaml': '1',
      'a/two.yaml': '2',
      'gone/x.yaml': 'x',
      'kept/y.yaml': 'y',
    });

    const made = await push({ 'a/b/one.yaml': 'uno', 'new/deep/three.yaml': '3', 'gone/x.yaml': null });

    expect(await git(work, 'rev-parse', 'HEAD', 'HEAD^')).toBe(`${made.oid}\n${parent}`);
    expect(await git(work, 'ls-tree', '-r', '--name-only', 'HEAD')).toBe(
      ['a/b/one.yaml', 'a/two.yaml', 'kept/y.yaml', 'new/deep/three.yaml'].join('\n'),
    );
    expect(await git(work, 'show', 'HEAD:a/b/one.yaml')).toBe('uno');
    expect(await git(work, 'log', '-1', '--format=%an %ae %at %cn %s')).toBe(
      'Ada Lovelace ada@example.com 1700000000 Ada Lovelace Change',
    );
    // The commit, two files, and the trees /, /a, /a/b, /new, /new/deep.
    expect(Buffer.from(made.pack).readUInt32BE(8)).toBe(8);
    expect(await git(work, 'fsck', '--strict', '--no-dangling')).toBe('');
  });

  it('turns files into folders and back, and keeps the modes of what it does not touch', async () => {
    const { url, work } = await session.repository('turned');
    await commitFiles(work, { file: '1', 'folder/f': '2', 'x/script': '#!/bin/sh' });
    await git(work, 'update-index', '--chmod=+x', 'x/script');
    await git(work, 'commit', '--quiet', '--amend', '--no-edit');
    await git(work, 'push', '--quiet', 'origin', 'main');
    const parent = await git(work, 'rev-parse', 'HEAD');
    const transport = session.open(url);
    const store = await session.stores.open(url);
    await fetchCommit(transport, store, parent);

    const changes = new Map<string, FileChange>([
      ['file/inner', '3'],
      ['folder', 'now a file'],
      ['x/run', { content: 'run', executable: true }],
    ]);
    const made = await makeCommit(store, { parent, changes, message: 'Turn', author: ADA });
    await transport.push({ updates: [{ name: 'refs/heads/main', oldOid: parent, newOid: made.oid }], pack: made.pack });

    await git(work, 'fetch', '--quiet', 'origin', 'main');
    expect(await git(work, 'ls-tree', '-r', '--format=%(objectmode) %(path)', 'FETCH_HEAD')).toBe(
      ['100644 file/inner', '100644 folder', '100755 x/run', '100755 x/script'].join('\n'),
    );
    expect(await git(work, 'fsck', '--strict', '--no-dangling')).toBe('');
  });

  it('makes the first commit of an empty repository', async () => {
    const { url, work } = await session.repository('empty');
    const store = await session.stores.open(url);

    const made = await makeCommit(store, {
      parent: undefined,
      changes: new Map([['über/ファイル.yaml', 'ü']]),
      message: 'First',
      author: ADA,
    });
    await session.open(url).push({
      updates: [{ name: 'refs/heads/main', oldOid: zeroOid('sha1'), newOid: made.oid }],
      pack: made.pack,
    });

    await git(work, 'pull', '--quiet', 'origin', 'main');
    expect(await git(work, '-c', 'core.quotepath=off', 'ls-tree', '-r', '--name-only', 'HEAD')).toBe(
      'über/ファイル.yaml',
    );
    expect(await git(work, 'fsck', '--strict', '--no-dangling')).toBe('');
  });

  it('needs no files of a partial clone but those it changes', async () => {
    const { url, work } = await session.repository('partial');
    const parent = await commitFiles(work, { 'a/x.yaml': 'x', 'b/y.yaml': 'y' });
    await git(work, 'push', '--quiet', 'origin', 'main');
    const transport = session.open(url);
    const store = await session.stores.open(url);
    await fetchSparse(transport, store, parent, ['a']);

    const made = await makeCommit(store, { parent, changes: new Map([['b/y.yaml', 'z']]), message: 'm', author: ADA });
    await transport.push({ updates: [{ name: 'refs/heads/main', oldOid: parent, newOid: made.oid }], pack: made.pack });

    await git(work, 'pull', '--quiet', 'origin', 'main');
    expect(await git(work, 'show', 'HEAD:b/y.yaml')).toBe('z');
  });

  it('does not overwrite what somebody else pushed meanwhile', async () => {
    const { work, push } = await repository('raced', { a: '1' });
    const other = await commitFiles(work, { a: 'theirs' });
    await git(work, 'push', '--quiet', 'origin', 'main');

    await expect(push({ a: 'ours' })).rejects.toMatchObject({ code: 'GitPushRejected' });

    expect(await git(work, 'ls-remote', 'origin', 'refs/heads/main')).toContain(other);
  });

  it.each([
    ['../x', 'PathEscape'],
    ['.git/config', 'GitUnsafeTree'],
    ['a/.GIT/x', 'GitUnsafeTree'],
    ['', 'GitUnsafeTree'],
    ['a\0b', 'PathInvalid'],
  ])('refuses the path %j', async (path, code) => {
    const request = { parent: undefined, changes: new Map([[path, 'x']]), message: 'm', author: ADA };

    await expect(makeCommit({ format: 'sha1', read: () => undefined }, request)).rejects.toMatchObject({ code });
  });

  it('refuses what it cannot write: SHA-256 repositories', async () => {
    const request = { parent: undefined, changes: new Map(), message: 'm', author: ADA };

    const failing = makeCommit({ format: 'sha256', read: () => undefined }, request);

    await expect(failing).rejects.toBeInstanceOf(GitError);
    await expect(failing).rejects.toMatchObject({ code: 'GitUnsupported' });
  });
});
