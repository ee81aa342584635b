// A thousand forced pushes in a row: the last revision of each burst lands, and what is on disk stays bounded.
import { readdirSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { gitRepository } from '../../support/build.ts';
import { clusters, useCluster } from '../../support/cluster.ts';
import { git, gitSync } from '../../support/git.ts';
import { type Live, paths, useReconciler } from '../../support/reconciler.ts';

const PUSHES = 1000;
const BURST = 10;
const FILES = 300;
/** Packs are joined when there are more than 24; one more comes in before that. */
const MOST_PACKS = 26;
/** The current archive and the one before, each with its recipe; one more while it is stored. */
const MOST_ARCHIVES = 6;

for (const choice of clusters) {
  describe(`forced pushes on ${choice.name}`, () => {
    const cluster = useCluster(choice);
    const suite = useReconciler(cluster);

    /** Commits without a common history, which therefore only a forced push brings in; made all at once. */
    function makeCommits(dir: string): string[] {
      const texts = Array.from({ length: PUSHES }, (_, index) => {
        const files = Array.from({ length: FILES }, (_, at) => {
          const text = at === 0 ? `push ${index}\n` : `file ${at}\n`;
          return `M 100644 inline d${at % 10}/f${at}.yaml\ndata ${text.length}\n${text}\n`;
        });
        return `commit refs/made/${index}\ncommitter A <a@b> 1700000000 +0000\ndata 1\nx\n${files.join('')}\n`;
      });
      gitSync(dir, ['fast-import', '--quiet'], Buffer.from(texts.join('')));
      const refs = gitSync(dir, [
        'for-each-ref',
        '--format=%(refname:lstrip=2) %(objectname)',
        'refs/made/',
      ]).toString();
      const byIndex = new Map(
        refs
          .trim()
          .split('\n')
          .map((line) => line.split(' ') as [string, string]),
      );
      return Array.from({ length: PUSHES }, (_, index) => byIndex.get(String(index)) as string);
    }

    function filesBelow(folder: string): string[] {
      return readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name));
    }

    it(`keeps up with ${PUSHES} of them, and keeps no more than it needs`, async () => {
      const { url } = await suite.git.createRepository('forced');
      const dir = join(suite.stateDir, '..', 'git', 'forced.git');
      const commits = makeCommits(dir);
      let head = '';
      // What a forced push is to whoever reads: a thousand real ones would measure the server, six processes each.
      const push = (commit: string) => {
        writeFileSync(join(dir, 'next'), `${commit}\n`);
        renameSync(join(dir, 'next'), join(dir, 'refs', 'heads', 'main'));
        head = commit;
      };
      const path = paths.git(cluster.namespace, 'forced');
      const request = (token: string) =>
        cluster.admin.call('PATCH', path, {
          body: { metadata: { annotations: { 'reconcile.fluxcd.io/requestedAt': token } } },
        });
      const landed: string[] = [];
      const most = { packs: 0, archives: 0, bytes: 0 };

      for (let index = 0; index < PUSHES; index += BURST) {
        const burst = commits.slice(index, index + BURST);
        for (const [at, commit] of burst.entries()) {
          push(commit);
          // The first and the last are told of: a pass amid the burst, and one that must find its end. More of them would
          // be a pass each where a request takes as long as one.
          if (index > 0 && (at === 0 || at === BURST - 1)) await request(commit);
        }
        if (index === 0) await suite.apply(gitRepository('forced', url));
        const object: Live = await suite.waitFor(
          path,
          (found) => found?.status?.artifact?.revision === `main@sha1:${head}`,
          `revision ${index}`,
        );
        landed.push(object.status.artifact.revision);
        const objects = filesBelow(join(suite.stateDir, 'objects', cluster.namespace));
        const archives = filesBelow(join(suite.stateDir, 'artifacts', 'gitrepository', cluster.namespace));
        most.packs = Math.max(most.packs, objects.filter((name) => name.endsWith('.pack')).length);
        most.archives = Math.max(most.archives, archives.length);
        // A file may have been replaced between listing and looking.
        const sizes = [...objects, ...archives].map((name) => statSync(name, { throwIfNoEntry: false })?.size ?? 0);
        most.bytes = Math.max(
          most.bytes,
          sizes.reduce((sum, size) => sum + size, 0),
        );
      }

      expect(landed).toHaveLength(PUSHES / BURST);
      expect(most.packs).toBeLessThanOrEqual(MOST_PACKS);
      expect(most.archives).toBeLessThanOrEqual(MOST_ARCHIVES);
      expect(most.bytes).toBeLessThan(4 * 1024 * 1024);
      const [folder] = readdirSync(join(suite.stateDir, 'objects', cluster.namespace));
      const store = join(suite.stateDir, 'objects', cluster.namespace, folder as string);
      expect(await git(store, 'fsck', '--strict', '--no-dangling')).toBe('');
      // Each wait has its own bound; a hundred of them take a busy machine some seconds each.
    }, 1_800_000);
  });
}
