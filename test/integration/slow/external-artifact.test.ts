// ExternalArtifact as a source of Kustomizations (flux.md §3.5): somebody else makes and serves the archive, we check it.
import { createHash } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { defaultFeatureGates } from '../../../src/controllers/shared/feature-gates.ts';
import type { JsonObject } from '../../../src/lib/json.ts';
import { writeTar } from '../../../src/lib/tar.ts';
import { configMapYaml, gitRepository, kustomization } from '../../support/build.ts';
import { clusters, useCluster } from '../../support/cluster.ts';
import { condition, hasFailed, isReady, pathOf, paths, useReconciler } from '../../support/reconciler.ts';

function archiveOf(files: Readonly<Record<string, string>>): Buffer {
  const entries = Object.entries(files).map(([name, text]) => ({
    name,
    kind: 'file' as const,
    mode: 0o600,
    data: Buffer.from(text),
  }));
  return gzipSync(writeTar(entries));
}

for (const choice of clusters) {
  describe(`ExternalArtifact on ${choice.name}`, () => {
    const cluster = useCluster(choice);
    const suite = useReconciler(cluster, { gates: { ...defaultFeatureGates, ExternalArtifact: true } });
    const archives = new Map<string, Buffer>();
    const asked: string[] = [];
    let server: Server;
    let url = '';

    beforeAll(async () => {
      server = createServer((request, response) => {
        asked.push(String(request.url));
        const archive = archives.get(String(request.url));
        response.writeHead(archive === undefined ? 404 : 200).end(archive);
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    });
    afterAll(() => void server.close());

    /** Does what a third party does: serves an archive and says so in the status of an object. */
    async function publish(
      name: string,
      archive: Buffer,
      status: JsonObject = {},
      object: JsonObject = { kind: 'ExternalArtifact', spec: { sourceRef: { kind: 'Anything', name: 'else' } } },
    ): Promise<string> {
      const sum = createHash('sha256').update(archive).digest('hex');
      const path = `/${name}/${sum}.tar.gz`;
      archives.set(path, archive);
      const artifact = {
        digest: `sha256:${sum}`,
        lastUpdateTime: '2026-01-01T00:00:00Z',
        path: path.slice(1),
        revision: `latest@sha256:${sum}`,
        size: archive.length,
        url: url + path,
        ...status,
      };
      const whole = {
        apiVersion: 'source.toolkit.fluxcd.io/v1',
        metadata: { name, namespace: cluster.namespace },
        ...object,
        status: { artifact },
      };
      // Without the label of this suite, so that no controller of ours takes it for its own.
      for (const part of ['', '/status']) {
        const answer = await cluster.admin.call('PATCH', `${pathOf(whole)}${part}?fieldManager=maker&force=true`, {
          body: whole,
          contentType: 'application/apply-patch+yaml',
        });
        expect(answer.status).toBeLessThan(300);
      }
      return artifact.revision;
    }

    const consumer = (name: string, source = name, spec: JsonObject = {}) =>
      kustomization(name, source, {
        sourceRef: { kind: 'ExternalArtifact', name: source },
        targetNamespace: cluster.namespace,
        ...spec,
      });

    it('applies what the archive holds, and again when another one is published', async () => {
      const first = await publish('app', archiveOf({ 'cm.yaml': configMapYaml('from-app', { a: '1' }) }));
      await suite.apply(consumer('app'));

      const ready = await suite.waitFor(paths.kustomization(cluster.namespace, 'app'), isReady, 'Ready');
      expect(ready.status.lastAppliedRevision).toBe(first);

      const second = await publish('app', archiveOf({ 'cm.yaml': configMapYaml('from-app', { a: '2' }) }));
      await suite.waitFor(
        paths.kustomization(cluster.namespace, 'app'),
        (object) => object?.status?.lastAppliedRevision === second,
        second,
      );
      expect((await suite.get(paths.configMap(cluster.namespace, 'from-app')))?.data).toEqual({ a: '2' });
    });

    it('takes an artifact from the replica that made it, where another shard reconciles the source', async () => {
      const source = gitRepository('elsewhere', 'http://127.0.0.1:1/never-asked.git');
      const archive = archiveOf({ 'cm.yaml': configMapYaml('elsewhere', { a: '1' }) });
      const revision = await publish(
        'elsewhere',
        archive,
        {},
        { kind: 'GitRepository', spec: source['spec'] as JsonObject },
      );
      await suite.apply(kustomization('elsewhere', 'elsewhere', { targetNamespace: cluster.namespace }));

      const ready = await suite.waitFor(paths.kustomization(cluster.namespace, 'elsewhere'), isReady, 'Ready');

      expect(ready.status.lastAppliedRevision).toBe(revision);
      expect((await suite.get(paths.configMap(cluster.namespace, 'elsewhere')))?.data).toEqual({ a: '1' });
    });

    it('builds a large one of its own files, though its path is that of an archive which is stored here', async () => {
      const { namespace } = cluster;
      const repository = await suite.repository({ 'cm.yaml': configMapYaml('private', { text: 'secret' }) });
      await suite.apply(gitRepository('private', repository.url));
      const stored = await suite.waitFor(paths.git(namespace, 'private'), isReady, 'Ready');
      // Too large for the event loop: a worker thread opens the files by itself.
      const archive = archiveOf({ 'cm.yaml': configMapYaml('large', { text: 'x'.repeat(60_000) }) });

      await publish('large', archive, { path: stored.status.artifact.path });
      await suite.apply(consumer('large'));
      const ready = await suite.waitFor(paths.kustomization(namespace, 'large'), isReady, 'Ready');

      expect(ready.status.inventory.entries).toEqual([{ id: `${namespace}_large__ConfigMap`, v: 'v1' }]);
    });

    it('fetches an archive once for all who use it', async () => {
      const archive = archiveOf({
        'a/cm.yaml': configMapYaml('shared-a', {}),
        'b/cm.yaml': configMapYaml('shared-b', {}),
      });
      await publish('shared', archive);
      for (const part of ['a', 'b']) {
        await suite.apply(consumer(`shared-${part}`, 'shared', { path: `./${part}` }));
      }

      for (const part of ['a', 'b']) {
        await suite.waitFor(paths.kustomization(cluster.namespace, `shared-${part}`), isReady, 'Ready');
      }

      // Those of earlier tests may still be on their way out, and ask.
      expect(asked.filter((path) => path.startsWith('/shared/'))).toHaveLength(1);
    });

    it('applies nothing of an archive that has another digest', async () => {
      const archive = archiveOf({ 'cm.yaml': configMapYaml('forged', {}) });
      const digest = `sha256:${'0'.repeat(64)}`;
      await publish('forged', archive, { digest });
      await suite.apply(consumer('forged'));

      const failed = await suite.waitFor(
        paths.kustomization(cluster.namespace, 'forged'),
        hasFailed('ArtifactFailed', "computed digest doesn't match"),
        'ArtifactFailed',
      );

      expect(condition(failed, 'Ready').message).toContain(`computed digest doesn't match '${digest}'`);
      expect(await suite.get(paths.configMap(cluster.namespace, 'forged'))).toBeUndefined();
    });

    it('applies nothing of an archive with a path that leaves it', async () => {
      await publish('escaping', archiveOf({ '../cm.yaml': configMapYaml('escaped', {}) }));
      await suite.apply(consumer('escaping'));

      const failed = await suite.waitFor(
        paths.kustomization(cluster.namespace, 'escaping'),
        hasFailed('ArtifactFailed', 'does not stay below the root'),
        'ArtifactFailed',
      );

      expect(condition(failed, 'Ready').message).toContain('does not stay below the root');
    });

    it('does not ask the metadata service of the machine', async () => {
      await publish('metadata', archiveOf({}), { url: 'http://169.254.169.254/latest/user-data' });
      await suite.apply(consumer('metadata'));

      const failed = await suite.waitFor(
        paths.kustomization(cluster.namespace, 'metadata'),
        hasFailed('ArtifactFailed', 'link-local'),
        'ArtifactFailed',
      );

      expect(condition(failed, 'Ready').message).toContain('link-local');
    });

    it('waits for an artifact that is announced and not served yet', async () => {
      await publish('late', archiveOf({}), { url: `${url}/not-there.tar.gz` });
      await suite.apply(consumer('late'));

      const failed = await suite.waitFor(
        paths.kustomization(cluster.namespace, 'late'),
        hasFailed('ArtifactFailed', 'artifact not found'),
        'ArtifactFailed',
      );

      expect(condition(failed, 'Ready').message).toBe('Source is not ready, artifact not found, retrying in 30s');
    });
  });
}
