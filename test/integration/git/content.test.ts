import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GitError } from '../../../src/engines/git/errors.ts';
import type { FileTree } from '../../../src/lib/filetree.ts';
import { packSmallArchive } from '../../../src/offload/pack-archive.ts';
import { fetchContent } from '../../../src/remote/git/content.ts';
import { fetchCommit } from '../../../src/remote/git/fetch.ts';
import { fetchSparse, missingSparseFolder } from '../../../src/remote/git/sparse.ts';
import { authForSubmodule, fetchSubmodules } from '../../../src/remote/git/submodules.ts';
import { startFaultProxy } from '../../support/fault-proxy.ts';
import { commitFiles, git, gitEnv } from '../../support/git.ts';
import { type GitSession, startGitSession } from '../../support/git-session.ts';

let session: GitSession;

beforeAll(async () => {
  session = await startGitSession();
});
afterAll(() => session.close());

const text = (tree: FileTree, path: string) => {
  const bytes = tree.read(path);
  return bytes === undefined ? undefined : Buffer.from(bytes).toString();
};

function walk(tree: FileTree, path = ''): string[] {
  return (tree.list(path) ?? []).flatMap((entry) => {
    const whole = path === '' ? entry.name : `${path}/${entry.name}`;
    return entry.kind === 'dir' ? walk(tree, whole) : [whole];
  });
}

async function push(name: string, files: Parameters<typeof commitFiles>[1]) {
  const repository = await session.repository(name);
  const commit = await commitFiles(repository.work, files);
  await git(repository.work, 'push', '--quiet', 'origin', 'main');
  const store = await session.stores.open(repository.url);
  await fetchCommit(session.open(repository.url), store, commit);
  return { ...repository, commit, store };
}

