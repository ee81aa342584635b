// Repositories that no Git would make, and servers that lie (threats.md §4 and §5): a condition that says so, and the
// artifact that was stored before untouched. Parsers alone are thrown more at in test/fuzz and test/unit/engines/git.
import { createHash } from 'node:crypto';
import { deflateSync, gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { GitObject } from '../../../src/engines/git/oid.ts';
import { formatEntryHeader, formatPackHeader } from '../../../src/engines/git/pack-entry.ts';
import { formatPack } from '../../../src/engines/git/pack-write.ts';
import { formatTree, type GitTreeEntry } from '../../../src/engines/git/tree.ts';
import { readTar } from '../../../src/lib/tar.ts';
import { gitRepository } from '../../support/build.ts';
import { clusters, useCluster } from '../../support/cluster.ts';
import {
  type MemoryGitServer,
  oidOf,
  repositoryOf,
  repositoryOfFile,
  type ServedRepository,
  startMemoryGitServer,
} from '../../support/memory-git-server.ts';
import { condition, hasFailed, isReady, type Live, paths, useReconciler } from '../../support/reconciler.ts';

const blob = (text: string): GitObject => ({ type: 'blob', data: Buffer.from(text) });
const tree = (entries: readonly GitTreeEntry[]): GitObject => ({ type: 'tree', data: formatTree(entries) });
const content = blob('a: 1\n');

/** A repository whose root has one entry of any name. */
function named(name: string): ServedRepository {
  const root = tree([{ name, kind: 'file', oid: oidOf(content) }]);
  return repositoryOf(oidOf(root), [root, content]);
}

/** A good head, and a pack of these bytes with a true check sum. */
function packed(...entries: Buffer[]): ServedRepository {
  const body = Buffer.concat([formatPackHeader(entries.length), ...entries]);
  const pack = Buffer.concat([body, createHash('sha1').update(body).digest()]);
  return { head: good.head, pack };
}

/** Trees within trees, each of which has the one below it under ten names: 10^12 files in a kilobyte. */
function treeBomb(): ServedRepository {
  const objects: GitObject[] = [content];
  let below: GitTreeEntry[] = Array.from({ length: 10 }, (_, at) => ({
    name: `f${at}`,
    kind: 'file',
    oid: oidOf(content),
  }));
  for (let level = 0; level < 12; level++) {
    const folder = tree(below);
    objects.push(folder);
    below = Array.from({ length: 10 }, (_, at) => ({ name: `d${at}`, kind: 'tree', oid: oidOf(folder) }));
  }
  return repositoryOf(oidOf(objects.at(-1) as GitObject), objects);
}

/** Folders within folders, further than any path is long. */
function deepTree(): ServedRepository {
  const objects: GitObject[] = [content];
  let entry: GitTreeEntry = { name: 'f', kind: 'file', oid: oidOf(content) };
  for (let level = 0; level < 5000; level++) {
    const folder = tree([entry]);
    objects.push(folder);
    entry = { name: 'd', kind: 'tree', oid: oidOf(folder) };
  }
  return repositoryOf(entry.oid, objects);
}

const good = repositoryOfFile('cm.yaml', 'a: 2\n');
const zipped = (data: Buffer) => deflateSync(data);
const selfDelta = Buffer.from([1, 1, 0x90, 1]);

const rows: readonly (readonly [row: string, repository: ServedRepository, said: RegExp])[] = [
  ['§4 row 1, a name that climbs out', named('..'), /forbidden name '\.\.'/],
  ['§4 row 1, a name with a slash', named('a/../../b'), /forbidden name 'a\/\.\.\/\.\.\/b'/],
  ['§4 row 1, a case clash with a doubled name', doubled(), /two entries named 'same'/],
  ['§4 row 15, a .git of its own', named('.GIT'), /forbidden name '\.GIT'/],
  ['§4 row 15, a .git by its short name', named('git~1'), /forbidden name 'git~1'/],
  [
    '§4 row 3, an object that says it has a terabyte',
    packed(formatEntryHeader('blob', 2 ** 40)),
    /bytes in one object/,
  ],
  ['§4 row 3, four billion objects', { head: good.head, pack: manyObjects() }, /objects, the limit is/],
  [
    '§4 row 3, an object that swells beyond what it says',
    packed(Buffer.concat([formatEntryHeader('blob', 5), zipped(Buffer.alloc(1 << 24))])),
    /object at offset|bad compressed data/,
  ],
  ['§4 row 3, a billion files in a kilobyte', treeBomb(), /more than 2000000 files/],
  ['§4 row 3, five thousand folders in each other', deepTree(), /nested more than 500 deep/],
  [
    '§4 row 3, a pack that is cut short',
    { head: good.head, pack: good.pack.subarray(0, -30) },
    /cut short|bad compressed data/,
  ],
  ['§4 row 3, a delta that is its own base', packed(ownBase()), /needs object|have no base|own base/],
  [
    '§4 row 16, other bytes than the check sum says',
    { head: good.head, pack: flipped(good.pack) },
    /check sum|bad compressed data/,
  ],
  [
    '§4 row 16, another commit than the branch has',
    { head: 'f'.repeat(40), pack: good.pack },
    /did not send object f{40}/,
  ],
  ['§4 row 16, a commit without its files', { head: good.head, pack: withoutFiles() }, /did not send object/],
  ['§5 go-git CVE-2026-45022, a tree that is cut short', brokenTree('100644 a\0short'), /tree object is cut short/],
  ['§5 go-git CVE-2026-45570, a mode that is none', brokenTree(`999 a\0${'x'.repeat(20)}`), /unknown mode '999'/],
];

function doubled(): ServedRepository {
  const data = Buffer.concat(
    [1, 2].map(() => Buffer.concat([Buffer.from('100644 same\0'), Buffer.from(oidOf(content), 'hex')])),
  );
  const root: GitObject = { type: 'tree', data };
  return repositoryOf(oidOf(root), [root, content]);
}

function manyObjects(): Buffer {
  const pack = Buffer.from(good.pack);
  pack.writeUInt32BE(0xffffffff, 8);
  return pack;
}

function ownBase(): Buffer {
  const oid = createHash('sha1').update('nothing').digest('hex');
  return Buffer.concat([formatEntryHeader('ref-delta', selfDelta.length, { oid }), zipped(selfDelta)]);
}

function flipped(bytes: Uint8Array): Buffer {
  const copy = Buffer.from(bytes);
  copy[20]! ^= 1;
  return copy;
}

function withoutFiles(): Uint8Array {
  const person = 'Ada <ada@example.com> 1700000000 +0000';
  const root = tree([{ name: 'cm.yaml', kind: 'file', oid: oidOf(blob('a: 2\n')) }]);
  const commit = Buffer.from(`tree ${oidOf(root)}\nauthor ${person}\ncommitter ${person}\n\nfirst\n`);
  return formatPack([{ type: 'commit', data: commit }], 'sha1');
}

function brokenTree(bytes: string): ServedRepository {
  const root: GitObject = { type: 'tree', data: Buffer.from(bytes, 'latin1') };
  return repositoryOf(oidOf(root), [root]);
}

for (const choice of clusters) {
  describe(`bad repositories on ${choice.name}`, () => {
    const cluster = useCluster(choice);
    const suite = useReconciler(cluster);
    let server: MemoryGitServer;

    beforeAll(async () => {
      server = await startMemoryGitServer();
    });
    afterAll(() => server.close());

    async function archiveOf(object: Live): Promise<Map<string, string>> {
      const answer = await fetch(object.status.artifact.url);
      const entries = readTar(gunzipSync(Buffer.from(await answer.arrayBuffer())));
      return new Map(
        entries.filter(({ kind }) => kind === 'file').map(({ path, data }) => [path, Buffer.from(data).toString()]),
      );
    }

    it.each(rows)('%s: is told, and changes nothing that was stored', async (_row, repository, said) => {
      const path = paths.git(cluster.namespace, 'bad');
      const name = `${cluster.namespace}.git`;
      server.serve(name, repositoryOfFile('cm.yaml', 'a: 1\n'));
      await suite.apply(gitRepository('bad', `${server.url}/${name}`));
      const before = await suite.waitFor(path, isReady, 'Ready');

      server.serve(name, repository);
      const body = { metadata: { annotations: { 'reconcile.fluxcd.io/requestedAt': 'now' } } };
      await cluster.admin.call('PATCH', path, { body });
      const failed = await suite.waitFor(
        path,
        (object) => hasFailed('GitOperationFailed')(object) || hasFailed('ArchiveOperationFailed')(object),
        'failed',
      );

      expect(condition(failed, 'Ready').message).toMatch(said);
      expect(failed.status.artifact).toEqual(before.status.artifact);
      expect(await archiveOf(failed)).toEqual(new Map([['cm.yaml', 'a: 1\n']]));
    });

    it('§4 row 2, links of every kind: are left out of the archive', async () => {
      const entries: [string, string][] = [
        ['absolute', '/etc/passwd'],
        ['climbing', '../../../../etc/passwd'],
        ['to-a-folder', 'folder'],
        ['to-itself', 'to-itself'],
      ];
      const links = entries.map(([, target]) => blob(target));
      const folder = tree([{ name: 'f.yaml', kind: 'file', oid: oidOf(content) }]);
      const root = tree([
        ...entries.map(([name], at) => ({ name, kind: 'link' as const, oid: oidOf(links[at] as GitObject) })),
        { name: 'folder', kind: 'tree', oid: oidOf(folder) },
      ]);
      server.serve('links.git', repositoryOf(oidOf(root), [root, folder, content, ...links]));
      await suite.apply(gitRepository('links', `${server.url}/links.git`));

      const stored = await suite.waitFor(paths.git(cluster.namespace, 'links'), isReady, 'Ready');

      expect(await archiveOf(stored)).toEqual(new Map([['folder/f.yaml', 'a: 1\n']]));
    });

    it('§4 row 19, names that JavaScript knows: are names', async () => {
      const names = ['__proto__', 'constructor', 'prototype', 'toString'];
      const folder = tree(names.map((name) => ({ name, kind: 'file', oid: oidOf(content) })));
      const root = tree([{ name: '__proto__', kind: 'tree', oid: oidOf(folder) }]);
      server.serve('proto.git', repositoryOf(oidOf(root), [root, folder, content]));
      await suite.apply(gitRepository('proto', `${server.url}/proto.git`));

      const stored = await suite.waitFor(paths.git(cluster.namespace, 'proto'), isReady, 'Ready');

      expect([...(await archiveOf(stored)).keys()]).toEqual(names.map((name) => `__proto__/${name}`));
    });

    it('§4 row 10 and §5 CVE-2024-31216, passwords in URLs and Secrets: are in no status and no event', async () => {
      await suite.apply({
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: 'login' },
        stringData: { username: 'ada', password: 'canary-secret' },
      });
      const url = 'http://ada:canary-url@127.0.0.1:1/r.git?sig=canary-query';
      await suite.apply(gitRepository('hidden', url.replace('ada:canary-url@', ''), { secretRef: { name: 'login' } }));
      await suite.apply(gitRepository('shown', url));

      for (const name of ['hidden', 'shown']) {
        const failed = await suite.waitFor(
          paths.git(cluster.namespace, name),
          hasFailed('GitOperationFailed'),
          'failed',
        );
        expect(condition(failed, 'Ready').message).toContain('connection refused');
        expect(JSON.stringify(failed.status)).not.toContain('canary');
      }
      const names = ['hidden', 'shown'];
      const isTold = (list: Live) =>
        names.every((name) =>
          list.items.some((item: Live) => item.reason === 'GitOperationFailed' && item.involvedObject.name === name),
        );
      await suite.waitFor(`/api/v1/namespaces/${cluster.namespace}/events`, isTold, 'events of both');
      await suite.quiet();
      const events = await suite.get(`/api/v1/namespaces/${cluster.namespace}/events`);
      expect(JSON.stringify(events.items.map((event: Live) => [event.message, event.metadata]))).not.toContain(
        'canary',
      );
    });

    it.each(['javascript://host/%0aalert(1)', 'file:///etc', 'ext::sh -c id', 'git@host:path', '-oProxyCommand=id'])(
      '§4 row 15 and §5 CVE-2025-47933, the URL %s: is not accepted',
      async (url) => {
        await expect(suite.apply(gitRepository('scheme', url))).rejects.toThrow(/spec\.url/);
      },
    );
  });
}
