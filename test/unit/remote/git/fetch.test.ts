import { describe, expect, it } from 'vitest';
import { GitError } from '../../../../src/engines/git/errors.ts';
import { fetchCommit, type ObjectSink, requireOnBranch } from '../../../../src/remote/git/fetch.ts';
import type { FetchRequest, GitTransport } from '../../../../src/remote/git/transport.ts';

const wanted = 'a'.repeat(40);
const tip = 'b'.repeat(40);
const old = 'c'.repeat(40);

function sink(
  roots: readonly string[],
  objects: ReadonlySet<string> = new Set([wanted]),
): ObjectSink & { imported: unknown[] } {
  const imported: unknown[] = [];
  return {
    imported,
    format: 'sha1',
    roots: () => roots,
    shallow: () => [...roots, 'd'.repeat(40)],
    async importPack(_pack, options) {
      imported.push(options.roots);
      const missing = options.roots.find((oid) => !objects.has(oid));
      if (missing !== undefined) throw new GitError('GitObjectNotFound', 'not sent', { oid: missing });
      return { objects: 3, bytes: 300 };
    },
  };
}

function transport(
  wantsAny: boolean,
  refuses: (request: FetchRequest) => boolean,
): GitTransport & { asked: FetchRequest[] } {
  const asked: FetchRequest[] = [];
  return {
    asked,
    url: 'https://h/r',
    lsRefs: async () => ({
      format: 'sha1',
      refs: [
        { name: 'refs/heads/main', oid: tip },
        { name: 'refs/heads/same', oid: tip },
      ],
    }),
    async fetch(request) {
      asked.push(request);
      if (refuses(request)) throw new GitError('GitRemoteMessage', `upload-pack: not our ref ${wanted}`);
      return { shallow: [], unshallow: [], format: 'sha1', pack: (async function* () {})(), cancel: () => {} };
    },
    push: async () => {},
    canFilter: async () => false,
    canWantAny: async () => wantsAny,
  };
}

describe('fetchCommit', () => {
  it('asks for nothing when the commit is here', async () => {
    const server = transport(true, () => false);

    expect(await fetchCommit(server, sink([wanted]), wanted)).toEqual({ fetched: false, bytes: 0, objects: 0 });
    expect(server.asked).toEqual([]);
  });

  it('says what is here, and which of it is shallow', async () => {
    const server = transport(true, () => false);

    await fetchCommit(server, sink([old]), wanted);

    expect(server.asked).toEqual([{ wants: [wanted], haves: [old], shallow: [old], depth: 1 }]);
  });

  it('says that a commit vanished between poll and fetch', async () => {
    const server = transport(true, () => true);

    await expect(fetchCommit(server, sink([]), wanted)).rejects.toMatchObject({
      code: 'GitCommitNotFound',
      message: `unable to resolve commit object for '${wanted}': object not found`,
    });
  });

  it('looks through whole histories on a server that gives out tips only', async () => {
    const server = transport(false, (request) => request.wants.includes(wanted));
    const store = sink([old]);

    expect(await fetchCommit(server, store, wanted)).toMatchObject({ fetched: true });
    expect(server.asked[1]).toEqual({ wants: [tip], haves: [], shallow: [] });
    expect(store.imported).toEqual([[wanted]]);
  });

  it('looks through the one history that may hold it, when a branch is named', async () => {
    const server = transport(false, (request) => request.wants.includes(wanted));
    const branchTip = 'e'.repeat(40);

    await requireOnBranch(server, wanted, branchTip);
    await fetchCommit(server, sink([old]), wanted, { branchTip });

    expect(server.asked.slice(1)).toEqual([{ wants: [branchTip], haves: [], shallow: [] }]);
  });

  it('says so when it is in none of them', async () => {
    const server = transport(false, (request) => request.wants.includes(wanted));

    await expect(fetchCommit(server, sink([], new Set()), wanted)).rejects.toMatchObject({ code: 'GitCommitNotFound' });
  });
});