describe('an artifact', () => {
  it('holds what Flux puts into it, byte for byte the same each time', async () => {
    const files = { 'a.yaml': 'a', 'logo.png': 'p', 'x/run.sh': '#!', '.github/ci.yaml': '' };
    const { commit, store, work, url } = await push('packed', files);
    const path = `gitrepository/ns/packed/${commit}.tar.gz`;
    const recipe = { source: store.source(commit) };

    const first = await session.pack(path, recipe);
    const second = await session.pack(path, recipe);
    const tree = await session.artifacts.open(path, first.digest);

    expect(second).toEqual(first);
    const listing = execFileSync('tar', ['tvzf', session.artifacts.localPath(path)]).toString();
    expect(
      listing
        .trim()
        .split('\n')
        .map((line) => line.replaceAll(/ +/g, ' ')),
    ).toEqual([
      'drwxr-x--- 0/0 0 1970-01-01 00:00 .',
      '-rw------- 0/0 1 1970-01-01 00:00 a.yaml',
      'drwxr-x--- 0/0 0 1970-01-01 00:00 x',
      '-rw------- 0/0 2 1970-01-01 00:00 x/run.sh',
    ]);
    expect(walk(tree)).toEqual(['a.yaml', 'x/run.sh']);
    expect([work, url].every((part) => part !== '')).toBe(true);
  });

  it('is the same where it is small and packed without a thread', async () => {
    const { commit, store } = await push('small', { '.sourceignore': 'gone', gone: 'g', 'a/b.yaml': 'b', c: 'c' });
    const content = { source: store.source(commit) };
    const there = `gitrepository/ns/small/${commit}-thread.tar.gz`;
    const here = session.artifacts.localPath(`gitrepository/ns/small/${commit}.tar.gz`);

    const stored = await session.pack(there, content);
    const packed = await packSmallArchive({ content, path: here }, () => store);

    expect(packed).toEqual({ digest: stored.digest, size: stored.size, files: 3, ignoreFolders: [''] });
    expect(readFileSync(here)).toEqual(readFileSync(session.artifacts.localPath(there)));
  });

  it.each([
    ['one file is too large', { 'large.txt': 'l'.repeat(300_000), 'a.txt': 'a' }],
    [
      'all files together are',
      Object.fromEntries(Array.from({ length: 9 }, (_, at) => [`${at}`, `${at}`.repeat(250_000)])),
    ],
    ['there are too many', Object.fromEntries(Array.from({ length: 2001 }, (_, at) => [`${at}`, `${at}`]))],
  ])('is left to a thread where %s, and leaves no file behind', async (name, files) => {
    const { commit, store } = await push(name.replaceAll(' ', '-'), files);
    const path = join(session.dir, `${commit}.tar.gz`);

    const packed = await packSmallArchive({ content: { source: store.source(commit) }, path }, () => store);

    expect(packed).toBeUndefined();
    expect(existsSync(path)).toBe(false);
  });

  it('can be read from its archive alone, as after a restart', async () => {
    const { commit, store } = await push('restarted', { 'd/a.yaml': 'a', '.sourceignore': 'gone\n', gone: 'g' });
    const path = `gitrepository/ns/restarted/${commit}.tar.gz`;
    const { digest } = await session.pack(path, { source: store.source(commit) });
    const { openArtifactStore } = await import('../../../src/artifact/store.ts');
    const restarted = await openArtifactStore(session.artifacts.root);

    const live = await session.artifacts.open(path, digest);
    const unpacked = await restarted.open(path, digest);

    expect(walk(unpacked)).toEqual(['.sourceignore', 'd/a.yaml']);
    expect(walk(live)).toEqual(walk(unpacked));
  });

  it('is packed in a worker when it is large, with the same result', async () => {
    const files = Object.fromEntries(Array.from({ length: 700 }, (_, at) => [`d${at % 7}/f${at}.yaml`, `n: ${at}\n`]));
    const { commit, store } = await push('large', files);
    const path = `gitrepository/ns/large/${commit}.tar.gz`;

    const packed = await session.pack(path, { source: store.source(commit) }, true);

    const { packArchive } = await import('../../../src/offload/pack-archive.ts');
    const here = join(session.dir, 'here.tar.gz');
    const inline = await packArchive({
      content: { source: store.source(commit) },
      path: here,
      maxObjectBytes: 1 << 20,
    });
    expect(packed.digest).toBe(inline.digest);
    expect(gunzipSync(readFileSync(here)).length % 512).toBe(0);
  });

  it('includes folders of other artifacts, confined to the tree', async () => {
    const library = await push('library', { 'lib/a.yaml': 'a', 'lib/b.png': 'no', 'other.yaml': 'o' });
    const app = await push('app', { 'app.yaml': 'x', 'vendor/old.yaml': 'old' });
    const content = { source: library.store.source(library.commit) };
    const recipe = (fromPath: string, toPath: string) => ({
      source: app.store.source(app.commit),
      includes: [{ fromPath, toPath, content }],
    });

    const tree = session.stores.content(recipe('./lib', 'vendor/lib'));

    expect(walk(tree)).toEqual(['app.yaml', 'vendor/lib/a.yaml', 'vendor/old.yaml']);
    expect(walk(session.stores.content(recipe('', 'library')))).toEqual([
      'app.yaml',
      'library/lib/a.yaml',
      'library/other.yaml',
      'vendor/old.yaml',
    ]);
    expect(() => session.stores.content(recipe('../..', 'x'))).toThrow();
    expect(() => session.stores.content(recipe('', '../../etc'))).toThrow();
  });
});

