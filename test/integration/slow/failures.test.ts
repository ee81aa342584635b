// Bad input gets a condition that says what, where and what to do; the last good state keeps running and nothing is
// pruned (lesson 04 rows 10 and 11, threats.md §4 rows 1-3).
import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startGitServer } from '../../../src/sandbox/gitserver.ts';
import { configMapYaml, deploymentYaml, gitRepository, kustomization } from '../../support/build.ts';
import { clusters, useCluster } from '../../support/cluster.ts';
import { git, temporaryFolder } from '../../support/git.ts';
import { condition, hasFailed, isReady, type Live, paths, useReconciler } from '../../support/reconciler.ts';

for (const choice of clusters) {
  describe(`failures on ${choice.name}`, () => {
    const cluster = useCluster(choice);
    // Nothing tells of a Secret that came: each try of a source would wait as long as all before it together.
    const suite = useReconciler(cluster, { maxRetryDelayMs: 1_000 });

    /** A source and a Kustomization that are Ready. */
    async function deployed(files: Record<string, string>) {
      const repository = await suite.repository(files);
      const { namespace } = cluster;
      await suite.apply(gitRepository('app', repository.url, { interval: '1s' }));
      await suite.apply(
        kustomization('app', 'app', { targetNamespace: namespace, interval: '10m', retryInterval: '1s' }),
      );
      await suite.waitFor(paths.kustomization(namespace, 'app'), isReady, 'Ready');
      return { repository, namespace };
    }

    /** The Kustomization once it has failed for a reason, with its message. */
    async function failed(reason: string): Promise<{ object: Live; message: string }> {
      const path = paths.kustomization(cluster.namespace, 'app');
      const object = await suite.waitFor(path, hasFailed(reason), reason);
      return { object, message: condition(object, 'Ready').message };
    }

    async function sourceFailed(reason: string): Promise<{ object: Live; message: string }> {
      const object = await suite.waitFor(paths.git(cluster.namespace, 'app'), hasFailed(reason), reason);
      return { object, message: condition(object, 'Ready').message };
    }

    it('names file and line of a manifest that does not parse', async () => {
      const { repository, namespace } = await deployed({ 'cm.yaml': configMapYaml('cm', { a: '1' }) });

      await repository.commit({ 'deep/broken.yaml': 'apiVersion: v1\nkind: [\n', 'cm.yaml': null });

      const { object, message } = await failed('BuildFailed');
      expect(message).toMatch(/deep\/broken\.yaml.*line \d+/);
      expect(object.status.inventory.entries).toHaveLength(1);
      expect(object.status.lastAppliedRevision).not.toBe(object.status.lastAttemptedRevision);
      expect(await suite.get(paths.configMap(namespace, 'cm'))).toMatchObject({ data: { a: '1' } });
    });

    it('names an unknown kind and hints at its CustomResourceDefinition', async () => {
      const { repository, namespace } = await deployed({ 'cm.yaml': configMapYaml('cm', { a: '1' }) });

      await repository.commit({ 'x.yaml': 'apiVersion: example.com/v1\nkind: Widget\nmetadata:\n  name: w\n' });

      const { message } = await failed('ReconciliationFailed');
      expect(message).toContain(`Widget/${namespace}/w`);
      expect(message).toContain('no matches for kind "Widget" in version "example.com/v1"');
      expect(message).toContain('CustomResourceDefinition');
    });

    it("passes on the API server's own words about an object that it refuses", async () => {
      const { repository, namespace } = await deployed({ 'web.yaml': deploymentYaml('web', 'nginx:1') });

      await repository.commit({ 'web.yaml': deploymentYaml('web', 'nginx:1', -1) });

      const { message, object } = await failed('ReconciliationFailed');
      expect(message).toContain(`Deployment/${namespace}/web dry-run failed (Invalid)`);
      expect(message).toContain('spec.replicas: Invalid value: -1');
      expect(object.status.inventory.entries).toHaveLength(1);
      const live = await suite.get(paths.deployment(namespace, 'web'));
      expect(live.spec.replicas).toBe(1);
    });

    it('names a field that is not done yet', async () => {
      const { url } = await suite.repository({ 'cm.yaml': configMapYaml('cm', { a: '1' }) });
      await suite.apply(gitRepository('app', url, { provider: 'aws' }));

      const { message, object } = await sourceFailed('FieldNotSupported');

      expect(message).toBe('spec.provider aws is not supported yet');
      expect(condition(object, 'Stalled')).toMatchObject({ status: 'True', reason: 'FieldNotSupported' });
    });

    it.each([
      ['a folder that is not there', 'nowhere', 'kustomization path not found'],
      ['a path out of the repository', '../other', 'leads out of the source'],
      ['a path out of the repository by a link, which no artifact holds', 'link', 'kustomization path not found'],
    ])('refuses %s', async (_name, path, words) => {
      const { repository, namespace } = await deployed({ 'cm.yaml': configMapYaml('cm', { a: '1' }) });
      symlinkSync('../..', join(repository.dir, 'link'));
      await repository.commit({});

      await suite.apply(kustomization('app', 'app', { path, targetNamespace: namespace, retryInterval: '1s' }));

      const { message } = await failed('ArtifactFailed');
      expect(message).toContain(words);
      expect(await suite.get(paths.configMap(namespace, 'cm'))).toMatchObject({ data: { a: '1' } });
    });

    it('does not read a file outside the repository through a link (threats row 2)', async () => {
      const { repository, namespace } = await deployed({ 'cm.yaml': configMapYaml('cm', { a: '1' }) });
      symlinkSync('/etc/passwd', join(repository.dir, 'passwd'));

      await repository.commit({
        'kustomization.yaml': 'resources: [cm.yaml]\nconfigMapGenerator:\n- name: stolen\n  files: [passwd]\n',
      });

      const { message } = await failed('BuildFailed');
      expect(message).toContain('passwd');
      expect(message).not.toContain('root:');
      expect(await suite.get(paths.configMap(namespace, 'cm'))).toMatchObject({ data: { a: '1' } });
    });

    it('bounds a YAML bomb (threats row 4)', async () => {
      const { repository } = await deployed({ 'cm.yaml': configMapYaml('cm', { a: '1' }) });
      const levels = Array.from({ length: 12 }, (_, level) => {
        const previous = level === 0 ? 'x' : `*l${level - 1}`;
        return `l${level}: &l${level} [${Array.from({ length: 10 }, () => previous).join(', ')}]`;
      });

      await repository.commit({
        'bomb.yaml': `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: bomb\n${levels.join('\n')}\n`,
      });

      const { message } = await failed('BuildFailed');
      expect(message).toContain('bomb.yaml');
      expect(message).toContain('excessive aliasing');
    });

    it('says that a branch is not there', async () => {
      const repository = await suite.repository({ 'cm.yaml': configMapYaml('cm', { a: '1' }) });
      await suite.apply(gitRepository('app', repository.url, { ref: { branch: 'nowhere' } }));

      const { object, message } = await sourceFailed('GitOperationFailed');

      expect(message).toBe(
        `failed to checkout and determine revision: unable to clone '${repository.url}': couldn't find remote ref "refs/heads/nowhere"`,
      );
      expect(condition(object, 'FetchFailed')).toMatchObject({ status: 'True', reason: 'GitOperationFailed' });
      expect(condition(object, 'Reconciling')).toMatchObject({
        reason: 'ProgressingWithRetry',
        message: 'building artifact',
      });
      expect(object.status.observedGeneration).toBe(-1);
    });

    it('names host and port of a server that is down', async () => {
      await suite.apply(gitRepository('app', 'http://127.0.0.1:1/x.git'));

      const { message } = await sourceFailed('GitOperationFailed');

      expect(message).toMatch(/127\.0\.0\.1:1.*refused/);
    });

    it('says that a repository is empty', async () => {
      const { url } = await suite.git.createRepository('empty');
      await suite.apply(gitRepository('app', url));

      const { message } = await sourceFailed('EmptyGitRepository');

      expect(message).toBe('git repository is empty');
    });

    it('asks for credentials, names what the Secret lacks, and fetches with them', async () => {
      const folder = temporaryFolder('private');
      const login = { username: 'ada', password: 'lovelace' };
      const server = await startGitServer({ root: folder.dir, basicAuth: login });
      try {
        const { url, dir } = await server.createRepository('secret');
        const repository = await suite.repository({ 'cm.yaml': configMapYaml('cm', { a: '1' }) });
        await git(repository.dir, 'push', '--quiet', dir, 'HEAD:main');
        await suite.apply(gitRepository('app', url));
        const anonymous = await sourceFailed('GitOperationFailed');
        expect(anonymous.message).toContain('authentication required');
        expect(anonymous.message).toContain('secretRef');

        await suite.apply(gitRepository('app', url, { secretRef: { name: 'login' } }));
        const absent = await sourceFailed('AuthenticationFailed');
        expect(absent.message).toBe(`failed to get secret '${cluster.namespace}/login': secrets "login" not found`);

        await suite.apply({
          apiVersion: 'v1',
          kind: 'Secret',
          metadata: { name: 'login' },
          stringData: { password: 'x' },
        });
        const lacking = await suite.waitFor(paths.git(cluster.namespace, 'app'), (object) =>
          condition(object, 'Ready')?.message.includes("requires 'username'"),
        );
        expect(condition(lacking, 'Ready').reason).toBe('AuthenticationFailed');

        await suite.apply({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'login' }, stringData: login });
        await suite.waitFor(paths.git(cluster.namespace, 'app'), isReady, 'Ready with credentials');
      } finally {
        await server.close();
        folder.remove();
      }
    });

    it('keeps the artifact when its host goes away', async () => {
      const folder = temporaryFolder('dying');
      const server = await startGitServer({ root: folder.dir });
      try {
        const { url, dir } = await server.createRepository('dying');
        const repository = await suite.repository({ 'cm.yaml': configMapYaml('cm', { a: '1' }) });
        await git(repository.dir, 'push', '--quiet', dir, 'HEAD:main');
        await suite.apply(gitRepository('app', url, { interval: '1s' }));
        const before = await suite.waitFor(paths.git(cluster.namespace, 'app'), isReady, 'Ready');

        await server.close();

        const { object, message } = await sourceFailed('GitOperationFailed');
        expect(message).toContain(`unable to list remote for '${url}': `);
        expect(object.status.artifact).toEqual(before.status.artifact);
      } finally {
        folder.remove();
      }
    });

    it('refuses a spec at the door', async () => {
      const bad = { ...gitRepository('app', 'ftp://example.com/x'), metadata: { name: 'app' } };

      await expect(suite.apply(bad)).rejects.toThrow(/spec\.url.*should match/);
    });
  });
}
