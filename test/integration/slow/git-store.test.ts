import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openGitStore } from '../../../src/artifact/git-store.ts';
import { openArtifactStore } from '../../../src/artifact/store.ts';
import { hashObject } from '../../../src/engines/git/oid.ts';
import { formatPack } from '../../../src/engines/git/pack-write.ts';
import { fetchCommit } from '../../../src/remote/git/fetch.ts';
import { commitFiles, git, gitSync } from '../../support/git.ts';
import { type GitSession, startGitSession } from '../../support/git-session.ts';

let session: GitSession;

beforeAll(async () => {
  session = await startGitSession();
});
afterAll(() => session.close());

async function* chunks(bytes: Uint8Array, size = 1000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

const packsOf = (dir: string) => readdirSync(join(dir, 'objects', 'pack')).filter((name) => name.endsWith('.pack'));

describe('the object store', () => {
  it('keeps the last revision and a bounded size through many forced pushes', async () => {
    const { url, work } = await session.repository('forced');
    const files = Object.fromEntries(
      Array.from({ length: 200 }, (_, at) => [`d${at % 5}/f${at}`, `${Math.sin(at)}\n`]),
    );
    await commitFiles(work, files);
    const store = await session.stores.open(url);
    let kept: string[] = [];
    for (let round = 0; round < 60; round++) {
      writeFileSync(join(work, 'd0/f0'), `round ${round}\n`);
      await git(work, 'commit', '--quiet', '--amend', '--all', '--message', `round ${round}`);
      await git(work, 'push', '--quiet', '--force', 'origin', 'main');
      const commit = await git(work, 'rev-parse', 'HEAD');
      await fetchCommit(session.open(url), store, commit);
      kept = [commit, ...kept].slice(0, 2);
      await store.retain(kept);
    }

    expect(store.roots()).toEqual(kept);
    expect(Buffer.from(store.openTree(kept[0] as string).read('d0/f0') ?? '').toString()).toBe('round 59\n');
    expect(Buffer.from(store.openTree(kept[1] as string).read('d4/f199') ?? '').toString()).toBe(`${Math.sin(199)}\n`);
    expect(packsOf(store.dir).length).toBeLessThanOrEqual(25);
    expect(store.objectCount()).toBeLessThan(600);
    expect(await git(store.dir, 'fsck', '--strict', '--no-dangling')).toBe('');
    const reopened = await openGitStore(store.dir, { workers: session.workers });
    expect(reopened.roots()).toEqual(kept);
  });

  it('does not delete files under somebody who packs them', async () => {
    const { url, work } = await session.repository('pinned');
    const first = await commitFiles(work, { a: '1' });
    await git(work, 'push', '--quiet', 'origin', 'main');
    const store = await session.stores.open(url);
    await fetchCommit(session.open(url), store, first);
    const unpin = store.pin();
    let last = first;
    for (let round = 0; round < 26; round++) {
      last = await commitFiles(work, { a: `${round}` });
      await git(work, 'push', '--quiet', 'origin', 'main');
      await fetchCommit(session.open(url), store, last);
    }

    await store.retain([last]);
    await store.retain([last]);
    const during = packsOf(store.dir).length;
    unpin();
    await store.retain([last]);

    expect(packsOf(store.dir)).toHaveLength(1);
    expect(during).toBeGreaterThan(24);
    expect(store.has(first)).toBe(false);
  });

  it('forgets what a crash left half-written', async () => {
    const { url, work } = await session.repository('crashed');
    const commit = await commitFiles(work, { a: '1' });
    await git(work, 'push', '--quiet', 'origin', 'main');
    const dir = join(session.dir, 'crashed.git');
    const before = await openGitStore(dir, { workers: session.workers });
    await fetchCommit(session.open(url), before, commit);
    const [pack = ''] = packsOf(dir);
    writeFileSync(join(dir, 'objects/pack/tmp_pack_dead'), 'half');
    writeFileSync(
      join(dir, 'objects/pack', `pack-${'0'.repeat(40)}.pack`),
      readFileSync(join(dir, 'objects/pack', pack)),
    );
    truncateSync(join(dir, 'objects/pack', pack.replace('.pack', '.idx')), 500);

    const after = await openGitStore(dir, { workers: session.workers });
    const moved = await fetchCommit(session.open(url), after, commit);

    expect(readdirSync(join(dir, 'objects/pack'))).toHaveLength(2);
    expect(moved.fetched).toBe(true);
    expect(Buffer.from(after.openTree(commit).read('a') ?? '').toString()).toBe('1');
  });

  it('notices a pack that was damaged on disk', async () => {
    const { url, work } = await session.repository('rotten');
    const commit = await commitFiles(work, { a: 'some content that is long enough to be damaged\n' });
    await git(work, 'push', '--quiet', 'origin', 'main');
    const store = await session.stores.open(url);
    await fetchCommit(session.open(url), store, commit);
    const path = join(store.dir, 'objects/pack', packsOf(store.dir)[0] as string);
    const bytes = readFileSync(path);
    writeFileSync(path, bytes.fill(0, 30, bytes.length - 20));
    store.close();

    expect(() => store.openTree(commit).read('a')).toThrow(expect.objectContaining({ code: 'GitCorruptPack' }));
  });

  it.each([
    ['a commit that the pack lacks', () => [], 'GitObjectNotFound'],
    [
      'a tree that the pack lacks',
      () =>
        [
          {
            type: 'commit',
            data: Buffer.from(`tree ${'1'.repeat(40)}\nauthor A <a> 1 +0000\ncommitter A <a> 1 +0000\n\nm`),
          },
        ] as const,
      'GitObjectNotFound',
    ],
    [
      'a tree with `..` in it',
      () => {
        const blob = { type: 'blob', data: Buffer.from('evil') } as const;
        const oid = hashObject('blob', blob.data, 'sha1');
        const tree = {
          type: 'tree',
          data: Buffer.concat([Buffer.from('100644 ..\0'), Buffer.from(oid, 'hex')]),
        } as const;
        const name = hashObject('tree', tree.data, 'sha1');
        const commit = Buffer.from(`tree ${name}\nauthor A <a> 1 +0000\ncommitter A <a> 1 +0000\n\nm`);
        return [blob, tree, { type: 'commit', data: commit }] as const;
      },
      'GitUnsafeTree',
    ],
  ])('takes nothing of a pack with %s', async (name, make, code) => {
    const objects = make();
    const last = objects.at(-1);
    const root = last === undefined ? '2'.repeat(40) : hashObject(last.type, last.data, 'sha1');
    const store = await openGitStore(join(session.dir, `refused ${name}`), { workers: session.workers });

    const run = store.importPack(chunks(formatPack(objects, 'sha1')), { roots: [root] });

    await expect(run).rejects.toMatchObject({ code });
    expect([store.roots(), packsOf(store.dir)]).toEqual([[], []]);
  });

  it('gives the same answers whether a thread indexes a pack or not', async () => {
    const { work } = await session.repository('threads');
    const files = Object.fromEntries(
      Array.from({ length: 900 }, (_, at) => [`d${at % 9}/f${at}`, `line one\nline ${at}\n`.repeat(3)]),
    );
    const commit = await commitFiles(work, files);
    const list = gitSync(work, ['rev-list', '--objects', '--all']).toString().replaceAll(/ .*$/gm, '');
    const pack = gitSync(work, ['pack-objects', '--stdout', '--quiet', '--delta-base-offset'], Buffer.from(list));
    const store = await openGitStore(join(session.dir, 'threads.git'), { workers: session.workers });

    const result = await store.importPack(chunks(pack, 10_000), { roots: [commit] });

    expect(result).toEqual({ objects: 911, bytes: pack.length });
    expect(await git(store.dir, 'fsck', '--strict', '--no-dangling')).toBe('');
    const damaged = Buffer.from(pack).fill(0x55, 5000, 5010);
    await expect(store.importPack(chunks(damaged, 10_000), { roots: [commit] })).rejects.toMatchObject({
      code: 'GitCorruptPack',
    });
  });

  it('ends an import that is aborted', async () => {
    const store = await openGitStore(join(session.dir, 'aborted.git'), { workers: session.workers });
    const controller = new AbortController();
    const endless = async function* () {
      yield formatPack([], 'sha1').subarray(0, 12);
      for (;;) {
        controller.abort(new Error('enough'));
        yield Buffer.alloc(10);
      }
    };

    await expect(store.importPack(endless(), { roots: [], signal: controller.signal })).rejects.toThrow('enough');
    expect(readdirSync(join(store.dir, 'objects/pack'))).toEqual([]);
  });
});

describe('the artifact store', () => {
  const write = (bytes: string) => async (path: string) => {
    writeFileSync(path, bytes);
    return { digest: `sha256:${createHash('sha256').update(bytes).digest('hex')}`, size: bytes.length };
  };

  it('tells a missing archive from a changed one', async () => {
    const store = await openArtifactStore(join(session.dir, 'verify'));
    const { path, digest } = await store.put('gitrepository/ns/n/1.tar.gz', write('one'));

    expect(await store.verify(path, digest)).toBe('ok');
    writeFileSync(store.localPath(path), 'eno');
    expect(await store.verify(path, digest)).toBe('mismatch');
    await expect(store.open(path, digest)).rejects.toMatchObject({ code: 'ArtifactDigestMismatch' });
    await store.remove(path);
    expect(await store.verify(path, digest)).toBe('missing');
    await expect(store.open(path, digest)).rejects.toMatchObject({ code: 'ArtifactNotFound' });
  });

  it.each(['sha384', 'sha512'] as const)('hashes with %s where that is asked for', async (algorithm) => {
    const store = await openArtifactStore(join(session.dir, algorithm), { algorithm });
    const { path, digest } = await store.put('gitrepository/ns/n/1.tar.gz', write('one'));

    expect(digest).toBe(`${algorithm}:${createHash(algorithm).update('one').digest('hex')}`);
    expect(await store.verify(path, digest)).toBe('ok');
    writeFileSync(store.localPath(path), 'eno');
    expect(await store.verify(path, digest)).toBe('mismatch');
  });

  it('leaves the old archive when writing the new one fails', async () => {
    const store = await openArtifactStore(join(session.dir, 'failing'));
    const { path, digest } = await store.put('a/b/c/1.tar.gz', write('one'));

    await expect(
      store.put(path, async (temporary) => {
        writeFileSync(temporary, 'half');
        throw new Error('disk full');
      }),
    ).rejects.toThrow('disk full');

    expect(await store.verify(path, digest)).toBe('ok');
    expect(readdirSync(join(store.root, 'a/b/c'))).toEqual(['1.tar.gz']);
  });

  it('deletes what is old, then what is too many, never what is kept', async () => {
    const store = await openArtifactStore(join(session.dir, 'garbage'));
    const now = Date.now();
    const folder = 'gitrepository/ns/n';
    for (const [name, age] of [
      ['1', 500],
      ['2', 40],
      ['3', 30],
      ['4', 20],
      ['5', 10],
    ] as const) {
      const { path } = await store.put(`${folder}/${name}.tar.gz`, write(name));
      const seconds = now / 1000 - age;
      utimesSync(store.localPath(path), seconds, seconds);
    }

    const removed = await store.collectGarbage(folder, [`${folder}/2.tar.gz`], now);

    expect(removed.map((path) => path.slice(-8))).toEqual(['1.tar.gz', '3.tar.gz', '4.tar.gz']);
    expect(readdirSync(join(store.root, folder)).sort()).toEqual(['2.tar.gz', '5.tar.gz']);
    expect(await store.removeFolder(folder)).toBe(2);
    expect(existsSync(join(store.root, 'gitrepository/ns'))).toBe(false);
  });

  it.each(['../x', 'a/../../x', '/etc/passwd', 'a//b', 'a\\b', ''])('refuses the path %j', async (path) => {
    const store = await openArtifactStore(join(session.dir, 'paths'));
    mkdirSync(join(session.dir, 'paths'), { recursive: true });

    expect(() => store.localPath(path)).toThrow(expect.objectContaining({ code: 'ArtifactPathInvalid' }));
  });
});