describe('submodules', () => {
  it('are fetched, theirs too, and appear in the tree', async () => {
    const inner = await push('inner', { 'i.txt': 'inner' });
    const middle = await session.repository('middle');
    await git(
      middle.work,
      '-c',
      'protocol.file.allow=always',
      'submodule',
      '--quiet',
      'add',
      '../inner.git',
      'deep/inner',
    ).catch(() => undefined);
    await addSubmodule(middle.work, 'deep/inner', '../inner.git', inner.commit);
    await commitFiles(middle.work, { 'm.txt': 'middle' });
    await git(middle.work, 'push', '--quiet', 'origin', 'main');
    const middleCommit = await git(middle.work, 'rev-parse', 'HEAD');
    const outer = await session.repository('outer');
    await addSubmodule(outer.work, 'mods/middle', `${session.server.url}/middle.git`, middleCommit);
    const commit = await commitFiles(outer.work, { 'o.txt': 'outer' });
    await git(outer.work, 'push', '--quiet', 'origin', 'main');
    const store = await session.stores.open(outer.url);
    await fetchCommit(session.open(outer.url), store, commit);

    const resolved = { revision: '', commit, format: 'sha1' } as const;
    const plain = await fetchContent(session.open(outer.url), store, resolved);
    const full = await fetchContent(session.open(outer.url), store, resolved, {
      submodules: { open: (url) => session.open(url), storeOf: (url) => session.stores.open(url) },
    });

    const tree = session.stores.content(full.recipe);
    expect(plain.recipe.submodules).toEqual([{ path: 'mods/middle' }]);
    expect(
      session.stores
        .content(plain.recipe)
        .list('mods')
        ?.map((entry) => entry.name),
    ).toEqual(['middle']);
    expect(full.recipe.submodules?.map(({ path }) => path)).toEqual(['mods/middle', 'mods/middle/deep/inner']);
    expect(text(tree, 'mods/middle/deep/inner/i.txt')).toBe('inner');
    expect(walk(tree)).toEqual(['mods/middle/deep/inner/i.txt', 'mods/middle/m.txt', 'o.txt']);
  });

  it('of forbidden addresses are refused by name', async () => {
    const evil = await session.repository('evil');
    await addSubmodule(evil.work, 'x', 'ext::sh -c touch% /tmp/pwned', 'a'.repeat(40));
    const commit = await commitFiles(evil.work, {});
    await git(evil.work, 'push', '--quiet', 'origin', 'main');
    const store = await session.stores.open(evil.url);
    await fetchCommit(session.open(evil.url), store, commit);

    const run = fetchSubmodules({ store, commit }, evil.url, {
      open: (url) => session.open(url),
      storeOf: (url) => session.stores.open(url),
    });

    await expect(run).rejects.toMatchObject({
      code: 'GitSubmodule',
      message: "submodule 'x': submodule URL is neither http, https nor ssh",
    });
  });

  it('get the credentials of their parent on the same host only', () => {
    const auth = { basic: { username: 'a', password: 'b' }, proxy: { address: 'http://p' } };

    expect(authForSubmodule('https://h/a', auth, 'https://h/b')).toBe(auth);
    expect(authForSubmodule('https://h/a', auth, 'https://h:8443/b')).toEqual({ proxy: auth.proxy });
    expect(authForSubmodule('https://h/a', auth, 'http://h/b')).toEqual({ proxy: auth.proxy });
    expect(authForSubmodule('https://h/a', auth, 'https://h.evil/b')).toEqual({ proxy: auth.proxy });
  });
});

async function addSubmodule(work: string, path: string, url: string, commit: string): Promise<void> {
  await git(work, 'config', '--file', '.gitmodules', `submodule.${path}.path`, path);
  await git(work, 'config', '--file', '.gitmodules', `submodule.${path}.url`, url);
  execFileSync('git', ['update-index', '--add', '--cacheinfo', `160000,${commit},${path}`], {
    cwd: work,
    env: gitEnv(),
  });
  execFileSync('mkdir', ['-p', join(work, path)]);
  execFileSync('git', ['add', '.gitmodules'], { cwd: work, env: gitEnv() });
  execFileSync('git', ['commit', '--quiet', '--message', 'submodule'], { cwd: work, env: gitEnv() });
}

describe('a sparse fetch', () => {
  it('brings the files of the named folders only, and later what is missing', async () => {
    const repository = await session.repository('sparse');
    const big = 'x'.repeat(100_000);
    const files: Record<string, string> = { 'apps/a/1.yaml': '1', 'apps/b/2.yaml': '2', root: 'r' };
    for (let at = 0; at < 20; at++) files[`big/${at}`] = `${Math.sin(at)}${big}`;
    const first = await commitFiles(repository.work, files);
    await git(repository.work, 'push', '--quiet', 'origin', 'main');
    const store = await session.stores.open(`${repository.url} sparse`);
    const proxy = await startFaultProxy(session.server.url);
    const transport = session.open(`${proxy.url}/sparse.git`);

    await fetchSparse(transport, store, first, ['./apps/a']);
    const bytes = proxy.received();
    const second = await commitFiles(repository.work, { 'apps/a/3.yaml': '3' });
    await git(repository.work, 'push', '--quiet', 'origin', 'main');
    await fetchSparse(transport, store, second, ['apps/a']);
    const content = session.stores.content({ source: store.source(second), sparse: ['apps/a'] });
    const more = await fetchSparse(transport, store, second, ['apps']);
    await proxy.close();

    expect(bytes).toBeLessThan(3000);
    expect(walk(content)).toEqual(['apps/a/1.yaml', 'apps/a/3.yaml']);
    expect(more.objects).toBe(1);
    expect(text(store.openTree(second), 'apps/b/2.yaml')).toBe('2');
    expect(() => store.openTree(second).read('root')).toThrow(GitError);
    expect(missingSparseFolder(store.openTree(second), ['apps/a', './nope/'])).toBe('./nope/');
    expect(await git(store.dir, 'fsck', '--no-dangling')).toBe('');
    expect(store.isPartial).toBe(true);
  });
});
