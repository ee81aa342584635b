// GitRepository beyond the main road: references, ignore rules, sparse checkout, submodules, includes, signatures
// (flux.md §2).
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { readTar } from '../../src/lib/tar.ts';
import { configMapYaml, gitRepository } from '../support/build.ts';
import { clusters, useCluster } from '../support/cluster.ts';
import { temporaryFolder } from '../support/git.ts';
import { condition, hasFailed, isReady, type Live, paths, useReconciler } from '../support/reconciler.ts';

for (const choice of clusters) {
  describe(`sources on ${choice.name}`, () => {
    const cluster = useCluster(choice);
    // Nothing tells of a Secret that came: each try of a source would wait as long as all before it together.
    const suite = useReconciler(cluster, { maxRetryDelayMs: 1_000 });

    async function stored(spec: object, name = 'app'): Promise<Live> {
      const { url, ...rest } = spec as { url: string };
      await suite.apply(gitRepository(name, url, rest));
      return suite.waitFor(paths.git(cluster.namespace, name), isReady, 'Ready');
    }

    /** Paths of the files in an artifact's archive, as a consumer in the cluster gets it. */
    async function filesOf(object: Live): Promise<string[]> {
      const answer = await fetch(object.status.artifact.url);
      expect(answer.status).toBe(200);
      const archive = Buffer.from(await answer.arrayBuffer());
      return [...readTar(gunzipSync(archive), { maxBytes: 1 << 20 })]
        .filter((entry) => entry.kind === 'file')
        .map((entry) => entry.path)
        .toSorted();
    }

    it('resolves tags, ranges, names and commits', async () => {
      const repository = await suite.repository({ 'cm.yaml': configMapYaml('cm', { a: '1' }) });
      const first = await repository.git('rev-parse', 'HEAD');
      await repository.git('tag', 'v1.0.0');
      const second = await repository.commit({ 'cm.yaml': configMapYaml('cm', { a: '2' }) });
      await repository.git('tag', '-a', 'v1.2.0', '-m', 'annotated');
      await repository.git('tag', 'not-a-version');
      await repository.git('push', '--quiet', '--tags', 'origin');
      const { url } = repository;
      const rows: readonly [object, string][] = [
        [{ tag: 'v1.0.0' }, `v1.0.0@sha1:${first}`],
        [{ tag: 'v1.2.0' }, `v1.2.0@sha1:${second}`],
        [{ semver: '>=1.0.0 <2.0.0' }, `v1.2.0@sha1:${second}`],
        [{ name: 'refs/heads/main' }, `refs/heads/main@sha1:${second}`],
        [{ commit: first }, `sha1:${first}`],
        [{ branch: 'main', commit: first }, `main@sha1:${first}`],
      ];

      for (const [index, [ref, revision]] of rows.entries()) {
        const object = await stored({ url, ref }, `ref-${index}`);
        expect(object.status.artifact.revision).toBe(revision);
      }
    });

    it('leaves out what ignore rules name, and puts the archive together the same each time', async () => {
      const repository = await suite.repository({
        'app/cm.yaml': 'a: 1\n',
        'docs/readme.md': 'x',
        'image.png': 'x',
        '.sourceignore': 'docs/\n',
      });

      const object = await stored({ url: repository.url, ignore: '*.png\n' });

      expect(await filesOf(object)).toEqual(['.sourceignore', 'app/cm.yaml']);
      const again = await stored({ url: repository.url, ignore: '*.png\n' }, 'again');
      expect(again.status.artifact.digest).toBe(object.status.artifact.digest);
    });

    it('takes only the folders of sparseCheckout, and names one that is not there', async () => {
      const repository = await suite.repository({ 'a/x.yaml': 'a: 1\n', 'b/y.yaml': 'b: 1\n', 'root.yaml': 'c: 1\n' });

      const object = await stored({ url: repository.url, sparseCheckout: ['./b'] });
      expect(await filesOf(object)).toEqual(['b/y.yaml']);
      expect(object.status.observedSparseCheckout).toEqual(['./b']);

      await suite.apply(gitRepository('app', repository.url, { sparseCheckout: ['nowhere'] }));
      const failed = await suite.waitFor(
        paths.git(cluster.namespace, 'app'),
        hasFailed('GitOperationFailed'),
        'failed',
      );
      expect(condition(failed, 'Ready').message).toContain(
        "failed to sparse checkout directories : sparse checkout dir 'nowhere' does not exist in repository",
      );
    });

    it('fetches submodules when asked to', async () => {
      const inner = await suite.repository({ 'inner.yaml': 'a: 1\n' });
      const outer = await suite.repository({ 'outer.yaml': 'a: 1\n' });
      await outer.git('-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add', inner.url, 'vendor/inner');
      await outer.commit({});

      const without = await stored({ url: outer.url });
      const object = await stored({ url: outer.url, recurseSubmodules: true }, 'recursive');

      expect(await filesOf(without)).toEqual(['outer.yaml']);
      expect(await filesOf(object)).toEqual(['outer.yaml', 'vendor/inner/inner.yaml']);
    });

    it('copies included repositories in, waits for them and follows them', async () => {
      const base = await suite.repository({ 'lib/base.yaml': 'a: 1\n', 'other.yaml': 'x: 1\n' });
      const app = await suite.repository({ 'app.yaml': 'a: 1\n' });
      const include = [{ repository: { name: 'base' }, fromPath: './lib', toPath: 'vendor' }];
      await suite.apply(gitRepository('app', app.url, { include }));
      const waiting = await suite.waitFor(paths.git(cluster.namespace, 'app'), hasFailed('NotFound'), 'waiting');
      expect(condition(waiting, 'Ready').message).toBe(
        `could not get resource for include 'base': GitRepository.source.toolkit.fluxcd.io "base" not found`,
      );

      await suite.apply(gitRepository('base', base.url, { interval: '1s' }));
      const object = await suite.waitFor(paths.git(cluster.namespace, 'app'), isReady, 'Ready');
      expect(await filesOf(object)).toEqual(['app.yaml', 'vendor/base.yaml']);

      const head = await base.commit({ 'lib/more.yaml': 'b: 1\n' });
      const followed = await suite.waitFor(
        paths.git(cluster.namespace, 'app'),
        (live) => live?.status?.includedArtifacts?.[0]?.revision === `main@sha1:${head}` && isReady(live),
        'the new include',
      );
      expect(await filesOf(followed)).toEqual(['app.yaml', 'vendor/base.yaml', 'vendor/more.yaml']);
    });

    it('accepts a commit that is signed with a known key, and no other', async () => {
      const folder = temporaryFolder('keys');
      try {
        for (const name of ['good', 'other']) {
          execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', name, '-f', join(folder.dir, name)]);
        }
        const repository = await suite.repository({ 'cm.yaml': 'a: 1\n' });
        await repository.git('config', 'gpg.format', 'ssh');
        await repository.git('config', 'user.signingkey', join(folder.dir, 'good'));
        await repository.git('commit', '--quiet', '--allow-empty', '-S', '-m', 'Signed');
        await repository.git('push', '--quiet', 'origin', 'HEAD:main');
        const keys = (name: string) => ({ 'keys.sshpub': readFileSync(join(folder.dir, `${name}.pub`), 'utf8') });
        const secret = (name: string) => ({
          apiVersion: 'v1',
          kind: 'Secret',
          metadata: { name: 'keys' },
          stringData: keys(name),
        });
        const verify = { mode: 'HEAD', secretRef: { name: 'keys' } };

        await suite.apply(secret('other'));
        await suite.apply(gitRepository('app', repository.url, { verify }));
        const refused = await suite.waitFor(
          paths.git(cluster.namespace, 'app'),
          hasFailed('InvalidCommitSignature'),
          'refused',
        );
        expect(condition(refused, 'SourceVerified').status).toBe('False');
        expect(refused.status.artifact).toBeUndefined();

        await suite.apply(secret('good'));
        const object = await suite.waitFor(paths.git(cluster.namespace, 'app'), isReady, 'Ready');
        expect(condition(object, 'SourceVerified')).toMatchObject({ status: 'True', reason: 'Succeeded' });
        expect(condition(object, 'SourceVerified').message).toMatch(
          /^verified signature of\n\t- commit '\w{40}' with key 'SHA256:/,
        );
        expect(object.status.sourceVerificationMode).toBe('HEAD');
      } finally {
        folder.remove();
      }
    });
  });
}
